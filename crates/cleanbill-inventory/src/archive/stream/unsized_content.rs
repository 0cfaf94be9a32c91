//! Stored content of which the size is stated only behind it.
//!
//! Nothing in the content says where it ends. A descriptor that states the length and the checksum
//! of all that has passed is hardly there by chance; should somebody have put one into his content,
//! the directory does not confirm it.

use std::io::{self, Read};

use flate2::Crc;
use memchr::memmem;

use super::super::header::{DESCRIPTOR, EntryRecord};
use super::super::peek::Peek;
use super::descriptor;

/// Gives the content up to the descriptor.
pub(super) struct UnsizedContent<'a, S> {
    stream: &'a mut Peek<S>,
    /// What has passed.
    passed: EntryRecord,
    crc: Crc,
    is_ended: bool,
}

impl<'a, S: Read> UnsizedContent<'a, S> {
    pub(super) fn new(stream: &'a mut Peek<S>, record: &EntryRecord) -> Self {
        Self {
            stream,
            passed: EntryRecord {
                crc32: 0,
                packed_size_bytes: 0,
                size_bytes: 0,
                ..record.clone()
            },
            crc: Crc::new(),
            is_ended: false,
        }
    }

    /// Says whether a descriptor comes next. One without signature counts only for no content.
    fn is_at_end(&mut self) -> io::Result<bool> {
        let is_signed = self.stream.peek(DESCRIPTOR.len())?.starts_with(&DESCRIPTOR);
        if !is_signed && self.passed.size_bytes > 0 {
            return Ok(false);
        }
        let Some(size) = descriptor::size_here(self.stream, &self.passed)? else {
            return Ok(false);
        };
        // Content may begin with zeros, which state no content too.
        let after = self.stream.peek(size + 2)?.get(size..).unwrap_or_default();
        Ok(is_signed || after.starts_with(b"PK"))
    }

    /// Returns how many of the bytes at hand are content for sure, the first in any case.
    fn sure_count(&mut self) -> io::Result<usize> {
        let held = self.stream.peek(DESCRIPTOR.len() + 1)?;
        let rest = held.get(1..).unwrap_or_default();
        Ok(match memmem::find(rest, &DESCRIPTOR) {
            Some(at) => at + 1,
            // The last bytes may begin a signature.
            None => held.len().saturating_sub(DESCRIPTOR.len() - 1).max(1),
        })
    }
}

impl<S: Read> Read for UnsizedContent<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.is_ended {
            return Ok(0);
        }
        if self.is_at_end()? {
            self.is_ended = true;
            return Ok(0);
        }
        let count = self.sure_count()?.min(buffer.len());
        let part = buffer.get_mut(..count).unwrap_or_default();
        self.stream.read_exact(part)?;
        self.crc.update(part);
        self.passed.size_bytes += count as u64;
        self.passed.packed_size_bytes = self.passed.size_bytes;
        self.passed.crc32 = self.crc.sum();
        Ok(count)
    }
}
