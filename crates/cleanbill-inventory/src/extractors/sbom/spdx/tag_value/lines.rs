//! The lines of a text that is kept.

use std::io::{BufRead as _, Read as _};

use crate::extractors::sbom::error::SbomError;
use crate::kept::KeptReader;

/// Gives lines without their ends. Bytes that are not UTF-8 are replaced.
pub(super) struct TextLines<'a> {
    reader: KeptReader<'a>,
    size_bytes_max: usize,
    number: u64,
    line: Vec<u8>,
    is_ended: bool,
}

impl<'a> TextLines<'a> {
    pub(super) fn new(reader: KeptReader<'a>, size_bytes_max: usize) -> Self {
        Self {
            reader,
            size_bytes_max,
            number: 0,
            line: Vec::new(),
            is_ended: true,
        }
    }

    /// Says whether the last line ended in a line feed.
    pub(super) fn is_last_ended(&self) -> bool {
        self.is_ended
    }

    /// Returns the number of the last line, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Returns the next line, `None` at the end.
    ///
    /// # Errors
    ///
    /// It is too long.
    pub(super) fn next(&mut self) -> Result<Option<String>, SbomError> {
        self.line.clear();
        let max = (self.size_bytes_max as u64).saturating_add(2);
        // What is kept in memory can be read; if not, the document ends here.
        let count = self
            .reader
            .by_ref()
            .take(max)
            .read_until(b'\n', &mut self.line);
        if count.unwrap_or(0) == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.is_ended = self.line.ends_with(b"\n");
        let line = match self.line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => &self.line,
        };
        if line.len() > self.size_bytes_max {
            return Err(self.too_large());
        }
        Ok(Some(String::from_utf8_lossy(line).into_owned()))
    }

    /// Reads a text up to `</text>`; `None` if it does not end.
    ///
    /// # Errors
    ///
    /// It is too long.
    pub(super) fn text(&mut self, start: &str) -> Result<Option<String>, SbomError> {
        if let Some((text, _)) = start.split_once("</text>") {
            return Ok(Some(text.to_owned()));
        }
        let mut text = format!("{start}\n");
        while let Some(line) = self.next()? {
            let end = line.split_once("</text>").map(|(end, _)| end);
            text.push_str(end.unwrap_or(&line));
            if text.len() > self.size_bytes_max {
                return Err(self.too_large());
            }
            if end.is_some() {
                return Ok(Some(text));
            }
            text.push('\n');
        }
        Ok(None)
    }

    fn too_large(&self) -> SbomError {
        SbomError::TooLarge {
            what: "one value",
            max: self.size_bytes_max,
        }
    }
}
