//! Range constraints of the suppliers that state ranges for OS packages (Root.io, Seal, RapidFort).
//!
//! Source: spec 02 section 4.5; Trivy 0.74.0 `pkg/detector/ospkg/version/constraint.go`.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use crate::VersionScheme;

/// Says why a constraint cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// There is no version to judge.
    #[error("the version is empty")]
    EmptyVersion,
    /// The constraint has no pieces.
    #[error("the constraint is empty")]
    EmptyConstraint,
    /// A piece is not an operator and a version.
    #[error("'{0}' is no constraint")]
    Malformed(String),
    /// A version is none in the scheme.
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

/// Says whether a version satisfies every piece of a constraint: `>=1.2.0, <1.2.5`.
///
/// Pieces are separated by commas, or by white space if there is no comma. So `>=1 <2` has two
/// pieces, and `>= 1` is malformed while `>= 1, < 2` is not.
///
/// # Errors
///
/// A malformed piece anywhere, or versions that cannot be compared before a piece fails to hold.
pub fn satisfies(
    scheme: VersionScheme,
    version: &str,
    constraint: &str,
) -> Result<bool, RangeError> {
    let pieces = split(constraint)
        .map(Piece::parse)
        .collect::<Result<Vec<_>, _>>()?;
    if version.is_empty() {
        return Err(RangeError::EmptyVersion);
    }
    if pieces.is_empty() {
        return Err(RangeError::EmptyConstraint);
    }
    for piece in pieces {
        if !piece.holds(scheme, version)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn split(constraint: &str) -> impl Iterator<Item = &str> {
    let by_comma = constraint.contains(',');
    constraint
        .split(move |c: char| {
            if by_comma {
                c == ','
            } else {
                c.is_whitespace()
            }
        })
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
}

/// Says whether the order of a version and a bound is accepted.
type Accepts = fn(Ordering) -> bool;

/// Is one bound.
struct Piece<'a> {
    accepts: Accepts,
    bound: &'a str,
}

/// Operators, a longer one before its beginning.
const OPERATORS: [(&str, Accepts); 7] = [
    (">=", Ordering::is_ge),
    ("<=", Ordering::is_le),
    ("==", Ordering::is_eq),
    ("!=", Ordering::is_ne),
    (">", Ordering::is_gt),
    ("<", Ordering::is_lt),
    ("=", Ordering::is_eq),
];

impl<'a> Piece<'a> {
    fn parse(text: &'a str) -> Result<Self, RangeError> {
        let (accepts, rest) = OPERATORS
            .iter()
            .find_map(|(operator, accepts)| Some((*accepts, text.strip_prefix(operator)?)))
            .unwrap_or((Ordering::is_eq, text));
        let bound = rest.trim_start_matches(['\t', '\n', '\x0C', '\r', ' ']);
        if !is_bound(bound) {
            return Err(RangeError::Malformed(text.to_owned()));
        }
        Ok(Self { accepts, bound })
    }

    fn holds(&self, scheme: VersionScheme, version: &str) -> Result<bool, RangeError> {
        let order =
            scheme
                .compare(version, self.bound)
                .ok_or_else(|| RangeError::Incomparable {
                    left: version.to_owned(),
                    right: self.bound.to_owned(),
                    scheme,
                })?;
        Ok((self.accepts)(order))
    }
}

fn is_bound(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-+~:_^".contains(c))
}
