//! What another engine wrote and no field of ours holds.

use cleanbill_core::report::OtherMembers;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Members that stand beside ours.
pub(super) struct Others<'a>(pub(super) &'a OtherMembers);

impl Serialize for Others<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, text)| (name, value(text))))
    }
}

/// Returns the value that a JSON text states. What is no JSON is a string.
pub(super) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}
