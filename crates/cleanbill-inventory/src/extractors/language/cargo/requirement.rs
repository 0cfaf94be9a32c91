//! Which versions a requirement in a `Cargo.toml` allows.
//!
//! The reference does not use Cargo's rules but those of a library, whose corner cases decide
//! which dependency counts as direct; they are followed. Versions are SemVer 2.0.
//!
//! Source: aquasecurity/go-version 0.0.1 `pkg/semver`, and Trivy 0.74.0
//! `pkg/fanal/analyzer/language/rust/cargo/cargo.go` (`matchVersion`).

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use cleanbill_version::VersionScheme;

/// Holds alternatives, each a list of comparators that must all hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirement(Vec<Vec<Comparator>>);

/// Holds a full version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    numbers: [u64; 3],
    pre_release: Vec<Identifier>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparator {
    operator: Operator,
    bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

/// Operators, the longer before those that they begin with.
const OPERATORS: [(&str, Operator); 11] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// Holds a version that may have wild cards.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    numbers: [Number; 3],
    pre_release: Vec<Identifier>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Exact(u64),
    /// A wild card, or not stated.
    Any,
    /// Neither a number nor a wild card (`1x`); above every number.
    Text,
}

/// Holds one part of a pre-release; their order is that of the kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(String),
    /// `x`, `X` or `*`.
    Any,
}

impl Version {
    /// Reads a version; `None` if it is not SemVer.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (text, build) = split_suffix(text, '+');
        if !build.is_none_or(|build| build.split('.').all(is_identifier)) {
            return None;
        }
        let (core, pre_release) = split_suffix(text, '-');
        let is_valid = |part: &str| is_identifier(part) && !has_leading_zero(part);
        if !pre_release.is_none_or(|pre_release| pre_release.split('.').all(is_valid)) {
            return None;
        }
        let mut numbers = [0; 3];
        let mut parts = core.split('.');
        for number in &mut numbers {
            let part = parts.next()?;
            if !is_digits(part) || has_leading_zero(part) {
                return None;
            }
            *number = part.parse().ok()?;
        }
        parts.next().is_none().then(|| Self {
            numbers,
            pre_release: identifiers(pre_release.unwrap_or_default()),
        })
    }

    /// Compares with a bound; a wild card equals everything from there on.
    fn compare(&self, bound: &Bound) -> Ordering {
        for (own, other) in self.numbers.iter().zip(bound.numbers) {
            match other {
                Number::Any => return Ordering::Equal,
                Number::Text => return Ordering::Less,
                Number::Exact(other) if *own != other => return own.cmp(&other),
                Number::Exact(_) => {}
            }
        }
        compare_pre_releases(&self.pre_release, &bound.pre_release)
    }
}

impl Requirement {
    /// Reads a requirement; `None` if it is malformed. A plain version stands for a caret.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let caret;
        let text = if is_plain_version(text) {
            caret = format!("^{text}");
            &caret
        } else {
            text
        };
        let alternatives = text.split("||").map(parse_alternative);
        alternatives.collect::<Option<_>>().map(Self)
    }

    /// Says whether a version is allowed.
    pub(super) fn allows(&self, version: &Version) -> bool {
        self.0.iter().any(|alternative| {
            alternative
                .iter()
                .all(|comparator| comparator.allows(version))
        })
    }
}

impl Comparator {
    fn allows(&self, version: &Version) -> bool {
        let bound = &self.bound;
        if !is_release(&version.pre_release) && is_release(&bound.pre_release) {
            return false;
        }
        if !is_release(&bound.pre_release) && bound.is_any() {
            return false;
        }
        let compared = version.compare(bound);
        match self.operator {
            Operator::Equal => compared.is_eq(),
            Operator::NotEqual => compared.is_ne(),
            Operator::Greater => compared.is_gt(),
            Operator::GreaterOrEqual => compared.is_ge(),
            Operator::Less => version.compare(&bound.lowest()).is_lt(),
            Operator::LessOrEqual => compared.is_le(),
            Operator::Tilde => compared.is_ge() && is_below(version, bound.tilde_end()),
            Operator::Caret => compared.is_ge() && is_below(version, bound.caret_end()),
        }
    }
}

fn is_below(version: &Version, end: Option<Bound>) -> bool {
    end.is_some_and(|end| version.compare(&end).is_lt())
}

impl Bound {
    fn is_any(&self) -> bool {
        self.numbers.contains(&Number::Any)
    }

    fn lowest(&self) -> Self {
        let lowest = |number| match number {
            Number::Any => Number::Exact(0),
            other => other,
        };
        let pre_release = match self.pre_release.contains(&Identifier::Any) {
            true => Vec::new(),
            false => self.pre_release.clone(),
        };
        Self {
            numbers: self.numbers.map(lowest),
            pre_release,
        }
    }

    /// Returns the first version that a tilde excludes; `None` where the reference breaks off.
    fn tilde_end(&self) -> Option<Self> {
        match self.numbers {
            [Number::Any, ..] => Some(self.endless()),
            [_, Number::Any, _] => self.raised(0),
            _ => self.raised(1),
        }
    }

    /// Returns the first version that a caret excludes; `None` where the reference breaks off.
    fn caret_end(&self) -> Option<Self> {
        match self.numbers {
            [Number::Any, ..] => Some(self.endless()),
            [Number::Text, ..] => None,
            [Number::Exact(1..), ..] | [_, Number::Any, _] => self.raised(0),
            [_, Number::Text, _] => None,
            [_, Number::Exact(1..), _] | [_, _, Number::Any] => self.raised(1),
            _ => self.raised(2),
        }
    }

    fn endless(&self) -> Self {
        let [_, minor, patch] = self.numbers;
        Self {
            numbers: [Number::Exact(u64::MAX), minor, patch],
            pre_release: self.pre_release.clone(),
        }
    }

    /// Raises one number and puts zero after it.
    fn raised(&self, index: usize) -> Option<Self> {
        let mut numbers = self.numbers;
        let mut parts = numbers.iter_mut().skip(index);
        match parts.next() {
            Some(Number::Exact(number)) => *number = number.wrapping_add(1),
            _ => return None,
        }
        parts.for_each(|number| *number = Number::Exact(0));
        Some(Self {
            numbers,
            pre_release: Vec::new(),
        })
    }
}

/// Reads comparators that stand side by side, a comma after each or not.
fn parse_alternative(text: &str) -> Option<Vec<Comparator>> {
    let mut rest = trim(text);
    if rest.is_empty() {
        return Some(vec![Comparator {
            operator: Operator::Equal,
            bound: Bound {
                numbers: [Number::Any; 3],
                pre_release: vec![Identifier::Any],
            },
        }]);
    }
    let mut comparators = Vec::new();
    while !rest.is_empty() {
        let operator = OPERATORS
            .iter()
            .find_map(|(text, operator)| Some((rest.strip_prefix(text)?, *operator)));
        let (after, operator) = operator.unwrap_or((rest, Operator::Equal));
        let (bound, after) = parse_bound(trim(after))?;
        comparators.push(Comparator { operator, bound });
        let after = trim(after);
        rest = trim(after.strip_prefix(',').unwrap_or(after));
    }
    Some(comparators)
}

/// Reads a bound at the beginning of a text; returns what follows too.
fn parse_bound(text: &str) -> Option<(Bound, &str)> {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '|' | 'x' | 'X' | '*');
    let (major, mut rest) = take(text.strip_prefix('v').unwrap_or(text), is_number);
    if major.is_empty() {
        return None;
    }
    let mut numbers = [Number::of(major), Number::Any, Number::Any];
    for number in numbers.iter_mut().skip(1) {
        let (part, after) = take(rest.strip_prefix('.').unwrap_or_default(), is_number);
        if part.is_empty() {
            break;
        }
        *number = Number::of(part);
        rest = after;
    }
    let (pre_release, rest) = take_suffix(rest, '-');
    let (_, rest) = take_suffix(rest, '+');
    let mut bound = Bound {
        numbers,
        pre_release: identifiers(pre_release),
    };
    if is_release(&bound.pre_release) && bound.is_any() {
        bound.pre_release.push(Identifier::Any);
    }
    Some((bound, rest))
}

impl Number {
    fn of(text: &str) -> Self {
        match text.parse() {
            Ok(number) => Self::Exact(number),
            Err(_) if matches!(text, "x" | "X" | "*") => Self::Any,
            Err(_) => Self::Text,
        }
    }
}

/// Takes a mark and the dotted identifiers behind it, if there are any.
fn take_suffix(text: &str, mark: char) -> (&str, &str) {
    let Some(start) = text.strip_prefix(mark) else {
        return ("", text);
    };
    let mut size = 0;
    loop {
        let behind = start.get(size..).unwrap_or_default();
        let piece = match size {
            0 => behind,
            _ => behind.strip_prefix('.').unwrap_or_default(),
        };
        let (identifier, _) = take(piece, |c| c.is_ascii_alphanumeric() || c == '-');
        if identifier.is_empty() {
            break;
        }
        size += usize::from(size > 0) + identifier.len();
    }
    match size {
        0 => ("", text),
        _ => start.split_at(size),
    }
}

fn take(text: &str, is_wanted: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !is_wanted(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn split_suffix(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn identifiers(text: &str) -> Vec<Identifier> {
    let identifier = |part: &str| match part.parse() {
        Ok(number) => Identifier::Number(number),
        Err(_) if matches!(part, "x" | "X" | "*") => Identifier::Any,
        Err(_) => Identifier::Text(part.to_owned()),
    };
    if text.is_empty() {
        return Vec::new();
    }
    text.split('.').map(identifier).collect()
}

/// Says whether a pre-release is none; one with a wild card counts as none.
fn is_release(pre_release: &[Identifier]) -> bool {
    pre_release.is_empty() || pre_release.contains(&Identifier::Any)
}

fn compare_pre_releases(a: &[Identifier], b: &[Identifier]) -> Ordering {
    if a == b || a.contains(&Identifier::Any) || b.contains(&Identifier::Any) {
        return Ordering::Equal;
    }
    match (a.is_empty(), b.is_empty()) {
        (true, _) => Ordering::Greater,
        (_, true) => Ordering::Less,
        _ => a.cmp(b),
    }
}

/// Says whether a requirement is a version without an operator, as the reference's other library
/// reads versions.
fn is_plain_version(text: &str) -> bool {
    cleanbill_version::Version::parse(VersionScheme::Generic, text).is_some()
}

fn is_identifier(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_digits(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
}

fn has_leading_zero(part: &str) -> bool {
    part.len() > 1 && part.starts_with('0') && is_digits(part)
}

/// Trims what the reference's patterns take for blanks.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\u{c}'])
}
