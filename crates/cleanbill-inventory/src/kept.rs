//! Files that are read more than once, in less memory than they have bytes.
//!
//! The content of a layer passes once. A document that lists packages has to be looked at several
//! times: what its members mean depends on others, which may stand behind them. Small files are
//! kept as they are, larger ones compressed, piece by piece. The texts of real documents shrink to
//! a tenth; what does not shrink is bounded by `kept_file_size_bytes_max`.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cleanbill_core::Limits;
use zstd::bulk::{Compressor, Decompressor};

use crate::extractor::ExtractError;

/// Files of at most so many bytes are kept as they are.
const PLAIN_SIZE_BYTES_MAX: usize = 1 << 20;

/// Bytes that are compressed at a time.
const PIECE_SIZE_BYTES: usize = 256 << 10;

/// Is held by whoever works on a large file that it has read to the end: decoding takes more memory
/// than keeping. Never while reading, or a slow connection would make others time out.
static TURN: Mutex<()> = Mutex::new(());

/// Holds the content of a file.
#[derive(Debug)]
pub(crate) struct Kept<'a> {
    content: Content<'a>,
    _turn: Option<MutexGuard<'static, ()>>,
}

#[derive(Debug)]
enum Content<'a> {
    Plain(Cow<'a, [u8]>),
    /// Compressed pieces; all but the last have [`PIECE_SIZE_BYTES`].
    Packed(Vec<Box<[u8]>>),
}

impl<'a> From<&'a [u8]> for Kept<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::plain(bytes.into())
    }
}

impl<'a> Kept<'a> {
    fn plain(bytes: Cow<'a, [u8]>) -> Self {
        Self {
            content: Content::Plain(bytes),
            _turn: None,
        }
    }

    /// Reads a file to its end.
    ///
    /// # Errors
    ///
    /// Reading failed, or the file has more bytes than the limits allow, as it is or compressed.
    pub(crate) fn read(stream: &mut dyn Read, limits: &Limits) -> Result<Self, ExtractError> {
        let max = limits.file_size_bytes_max;
        let mut stream = stream.take(max.saturating_add(1));
        let mut piece = Vec::new();
        read_piece(&mut stream, PLAIN_SIZE_BYTES_MAX + 1, &mut piece)?;
        if piece.len() <= PLAIN_SIZE_BYTES_MAX {
            return match piece.len() as u64 <= max {
                true => Ok(Self::plain(piece.into())),
                false => Err(too_large(max)),
            };
        }
        let content = pack(piece, &mut stream, limits)?;
        if stream.limit() == 0 {
            return Err(too_large(max));
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self {
            content: Content::Packed(content),
            _turn: Some(turn),
        })
    }

    /// Reads the content from its beginning.
    pub(crate) fn reader(&self) -> KeptReader<'_> {
        KeptReader {
            kept: self,
            next: 0,
            piece: Cow::Borrowed(&[]),
            at: 0,
            decompressor: None,
        }
    }

    /// Returns the content where it is kept as it is.
    pub(crate) fn as_plain(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Plain(bytes) => Some(bytes),
            Content::Packed(_) => None,
        }
    }

    /// Returns the last byte that is no blank.
    pub(crate) fn last_visible(&self) -> Option<u8> {
        let mut reader = self.reader();
        let mut last = None;
        while let Ok(piece) = reader.fill_buf() {
            if piece.is_empty() {
                break;
            }
            last = piece.trim_ascii_end().last().copied().or(last);
            let size = piece.len();
            reader.consume(size);
        }
        last
    }

    /// Says whether a text occurs; the case of ASCII letters does not count.
    pub(crate) fn contains(&self, needle: &[u8]) -> bool {
        let mut reader = self.reader();
        let mut window: Vec<u8> = Vec::new();
        let overlap = needle.len().saturating_sub(1);
        while let Ok(piece) = reader.fill_buf() {
            if piece.is_empty() {
                break;
            }
            let size = piece.len();
            window.extend(piece);
            let mut places = window.windows(needle.len());
            if places.any(|place| place.eq_ignore_ascii_case(needle)) {
                return true;
            }
            window.drain(..window.len().saturating_sub(overlap));
            reader.consume(size);
        }
        false
    }
}

fn too_large(max: u64) -> ExtractError {
    ExtractError::LimitExceeded(format!("more than {max} bytes (file_size_bytes_max)"))
}

/// Compresses what was read and the rest.
fn pack(
    begin: Vec<u8>,
    rest: &mut impl Read,
    limits: &Limits,
) -> Result<Vec<Box<[u8]>>, ExtractError> {
    let max = limits.kept_file_size_bytes_max;
    let mut compressor = Compressor::new(1)?;
    let mut packed = Vec::new();
    let mut size_bytes = 0;
    let mut content = io::Cursor::new(begin).chain(rest);
    let mut piece = Vec::new();
    loop {
        piece.clear();
        read_piece(&mut content, PIECE_SIZE_BYTES, &mut piece)?;
        if piece.is_empty() {
            return Ok(packed);
        }
        let compressed = compressor.compress(&piece)?.into_boxed_slice();
        size_bytes += compressed.len() as u64;
        if size_bytes > max {
            return Err(ExtractError::LimitExceeded(format!(
                "more than {max} bytes when compressed (kept_file_size_bytes_max)"
            )));
        }
        packed.push(compressed);
    }
}

fn read_piece(stream: &mut impl Read, size: usize, piece: &mut Vec<u8>) -> io::Result<()> {
    stream.take(size as u64).read_to_end(piece)?;
    Ok(())
}

/// Reads a kept file.
pub(crate) struct KeptReader<'a> {
    kept: &'a Kept<'a>,
    /// The number of the piece after the one at hand.
    next: usize,
    piece: Cow<'a, [u8]>,
    at: usize,
    decompressor: Option<Decompressor<'static>>,
}

impl KeptReader<'_> {
    /// Goes on to the next piece, if there is one.
    fn advance(&mut self) -> io::Result<()> {
        let piece = match &self.kept.content {
            Content::Plain(bytes) if self.next == 0 => Cow::Borrowed(&**bytes),
            Content::Plain(_) => return Ok(()),
            Content::Packed(pieces) => {
                let Some(packed) = pieces.get(self.next) else {
                    return Ok(());
                };
                let decompressor = match &mut self.decompressor {
                    Some(decompressor) => decompressor,
                    none => none.insert(Decompressor::new()?),
                };
                Cow::Owned(decompressor.decompress(packed, PIECE_SIZE_BYTES)?)
            }
        };
        self.piece = piece;
        self.next += 1;
        self.at = 0;
        Ok(())
    }
}

impl Read for KeptReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for KeptReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.piece.len() {
            self.advance()?;
        }
        Ok(self.piece.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.piece.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(content: &[u8], limits: &Limits) -> Result<Kept<'a>, ExtractError> {
        Kept::read(&mut &*content, limits)
    }

    /// A text of a size, in which nothing that is found lies on the edge of a piece only.
    fn text(size: usize) -> Vec<u8> {
        let words = (0_u32..).flat_map(|number| format!("{number} ").into_bytes());
        words.take(size).collect()
    }

    #[test]
    fn files_come_back_as_they_were() {
        for size in [
            0,
            1,
            PLAIN_SIZE_BYTES_MAX,
            PLAIN_SIZE_BYTES_MAX + 1,
            3_000_000,
        ] {
            let content = text(size);
            let kept = read(&content, &Limits::default()).unwrap();
            assert_eq!(kept.as_plain().is_some(), size <= PLAIN_SIZE_BYTES_MAX);
            for _ in 0..2 {
                let mut found = Vec::new();
                kept.reader().read_to_end(&mut found).unwrap();
                assert!(found == content, "{size}");
            }
        }
    }

    #[test]
    fn texts_are_found_across_pieces() {
        let mut content = vec![b'x'; 2_000_000];
        let edge = 4 * PIECE_SIZE_BYTES;
        content.splice(edge - 2..edge + 2, *b"PkG:");
        let kept = read(&content, &Limits::default()).unwrap();
        assert!(kept.contains(b"pkg:"));
        assert!(!kept.contains(b"pkg::"));
        assert!(!Kept::from(&b""[..]).contains(b"pkg:"));
    }

    #[test]
    fn files_are_bounded_plain_and_compressed() {
        let check = |content: &[u8], limits: &Limits, name: &str| match read(content, limits) {
            Err(ExtractError::LimitExceeded(message)) => {
                assert!(message.contains(name), "{message}");
            }
            other => panic!("{other:?}"),
        };
        for (size, max) in [(3, 2), (2_000_000, 1_999_999), (2_000_000, 100)] {
            let limits = Limits {
                file_size_bytes_max: max,
                ..Limits::default()
            };
            check(&text(size), &limits, "(file_size_bytes_max)");
        }
        let limits = Limits {
            kept_file_size_bytes_max: 100_000,
            ..Limits::default()
        };
        check(&text(2_000_000), &limits, "(kept_file_size_bytes_max)");
        assert!(read(&vec![b'x'; 2_000_000], &limits).is_ok());
    }
}
