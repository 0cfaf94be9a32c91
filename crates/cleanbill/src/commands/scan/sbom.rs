//! SBOMs given by `--sbom`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use cleanbill_inventory::{MergeOptions, SbomDocument, SbomReadError, read_sbom};

/// Says why an SBOM could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SbomFailure {
    /// The file is missing or unreadable: the call is wrong.
    #[error("cannot read {name}")]
    Read {
        name: String,
        #[source]
        source: io::Error,
    },
    /// The file is larger than anything that is read whole.
    #[error("{name} has more than {max} bytes (file_size_bytes_max)")]
    TooLarge { name: String, max: u64 },
    /// The file is no SBOM, or a broken one.
    #[error("{name} cannot be read as an SBOM")]
    Malformed {
        name: String,
        #[source]
        source: SbomReadError,
    },
}

impl SbomFailure {
    /// Says whether the call is wrong, not the document.
    pub(super) fn is_usage(&self) -> bool {
        matches!(self, Self::Read { .. })
    }
}

/// Reads a document.
///
/// # Errors
///
/// See [`SbomFailure`].
pub(super) fn open(path: &Path, options: &MergeOptions) -> Result<SbomDocument, SbomFailure> {
    let name = path.display().to_string();
    let max = options.limits.file_size_bytes_max;
    let bytes = match read(path, max) {
        Ok(bytes) if bytes.len() as u64 > max => {
            return Err(SbomFailure::TooLarge { name, max });
        }
        Ok(bytes) => bytes,
        Err(source) => return Err(SbomFailure::Read { name, source }),
    };
    read_sbom(&bytes, options).map_err(|source| SbomFailure::Malformed { name, source })
}

fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
