//! Why an archive could not be read.

use std::io;

/// Says why an archive could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    /// The bytes could not be had.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// The bytes make no sense.
    #[error("{0}")]
    Malformed(String),
    /// A bound was exceeded.
    #[error("{0}")]
    LimitExceeded(String),
    /// An entry shares bytes with another one that was read.
    #[error("an entry lies in another one, as in an archive that is made to exhaust its readers")]
    Overlapping,
}

impl ArchiveError {
    pub(super) fn malformed(reason: &str) -> Self {
        Self::Malformed(reason.to_owned())
    }
}

/// Carries an exceeded bound through `Read`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Exceeded(pub(super) String);

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        if let Some(Exceeded(message)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Self::LimitExceeded(message.clone());
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::malformed("the archive ends too early"),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::Malformed(error.to_string())
            }
            _ => Self::Read(error),
        }
    }
}
