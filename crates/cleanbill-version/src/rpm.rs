//! Versions of rpm packages.
//!
//! Source: spec 02 section 4.4; go-rpm-version 2026-08-11 `version.go`, which follows rpm
//! `rpmio/rpmvercmp.cc` including `~` and `^`. It differs from rpm in one thing: everything parses.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

/// Is a parsed version: `[epoch:]version[-release]`.
///
/// Versions are equal when neither is less, as `1_0` and `1.00` are; the texts may differ. Prints
/// the epoch only if it is greater than 0.
#[derive(Clone, Debug)]
pub struct Version {
    epoch: i64,
    version: String,
    release: String,
}

impl Version {
    /// Parses a version. An epoch that is no number counts as 0; a missing release as empty.
    pub fn parse(text: &str) -> Self {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.trim_start().parse().unwrap_or(0), rest),
            None => (0, text),
        };
        let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
        Self {
            epoch,
            version: version.to_owned(),
            release: release.to_owned(),
        }
    }

    /// Returns the epoch, 0 if there is none.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Returns the version proper.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the release; empty if there is none.
    pub fn release(&self) -> &str {
        &self.release
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch > 0 {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.version)?;
        if !self.release.is_empty() {
            write!(f, "-{}", self.release)?;
        }
        Ok(())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.epoch.cmp(&other.epoch))
            .then_with(|| compare_parts(&self.version, &other.version))
            .then_with(|| compare_parts(&self.release, &other.release))
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

/// Compares two versions proper or two releases, segment by segment.
fn compare_parts(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (Segments(left.as_bytes()), Segments(right.as_bytes()));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(extra), None) => extra.against_end(),
            (None, Some(extra)) => extra.against_end().reverse(),
            (Some(left), Some(right)) => left.cmp(&right),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Is a part of a version. The order of the variants is that of comparing; a version's end lies
/// between tilde and caret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Tilde,
    Caret,
    Letters(&'a [u8]),
    /// A number without leading zeros, its length first: the longer is greater.
    Number(usize, &'a [u8]),
}

impl Segment<'_> {
    fn against_end(self) -> Ordering {
        match self {
            Segment::Tilde => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}

/// Splits a version into segments; every other character only separates them.
struct Segments<'a>(&'a [u8]);

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = *self.0.first()?;
            if first.is_ascii_digit() {
                let digits = self.take_while(u8::is_ascii_digit);
                let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
                let digits = digits.get(zeros..).unwrap_or_default();
                return Some(Segment::Number(digits.len(), digits));
            }
            if first.is_ascii_alphabetic() {
                return Some(Segment::Letters(self.take_while(u8::is_ascii_alphabetic)));
            }
            self.0 = self.0.get(1..).unwrap_or_default();
            match first {
                b'~' => return Some(Segment::Tilde),
                b'^' => return Some(Segment::Caret),
                _ => {}
            }
        }
    }
}

impl<'a> Segments<'a> {
    fn take_while(&mut self, accept: impl Fn(&u8) -> bool) -> &'a [u8] {
        let length = self.0.iter().take_while(|byte| accept(byte)).count();
        let (taken, left) = self.0.split_at(length);
        self.0 = left;
        taken
    }
}
