//! Why a package database of rpm cannot be read.

use super::header::HeaderError;

/// Says why a package database of rpm cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    /// The file ends before something that it refers to.
    #[error("{what} lies beyond the end of the file (byte {offset} of {size_bytes})")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where it should begin.
        offset: u64,
        /// Bytes of the file.
        size_bytes: u64,
    },
    /// The bytes contradict the format.
    #[error("{what}: {reason}")]
    Malformed {
        /// What was being read, with its place.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// A package's header cannot be read.
    #[error("header {ordinal}")]
    Header {
        /// The place of the header among all, counted from 1.
        ordinal: u64,
        /// The cause.
        #[source]
        source: HeaderError,
    },
    /// More packages than the limit allows.
    #[error("more than {max} packages (packages_per_layer_max)")]
    TooManyPackages {
        /// The limit.
        max: u64,
    },
    /// The packages depend on each other more than is reasonable.
    #[error("the dependencies of the packages take too much memory")]
    Dependencies {
        /// The cause.
        #[source]
        source: HeaderError,
    },
    /// SQLite gave some rows and then failed. What it gave counts, as for the reference reader.
    #[error("the table Packages cannot be read to its end")]
    Interrupted {
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// SQLite refused.
    #[error("cannot {action}")]
    Sqlite {
        /// What was attempted.
        action: &'static str,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
}

impl DatabaseError {
    /// Says whether a limit was exceeded, as opposed to the file being damaged.
    pub(super) fn is_limit(&self) -> bool {
        let too_large = |source: &HeaderError| matches!(source, HeaderError::TooLarge { .. });
        match self {
            Self::TooManyPackages { .. } => true,
            Self::Header { source, .. } | Self::Dependencies { source } => too_large(source),
            _ => false,
        }
    }

    /// Says whether the packages that were read before count nevertheless.
    pub(super) fn keeps_packages(&self) -> bool {
        matches!(self, Self::Interrupted { .. })
    }

    /// Builds a [`DatabaseError::Malformed`].
    pub(super) fn malformed(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed {
            what: what.into(),
            reason: reason.into(),
        }
    }
}
