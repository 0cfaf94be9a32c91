//! Extractors of operating systems: distributions and their package databases.

pub(crate) mod bottlerocket;
pub(crate) mod build_info;
pub(crate) mod rpm;
pub(crate) mod rpm_manifest;
