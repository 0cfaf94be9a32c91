//! Where the bytes of an archive come from.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A source that can pass over bytes.
pub(crate) trait Source: Read {
    /// Passes over bytes and returns how many there were: fewer than asked for at the end.
    fn skip(&mut self, count: u64) -> io::Result<u64>;
}

impl<S: Source + ?Sized> Source for &mut S {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        (**self).skip(count)
    }
}

/// Passes over bytes by reading them, so that whoever listens to the stream sees them all.
#[derive(Debug)]
pub(crate) struct StreamSource<B>(pub(crate) B);

impl<B: BufRead> Read for StreamSource<B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<B: BufRead> Source for StreamSource<B> {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut skipped = 0;
        while skipped < count {
            let available = match self.0.fill_buf() {
                Ok(bytes) => bytes.len(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available == 0 {
                break;
            }
            let step = available.min(usize::try_from(count - skipped).unwrap_or(usize::MAX));
            self.0.consume(step);
            skipped += step as u64;
        }
        Ok(skipped)
    }
}

/// Reads a range of a file by position, so that several threads can share the file. Passing over
/// bytes costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct SectionSource {
    file: Arc<File>,
    position: u64,
    end: u64,
}

impl SectionSource {
    /// Takes `length` bytes from `offset` on.
    pub(crate) fn new(file: Arc<File>, offset: u64, length: u64) -> Self {
        Self {
            file,
            position: offset,
            end: offset.saturating_add(length),
        }
    }
}

impl Read for SectionSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.position);
        let length = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let Some(space) = buffer.get_mut(..length) else {
            return Ok(0);
        };
        let count = self.file.read_at(space, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Source for SectionSource {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let skipped = count.min(self.end.saturating_sub(self.position));
        self.position += skipped;
        Ok(skipped)
    }
}
