//! The nearest of the names that exist, for a name that does not.

pub(crate) use cleanbill_policy::document::nearest;
