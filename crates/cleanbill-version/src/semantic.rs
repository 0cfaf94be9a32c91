//! Semantic versions of three numbers, strictly parsed, and the constraints with wildcards that npm
//! and Bitnami state for them.
//!
//! Source: spec 04 section 3.2; go-version 0.0.1 `pkg/semver`.

use std::cmp::Ordering;

use crate::expression::Positions;
use crate::identifiers::{Identifier, Identifiers, parse_number};
use crate::scanner::{Scanner, is_digit, is_identifier};

/// Is an installed version. What follows the `-` is a pre-release or a revision.
#[derive(Clone, Debug)]
pub(crate) struct Semantic {
    pub(crate) numbers: [u64; 3],
    pub(crate) suffix: Identifiers,
}

impl Semantic {
    /// Parses a version after Semantic Versioning 2.0; `None` if it is none or a number exceeds 64
    /// bits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let major = read_number(&mut scanner)?;
        let minor = scanner.take_after(b'.', read_number)?;
        let patch = scanner.take_after(b'.', read_number)?;
        let suffix = scanner.take_after(b'-', |rest| rest.take_dotted(is_identifier));
        let _ = scanner.take_after(b'+', |rest| rest.take_dotted(is_identifier));
        let suffix = suffix.unwrap_or_default();
        let is_strict = suffix
            .split('.')
            .all(|identifier| !has_leading_zero(identifier));
        (scanner.is_at_end() && is_strict).then(|| Self {
            numbers: [major, minor, patch],
            suffix: Identifiers::parse(suffix),
        })
    }
}

fn read_number(scanner: &mut Scanner<'_>) -> Option<u64> {
    let digits = scanner.take_run(is_digit)?;
    parse_number(digits).filter(|_| !has_leading_zero(digits))
}

fn has_leading_zero(identifier: &str) -> bool {
    identifier.len() > 1 && identifier.starts_with('0') && identifier.bytes().all(is_digit)
}

/// Is the version of a constraint, wildcards for the parts that it lacks.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) parts: [Identifier; 3],
    pub(crate) suffix: Identifiers,
}

impl Pattern {
    /// Parses the version of a constraint. `None` if it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let raw = read_pattern(&mut scanner)?;
        scanner.is_at_end().then(|| Self {
            parts: raw.parts.map(|part| match part {
                "" => Identifier::Wildcard,
                part => Identifier::parse(part),
            }),
            suffix: Identifiers::parse(raw.suffix),
        })
    }

    /// Says whether it has a wildcard, or lacks a part.
    pub(crate) fn has_wildcard(&self) -> bool {
        self.parts.contains(&Identifier::Wildcard)
    }

    /// Compares a version with it. From a wildcard on nothing counts. A part that is no number,
    /// such as `1x`, is greater than every number. Ecosystems differ about suffixes.
    pub(crate) fn compare(
        &self,
        version: &Semantic,
        compare_suffixes: fn(&Identifiers, &Identifiers) -> Ordering,
    ) -> Ordering {
        for (number, part) in version.numbers.iter().zip(&self.parts) {
            let order = match part {
                Identifier::Wildcard => return Ordering::Equal,
                Identifier::Number(bound) => number.cmp(bound),
                Identifier::Text(_) => Ordering::Less,
            };
            if order.is_ne() {
                return order;
            }
        }
        compare_suffixes(&version.suffix, &self.suffix)
    }

    /// Returns the end of what `~` accepts; `None` if the part to be raised is no number, on which
    /// the reference breaks down.
    pub(crate) fn tilde_end(&self) -> Option<End> {
        use Identifier::Wildcard;
        match &self.parts {
            [Wildcard, ..] => Some(End::Unbounded),
            [major, Wildcard, _] => End::after([major]),
            [major, minor, _] => End::after([major, minor]),
        }
    }

    /// Returns the end of what `^` accepts; `None` as for `~`.
    pub(crate) fn caret_end(&self) -> Option<End> {
        use Identifier::{Number, Wildcard};
        match &self.parts {
            [Wildcard, ..] => Some(End::Unbounded),
            [Number(0), Wildcard, _] => Some(End::Before([1, 0, 0])),
            [Number(0), minor @ Number(0), Wildcard] => End::after([&Number(0), minor]),
            [Number(0), Number(0), patch] => End::after([&Number(0), &Number(0), patch]),
            [Number(0), minor, _] => End::after([&Number(0), minor]),
            [major, ..] => End::after([major]),
        }
    }
}

/// Is the end of what `~` or `^` accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Every major version but the greatest possible one.
    Unbounded,
    /// Versions before one without a suffix.
    Before([u64; 3]),
}

impl End {
    /// Raises the last of some numbers; those after it become 0.
    fn after<const N: usize>(parts: [&Identifier; N]) -> Option<Self> {
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(parts) {
            let Identifier::Number(value) = part else {
                return None;
            };
            *number = *value;
        }
        let raised = numbers.get_mut(N.checked_sub(1)?)?;
        *raised = raised.wrapping_add(1);
        Some(Self::Before(numbers))
    }
}

/// Holds the parts of a pattern as they are written; empty if absent.
struct RawPattern<'a> {
    parts: [&'a str; 3],
    suffix: &'a str,
}

fn read_pattern<'a>(scanner: &mut Scanner<'a>) -> Option<RawPattern<'a>> {
    scanner.take(b'v');
    let major = scanner.take_run(is_part)?;
    let mut next = || {
        scanner
            .take_after(b'.', |rest| rest.take_run(is_part))
            .unwrap_or_default()
    };
    let parts = [major, next(), next()];
    let suffix = scanner.take_after(b'-', |rest| rest.take_dotted(is_identifier));
    let _ = scanner.take_after(b'+', |rest| rest.take_dotted(is_identifier));
    Some(RawPattern {
        parts,
        suffix: suffix.unwrap_or_default(),
    })
}

/// Reads a pattern where one begins.
pub(crate) fn read(scanner: &mut Scanner<'_>) -> Option<()> {
    read_pattern(scanner).map(drop)
}

/// Lists where a pattern may end.
pub(crate) fn ends<'a>(starts: &Positions<'a>) -> Positions<'a> {
    starts
        .optional(|rest| rest.word("v"))
        .run(is_part)
        .optional(|rest| rest.word(".").run(is_part))
        .optional(|rest| rest.word(".").run(is_part))
        .optional(|rest| rest.word("-").dotted(is_identifier))
        .optional(|rest| rest.word("+").dotted(is_identifier))
}

/// The reference means to list the wildcards and lists the `|` between them too.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}
