//! Walks a layer: tells a visitor what each entry of a tar means to an image.

use std::borrow::Cow;
use std::io;

use cleanbill_core::layer::{EntryHeader, EntryKind, EntryVisitor};
use cleanbill_core::{Limits, path};

use super::{Entry, Source, TarError, TarReader, typeflag};

/// The name of a whiteout is this and the name of what it hides.
const WHITEOUT_PREFIX: &str = ".wh.";
/// Marks its directory as opaque.
const OPAQUE_MARKER: &str = ".wh..wh..opq";

/// Says why a walk ended early.
#[derive(Debug)]
pub(crate) enum WalkError {
    Tar(TarError),
    /// The visitor returned an error.
    Visitor {
        path: String,
        source: io::Error,
    },
}

/// Walks every entry up to the end of the archive and returns the source, which may have more.
///
/// Whiteouts are told from files by their name alone, whatever kind of entry has it, as Trivy's
/// walker and Docker do (spec 03 section 2). So the metadata of AUFS (`.wh..wh.plnk`) hide a file
/// of that name, which nobody has.
pub(crate) fn walk<S: Source>(
    source: S,
    visitor: &mut dyn EntryVisitor,
    limits: &Limits,
) -> Result<S, WalkError> {
    let mut reader = TarReader::new(source, limits.tar_extension_size_bytes_max);
    let mut entry = Entry::default();
    let mut count = 0_u64;
    while reader.next_entry(&mut entry).map_err(WalkError::Tar)? {
        count += 1;
        check(
            count,
            "the number of entries",
            limits.entries_per_layer_max,
            "entries_per_layer_max",
        )?;
        let longest = entry.name.len().max(entry.link.len()) as u64;
        check(
            longest,
            "a path",
            limits.path_size_bytes_max,
            "path_size_bytes_max",
        )?;
        let name = String::from_utf8_lossy(&entry.name);
        let link = String::from_utf8_lossy(&entry.link);
        let is_lossy = matches!(name, Cow::Owned(_));
        let cleaned = cleaned(&name);
        let (kind, path) = meaning(entry.typeflag, &cleaned);
        let link_target = match kind {
            EntryKind::HardLink => self::cleaned(&link),
            EntryKind::Symlink => Cow::Borrowed(link.as_ref()),
            _ => Cow::Borrowed(""),
        };
        let header = EntryHeader {
            path: &path,
            path_is_lossy: is_lossy,
            kind,
            size_bytes: if kind == EntryKind::File {
                entry.size
            } else {
                0
            },
            mode: if kind == EntryKind::File {
                entry.mode
            } else {
                0
            },
            link_target: &link_target,
        };
        let visited = match kind {
            EntryKind::File => visitor.visit(&header, &mut reader.body()),
            _ => visitor.visit(&header, &mut io::empty()),
        };
        visited.map_err(|source| WalkError::Visitor {
            path: path.into_owned(),
            source,
        })?;
    }
    Ok(reader.into_source())
}

fn check(value: u64, what: &str, limit: u64, name: &str) -> Result<(), WalkError> {
    if value <= limit {
        return Ok(());
    }
    Err(WalkError::Tar(TarError::LimitExceeded {
        what: format!("{what} ({value})"),
        limit: format!("{name} = {limit}"),
    }))
}

/// Tells what an entry means, and for which path.
fn meaning(kind: u8, cleaned: &str) -> (EntryKind, Cow<'_, str>) {
    let name = path::base_name(cleaned);
    let directory = path::parent(cleaned).unwrap_or_default();
    if name == OPAQUE_MARKER {
        return (EntryKind::OpaqueDirectory, Cow::Borrowed(directory));
    }
    if let Some(hidden) = name.strip_prefix(WHITEOUT_PREFIX) {
        let hidden = path::clean(&format!("{directory}/{hidden}"));
        // `.wh.` alone in the root would hide everything; nothing makes that of it.
        let kind = if hidden.is_empty() {
            EntryKind::Other
        } else {
            EntryKind::Whiteout
        };
        return (kind, Cow::Owned(hidden));
    }
    let kind = match kind {
        typeflag::DIRECTORY => EntryKind::Directory,
        // Only a directory can be the root.
        _ if cleaned.is_empty() => EntryKind::Other,
        typeflag::REGULAR | typeflag::GNU_SPARSE => EntryKind::File,
        typeflag::HARD_LINK => EntryKind::HardLink,
        typeflag::SYMLINK => EntryKind::Symlink,
        _ => EntryKind::Other,
    };
    (kind, Cow::Borrowed(cleaned))
}

/// Cleans a path as [`path::clean`] does, without copying where only the ends need it: layers
/// write `etc/passwd`, `./etc/passwd`, `/etc/passwd` and `etc/`. What would leave the root keeps
/// its leading `..`, as in the reference: engines refuse such a layer, so it names nothing that a
/// container has.
fn cleaned(text: &str) -> Cow<'_, str> {
    let trimmed = text.strip_prefix("./").unwrap_or(text).trim_matches('/');
    let needs_work = |component: &str| matches!(component, "" | "." | "..");
    if trimmed.is_empty() || trimmed.split('/').any(needs_work) {
        let lexical = path::clean_lexical(text);
        if lexical == ".." || lexical.starts_with("../") {
            return Cow::Owned(lexical);
        }
        return Cow::Owned(path::clean(text));
    }
    Cow::Borrowed(trimmed)
}
