//! Versions of npm packages, and the constraints that advisories state for them.
//!
//! Source: spec 04 section 3.2; go-npm-version 0.0.2 with pre-releases included, as Trivy 0.74.0
//! calls it: they are ordinary versions, `1.0.0-rc.1` satisfies `<1.0.0`. It differs from npm:
//! installed versions are parsed strictly, hyphen ranges and `latest` are unknown, and comparing
//! with a wildcard stops there as equal, so `1.2.3` does not satisfy `>1.2`. A pre-release with an
//! identifier `x` is equal to every other, so the order is not transitive with it.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use crate::expression::{COMMON_OPERATORS, Grammar, Item, Operator};
use crate::identifiers::Identifiers;
use crate::range::Bound;
use crate::semantic::{self, End, Pattern, Semantic};

/// Is a parsed version.
#[derive(Clone, Debug)]
pub struct Version(Semantic);

impl Version {
    /// Parses a semantic version. `None` if it is none, or a number exceeds 64 bits.
    pub fn parse(text: &str) -> Option<Self> {
        Semantic::parse(text).map(Self)
    }

    /// Compares two versions; build metadata does not count.
    pub fn compare(&self, other: &Self) -> Ordering {
        (self.0.numbers.cmp(&other.0.numbers))
            .then_with(|| self.0.suffix.compare_as_pre_release(&other.0.suffix))
    }

    fn is_before(&self, end: End) -> bool {
        let Semantic { numbers, suffix } = &self.0;
        match end {
            End::Unbounded => numbers.first() != Some(&u64::MAX),
            End::Before(end) => *numbers < end || *numbers == end && !suffix.is_null(),
        }
    }
}

/// Is one bound of a constraint.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    operator: Operator,
    pattern: Pattern,
}

impl Constraint {
    fn compare(&self, version: &Version) -> Ordering {
        self.pattern
            .compare(&version.0, Identifiers::compare_as_pre_release)
    }
}

impl Bound for Constraint {
    type Version = Version;
    const EMPTY_HOLDS: bool = true;
    const GRAMMAR: Grammar = Grammar {
        operators: &[
            &[("~", Operator::Tilde), ("^", Operator::Caret)],
            COMMON_OPERATORS,
        ],
        read: semantic::read,
        ends: semantic::ends,
    };

    fn parse(item: Item<'_>) -> Option<Self> {
        Some(Self {
            operator: item.operator,
            pattern: Pattern::parse(item.version)?,
        })
    }

    fn holds(&self, version: &Version) -> bool {
        // A pre-release of no version in particular.
        if self.pattern.has_wildcard() && !self.pattern.suffix.is_null() {
            return false;
        }
        let end = match self.operator {
            Operator::Tilde => self.pattern.tilde_end(),
            Operator::Caret => self.pattern.caret_end(),
            operator => return operator.accepts(self.compare(version)),
        };
        self.compare(version).is_ge() && end.is_some_and(|end| version.is_before(end))
    }
}
