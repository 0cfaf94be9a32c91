//! The table of schemes.

use std::cmp::Ordering;
use std::fmt;

use crate::{apk, deb, rpm};

/// Names a version scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VersionScheme {
    /// Alpine, Wolfi, Chainguard, MinimOS.
    Apk,
    /// Debian, Ubuntu, Echo; also what Trivy compares Amazon Linux with.
    Deb,
    /// Red Hat and its relatives, SUSE, Oracle, Photon, Azure Linux.
    Rpm,
}

impl VersionScheme {
    /// Every scheme.
    pub const ALL: [VersionScheme; 3] =
        [VersionScheme::Apk, VersionScheme::Deb, VersionScheme::Rpm];

    /// Returns the name, `deb`.
    pub const fn name(self) -> &'static str {
        match self {
            VersionScheme::Apk => "apk",
            VersionScheme::Deb => "deb",
            VersionScheme::Rpm => "rpm",
        }
    }

    /// Compares two versions. `None` if one of them is no version of the scheme.
    pub fn compare(self, left: &str, right: &str) -> Option<Ordering> {
        match self {
            VersionScheme::Apk => apk::compare(left, right),
            VersionScheme::Deb => {
                let left = deb::Version::parse(left).ok()?;
                let right = deb::Version::parse(right).ok()?;
                Some(left.cmp(&right))
            }
            VersionScheme::Rpm => Some(rpm::Version::parse(left).cmp(&rpm::Version::parse(right))),
        }
    }
}

impl fmt::Display for VersionScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
