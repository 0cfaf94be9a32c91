//! Why an SBOM cannot be read.

use crate::json::JsonError;
use crate::xml::XmlError;

/// Says why a document gives no packages.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SbomError {
    /// The document is of no known format.
    #[error("it is no SBOM of a known format")]
    UnknownFormat,
    /// The document is of a format that is not read.
    #[error("{format} is not supported")]
    UnsupportedFormat {
        /// The format, with its version.
        format: String,
    },
    /// The document is in the form of CycloneDX that is not read in images.
    #[error("CycloneDX XML is not supported")]
    UnsupportedXml,
    /// The document ends where it cannot: who knows what it listed.
    #[error("line {line}: the document is cut")]
    Cut {
        /// The last line, counted from 1.
        line: u64,
    },
    /// The document's text is malformed.
    #[error("{format} is malformed")]
    Json {
        /// The format.
        format: &'static str,
        /// The cause.
        #[source]
        source: JsonError,
    },
    /// The document's text is malformed XML.
    #[error("CycloneDX is malformed")]
    Xml(#[from] XmlError),
    /// The document contradicts its format.
    #[error("{what}: {reason}")]
    Malformed {
        /// Where.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// The signed envelope around the document is malformed.
    #[error("the attestation is malformed: {reason}")]
    Attestation {
        /// What is wrong.
        reason: String,
    },
    /// A package URL is malformed where that spoils the document.
    #[error("package '{name}'")]
    PackageUrl {
        /// The package.
        name: String,
        /// The cause.
        #[source]
        source: cleanbill_core::purl::PackageUrlError,
    },
    /// The document has more lines than is reasonable.
    #[error("SPDX of more than {max} lines")]
    TooManyLines {
        /// The limit.
        max: u64,
    },
    /// The document has more components, files or relationships than is reasonable.
    #[error("more than {max} components, files or relationships (sbom_elements_max)")]
    TooManyElements {
        /// The limit.
        max: u64,
    },
    /// Something in a document that is read line by line is too large.
    #[error("more than {max} bytes of {what} (document_part_size_bytes_max)")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// Packages of several package managers stand beside each other.
    #[error("it lists packages of several package managers: {kinds}")]
    SeveralOsTypes {
        /// The types of their URLs.
        kinds: String,
    },
}

impl SbomError {
    /// Names the format whose text is malformed.
    pub(super) fn in_format(self, format: &'static str) -> Self {
        match self {
            Self::Json { source, .. } => Self::Json { format, source },
            other => other,
        }
    }

    /// Says whether a limit was exceeded, as opposed to the document being wrong.
    pub(super) fn is_limit(&self) -> bool {
        match self {
            Self::Json { source, .. } => source.is_limit(),
            Self::TooManyLines { .. } | Self::TooManyElements { .. } | Self::TooLarge { .. } => {
                true
            }
            _ => false,
        }
    }
}

impl From<JsonError> for SbomError {
    fn from(source: JsonError) -> Self {
        Self::Json {
            format: "JSON",
            source,
        }
    }
}
