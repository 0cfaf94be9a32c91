//! Ranges for OS packages: conjunctions.

use std::cmp::Ordering;

use super::RangeError;
use crate::{Version, VersionScheme};

/// Is a range for OS packages: every piece must hold.
///
/// Pieces are separated by commas, or by white space if there is no comma. So `>=1 <2` has two
/// pieces, and `>= 1` is malformed while `>= 1, < 2` is not.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    scheme: VersionScheme,
    pieces: Vec<Piece>,
}

/// Is one bound.
#[derive(Clone, Debug)]
struct Piece {
    accepts: Accepts,
    text: String,
    /// `None` if the text is no version: an error only once it is needed.
    bound: Option<Version>,
}

/// Says whether the order of a version and a bound is accepted.
type Accepts = fn(Ordering) -> bool;

impl Pieces {
    pub(super) fn parse(scheme: VersionScheme, text: &str) -> Result<Self, RangeError> {
        let pieces = split(text).map(|piece| Piece::parse(scheme, piece));
        let pieces: Vec<Piece> = pieces.collect::<Result<_, _>>()?;
        if pieces.is_empty() {
            return Err(RangeError::EmptyConstraint);
        }
        Ok(Self { scheme, pieces })
    }

    pub(super) fn scheme(&self) -> VersionScheme {
        self.scheme
    }

    pub(super) fn contain(&self, version: &Version) -> Result<bool, RangeError> {
        for piece in &self.pieces {
            let order = piece
                .bound
                .as_ref()
                .and_then(|bound| version.compare(bound));
            let order = order.ok_or_else(|| RangeError::Incomparable {
                left: version.text.to_string(),
                right: piece.text.clone(),
                scheme: self.scheme,
            })?;
            if !(piece.accepts)(order) {
                return Ok(false);
            }
        }
        Ok(true)
    }
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

impl Piece {
    fn parse(scheme: VersionScheme, text: &str) -> Result<Self, RangeError> {
        let (accepts, rest) = OPERATORS
            .iter()
            .find_map(|(operator, accepts)| Some((*accepts, text.strip_prefix(operator)?)))
            .unwrap_or((Ordering::is_eq, text));
        let bound = rest.trim_start_matches(['\t', '\n', '\x0C', '\r', ' ']);
        if !is_bound(bound) {
            return Err(RangeError::Malformed(text.to_owned()));
        }
        Ok(Self {
            accepts,
            text: bound.to_owned(),
            bound: Version::parse(scheme, bound),
        })
    }
}

fn is_bound(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-+~:_^".contains(c))
}
