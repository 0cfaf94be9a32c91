//! Files of the host that the user names.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

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

/// Reads a document of at most `size_bytes_max` bytes.
///
/// # Errors
///
/// As [`open_regular`], or it is larger.
pub(crate) fn read_document(path: &Path, size_bytes_max: u64) -> Result<Vec<u8>, ImageError> {
    let (file, _) = open_regular(path)?;
    read_bounded(file, &path.display().to_string(), size_bytes_max)
}

/// Reads all there is, if it is no more than `size_bytes_max` bytes.
///
/// # Errors
///
/// Reading failed, or there is more.
pub(crate) fn read_bounded(
    reader: impl Read,
    what: &str,
    size_bytes_max: u64,
) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    reader
        .take(size_bytes_max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| ImageError::Read {
            what: what.to_owned(),
            source,
        })?;
    if bytes.len() as u64 > size_bytes_max {
        return Err(ImageError::LimitExceeded {
            what: what.to_owned(),
            limit: format!("manifest_size_bytes_max = {size_bytes_max}"),
        });
    }
    Ok(bytes)
}
