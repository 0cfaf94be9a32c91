//! Files of the host that the user names.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use cleanbill_core::Limits;
use cleanbill_core::layer::LayerError;
use rustix::fs::OFlags;

use crate::ImageError;

/// Opens a regular file and returns its size too. Anything else (a FIFO, a device) is refused and
/// does not make us wait.
///
/// # Errors
///
/// It is not there, cannot be read, or is no regular file.
pub(crate) fn open_regular(path: &Path) -> Result<(File, u64), ImageError> {
    let failed = |source| ImageError::Read {
        what: path.display().to_string(),
        source,
    };
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(ImageError::Unsupported {
            what: path.display().to_string(),
            reason: "it is no regular file".to_owned(),
        });
    }
    Ok((file, metadata.len()))
}

/// A bound on the size of a file, with the name that errors give it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// The field of [`Limits`], or what is bounded.
    pub(crate) name: &'static str,
    /// Bytes.
    pub(crate) max: u64,
}

/// The bound of files with settings of the host's.
pub(crate) const SETTINGS_BOUND: Bound = Bound {
    name: "settings_size_bytes_max",
    max: 1 << 20,
};

impl Bound {
    /// Returns the bound of manifests, configurations and indexes.
    pub(crate) fn of_document(limits: &Limits) -> Self {
        Self {
            name: "manifest_size_bytes_max",
            max: limits.manifest_size_bytes_max,
        }
    }

    /// Returns the bound of the lists in which engines keep what they have.
    pub(crate) fn of_engine_metadata(limits: &Limits) -> Self {
        Self {
            name: "engine_metadata_size_bytes_max",
            max: limits.engine_metadata_size_bytes_max,
        }
    }
}

/// Reads a document whose size is bounded.
///
/// # Errors
///
/// As [`open_regular`], or it is larger.
pub(crate) fn read_document(path: &Path, bound: Bound) -> Result<Vec<u8>, ImageError> {
    let (file, _) = open_regular(path)?;
    read_bounded(file, &path.display().to_string(), bound)
}

/// Reads all there is, if it is no more than the bound allows.
///
/// # Errors
///
/// Reading failed, or there is more.
pub(crate) fn read_bounded(
    reader: impl Read,
    what: &str,
    bound: Bound,
) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    reader
        .take(bound.max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| ImageError::Read {
            what: what.to_owned(),
            source,
        })?;
    if bytes.len() as u64 > bound.max {
        return Err(LayerError::exceeded(what, bound.name, bound.max).into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_limit_that_applied() {
        let bound = Bound {
            name: "engine_metadata_size_bytes_max",
            max: 3,
        };
        assert_eq!(
            read_bounded(&b"abc"[..], "the list", bound).unwrap(),
            b"abc"
        );
        let error = read_bounded(&b"abcd"[..], "the list", bound).unwrap_err();
        let expected = "the list exceeds the limit engine_metadata_size_bytes_max = 3";
        assert_eq!(error.to_string(), expected);
    }
}
