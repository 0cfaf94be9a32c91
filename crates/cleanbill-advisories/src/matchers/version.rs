//! Versions that are parsed once and compared often.

use std::fmt;

use cleanbill_version::{VersionScheme, apk, deb, rpm};

/// Why a package without a version is not judged.
pub(super) const NO_VERSION: &str = "they have no version";
/// Why a package is not judged whose version its scheme does not accept.
pub(super) const UNCOMPARABLE: &str = "their versions cannot be compared";

/// A version in the form that its scheme compares.
pub(super) enum ParsedVersion {
    Apk(String),
    Deb(deb::Version),
    Rpm(rpm::Version),
}

impl ParsedVersion {
    /// Parses a version; `None` if the scheme does not accept it. Rpm accepts everything.
    pub(super) fn parse(scheme: VersionScheme, text: &str) -> Option<Self> {
        match scheme {
            VersionScheme::Apk => apk::is_valid(text).then(|| Self::Apk(text.to_owned())),
            VersionScheme::Deb => deb::Version::parse(text).ok().map(Self::Deb),
            VersionScheme::Rpm => Some(Self::Rpm(rpm::Version::parse(text))),
        }
    }

    /// Says whether a version is smaller than another of the same scheme.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Apk(a), Self::Apk(b)) => apk::compare(a, b).is_some_and(|order| order.is_lt()),
            (Self::Deb(a), Self::Deb(b)) => a < b,
            (Self::Rpm(a), Self::Rpm(b)) => a < b,
            _ => false,
        }
    }
}

impl fmt::Display for ParsedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apk(version) => f.write_str(version),
            Self::Deb(version) => version.fmt(f),
            Self::Rpm(version) => version.fmt(f),
        }
    }
}
