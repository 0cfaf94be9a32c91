//! Extractors of operating systems: distributions and their package databases.

pub(crate) mod rpm;
