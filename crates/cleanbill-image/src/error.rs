//! Why an image could not be opened.

use std::io;

use cleanbill_core::layer::LayerError;

/// Says why an image could not be opened. Each variant names what was attempted and where.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The source answers, but has no such image, tag, platform or layer.
    #[error("{what} not found in {place}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// Where.
        place: String,
    },
    /// The source asks for other credentials or permissions.
    #[error("access to {place} denied: {reason}")]
    Unauthorized {
        /// Where.
        place: String,
        /// What the source says, or what is missing.
        reason: String,
    },
    /// The source cannot be reached.
    #[error("cannot reach {place}: {reason}")]
    Unavailable {
        /// Where.
        place: String,
        /// Why.
        reason: String,
    },
    /// No connection may be opened.
    #[error("cannot reach {place}: connections are not permitted (--offline)")]
    Offline {
        /// Who would have been asked.
        place: String,
    },
    /// A file of the host's could not be read.
    #[error("cannot read {what}")]
    Read {
        /// The file.
        what: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A manifest, configuration or archive makes no sense.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// What was being read.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// The image is of a kind that is not supported.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// The image or its part.
        what: String,
        /// Why.
        reason: String,
    },
    /// Content could not be read, is not what its name says, or exceeds a limit.
    #[error(transparent)]
    Layer(#[from] LayerError),
}
