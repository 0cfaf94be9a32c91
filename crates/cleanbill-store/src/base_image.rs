//! Names of images with the chains of their layers: what may be the base of another image.

#[cfg(test)]
mod tests;

use cleanbill_core::base_image::NamedChain;
use cleanbill_core::{DiffId, Digest, ImageReference};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, TransactionBehavior, params};

use crate::sqlite::failed;
use crate::{LayerCache, StoreError};

/// Chains that are kept of images that were seen: the longest unseen go first. A chain of ten layers
/// takes about 700 bytes.
const SEEN_MAX: u32 = 5_000;

/// How stale the time of last sight may be before a further sight refreshes it: scans of known
/// images do not write.
const SEEN_RESOLUTION_SECONDS: i64 = 24 * 60 * 60;

/// Numbers between the entries of imports of two seconds: more than a list has.
const ENTRIES_PER_SECOND: i64 = 1 << 20;

const COLUMNS: &str = "reference, image_id, diff_ids, is_imported, is_claimed, seen_at";

/// Who says that an image goes by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// An engine, a store or a registry, which was asked for it.
    Source,
    /// An archive or layout: whoever made the file. It may say anything.
    Archive,
}

/// A named chain with when and whence it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownChain {
    /// The name and the layers.
    pub chain: NamedChain,
    /// It came from a list, not from an image that was seen.
    pub is_imported: bool,
    /// Only archives and layouts have the name for it.
    pub is_claimed: bool,
    /// When the name was last seen with these layers, in Unix seconds. Of one that was imported and
    /// never seen, a number before all times; that of a later entry is greater.
    pub seen_at: i64,
}

impl LayerCache {
    /// Remembers an image that was seen under a name. `now` is in Unix seconds. Says whether it was
    /// not known before. What is known is not written again on the same day, and what an archive
    /// claims changes nothing about what is known from elsewhere.
    ///
    /// # Errors
    ///
    /// SQLite failed (disk full, read-only file).
    pub fn chain_put(
        &self,
        chain: &NamedChain,
        named_by: NamedBy,
        now: i64,
    ) -> Result<bool, StoreError> {
        let Some(chain_id) = chain.chain_id() else {
            return Ok(false);
        };
        let reference = chain.reference.to_string();
        let connection = self.connection();
        let is_claimed = named_by == NamedBy::Archive;
        let image_id = chain.image_id.as_ref().map(Digest::as_bytes);
        let sights = select(
            &connection,
            SIGHTS,
            &[&reference, &chain_id.as_bytes(), &image_id, &is_claimed],
            Sight::decode,
        )?;
        let own = sights.iter().find(|sight| sight.is_of_chain);
        let other = sights.iter().find(|sight| !sight.is_of_chain);
        if own.is_some_and(|own| is_claimed && !own.is_claimed) {
            return Ok(false);
        }
        let is_noted = own.is_some_and(|own| {
            own.is_claimed == is_claimed
                // A build can change the configuration and no layer.
                && own.is_of_image
                && now.saturating_sub(own.seen_at) <= SEEN_RESOLUTION_SECONDS
                // When the name has moved away and back, it must be the newest again.
                && other.is_none_or(|other| own.seen_at > other.seen_at)
        });
        if !is_noted {
            let origin = match named_by {
                NamedBy::Source => Origin::Seen,
                NamedBy::Archive => Origin::Claimed,
            };
            insert(&connection, chain, chain_id, origin, now)?;
        }
        if own.is_none() {
            forget_oldest(&connection)?;
        }
        Ok(own.is_none())
    }

    /// Adds imported chains, all of them or none. Returns how many were not known as such.
    ///
    /// What a list says of a name counts less than what was seen; a later entry, more than one
    /// before it.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn chains_import(&self, chains: &[NamedChain], now: i64) -> Result<u64, StoreError> {
        let mut connection = self.connection();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed("write"))?;
        let count = |connection: &Connection| -> Result<i64, StoreError> {
            let sql = "SELECT count(*) FROM named_chains WHERE is_imported = 1";
            connection
                .query_row(sql, [], |row| row.get(0))
                .map_err(failed("read"))
        };
        let before = count(&transaction)?;
        let first = i64::MIN.saturating_add(now.saturating_mul(ENTRIES_PER_SECOND));
        for (rank, chain) in (first..).zip(chains) {
            if let Some(chain_id) = chain.chain_id() {
                insert(&transaction, chain, chain_id, Origin::Imported, rank)?;
            }
        }
        let after = count(&transaction)?;
        transaction.commit().map_err(failed("write"))?;
        Ok(after.saturating_sub(before).unsigned_abs())
    }

    /// Returns the wanted images whose whole chain is the longest of those given by their chain
    /// ids, the shortest first. Empty if none is known.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn chains_longest(
        &self,
        chain_ids: &[Digest],
        is_wanted: impl Fn(&KnownChain) -> bool,
    ) -> Result<Vec<KnownChain>, StoreError> {
        let connection = self.connection();
        for chain_id in chain_ids.iter().rev() {
            let sql = format!("SELECT {COLUMNS} FROM named_chains WHERE chain_id = ?1 ORDER BY id");
            let mut found = known(&connection, &sql, &[&chain_id.as_bytes()])?;
            found.retain(&is_wanted);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    /// Returns every chain that a name was seen with, the newest first.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn chains_named(&self, reference: &ImageReference) -> Result<Vec<KnownChain>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM named_chains WHERE reference = ?1 ORDER BY seen_at DESC, id DESC"
        );
        known(&self.connection(), &sql, &[&reference.to_string()])
    }

    /// Returns what each name of a repository means now: the chain that it was last seen with.
    /// Sorted, the newest first. What archives claim is left out: whoever makes one could lend any
    /// image the name of another.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn chains_of_repository(
        &self,
        reference: &ImageReference,
    ) -> Result<Vec<KnownChain>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM named_chains AS one
             WHERE repository = ?1 AND NOT is_claimed AND NOT EXISTS (
                 SELECT 1 FROM named_chains AS other WHERE other.reference = one.reference
                 AND NOT other.is_claimed AND (other.seen_at, other.id) > (one.seen_at, one.id))
             ORDER BY seen_at DESC, reference"
        );
        known(&self.connection(), &sql, &[&reference.context()])
    }

    /// Returns the chain of an image by its id, under any of its names.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn chain_of_image(&self, image_id: &Digest) -> Result<Option<KnownChain>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM named_chains WHERE image_id = ?1 LIMIT 1");
        let found = known(&self.connection(), &sql, &[&image_id.as_bytes()])?;
        Ok(found.into_iter().next())
    }

    /// Lists every chain, by name, then the newest first.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn chains(&self) -> Result<Vec<KnownChain>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM named_chains ORDER BY reference, seen_at DESC, chain_id"
        );
        known(&self.connection(), &sql, &[])
    }

    /// Forgets a name with all its chains. Returns how many there were.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn chains_remove(&self, reference: &ImageReference) -> Result<u64, StoreError> {
        let removed = self
            .connection()
            .execute(
                "DELETE FROM named_chains WHERE reference = ?1",
                params![reference.to_string()],
            )
            .map_err(failed("write"))?;
        Ok(removed as u64)
    }
}

/// Selects when a name was seen with a chain, and when with the newest other one: [`Sight`].
const SIGHTS: &str = "\
    SELECT chain_id = ?2, ?3 IS NULL OR image_id IS ?3, is_claimed, seen_at FROM named_chains \
    WHERE reference = ?1 AND (is_claimed = ?4 OR chain_id = ?2) \
    ORDER BY chain_id = ?2 DESC, seen_at DESC LIMIT 2";

/// Is what is known of a name with one chain.
struct Sight {
    /// The chain is the one that was asked for.
    is_of_chain: bool,
    /// The image is the one that was asked for, if one was.
    is_of_image: bool,
    is_claimed: bool,
    seen_at: i64,
}

impl Sight {
    fn decode(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            is_of_chain: row.get(0)?,
            is_of_image: row.get(1)?,
            is_claimed: row.get(2)?,
            seen_at: row.get(3)?,
        })
    }
}

/// Where a row comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Seen,
    Claimed,
    Imported,
}

/// Inserts a chain, or notes that it was seen again. What was imported stays so; an import does not
/// replace the id of an image that was seen.
fn insert(
    connection: &Connection,
    chain: &NamedChain,
    chain_id: Digest,
    origin: Origin,
    seen_at: i64,
) -> Result<(), StoreError> {
    let diff_ids: Vec<u8> = chain
        .diff_ids
        .iter()
        .flat_map(|diff_id| *diff_id.0.as_bytes())
        .collect();
    connection
        .prepare_cached(
            "INSERT INTO named_chains
             (reference, repository, chain_id, diff_ids, image_id, is_imported, is_claimed, seen_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (reference, chain_id) DO UPDATE SET
             image_id = CASE WHEN excluded.is_imported AND seen_at >= 0
                 THEN coalesce(image_id, excluded.image_id)
                 ELSE coalesce(excluded.image_id, image_id) END,
             is_imported = max(is_imported, excluded.is_imported),
             is_claimed = min(is_claimed, excluded.is_claimed),
             seen_at = max(seen_at, excluded.seen_at)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                chain.reference.to_string(),
                chain.reference.context(),
                chain_id.as_bytes(),
                diff_ids,
                chain.image_id.as_ref().map(Digest::as_bytes),
                origin == Origin::Imported,
                origin == Origin::Claimed,
                seen_at,
            ])
        })
        .map_err(failed("write"))?;
    Ok(())
}

/// Makes room: the images that were not seen for longest go.
fn forget_oldest(connection: &Connection) -> Result<(), StoreError> {
    let oldest_kept: Option<i64> = connection
        .query_row(
            "SELECT seen_at FROM named_chains WHERE is_imported = 0
             ORDER BY seen_at DESC LIMIT 1 OFFSET ?1",
            params![SEEN_MAX],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed("read"))?;
    if oldest_kept.is_none() {
        return Ok(());
    }
    connection
        .execute(
            "DELETE FROM named_chains WHERE is_imported = 0 AND id NOT IN (
                 SELECT id FROM named_chains WHERE is_imported = 0
                 ORDER BY seen_at DESC, id DESC LIMIT ?1)",
            params![SEEN_MAX],
        )
        .map_err(failed("write"))?;
    Ok(())
}

/// Reads rows; those that make no sense count as absent.
fn known(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
) -> Result<Vec<KnownChain>, StoreError> {
    let rows = select(connection, sql, parameters, decode)?;
    Ok(rows.into_iter().flatten().collect())
}

fn select<T>(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            let rows = statement.query_map(parameters, |row| read(row))?;
            rows.collect()
        })
        .map_err(failed("read"))
}

fn decode(row: &Row<'_>) -> rusqlite::Result<Option<KnownChain>> {
    let reference: String = row.get(0)?;
    let image_id: Option<[u8; 32]> = row.get(1)?;
    let diff_ids: Vec<u8> = row.get(2)?;
    let (diff_ids, rest) = diff_ids.as_chunks::<32>();
    let (Ok(reference), []) = (reference.parse(), rest) else {
        return Ok(None);
    };
    Ok(Some(KnownChain {
        chain: NamedChain {
            reference,
            image_id: image_id.map(Digest::from_bytes),
            diff_ids: diff_ids
                .iter()
                .map(|bytes| DiffId(Digest::from_bytes(*bytes)))
                .collect(),
        },
        is_imported: row.get(3)?,
        is_claimed: row.get(4)?,
        seen_at: row.get(5)?,
    }))
}
