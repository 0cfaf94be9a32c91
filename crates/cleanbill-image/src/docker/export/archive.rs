//! One pass over an exported archive.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

use cleanbill_core::layer::LayerError;
use cleanbill_core::{Limits, path};
use serde::Deserialize;

use crate::ImageError;
use crate::oci::or_default;
use crate::tar::{Entry, StreamSource, TarReader, typeflag};

/// The stream is taken from the socket in pieces of this size.
const BUFFER_SIZE: usize = 256 << 10;
/// Bytes that are looked at to tell a document from a layer: the header block of a tar.
const HEAD_SIZE: u64 = 512;

/// The links among the members: from the name of each to the name it stands for.
pub(super) type Links = BTreeMap<String, String>;

/// Says whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Go on to the next member.
    Continue,
    /// Enough has been read.
    Stop,
}

/// One member of the archive.
pub(super) enum Member<'a> {
    /// A JSON document.
    Document {
        /// Its cleaned name.
        name: &'a str,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// A layer, perhaps compressed.
    Layer {
        /// Its cleaned name.
        name: &'a str,
        /// Its bytes; what is not read is skipped.
        content: &'a mut dyn Read,
    },
}

/// One element of `manifest.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ManifestEntry {
    /// The name of the configuration.
    #[serde(deserialize_with = "or_default")]
    pub(super) config: String,
    /// The names of the layers, base first.
    #[serde(deserialize_with = "or_default")]
    pub(super) layers: Vec<String>,
}

/// Offers documents and layers in the order of the stream, until `take` has enough, and returns
/// the links. Members of other kinds are passed over.
///
/// # Errors
///
/// Reading failed, the archive is malformed or has too many members or too large a document, or
/// `take` failed.
pub(super) fn pass(
    stream: impl Read,
    what: &str,
    limits: &Limits,
    mut take: impl FnMut(Member<'_>) -> Result<Flow, ImageError>,
) -> Result<Links, ImageError> {
    let source = StreamSource(BufReader::with_capacity(BUFFER_SIZE, stream));
    let mut archive = TarReader::new(source, limits.tar_extension_size_bytes_max);
    let mut entry = Entry::default();
    let mut links = Links::new();
    let mut count = 0_u64;
    while archive
        .next_entry(&mut entry)
        .map_err(|error| error.of(&format!("the {what}")))?
    {
        count += 1;
        if count > limits.archive_members_max {
            let max = limits.archive_members_max;
            return Err(LayerError::exceeded(what, "archive_members_max", max).into());
        }
        let name = path::clean(&String::from_utf8_lossy(&entry.name));
        let link = || String::from_utf8_lossy(&entry.link);
        match entry.typeflag {
            typeflag::REGULAR => {
                let flow = offer(&name, &mut archive.body(), what, limits, &mut take)?;
                if flow == Flow::Stop {
                    break;
                }
            }
            typeflag::SYMLINK => {
                links.insert(name.clone(), path::resolve_link(&name, &link()));
            }
            typeflag::HARD_LINK => {
                links.insert(name, path::clean(&link()));
            }
            _ => {}
        }
    }
    Ok(links)
}

/// Offers a file for what it is. Names tell documents and layers apart where they can; a blob is
/// told by its beginning, which in a tar has zeros and in a JSON document has none.
fn offer(
    name: &str,
    mut body: &mut dyn Read,
    what: &str,
    limits: &Limits,
    take: &mut impl FnMut(Member<'_>) -> Result<Flow, ImageError>,
) -> Result<Flow, ImageError> {
    let is_layer = name.ends_with("/layer.tar") || (name.ends_with(".tar") && !name.contains('/'));
    let is_document = name.ends_with(".json") && !name.contains('/');
    let is_blob = name.starts_with("blobs/");
    if !(is_layer || is_document || is_blob) {
        return Ok(Flow::Continue);
    }
    let read_error = |source: io::Error| ImageError::Read {
        what: format!("{name} in the {what}"),
        source,
    };
    let mut head = Vec::new();
    (&mut body)
        .take(HEAD_SIZE)
        .read_to_end(&mut head)
        .map_err(read_error)?;
    let looks_like_json =
        head.first().is_some_and(|byte| b"{[".contains(byte)) && !head.contains(&0);
    let is_document = is_document || (is_blob && looks_like_json);
    let mut content = head.as_slice().chain(body);
    if !is_document {
        return take(Member::Layer {
            name,
            content: &mut content,
        });
    }
    let limit = limits.manifest_size_bytes_max;
    let mut bytes = Vec::new();
    content
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(read_error)?;
    if bytes.len() as u64 > limit {
        let what = format!("{name} in the {what}");
        return Err(LayerError::exceeded(what, "manifest_size_bytes_max", limit).into());
    }
    take(Member::Document { name, bytes })
}

/// Follows links from a name of the manifest to the member that has the bytes. Engines link a
/// layer that an image has twice.
pub(super) fn member_for(name: &str, links: &Links) -> String {
    let mut name = path::clean(name);
    // As many steps as there are links: then it is a cycle, and no member has that name.
    for _ in 0..links.len() {
        match links.get(&name) {
            Some(target) => name.clone_from(target),
            None => break,
        }
    }
    name
}
