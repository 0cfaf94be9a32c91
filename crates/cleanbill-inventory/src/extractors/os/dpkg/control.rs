//! Paragraphs of dpkg's control files, as a stream.
//!
//! The reference implementation reads each paragraph as MIME headers (Go's `net/textproto`), so
//! what is a field, and what makes a paragraph malformed, follows that: paragraphs end at an
//! entirely empty line, a blank line that ends in CR LF ends the fields but not the paragraph,
//! names are tokens, values hold no control characters, and folded lines are joined by one blank.

use crate::extractor::{ExtractError, FileInput};
use crate::lines::{Lines, text};

/// Reads paragraphs one after the other, keeping only the wanted fields.
pub(super) struct Paragraphs<'a, const N: usize> {
    lines: Lines<'a>,
    names: [&'static str; N],
    value_size_bytes_max: usize,
}

/// Holds what one paragraph says.
pub(super) struct Paragraph<const N: usize> {
    /// The values of the wanted fields, in the order of their names, empty where there are none.
    /// `None` if the paragraph makes no sense.
    pub(super) fields: Option<[String; N]>,
    /// Part of the paragraph, or all of it, was left out.
    pub(super) is_damaged: bool,
    /// Where it ends.
    pub(super) end: ParagraphEnd,
}

/// Says where a paragraph ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParagraphEnd {
    /// At an empty line.
    EmptyLine,
    /// With the last line of the file.
    EndOfFile,
    /// Within a line, where the file ends: what it says there may be cut.
    WithinLine,
}

impl<'a, const N: usize> Paragraphs<'a, N> {
    /// Starts at the beginning of a file. Names are compared without case.
    pub(super) fn new(file: &'a mut FileInput<'_>, names: [&'static str; N]) -> Self {
        let max = file.limits.line_size_bytes_max;
        Self {
            lines: Lines::new(file),
            names,
            value_size_bytes_max: usize::try_from(max).unwrap_or(usize::MAX),
        }
    }

    /// Returns the next paragraph, `None` at the end.
    ///
    /// # Errors
    ///
    /// Reading failed, or a line is longer than the limit.
    pub(super) fn next(&mut self) -> Result<Option<Paragraph<N>>, ExtractError> {
        let mut parser = Parser::new(&self.names, self.value_size_bytes_max);
        let mut has_lines = false;
        while let Some(line) = self.lines.next_raw()? {
            if line.is_empty() && has_lines {
                return Ok(Some(parser.finish(ParagraphEnd::EmptyLine)));
            }
            has_lines = true;
            parser.line(line.strip_suffix(b"\r").unwrap_or(line));
        }
        let end = match self.lines.is_last_ended() {
            true => ParagraphEnd::EndOfFile,
            false => ParagraphEnd::WithinLine,
        };
        Ok(has_lines.then(|| parser.finish(end)))
    }
}

/// Collects the fields of one paragraph.
struct Parser<'a, const N: usize> {
    names: &'a [&'static str; N],
    values: [Option<Vec<u8>>; N],
    /// The field that a folded line continues.
    current: Current,
    value_size_bytes_max: usize,
    state: State,
}

#[derive(Clone, Copy)]
enum Current {
    /// No line has come yet.
    None,
    /// A field that is not wanted.
    Unwanted,
    /// A wanted field, by its place among the names.
    Wanted(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fields,
    /// A blank line has ended the fields.
    Ended,
    /// More followed.
    Cut,
    Malformed,
}

impl<'a, const N: usize> Parser<'a, N> {
    fn new(names: &'a [&'static str; N], value_size_bytes_max: usize) -> Self {
        Self {
            names,
            values: std::array::from_fn(|_| None),
            current: Current::None,
            value_size_bytes_max,
            state: State::Fields,
        }
    }

    fn line(&mut self, line: &[u8]) {
        self.state = match self.state {
            State::Fields => self.line_of_fields(line),
            State::Ended if line.is_empty() => State::Ended,
            State::Ended | State::Cut => State::Cut,
            State::Malformed => State::Malformed,
        };
    }

    fn line_of_fields(&mut self, line: &[u8]) -> State {
        let Some(first) = line.first() else {
            return State::Ended;
        };
        let is_sound = if is_blank(*first) {
            self.fold(line)
        } else {
            self.field(line)
        };
        if is_sound {
            State::Fields
        } else {
            State::Malformed
        }
    }

    /// Takes `name: value`; says whether it is one.
    fn field(&mut self, line: &[u8]) -> bool {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return false;
        };
        let (name, value) = line.split_at(colon);
        let value = trim(value.get(1..).unwrap_or_default());
        let is_name = !name.is_empty() && name.iter().all(|byte| is_token(*byte) || *byte == b' ');
        if !is_name || !value.iter().all(|byte| is_value(*byte)) {
            return false;
        }
        let wanted = self
            .names
            .iter()
            .position(|wanted| name.eq_ignore_ascii_case(wanted.as_bytes()));
        self.current = match wanted.and_then(|at| Some((at, self.values.get_mut(at)?))) {
            // Of several fields of one name the first counts.
            Some((at, slot @ None)) => {
                *slot = Some(value.to_vec());
                Current::Wanted(at)
            }
            _ => Current::Unwanted,
        };
        true
    }

    /// Takes a line that continues a field; says whether it may.
    fn fold(&mut self, line: &[u8]) -> bool {
        let value = trim(line);
        let slot = match self.current {
            Current::None => return false,
            Current::Unwanted => None,
            Current::Wanted(at) => self.values.get_mut(at).and_then(Option::as_mut),
        };
        if let Some(slot) = slot {
            if slot.len().saturating_add(value.len()) > self.value_size_bytes_max {
                return false;
            }
            // A field that begins with a folded line begins with its text.
            if !slot.is_empty() {
                slot.push(b' ');
            }
            slot.extend_from_slice(value);
        }
        value.iter().all(|byte| is_value(*byte))
    }

    fn finish(self, end: ParagraphEnd) -> Paragraph<N> {
        let values = self
            .values
            .map(|value| value.map(|bytes| text(&bytes)).unwrap_or_default());
        Paragraph {
            fields: (self.state != State::Malformed).then_some(values),
            is_damaged: matches!(self.state, State::Malformed | State::Cut),
            end,
        }
    }
}

fn trim(mut line: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = line
        && is_blank(*first)
    {
        line = rest;
    }
    while let [rest @ .., last] = line
        && is_blank(*last)
    {
        line = rest;
    }
    line
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// A byte of a field name, RFC 7230 `tchar`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A byte of a value: no control characters but the tabulator.
const fn is_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use cleanbill_core::Limits;

    use super::*;

    fn read(content: &str) -> Vec<Option<[String; 2]>> {
        let limits = Limits::default();
        let mut body = content.as_bytes();
        let mut file = FileInput {
            path: "f",
            size_bytes: 0,
            body: &mut body,
            limits: &limits,
        };
        let mut paragraphs = Paragraphs::new(&mut file, ["Package", "Depends"]);
        let mut found = Vec::new();
        while let Some(paragraph) = paragraphs.next().unwrap() {
            assert!(paragraph.fields.is_some() || paragraph.is_damaged);
            found.push(paragraph.fields);
        }
        found
    }

    #[track_caller]
    fn check(content: &str, expected: &[Option<[&str; 2]>]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|fields| fields.map(|values| values.map(str::to_owned)))
            .collect();
        assert_eq!(read(content), expected, "{content:?}");
    }

    #[test]
    fn fields_are_found_by_name() {
        check(
            "Package: a\nX: y\n\npackage:b\nDEPENDS: c,\n d\n\t e\n",
            &[Some(["a", ""]), Some(["b", "c, d e"])],
        );
        check("Package: a\nPackage: b\n c\n", &[Some(["a", ""])]);
        check("Package: a\r\nDepends: b\r\n", &[Some(["a", "b"])]);
        check("Package : a\nDepends:\n b\n", &[Some(["", "b"])]);
        check("", &[]);
    }

    #[test]
    fn malformed_paragraphs_are_told() {
        for content in [
            "no colon\n",
            " Package: a\n",
            ": a\n",
            "Pack(age: a\n",
            "Package: a\u{1}\n",
            "Package: a\nX: b\n \u{7f}\n",
        ] {
            check(content, &[None]);
        }
        check("bad\n\nPackage: a\n", &[None, Some(["a", ""])]);
    }

    #[test]
    fn what_follows_a_blank_line_is_lost() {
        check("Package: a\n\r\nDepends: b\n", &[Some(["a", ""])]);
        check("\nPackage: a\n", &[Some(["", ""])]);
    }

    #[test]
    fn empty_lines_in_pairs_are_empty_paragraphs() {
        check(
            "\n\nPackage: a\n\n\n\nPackage: b\n",
            &[
                Some(["", ""]),
                Some(["a", ""]),
                Some(["", ""]),
                Some(["b", ""]),
            ],
        );
    }
}
