//! Why the advisory database could not be replaced or written out.

use std::io;
use std::path::PathBuf;

use cleanbill_advisories::{LookupError, MetadataError, OpenError};
use cleanbill_core::layer::LayerError;
use cleanbill_store::JavaIndexError;

/// Says why the advisory database could not be replaced or written out.
#[derive(Debug, thiserror::Error)]
pub enum AdvisoryStoreError {
    /// A file or directory could not be used.
    #[error("cannot {operation} {}", path.display())]
    File {
        /// What was attempted.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The archive is broken.
    #[error("cannot read the archive")]
    Archive(#[source] LayerError),
    /// The archive holds something else.
    #[error("the archive holds no {0} at its root")]
    MemberMissing(&'static str),
    /// `metadata.json` is damaged.
    #[error("the new database has an unreadable metadata.json")]
    Metadata(#[source] MetadataError),
    /// The database opens, but holds nothing.
    #[error("the new advisory database holds no advisories")]
    Empty,
    /// The database opens, but cannot be read.
    #[error("the new advisory database cannot be read")]
    Unreadable(#[from] LookupError),
    /// What came cannot be used as a database.
    #[error("the advisory database cannot be used")]
    Unusable(#[from] OpenError),
    /// What came cannot be used as a Java index.
    #[error("the Java index cannot be used")]
    UnusableJavaIndex(#[from] JavaIndexError),
    /// The archive could not be written.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
}
