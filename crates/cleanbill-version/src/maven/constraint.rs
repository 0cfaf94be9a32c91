//! Constraints on Maven artifacts, in two notations: `>=1.0, <2.0 || 3.0`, and Maven's own ranges,
//! `[1.0,2.0),[3.0]`.

use crate::expression::{COMMON_OPERATORS, Grammar, Item, Operator, Positions};
use crate::maven::Version;
use crate::range::Bound;
use crate::scanner::Scanner;

/// Is one bound.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    operator: Operator,
    version: Version,
}

impl Bound for Constraint {
    type Version = Version;
    const GRAMMAR: Grammar = Grammar {
        operators: &[&[("!=", Operator::NotEqual)], COMMON_OPERATORS],
        read,
        ends,
    };

    fn parse(item: Item<'_>) -> Option<Self> {
        Some(Self {
            operator: item.operator,
            version: Version::parse(item.version),
        })
    }

    fn holds(&self, version: &Version) -> bool {
        self.operator.accepts(version.compare(&self.version))
    }

    fn parse_otherwise(text: &str) -> Option<Vec<Vec<Self>>> {
        parse_ranges(text)
    }
}

fn read(scanner: &mut Scanner<'_>) -> Option<()> {
    scanner.take_run(is_version).map(drop)
}

fn ends<'a>(starts: &Positions<'a>) -> Positions<'a> {
    starts.run(is_version)
}

fn is_version(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'~' | b'_' | b'.' | b'+')
}

/// Parses Maven's ranges; `None` if there are none.
///
/// White space is dropped and what stands outside brackets counts for nothing. A text that is a mere
/// version only once its white space is dropped recommends it, and so accepts every version.
fn parse_ranges(text: &str) -> Option<Vec<Vec<Constraint>>> {
    let text: String = text.split_whitespace().collect();
    if !text.is_empty() && text.bytes().all(is_recommended) {
        return Some(vec![Vec::new()]);
    }
    let ranges = bracketed(&text)
        .map(parse_range)
        .collect::<Option<Vec<_>>>()?;
    (!ranges.is_empty()).then_some(ranges)
}

fn is_recommended(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'~' | b'.')
}

/// Lists what stands between brackets, with them.
fn bracketed(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_at_checked(rest.find(['[', '('])?)?;
            let inner = after.get(1..)?;
            let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && !"-.,".contains(c))?;
            let is_closed = inner.get(end..)?.starts_with([']', ')']);
            if !is_closed || end == 0 {
                rest = inner;
                continue;
            }
            rest = inner.get(end + 1..)?;
            return after.get(..end + 2);
        }
    })
}

/// Parses `[1.0,2.0)`; `None` if it has more than one comma.
fn parse_range(text: &str) -> Option<Vec<Constraint>> {
    let bound = |operator, version: &str| Constraint {
        operator,
        version: Version::parse(version),
    };
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    let Some((lower, upper)) = inner.split_once(',') else {
        // The reference cuts off one character too many.
        let cut = inner.get(..inner.len().checked_sub(1)?)?;
        return Some(vec![bound(Operator::Equal, cut)]);
    };
    if upper.contains(',') {
        return None;
    }
    let lower_operator = match text.starts_with('[') {
        true => Operator::AtLeast,
        false => Operator::Greater,
    };
    let upper_operator = match text.ends_with(']') {
        true => Operator::AtMost,
        false => Operator::Less,
    };
    Some(vec![
        bound(lower_operator, if lower.is_empty() { LEAST } else { lower }),
        bound(
            upper_operator,
            if upper.is_empty() { GREATEST } else { upper },
        ),
    ])
}

/// What the reference takes for the least and the greatest version.
const LEAST: &str = "-----1";
const GREATEST: &str = "99999999999999999999";
