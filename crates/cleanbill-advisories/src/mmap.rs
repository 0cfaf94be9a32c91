//! Read-only maps of files. The only unsafe code of the workspace.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// Maps a regular file into memory for reading.
#[derive(Debug)]
pub(crate) struct MappedFile(Mmap);

impl MappedFile {
    /// Opens and maps a file.
    ///
    /// # Errors
    ///
    /// The file is missing, unreadable or not a regular file, or the system refuses the map.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        map(&file).map(Self)
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[expect(unsafe_code, reason = "a memory map is the point of this module")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is private to this type and only ever read. Its bytes are plain integers that
    // no type invariant depends on, and each read of them is checked anew. A file that changes
    // underneath would break the promise of a shared slice; database files are never changed in
    // place: an update writes another file and renames it, which leaves this map as it was.
    unsafe { Mmap::map(file) }
}
