//! The table of schemes.

use std::cmp::Ordering;
use std::fmt;

use crate::Version;

/// Names a version scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VersionScheme {
    /// Alpine, Wolfi, Chainguard, MinimOS.
    Apk,
    /// Debian, Ubuntu, Echo; also what Trivy compares Amazon Linux with.
    Deb,
    /// Red Hat and its relatives, SUSE, Oracle, Photon, Azure Linux.
    Rpm,
    /// Cargo, Composer, Go, NuGet, Pub, Hex, Conan, Swift, Kubernetes, Julia.
    Generic,
    /// npm.
    Npm,
    /// Python.
    Pep440,
    /// Python with ranges that name local versions (Seal Security).
    Pep440Local,
    /// RubyGems, CocoaPods.
    Gem,
    /// Maven.
    Maven,
    /// Bitnami.
    Bitnami,
}

impl VersionScheme {
    /// Every scheme.
    pub const ALL: [VersionScheme; 10] = [
        VersionScheme::Apk,
        VersionScheme::Deb,
        VersionScheme::Rpm,
        VersionScheme::Generic,
        VersionScheme::Npm,
        VersionScheme::Pep440,
        VersionScheme::Pep440Local,
        VersionScheme::Gem,
        VersionScheme::Maven,
        VersionScheme::Bitnami,
    ];

    /// Returns the name, `deb`.
    pub const fn name(self) -> &'static str {
        match self {
            VersionScheme::Apk => "apk",
            VersionScheme::Deb => "deb",
            VersionScheme::Rpm => "rpm",
            VersionScheme::Generic => "generic",
            VersionScheme::Npm => "npm",
            VersionScheme::Pep440 => "pep440",
            VersionScheme::Pep440Local => "pep440-local",
            VersionScheme::Gem => "gem",
            VersionScheme::Maven => "maven",
            VersionScheme::Bitnami => "bitnami",
        }
    }

    /// Compares two versions. `None` if one of them is no version of the scheme.
    pub fn compare(self, left: &str, right: &str) -> Option<Ordering> {
        Version::parse(self, left)?.compare(&Version::parse(self, right)?)
    }
}

impl fmt::Display for VersionScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
