//! The grammar that version constraints of all language ecosystems share.
//!
//! Alternatives stand between `||`; in each, bounds of an operator and a version follow each other,
//! with or without a comma and white space between them: `>=1.0, <1.5 || 2.0`.
//!
//! The reference finds the bounds with regular expressions: one says whether a text is a sequence
//! of bounds at all, another takes them out. The two need not split alike: where versions stand
//! together without a separator, the first may find a way that the second does not take, and what
//! the second passes over then counts for nothing. `1.2.34.5` is valid in npm, because it can be
//! split into `1.2.3` and `4.5`, and means `1.2.34` and `5`. Here is the same without the
//! expressions.
//!
//! Source: spec 04 section 3; the `NewConstraints` of go-version 0.0.1, go-npm-version 0.0.2,
//! go-pep440-version 2026-02-24, go-gem-version 2020-11-15, go-mvn-version 2026-01-19 and Bitnami's
//! go-version 2023-11-30.

mod positions;

use std::cmp::Ordering;

use crate::scanner::Scanner;

pub(crate) use positions::Positions;

/// Bytes of an alternative that is tried in every way. Those of real advisories are shorter than
/// 100; a longer one must be split as it is taken apart.
const SPLIT_SIZE_BYTES_MAX: usize = 512;

/// Says how constraints of an ecosystem are written.
pub(crate) struct Grammar {
    /// Operators, tried in order: a longer one before its beginning.
    pub(crate) operators: &'static [Operators],
    /// Reads a version as the reference takes one out of a text; `None` if none begins here.
    pub(crate) read: fn(&mut Scanner<'_>) -> Option<()>,
    /// Lists every place where a version that begins at the given ones may end.
    pub(crate) ends: for<'a> fn(&Positions<'a>) -> Positions<'a>,
}

/// Lists how operators are written.
pub(crate) type Operators = &'static [(&'static str, Operator)];

/// Operators that nearly every ecosystem has; none at all means `=`. Those that an ecosystem adds
/// are tried before them.
pub(crate) const COMMON_OPERATORS: Operators = &[
    ("==", Operator::Equal),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("", Operator::Equal),
];

/// Names what a bound demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    /// `~>`: up to the next but last segment.
    Pessimistic,
    /// `~`: up to the next minor version.
    Tilde,
    /// `^`: up to the next version that may break.
    Caret,
    /// `~=` of Python.
    Compatible,
    /// `===` of Python: the same text.
    Arbitrary,
}

impl Operator {
    /// Says whether an order of version and bound satisfies an operator that only compares. The
    /// others are satisfied by nothing less than the bound.
    pub(crate) fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal | Self::Arbitrary => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Greater => order.is_gt(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::AtLeast | Self::Pessimistic | Self::Tilde | Self::Caret | Self::Compatible => {
                order.is_ge()
            }
        }
    }
}

/// Is an operator with the text of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) operator: Operator,
    pub(crate) version: &'a str,
}

/// Splits an alternative into bounds; `None` if it is no sequence of them. White space has none.
pub(crate) fn split<'a>(text: &'a str, grammar: &Grammar) -> Option<Vec<Item<'a>>> {
    split_in_order(text, grammar).or_else(|| {
        let is_short = text.len() <= SPLIT_SIZE_BYTES_MAX;
        (is_short && can_be_split(text, grammar)).then(|| find_items(text, grammar))
    })
}

/// Splits a text that can be taken apart from left to right: every real one.
fn split_in_order<'a>(text: &'a str, grammar: &Grammar) -> Option<Vec<Item<'a>>> {
    let mut scanner = Scanner::new(text);
    let mut items = Vec::new();
    loop {
        scanner.skip_spaces();
        if scanner.is_at_end() {
            return Some(items);
        }
        items.push(scanner.attempt(|rest| read_item(rest, grammar))?);
        scanner.skip_spaces();
        scanner.take(b',');
    }
}

/// Takes out what looks like a bound and passes over everything else.
fn find_items<'a>(text: &'a str, grammar: &Grammar) -> Vec<Item<'a>> {
    let mut scanner = Scanner::new(text);
    let mut items = Vec::new();
    while !scanner.is_at_end() {
        match scanner.attempt(|rest| read_item(rest, grammar)) {
            Some(item) => items.push(item),
            None => {
                scanner.take_one(|_| true);
            }
        }
    }
    items
}

fn read_item<'a>(scanner: &mut Scanner<'a>, grammar: &Grammar) -> Option<Item<'a>> {
    let operator = read_operator(scanner, grammar)?;
    scanner.skip_spaces();
    let before = *scanner;
    (grammar.read)(scanner)?;
    let length = scanner.position() - before.position();
    let version = before.rest().get(..length)?;
    Some(Item { operator, version })
}

fn read_operator(scanner: &mut Scanner<'_>, grammar: &Grammar) -> Option<Operator> {
    grammar
        .operators
        .iter()
        .copied()
        .flatten()
        .find_map(|(text, operator)| scanner.take_word(text).then_some(*operator))
}

/// Says whether there is any way to split a text into bounds.
fn can_be_split(text: &str, grammar: &Grammar) -> bool {
    let mut boundaries = Positions::start(text);
    let mut reached = boundaries.clone();
    while !boundaries.is_empty() {
        let items = boundaries.spaces().operator(grammar.operators).spaces();
        boundaries = (grammar.ends)(&items)
            .spaces()
            .optional(|rest| rest.one(|byte| byte == b','))
            .without(&reached);
        reached = reached.or(&boundaries);
    }
    reached.spaces().holds_end()
}

#[cfg(test)]
mod tests;
