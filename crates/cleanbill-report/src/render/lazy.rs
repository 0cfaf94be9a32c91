//! JSON lists that are made while they are written, so that a report of 100,000 findings is never
//! held twice.

use serde::{Serialize, Serializer};

/// Serializes what an iterator yields, as a list.
pub(super) struct Lazy<F>(pub(super) F);

impl<F, I> Serialize for Lazy<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}
