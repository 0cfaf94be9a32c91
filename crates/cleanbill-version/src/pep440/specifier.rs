//! Specifiers of Python versions as advisories state them.
//!
//! Source: spec 04 section 3.3; go-pep440-version 2026-02-24 `specifier.go` with pre-releases
//! included, as Trivy 0.74.0 calls it. It differs from PEP 440: `=` and no operator mean `==`, and
//! pre-releases are ordinary versions, unless a local part had to be dropped first.

use std::borrow::Cow;

use super::{Version, read};
use crate::expression::{Grammar, Item, Operator};
use crate::range::Bound;

/// Is one specifier.
#[derive(Clone, Debug)]
pub(crate) struct Specifier(Clause);

/// Is one specifier that may demand a local version (Seal Security).
#[derive(Clone, Debug)]
pub(crate) struct LocalSpecifier(Clause);

#[derive(Clone, Debug)]
struct Clause {
    operator: Operator,
    bound: Wanted,
}

/// Is what a version is held against.
#[derive(Clone, Debug)]
enum Wanted {
    Version(Version),
    /// The beginning of versions, split at dots: `1.0.*`.
    Prefix(Vec<String>),
    /// `~=`: a version, and the beginning that it shares with what it accepts.
    Compatible(Version, Vec<String>),
    /// `===`: the text itself.
    Text(String),
}

const GRAMMAR: Grammar = Grammar {
    operators: &[&[
        ("===", Operator::Arbitrary),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        (">=", Operator::AtLeast),
        ("<=", Operator::AtMost),
        ("~=", Operator::Compatible),
        ("=", Operator::Equal),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("", Operator::Equal),
    ]],
    read: read::specifier,
    ends: read::ends,
};

impl Bound for Specifier {
    type Version = Version;
    const GRAMMAR: Grammar = GRAMMAR;

    fn parse(item: Item<'_>) -> Option<Self> {
        let clause = Clause::parse(item)?;
        clause.is_without_local().then_some(Self(clause))
    }

    /// The local part of a version does not count, except in an equation with a local part.
    fn holds(&self, version: &Version) -> bool {
        match self.0.without_local(version) {
            Cow::Borrowed(version) => self.0.holds(version, PreReleases::Ordinary),
            Cow::Owned(public) => self.0.holds(&public, PreReleases::Apart),
        }
    }

    fn any(text: &str) -> Option<Item<'_>> {
        any(text)
    }
}

impl Bound for LocalSpecifier {
    type Version = Version;
    const GRAMMAR: Grammar = GRAMMAR;

    fn parse(item: Item<'_>) -> Option<Self> {
        Clause::parse(item).map(Self)
    }

    fn holds(&self, version: &Version) -> bool {
        self.0.holds(version, PreReleases::Ordinary)
    }

    fn any(text: &str) -> Option<Item<'_>> {
        any(text)
    }
}

/// Reads `*`, which accepts everything from version 0 on.
fn any(text: &str) -> Option<Item<'_>> {
    (text.trim() == "*").then_some(Item {
        operator: Operator::AtLeast,
        version: "0.0.0",
    })
}

/// Says whether `<1.0` accepts `1.0a1`.
#[derive(Clone, Copy, PartialEq)]
enum PreReleases {
    Ordinary,
    Apart,
}

impl Clause {
    fn parse(item: Item<'_>) -> Option<Self> {
        let operator = item.operator;
        let bound = match (operator, item.version.strip_suffix(".*")) {
            (Operator::Arbitrary, _) => Wanted::Text(item.version.to_owned()),
            (Operator::Equal | Operator::NotEqual, Some(prefix)) => {
                let version = Version::parse(prefix)?;
                if version.dev.is_some() || version.local.is_some() {
                    return None;
                }
                Wanted::Prefix(split(prefix))
            }
            (_, Some(_)) => return None,
            (Operator::Compatible, None) => compatible(Version::parse(item.version)?)?,
            (_, None) => Wanted::Version(Version::parse(item.version)?),
        };
        Some(Self { operator, bound })
    }

    /// Says whether a local part stands where PEP 440 allows one.
    fn is_without_local(&self) -> bool {
        let is_equation = matches!(self.operator, Operator::Equal | Operator::NotEqual);
        match &self.bound {
            Wanted::Version(version) | Wanted::Compatible(version, _) => {
                is_equation || version.local.is_none()
            }
            Wanted::Prefix(_) | Wanted::Text(_) => true,
        }
    }

    fn without_local<'a>(&self, version: &'a Version) -> Cow<'a, Version> {
        let is_kept = match &self.bound {
            Wanted::Text(_) => true,
            Wanted::Version(bound) => bound.local.is_some(),
            Wanted::Prefix(_) | Wanted::Compatible(..) => false,
        };
        if is_kept || version.local.is_none() {
            Cow::Borrowed(version)
        } else {
            Cow::Owned(version.public())
        }
    }

    fn holds(&self, version: &Version, pre_releases: PreReleases) -> bool {
        match &self.bound {
            Wanted::Text(text) => version.to_string().eq_ignore_ascii_case(text),
            Wanted::Prefix(prefix) => {
                begins_with(version, prefix) == (self.operator == Operator::Equal)
            }
            Wanted::Compatible(bound, prefix) => version >= bound && begins_with(version, prefix),
            Wanted::Version(bound) => {
                self.operator.accepts(version.cmp(bound))
                    && !self.excludes(version, bound, pre_releases)
            }
        }
    }

    /// Says whether a version belongs to the bound although it is less or greater: pre-releases and
    /// post-releases of it.
    fn excludes(&self, version: &Version, bound: &Version, pre_releases: PreReleases) -> bool {
        let belongs = match self.operator {
            Operator::Less => {
                pre_releases == PreReleases::Apart
                    && version.is_pre_release()
                    && !bound.is_pre_release()
            }
            Operator::Greater => version.post.is_some() && bound.post.is_none(),
            _ => false,
        };
        belongs && version.compare_bases(bound).is_eq()
    }
}

fn compatible(version: Version) -> Option<Wanted> {
    if version.release.len() < 2 {
        return None;
    }
    let mut prefix: Vec<String> = split(&version.public().to_string())
        .into_iter()
        .take_while(|part| !part.starts_with("post") && !part.starts_with("dev"))
        .collect();
    prefix.pop();
    // It is joined and split again in the reference.
    let prefix = split(&prefix.join("."));
    Some(Wanted::Compatible(version, prefix))
}

/// Splits a version at dots, and between the release and a stage in normal form.
fn split(version: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for part in version.split('.') {
        match split_stage(part) {
            Some((number, stage)) => parts.extend([number.to_owned(), stage.to_owned()]),
            None => parts.push(part.to_owned()),
        }
    }
    parts
}

/// Splits `0rc1` into `0` and `rc1`.
fn split_stage(part: &str) -> Option<(&str, &str)> {
    let at = part
        .find(|c: char| !c.is_ascii_digit())
        .filter(|at| *at > 0)?;
    let (number, stage) = part.split_at_checked(at)?;
    let digits = ["a", "b", "c", "rc"]
        .iter()
        .find_map(|name| stage.strip_prefix(name))?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((number, stage))
}

/// Says whether a version begins with a prefix, part by part.
///
/// The reference's mistakes are kept: numbers are taken out wherever they stand, what is shorter is
/// filled up half way, and what follows is the prefix's own in both, so that parts which are no
/// numbers are never compared.
fn begins_with(version: &Version, prefix: &[String]) -> bool {
    let mut version = split(&version.public().to_string());
    version.truncate(prefix.len());
    let (mut wanted, mut found) = (numbers(prefix), numbers(&version));
    let rest = |numbers: &[&str]| prefix.get(numbers.len()..).unwrap_or_default();
    let (wanted_rest, found_rest) = (rest(&wanted), rest(&found));
    let length = wanted.len();
    fill_up(&mut wanted, found.len());
    fill_up(&mut found, length);
    let wanted = wanted
        .into_iter()
        .chain(wanted_rest.iter().map(String::as_str));
    wanted.eq(found
        .into_iter()
        .chain(found_rest.iter().map(String::as_str)))
}

fn numbers(parts: &[String]) -> Vec<&str> {
    let is_number = |part: &&str| part.parse::<i64>().is_ok();
    parts.iter().map(String::as_str).filter(is_number).collect()
}

/// Appends zeros. The reference's loop counts up while what is missing goes down, and so stops half
/// way.
fn fill_up(numbers: &mut Vec<&str>, length: usize) {
    let missing = length.saturating_sub(numbers.len());
    numbers.extend(std::iter::repeat_n("0", missing.div_ceil(2)));
}
