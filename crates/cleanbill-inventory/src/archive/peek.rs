//! A stream that can be looked into before it is consumed.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::ops::Range;

use memchr::memmem;

use super::header::{CENTRAL, END, END_SIZE_BYTES};

/// Bytes that are held at a time; what is looked at before it is consumed must fit.
const BUFFER_SIZE_BYTES: usize = 128 * 1024;

/// So many signatures fit in less than an end record, with one more.
const ENDS_KEPT: usize = END_SIZE_BYTES / END.len() + 1;

/// Directory headers that are remembered, those of archives inside the archive included. Each takes eight
/// bytes, and archives within each other have as many each.
const CENTRALS_KEPT: usize = 250_000;

/// Buffers a stream and counts what was consumed.
pub(super) struct Peek<R> {
    inner: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    position: u64,
    /// Where the last signatures of end records began, in whatever they stood.
    ends: VecDeque<u64>,
    /// Where signatures of directory headers began, the first of them.
    centrals: Vec<u64>,
    /// The last bytes before those that were read last: a signature may begin there.
    before: Vec<u8>,
}

impl<R: Read> Peek<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER_SIZE_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            position: 0,
            ends: VecDeque::new(),
            centrals: Vec::new(),
            before: Vec::new(),
        }
    }

    /// Returns where the last end record of what was read begins, as somebody finds it who searches
    /// from the end and does not know what it stands in.
    pub(super) fn last_end(&self) -> Option<u64> {
        let size = self.position + self.held().len() as u64;
        let is_whole = |at: &&u64| **at + END_SIZE_BYTES as u64 <= size;
        self.ends.iter().rev().find(is_whole).copied()
    }

    /// Says whether a directory header begins at a place of what was read, as somebody finds it who
    /// can go back; it may where there were more headers than are kept.
    pub(super) fn may_have_central_at(&self, place: u64) -> bool {
        self.centrals.len() >= CENTRALS_KEPT || self.centrals.binary_search(&place).is_ok()
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
        let place = self.position + (self.end - self.start) as u64;
        self.note_signatures(place, self.end..self.end + count);
        self.end += count;
        Ok(count)
    }

    /// Notes the signatures in what was read, and where it begins.
    fn note_signatures(&mut self, place: u64, read: Range<usize>) {
        let read = self.buffer.get(read).unwrap_or_default();
        let begin = read.get(..(END.len() - 1).min(read.len()));
        let mut seam = std::mem::take(&mut self.before);
        let seam_place = place - seam.len() as u64;
        seam.extend_from_slice(begin.unwrap_or_default());
        let find = |signature: &'static [u8; 4]| {
            let across = memmem::find(&seam, signature).map(|at| seam_place + at as u64);
            let inside = memmem::find_iter(read, signature).map(move |at| place + at as u64);
            across.into_iter().chain(inside)
        };
        for at in find(&END) {
            if self.ends.len() == ENDS_KEPT {
                self.ends.pop_front();
            }
            self.ends.push_back(at);
        }
        let room = CENTRALS_KEPT.saturating_sub(self.centrals.len());
        self.centrals.extend(find(&CENTRAL).take(room));
        let tail = if read.len() < END.len() { &seam } else { read };
        let kept = tail.len().saturating_sub(END.len() - 1);
        self.before = tail.get(kept..).unwrap_or_default().to_vec();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(buffer.get_mut(..count).unwrap_or_default())
        }
    }

    #[test]
    fn the_last_end_is_found_however_the_bytes_come() {
        let mut bytes = b"PK\x05\x06".to_vec();
        bytes.extend([0; 20]);
        bytes.extend(b"PPK\x05\x06-PK\x05PK\x05\x06");
        bytes.extend([b'-'; 17]);
        // This one is cut short.
        bytes.extend(b"PK\x05\x06PK\x05\x06");
        for count in 1..bytes.len() {
            let mut peek = Peek::new(Drops(&bytes, count));
            assert_eq!(peek.skip(u64::MAX).unwrap(), bytes.len() as u64);
            assert_eq!(peek.last_end(), Some(33), "{count} at a time");
        }
        assert_eq!(Peek::new(&bytes[..10]).last_end(), None);
    }

    #[test]
    fn directory_headers_are_remembered_up_to_a_bound() {
        let header = b"-PK\x01\x02-PK\x01";
        let bytes = header.repeat(CENTRALS_KEPT);
        for count in [1, 7, BUFFER_SIZE_BYTES] {
            let mut peek = Peek::new(Drops(&bytes[..header.len() * 3], count));
            peek.skip(u64::MAX).unwrap();
            let places = (0..27).filter(|place| peek.may_have_central_at(*place));
            assert_eq!(places.collect::<Vec<_>>(), [1, 10, 19], "{count} at a time");
        }
        let mut peek = Peek::new(bytes.as_slice());
        peek.skip(u64::MAX).unwrap();
        assert_eq!(peek.centrals.len(), CENTRALS_KEPT);
        assert!(peek.may_have_central_at(0), "nobody can tell");
    }
}
