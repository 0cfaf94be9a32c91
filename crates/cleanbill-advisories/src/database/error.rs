//! Why a database cannot be opened, or a look-up in it fails.

use std::io;
use std::path::PathBuf;

use super::{MetadataError, SCHEMA_VERSION, text};
use crate::boltdb::BoltError;

/// Says why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none: `trivy.db` or `metadata.json` is missing.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The missing file.
        path: PathBuf,
    },
    /// A file of it cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `metadata.json` is damaged.
    #[error("cannot understand {}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Why.
        source: MetadataError,
    },
    /// The database is made for newer programs.
    #[error("the database has schema version {found}, newer than {SCHEMA_VERSION}, which is known")]
    SchemaTooNew {
        /// Its schema version.
        found: i64,
    },
    /// The database is made for older programs.
    #[error(
        "the database has schema version {found}, older than {SCHEMA_VERSION}, which is needed"
    )]
    SchemaTooOld {
        /// Its schema version.
        found: i64,
    },
    /// `trivy.db` is damaged.
    #[error("{} is damaged", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// How.
        source: BoltError,
    },
}

impl OpenError {
    pub(super) fn from_io(path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => OpenError::Missing { path },
            _ => OpenError::Unreadable { path, source },
        }
    }
}

/// Says why a look-up failed. Nothing may be concluded about the package then.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// A page is damaged.
    #[error("the advisory database is damaged in bucket '{bucket}'")]
    Damaged {
        /// The bucket that was looked into, or the prefix of several.
        bucket: String,
        /// How.
        source: BoltError,
    },
    /// A value is not what it should be.
    #[error(
        "the advisory database holds an unreadable value in bucket '{bucket}', package '{package}', key '{key}'"
    )]
    Value {
        /// The top-level bucket.
        bucket: String,
        /// The package; empty in buckets that have none.
        package: String,
        /// The key.
        key: String,
        /// Why it cannot be read.
        source: serde_json::Error,
    },
    /// A package or a vulnerability has more data than any real one.
    #[error("the advisory database holds too much about '{package}' in bucket '{bucket}'")]
    TooLarge {
        /// The top-level bucket.
        bucket: String,
        /// The package, or the vulnerability.
        package: String,
    },
}

impl LookupError {
    /// Wraps what is wrong with a page in the bucket that was looked into.
    pub(super) fn damaged(bucket: &[u8]) -> impl Fn(BoltError) -> Self {
        move |source| LookupError::Damaged {
            bucket: text(bucket),
            source,
        }
    }
}
