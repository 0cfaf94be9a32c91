//! Documents that are decoded part by part, so that only one part is in memory.
//!
//! A document is an object. Of each of its members that a caller names the parts are the value
//! itself, its elements, its members, or the members of these. The first pass checks all of the
//! document and keeps the values that are parts themselves; [`Parts::each`] passes again and gives
//! the others. So callers may ask in the order that suits them, as often as they need.
//!
//! What is decoded, and what is an error, is what the whole document in one type would give. The
//! exceptions: values larger than a part may be, which nobody asks for, are only checked for
//! brackets and quotation marks.

mod skeleton;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use cleanbill_core::Limits;
use serde::de::{self, Deserialize};

use super::access::field_of;
use super::located::Lines;
use super::scan::Document;
use super::{Dialect, JsonError, decode_part};
use crate::kept::Kept;
use skeleton::Skeleton;

/// Names a member of the document, and says what its parts are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// The name.
    pub(crate) name: &'static str,
    /// The parts.
    pub(crate) kind: FieldKind,
}

/// Says what the parts of a member of the document are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Its value.
    Whole,
    /// The elements of its value, an array.
    Items,
    /// The members of its value, an object.
    Members,
    /// The members of the members of its value, an object of objects.
    MembersOfMembers,
}

/// Says how much of a document may be in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartSizes {
    /// Bytes of one part that is decoded and forgotten, and of a name.
    pub(crate) part_bytes_max: usize,
    /// Bytes of all values that are parts themselves: they are kept.
    pub(crate) whole_bytes_max: usize,
}

impl PartSizes {
    /// For documents that are in memory anyway.
    pub(crate) const UNBOUNDED: Self = Self {
        part_bytes_max: usize::MAX,
        whole_bytes_max: usize::MAX,
    };

    pub(crate) fn of(limits: &Limits) -> Self {
        let bytes = |max: u64| usize::try_from(max).unwrap_or(usize::MAX);
        Self {
            part_bytes_max: bytes(limits.document_part_size_bytes_max),
            whole_bytes_max: bytes(limits.whole_file_size_bytes_max),
        }
    }
}

/// Holds a document that was checked.
pub(crate) struct Parts<'a> {
    text: &'a Kept<'a>,
    dialect: Dialect,
    fields: &'static [Field],
    sizes: PartSizes,
    /// What is known of each field, in their order.
    found: Vec<Found>,
}

/// Says where a field stands.
#[derive(Clone, Default)]
struct Found {
    /// How often it occurs with another value than `null`: the last time counts.
    occurrences: u32,
    /// The value of one that is a part itself.
    whole: Option<Value>,
}

#[derive(Clone)]
struct Value {
    /// `None` if there was no room to keep it.
    bytes: Option<Vec<u8>>,
    line: u64,
}

impl Found {
    fn size_bytes(&self) -> usize {
        let bytes = self.whole.as_ref().and_then(|value| value.bytes.as_ref());
        bytes.map_or(0, Vec::len)
    }
}

/// Is one part of a document.
pub(crate) struct Part<'p> {
    /// The field that it belongs to.
    pub(crate) field: &'static str,
    /// The names of the members on the way to it; empty for elements.
    pub(crate) outer_name: &'p str,
    pub(crate) name: &'p str,
    bytes: &'p [u8],
    dialect: Dialect,
    /// Lines before the part.
    line: u64,
    lines: &'p Lines,
}

impl<'p> Part<'p> {
    /// Decodes the part.
    ///
    /// # Errors
    ///
    /// It has other types than wanted.
    pub(crate) fn decode<T: Deserialize<'p>>(&self) -> Result<T, JsonError> {
        self.lines.begin_part(self.line);
        decode_part(self.bytes, self.dialect, self.lines).map_err(|error| error.after(self.line))
    }
}

impl<'a> Parts<'a> {
    /// Checks a document that is read as Go's `encoding/json` does.
    ///
    /// # Errors
    ///
    /// It is malformed, or no object.
    pub(crate) fn classic(
        text: &'a Kept<'a>,
        fields: &'static [Field],
        sizes: PartSizes,
    ) -> Result<Self, JsonError> {
        Self::check(text, fields, sizes, Dialect::Classic)
    }

    /// Checks a document that is read as Go's `encoding/json/v2` does.
    ///
    /// # Errors
    ///
    /// As [`Parts::classic`].
    pub(crate) fn strict(
        text: &'a Kept<'a>,
        fields: &'static [Field],
        sizes: PartSizes,
    ) -> Result<Self, JsonError> {
        Self::check(text, fields, sizes, Dialect::Strict)
    }

    fn check(
        text: &'a Kept<'a>,
        fields: &'static [Field],
        sizes: PartSizes,
        dialect: Dialect,
    ) -> Result<Self, JsonError> {
        let mut parts = Self {
            text,
            dialect,
            fields,
            sizes,
            found: vec![Found::default(); fields.len()],
        };
        let mut found = std::mem::take(&mut parts.found);
        let mut skeleton = parts.skeleton();
        skeleton.document(&mut |skeleton, name| parts.check_member(skeleton, name, &mut found))?;
        drop(skeleton);
        parts.found = found;
        Ok(parts)
    }

    fn skeleton(&self) -> Skeleton<'_> {
        Skeleton::new(self.text.reader(), self.dialect, self.sizes.part_bytes_max)
    }

    fn check_member(
        &self,
        skeleton: &mut Skeleton<'_>,
        name: &str,
        found: &mut [Found],
    ) -> Result<(), JsonError> {
        let at = self.field(name);
        let kind = at.and_then(|at| Some(self.fields.get(at)?.kind));
        let is_null = skeleton.peek() == Some(b'n');
        let Some(of_field) = at.and_then(|at| found.get_mut(at)).filter(|_| !is_null) else {
            return check_parts(skeleton, depth_of(kind));
        };
        of_field.occurrences += 1;
        if kind != Some(FieldKind::Whole) {
            return check_parts(skeleton, depth_of(kind));
        }
        of_field.whole = None;
        let kept: usize = found.iter().map(Found::size_bytes).sum();
        let value = self.check_whole(skeleton, self.sizes.whole_bytes_max.saturating_sub(kept))?;
        if let Some(of_field) = at.and_then(|at| found.get_mut(at)) {
            of_field.whole = Some(value);
        }
        Ok(())
    }

    fn check_whole(
        &self,
        skeleton: &mut Skeleton<'_>,
        size_bytes_max: usize,
    ) -> Result<Value, JsonError> {
        let line = skeleton.line();
        let is_complete = skeleton.part_of(size_bytes_max)?;
        skeleton.check_part(is_complete, line)?;
        Ok(Value {
            bytes: is_complete.then(|| skeleton.take_bytes()),
            line,
        })
    }

    /// Returns the number of the field that a name means.
    fn field(&self, name: &str) -> Option<usize> {
        let names: Vec<&'static str> = self.fields.iter().map(|field| field.name).collect();
        let name = field_of(name, &names, self.dialect)?;
        names.iter().position(|known| *known == name)
    }

    /// Decodes the value of a field that is a part itself; the default of its type if it is not
    /// stated.
    ///
    /// # Errors
    ///
    /// It has other types than wanted, or is larger than a part may be.
    pub(crate) fn whole<'s, T: Deserialize<'s> + Default>(
        &'s self,
        name: &'static str,
    ) -> Result<T, JsonError> {
        let Some((bytes, line)) = self.whole_bytes(name)? else {
            return Ok(T::default());
        };
        super::decode(bytes, self.dialect).map_err(|error| error.inside(name).after(line))
    }

    /// Returns the value of a field that is a part itself, with the lines before it; `None` if it is
    /// not stated.
    ///
    /// # Errors
    ///
    /// It is larger than a part may be.
    pub(crate) fn whole_bytes(&self, name: &str) -> Result<Option<(&[u8], u64)>, JsonError> {
        let at = self.fields.iter().position(|field| field.name == name);
        let found = at.and_then(|at| self.found.get(at)?.whole.as_ref());
        match found {
            None => Ok(None),
            Some(value) => match &value.bytes {
                Some(bytes) => Ok(Some((bytes, value.line))),
                None => Err(self.too_large(FieldKind::Whole, value.line).inside(name)),
            },
        }
    }

    /// Says whether a field is stated.
    pub(crate) fn has(&self, name: &str) -> bool {
        let at = self.fields.iter().position(|field| field.name == name);
        at.and_then(|at| self.found.get(at))
            .is_some_and(|found| found.occurrences > 0)
    }

    /// Gives the parts of some fields, in the order of the document.
    ///
    /// # Errors
    ///
    /// A field has another type than wanted, a part is too large, or the visitor stops.
    pub(crate) fn each<E: From<JsonError>>(
        &self,
        names: &[&'static str],
        visit: &mut dyn FnMut(&Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if !names.iter().any(|name| self.has(name)) {
            return Ok(());
        }
        let lines = Lines::default();
        let mut met = vec![0_u32; self.fields.len()];
        self.skeleton().document(&mut |skeleton, name| {
            let counts = self.field(name).filter(|at| {
                let is_null = skeleton.peek() == Some(b'n');
                let Some(met) = met.get_mut(*at).filter(|_| !is_null) else {
                    return false;
                };
                *met += 1;
                let last = self.found.get(*at).map_or(0, |found| found.occurrences);
                *met == last
            });
            let field = counts.and_then(|at| self.fields.get(at));
            match field.filter(|field| names.contains(&field.name)) {
                Some(field) => self.visit_field(skeleton, *field, &lines, visit),
                None => Ok(skeleton.skip()?),
            }
        })
    }

    fn visit_field<E: From<JsonError>>(
        &self,
        skeleton: &mut Skeleton<'_>,
        field: Field,
        lines: &Lines,
        visit: &mut dyn FnMut(&Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut give = |skeleton: &mut Skeleton<'_>, outer_name: &str, name: &str| {
            let line = skeleton.line();
            if !skeleton.part()? {
                return Err(self.too_large(field.kind, line).inside(field.name).into());
            }
            visit(&Part {
                field: field.name,
                outer_name,
                name,
                bytes: skeleton.bytes(),
                dialect: self.dialect,
                line,
                lines,
            })
        };
        match field.kind {
            FieldKind::Whole => give(skeleton, "", ""),
            FieldKind::Items => {
                skeleton.expect_type(b'[', field.name)?;
                skeleton.items(&mut |skeleton| give(skeleton, "", ""))
            }
            FieldKind::Members => {
                skeleton.expect_type(b'{', field.name)?;
                skeleton.members(&mut |skeleton, name| give(skeleton, "", name))
            }
            FieldKind::MembersOfMembers => {
                skeleton.expect_type(b'{', field.name)?;
                skeleton.members(&mut |skeleton, outer_name| {
                    if skeleton.peek() == Some(b'n') {
                        return Ok(skeleton.skip()?);
                    }
                    skeleton.expect_type(b'{', field.name)?;
                    skeleton.members(&mut |skeleton, name| give(skeleton, outer_name, name))
                })
            }
        }
    }

    fn too_large(&self, kind: FieldKind, line: u64) -> JsonError {
        let PartSizes {
            part_bytes_max,
            whole_bytes_max,
        } = self.sizes;
        JsonError {
            line: line + 1,
            message: match kind {
                FieldKind::Whole => format!(
                    "what is read whole of the document has more than {whole_bytes_max} bytes \
                     (whole_file_size_bytes_max)"
                ),
                _ => format!(
                    "a part of the document has more than {part_bytes_max} bytes \
                     (document_part_size_bytes_max)"
                ),
            },
            is_limit: true,
        }
    }
}

/// Returns how many objects or arrays are taken apart to get to the parts of a member.
fn depth_of(kind: Option<FieldKind>) -> u32 {
    match kind {
        Some(FieldKind::MembersOfMembers) => 2,
        Some(FieldKind::Whole) => 0,
        _ => 1,
    }
}

/// Checks a value, taken apart some levels deep.
fn check_parts(skeleton: &mut Skeleton<'_>, depth: u32) -> Result<(), JsonError> {
    match skeleton.peek() {
        Some(b'[') if depth > 0 => skeleton.items(&mut |skeleton| check_parts(skeleton, depth - 1)),
        Some(b'{') if depth > 0 => {
            skeleton.members(&mut |skeleton, _| check_parts(skeleton, depth - 1))
        }
        _ => {
            let line = skeleton.line();
            let is_complete = skeleton.part()?;
            skeleton.check_part(is_complete, line)
        }
    }
}

/// Checks the text of a part.
fn check_text(bytes: &[u8], dialect: Dialect, line: u64) -> Result<(), JsonError> {
    let checked = Document::scan(bytes, dialect).map_err(|error| error.after(line))?;
    let end = checked.end_of(checked.start);
    if end < bytes.len() {
        return Err(checked
            .describe(de::Error::custom("a comma or a closing bracket is missing"))
            .after(line));
    }
    Ok(())
}

/// Returns the text of a name.
fn name_of(bytes: &[u8]) -> Cow<'_, str> {
    super::text::decode_string(bytes, 0)
}
