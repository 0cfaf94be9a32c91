//! The names in a directory, sorted.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, RawDir};

/// Bytes that the kernel may fill at once.
pub(super) const BUFFER_SIZE: usize = 32 * 1024;

/// Holds the names in a directory one behind the other, in little more memory than they have
/// bytes: a directory may have a million.
#[derive(Default)]
pub(super) struct Names {
    /// Each name with its final NUL.
    bytes: Vec<u8>,
    entries: Vec<(u32, FileType)>,
    next: usize,
}

impl Names {
    /// Reads a directory. `buffer` is scratch.
    ///
    /// # Errors
    ///
    /// It cannot be read, or has more than `count_max` entries or 4 GiB of names.
    pub(super) fn read(
        directory: &OwnedFd,
        buffer: &mut Vec<u8>,
        count_max: u64,
    ) -> io::Result<Self> {
        buffer.clear();
        let too_many = || io::Error::new(io::ErrorKind::FileTooLarge, "the directory is too large");
        let mut names = Self::default();
        let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            if names.entries.len() as u64 >= count_max {
                return Err(too_many());
            }
            let offset = u32::try_from(names.bytes.len()).map_err(|_| too_many())?;
            names.entries.push((offset, entry.file_type()));
            names.bytes.extend_from_slice(name.to_bytes_with_nul());
        }
        let Self { bytes, entries, .. } = &mut names;
        entries.sort_unstable_by(|a, b| name_at(bytes, a.0).cmp(name_at(bytes, b.0)));
        Ok(names)
    }

    /// Returns the next name and what the directory says it is.
    pub(super) fn next(&mut self) -> Option<(CString, FileType)> {
        let &(offset, file_type) = self.entries.get(self.next)?;
        self.next += 1;
        Some((name_at(&self.bytes, offset).to_owned(), file_type))
    }
}

fn name_at(bytes: &[u8], offset: u32) -> &CStr {
    let rest = bytes.get(offset as usize..).unwrap_or_default();
    CStr::from_bytes_until_nul(rest).unwrap_or_default()
}
