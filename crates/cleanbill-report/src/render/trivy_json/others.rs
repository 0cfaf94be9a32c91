//! What another engine wrote and no field of ours holds.

use cleanbill_core::report::OtherMembers;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Members that stand beside ours.
pub(in crate::render) struct Others<'a>(pub(in crate::render) &'a OtherMembers);

impl Others<'_> {
    /// Says whether there is nothing.
    pub(in crate::render) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Others<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, text)| (name, value(text))))
    }
}

/// Returns the value that a JSON text states. What is no JSON is a string.
pub(in crate::render) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}
