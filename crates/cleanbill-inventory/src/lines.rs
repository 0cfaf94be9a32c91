//! Reading text files line by line in bounded memory.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

use crate::extractor::{ExtractError, FileInput};

/// Gives the lines of a file, one at a time, without the line feed and one carriage return before
/// it.
pub(crate) struct Lines<'a> {
    reader: BufReader<&'a mut dyn Read>,
    line: Vec<u8>,
    size_bytes_max: u64,
    /// The last line had a line feed.
    is_ended: bool,
}

impl<'a> Lines<'a> {
    /// Starts at the beginning of a file.
    pub(crate) fn new(file: &'a mut FileInput<'_>) -> Self {
        Self {
            reader: BufReader::with_capacity(16 << 10, &mut *file.body),
            line: Vec::new(),
            size_bytes_max: file.limits.line_size_bytes_max,
            is_ended: true,
        }
    }

    /// Says whether the last line that was returned ended in a line feed, as files do that are whole.
    pub(crate) fn is_last_ended(&self) -> bool {
        self.is_ended
    }

    /// Returns the next line, `None` at the end. Bytes that are not UTF-8 are for the caller to
    /// replace.
    ///
    /// # Errors
    ///
    /// Reading failed, or the line is longer than the limit.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, ExtractError> {
        let line = self.next_raw()?;
        Ok(line.map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Returns the next line with its carriage return.
    ///
    /// # Errors
    ///
    /// As [`Lines::next`].
    pub(crate) fn next_raw(&mut self) -> Result<Option<&[u8]>, ExtractError> {
        self.line.clear();
        // The line feed and the carriage return do not count.
        let max = self.size_bytes_max.saturating_add(2);
        let count = self
            .reader
            .by_ref()
            .take(max)
            .read_until(b'\n', &mut self.line)?;
        if count == 0 {
            return Ok(None);
        }
        self.is_ended = self.line.ends_with(b"\n");
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let text_len = line.strip_suffix(b"\r").unwrap_or(line).len();
        if text_len as u64 > self.size_bytes_max {
            return Err(ExtractError::LimitExceeded(format!(
                "a line has more than {} bytes (line_size_bytes_max)",
                self.size_bytes_max
            )));
        }
        Ok(Some(line))
    }
}

/// Converts a line to text; bytes that are not UTF-8 are replaced.
pub(crate) fn text(line: &[u8]) -> String {
    lossy(line).into_owned()
}

/// Converts bytes to text. Each byte that is not UTF-8 is replaced, as in Go: the standard library
/// replaces what was meant to be one character once.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use cleanbill_core::Limits;

    use super::*;

    fn read(content: &[u8], line_size_bytes_max: u64) -> Result<Vec<String>, ExtractError> {
        let limits = Limits {
            line_size_bytes_max,
            ..Limits::default()
        };
        let mut body = content;
        let mut file = FileInput {
            path: "f",
            size_bytes: 0,
            body: &mut body,
            limits: &limits,
        };
        let mut lines = Lines::new(&mut file);
        let mut found = Vec::new();
        while let Some(line) = lines.next()? {
            found.push(text(line));
        }
        Ok(found)
    }

    #[test]
    fn lines_lose_their_ends() {
        assert_eq!(read(b"a\r\n\nb\r\r\nc", 2).unwrap(), ["a", "", "b\r", "c"]);
        assert!(read(b"", 2).unwrap().is_empty());
    }

    #[test]
    fn each_byte_that_is_no_text_is_replaced() {
        assert_eq!(lossy("é".as_bytes()), "é");
        assert_eq!(
            lossy(b"a\xffb\xf0\x9f\x98"),
            "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_an_error() {
        assert_eq!(read(b"ab\r\nab", 2).unwrap(), ["ab", "ab"]);
        assert!(matches!(
            read(b"a\nabc\n", 2),
            Err(ExtractError::LimitExceeded(_))
        ));
        assert!(matches!(
            read(&[b'x'; 100], 2),
            Err(ExtractError::LimitExceeded(_))
        ));
    }
}
