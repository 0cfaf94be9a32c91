//! Versions of Bitnami's components, and the constraints that advisories state for them.
//!
//! Source: spec 04 section 3.6; Bitnami's go-version 2023-11-30. Unlike in npm, what follows the `-`
//! is a revision: `1.2.3-1` is greater than `1.2.3`. A revision with an identifier `x` counts as
//! none and is equal to every other, so the order is not transitive with it.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use crate::expression::{COMMON_OPERATORS, Grammar, Item, Operator};
use crate::identifiers::{Identifier, Identifiers};
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
            .then_with(|| compare_revisions(&self.0.suffix, &other.0.suffix))
    }
}

fn compare_revisions(left: &Identifiers, right: &Identifiers) -> Ordering {
    let has_none = (left.is_null(), right.is_null());
    match has_none {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        _ => left.compare_as_pre_release(right),
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
        self.pattern.compare(&version.0, compare_revisions)
    }

    /// Says whether a version is between the bound and an end, of which revisions are not before.
    fn is_up_to(&self, version: &Version, end: Option<End>) -> bool {
        let numbers = version.0.numbers;
        let is_before = match end {
            Some(End::Before(end)) => numbers < end,
            Some(End::Unbounded) => numbers.first() != Some(&u64::MAX),
            None => false,
        };
        is_before && self.compare(version).is_ge()
    }
}

impl Bound for Constraint {
    type Version = Version;
    const EMPTY_HOLDS: bool = true;
    const GRAMMAR: Grammar = Grammar {
        operators: &[
            &[
                ("!=", Operator::NotEqual),
                ("~", Operator::Tilde),
                ("^", Operator::Caret),
            ],
            COMMON_OPERATORS,
        ],
        read: semantic::read,
        ends: semantic::ends,
    };

    fn parse(item: Item<'_>) -> Option<Self> {
        let mut pattern = Pattern::parse(item.version)?;
        if item.operator == Operator::Less {
            pattern = smallest(pattern);
        }
        Some(Self {
            operator: item.operator,
            pattern,
        })
    }

    fn holds(&self, version: &Version) -> bool {
        match self.operator {
            Operator::Tilde => self.is_up_to(version, self.pattern.tilde_end()),
            Operator::Caret => self.is_up_to(version, self.pattern.caret_end()),
            operator => operator.accepts(self.compare(version)),
        }
    }
}

/// Replaces wildcards by 0.
fn smallest(pattern: Pattern) -> Pattern {
    let has_any_revision = pattern.suffix.has_wildcard();
    Pattern {
        parts: pattern.parts.map(|part| match part {
            Identifier::Wildcard => Identifier::Number(0),
            part => part,
        }),
        suffix: if has_any_revision {
            Identifiers::default()
        } else {
            pattern.suffix
        },
    }
}
