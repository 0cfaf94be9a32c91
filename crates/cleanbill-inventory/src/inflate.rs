//! Inflating small pieces: entries of archives, data in programs.

use std::cell::RefCell;
use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

thread_local! {
    /// The states of inflating that nobody uses now, for the next piece: as many as were ever used at
    /// once, which is one for each archive around another.
    ///
    /// A state takes some 50 KB at an aligned place. The GNU C library asks for a little more to align
    /// it, and so never finds room for the next one where the last one was if what was found in between
    /// lies behind it: a layer of a hundred thousand small archives took 2 GB.
    static IDLE: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
}

/// Says what is around deflated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// Nothing, as in archives.
    Raw,
    /// The header and the checksum of zlib.
    Zlib,
}

/// Inflates what a reader gives.
pub(crate) fn inflate<R: BufRead>(packed: R, wrapping: Wrapping) -> Inflated<R> {
    let has_header = wrapping == Wrapping::Zlib;
    let state = match IDLE.with_borrow_mut(Vec::pop) {
        Some(mut state) => {
            state.reset(has_header);
            state
        }
        None => Decompress::new(has_header),
    };
    Inflated {
        state: Some(state),
        packed,
    }
}

/// Reads what deflated data inflates to. Nothing behind its end is taken from the reader.
pub(crate) struct Inflated<R> {
    /// Gone only while it is dropped.
    state: Option<Decompress>,
    packed: R,
}

impl<R: BufRead> Read for Inflated<R> {
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
                Err(_) => {
                    let message = "the deflated data is corrupt";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, message));
                }
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

impl<R> Drop for Inflated<R> {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            IDLE.with_borrow_mut(|idle| idle.push(state));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, ZlibEncoder};

    use super::*;

    fn deflated(text: &str, wrapping: Wrapping) -> Vec<u8> {
        let level = Compression::default();
        match wrapping {
            Wrapping::Raw => {
                let mut encoder = DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(text.as_bytes()).unwrap();
                encoder.finish().unwrap()
            }
            Wrapping::Zlib => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(text.as_bytes()).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    fn inflated(packed: &[u8], wrapping: Wrapping) -> io::Result<String> {
        io::read_to_string(inflate(packed, wrapping))
    }

    fn idle() -> usize {
        IDLE.with_borrow(Vec::len)
    }

    #[test]
    fn a_state_is_used_again() {
        for text in ["first first first", "second", ""] {
            for wrapping in [Wrapping::Raw, Wrapping::Zlib] {
                let bytes = deflated(text, wrapping);
                assert_eq!(inflated(&bytes, wrapping).unwrap(), text);
                // One that was left in the middle, too.
                let middle = inflate(bytes.as_slice(), wrapping).take(3);
                let middle = io::read_to_string(middle).unwrap();
                assert_eq!(middle.len(), text.len().min(3));
                assert_eq!(idle(), 1);
            }
        }
        let outer = deflated("outer", Wrapping::Raw);
        let inner = deflated("inner", Wrapping::Zlib);
        let outer = inflate(outer.as_slice(), Wrapping::Raw);
        let inner = inflate(inner.as_slice(), Wrapping::Zlib);
        assert_eq!(io::read_to_string(inner).unwrap(), "inner");
        assert_eq!(io::read_to_string(outer).unwrap(), "outer");
        assert_eq!(idle(), 2);
    }

    #[test]
    fn nothing_behind_the_end_is_taken() {
        let mut bytes = deflated("text", Wrapping::Raw);
        bytes.extend(b"rest");
        let mut left = bytes.as_slice();
        let text = io::read_to_string(inflate(&mut left, Wrapping::Raw));
        assert_eq!(text.unwrap(), "text");
        assert_eq!(left, b"rest");
    }

    #[test]
    fn what_has_no_end_or_makes_no_sense_is_an_error() {
        for wrapping in [Wrapping::Raw, Wrapping::Zlib] {
            let bytes = deflated("text", wrapping);
            let (_, cut) = bytes.split_last().unwrap();
            let error = inflated(cut, wrapping).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            let error = inflated(&[7; 9], wrapping).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            // The state is of use again.
            assert_eq!(inflated(&bytes, wrapping).unwrap(), "text");
        }
    }
}
