//! Versions of Ruby gems and CocoaPods, and the requirements that advisories state for them.
//!
//! Source: spec 04 section 3.4; go-gem-version 2020-11-15. It differs from RubyGems: letters are
//! compared one by one, so `1.0.alpha` is less than `1.0.a`, and `-` only stands for `.pre.`.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use crate::expression::{COMMON_OPERATORS, Grammar, Item, Operator, Positions};
use crate::identifiers::parse_number;
use crate::range::Bound;
use crate::scanner::{Scanner, is_digit, is_identifier};

/// Is a parsed version.
///
/// Versions are equal when neither is less, as `1.0` and `1` are; the texts may differ.
#[derive(Clone, Debug)]
pub struct Version {
    /// Numbers before the first letter.
    numbers: Vec<Segment>,
    /// The first letter and everything after it.
    rest: Vec<Segment>,
}

/// Is a number or a letter. A number beyond 64 bits counts as a text, and texts are less than
/// numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Text(Box<str>),
    Number(u64),
}

const ZERO: &Segment = &Segment::Number(0);

impl Version {
    /// Parses a version; white space around it is ignored, and nothing at all is version 0. `None`
    /// if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        scanner.skip_spaces();
        let start = scanner;
        let is_empty = scanner.attempt(read).is_none();
        let version = (start.rest()).get(..scanner.position() - start.position())?;
        scanner.skip_spaces();
        scanner
            .is_at_end()
            .then(|| Self::from_valid(if is_empty { "0" } else { version }))
    }

    fn from_valid(text: &str) -> Self {
        let mut numbers: Vec<Segment> = segments(&text.replace('-', ".pre.")).collect();
        let is_text = |segment: &Segment| matches!(segment, Segment::Text(_));
        let first_text = numbers.iter().position(is_text).unwrap_or(numbers.len());
        let rest = numbers.split_off(first_text);
        Self { numbers, rest }
    }

    /// Returns the end of what `~>` accepts: the last number is left out and the one before it
    /// raised. `None` if there is no number that 64 bits hold, on which the reference breaks down.
    fn bumped(&self) -> Option<Self> {
        let mut numbers = self.numbers.clone();
        if numbers.len() > 1 {
            numbers.pop();
        }
        match numbers.last_mut()? {
            Segment::Number(last) => *last = last.wrapping_add(1),
            Segment::Text(_) => return None,
        }
        Some(Self {
            numbers,
            rest: Vec::new(),
        })
    }

    /// Returns the version without letters and what follows them.
    fn release(&self) -> Self {
        Self {
            numbers: self.numbers.clone(),
            rest: Vec::new(),
        }
    }

    /// Lists the segments that count: zeros at the end of either part do not.
    fn segments(&self) -> impl Iterator<Item = &Segment> {
        trimmed(&self.numbers).iter().chain(trimmed(&self.rest))
    }
}

fn trimmed(segments: &[Segment]) -> &[Segment] {
    let end = segments.iter().rposition(|segment| segment != ZERO);
    end.and_then(|end| segments.get(..=end)).unwrap_or_default()
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (self.segments(), other.segments());
        loop {
            let pair = (left.next(), right.next());
            if pair == (None, None) {
                return Ordering::Equal;
            }
            let order = pair.0.unwrap_or(ZERO).cmp(pair.1.unwrap_or(ZERO));
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// Lists runs of digits and single letters; everything else only separates.
fn segments(text: &str) -> impl Iterator<Item = Segment> + '_ {
    let mut scanner = Scanner::new(text);
    std::iter::from_fn(move || {
        while !scanner.is_at_end() {
            if let Some(digits) = scanner.take_run(is_digit) {
                let text = || Segment::Text(digits.into());
                return Some(parse_number(digits).map_or_else(text, Segment::Number));
            }
            let byte = scanner.peek();
            scanner.take_one(|_| true);
            if let Some(letter) = byte.filter(u8::is_ascii_alphabetic) {
                return Some(Segment::Text(char::from(letter).to_string().into()));
            }
        }
        None
    })
}

/// Reads a version where one begins.
fn read(scanner: &mut Scanner<'_>) -> Option<()> {
    scanner.take_run(is_digit)?;
    while let Some(_run) = scanner.take_after(b'.', |rest| rest.take_run(is_alphanumeric)) {}
    let _ = scanner.take_after(b'-', |rest| rest.take_dotted(is_identifier));
    Some(())
}

fn ends<'a>(starts: &Positions<'a>) -> Positions<'a> {
    let first = starts.run(is_digit);
    let dotted = first.optional(|rest| rest.word(".").dotted(is_alphanumeric));
    dotted.optional(|rest| rest.word("-").dotted(is_identifier))
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// Is one requirement.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    operator: Operator,
    version: Version,
    /// The first release beyond what `~>` accepts.
    end: Option<Version>,
}

impl Bound for Requirement {
    type Version = Version;
    const GRAMMAR: Grammar = Grammar {
        operators: &[
            &[("!=", Operator::NotEqual), ("~>", Operator::Pessimistic)],
            COMMON_OPERATORS,
        ],
        read,
        ends,
    };

    fn parse(item: Item<'_>) -> Option<Self> {
        let version = Version::parse(item.version)?;
        Some(Self {
            end: match item.operator {
                Operator::Pessimistic => version.bumped(),
                _ => None,
            },
            operator: item.operator,
            version,
        })
    }

    fn holds(&self, version: &Version) -> bool {
        let is_accepted = self.operator.accepts(version.cmp(&self.version));
        match self.operator {
            Operator::Pessimistic => {
                is_accepted && (self.end.as_ref()).is_some_and(|end| version.release() < *end)
            }
            _ => is_accepted,
        }
    }
}
