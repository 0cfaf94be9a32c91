//! Look-ups in the advisory database.

mod error;
mod json;
mod kept;
mod metadata;
mod prepared;
mod rows;
mod statistics;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cleanbill_core::vulnerability::{DataSource, VulnerabilityDetails};

use crate::advisory::Advisory;
use crate::boltdb::{BoltDb, BoltError, Bucket, Content};
use crate::details::tidied;
use crate::matchers::{LanguageRow, Shelf};
use crate::mmap::MappedFile;

pub use error::{LookupError, OpenError};
pub use metadata::{Metadata, MetadataError};
pub use prepared::{PreparedRows, RowForm};
pub use statistics::Statistics;

use kept::Kept;
use rows::{ROWS_SIZE_BYTES_MAX, Row, Rows};

/// The file name of the database.
pub const DATABASE_FILE: &str = "trivy.db";
/// The file name of what describes it.
pub const METADATA_FILE: &str = "metadata.json";
/// The version of the schema that this reader knows.
pub const SCHEMA_VERSION: i64 = 2;

/// Bytes of `metadata.json` that are read; it has 150.
const METADATA_SIZE_BYTES_MAX: u64 = 1 << 20;

const DATA_SOURCE_BUCKET: &str = "data-source";
const VULNERABILITY_BUCKET: &str = "vulnerability";
const CPE_BUCKET: &str = "Red Hat CPE";

/// Is an opened advisory database. Clones share it; look-ups may run in any number of threads.
///
/// Source: spec 01 sections 3 to 5.
#[derive(Clone, Debug)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: BoltDb<Bytes>,
    metadata: Metadata,
    /// Origins by bucket, read once each: hundreds of advisories share one.
    origins: Mutex<HashMap<Vec<u8>, Origin>>,
    /// What was looked up for packages of distributions, by bucket and name.
    os_rows: Mutex<Kept<(RowForm, PreparedRows)>>,
    /// What was looked up for language packages, by the prefix of buckets and name.
    language_rows: Mutex<Kept<Arc<[LanguageRow]>>>,
    /// Records that were looked up, by id.
    details: Mutex<Kept<Option<Arc<VulnerabilityDetails>>>>,
}

/// Rows for packages of distributions that are kept, a package without any counted as one: about
/// 24 MiB. An image has a few thousand, images of one release nearly the same.
const OS_ROWS_MAX: usize = 50_000;

/// Rows for language packages that are kept, about 40 MiB: those of the packages that most images
/// have.
const LANGUAGE_ROWS_MAX: usize = 50_000;

/// Records that are kept, about 32 MiB.
const DETAILS_MAX: usize = 8_192;

/// Says where advisories are from.
#[derive(Clone, Debug)]
struct Origin {
    bucket: Arc<str>,
    data_source: Option<Arc<DataSource>>,
}

enum Bytes {
    Mapped(MappedFile),
    Owned(Vec<u8>),
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.as_ref().len())
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(file) => file.as_ref(),
            Bytes::Owned(bytes) => bytes,
        }
    }
}

/// Says by what the CPEs of a Red Hat package are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpeKey {
    /// A content set, `rhel-8-for-x86_64-baseos-rpms`.
    Repository,
    /// Name, version, release and architecture of an image, `ubi8-container-8.0-7-x86_64`.
    Nvr,
}

impl Database {
    /// Opens the database in a directory that holds `trivy.db` and `metadata.json`. Takes the same
    /// time whatever its size: the file is mapped, and pages are checked as they are visited.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let metadata_path = directory.join(METADATA_FILE);
        let metadata = read_metadata(&metadata_path)
            .map_err(|source| OpenError::from_io(metadata_path.clone(), source))?;
        let metadata = checked_metadata(&metadata_path, &metadata)?;
        let path = directory.join(DATABASE_FILE);
        let file =
            MappedFile::open(&path).map_err(|source| OpenError::from_io(path.clone(), source))?;
        Self::from_parts(&path, Bytes::Mapped(file), metadata)
    }

    /// Opens a database that lies in memory, given the bytes of both files.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; the paths in it are the bare file names.
    pub fn open_bytes(database: Vec<u8>, metadata: &[u8]) -> Result<Self, OpenError> {
        let metadata = checked_metadata(Path::new(METADATA_FILE), metadata)?;
        Self::from_parts(Path::new(DATABASE_FILE), Bytes::Owned(database), metadata)
    }

    fn from_parts(path: &Path, bytes: Bytes, metadata: Metadata) -> Result<Self, OpenError> {
        let file = BoltDb::open(bytes).map_err(|source| OpenError::Corrupt {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self(Arc::new(Inner {
            file,
            metadata,
            origins: Mutex::default(),
            os_rows: Mutex::new(Kept::new(OS_ROWS_MAX)),
            language_rows: Mutex::new(Kept::new(LANGUAGE_ROWS_MAX)),
            details: Mutex::new(Kept::new(DETAILS_MAX)),
        })))
    }

    /// Returns what `metadata.json` says.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// Says whether there is a top-level bucket of this name.
    ///
    /// # Errors
    ///
    /// A damaged page.
    pub fn has_bucket(&self, name: &str) -> Result<bool, LookupError> {
        let bucket = self.top_level(name.as_bytes());
        bucket
            .map(|bucket| bucket.is_some())
            .map_err(LookupError::damaged(name.as_bytes()))
    }

    /// Returns the advisories of a package in exactly this bucket, in the byte order of their keys.
    /// An absent bucket or package has none.
    ///
    /// # Errors
    ///
    /// A damaged page, or a value that is not an advisory: nothing is skipped silently.
    pub fn advisories(&self, bucket: &str, package: &str) -> Result<Vec<Advisory>, LookupError> {
        let mut rows = Rows::new(package);
        let top_level = self
            .top_level(bucket.as_bytes())
            .map_err(LookupError::damaged(bucket.as_bytes()))?;
        if let Some(top_level) = top_level {
            rows.add_bucket(bucket.as_bytes(), &top_level)?;
        }
        self.read_rows(rows)
    }

    /// Returns the advisories of a package in all buckets whose names start with `prefix`, such as
    /// `npm::`, in the byte order of their keys. Of the rows with one key that of the last bucket
    /// counts, with its data source.
    ///
    /// # Errors
    ///
    /// A damaged page, or a value that is not an advisory.
    pub fn ecosystem_advisories(
        &self,
        prefix: &str,
        package: &str,
    ) -> Result<Vec<Advisory>, LookupError> {
        let mut rows = Rows::new(package);
        for entry in self.0.file.root().entries_from(prefix.as_bytes()) {
            let entry = entry.map_err(LookupError::damaged(prefix.as_bytes()))?;
            if !entry.key.starts_with(prefix.as_bytes()) {
                break;
            }
            if let Content::Bucket(bucket) = entry.content {
                let bucket = bucket.map_err(LookupError::damaged(prefix.as_bytes()))?;
                rows.add_bucket(entry.key, &bucket)?;
            }
        }
        self.read_rows(rows)
    }

    /// Returns the advisories of a package on a shelf as [`Database::ecosystem_advisories`] does,
    /// with their ranges parsed. What was looked up before is not read again.
    ///
    /// # Errors
    ///
    /// A damaged page, or a value that is not an advisory.
    pub fn language_rows(
        &self,
        shelf: &Shelf,
        package: &str,
    ) -> Result<Arc<[LanguageRow]>, LookupError> {
        if let Some(rows) = lock(&self.0.language_rows).get(shelf.prefix, package) {
            return Ok(rows);
        }
        // Without the lock: others look up meanwhile.
        let advisories = self.ecosystem_advisories(shelf.prefix, package)?;
        let rows: Arc<[LanguageRow]> = advisories
            .into_iter()
            .map(|advisory| LanguageRow::new(advisory, shelf.scheme))
            .collect();
        let kept = Arc::clone(&rows);
        lock(&self.0.language_rows).insert(shelf.prefix, package, kept, rows.len());
        Ok(rows)
    }

    /// Returns what a matcher makes of the advisories of a package that [`Database::advisories`]
    /// returns. What was looked up before is not read or prepared again.
    ///
    /// # Errors
    ///
    /// A damaged page, or a value that is not an advisory.
    pub fn prepared_rows(
        &self,
        form: RowForm,
        bucket: &str,
        package: &str,
        prepare: &dyn Fn(Vec<Advisory>) -> PreparedRows,
    ) -> Result<PreparedRows, LookupError> {
        match lock(&self.0.os_rows).get(bucket, package) {
            Some((kept, rows)) if kept == form => return Ok(rows),
            _ => {}
        }
        let rows = prepare(self.advisories(bucket, package)?);
        let (kept, cost) = ((form, rows.clone()), rows.count());
        lock(&self.0.os_rows).insert(bucket, package, kept, cost);
        Ok(rows)
    }

    /// Returns the record of a vulnerability; many have none.
    ///
    /// # Errors
    ///
    /// A damaged page, or a value that is no such record.
    pub fn vulnerability(&self, id: &str) -> Result<Option<VulnerabilityDetails>, LookupError> {
        self.value(&[VULNERABILITY_BUCKET], id)
    }

    /// Returns the record of a vulnerability in the form that reports print. What was looked up
    /// before is not read again.
    ///
    /// # Errors
    ///
    /// A damaged page, or a value that is no such record.
    pub fn details(&self, id: &str) -> Result<Option<Arc<VulnerabilityDetails>>, LookupError> {
        if let Some(record) = lock(&self.0.details).get("", id) {
            return Ok(record);
        }
        let record = self.vulnerability(id)?;
        let record = record.map(|record| Arc::new(tidied(record)));
        lock(&self.0.details).insert("", id, record.clone(), 1);
        Ok(record)
    }

    /// Forgets what was looked up. It is kept only because the next image asks for much of it too, and
    /// takes up to about 96 MiB: whoever waits for hours needs none of it. Clones share it.
    pub fn forget_lookups(&self) {
        lock(&self.0.os_rows).clear();
        lock(&self.0.language_rows).clear();
        lock(&self.0.details).clear();
    }

    /// Returns the indices of the CPEs that a repository or an image stands for; none if the key is
    /// unknown.
    ///
    /// # Errors
    ///
    /// A damaged page, or a value that is not a list of integers.
    pub fn cpe_indices(&self, kind: CpeKey, key: &str) -> Result<Vec<i64>, LookupError> {
        let bucket = match kind {
            CpeKey::Repository => "repository",
            CpeKey::Nvr => "nvr",
        };
        let indices = self.value(&[CPE_BUCKET, bucket], key)?;
        Ok(indices.unwrap_or_default())
    }

    /// Counts the top-level buckets.
    ///
    /// # Errors
    ///
    /// A damaged page.
    pub fn statistics(&self) -> Result<Statistics, LookupError> {
        statistics::count(self.0.file.root())
    }

    fn top_level(&self, name: &[u8]) -> Result<Option<Bucket<'_>>, BoltError> {
        self.0.file.root().bucket(name)
    }

    /// Reads the value of a key in a nest of buckets. An empty value counts as absent.
    fn value<T: json::Lax>(&self, buckets: &[&str], key: &str) -> Result<Option<T>, LookupError> {
        let bucket = buckets.join("/");
        let value = self
            .raw_value(buckets, key)
            .map_err(LookupError::damaged(bucket.as_bytes()))?;
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        if value.len() > ROWS_SIZE_BYTES_MAX {
            return Err(LookupError::TooLarge {
                bucket,
                package: key.to_owned(),
            });
        }
        let parsed = json::parse(value).map_err(|source| LookupError::Value {
            bucket,
            package: String::new(),
            key: key.to_owned(),
            source,
        })?;
        Ok(Some(parsed))
    }

    fn raw_value(&self, buckets: &[&str], key: &str) -> Result<Option<&[u8]>, BoltError> {
        let mut bucket = self.0.file.root();
        for name in buckets {
            match bucket.bucket(name.as_bytes())? {
                Some(nested) => bucket = nested,
                None => return Ok(None),
            }
        }
        bucket.get(key.as_bytes())
    }

    fn read_rows(&self, rows: Rows<'_>) -> Result<Vec<Advisory>, LookupError> {
        let package = rows.package;
        rows.by_key
            .into_iter()
            .map(|(key, row)| self.read_row(package, key, row))
            .collect()
    }

    fn read_row(&self, package: &str, key: &[u8], row: Row<'_>) -> Result<Advisory, LookupError> {
        let mut advisory: Advisory =
            json::parse(row.value).map_err(|source| LookupError::Value {
                bucket: text(row.bucket),
                package: package.to_owned(),
                key: text(key),
                source,
            })?;
        advisory.vulnerability_id = text(key);
        let origin = self.origin(row.bucket)?;
        advisory.bucket = origin.bucket;
        advisory.data_source = origin.data_source;
        Ok(advisory)
    }

    fn origin(&self, bucket: &[u8]) -> Result<Origin, LookupError> {
        let mut cache = lock(&self.0.origins);
        if let Some(known) = cache.get(bucket) {
            return Ok(known.clone());
        }
        let origin = Origin {
            bucket: text(bucket).into(),
            data_source: self.read_data_source(bucket)?.map(Arc::new),
        };
        cache.insert(bucket.to_vec(), origin.clone());
        Ok(origin)
    }

    /// Reads the data source of a bucket. One that is empty or no data source counts as absent, as
    /// in trivy-db: what is found does not depend on it.
    fn read_data_source(&self, bucket: &[u8]) -> Result<Option<DataSource>, LookupError> {
        let value = self
            .top_level(DATA_SOURCE_BUCKET.as_bytes())
            .and_then(|sources| sources.map_or(Ok(None), |sources| sources.get(bucket)))
            .map_err(LookupError::damaged(DATA_SOURCE_BUCKET.as_bytes()))?;
        let Some(value) = value else {
            return Ok(None);
        };
        let source = json::parse::<DataSource>(value)
            .inspect_err(|error| {
                tracing::debug!(bucket = text(bucket), %error, "unreadable data source ignored");
            })
            .unwrap_or_default();
        Ok((source != DataSource::default()).then_some(source))
    }
}

/// A panic while the lock was held left a value that is only kept to save time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_metadata(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(METADATA_SIZE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn checked_metadata(path: &Path, bytes: &[u8]) -> Result<Metadata, OpenError> {
    let metadata = Metadata::parse(bytes).map_err(|source| OpenError::Metadata {
        path: path.to_path_buf(),
        source,
    })?;
    match metadata.version {
        SCHEMA_VERSION => Ok(metadata),
        found if found > SCHEMA_VERSION => Err(OpenError::SchemaTooNew { found }),
        found => Err(OpenError::SchemaTooOld { found }),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
