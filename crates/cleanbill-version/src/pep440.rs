//! Versions of Python packages.
//!
//! Source: spec 04 section 3.3; go-pep440-version 2026-02-24 `version.go`, which follows PEP 440. It
//! differs from it: a local version is split at dots only, so `1.0+a-1` and `1.0+a.1` differ, and
//! numbers must fit 64 bits, or there is no version.

mod read;
mod specifier;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

use crate::generic::compare_segments;
use crate::identifiers::parse_number;

pub(crate) use specifier::{LocalSpecifier, Specifier};

/// Is a parsed version: `1!2.0rc1.post1.dev1+local`.
///
/// Versions are equal when neither is less, as `1.0` and `1` are; the texts may differ. Prints in
/// the normal form, but with the release as it was written.
#[derive(Clone, Debug)]
pub struct Version {
    epoch: u64,
    release: Vec<u64>,
    pre: Option<(Stage, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
    /// In lower case.
    local: Option<String>,
}

/// Names a stage before the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Alpha,
    Beta,
    Candidate,
}

impl Version {
    /// Parses a version; white space around it and the case of letters do not count. `None` if it is
    /// none.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let raw = read::version(&lower)?;
        Some(Self {
            epoch: raw.epoch,
            release: raw
                .release
                .split('.')
                .map(parse_number)
                .collect::<Option<_>>()?,
            pre: raw.pre,
            post: raw.post,
            dev: raw.dev,
            local: raw.local.map(str::to_owned),
        })
    }

    /// Returns the version without its local part.
    fn public(&self) -> Self {
        Self {
            local: None,
            ..self.clone()
        }
    }

    fn is_pre_release(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// Compares epoch and release alone.
    fn compare_bases(&self, other: &Self) -> Ordering {
        (self.epoch.cmp(&other.epoch)).then_with(|| compare_segments(&self.release, &other.release))
    }

    /// Places a version among those of one release: development releases of it come first, then
    /// its stages, then itself.
    fn stage(&self) -> Place<(Stage, u64)> {
        match (self.pre, self.post, self.dev) {
            (Some(pre), ..) => Place::At(pre),
            (None, None, Some(_)) => Place::First,
            (None, ..) => Place::Last,
        }
    }
}

/// Is a place in an order, or one before or after all others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place<T> {
    First,
    At(T),
    Last,
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let dev = |version: &Self| version.dev.map_or(Place::Last, Place::At);
        self.compare_bases(other)
            .then_with(|| self.stage().cmp(&other.stage()))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| dev(self).cmp(&dev(other)))
            .then_with(|| compare_locals(self.local.as_deref(), other.local.as_deref()))
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

/// Compares local versions part by part: none, then texts by their bytes, then numbers.
fn compare_locals(left: Option<&str>, right: Option<&str>) -> Ordering {
    fn parts(local: &str) -> impl Iterator<Item = Result<u64, &str>> {
        local.split('.').map(|part| parse_number(part).ok_or(part))
    }
    match (left, right) {
        (Some(left), Some(right)) => {
            let mut right = parts(right);
            for left in parts(left) {
                let order = match (left, right.next()) {
                    (_, None) => Ordering::Greater,
                    (Ok(left), Some(Ok(right))) => left.cmp(&right),
                    (Ok(_), Some(Err(_))) => Ordering::Greater,
                    (Err(_), Some(Ok(_))) => Ordering::Less,
                    (Err(left), Some(Err(right))) => left.cmp(right),
                };
                if order.is_ne() {
                    return order;
                }
            }
            right.next().map_or(Ordering::Equal, |_| Ordering::Less)
        }
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch > 0 {
            write!(f, "{}!", self.epoch)?;
        }
        for (index, segment) in self.release.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{segment}")?;
        }
        if let Some((stage, number)) = self.pre {
            write!(f, "{}{number}", stage.letters())?;
        }
        if let Some(number) = self.post {
            write!(f, ".post{number}")?;
        }
        if let Some(number) = self.dev {
            write!(f, ".dev{number}")?;
        }
        match &self.local {
            Some(local) => write!(f, "+{local}"),
            None => Ok(()),
        }
    }
}

impl Stage {
    fn letters(self) -> &'static str {
        match self {
            Stage::Alpha => "a",
            Stage::Beta => "b",
            Stage::Candidate => "rc",
        }
    }
}
