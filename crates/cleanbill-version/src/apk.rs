//! Versions of apk packages.
//!
//! Source: spec 02 section 4.2; go-apk-version 2020-06-09 `version.go`, which follows apk-tools
//! 2.10 `src/version.c`. It takes more than apk-tools does: the empty text, a final dot, `1.2-5` for
//! `1.2-r5`, lower-case letters and digits of any script. Numbers beyond 64 bits wrap round, as in
//! Go.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use crate::unicode::{is_digit, is_lower};

/// Says whether a text is a version.
pub fn is_valid(version: &str) -> bool {
    let mut machine = Machine::new(version);
    while !machine.is_at_end() {
        machine.read_token();
    }
    machine.next == Kind::End
}

/// Compares two versions. `None` if one of them is invalid.
pub fn compare(left: &str, right: &str) -> Option<Ordering> {
    (is_valid(left) && is_valid(right)).then(|| compare_valid(left, right))
}

fn compare_valid(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (Machine::new(left), Machine::new(right));
    let mut values = (0, 0);
    while left.next == right.next && !left.is_at_end() && values.0 == values.1 {
        values = (left.read_token(), right.read_token());
    }
    values
        .0
        .cmp(&values.1)
        .then_with(|| compare_rest(left, right))
}

/// Compares what follows a common beginning by what kind of token is next: the longer version is
/// greater, unless a pre-release suffix makes it so.
fn compare_rest(mut left: Machine<'_>, mut right: Machine<'_>) -> Ordering {
    let (left_kind, right_kind) = (left.next, right.next);
    if left_kind == right_kind {
        return Ordering::Equal;
    }
    if left_kind == Kind::Suffix && left.read_token() < 0 {
        return Ordering::Less;
    }
    if right_kind == Kind::Suffix && right.read_token() < 0 {
        return Ordering::Greater;
    }
    right_kind.cmp(&left_kind)
}

/// Names what a token is. The order counts: a version must not go back in it, with exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Invalid,
    /// A number after a dot, where leading zeros count.
    DigitOrZero,
    Digit,
    Letter,
    Suffix,
    SuffixNumber,
    Revision,
    End,
}

const PRE_SUFFIXES: [(&str, i64); 4] = [("alpha", -4), ("beta", -3), ("pre", -2), ("rc", -1)];
const POST_SUFFIXES: [(&str, i64); 5] = [("cvs", 0), ("svn", 1), ("git", 2), ("hg", 3), ("p", 4)];

/// Splits a version into tokens, one at a time.
#[derive(Clone, Copy, Debug)]
struct Machine<'a> {
    rest: &'a str,
    /// The kind of the token at the beginning of `rest`.
    next: Kind,
}

impl<'a> Machine<'a> {
    fn new(version: &'a str) -> Self {
        Self {
            rest: version,
            next: Kind::Digit,
        }
    }

    fn is_at_end(&self) -> bool {
        matches!(self.next, Kind::End | Kind::Invalid)
    }

    /// Takes the next token and returns its value.
    fn read_token(&mut self) -> i64 {
        let kind = self.next;
        let mut follows_zeros = false;
        let value = match kind {
            Kind::DigitOrZero if self.rest.starts_with('0') => {
                follows_zeros = true;
                self.read_zeros()
            }
            Kind::DigitOrZero | Kind::Digit | Kind::SuffixNumber | Kind::Revision => {
                self.read_number()
            }
            Kind::Letter => self.read_letter(),
            Kind::Suffix => match self.read_suffix() {
                Some(value) => value,
                None => {
                    self.next = Kind::Invalid;
                    return -1;
                }
            },
            Kind::End | Kind::Invalid => return -1,
        };
        self.next = if self.rest.is_empty() {
            Kind::End
        } else if follows_zeros {
            Kind::Digit
        } else {
            self.find_next(kind)
        };
        value
    }

    /// Counts leading zeros downwards: the more of them, the less the version.
    fn read_zeros(&mut self) -> i64 {
        let trimmed = self.rest.trim_start_matches('0');
        let count = self.rest.len() - trimmed.len();
        self.rest = trimmed;
        -(count as i64)
    }

    /// Reads a number. A digit of another script has the value of its distance from `0`, a mistake
    /// of the reference that keeps its order.
    fn read_number(&mut self) -> i64 {
        let mut value = 0_i64;
        while let Some(digit) = self.rest.chars().next().filter(|c| is_digit(*c)) {
            value = value
                .wrapping_mul(10)
                .wrapping_add(i64::from(u32::from(digit)) - i64::from(u32::from('0')));
            self.skip(digit);
        }
        value
    }

    fn read_letter(&mut self) -> i64 {
        let Some(letter) = self.rest.chars().next() else {
            return 0;
        };
        self.skip(letter);
        i64::from(u32::from(letter))
    }

    fn read_suffix(&mut self) -> Option<i64> {
        PRE_SUFFIXES
            .iter()
            .chain(&POST_SUFFIXES)
            .find_map(|(name, value)| {
                self.rest = self.rest.strip_prefix(name)?;
                Some(*value)
            })
    }

    /// Finds the kind of the token after one of kind `last` and takes the separator before it.
    fn find_next(&mut self, last: Kind) -> Kind {
        let Some(c) = self.rest.chars().next() else {
            return Kind::End;
        };
        let next = match (last, c) {
            (Kind::Digit | Kind::DigitOrZero, c) if is_lower(c) => Kind::Letter,
            (Kind::Letter, c) if is_digit(c) => Kind::Digit,
            (Kind::Suffix, c) if is_digit(c) => Kind::SuffixNumber,
            (_, '.') => self.take_separator(c, Kind::DigitOrZero),
            (_, '_') => self.take_separator(c, Kind::Suffix),
            (_, '-') => self.take_revision_mark(),
            _ => Kind::Invalid,
        };
        let may_go_back = matches!(
            (last, next),
            (Kind::Digit, Kind::DigitOrZero)
                | (Kind::SuffixNumber, Kind::Suffix)
                | (Kind::Letter, Kind::Digit)
        );
        if next < last && !may_go_back {
            return Kind::Invalid;
        }
        next
    }

    fn take_separator(&mut self, separator: char, next: Kind) -> Kind {
        self.skip(separator);
        next
    }

    /// Takes `-` and one more character: `r`, but the reference does not look.
    fn take_revision_mark(&mut self) -> Kind {
        self.skip('-');
        match self.rest.chars().next() {
            Some(mark) => self.take_separator(mark, Kind::Revision),
            None => Kind::Invalid,
        }
    }

    /// Drops the first character, which must be `c`.
    fn skip(&mut self, c: char) {
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
    }
}
