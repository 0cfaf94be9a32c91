//! A YAML document as a tree in which every value knows its line and column, and every scalar is
//! the text that stands in the file: `012` stays `012`, and `no` stays `no`.
//!
//! For files that people write: whoever reads one can say of every value where it stands, and of a
//! name that does not exist which one was probably meant ([`nearest`]).

mod nearest;

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

pub use nearest::nearest;

/// Nested lists and mappings; deeper ones are refused.
const DEPTH_MAX: usize = 16;

/// Values in a file. Ten thousand exceptions with every key have half of them.
const NODES_MAX: usize = 500_000;

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub content: Content,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing.
    Null,
    /// A text, a number or a truth value, as it is written.
    Scalar(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Key, where the key stands, value; in the order of the file, no key twice.
    Mapping(Vec<(String, Place, Node)>),
}

impl Content {
    /// Says what it is, for an error.
    pub fn kind(&self) -> &'static str {
        match self {
            Content::Null => "nothing",
            Content::Scalar(_) => "a single value",
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }
}

/// Says why a text is no document that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DocumentError {
    /// Where; `None` if that is not known.
    pub place: Option<Place>,
    /// What is wrong there.
    pub reason: String,
}

/// Reads a document. An empty one is [`Content::Null`].
///
/// # Errors
///
/// It is no YAML, has a key twice, or is unreasonably large. Nothing of the file is quoted, for
/// it may hold secrets.
pub fn parse(text: &str) -> Result<Node, DocumentError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 4 * NODES_MAX,
        },
        with_snippet: false,
    };
    let parsed: Result<Option<Spanned<Raw>>, _> =
        serde_saphyr::from_str_with_options(text, options);
    match parsed {
        Ok(Some(raw)) => Ok(node(raw, text)),
        Ok(None) => Ok(Node {
            place: Place { line: 1, column: 1 },
            content: Content::Null,
        }),
        Err(error) => Err(DocumentError {
            place: error.location().map(Place::from),
            reason: reason(&error),
        }),
    }
}

/// Returns what is wrong, without the place, which stands in front.
fn reason(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    if text.contains("duplicate mapping key") {
        return "this key stands here twice".to_owned();
    }
    // The library names its own functions.
    if text.contains("multiple YAML documents") {
        return "the file holds several YAML documents (---): only one is read".to_owned();
    }
    let first = text.lines().next().unwrap_or_default();
    let first = match first.split_once(": ") {
        Some((place, rest)) if place.starts_with("error: line") => rest,
        _ => first,
    };
    match first.rfind(" at line ") {
        Some(end) => first.get(..end).unwrap_or(first).to_owned(),
        None => first.to_owned(),
    }
}

fn node(raw: Spanned<Raw>, text: &str) -> Node {
    let content = match raw.value {
        Raw::Null => Content::Null,
        Raw::Text(text) => Content::Scalar(text),
        Raw::Typed(printed) => Content::Scalar(source(raw.defined, text).unwrap_or(printed)),
        Raw::Sequence(items) => {
            Content::Sequence(items.into_iter().map(|item| node(item, text)).collect())
        }
        Raw::Mapping(pairs) => Content::Mapping(
            pairs
                .into_iter()
                .map(|(key, value)| (key.value, key.referenced.into(), node(value, text)))
                .collect(),
        ),
    };
    Node {
        place: raw.referenced.into(),
        content,
    }
}

/// Returns the text of a plain scalar as it stands in the file.
fn source(location: Location, text: &str) -> Option<String> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
    Some(text.get(start..end)?.trim().to_owned())
}

enum Raw {
    Null,
    Text(String),
    /// A plain scalar that looks like a number or a truth value, printed as it was understood.
    Typed(String),
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element()? {
            found.push(item);
        }
        Ok(Raw::Sequence(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Raw, A::Error> {
        let mut found = Vec::new();
        while let Some(pair) = pairs.next_entry()? {
            found.push(pair);
        }
        Ok(Raw::Mapping(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(node: &Node) -> String {
        let content = match &node.content {
            Content::Null => "null".to_owned(),
            Content::Scalar(text) => format!("{text:?}"),
            Content::Sequence(items) => {
                let items: Vec<String> = items.iter().map(print).collect();
                format!("[{}]", items.join(" "))
            }
            Content::Mapping(pairs) => {
                let pairs: Vec<String> = pairs
                    .iter()
                    .map(|(key, place, value)| format!("{key}@{place}={}", print(value)))
                    .collect();
                format!("{{{}}}", pairs.join(" "))
            }
        };
        format!("{content}@{}", node.place)
    }

    #[test]
    fn scalars_stay_the_text_they_are() {
        let text = "a: 012\nb: no\nc: 'x y'\nd: \"q\\\"\"\ne: 1e3\nf: 22:30\ng:\nh: ~\ni: true # why\nj: 0x1F\nk: 1_000\nl: 0.50\nm: -5\n";
        let printed = print(&parse(text).unwrap());
        for part in [
            "a@1:1=\"012\"@1:4",
            "b@2:1=\"no\"@2:4",
            "c@3:1=\"x y\"@3:4",
            "d@4:1=\"q\\\"\"@4:4",
            "e@5:1=\"1e3\"@5:4",
            "f@6:1=\"22:30\"@6:4",
            "g@7:1=null",
            "h@8:1=null",
            "i@9:1=\"true\"@9:4",
            "j@10:1=\"0x1F\"@10:4",
            "k@11:1=\"1_000\"@11:4",
            "l@12:1=\"0.50\"@12:4",
            "m@13:1=\"-5\"@13:4",
        ] {
            assert!(printed.contains(part), "no {part} in {printed}");
        }
    }

    #[test]
    fn lists_mappings_and_anchors_are_read() {
        let text = "x: &x [1, 02]\na:\n  - b: *x\n  - |\n    two\n    lines\n";
        assert_eq!(
            print(&parse(text).unwrap()),
            "{x@1:1=[\"1\"@1:8 \"02\"@1:11]@1:7 \
             a@2:1=[{b@3:5=[\"1\"@3:8 \"02\"@3:8]@3:8}@3:5 \"two\\nlines\\n\"@5:5]@3:3}@1:1"
        );
        assert_eq!(print(&parse("").unwrap()), "null@1:1");
        assert_eq!(print(&parse("# only\n").unwrap()), "null@1:1");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let deep = "[".repeat(100);
        let bomb = format!("a: &a [x]\nb: {}", "[*a, ".repeat(40));
        for (text, line) in [
            ("a: 1\nb: 2\na: 2\n", Some(3)),
            ("a: 1\n b: 1\n", Some(2)),
            ("a: *b\n", Some(1)),
            ("a: 1\n---\na: 2\n", Some(3)),
            (deep.as_str(), Some(1)),
            (bomb.as_str(), Some(2)),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.place.map(|place| place.line), line, "{text}: {error}");
            assert!(!error.reason.contains('\n'), "{error}");
            assert!(!error.reason.contains(" line "), "{error}");
            assert!(!error.reason.contains("from_str"), "{error}");
        }
    }
}
