//! Ranges of language ecosystems: alternatives of conjunctions.

use super::RangeError;
use crate::expression::{self, Grammar, Item};

/// Is one bound of a range in the notation of an ecosystem.
pub(crate) trait Bound: Sized {
    /// What is held against it.
    type Version;

    /// How bounds are written.
    const GRAMMAR: Grammar;

    /// Every version is in an alternative without bounds. If not, there must be none.
    const EMPTY_HOLDS: bool = false;

    /// Parses a bound; `None` if the ecosystem does not allow it.
    fn parse(item: Item<'_>) -> Option<Self>;

    /// Says whether a version is on the right side of it.
    fn holds(&self, version: &Self::Version) -> bool;

    /// Reads an alternative that stands for a bound which is written otherwise.
    fn any(_alternative: &str) -> Option<Item<'_>> {
        None
    }

    /// Parses a range that is not written in the common notation.
    fn parse_otherwise(_range: &str) -> Option<Vec<Vec<Self>>> {
        None
    }
}

/// Is a range: one of the conjunctions must hold.
#[derive(Clone, Debug)]
pub(super) struct Alternatives<B>(Vec<Vec<B>>);

impl<B: Bound> Alternatives<B> {
    pub(super) fn parse(text: &str) -> Result<Self, RangeError> {
        let alternatives = text.split("||").map(parse_alternative).collect();
        let otherwise = |error| B::parse_otherwise(text).ok_or(error);
        Result::or_else(alternatives, otherwise).map(Self)
    }

    pub(super) fn contain(&self, version: &B::Version) -> bool {
        let mut alternatives = self.0.iter();
        alternatives.any(|bounds| bounds.iter().all(|bound| bound.holds(version)))
    }
}

fn parse_alternative<B: Bound>(text: &str) -> Result<Vec<B>, RangeError> {
    let malformed = || RangeError::Malformed(text.trim().to_owned());
    if let Some(item) = B::any(text) {
        return Ok(vec![B::parse(item).ok_or_else(malformed)?]);
    }
    let items = expression::split(text, &B::GRAMMAR).ok_or_else(malformed)?;
    if items.is_empty() && !B::EMPTY_HOLDS {
        return Err(RangeError::EmptyConstraint);
    }
    items
        .into_iter()
        .map(|item| B::parse(item).ok_or_else(malformed))
        .collect()
}
