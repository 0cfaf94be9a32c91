//! Giving a value to serde.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{self, Deserializer, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::TYPED_DEPTH_MAX;
use super::access::{Elements, Fields, Members, Nothing};
use super::located::{LOCATED, Lines, LocatedAccess};
use super::scan::Document;

/// Decodes the value at one place of a document.
pub(super) struct Decoder<'a, 'de> {
    pub(super) document: &'a Document<'de>,
    pub(super) start: usize,
    pub(super) depth: u32,
    pub(super) lines: &'a Lines,
    /// Bytes that are left for the items of lists and maps.
    pub(super) items_left: &'a Cell<usize>,
}

/// Says why a value has not the type that is wanted.
#[derive(Debug)]
pub(super) struct DecodeError {
    /// The place of the innermost value, once known.
    pub(super) at: Option<usize>,
    pub(super) message: String,
    pub(super) is_limit: bool,
}

impl DecodeError {
    /// Adds the place of the value, unless a value inside it is known to be at fault.
    pub(super) fn at(mut self, start: usize) -> Self {
        self.at.get_or_insert(start);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            at: None,
            message: message.to_string(),
            is_limit: false,
        }
    }
}

impl<'a, 'de> Decoder<'a, 'de> {
    /// Decodes a value inside this one.
    pub(super) fn inner(&self, start: usize) -> Self {
        Self {
            document: self.document,
            start,
            depth: self.depth + 1,
            lines: self.lines,
            items_left: self.items_left,
        }
    }

    /// Takes room for one more item of a type in a list or map.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(super) fn take_item<T>(&self) -> Result<(), DecodeError> {
        let left = self.items_left.get().checked_sub(size_of::<T>());
        self.items_left.set(left.ok_or_else(|| DecodeError {
            at: Some(self.start),
            message: "the document has too many items".to_owned(),
            is_limit: true,
        })?);
        Ok(())
    }

    fn first_byte(&self) -> u8 {
        self.document.byte(self.start).unwrap_or_default()
    }

    pub(super) fn is_null(&self) -> bool {
        self.first_byte() == b'n'
    }

    fn check_depth(&self) -> Result<(), DecodeError> {
        if self.depth < TYPED_DEPTH_MAX {
            return Ok(());
        }
        Err(de::Error::custom("it is nested too deeply"))
    }

    fn number<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, DecodeError> {
        let word = self.document.word(self.start);
        if let Ok(number) = word.parse() {
            return visitor.visit_u64(number);
        }
        if let Ok(number) = word.parse() {
            return visitor.visit_i64(number);
        }
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => visitor.visit_f64(number),
            _ => Err(de::Error::custom("a number is too large")),
        }
    }
}

/// Decodes `null` as an empty value of the type that is wanted.
macro_rules! null_is {
    ($($method:ident => $empty:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            if self.is_null() {
                let empty: fn(V) -> Result<V::Value, DecodeError> = $empty;
                return empty(visitor);
            }
            self.deserialize_any(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Decoder<'_, 'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.first_byte() {
            b'{' => {
                self.check_depth()?;
                visitor.visit_map(Members::new(self))
            }
            b'[' => {
                self.check_depth()?;
                visitor.visit_seq(Elements::new(self))
            }
            b'"' => match self.document.string(self.start) {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            b't' => visitor.visit_bool(true),
            b'f' => visitor.visit_bool(false),
            b'n' => visitor.visit_unit(),
            _ => self.number(visitor),
        }
    }

    null_is! {
        deserialize_bool => |visitor| visitor.visit_bool(false);
        deserialize_i8 => |visitor| visitor.visit_u64(0);
        deserialize_i16 => |visitor| visitor.visit_u64(0);
        deserialize_i32 => |visitor| visitor.visit_u64(0);
        deserialize_i64 => |visitor| visitor.visit_u64(0);
        deserialize_u8 => |visitor| visitor.visit_u64(0);
        deserialize_u16 => |visitor| visitor.visit_u64(0);
        deserialize_u32 => |visitor| visitor.visit_u64(0);
        deserialize_u64 => |visitor| visitor.visit_u64(0);
        deserialize_f32 => |visitor| visitor.visit_u64(0);
        deserialize_f64 => |visitor| visitor.visit_u64(0);
        deserialize_str => |visitor| visitor.visit_str("");
        deserialize_string => |visitor| visitor.visit_str("");
        deserialize_seq => |visitor| visitor.visit_seq(Nothing);
        deserialize_map => |visitor| visitor.visit_map(Nothing);
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.first_byte() {
            b'{' => {
                self.check_depth()?;
                visitor.visit_map(Fields::new(self, fields))
            }
            b'n' => visitor.visit_map(Nothing),
            b'[' => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == LOCATED {
            return visitor.visit_seq(LocatedAccess::new(self)?);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_null() {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    /// Only enums of words: `"variant"`.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if self.first_byte() != b'"' {
            return self.deserialize_any(visitor);
        }
        visitor.visit_enum(self.document.string(self.start).into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}
