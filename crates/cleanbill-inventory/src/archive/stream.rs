//! Reading an archive as it passes, once, in constant memory.
//!
//! Entries are read by their local headers and kept aside. The directory at the end says which of
//! them count, and in which order: an entry that it does not list is dropped (a deleted one, or
//! one of an archive inside a stored entry), and one that it lists elsewhere or otherwise than it
//! passed makes the archive an error. Only the directory of the last end record counts.

mod content;
mod descriptor;
mod unsized_content;

use std::collections::BTreeMap;
use std::io::Read;

use super::directory::SEARCH_SIZE_BYTES as END_SEARCH_SIZE_BYTES;
use super::header::{
    CENTRAL, END, END_64, END_SIZE_BYTES, EndRecord, EntryRecord, Fields, LOCAL, LOCATOR_64,
};
use super::peek::Peek;
use super::{ArchiveError, Budget, EntryReader};

const END_64_SIZE_BYTES: usize = 56;
const LOCATOR_SIZE_BYTES: u64 = 20;

/// Reads the wanted entries, in the order of the directory, and the stream to its end.
///
/// # Errors
///
/// The archive makes no sense, goes beyond the budget, or its directory does not confirm what
/// passed.
pub(crate) fn read_stream<R: EntryReader>(
    stream: &mut dyn Read,
    reader: &mut R,
    budget: &Budget<'_>,
) -> Result<Vec<R::Output>, ArchiveError> {
    let mut pass = Pass {
        stream: Peek::new(stream),
        reader,
        budget,
        passed: BTreeMap::new(),
        directory: None,
        ended: None,
    };
    pass.run()?;
    pass.confirm()
}

/// Reads one archive.
struct Pass<'a, 'b, R: EntryReader> {
    stream: Peek<&'a mut dyn Read>,
    reader: &'a mut R,
    budget: &'a Budget<'b>,
    /// The wanted entries that passed, by the place of their local header.
    passed: BTreeMap<u64, Passed<R::Output>>,
    /// The directory that passed last.
    directory: Option<PassedDirectory>,
    /// The end record that passed last.
    ended: Option<Ended>,
}

/// Is a wanted entry that passed, as it really was.
struct Passed<T> {
    record: EntryRecord,
    output: Result<Option<T>, ArchiveError>,
}

/// Is a directory that passed.
#[derive(Default)]
struct PassedDirectory {
    start: u64,
    end: u64,
    entry_count: u64,
    wanted: Vec<EntryRecord>,
}

/// Is an end record that passed, with the directory that it confirms.
struct Ended {
    at: u64,
    comment_size_bytes: u64,
    directory: Result<Confirmed, ArchiveError>,
}

/// Is a directory with the place from which its offsets count.
struct Confirmed {
    base: u64,
    wanted: Vec<EntryRecord>,
}

impl<R: EntryReader> Pass<'_, '_, R> {
    fn run(&mut self) -> Result<(), ArchiveError> {
        while self
            .stream
            .skip_to_signature(&[LOCAL, CENTRAL, END_64, END])?
        {
            let at = self.stream.position();
            match self.stream.peek(4)?.first_chunk() {
                Some(&LOCAL) => self.entry(at)?,
                // A directory without entries shows by its end only.
                Some(&CENTRAL | &END_64) => self.directory(at)?,
                _ => self.end()?,
            }
        }
        Ok(())
    }

    /// Reads an entry, or passes over it.
    fn entry(&mut self, at: u64) -> Result<(), ArchiveError> {
        self.budget.spend_entry()?;
        self.stream.skip(4)?;
        let mut record = EntryRecord::read_local(&mut self.stream)?;
        if self.reader.wants(&record.name) {
            self.keep(&record, self.passed.len())?;
            let output = content::read(&mut self.stream, &mut record, self.reader, self.budget)?;
            self.passed.insert(at, Passed { record, output });
            return Ok(());
        }
        content::pass_over(&mut self.stream, &mut record, self.budget)
    }

    /// Bounds what is kept until the directory has passed.
    fn keep(&self, record: &EntryRecord, kept: usize) -> Result<(), ArchiveError> {
        self.budget.check_wanted(kept)?;
        self.budget.keep(size_of_val(record) + record.name.len())
    }

    /// Reads a directory up to where it ends.
    fn directory(&mut self, start: u64) -> Result<(), ArchiveError> {
        let mut directory = PassedDirectory {
            start,
            ..PassedDirectory::default()
        };
        while self.stream.peek(4)?.starts_with(&CENTRAL) {
            self.budget.spend_entry()?;
            self.stream.skip(4)?;
            let record = EntryRecord::read_central(&mut self.stream)?;
            directory.entry_count += 1;
            if self.reader.wants(&record.name) {
                self.keep(&record, directory.wanted.len())?;
                directory.wanted.push(record);
            }
        }
        directory.end = self.stream.position();
        self.directory = Some(directory);
        self.skip_end_64()
    }

    /// Leaves the zip64 records to [`Self::end`], which finds them again by their place.
    fn skip_end_64(&mut self) -> Result<(), ArchiveError> {
        if !self.stream.peek(4)?.starts_with(&END_64) {
            return Ok(());
        }
        let record = self.stream.peek(END_64_SIZE_BYTES)?;
        let mut end = EndRecord {
            entry_count: 0,
            directory_size_bytes: 0,
            directory_offset: 0,
            comment_size_bytes: 0,
        };
        let declared = Fields(record).u64(4);
        let (Some(()), Some(declared)) = (end.widen(record), declared) else {
            return Err(ArchiveError::malformed("the zip64 end record is cut short"));
        };
        self.stream.skip(declared.saturating_add(12))?;
        if self.stream.peek(4)?.starts_with(&LOCATOR_64) {
            self.stream.skip(LOCATOR_SIZE_BYTES)?;
        }
        self.end_with(Some(end))
    }

    fn end(&mut self) -> Result<(), ArchiveError> {
        self.end_with(None)
    }

    /// Reads the end record, and compares it with the directory before it.
    fn end_with(&mut self, wide: Option<EndRecord>) -> Result<(), ArchiveError> {
        let bytes = self.stream.peek(END_SIZE_BYTES)?;
        if !bytes.starts_with(&END) {
            return Ok(());
        }
        let Some(mut end) = EndRecord::parse(bytes) else {
            return Err(ArchiveError::malformed("the end record is cut short"));
        };
        let at = self.stream.position();
        if let Some(wide) = wide.filter(|_| end.is_full()) {
            end = EndRecord {
                comment_size_bytes: end.comment_size_bytes,
                ..wide
            };
        }
        let directory = self.directory.take().unwrap_or_else(|| PassedDirectory {
            start: at,
            end: at,
            ..PassedDirectory::default()
        });
        let means_another = self.stream.may_have_central_at(end.directory_offset);
        self.ended = Some(Ended {
            at,
            comment_size_bytes: end.comment_size_bytes.into(),
            directory: confirm_directory(directory, &end, means_another),
        });
        // The comment is looked through: the last record counts, wherever it is.
        self.stream.skip(END_SIZE_BYTES as u64)?;
        Ok(())
    }

    /// Returns what the directory confirms.
    fn confirm(mut self) -> Result<Vec<R::Output>, ArchiveError> {
        let size = self.stream.position();
        let is_at_end = |ended: &Ended| {
            let smallest = END_SIZE_BYTES as u64 + ended.comment_size_bytes;
            (smallest..=END_SEARCH_SIZE_BYTES).contains(&size.saturating_sub(ended.at))
        };
        let no_end = || ArchiveError::malformed("it is no zip archive: there is no end record");
        let ended = self.ended.take().filter(is_at_end).ok_or_else(no_end)?;
        if self.stream.last_end() != Some(ended.at) {
            return Err(ArchiveError::malformed(
                "the last end record stands in the content of an entry",
            ));
        }
        let confirmed = ended.directory?;
        let mut outputs = Vec::new();
        for record in confirmed.wanted {
            let passed = confirmed
                .base
                .checked_add(record.offset)
                .and_then(|at| self.passed.remove(&at))
                .filter(|passed| passed.is_what(&record));
            let Some(passed) = passed else {
                return Err(ArchiveError::Malformed(format!(
                    "what passed is not what the directory lists: {}",
                    record.name
                )));
            };
            let output = match passed.output {
                Ok(output) => output,
                Err(error) => self.reader.failed(&record.name, error)?,
            };
            outputs.extend(output);
        }
        Ok(outputs)
    }
}

impl<T> Passed<T> {
    /// Says whether the directory lists the entry as it was.
    fn is_what(&self, listed: &EntryRecord) -> bool {
        let passed = &self.record;
        passed.name == listed.name
            && passed.method == listed.method
            && passed.is_encrypted() == listed.is_encrypted()
            && passed.packed_size_bytes == listed.packed_size_bytes
            && passed.size_bytes == listed.size_bytes
            && (passed.crc32 == listed.crc32 || listed.crc32 == 0 || passed.crc32 == 0)
    }
}

/// Compares an end record with the directory that passed right before it. If its offset means a header
/// elsewhere, a reader that can go back takes that one, and what counts has passed.
fn confirm_directory(
    directory: PassedDirectory,
    end: &EndRecord,
    means_another: bool,
) -> Result<Confirmed, ArchiveError> {
    let wrong = || ArchiveError::malformed("the end record does not fit the directory before it");
    let is_whole = directory.end.checked_sub(directory.start) == Some(end.directory_size_bytes)
        && directory.entry_count & 0xffff == end.entry_count & 0xffff;
    let base = directory
        .start
        .checked_sub(end.directory_offset)
        .filter(|base| is_whole && (*base == 0 || !means_another))
        .ok_or_else(wrong)?;
    Ok(Confirmed {
        base,
        wanted: directory.wanted,
    })
}
