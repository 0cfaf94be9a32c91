//! Bytes that can be read at any place.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Gives bytes at any place.
pub(crate) trait ReadAt {
    /// Reads some bytes; 0 at the end.
    ///
    /// # Errors
    ///
    /// The bytes cannot be had.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        self.get(start..).unwrap_or_default().read(buffer)
    }
}

/// Shows a part of a file or a buffer as if it were all.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    size_bytes: u64,
}

impl<'a> Window<'a> {
    /// Shows the first `size_bytes` bytes of a source.
    pub(crate) fn new(source: &'a dyn ReadAt, size_bytes: u64) -> Self {
        Self {
            source,
            start: 0,
            size_bytes,
        }
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Shows a part; `None` if it does not lie inside.
    pub(super) fn part(&self, start: u64, size_bytes: u64) -> Option<Self> {
        let end = start.checked_add(size_bytes)?;
        (end <= self.size_bytes).then_some(Self {
            source: self.source,
            start: self.start.checked_add(start)?,
            size_bytes,
        })
    }

    /// Fills the buffer from a place.
    pub(super) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match self.part(offset, buffer.len() as u64) {
            Some(part) => part.reader().read_exact(buffer),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Reads it from its beginning.
    pub(crate) fn reader(&self) -> WindowReader<'a> {
        WindowReader { rest: *self }
    }
}

/// Reads a window from its beginning to its end.
pub(crate) struct WindowReader<'a> {
    rest: Window<'a>,
}

impl Read for WindowReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let max = usize::try_from(self.rest.size_bytes).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(max);
        let Some(buffer) = buffer.get_mut(..wanted).filter(|part| !part.is_empty()) else {
            return Ok(0);
        };
        let count = self.rest.source.read_at(buffer, self.rest.start)?;
        if count == 0 {
            // The file has shrunk since its size was taken.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.rest.start += count as u64;
        self.rest.size_bytes = self.rest.size_bytes.saturating_sub(count as u64);
        Ok(count)
    }
}
