//! JSON from images, read as the reference implementation reads it: as one of Go's two decoders.
//!
//! Texts of one object are decoded by [`decode_classic`], documents that list many by [`Parts`].
//! Types are plain serde structs. Both decoders take `null` for "not stated" (so every struct
//! needs `#[serde(default)]`), take no array for a struct, and ignore unknown members; any member
//! of another type than the struct's is an error. They differ in what else they forgive:
//!
//! | | classic | strict |
//! |---|---|---|
//! | names of members | in any case | as they are |
//! | a name twice in an object | the last counts | error |
//! | bytes that are not UTF-8, lone surrogates | replaced | error |
//! | bytes behind the first value | ignored | error |
//!
//! The text is checked as a whole before anything is made of it, without recursion; [`Located`]
//! adds the lines at which an object lies. [`Parts`] reads documents that are too large to be in
//! memory.
//!
//! Source: Go 1.26 `encoding/json` (classic) and `encoding/json/v2` (strict), Trivy 0.74.0
//! `pkg/x/json` (lines). Deviations: members inside untagged enums and flattened structs keep the
//! case of their names; of an object that occurs twice only the last is looked at, it is not
//! joined with the first.

mod access;
mod decoder;
mod located;
mod parts;
mod scan;
mod text;

use std::cell::Cell;

use serde::de::Deserialize;

use crate::extractor::ExtractError;
use decoder::Decoder;
use located::Lines;
use scan::Document;

pub(crate) use located::Located;
pub(crate) use parts::{Field, FieldKind, PartSizes, Parts};
pub(crate) use text::is_name_of;

/// Objects and arrays within each other, as in Go.
const DEPTH_MAX: usize = 10_000;

/// Objects and arrays within each other that may be decoded into types: each takes stack.
const TYPED_DEPTH_MAX: u32 = 128;

/// Bytes that lists and maps may take, without the texts in them: two characters can be an object
/// of hundreds of bytes.
const ITEMS_SIZE_BYTES_MAX: usize = 16 << 20;

/// Says how forgiving the decoder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Classic,
    Strict,
}

/// Says why a text cannot be decoded, and where.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {message}")]
pub(crate) struct JsonError {
    /// The line, counted from 1.
    line: u64,
    message: String,
    is_limit: bool,
}

impl JsonError {
    /// Adds the lines before the text, where that is a part of a larger one.
    fn after(mut self, lines: u64) -> Self {
        self.line += lines;
        self
    }

    /// Adds the name of the member that the text is the value of.
    fn inside(mut self, name: &str) -> Self {
        self.message = format!("{name}: {}", self.message);
        self
    }

    /// Says that a document says more than there is room for.
    pub(crate) fn exceeded(message: String) -> Self {
        Self {
            line: 1,
            message,
            is_limit: true,
        }
    }

    /// Says whether a limit was exceeded, as opposed to the text being wrong.
    pub(crate) fn is_limit(&self) -> bool {
        self.is_limit
    }
}

impl From<JsonError> for ExtractError {
    fn from(error: JsonError) -> Self {
        if error.is_limit {
            return Self::LimitExceeded(error.to_string());
        }
        Self::Malformed(error.to_string())
    }
}

/// Decodes the first value of a text as Go's `encoding/json` does.
///
/// # Errors
///
/// The value is malformed, nested too deeply, or has other types than wanted.
pub(crate) fn decode_classic<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, JsonError> {
    decode(bytes, Dialect::Classic)
}

/// Decodes a text that is one value as Go's `encoding/json/v2` does. Outside of tests such texts are
/// read by [`Parts::strict`].
///
/// # Errors
///
/// As [`decode_classic`], and for what the module's table says.
#[cfg(test)]
pub(crate) fn decode_strict<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, JsonError> {
    decode(bytes, Dialect::Strict)
}

fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8], dialect: Dialect) -> Result<T, JsonError> {
    decode_part(bytes, dialect, &Lines::default())
}

/// Decodes a part of a larger text, of which the lines are counted.
fn decode_part<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    dialect: Dialect,
    lines: &Lines,
) -> Result<T, JsonError> {
    let document = Document::scan(bytes, dialect)?;
    let root = Decoder {
        document: &document,
        start: document.start,
        depth: 0,
        lines,
        items_left: &Cell::new(ITEMS_SIZE_BYTES_MAX),
    };
    T::deserialize(root).map_err(|error| document.describe(error))
}

#[cfg(test)]
mod tests;
