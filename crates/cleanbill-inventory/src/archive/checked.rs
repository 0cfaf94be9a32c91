//! Checking an entry's content against what the archive states.

use std::io::{self, Read};

use flate2::Crc;

/// Passes content on; at its end, length and checksum must be the stated ones.
pub(super) struct Checked<R> {
    inner: R,
    crc: Crc,
    size_bytes: u64,
    expected: Option<Expected>,
}

/// What the archive states about an entry's content.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    pub(super) size_bytes: u64,
    /// Zero is not compared: some writers leave it out.
    pub(super) crc32: u32,
}

impl<R: Read> Checked<R> {
    /// `expected` is `None` where it is known only after the content.
    pub(super) fn new(inner: R, expected: Option<Expected>) -> Self {
        Self {
            inner,
            crc: Crc::new(),
            size_bytes: 0,
            expected,
        }
    }

    /// Reads what is left, and returns the size and checksum of everything.
    pub(super) fn finish(mut self) -> io::Result<Expected> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(Expected {
            size_bytes: self.size_bytes,
            crc32: self.crc.sum(),
        })
    }

    fn check(&self, is_at_end: bool) -> io::Result<()> {
        let Some(expected) = self.expected else {
            return Ok(());
        };
        let is_wrong_size = self.size_bytes > expected.size_bytes
            || is_at_end && self.size_bytes != expected.size_bytes;
        if is_wrong_size {
            return Err(invalid("an entry has another size than the archive states"));
        }
        if is_at_end && expected.crc32 != 0 && self.crc.sum() != expected.crc32 {
            return Err(invalid(
                "an entry has another checksum than the archive states",
            ));
        }
        Ok(())
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let part = buffer.get(..count).unwrap_or_default();
        self.crc.update(part);
        self.size_bytes += count as u64;
        self.check(count == 0 && !buffer.is_empty())?;
        Ok(count)
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
