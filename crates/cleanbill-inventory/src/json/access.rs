//! Giving the parts of a value to serde.

use serde::de::value::{CowStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

use super::Dialect;
use super::decoder::{DecodeError, Decoder};
use super::text::is_name_of;

/// An object or array without anything in it: what `null` stands for.
pub(super) struct Nothing;

impl<'de> SeqAccess<'de> for Nothing {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        _seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        Ok(None)
    }
}

impl<'de> MapAccess<'de> for Nothing {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        _seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        _seed: V,
    ) -> Result<V::Value, DecodeError> {
        Err(no_member())
    }
}

/// The elements of an array.
pub(super) struct Elements<'a, 'de> {
    array: Decoder<'a, 'de>,
    at: usize,
}

impl<'a, 'de> Elements<'a, 'de> {
    pub(super) fn new(array: Decoder<'a, 'de>) -> Self {
        let at = array.document.skip_blanks(array.start + 1);
        Self { array, at }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let start = self.at;
        if matches!(self.array.document.byte(start), Some(b']') | None) {
            return Ok(None);
        }
        self.array.take_item::<T::Value>()?;
        self.at = next_part(&self.array, start);
        let element = seed.deserialize(self.array.inner(start));
        element.map(Some).map_err(|error| error.at(start))
    }
}

/// The members of an object, as they are.
pub(super) struct Members<'a, 'de> {
    object: Decoder<'a, 'de>,
    /// The next name.
    at: usize,
    /// The value whose name was given.
    value: Option<usize>,
}

impl<'a, 'de> Members<'a, 'de> {
    pub(super) fn new(object: Decoder<'a, 'de>) -> Self {
        let at = object.document.skip_blanks(object.start + 1);
        Self {
            object,
            at,
            value: None,
        }
    }

    /// Returns the places of the next name and its value.
    fn next(&mut self) -> Option<(usize, usize)> {
        let document = self.object.document;
        let name = self.at;
        if document.byte(name) != Some(b'"') {
            return None;
        }
        let colon = document.skip_blanks(document.end_of(name));
        let value = document.skip_blanks(colon + 1);
        self.at = next_part(&self.object, value);
        Some((name, value))
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some((name, value)) = self.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        self.object.take_item::<K::Value>()?;
        let name = self.object.document.string(name);
        seed.deserialize(CowStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let start = self.value.take().ok_or_else(no_member)?;
        self.object.take_item::<V::Value>()?;
        let value = seed.deserialize(self.object.inner(start));
        value.map_err(|error| error.at(start))
    }
}

/// The members of an object that are fields of a struct, each once.
pub(super) struct Fields<'a, 'de> {
    object: Decoder<'a, 'de>,
    /// Names of fields and places of values, the last first.
    found: Vec<(&'static str, usize)>,
}

impl<'a, 'de> Fields<'a, 'de> {
    pub(super) fn new(object: Decoder<'a, 'de>, fields: &'static [&'static str]) -> Self {
        let mut members = Members::new(object);
        let mut found: Vec<(&'static str, usize)> = Vec::with_capacity(fields.len());
        while let Some((name, value)) = members.next() {
            let object = &members.object;
            if object.inner(value).is_null() {
                continue;
            }
            let name = object.document.string(name);
            if let Some(field) = field_of(&name, fields, object.document.dialect) {
                // Of several members of one name the last counts.
                found.retain(|(known, _)| *known != field);
                found.push((field, value));
            }
        }
        found.reverse();
        Self {
            object: members.object,
            found,
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some((field, _)) = self.found.last() else {
            return Ok(None);
        };
        seed.deserialize(StrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let (field, start) = self.found.pop().ok_or_else(no_member)?;
        seed.deserialize(self.object.inner(start))
            .map_err(|mut error| {
                if error.at.is_none() {
                    error.message = format!("{field}: {}", error.message);
                }
                error.at(start)
            })
    }
}

/// Returns the place of the next name or element, or of the closing bracket.
fn next_part(container: &Decoder<'_, '_>, value: usize) -> usize {
    let document = container.document;
    let at = document.skip_blanks(document.end_of(value));
    match document.byte(at) {
        Some(b',') => document.skip_blanks(at + 1),
        _ => at,
    }
}

/// Returns the field that a name means.
pub(super) fn field_of(
    name: &str,
    fields: &[&'static str],
    dialect: Dialect,
) -> Option<&'static str> {
    let mut exact = fields.iter().copied().filter(|field| *field == name);
    exact.next().or_else(|| {
        let mut folded = fields.iter().copied();
        folded.find(|field| dialect == Dialect::Classic && is_name_of(name, field))
    })
}

/// Serde asks for a value without having asked for its name: no type does that.
fn no_member() -> DecodeError {
    serde::de::Error::custom("there is no such member")
}
