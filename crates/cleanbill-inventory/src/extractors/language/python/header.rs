//! The header of a message, as Go reads it.
//!
//! Source: Go 1.26 `net/textproto`, `Reader.ReadMIMEHeader`.

use crate::lines::text;

/// Holds the fields of a header, up to its end or the first line that makes no sense.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    fields: Vec<(String, String)>,
}

impl Header {
    /// Reads the fields at the beginning of a text.
    pub(super) fn read(text: &[u8]) -> Self {
        let mut header = Self::default();
        let mut lines = Lines { rest: text };
        // The first line continues none.
        if lines.continues() {
            return header;
        }
        while let Some(field) = lines.next_field() {
            header.fields.push(field);
        }
        header
    }

    /// Returns the value of the first field of a name, empty if there is none.
    pub(super) fn get(&self, name: &'static str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Returns the values of all fields of a name, which may be in any case.
    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let named = self
            .fields
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

/// Takes lines off the beginning of a text.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    /// Returns the next field with the lines that continue it; `None` at the end of the header,
    /// and for a line that is no field.
    fn next_field(&mut self) -> Option<(String, String)> {
        let line = self.next().filter(|line| line.contains(&b':'))?;
        let mut line = trim(line).to_vec();
        while self.continues() {
            line.push(b' ');
            line.extend(trim(self.next().unwrap_or_default()));
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let value = value.strip_prefix(b":")?;
        let is_field = !name.is_empty()
            && name.iter().all(|byte| is_name_byte(*byte))
            && value.iter().all(|byte| is_value_byte(*byte));
        is_field.then(|| (text(name), text(trim_start(value))))
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let length = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match length {
            Some(length) => (self.rest.get(..length)?, self.rest.get(length + 1..)?),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        match length {
            Some(_) => Some(line.strip_suffix(b"\r").unwrap_or(line)),
            None => Some(line),
        }
    }

    /// Says whether the next line goes on with the last.
    fn continues(&self) -> bool {
        matches!(self.rest.first(), Some(b' ' | b'\t'))
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let mut line = trim_start(line);
    while let Some((b' ' | b'\t', rest)) = line.split_last() {
        line = rest;
    }
    line
}

fn trim_start(mut line: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = line.split_first() {
        line = rest;
    }
    line
}

/// Says whether a name may hold a byte: a letter, a digit, a sign of a token; and a blank, although
/// a name with one is none that anybody asks for.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~ ".contains(&byte)
}

/// Says whether a value may hold a byte: no control characters but the tab.
fn is_value_byte(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &[u8], expected: &[(&str, &str)]) {
        let expected = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(Header::read(text), Header { fields: expected });
    }

    #[test]
    fn fields_end_at_a_blank_line() {
        check(
            b"Name: a\r\nVERSION:\t 1 \n\nLater: x\n",
            &[("Name", "a"), ("VERSION", "1")],
        );
        check(b"Name: a\n\r\nLater: x\n", &[("Name", "a")]);
        check(b"Name: a", &[("Name", "a")]);
        check(b"", &[]);
        check(b"\nName: a\n", &[]);
    }

    #[test]
    fn lines_that_begin_with_a_blank_go_on() {
        check(b"A: b\n  c \n\td\nE: f\n", &[("A", "b c d"), ("E", "f")]);
        check(b"A: b\n \n\nE: f\n", &[("A", "b ")]);
        check(b"A:\n b\n", &[("A", "b")]);
        check(b" A: b\nC: d\n", &[]);
    }

    #[test]
    fn a_line_that_is_no_field_ends_the_reading() {
        for line in [
            "no colon",
            ": no name",
            "b\u{e9}: name",
            "b(: name",
            "B: bell\u{7}",
            "B: b\n c\u{7f}",
            "no colon\n but: here",
        ] {
            let text = format!("A: b\n{line}\nC: d\n");
            check(text.as_bytes(), &[("A", "b")]);
        }
        check(b"A b : c\nD: \xe9\n", &[("A b ", "c"), ("D", "\u{fffd}")]);
    }

    #[test]
    fn names_are_found_in_any_case() {
        let header = Header::read(b"License-File: a\nlicense-file: b\n");
        assert_eq!(header.get("License-FILE"), "a");
        assert_eq!(header.all("license-file").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(header.get("Name"), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_bytes_are_a_header(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let header = Header::read(&bytes);
            prop_assert!(header.fields.len() <= bytes.len());
        }
    }
}
