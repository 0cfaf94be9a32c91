//! Extractors of operating systems: distributions and their package databases.

pub(crate) mod apk;
pub(crate) mod bottlerocket;
pub(crate) mod build_info;
pub(crate) mod distro;
pub(crate) mod dpkg;
pub(crate) mod rpm;
pub(crate) mod rpm_manifest;
