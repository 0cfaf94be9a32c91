//! The members that tell reports apart.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

#[derive(Debug, Default)]
pub(super) struct Mark {
    pub(super) schema_version: Option<Value>,
    pub(super) trivy_schema_version: Option<Value>,
    /// It counts severities, as the reports of the older scripts do, and ours.
    pub(super) has_severity_summary: bool,
}

/// Looks for the mark of a report. Ours has it in front, and nothing behind it is read: a report
/// may have hundreds of megabytes.
///
/// # Errors
///
/// It is no JSON as far as it was read, or no object.
pub(super) fn read(bytes: &[u8]) -> Result<Mark, serde_json::Error> {
    let mut mark = Mark::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = deserializer.deserialize_map(MarkVisitor(&mut mark));
    match read.and_then(|()| deserializer.end()) {
        Err(error) if mark.schema_version.is_none() => Err(error),
        _ => Ok(mark),
    }
}

struct MarkVisitor<'a>(&'a mut Mark);

impl<'de> Visitor<'de> for MarkVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a report")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Cow<'_, str>>()? {
            match &*name {
                "schema_version" => {
                    self.0.schema_version = Some(members.next_value()?);
                    // Not an error of the text: there is no other way to stop.
                    return Err(A::Error::custom("found"));
                }
                "severity_summary" => {
                    members.next_value::<IgnoredAny>()?;
                    self.0.has_severity_summary = true;
                }
                "SchemaVersion" => self.0.trivy_schema_version = Some(members.next_value()?),
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}
