//! The names in a directory, sorted as far as memory allows.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, RawDir};

/// Bytes that the kernel may fill at once.
pub(super) const BUFFER_SIZE: usize = 32 * 1024;

/// Bytes that a name takes beside itself.
const ENTRY_SIZE: usize = size_of::<(u32, FileType)>();

/// Holds names of a directory one behind the other, in little more memory than they have bytes: a
/// directory may have a million. What has no room is read from the directory later.
#[derive(Default)]
pub(super) struct Names {
    /// Each name with its final NUL.
    bytes: Vec<u8>,
    entries: Vec<(u32, FileType)>,
    next: usize,
    /// The directory has no more than these.
    is_complete: bool,
}

impl Names {
    /// Reads on in a directory, and sorts what it has read: all that is left if that takes at most
    /// `size_bytes_max`, else as many buffers of the kernel as it takes to get there, but one at
    /// least. `buffer` is scratch.
    ///
    /// # Errors
    ///
    /// The directory cannot be read.
    pub(super) fn read(
        directory: &OwnedFd,
        buffer: &mut Vec<u8>,
        size_bytes_max: usize,
    ) -> io::Result<Self> {
        buffer.clear();
        let mut names = Self::default();
        let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
        loop {
            // What the kernel has filled in is taken whole: it does not give it twice.
            let is_full = !names.entries.is_empty() && names.size_bytes() >= size_bytes_max;
            if is_full && entries.is_buffer_empty() {
                break;
            }
            let Some(entry) = entries.next() else {
                names.is_complete = true;
                break;
            };
            let entry = entry?;
            names.push(entry.file_name(), entry.file_type())?;
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

    /// Says whether the directory has no more names than these.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns how much memory the names take.
    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.len() + self.entries.len() * ENTRY_SIZE
    }

    fn push(&mut self, name: &CStr, file_type: FileType) -> io::Result<()> {
        if name == c"." || name == c".." {
            return Ok(());
        }
        let too_large = |_| io::Error::new(io::ErrorKind::FileTooLarge, "too many names");
        let offset = u32::try_from(self.bytes.len()).map_err(too_large)?;
        self.entries.push((offset, file_type));
        self.bytes.extend_from_slice(name.to_bytes_with_nul());
        Ok(())
    }
}

fn name_at(bytes: &[u8], offset: u32) -> &CStr {
    let rest = bytes.get(offset as usize..).unwrap_or_default();
    CStr::from_bytes_until_nul(rest).unwrap_or_default()
}
