//! Versions of any scheme.

use std::cmp::Ordering;
use std::fmt;

use crate::{VersionScheme, apk, bitnami, deb, gem, generic, maven, npm, pep440, rpm};

/// Is a version in the form that its scheme compares: parsed once, compared often.
#[derive(Clone, Debug)]
pub struct Version {
    pub(crate) text: Box<str>,
    pub(crate) parsed: Parsed,
}

#[derive(Clone, Debug)]
pub(crate) enum Parsed {
    /// Is compared as it is written.
    Apk,
    Deb(deb::Version),
    Rpm(rpm::Version),
    Generic(generic::Version),
    Npm(npm::Version),
    /// Of both schemes of Python: they differ in the ranges only.
    Pep440(pep440::Version),
    Gem(gem::Version),
    Maven(maven::Version),
    Bitnami(bitnami::Version),
}

impl Version {
    /// Parses a version; `None` if it is none in the scheme.
    pub fn parse(scheme: VersionScheme, text: &str) -> Option<Self> {
        let parsed = match scheme {
            VersionScheme::Apk => apk::is_valid(text).then_some(Parsed::Apk)?,
            VersionScheme::Deb => Parsed::Deb(deb::Version::parse(text).ok()?),
            VersionScheme::Rpm => Parsed::Rpm(rpm::Version::parse(text)),
            VersionScheme::Generic => Parsed::Generic(generic::Version::parse(text)?),
            VersionScheme::Npm => Parsed::Npm(npm::Version::parse(text)?),
            VersionScheme::Pep440 | VersionScheme::Pep440Local => {
                Parsed::Pep440(pep440::Version::parse(text)?)
            }
            VersionScheme::Gem => Parsed::Gem(gem::Version::parse(text)?),
            VersionScheme::Maven => Parsed::Maven(maven::Version::parse(text)),
            VersionScheme::Bitnami => Parsed::Bitnami(bitnami::Version::parse(text)?),
        };
        Some(Self {
            text: text.into(),
            parsed,
        })
    }

    /// Compares two versions of one scheme; `None` if they are of different ones.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (&self.parsed, &other.parsed) {
            (Parsed::Apk, Parsed::Apk) => apk::compare(&self.text, &other.text),
            (Parsed::Deb(left), Parsed::Deb(right)) => Some(left.cmp(right)),
            (Parsed::Rpm(left), Parsed::Rpm(right)) => Some(left.cmp(right)),
            (Parsed::Generic(left), Parsed::Generic(right)) => Some(left.compare(right)),
            (Parsed::Npm(left), Parsed::Npm(right)) => Some(left.compare(right)),
            (Parsed::Pep440(left), Parsed::Pep440(right)) => Some(left.cmp(right)),
            (Parsed::Gem(left), Parsed::Gem(right)) => Some(left.cmp(right)),
            (Parsed::Maven(left), Parsed::Maven(right)) => Some(left.compare(right)),
            (Parsed::Bitnami(left), Parsed::Bitnami(right)) => Some(left.compare(right)),
            _ => None,
        }
    }

    /// Says whether a version is less than another of the same scheme.
    pub fn is_before(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Less)
    }
}

impl fmt::Display for Version {
    /// Prints in the form of the comparer where it has one: rpm leaves out an epoch of 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parsed {
            Parsed::Deb(version) => version.fmt(f),
            Parsed::Rpm(version) => version.fmt(f),
            _ => f.write_str(&self.text),
        }
    }
}
