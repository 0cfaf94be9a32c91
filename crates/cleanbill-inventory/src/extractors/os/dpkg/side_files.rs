//! What dpkg keeps beside the status file.

use std::collections::HashMap;

use cleanbill_core::TextList;

use super::control::Paragraphs;
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, FileInput};
use crate::lines::{Lines, text};

/// Reads the files that one package owns: `<md5>  <path without slash>` per line.
///
/// A line of another form makes the file say nothing: which files a package owns decides only
/// what of it language extractors need not report, so nothing is lost.
pub(super) fn extract_owned_files(
    file: &mut FileInput<'_>,
    draft: &mut LayerDraft,
) -> Result<(), ExtractError> {
    let path = file.path;
    let size_bytes_max = file.limits.file_size_bytes_max;
    if file.size_bytes > size_bytes_max {
        return Err(ExtractError::LimitExceeded(format!(
            "more than {size_bytes_max} bytes (file_size_bytes_max)"
        )));
    }
    let mut files = TextList::default();
    let mut rooted = String::new();
    let room = draft.dpkg.room(file.limits);
    let mut lines = Lines::new(file);
    while let Some(line) = lines.next()? {
        let line = text(line);
        let (_, owned) = line.split_once("  ").ok_or(ExtractError::Ignored)?;
        if !room.take(owned.len()) {
            return room.check();
        }
        rooted.clear();
        rooted.push('/');
        rooted.push_str(owned);
        files.push(&rooted);
    }
    files.sort();
    files.shrink();
    draft.dpkg.add_owned_files(path, files);
    Ok(())
}

/// Reads the digests of packages.
pub(super) fn extract_digests(
    file: &mut FileInput<'_>,
    draft: &mut LayerDraft,
) -> Result<(), ExtractError> {
    let path = file.path;
    let count_max = file.limits.packages_per_layer_max;
    let room = draft.dpkg.room(file.limits);
    let mut digests = HashMap::new();
    let mut paragraphs = Paragraphs::new(file, ["Package", "Version", "SHA256"]);
    while let Some(paragraph) = paragraphs.next()? {
        let Some([name, version, checksum]) = paragraph.fields else {
            continue;
        };
        if checksum.is_empty() {
            continue;
        }
        if !room.take(name.len() + version.len()) || !room.take(checksum.len()) {
            return room.check();
        }
        digests.insert(format!("{name}@{version}"), format!("sha256:{checksum}"));
        if digests.len() as u64 > count_max {
            return Err(ExtractError::LimitExceeded(format!(
                "more than {count_max} packages (packages_per_layer_max)"
            )));
        }
    }
    draft.dpkg.set_digests(path, digests);
    Ok(())
}
