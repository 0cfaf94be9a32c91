//! Identifiers separated by dots: pre-releases of semantic versions, revisions of Bitnami's.
//!
//! Source: spec 04 section 3.1; go-version 0.0.1 `pkg/part` and `pkg/prerelease`.

use std::cmp::Ordering;

/// Is one identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identifier {
    Number(u64),
    /// `x`, `X` or `*`.
    Wildcard,
    /// Anything else, numbers beyond 64 bits among it.
    Text(String),
}

impl Identifier {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "x" | "X" | "*" => Self::Wildcard,
            _ => parse_number(text).map_or_else(|| Self::Text(text.to_owned()), Self::Number),
        }
    }

    /// Compares numbers by value, texts by bytes, and puts numbers before texts.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Wildcard, _) | (_, Self::Wildcard) => Ordering::Equal,
            (Self::Number(left), Self::Number(right)) => left.cmp(right),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
        }
    }
}

/// Parses digits; `None` if they exceed 64 bits or if there are other characters.
pub(crate) fn parse_number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Is what follows the `-` of a version; empty if nothing does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identifiers(Vec<Identifier>);

impl Identifiers {
    /// Parses identifiers; the empty text has none.
    pub(crate) fn parse(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        Self(text.split('.').map(Identifier::parse).collect())
    }

    /// Says whether one of them is a wildcard, which makes them equal to any other.
    pub(crate) fn has_wildcard(&self) -> bool {
        self.0.contains(&Identifier::Wildcard)
    }

    /// Says whether they count as absent: with a wildcard they do.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_empty() || self.has_wildcard()
    }

    /// Compares them as pre-releases: none is greater than any.
    pub(crate) fn compare_as_pre_release(&self, other: &Self) -> Ordering {
        if self.has_wildcard() || other.has_wildcard() {
            return Ordering::Equal;
        }
        match (self.0.is_empty(), other.0.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => self.compare(other),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(&other.0);
        pairs
            .map(|(left, right)| left.compare(right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}
