//! Reading an archive by position: the directory first, then the entries that are wanted.

use std::io::{BufReader, Read};

use super::checked::{Checked, Expected};
use super::directory::{self, Directory};
use super::extents::Extents;
use super::header::{CENTRAL, DEFLATED, EntryRecord, Fields, LOCAL, STORED};
use super::window::WindowReader;
use super::{ArchiveError, Budget, EntryContent, EntryReader, Window};
use crate::inflate::{Wrapping, inflate};

const LOCAL_SIZE_BYTES: u64 = 30;
const BUFFER_SIZE_BYTES: usize = 32 * 1024;

/// Reads the wanted entries, in the order of the directory.
///
/// # Errors
///
/// The archive makes no sense, or goes beyond the budget.
pub(crate) fn read_at<R: EntryReader>(
    window: Window<'_>,
    reader: &mut R,
    budget: &Budget<'_>,
) -> Result<Vec<R::Output>, ArchiveError> {
    let directory = directory::find(&window)?;
    let part = window
        .part(
            directory.start,
            window.size_bytes().saturating_sub(directory.start),
        )
        .ok_or_else(|| ArchiveError::malformed("the directory lies outside of the archive"))?;
    let mut headers = buffered(part);
    let mut outputs = Vec::new();
    let mut extents = Extents::default();
    let (mut count, mut wanted): (u64, usize) = (0, 0);
    while let Some(record) = next_record(&mut headers)? {
        count += 1;
        budget.spend_entry()?;
        if reader.wants(&record.name) {
            budget.check_wanted(wanted)?;
            wanted += 1;
            let output = match find_content(&window, &directory, &record, &mut extents) {
                Ok(Some(content)) => read_entry(content, &record, reader, budget),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            let output = match output {
                Ok(output) => output,
                Err(error) => reader.failed(&record.name, error)?,
            };
            outputs.extend(output);
        }
    }
    // The count has 16 bits unless there is a zip64 record; Go compares no more either.
    if count & 0xffff != directory.entry_count & 0xffff {
        return Err(ArchiveError::Malformed(format!(
            "the directory has {count} entries, the end record states {}",
            directory.entry_count
        )));
    }
    Ok(outputs)
}

/// Reads the next header; `None` where there is something else, or the bytes end.
fn next_record(headers: &mut dyn Read) -> Result<Option<EntryRecord>, ArchiveError> {
    let mut signature = [0; 4];
    let read = headers
        .read_exact(&mut signature)
        .and_then(|()| match signature {
            CENTRAL => EntryRecord::read_central(headers).map(Some),
            _ => Ok(None),
        });
    match read {
        Ok(record) => Ok(record),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read_entry<R: EntryReader>(
    packed: Window<'_>,
    record: &EntryRecord,
    reader: &mut R,
    budget: &Budget<'_>,
) -> Result<Option<R::Output>, ArchiveError> {
    let expected = Expected {
        size_bytes: record.size_bytes,
        crc32: record.crc32,
    };
    match record.method {
        STORED if record.size_bytes == record.packed_size_bytes => {
            let mut stream = Checked::new(budget.metered(packed.reader()), Some(expected));
            let content = EntryContent {
                stream: &mut stream,
                window: Some(packed),
            };
            reader.read(&record.name, content)
        }
        STORED => Err(ArchiveError::malformed("a stored entry has two sizes")),
        DEFLATED => {
            let unpacked = budget.metered(inflate(buffered(packed), Wrapping::Raw));
            let mut stream = Checked::new(unpacked, Some(expected));
            let content = EntryContent {
                stream: &mut stream,
                window: None,
            };
            reader.read(&record.name, content)
        }
        method => Err(unknown_method(method)),
    }
}

/// Reads a window through a buffer that is no larger than it. A layer may have a hundred thousand small
/// archives, and what is found lies between their buffers.
fn buffered(window: Window<'_>) -> BufReader<WindowReader<'_>> {
    let size_bytes = usize::try_from(window.size_bytes()).unwrap_or(usize::MAX);
    BufReader::with_capacity(size_bytes.min(BUFFER_SIZE_BYTES), window.reader())
}

pub(super) fn unknown_method(method: u16) -> ArchiveError {
    ArchiveError::Malformed(format!(
        "an entry is packed by method {method}, which is not read"
    ))
}

/// Finds the content of an entry behind its local header, of which only the length counts. `None` if
/// it has been read: the directory repeats itself.
fn find_content<'a>(
    window: &Window<'a>,
    directory: &Directory,
    record: &EntryRecord,
    extents: &mut Extents,
) -> Result<Option<Window<'a>>, ArchiveError> {
    if record.is_encrypted() {
        return Err(ArchiveError::malformed("an entry is encrypted"));
    }
    let outside = || ArchiveError::malformed("an entry lies outside of the archive");
    let start = directory
        .base
        .checked_add(record.offset)
        .ok_or_else(outside)?;
    let mut header = [0; LOCAL_SIZE_BYTES as usize];
    window.read_exact_at(&mut header, start)?;
    if !header.starts_with(&LOCAL) {
        return Err(ArchiveError::malformed(
            "an entry is not where the directory says",
        ));
    }
    let fields = Fields(&header);
    let names = u64::from(fields.u16(26).unwrap_or(0)) + u64::from(fields.u16(28).unwrap_or(0));
    let content_start = start.saturating_add(LOCAL_SIZE_BYTES + names);
    let content = window
        .part(content_start, record.packed_size_bytes)
        .ok_or_else(outside)?;
    let end = content_start + record.packed_size_bytes;
    Ok(extents.add(record, start, end)?.then_some(content))
}
