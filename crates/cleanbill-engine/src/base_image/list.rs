//! Lists of images that are carried from one cache to another: JSON, one object per line, or an
//! array of such objects.
//!
//! ```json
//! {"name":"debian:12","diff_ids":["sha256:…"],"image_id":"sha256:…"}
//! ```
//!
//! `image_id` may be absent; members of other names are left out.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use cleanbill_core::base_image::NamedChain;
use cleanbill_core::{DiffId, Digest, ImageReference};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

/// Entries of one list.
const ENTRIES_MAX: usize = 100_000;

/// Layers of one entry. Docker stops at 127.
const LAYERS_MAX: usize = 4_096;

/// Says which line of a list cannot be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {reason}")]
pub struct BaseListError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads a list. The caller bounds its size.
///
/// # Errors
///
/// It is neither lines of objects nor an array of them, an entry makes no sense, or there are more
/// than 100,000.
pub fn read_base_list(bytes: &[u8]) -> Result<Vec<NamedChain>, BaseListError> {
    let is_array = bytes.trim_ascii_start().first() == Some(&b'[');
    let entries = match is_array {
        true => read_array(bytes)?,
        false => read_lines(bytes)?,
    };
    Ok(entries.into_iter().map(NamedChain::from).collect())
}

/// Writes a list, one object per line.
pub fn write_base_list<'a>(chains: impl IntoIterator<Item = &'a NamedChain>) -> String {
    let mut text = String::new();
    for chain in chains {
        let diff_ids = chain.diff_ids.iter().map(DiffId::to_string);
        let mut entry = serde_json::json!({
            "name": chain.reference.familiar_as_stated(),
            "diff_ids": diff_ids.collect::<Vec<_>>(),
        });
        if let (Some(image_id), Some(members)) = (chain.image_id, entry.as_object_mut()) {
            members.insert("image_id".to_owned(), image_id.to_string().into());
        }
        text.push_str(&entry.to_string());
        text.push('\n');
    }
    text
}

fn read_array(bytes: &[u8]) -> Result<Vec<Entry>, BaseListError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    ENTRIES
        .read(&mut json)
        .and_then(|entries| json.end().map(|()| entries))
        .map_err(|error| wrong(&error, 0))
}

fn read_lines(bytes: &[u8]) -> Result<Vec<Entry>, BaseListError> {
    let mut entries = Vec::new();
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        if entries.len() == ENTRIES.max {
            return Err(BaseListError {
                line: index + 1,
                reason: ENTRIES.to_string(),
            });
        }
        entries.push(serde_json::from_slice(line).map_err(|error| wrong(&error, index))?);
    }
    Ok(entries)
}

fn wrong(error: &serde_json::Error, lines_before: usize) -> BaseListError {
    // The place is told by the line; what remains is the reason.
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    BaseListError {
        line: lines_before + error.line().max(1),
        reason: reason.chars().take(600).collect(),
    }
}

/// One entry. Its members are checked while they are read: only then is their line known.
#[derive(Deserialize)]
struct Entry {
    #[serde(deserialize_with = "parsed")]
    name: ImageReference,
    #[serde(deserialize_with = "layers")]
    diff_ids: Vec<DiffId>,
    #[serde(default, deserialize_with = "optional")]
    image_id: Option<Digest>,
}

impl From<Entry> for NamedChain {
    fn from(entry: Entry) -> Self {
        Self {
            reference: entry.name,
            image_id: entry.image_id,
            diff_ids: entry.diff_ids,
        }
    }
}

fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom))
        .transpose()
}

fn layers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DiffId>, D::Error> {
    let layers = LAYERS.read(deserializer)?;
    if layers.is_empty() {
        return Err(D::Error::custom("an image has at least 1 layer"));
    }
    Ok(layers.into_iter().map(|Layer(diff_id)| diff_id).collect())
}

#[derive(Deserialize)]
struct Layer(#[serde(deserialize_with = "parsed")] DiffId);

/// Bounds a list. What comes after the first item that is too many is not read.
struct Bound<T> {
    whole: &'static str,
    max: usize,
    items: &'static str,
    kind: PhantomData<T>,
}

const ENTRIES: Bound<Entry> = Bound {
    whole: "a list",
    max: ENTRIES_MAX,
    items: "entries",
    kind: PhantomData,
};

const LAYERS: Bound<Layer> = Bound {
    whole: "an image",
    max: LAYERS_MAX,
    items: "layers",
    kind: PhantomData,
};

impl<'de, T: Deserialize<'de>> Bound<T> {
    fn read<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<T> Display for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            whole, max, items, ..
        } = self;
        write!(
            f,
            "{whole} has at most {max} {items}, and this one has more"
        )
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Bound<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}", self.items)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            if items.len() == self.max {
                return Err(A::Error::custom(self));
            }
            items.push(item);
        }
        Ok(items)
    }
}
