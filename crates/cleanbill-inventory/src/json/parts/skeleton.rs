//! The brackets of a document down to its parts.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead};

use memchr::{memchr_iter, memchr2};

use super::{check_text, name_of};
use crate::json::scan::end_of_word;
use crate::json::text::check_string;
use crate::json::{Dialect, JsonError};
use crate::kept::KeptReader;

/// Reads a document from its beginning to its end.
pub(super) struct Skeleton<'a> {
    reader: KeptReader<'a>,
    dialect: Dialect,
    part_size_bytes_max: usize,
    /// Lines before the place that is read.
    line: u64,
    /// The last part.
    part: Vec<u8>,
    hasher: RandomState,
}

impl<'a> Skeleton<'a> {
    pub(super) fn new(
        reader: KeptReader<'a>,
        dialect: Dialect,
        part_size_bytes_max: usize,
    ) -> Self {
        Self {
            reader,
            dialect,
            part_size_bytes_max,
            line: 0,
            part: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    /// Returns the number of lines before the place that is read.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Returns the bytes of the last part.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.part
    }

    /// Hands over the bytes of the last part.
    pub(super) fn take_bytes(&mut self) -> Vec<u8> {
        let mut part = std::mem::take(&mut self.part);
        part.shrink_to_fit();
        part
    }

    /// Returns the next byte, without taking it.
    pub(super) fn peek(&mut self) -> Option<u8> {
        // What is kept in memory can be read; if not, the document ends here.
        self.reader.fill_buf().ok()?.first().copied()
    }

    /// Reads the document: an object, or `null`. `visit` is called for each member and takes its
    /// value.
    pub(super) fn document<E: From<JsonError>>(
        &mut self,
        visit: &mut dyn FnMut(&mut Self, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.skip_blanks()?;
        match self.peek() {
            Some(b'{') => self.members(visit)?,
            Some(first) => {
                let line = self.line;
                let is_complete = self.part()?;
                self.check_part(is_complete, line)?;
                if first != b'n' {
                    return Err(self.error("it is no object").into());
                }
            }
            None => return Err(self.error("it ends early").into()),
        }
        self.skip_blanks()?;
        if self.dialect == Dialect::Strict && self.peek().is_some() {
            return Err(self.error("something follows the value").into());
        }
        Ok(())
    }

    /// Reads an object. `visit` is called for each member and takes its value.
    pub(super) fn members<E: From<JsonError>>(
        &mut self,
        visit: &mut dyn FnMut(&mut Self, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut names: HashSet<u64> = HashSet::new();
        self.container(b'}', &mut |skeleton| {
            let name = skeleton.name()?;
            let is_strict = skeleton.dialect == Dialect::Strict;
            if is_strict && !names.insert(skeleton.hasher.hash_one(&name)) {
                return Err(skeleton.error("the name of a member occurs twice").into());
            }
            visit(skeleton, &name)
        })
    }

    /// Reads an array. `visit` is called for each element and takes it.
    pub(super) fn items<E: From<JsonError>>(
        &mut self,
        visit: &mut dyn FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.container(b']', visit)
    }

    fn container<E: From<JsonError>>(
        &mut self,
        closing: u8,
        visit: &mut dyn FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.take(1);
        self.skip_blanks()?;
        if self.peek() == Some(closing) {
            self.take(1);
            return Ok(());
        }
        loop {
            visit(self)?;
            self.skip_blanks()?;
            match self.peek() {
                Some(b',') => {
                    self.take(1);
                    self.skip_blanks()?;
                }
                Some(byte) if byte == closing => {
                    self.take(1);
                    return Ok(());
                }
                Some(_) => {
                    return Err(self.error("a comma or a closing bracket is missing").into());
                }
                None => return Err(self.error("it ends early").into()),
            }
        }
    }

    /// Reads the name of a member and its colon.
    fn name(&mut self) -> Result<String, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.error("the name of a member is missing"));
        }
        if !self.part()? {
            return Err(JsonError {
                is_limit: true,
                ..self.error("a name is too long (document_part_size_bytes_max)")
            });
        }
        check_string(&self.part, 0, self.dialect).map_err(|(_, message)| self.error(message))?;
        let name = name_of(&self.part).into_owned();
        self.skip_blanks()?;
        if self.peek() != Some(b':') {
            return Err(self.error("a colon is missing"));
        }
        self.take(1);
        self.skip_blanks()?;
        Ok(name)
    }

    /// Takes a value. Says whether it is complete in [`Skeleton::bytes`], as one that is too large
    /// is not.
    pub(super) fn part(&mut self) -> Result<bool, JsonError> {
        self.part_of(self.part_size_bytes_max)
    }

    /// As [`Skeleton::part`], of a value that may have another size.
    pub(super) fn part_of(&mut self, size_bytes_max: usize) -> Result<bool, JsonError> {
        let mut part = std::mem::take(&mut self.part);
        part.clear();
        let mut is_complete = true;
        let taken = self.value(&mut |bytes| {
            is_complete = is_complete && part.len().saturating_add(bytes.len()) <= size_bytes_max;
            if is_complete {
                part.extend(bytes);
            }
        });
        self.part = part;
        taken.map(|()| is_complete)
    }

    /// Takes a value that nobody wants.
    pub(super) fn skip(&mut self) -> Result<(), JsonError> {
        self.value(&mut |_| {})
    }

    /// Checks the last part, which began after some lines.
    pub(super) fn check_part(&self, is_complete: bool, line: u64) -> Result<(), JsonError> {
        match is_complete {
            true => check_text(&self.part, self.dialect, line),
            false => Ok(()),
        }
    }

    /// Checks that a value of a type follows.
    pub(super) fn expect_type(&mut self, opening: u8, name: &str) -> Result<(), JsonError> {
        if self.peek() == Some(opening) {
            return Ok(());
        }
        let expected = if opening == b'[' {
            "a sequence"
        } else {
            "a map"
        };
        Err(self.error(&format!("{name}: invalid type, expected {expected}")))
    }

    /// Takes a value, and shows its bytes piece by piece.
    fn value(&mut self, show: &mut dyn FnMut(&[u8])) -> Result<(), JsonError> {
        let mut extent = match self.peek() {
            Some(b'{' | b'[') => Extent::Container { depth: 0 },
            Some(b'"') => Extent::String { depth: 0 },
            Some(_) => Extent::Word,
            None => return Err(self.error("it ends early")),
        };
        let mut is_begun = false;
        loop {
            let piece = self.reader.fill_buf().unwrap_or_default();
            if piece.is_empty() {
                // A word may end the document; whether it is one is checked with the part.
                return match extent {
                    Extent::Word if is_begun => Ok(()),
                    _ => Err(self.error("it ends early")),
                };
            }
            let (count, is_over) = extent.find_end(piece, is_begun);
            let taken = piece.get(..count).unwrap_or(piece);
            show(taken);
            self.line += memchr_iter(b'\n', taken).count() as u64;
            is_begun = true;
            self.reader.consume(count);
            if is_over {
                return Ok(());
            }
        }
    }

    fn skip_blanks(&mut self) -> Result<(), JsonError> {
        loop {
            let piece = match self.reader.fill_buf() {
                Ok(piece) => piece,
                Err(error) => return Err(unreadable(self.line, &error)),
            };
            let count = piece
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
                .count();
            let blanks = piece.get(..count).unwrap_or_default();
            self.line += memchr_iter(b'\n', blanks).count() as u64;
            let is_over = count < piece.len() || piece.is_empty();
            self.reader.consume(count);
            if is_over {
                return Ok(());
            }
        }
    }

    fn take(&mut self, count: usize) {
        self.reader.consume(count);
    }

    fn error(&self, message: &str) -> JsonError {
        JsonError {
            line: self.line + 1,
            message: message.to_owned(),
            is_limit: false,
        }
    }
}

fn unreadable(line: u64, error: &io::Error) -> JsonError {
    JsonError {
        line: line + 1,
        message: error.to_string(),
        is_limit: false,
    }
}

/// Knows where in a value the reader is.
#[derive(Clone, Copy)]
enum Extent {
    /// In an object or array, outside of strings; brackets that are open.
    Container { depth: u64 },
    /// In a string.
    String { depth: u64 },
    /// Behind a backslash in a string.
    Escape { depth: u64 },
    /// In a number or the like.
    Word,
}

impl Extent {
    /// Looks for the end of the value in the next piece. Returns how many bytes of the piece belong
    /// to the value, and whether it ends there.
    fn find_end(&mut self, piece: &[u8], is_begun: bool) -> (usize, bool) {
        let mut at = 0;
        // The quotation mark that opens a string is none that closes it.
        if let (Self::String { depth: 0 }, false) = (*self, is_begun) {
            at = 1;
        }
        while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            match *self {
                Self::Word => {
                    let length = end_of_word(rest, 0);
                    // What is no word is a part too: it is found to be none.
                    let least = usize::from(!is_begun);
                    return (at + length.max(least), length < rest.len());
                }
                Self::Escape { depth } => {
                    *self = Self::String { depth };
                    at += 1;
                }
                Self::String { depth } => {
                    let Some(length) = memchr2(b'"', b'\\', rest) else {
                        return (piece.len(), false);
                    };
                    at += length + 1;
                    if rest.get(length) == Some(&b'\\') {
                        *self = Self::Escape { depth };
                    } else if depth == 0 {
                        return (at, true);
                    } else {
                        *self = Self::Container { depth };
                    }
                }
                Self::Container { mut depth } => {
                    for byte in rest {
                        at += 1;
                        match byte {
                            b'{' | b'[' => depth += 1,
                            b'}' | b']' => depth = depth.saturating_sub(1),
                            b'"' => {
                                *self = Self::String { depth };
                                break;
                            }
                            _ => continue,
                        }
                        if depth == 0 {
                            return (at, true);
                        }
                    }
                    if let Self::Container { depth: known } = self {
                        *known = depth;
                    }
                }
            }
        }
        (piece.len(), false)
    }
}
