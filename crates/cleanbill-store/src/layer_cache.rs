//! Layer inventories by diff id.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cleanbill_core::DiffId;
use cleanbill_core::inventory::LayerInventory;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::StoreError;
use crate::packed::{pack, unpack};
use crate::sqlite::{self, failed};

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_layer_inventories.sql"),
    include_str!("migrations/0002_named_chains.sql"),
    include_str!("migrations/0003_claimed_names.sql"),
];

/// Counts layouts of the encoded inventory; part of every key together with the extractors'
/// version.
const ENCODING: u32 = 3;

/// How stale the time of last use may be before a read refreshes it: reads stay reads.
const USE_RESOLUTION_SECONDS: i64 = 24 * 60 * 60;

/// Keeps layer inventories in one SQLite file. It may be shared between threads and processes.
#[derive(Debug)]
pub struct LayerCache {
    connection: Mutex<Connection>,
    path: Option<PathBuf>,
    format: i64,
}

/// Identifies an inventory: the layer, and what apart from its bytes went into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LayerKey {
    /// The layer.
    pub diff_id: DiffId,
    /// Skip rules and links that changed what was read; empty for the plain inventory.
    pub variant: String,
}

/// Sums up what the cache holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheInfo {
    /// The file; `None` in memory.
    pub path: Option<PathBuf>,
    /// Inventories of the current format.
    pub layers: u64,
    /// Inventories that older or newer versions wrote.
    pub layers_of_other_versions: u64,
    /// Bytes of the inventories.
    pub inventory_size_bytes: u64,
    /// Bytes of the file with its journal.
    pub file_size_bytes: u64,
}

/// Says what pruning did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneOutcome {
    /// Inventories removed.
    pub removed: u64,
    /// Inventories kept.
    pub kept: u64,
}

impl LayerCache {
    /// The name of the file inside the cache directory.
    pub const FILE_NAME: &'static str = "layers.sqlite";

    /// Opens or creates the cache in a directory. A damaged file is set aside.
    ///
    /// # Errors
    ///
    /// The directory cannot be written, or the file belongs to a newer version.
    pub fn open(directory: &Path, extractors_version: u32) -> Result<Self, StoreError> {
        let path = directory.join(Self::FILE_NAME);
        let connection = sqlite::open(&path, MIGRATIONS)?;
        Ok(Self::over(connection, Some(path), extractors_version))
    }

    /// Returns the bytes of the cache in a directory, with its journal; `None` if there is none.
    /// Nothing is opened.
    pub fn size_bytes_in(directory: &Path) -> Option<u64> {
        size_bytes(&directory.join(Self::FILE_NAME))
    }

    /// Opens a cache that ends with the process.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn in_memory(extractors_version: u32) -> Result<Self, StoreError> {
        Ok(Self::over(
            sqlite::open_in_memory(MIGRATIONS)?,
            None,
            extractors_version,
        ))
    }

    fn over(connection: Connection, path: Option<PathBuf>, extractors_version: u32) -> Self {
        let format = (i64::from(ENCODING) << 32) | i64::from(extractors_version);
        Self {
            connection: Mutex::new(connection),
            path,
            format,
        }
    }

    /// Returns the inventory of a layer. `now` is in Unix seconds. A row that cannot be decoded
    /// counts as absent.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn layer_get(
        &self,
        key: &LayerKey,
        now: i64,
    ) -> Result<Option<LayerInventory>, StoreError> {
        let connection = self.connection();
        let row = connection
            .prepare_cached(
                "SELECT id, used_at, uncompressed_size_bytes, inventory FROM layer_inventories
                 WHERE diff_id = ?1 AND variant = ?2 AND format = ?3",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(
                        params![key.diff_id.0.as_bytes(), key.variant, self.format],
                        |row| {
                            let blob = row.get_ref(3)?.as_blob().unwrap_or_default();
                            let inventory = unpack(blob, row.get::<_, i64>(2)?.unsigned_abs());
                            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, inventory))
                        },
                    )
                    .optional()
            })
            .map_err(failed("read"))?;
        let Some((id, used_at, inventory)) = row else {
            return Ok(None);
        };
        if now.saturating_sub(used_at) > USE_RESOLUTION_SECONDS {
            let refreshed = connection.execute(
                "UPDATE layer_inventories SET used_at = ?2 WHERE id = ?1",
                params![id, now],
            );
            if let Err(error) = refreshed {
                // Worth a word, not a failed scan: only pruning looks at the time.
                tracing::debug!(%error, "cannot note the use of a cached layer");
            }
        }
        Ok(inventory)
    }

    /// Stores the inventory of a layer, replacing an older one. `now` is in Unix seconds.
    ///
    /// # Errors
    ///
    /// SQLite failed (disk full, read-only file), or the inventory cannot be encoded.
    pub fn layer_put(
        &self,
        key: &LayerKey,
        inventory: &LayerInventory,
        now: i64,
    ) -> Result<(), StoreError> {
        let (blob, size) = pack(inventory).map_err(|source| StoreError::Encode {
            diff_id: key.diff_id.to_string(),
            source,
        })?;
        self.connection()
            .execute(
                "INSERT INTO layer_inventories
                 (diff_id, variant, format, uncompressed_size_bytes, created_at, used_at, inventory)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)
                 ON CONFLICT (diff_id, variant, format) DO UPDATE SET
                 uncompressed_size_bytes = excluded.uncompressed_size_bytes,
                 used_at = excluded.used_at, inventory = excluded.inventory",
                params![
                    key.diff_id.0.as_bytes(),
                    key.variant,
                    self.format,
                    i64::try_from(size).unwrap_or(i64::MAX),
                    now,
                    blob
                ],
            )
            .map_err(failed("write"))?;
        Ok(())
    }

    /// Sums up what the cache holds.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn info(&self) -> Result<CacheInfo, StoreError> {
        let connection = self.connection();
        let (layers, others, size): (i64, i64, i64) = connection
            .query_row(
                "SELECT count(*) FILTER (WHERE format = ?1), count(*) FILTER (WHERE format <> ?1),
                        coalesce(sum(length(inventory)), 0) FROM layer_inventories",
                params![self.format],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .map_err(failed("read"))?;
        Ok(CacheInfo {
            path: self.path.clone(),
            layers: layers.unsigned_abs(),
            layers_of_other_versions: others.unsigned_abs(),
            inventory_size_bytes: size.unsigned_abs(),
            file_size_bytes: self.file_size_bytes(),
        })
    }

    /// Removes every inventory and gives the space back.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn clear(&self) -> Result<PruneOutcome, StoreError> {
        let connection = self.connection();
        let removed = connection
            .execute("DELETE FROM layer_inventories", [])
            .map_err(failed("clear"))?;
        compact(&connection)?;
        Ok(PruneOutcome {
            removed: removed as u64,
            kept: 0,
        })
    }

    /// Removes inventories of other versions, those not used since `not_used_since` (Unix
    /// seconds), and then the longest unused until the rest has at most `max_size_bytes`.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn prune(
        &self,
        not_used_since: Option<i64>,
        max_size_bytes: Option<u64>,
    ) -> Result<PruneOutcome, StoreError> {
        let connection = self.connection();
        let removed = connection
            .execute(
                "DELETE FROM layer_inventories WHERE format <> ?1 OR used_at < ?2
                 OR id IN (SELECT id FROM (
                     SELECT id, sum(length(inventory)) OVER (ORDER BY used_at DESC, id DESC) AS total
                     FROM layer_inventories WHERE format = ?1) WHERE total > ?3)",
                params![
                    self.format,
                    not_used_since.unwrap_or(i64::MIN),
                    max_size_bytes.map_or(i64::MAX, |max| i64::try_from(max).unwrap_or(i64::MAX)),
                ],
            )
            .map_err(failed("prune"))?;
        compact(&connection)?;
        let kept: i64 = connection
            .query_row("SELECT count(*) FROM layer_inventories", [], |row| {
                row.get(0)
            })
            .map_err(failed("read"))?;
        Ok(PruneOutcome {
            removed: removed as u64,
            kept: kept.unsigned_abs(),
        })
    }

    /// Gives back the memory in which pages of the file are kept for speed, up to 2 MiB.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn forget_pages(&self) -> Result<(), StoreError> {
        sqlite::forget_pages(&self.connection()).map_err(failed("read"))
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held left no half-done transaction: SQLite rolled it back.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn file_size_bytes(&self) -> u64 {
        let path = self.path.as_deref();
        path.and_then(size_bytes).unwrap_or(0)
    }
}

/// Returns the bytes of a file with its journal; `None` if there is none.
fn size_bytes(path: &Path) -> Option<u64> {
    let size = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(name).ok().map(|metadata| metadata.len())
    };
    let journal = ["-wal", "-shm"].into_iter().filter_map(size);
    Some(size("")? + journal.sum::<u64>())
}

fn compact(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
        .map_err(failed("compact"))
}

#[cfg(test)]
mod tests {
    use cleanbill_core::Digest;
    use cleanbill_core::inventory::{PackagesByPath, PathKind, PathSet};
    use cleanbill_core::package::Package;

    use super::*;

    fn key(name: &str) -> LayerKey {
        LayerKey {
            diff_id: DiffId(Digest::of(name.as_bytes())),
            variant: String::new(),
        }
    }

    fn inventory(name: &str) -> LayerInventory {
        LayerInventory {
            size_bytes: Some(1024),
            package_databases: PackagesByPath::new(
                [("lib/apk/db/installed", 1)],
                vec![Package {
                    name: name.to_owned(),
                    ..Package::default()
                }],
            ),
            paths: PathSet::from_keys(vec![PathSet::key("lib", PathKind::Directory)]),
            ..LayerInventory::default()
        }
    }

    #[test]
    fn what_was_put_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let cache = LayerCache::open(directory.path(), 1).unwrap();
        assert_eq!(cache.layer_get(&key("a"), 0).unwrap(), None);
        cache.layer_put(&key("a"), &inventory("a"), 0).unwrap();
        cache.layer_put(&key("a"), &inventory("b"), 0).unwrap();
        assert_eq!(cache.layer_get(&key("a"), 0).unwrap(), Some(inventory("b")));
        drop(cache);
        let other_version = LayerCache::open(directory.path(), 2).unwrap();
        assert_eq!(other_version.layer_get(&key("a"), 0).unwrap(), None);
        assert_eq!(other_version.info().unwrap().layers_of_other_versions, 1);
    }

    #[test]
    fn pruning_keeps_what_was_used_last() {
        let cache = LayerCache::in_memory(1).unwrap();
        for (name, now) in [("a", 100), ("b", 200), ("c", 300)] {
            cache.layer_put(&key(name), &inventory(name), now).unwrap();
        }
        let size = cache.info().unwrap().inventory_size_bytes / 3;
        let outcome = cache.prune(Some(150), Some(size + size / 2)).unwrap();
        assert_eq!(
            outcome,
            PruneOutcome {
                removed: 2,
                kept: 1
            }
        );
        assert!(cache.layer_get(&key("c"), 0).unwrap().is_some());
        assert_eq!(
            cache.clear().unwrap(),
            PruneOutcome {
                removed: 1,
                kept: 0
            }
        );
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LayerCache::FILE_NAME);
        std::fs::write(&path, vec![b'x'; 8192]).unwrap();
        let cache = LayerCache::open(directory.path(), 1).unwrap();
        cache.layer_put(&key("a"), &inventory("a"), 0).unwrap();
        assert!(directory.path().join("layers.sqlite.corrupt").exists());
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LayerCache::FILE_NAME);
        Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        let error = LayerCache::open(directory.path(), 1).unwrap_err();
        assert!(matches!(
            error,
            StoreError::NewerSchema {
                found: 99,
                known: 3,
                ..
            }
        ));
    }

    #[test]
    fn a_row_that_makes_no_sense_counts_as_absent() {
        let cache = LayerCache::in_memory(1).unwrap();
        cache.layer_put(&key("a"), &inventory("a"), 0).unwrap();
        cache
            .connection()
            .execute("UPDATE layer_inventories SET inventory = x'00'", [])
            .unwrap();
        assert_eq!(cache.layer_get(&key("a"), 0).unwrap(), None);
    }

    #[test]
    fn two_connections_share_one_file() {
        let directory = tempfile::tempdir().unwrap();
        let caches: Vec<_> = (0..4)
            .map(|_| LayerCache::open(directory.path(), 1).unwrap())
            .collect();
        std::thread::scope(|scope| {
            for (number, cache) in caches.iter().enumerate() {
                scope.spawn(move || {
                    for layer in 0..25 {
                        let name = format!("{number}-{layer}");
                        cache.layer_put(&key(&name), &inventory(&name), 0).unwrap();
                    }
                });
            }
        });
        assert_eq!(caches[0].info().unwrap().layers, 100);
    }
}
