//! Checking a text, and finding values in it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::decoder::DecodeError;
use super::text::{self, decode_string};
use super::{DEPTH_MAX, Dialect, JsonError};

/// Values of fewer bytes are skipped by looking at each; the ends of larger ones are remembered.
const REMEMBERED_SIZE_BYTES_MIN: usize = 1_024;

/// Holds a text whose (first) value is known to be well-formed.
pub(super) struct Document<'de> {
    pub(super) bytes: &'de [u8],
    pub(super) dialect: Dialect,
    /// Where the value begins.
    pub(super) start: usize,
    /// The ends of large objects and arrays, by their beginnings.
    ends: HashMap<usize, usize>,
    /// Keys for the hashes of names, which nobody can foresee.
    hasher: RandomState,
}

/// An object or array that has begun.
struct Frame {
    start: usize,
    /// The hashes of the names seen, where they must differ: they take less room than the names of
    /// an object with millions of members. `None` in arrays.
    names: Option<HashSet<u64>>,
}

/// Says what is wrong at which byte.
type Fault = (usize, &'static str);

impl<'de> Document<'de> {
    /// Checks the text.
    ///
    /// # Errors
    ///
    /// It is malformed, or nested too deeply.
    pub(super) fn scan(bytes: &'de [u8], dialect: Dialect) -> Result<Self, JsonError> {
        let mut document = Self {
            bytes,
            dialect,
            start: skip_blanks(bytes, 0),
            ends: HashMap::new(),
            hasher: RandomState::new(),
        };
        match document.check() {
            Ok(()) => Ok(document),
            Err((at, message)) => Err(JsonError {
                line: document.line_of(at),
                message: message.to_owned(),
                is_limit: false,
            }),
        }
    }

    /// Returns the byte at a place.
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Returns the first place from `at` on that is no blank.
    pub(super) fn skip_blanks(&self, at: usize) -> usize {
        skip_blanks(self.bytes, at)
    }

    /// Returns the place behind the value that begins at a place.
    pub(super) fn end_of(&self, start: usize) -> usize {
        match self.byte(start) {
            Some(b'"') => text::end_of_string(self.bytes, start),
            Some(b'{' | b'[') => match self.ends.get(&start) {
                Some(end) => *end,
                None => self.end_of_container(start),
            },
            _ => end_of_word(self.bytes, start),
        }
    }

    /// Returns the text of the string that begins at a place.
    pub(super) fn string(&self, start: usize) -> Cow<'de, str> {
        decode_string(self.bytes, start)
    }

    /// Returns the word (a number, `true` …) that begins at a place.
    pub(super) fn word(&self, start: usize) -> &'de str {
        let word = self.bytes.get(start..end_of_word(self.bytes, start));
        std::str::from_utf8(word.unwrap_or_default()).unwrap_or_default()
    }

    /// Returns the line of a place, counted from 1.
    pub(super) fn line_of(&self, at: usize) -> u64 {
        1 + self.line_feeds(0, at)
    }

    /// Counts the line feeds between two places.
    pub(super) fn line_feeds(&self, from: usize, to: usize) -> u64 {
        let between = self.bytes.get(from..to).unwrap_or_default();
        between.iter().filter(|byte| **byte == b'\n').count() as u64
    }

    /// Adds the line to an error.
    pub(super) fn describe(&self, error: DecodeError) -> JsonError {
        JsonError {
            line: self.line_of(error.at.unwrap_or(self.start)),
            message: error.message,
            is_limit: error.is_limit,
        }
    }

    fn end_of_container(&self, start: usize) -> usize {
        let mut depth = 0_usize;
        let mut at = start;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'"' => {
                    at = text::end_of_string(self.bytes, at);
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
        at
    }

    fn check(&mut self) -> Result<(), Fault> {
        let end = self.check_value()?;
        let rest = skip_blanks(self.bytes, end);
        if self.dialect == Dialect::Strict && rest < self.bytes.len() {
            return Err((rest, "something follows the value"));
        }
        Ok(())
    }

    /// Checks the first value, and remembers the ends of large ones. Returns its end.
    fn check_value(&mut self) -> Result<usize, Fault> {
        let mut frames: Vec<Frame> = Vec::new();
        let mut at = self.start;
        loop {
            let (after, opened) = self.check_beginning(at)?;
            at = after;
            if let Some(frame) = opened {
                frames.push(frame);
                if frames.len() > DEPTH_MAX {
                    return Err((at, "it is nested too deeply"));
                }
                at = skip_blanks(self.bytes, at);
                let is_empty = matches!(self.byte(at), Some(b'}' | b']'));
                if !is_empty {
                    at = self.check_name(&mut frames, at)?;
                    continue;
                }
            }
            match self.check_ends(&mut frames, at)? {
                (end, true) => return Ok(end),
                (next, false) => at = next,
            }
        }
    }

    /// Checks a scalar, or the bracket that opens an object or array.
    fn check_beginning(&self, at: usize) -> Result<(usize, Option<Frame>), Fault> {
        let frame = |names| {
            let frame = Frame { start: at, names };
            Ok((at + 1, Some(frame)))
        };
        match self.byte(at) {
            Some(b'{') => frame(Some(HashSet::new())),
            Some(b'[') => frame(None),
            Some(b'"') => Ok((text::check_string(self.bytes, at, self.dialect)?, None)),
            Some(_) => Ok((self.check_word(at)?, None)),
            None => Err((at, "it ends early")),
        }
    }

    /// Checks what follows a value: brackets that close, or a comma. Returns the place of the
    /// next value, or the end of all and `true`.
    fn check_ends(
        &mut self,
        frames: &mut Vec<Frame>,
        mut at: usize,
    ) -> Result<(usize, bool), Fault> {
        loop {
            let Some(frame) = frames.last() else {
                return Ok((at, true));
            };
            let closing = if frame.names.is_some() { b'}' } else { b']' };
            let start = frame.start;
            at = skip_blanks(self.bytes, at);
            match self.byte(at) {
                Some(b',') => {
                    at = skip_blanks(self.bytes, at + 1);
                    return Ok((self.check_name(frames, at)?, false));
                }
                Some(byte) if byte == closing => {
                    at += 1;
                    frames.pop();
                    if at - start >= REMEMBERED_SIZE_BYTES_MIN {
                        self.ends.insert(start, at);
                    }
                }
                Some(_) => return Err((at, "a comma or a closing bracket is missing")),
                None => return Err((at, "it ends early")),
            }
        }
    }

    /// Checks the name of a member with its colon; there is none in an array. Returns the place
    /// of the value.
    fn check_name(&self, frames: &mut [Frame], at: usize) -> Result<usize, Fault> {
        let Some(Frame {
            names: Some(names), ..
        }) = frames.last_mut()
        else {
            return Ok(at);
        };
        if self.byte(at) != Some(b'"') {
            return Err((at, "the name of a member is missing"));
        }
        let end = text::check_string(self.bytes, at, self.dialect)?;
        if self.dialect == Dialect::Strict && !names.insert(self.hasher.hash_one(self.string(at))) {
            return Err((at, "the name of a member occurs twice"));
        }
        let colon = skip_blanks(self.bytes, end);
        if self.byte(colon) != Some(b':') {
            return Err((colon, "a colon is missing"));
        }
        Ok(skip_blanks(self.bytes, colon + 1))
    }

    fn check_word(&self, at: usize) -> Result<usize, Fault> {
        let end = end_of_word(self.bytes, at);
        let word = self.bytes.get(at..end).unwrap_or_default();
        if matches!(word, b"true" | b"false" | b"null") || is_number(word) {
            return Ok(end);
        }
        Err((at, "it is not JSON"))
    }
}

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Returns the place behind the word that begins at a place.
pub(super) fn end_of_word(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Says whether a word is a number. Source: RFC 8259 section 6.
fn is_number(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"-").unwrap_or(word);
    let (integer, rest) = digits(word);
    let rest = match rest.strip_prefix(b".") {
        Some(rest) => match digits(rest) {
            ([], _) => return false,
            (_, rest) => rest,
        },
        None => rest,
    };
    let has_leading_zero = integer.len() > 1 && integer.starts_with(b"0");
    !integer.is_empty() && !has_leading_zero && is_exponent_or_nothing(rest)
}

fn is_exponent_or_nothing(word: &[u8]) -> bool {
    let Some(rest) = word.strip_prefix(b"e").or(word.strip_prefix(b"E")) else {
        return word.is_empty();
    };
    let sign_cut = rest.strip_prefix(b"+").or(rest.strip_prefix(b"-"));
    let (exponent, rest) = digits(sign_cut.unwrap_or(rest));
    !exponent.is_empty() && rest.is_empty()
}

/// Splits the digits off that a text begins with.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at_checked(count).unwrap_or((text, &[]))
}
