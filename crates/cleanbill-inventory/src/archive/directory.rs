//! Finding the central directory of an archive that can be read at any place.

use super::header::{CENTRAL, END, END_64, END_SIZE_BYTES, EndRecord, Fields, LOCATOR_64};
use super::{ArchiveError, Window};

/// Bytes from the end in which the end record must begin: its own size and the longest comment.
pub(super) const SEARCH_SIZE_BYTES: u64 = END_SIZE_BYTES as u64 + u16::MAX as u64;

const LOCATOR_SIZE_BYTES: u64 = 20;
const END_64_SIZE_BYTES: usize = 56;

/// Says where the directory is.
pub(super) struct Directory {
    pub(super) start: u64,
    pub(super) entry_count: u64,
    /// What stands before the archive: offsets count from here.
    pub(super) base: u64,
}

/// Finds the directory as Go's `archive/zip` does.
///
/// # Errors
///
/// There is none, or it points outside of the file.
pub(super) fn find(window: &Window<'_>) -> Result<Directory, ArchiveError> {
    let no_zip = || ArchiveError::malformed("it is no zip archive: there is no end record");
    let (mut end_at, mut end) = find_end(window)?.ok_or_else(no_zip)?;
    if end.is_full()
        && let Some((at, bytes)) = find_end_64(window, end_at)?
    {
        end_at = at;
        end.widen(&bytes)
            .ok_or_else(|| ArchiveError::malformed("the zip64 end record is cut short"))?;
    }
    let outside = || ArchiveError::malformed("the directory lies outside of the archive");
    let start = end_at
        .checked_sub(end.directory_size_bytes)
        .ok_or_else(outside)?;
    let base = start
        .checked_sub(end.directory_offset)
        .ok_or_else(outside)?;
    let directory = Directory {
        start,
        entry_count: end.entry_count,
        base,
    };
    if base > 0 && has_header_at(window, end.directory_offset)? {
        return Ok(Directory {
            start: end.directory_offset,
            base: 0,
            ..directory
        });
    }
    Ok(directory)
}

fn find_end(window: &Window<'_>) -> Result<Option<(u64, EndRecord)>, ArchiveError> {
    let size = window.size_bytes().min(SEARCH_SIZE_BYTES);
    let start = window.size_bytes() - size;
    let mut tail = vec![0; usize::try_from(size).unwrap_or(0)];
    window.read_exact_at(&mut tail, start)?;
    let last = tail.len().saturating_sub(END_SIZE_BYTES);
    for at in (0..=last).rev() {
        let Some(bytes) = tail.get(at..).filter(|bytes| bytes.starts_with(&END)) else {
            continue;
        };
        let Some(end) = EndRecord::parse(bytes) else {
            continue;
        };
        let rest = bytes.len().saturating_sub(END_SIZE_BYTES);
        // A comment that is cut short: what comes before is no better.
        return Ok(
            (usize::from(end.comment_size_bytes) <= rest).then_some((start + at as u64, end))
        );
    }
    Ok(None)
}

/// Reads the zip64 record that stands before the plain one, with its place.
fn find_end_64(
    window: &Window<'_>,
    end_at: u64,
) -> Result<Option<(u64, [u8; END_64_SIZE_BYTES])>, ArchiveError> {
    let Some(locator_at) = end_at.checked_sub(LOCATOR_SIZE_BYTES) else {
        return Ok(None);
    };
    let mut locator = [0; LOCATOR_SIZE_BYTES as usize];
    window.read_exact_at(&mut locator, locator_at)?;
    let fields = Fields(&locator);
    let (Some(0), Some(at), Some(1)) = (fields.u32(4), fields.u64(8), fields.u32(16)) else {
        return Ok(None);
    };
    if !locator.starts_with(&LOCATOR_64) {
        return Ok(None);
    }
    let mut record = [0; END_64_SIZE_BYTES];
    window.read_exact_at(&mut record, at)?;
    if !record.starts_with(&END_64) {
        return Err(ArchiveError::malformed(
            "the zip64 end record is not where it should be",
        ));
    }
    Ok(Some((at, record)))
}

fn has_header_at(window: &Window<'_>, offset: u64) -> Result<bool, ArchiveError> {
    let mut signature = [0; 4];
    if window.part(offset, 4).is_none() {
        return Ok(false);
    }
    window.read_exact_at(&mut signature, offset)?;
    Ok(signature == CENTRAL)
}
