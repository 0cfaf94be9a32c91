//! Versions of Maven artifacts. Every text is one.
//!
//! Source: spec 04 section 3.5; go-mvn-version 2026-01-19, which follows Maven's
//! `ComparableVersion`. It differs from Maven: numbers saturate at 2⁶³ − 1, a qualifier that stands
//! for the release (`ga`) does not vanish before a number, and a last item that a separator follows
//! is lost once there are nested lists (`1-2.` is `1`).

mod constraint;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::num::IntErrorKind;

pub(crate) use constraint::Constraint;

/// Is a parsed version: lists of items, each nested as the last item of the one before it.
///
/// The order is not transitive: `1.a` is less than `1-0`, which is equal to `1`, which is less than
/// `1.a`.
#[derive(Clone, Debug)]
pub struct Version {
    lists: Vec<Vec<Item>>,
}

/// Is an item that is no list.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Number(i64),
    /// Bytes, as the reference may cut a character in two.
    Qualifier(Vec<u8>),
}

/// Qualifiers with a meaning, in their order; the empty one is the release.
const QUALIFIERS: [&[u8]; 7] = [
    b"alpha",
    b"beta",
    b"milestone",
    b"rc",
    b"snapshot",
    b"",
    b"sp",
];

impl Version {
    /// Parses a version.
    pub fn parse(text: &str) -> Self {
        let mut parser = Parser::default();
        let lower: String = text.chars().map(lower).collect();
        // The reference counts characters and takes the count for bytes.
        for (index, character) in lower.chars().enumerate() {
            parser.read(lower.as_bytes(), index, character);
        }
        parser.finish(text, lower.as_bytes())
    }
}

/// Maps one character to one, as Go does.
fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// Reads a version character by character.
#[derive(Default)]
struct Parser {
    lists: Vec<Vec<Item>>,
    list: Vec<Item>,
    /// Where the next item begins.
    start: usize,
    /// The last character that was no separator was a digit.
    is_number: bool,
}

impl Parser {
    fn read(&mut self, text: &[u8], index: usize, character: char) {
        let item = text.get(self.start..index).unwrap_or_default();
        match character {
            '.' | '-' => {
                self.list.push(if item.is_empty() {
                    Item::Number(0)
                } else {
                    Item::parse(item, self.is_number)
                });
                self.start = index + 1;
                if character == '-' {
                    self.close_list();
                }
            }
            '0'..='9' => {
                if !self.is_number && !item.is_empty() {
                    self.list.push(Item::qualifier_before_digit(item));
                    self.start = index;
                    self.close_list();
                }
                self.is_number = true;
            }
            _ => {
                if self.is_number && !item.is_empty() {
                    self.list.push(Item::parse(item, true));
                    self.start = index;
                    self.close_list();
                }
                self.is_number = false;
            }
        }
    }

    fn finish(mut self, original: &str, text: &[u8]) -> Version {
        if original.len() > self.start {
            let item = text.get(self.start..).unwrap_or_default();
            self.list.push(Item::parse(item, self.is_number));
            self.close_list();
        } else if self.lists.is_empty() {
            self.close_list();
        }
        Version { lists: self.lists }
    }

    /// Ends a list and begins the one nested in it. Items at its end that mean nothing are dropped.
    fn close_list(&mut self) {
        let mut list = std::mem::take(&mut self.list);
        let end = list.iter().rposition(|item| !item.is_null());
        list.truncate(end.map_or(0, |end| end + 1));
        self.lists.push(list);
    }
}

impl Item {
    fn parse(text: &[u8], is_number: bool) -> Self {
        if is_number {
            return Self::Number(parse_number(text));
        }
        Self::Qualifier(match text {
            b"ga" | b"final" | b"release" => Vec::new(),
            b"cr" => b"rc".to_vec(),
            _ => text.to_vec(),
        })
    }

    fn qualifier_before_digit(text: &[u8]) -> Self {
        match text {
            b"a" => Self::Qualifier(b"alpha".to_vec()),
            b"b" => Self::Qualifier(b"beta".to_vec()),
            b"m" => Self::Qualifier(b"milestone".to_vec()),
            _ => Self::parse(text, false),
        }
    }

    fn is_null(&self) -> bool {
        match self {
            Self::Number(number) => *number == 0,
            Self::Qualifier(text) => text.is_empty(),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.cmp(right),
            (Self::Number(_), Self::Qualifier(_)) => Ordering::Greater,
            (Self::Qualifier(_), Self::Number(_)) => Ordering::Less,
            (Self::Qualifier(left), Self::Qualifier(right)) => weight(left).cmp(&weight(right)),
        }
    }

    /// Compares with a missing item.
    fn compare_with_nothing(&self) -> Ordering {
        match self {
            Self::Number(number) => (*number != 0).cmp(&false),
            Self::Qualifier(text) => weight(text).cmp(&weight(b"")),
        }
    }

    /// Compares with a list: a qualifier is less, a number greater.
    fn compare_with_list(&self) -> Ordering {
        match self {
            Self::Number(_) => Ordering::Greater,
            Self::Qualifier(_) => Ordering::Less,
        }
    }
}

/// Weighs a qualifier: those with a meaning by their place, the others behind them by their bytes.
fn weight(qualifier: &[u8]) -> (usize, &[u8]) {
    match QUALIFIERS.iter().position(|known| *known == qualifier) {
        Some(place) => (place, b""),
        None => (QUALIFIERS.len(), qualifier),
    }
}

/// Parses a number as Go's `Atoi` does whose error is ignored: what is too large saturates, what is
/// no number is 0.
fn parse_number(text: &[u8]) -> i64 {
    let parsed = std::str::from_utf8(text).unwrap_or_default().parse::<i64>();
    parsed.unwrap_or_else(|error| match error.kind() {
        IntErrorKind::PosOverflow => i64::MAX,
        IntErrorKind::NegOverflow => i64::MIN,
        _ => 0,
    })
}

/// Is what stands at a place of a list.
enum Place<'a> {
    Item(&'a Item),
    /// The nested list.
    List,
    Nothing,
}

impl Version {
    /// Compares two versions.
    pub fn compare(&self, other: &Self) -> Ordering {
        let (mut list, mut index) = (0, 0);
        loop {
            let order = match (self.place(list, index), other.place(list, index)) {
                (Place::Nothing, Place::Nothing) => return Ordering::Equal,
                (Place::List, Place::List) => {
                    list += 1;
                    index = 0;
                    continue;
                }
                (Place::Item(left), Place::Item(right)) => left.compare(right),
                (Place::Item(left), Place::List) => left.compare_with_list(),
                (Place::List, Place::Item(right)) => right.compare_with_list().reverse(),
                (Place::Item(left), Place::Nothing) => left.compare_with_nothing(),
                (Place::Nothing, Place::Item(right)) => right.compare_with_nothing().reverse(),
                (Place::List, Place::Nothing) => self.compare_list_with_nothing(list + 1),
                (Place::Nothing, Place::List) => {
                    other.compare_list_with_nothing(list + 1).reverse()
                }
            };
            if order.is_ne() {
                return order;
            }
            index += 1;
        }
    }

    fn place(&self, list: usize, index: usize) -> Place<'_> {
        let items = self.lists.get(list).map_or(&[][..], Vec::as_slice);
        match items.get(index) {
            Some(item) => Place::Item(item),
            None if index == items.len() && list + 1 < self.lists.len() => Place::List,
            None => Place::Nothing,
        }
    }

    /// Compares a list, and those nested in it, with nothing.
    fn compare_list_with_nothing(&self, list: usize) -> Ordering {
        let items = self.lists.iter().skip(list).flatten();
        items
            .map(Item::compare_with_nothing)
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}
