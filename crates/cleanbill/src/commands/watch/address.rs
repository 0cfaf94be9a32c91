//! Where a running `watch` serves: left in the state directory for `health`, which knows neither
//! the flags of `watch` nor a port that was chosen by the system.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cleanbill_monitor::replace_file;

/// The file's name. It holds one line.
const NAME: &str = "watch.address";

/// Bytes of the file that are read; an address has at most 60.
const SIZE_BYTES_MAX: u64 = 128;

/// Removes the file when the program ends. After a crash it stays: nobody answers there then, and
/// that is what `health` is asked for.
#[must_use]
pub(super) struct AddressFile(PathBuf);

impl AddressFile {
    /// Leaves the address, or makes sure that none is there. A directory that cannot be written is
    /// a matter of the state, which says so.
    pub(super) fn leave(directory: &Path, address: Option<SocketAddr>) -> Self {
        let path = directory.join(NAME);
        let outcome = match address {
            Some(address) => replace_file(&path, format!("{address}\n").as_bytes()),
            None => remove(&path),
        };
        if let Err(error) = outcome {
            tracing::warn!(
                "cannot write {}: {error}; cleanbill health goes by the settings",
                path.display()
            );
        }
        Self(path)
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        // The next start replaces it.
        let _ = remove(&self.0);
    }
}

/// Returns the address that a running `watch` left in its state directory.
pub(in crate::commands) fn left_in(directory: &Path) -> Option<SocketAddr> {
    use std::io::Read as _;

    let file = std::fs::File::open(directory.join(NAME)).ok()?;
    let mut text = String::new();
    file.take(SIZE_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_found_until_the_end() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(left_in(directory.path()), None);
        let address = "[::1]:9871".parse().unwrap();
        let left = AddressFile::leave(directory.path(), Some(address));
        assert_eq!(left_in(directory.path()), Some(address));
        drop(left);
        assert_eq!(left_in(directory.path()), None);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_old_or_odd_file_does_no_harm() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["", "nonsense", "127.0.0.1", &"9".repeat(1000)] {
            std::fs::write(directory.path().join(NAME), text).unwrap();
            assert_eq!(left_in(directory.path()), None, "{text}");
        }
        let _left = AddressFile::leave(directory.path(), None);
        assert!(!directory.path().join(NAME).exists());
    }
}
