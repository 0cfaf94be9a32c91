//! A stream that can be looked into before it is consumed.

use std::io::{self, BufRead, Read};

/// Bytes that are held at a time; what is looked at before it is consumed must fit.
const BUFFER_SIZE_BYTES: usize = 128 * 1024;

/// Buffers a stream and counts what was consumed.
pub(super) struct Peek<R> {
    inner: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    position: u64,
}

impl<R: Read> Peek<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER_SIZE_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            position: 0,
        }
    }

    /// Returns how many bytes were consumed.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Returns the next bytes without consuming them: `count` at least, fewer only at the end.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count && self.read_more()? > 0 {}
        Ok(self.held())
    }

    /// Consumes up to `count` bytes, fewer only at the end. Returns how many.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let held = self.fill_buf()?.len();
            if held == 0 {
                break;
            }
            let part = held.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(part);
            left -= part as u64;
        }
        Ok(count - left)
    }

    /// Consumes what stands before the next signature: `PK` and one of `kinds`. Says whether there
    /// is one.
    pub(super) fn skip_to_signature(&mut self, kinds: &[[u8; 4]]) -> io::Result<bool> {
        loop {
            let held = self.peek(4)?;
            if held.len() < 4 {
                let rest = held.len();
                self.consume(rest);
                return Ok(false);
            }
            let found = held
                .windows(4)
                .position(|bytes| kinds.iter().any(|kind| bytes == kind));
            // The last three bytes may begin a signature.
            let passed = found.unwrap_or(held.len() - 3);
            self.consume(passed);
            if found.is_some() {
                return Ok(true);
            }
        }
    }

    fn held(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads behind what is held, which is moved to the front where there is no room.
    fn read_more(&mut self) -> io::Result<usize> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = self.inner.read(room)?;
        self.end += count;
        Ok(count)
    }
}

impl<R: Read> Read for Peek<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Peek<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.read_more()?;
        }
        Ok(self.held())
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.position += count as u64;
    }
}
