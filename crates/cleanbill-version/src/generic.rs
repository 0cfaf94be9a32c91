//! Versions of Cargo, Composer, Go, NuGet, Pub, Hex, Conan, Swift, Kubernetes and Julia, and the
//! constraints that advisories state for them.
//!
//! Source: spec 04 section 3.1; go-version 0.0.1 `pkg/version`. Any number of segments, of which
//! zeros at the end do not count; a pre-release may follow without a hyphen (`1.0rc1`). A pre-release
//! with an identifier `x` is equal to every other, so the order is not transitive with it.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use crate::expression::{COMMON_OPERATORS, Grammar, Item, Operator, Positions};
use crate::identifiers::{Identifiers, parse_number};
use crate::range::Bound;
use crate::scanner::{Scanner, is_digit};

/// Is a parsed version.
#[derive(Clone, Debug)]
pub struct Version {
    segments: Vec<u64>,
    pre_release: Identifiers,
}

impl Version {
    /// Parses a version: `v1.2.3-rc.1+build`. `None` if it is none, or a segment exceeds 64 bits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let raw = read(&mut scanner)?;
        if !scanner.is_at_end() {
            return None;
        }
        Some(Self {
            segments: (raw.segments.split('.').map(parse_number)).collect::<Option<_>>()?,
            pre_release: Identifiers::parse(raw.pre_release),
        })
    }

    /// Compares two versions; build metadata does not count.
    pub fn compare(&self, other: &Self) -> Ordering {
        compare_segments(&self.segments, &other.segments)
            .then_with(|| (self.pre_release).compare_as_pre_release(&other.pre_release))
    }

    /// Returns the end of what `~>` accepts.
    fn pessimistic_end(&self) -> Self {
        let mut end = self.clone();
        match end.segments.as_mut_slice() {
            // The pre-release stays: `~>1-rc` ends before `2-rc`.
            [only] => *only = only.wrapping_add(1),
            [.., raised, last] => {
                *last = 0;
                *raised = raised.wrapping_add(1);
                end.pre_release = Identifiers::default();
            }
            [] => {}
        }
        end
    }

    /// Returns the end of what `~` accepts.
    fn tilde_end(&self) -> Self {
        let mut end = self.clone();
        if let [_, minor] = end.segments.as_mut_slice() {
            *minor = minor.wrapping_add(1);
            return end;
        }
        self.pessimistic_end()
    }

    /// Returns the end of what `^` accepts.
    fn caret_end(&self) -> Self {
        let last = self.segments.len().saturating_sub(1);
        let raised = (self.segments.iter().position(|segment| *segment != 0)).unwrap_or(last);
        let raise = |(index, segment): (usize, &u64)| match index.cmp(&raised) {
            Ordering::Less => *segment,
            Ordering::Equal => segment.wrapping_add(1),
            Ordering::Greater => 0,
        };
        Self {
            segments: self.segments.iter().enumerate().map(raise).collect(),
            pre_release: Identifiers::default(),
        }
    }
}

/// Compares numbers; missing ones count as 0.
pub(crate) fn compare_segments(left: &[u64], right: &[u64]) -> Ordering {
    (0..left.len().max(right.len()))
        .map(|index| {
            let of = |segments: &[u64]| segments.get(index).copied().unwrap_or(0);
            of(left).cmp(&of(right))
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Holds the parts of a version as they are written.
struct Raw<'a> {
    segments: &'a str,
    pre_release: &'a str,
}

fn read<'a>(scanner: &mut Scanner<'a>) -> Option<Raw<'a>> {
    scanner.take(b'v');
    let segments = scanner.take_dotted(is_digit)?;
    let pre_release = read_pre_release(scanner).unwrap_or_default();
    let _ = scanner.take_after(b'+', |rest| rest.take_dotted(is_identifier));
    Some(Raw {
        segments,
        pre_release,
    })
}

/// Reads a pre-release. The hyphen before it may be missing if it begins with no digit; one that is
/// alone is a pre-release itself.
fn read_pre_release<'a>(scanner: &mut Scanner<'a>) -> Option<&'a str> {
    scanner
        .take_after(b'-', |rest| rest.take_dotted(is_identifier))
        .or_else(|| {
            let begins = scanner.sees(|byte| !is_digit(byte));
            begins.then(|| scanner.take_dotted(is_identifier)).flatten()
        })
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'~')
}

const GRAMMAR: Grammar = Grammar {
    operators: &[
        &[
            ("!=", Operator::NotEqual),
            ("~>", Operator::Pessimistic),
            ("~", Operator::Tilde),
            ("^", Operator::Caret),
        ],
        COMMON_OPERATORS,
    ],
    read: |scanner| read(scanner).map(drop),
    ends,
};

fn ends<'a>(starts: &Positions<'a>) -> Positions<'a> {
    let begins = |byte: u8| is_identifier(byte) && !is_digit(byte);
    starts
        .optional(|rest| rest.word("v"))
        .dotted(is_digit)
        .optional(|rest| {
            let after_hyphen = rest.word("-").dotted(is_identifier);
            let without_hyphen = rest.one(begins);
            let longer = without_hyphen.optional(|rest| rest.run(is_identifier));
            let dotted = longer.optional(|rest| rest.word(".").dotted(is_identifier));
            after_hyphen.or(&dotted)
        })
        .optional(|rest| rest.word("+").dotted(is_identifier))
}

/// Is one bound of a constraint.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    operator: Operator,
    version: Version,
    /// The first version beyond, where there are two bounds in one.
    end: Option<Version>,
}

impl Bound for Constraint {
    type Version = Version;
    const GRAMMAR: Grammar = GRAMMAR;

    fn parse(item: Item<'_>) -> Option<Self> {
        let version = Version::parse(item.version)?;
        Some(Self {
            end: match item.operator {
                Operator::Pessimistic => Some(version.pessimistic_end()),
                Operator::Tilde => Some(version.tilde_end()),
                Operator::Caret => Some(version.caret_end()),
                _ => None,
            },
            operator: item.operator,
            version,
        })
    }

    fn holds(&self, version: &Version) -> bool {
        let is_before = |end: &Version| version.compare(end).is_lt();
        self.operator.accepts(version.compare(&self.version))
            && self.end.as_ref().is_none_or(is_before)
    }
}
