//! Versions of Debian packages.
//!
//! Source: spec 02 section 4.3; go-deb-version 2024-11-15 `version.go`, which follows
//! deb-version(7). It differs from dpkg: upstream must begin with a digit, `_` and letters and digits
//! of any script are allowed, numbers saturate at 2⁶³ − 1.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

use crate::unicode::{is_digit, is_letter};

/// Is a parsed version: `[epoch:]upstream[-revision]`.
///
/// Versions are equal when neither is less, as `1.0` and `1.0-0` are; the texts may differ.
#[derive(Clone, Debug)]
pub struct Version {
    epoch: i64,
    upstream: String,
    revision: String,
}

/// Says why a text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// What stands before the first colon is no number from 0 to 2⁶³ − 1.
    #[error("'{0}' is no epoch")]
    Epoch(String),
    /// Nothing stands between epoch and revision.
    #[error("the upstream version is empty")]
    UpstreamEmpty,
    /// The upstream version begins with something else than a digit.
    #[error("the upstream version does not begin with a digit")]
    UpstreamStart,
    /// The upstream version holds a character that it must not.
    #[error("the upstream version holds {0:?}")]
    UpstreamCharacter(char),
    /// The revision holds a character that it must not.
    #[error("the revision holds {0:?}")]
    RevisionCharacter(char),
}

impl Version {
    /// Parses a version; white space around it is ignored.
    ///
    /// # Errors
    ///
    /// See [`ParseError`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (parse_epoch(epoch)?, rest),
            None => (0, text),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        check_upstream(upstream)?;
        check_revision(revision)?;
        Ok(Self {
            epoch,
            upstream: upstream.to_owned(),
            revision: revision.to_owned(),
        })
    }

    /// Returns the epoch, 0 if there is none.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Returns the upstream version.
    pub fn upstream(&self) -> &str {
        &self.upstream
    }

    /// Returns the Debian revision; empty if there is none.
    pub fn revision(&self) -> &str {
        &self.revision
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch > 0 {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.upstream)?;
        if !self.revision.is_empty() {
            write!(f, "-{}", self.revision)?;
        }
        Ok(())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.epoch.cmp(&other.epoch))
            .then_with(|| compare_parts(&self.upstream, &other.upstream))
            .then_with(|| compare_parts(&self.revision, &other.revision))
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

fn parse_epoch(text: &str) -> Result<i64, ParseError> {
    text.parse()
        .ok()
        .filter(|epoch| *epoch >= 0)
        .ok_or_else(|| ParseError::Epoch(text.to_owned()))
}

fn check_upstream(upstream: &str) -> Result<(), ParseError> {
    match upstream.chars().next() {
        None => return Err(ParseError::UpstreamEmpty),
        Some(first) if !first.is_ascii_digit() => return Err(ParseError::UpstreamStart),
        Some(_) => {}
    }
    match find_foreign(upstream, ".-+~:_") {
        Some(foreign) => Err(ParseError::UpstreamCharacter(foreign)),
        None => Ok(()),
    }
}

fn check_revision(revision: &str) -> Result<(), ParseError> {
    match find_foreign(revision, "+.~_") {
        Some(foreign) => Err(ParseError::RevisionCharacter(foreign)),
        None => Ok(()),
    }
}

fn find_foreign(text: &str, allowed_symbols: &str) -> Option<char> {
    text.chars()
        .find(|c| !is_digit(*c) && !is_letter(*c) && !allowed_symbols.contains(*c))
}

/// Compares upstream versions or revisions: runs of other characters and numbers take turns, and a
/// missing run counts as empty or 0.
fn compare_parts(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    while !left.is_empty() || !right.is_empty() {
        let order = compare_texts(take_text(&mut left), take_text(&mut right))
            .then_with(|| take_number(&mut left).cmp(&take_number(&mut right)));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn take_text<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    take_while(rest, |byte| !byte.is_ascii_digit())
}

fn take_number(rest: &mut &[u8]) -> i64 {
    let digits = take_while(rest, |byte| byte.is_ascii_digit());
    digits.iter().fold(0_i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    })
}

fn take_while<'a>(rest: &mut &'a [u8], accept: impl Fn(&u8) -> bool) -> &'a [u8] {
    let length = rest.iter().take_while(|byte| accept(byte)).count();
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
}

fn compare_texts(left: &[u8], right: &[u8]) -> Ordering {
    (0..left.len().max(right.len()))
        .map(|index| weight(left.get(index)).cmp(&weight(right.get(index))))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Weighs a byte: `~` before the end of the text, then letters, then the rest. The reference takes
/// the bytes of other scripts for letters of Latin-1.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => 0,
        Some(b'~') => -1,
        Some(byte) if char::from(*byte).is_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    }
}
