//! Small files of the host.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a whole file of at most `size_bytes_max`.
///
/// # Errors
///
/// It cannot be read, or is larger (kind `FileTooLarge`).
pub(super) fn read(path: &Path, size_bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(size_bytes_max.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > size_bytes_max {
        let text = format!("{} has more than {size_bytes_max} bytes", path.display());
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// Reads a file that holds one short line.
///
/// # Errors
///
/// It cannot be read, is longer than 4 KiB, or is no text.
pub(super) fn read_line(path: &Path) -> io::Result<String> {
    let bytes = read(path, 4096)?;
    let text = String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(text.trim_end().to_owned())
}
