//! The lines at which objects lie.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use cleanbill_core::package::Location;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::decoder::{DecodeError, Decoder};
use super::scan::Document;

/// The name under which [`Located`] asks the decoder for lines.
pub(super) const LOCATED: &str = "$cleanbill::Located";

/// Pairs an object with the lines of its brackets.
///
/// As in the reference implementation the lines are 0 if another object with lines begins on the
/// same line. Only for the strict decoder, whose objects are met in
/// the order of the text; `null` in place of the object is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) location: Location,
}

/// Remembers what was counted last: lines are asked for in the order of the text.
#[derive(Default)]
pub(super) struct Lines {
    /// A place, and its line.
    counted: Cell<(usize, u64)>,
    /// The last line at which an object with a location began; 0 for none.
    last_start: Cell<u64>,
    /// Lines before the text, where that is a part of a larger one.
    before: Cell<u64>,
}

impl Lines {
    /// Begins with another part of a text, which stands behind some lines.
    pub(super) fn begin_part(&self, before: u64) {
        self.counted.set((0, 0));
        self.before.set(before);
    }

    fn line_of(&self, document: &Document<'_>, at: usize) -> u64 {
        let (from, line) = match self.counted.get() {
            (from, line) if line > 0 && from <= at => (from, line),
            _ => (0, 1),
        };
        let line = line + document.line_feeds(from, at);
        self.counted.set((at, line));
        self.before.get() + line
    }
}

/// Gives the parts of a [`Located`]: the value, then the first and the last line.
pub(super) struct LocatedAccess<'a, 'de> {
    value: Option<Decoder<'a, 'de>>,
    lines: std::vec::IntoIter<u64>,
}

impl<'a, 'de> LocatedAccess<'a, 'de> {
    pub(super) fn new(decoder: Decoder<'a, 'de>) -> Result<Self, DecodeError> {
        let document = decoder.document;
        if document.byte(decoder.start) != Some(b'{') {
            return Err(de::Error::custom("it is no object"));
        }
        let start_line = decoder.lines.line_of(document, decoder.start);
        let lines = if decoder.lines.last_start.replace(start_line) == start_line {
            vec![0, 0]
        } else {
            // Lines inside are asked for later: the count goes on from the beginning.
            let length = document.line_feeds(decoder.start, document.end_of(decoder.start));
            vec![start_line, start_line + length]
        };
        Ok(Self {
            value: Some(decoder),
            lines: lines.into_iter(),
        })
    }
}

impl<'de> SeqAccess<'de> for LocatedAccess<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        if let Some(value) = self.value.take() {
            return seed.deserialize(value).map(Some);
        }
        match self.lines.next() {
            Some(line) => seed
                .deserialize(de::value::U64Deserializer::new(line))
                .map(Some),
            None => Ok(None),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(LOCATED, LocatedVisitor(PhantomData))
    }
}

struct LocatedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LocatedVisitor<T> {
    type Value = Located<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let missing = || de::Error::custom("the decoder knows no lines");
        let value = parts.next_element()?.ok_or_else(missing)?;
        let start_line: u64 = parts.next_element()?.ok_or_else(missing)?;
        let end_line: u64 = parts.next_element()?.ok_or_else(missing)?;
        Ok(Located {
            value,
            location: Location {
                start_line,
                end_line,
            },
        })
    }
}
