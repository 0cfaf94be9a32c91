//! Why the cache could not be used.

use std::path::PathBuf;

/// Says what was attempted with the cache and failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory could not be made or written.
    #[error("cannot use the cache directory {path}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file was written by a newer version.
    #[error(
        "the cache {path} was written by a newer version (schema {found}, known {known}): \
         use that version, or another --cache-dir"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this version knows.
        known: i64,
    },
    /// SQLite failed.
    #[error("cannot {operation} the layer cache")]
    Sqlite {
        /// What was attempted.
        operation: &'static str,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// An inventory could not be encoded.
    #[error("cannot encode the inventory of layer {diff_id}")]
    Encode {
        /// The layer.
        diff_id: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}
