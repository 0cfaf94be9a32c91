//! Inflating entries.

use std::io::{self, BufRead, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::{Decompress, FlushDecompress, Status};

/// Holds the states of inflating that nobody uses now, for the next entry.
///
/// A state takes some 50 KB at an aligned place. The GNU C library asks for a little more to align it,
/// and so never finds room for the next one where the last one was, if what was found in between
/// lies behind it: a layer of a hundred thousand small archives took 2 GB.
#[derive(Debug, Default)]
pub(super) struct Inflaters(Mutex<Vec<Decompress>>);

impl Inflaters {
    /// Inflates what a reader gives: deflated data without a header.
    pub(super) fn inflate<R: BufRead>(&self, packed: R) -> Inflated<'_, R> {
        let idle = self.idle().pop();
        Inflated {
            state: idle.or_else(|| Some(Decompress::new(false))),
            packed,
            inflaters: self,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Decompress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what deflated data inflates to. Nothing behind its end is taken from the reader.
pub(super) struct Inflated<'a, R> {
    /// Gone only while it is dropped.
    state: Option<Decompress>,
    packed: R,
    inflaters: &'a Inflaters,
}

impl<R: BufRead> Read for Inflated<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(state) = &mut self.state else {
            return Ok(0);
        };
        loop {
            let packed = self.packed.fill_buf()?;
            let is_at_end = packed.is_empty();
            let flush = if is_at_end {
                FlushDecompress::Finish
            } else {
                FlushDecompress::None
            };
            let (before_in, before_out) = (state.total_in(), state.total_out());
            let status = state.decompress(packed, buffer, flush);
            self.packed.consume(count(before_in, state.total_in()));
            let inflated = count(before_out, state.total_out());
            match status {
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
                Ok(Status::StreamEnd) => return Ok(inflated),
                Ok(_) if inflated > 0 || buffer.is_empty() => return Ok(inflated),
                Ok(_) if is_at_end => {
                    let message = "the deflated data has no end";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
                }
                Ok(_) => {}
            }
        }
    }
}

fn count(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}

impl<R> Drop for Inflated<'_, R> {
    fn drop(&mut self) {
        if let Some(mut state) = self.state.take() {
            state.reset(false);
            self.inflaters.idle().push(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    fn deflated(text: &str) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_state_is_used_again() {
        let inflaters = Inflaters::default();
        for text in ["first first first", "second", ""] {
            let bytes = deflated(text);
            assert_eq!(
                io::read_to_string(inflaters.inflate(bytes.as_slice())).unwrap(),
                text
            );
            // One that was left in the middle, too.
            let middle = inflaters.inflate(bytes.as_slice()).take(3);
            assert_eq!(io::read_to_string(middle).unwrap().len(), text.len().min(3));
            assert_eq!(inflaters.idle().len(), 1);
        }
        let (outer, inner) = (deflated("outer"), deflated("inner"));
        let outer = inflaters.inflate(outer.as_slice());
        let inner = inflaters.inflate(inner.as_slice());
        assert_eq!(io::read_to_string(inner).unwrap(), "inner");
        assert_eq!(io::read_to_string(outer).unwrap(), "outer");
        assert_eq!(inflaters.idle().len(), 2);
    }

    #[test]
    fn nothing_behind_the_end_is_taken() {
        let mut bytes = deflated("text");
        bytes.extend(b"rest");
        let mut left = bytes.as_slice();
        let inflated = Inflaters::default();
        assert_eq!(
            io::read_to_string(inflated.inflate(&mut left)).unwrap(),
            "text"
        );
        assert_eq!(left, b"rest");
    }

    #[test]
    fn what_has_no_end_or_makes_no_sense_is_an_error() {
        let inflaters = Inflaters::default();
        let bytes = deflated("text");
        let cut = bytes.split_last().unwrap().1;
        let error = io::read_to_string(inflaters.inflate(cut)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let error = io::read_to_string(inflaters.inflate(&[7; 9][..])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        // The state is of use again.
        assert_eq!(
            io::read_to_string(inflaters.inflate(bytes.as_slice())).unwrap(),
            "text"
        );
    }
}
