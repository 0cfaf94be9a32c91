//! Ranges of versions as advisories state them.
//!
//! Suppliers of OS packages (Root.io, Seal, RapidFort) state conjunctions of bounds, ecosystems
//! alternatives of them in a notation of their own. Source: spec 02 section 4.5, Trivy 0.74.0
//! `pkg/detector/ospkg/version/constraint.go`; spec 04 section 3.

mod alternatives;
mod pieces;
#[cfg(test)]
mod tests;

use crate::version::Parsed;
use crate::{Version, VersionScheme, bitnami, gem, generic, maven, npm, pep440};

pub(crate) use alternatives::Bound;

use alternatives::Alternatives;
use pieces::Pieces;

/// Says why a version cannot be held against a range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// There is no version to judge.
    #[error("the version is empty")]
    EmptyVersion,
    /// The range demands nothing, where that is not allowed.
    #[error("the constraint is empty")]
    EmptyConstraint,
    /// A piece is not an operator and a version.
    #[error("'{0}' is no constraint")]
    Malformed(String),
    /// The version is none in the scheme.
    #[error("'{text}' is no {scheme} version")]
    NoVersion {
        /// The text.
        text: String,
        /// The scheme.
        scheme: VersionScheme,
    },
    /// A bound is no version in the scheme, or the version is of another one.
    #[error("'{left}' and '{right}' cannot be compared as {scheme} versions")]
    Incomparable {
        /// The judged version.
        left: String,
        /// The bound.
        right: String,
        /// The scheme.
        scheme: VersionScheme,
    },
}

/// Says whether a version is in a range: `>=1.2.0, <1.2.5`.
///
/// # Errors
///
/// See [`Range::parse`] and [`Range::contains`]; the version is empty or none in the scheme.
pub fn satisfies(scheme: VersionScheme, version: &str, range: &str) -> Result<bool, RangeError> {
    let range = Range::parse(scheme, range)?;
    if version.is_empty() {
        return Err(RangeError::EmptyVersion);
    }
    let parsed = Version::parse(scheme, version).ok_or_else(|| RangeError::NoVersion {
        text: version.to_owned(),
        scheme,
    })?;
    range.contains(&parsed)
}

/// Is a parsed range: parsed once, held against many versions.
#[derive(Clone, Debug)]
pub struct Range(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Pieces(Pieces),
    Generic(Alternatives<generic::Constraint>),
    Npm(Alternatives<npm::Constraint>),
    Pep440(Alternatives<pep440::Specifier>),
    Pep440Local(Alternatives<pep440::LocalSpecifier>),
    Gem(Alternatives<gem::Requirement>),
    Maven(Alternatives<maven::Constraint>),
    Bitnami(Alternatives<bitnami::Constraint>),
}

impl Range {
    /// Parses a range in the notation of a scheme.
    ///
    /// # Errors
    ///
    /// A malformed piece anywhere: nothing of the range counts then. An empty range, unless it is of
    /// npm or Bitnami, where it means every version.
    pub fn parse(scheme: VersionScheme, text: &str) -> Result<Self, RangeError> {
        let kind = match scheme {
            VersionScheme::Apk | VersionScheme::Deb | VersionScheme::Rpm => {
                Kind::Pieces(Pieces::parse(scheme, text)?)
            }
            VersionScheme::Generic => Kind::Generic(Alternatives::parse(text)?),
            VersionScheme::Npm => Kind::Npm(Alternatives::parse(text)?),
            VersionScheme::Pep440 => Kind::Pep440(Alternatives::parse(text)?),
            VersionScheme::Pep440Local => Kind::Pep440Local(Alternatives::parse(text)?),
            VersionScheme::Gem => Kind::Gem(Alternatives::parse(text)?),
            VersionScheme::Maven => Kind::Maven(Alternatives::parse(text)?),
            VersionScheme::Bitnami => Kind::Bitnami(Alternatives::parse(text)?),
        };
        Ok(Self(kind))
    }

    /// Says whether a version is in the range.
    ///
    /// # Errors
    ///
    /// The version is of another scheme; in a range for OS packages, a bound before the first that
    /// does not hold is no version.
    pub fn contains(&self, version: &Version) -> Result<bool, RangeError> {
        Ok(match (&self.0, &version.parsed) {
            (Kind::Pieces(range), _) => return range.contain(version),
            (Kind::Generic(range), Parsed::Generic(version)) => range.contain(version),
            (Kind::Npm(range), Parsed::Npm(version)) => range.contain(version),
            (Kind::Pep440(range), Parsed::Pep440(version)) => range.contain(version),
            (Kind::Pep440Local(range), Parsed::Pep440(version)) => range.contain(version),
            (Kind::Gem(range), Parsed::Gem(version)) => range.contain(version),
            (Kind::Maven(range), Parsed::Maven(version)) => range.contain(version),
            (Kind::Bitnami(range), Parsed::Bitnami(version)) => range.contain(version),
            _ => {
                return Err(RangeError::NoVersion {
                    text: version.text.to_string(),
                    scheme: self.scheme(),
                });
            }
        })
    }

    fn scheme(&self) -> VersionScheme {
        match &self.0 {
            Kind::Pieces(pieces) => pieces.scheme(),
            Kind::Generic(_) => VersionScheme::Generic,
            Kind::Npm(_) => VersionScheme::Npm,
            Kind::Pep440(_) => VersionScheme::Pep440,
            Kind::Pep440Local(_) => VersionScheme::Pep440Local,
            Kind::Gem(_) => VersionScheme::Gem,
            Kind::Maven(_) => VersionScheme::Maven,
            Kind::Bitnami(_) => VersionScheme::Bitnami,
        }
    }
}
