//! The content of an entry that passes.

use std::io::{self, Read};

use super::super::checked::{Checked, Expected};
use super::super::header::{DEFLATED, EntryRecord, STORED};
use super::super::peek::Peek;
use super::super::positioned::unknown_method;
use super::super::{ArchiveError, Budget, EntryContent, EntryReader};
use super::{descriptor, unsized_content::UnsizedContent};
use crate::inflate::{Wrapping, inflate};

type Outcome<T> = Result<Option<T>, ArchiveError>;

/// Lets the reader look at the content, and passes over what it leaves. The record then states
/// what really passed.
///
/// # Errors
///
/// Nobody can tell where the entry ends. What is wrong with the entry alone is in the outcome.
pub(super) fn read<S: Read, R: EntryReader>(
    stream: &mut Peek<S>,
    record: &mut EntryRecord,
    reader: &mut R,
    budget: &Budget<'_>,
) -> Result<Outcome<R::Output>, ArchiveError> {
    let wrong = match record.method {
        _ if record.is_encrypted() => Some(ArchiveError::malformed("an entry is encrypted")),
        STORED if record.size_bytes != record.packed_size_bytes => {
            Some(ArchiveError::malformed("a stored entry has two sizes"))
        }
        STORED | DEFLATED => None,
        method => Some(unknown_method(method)),
    };
    if let Some(error) = wrong {
        pass_over(stream, record, budget)?;
        return Ok(Err(error));
    }
    if record.has_descriptor() {
        return read_to_descriptor(stream, record, reader, budget);
    }
    read_sized(stream, record, reader, budget)
}

/// Passes over the content of an entry.
///
/// # Errors
///
/// Nobody can tell where it ends.
pub(super) fn pass_over<S: Read>(
    stream: &mut Peek<S>,
    record: &mut EntryRecord,
    budget: &Budget<'_>,
) -> Result<(), ArchiveError> {
    let is_sized = !record.has_descriptor()
        || record.packed_size_bytes > 0 && (record.is_encrypted() || record.method != DEFLATED);
    if is_sized {
        return skip_all(stream, record.packed_size_bytes);
    }
    read_to_descriptor(stream, record, &mut Nobody, budget)?.map(|_| ())
}

fn skip_all<S: Read>(stream: &mut Peek<S>, count: u64) -> Result<(), ArchiveError> {
    if stream.skip(count)? < count {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(())
}

/// Reads content of a stated size.
fn read_sized<S: Read, R: EntryReader>(
    stream: &mut Peek<S>,
    record: &EntryRecord,
    reader: &mut R,
    budget: &Budget<'_>,
) -> Result<Outcome<R::Output>, ArchiveError> {
    let expected = Expected {
        size_bytes: record.size_bytes,
        crc32: record.crc32,
    };
    let mut packed = Read::take(&mut *stream, record.packed_size_bytes);
    let outcome = if record.method == DEFLATED {
        let unpacked = budget.metered(inflate(&mut packed, Wrapping::Raw));
        look(Checked::new(unpacked, Some(expected)), &record.name, reader)
    } else {
        let stored = budget.metered(&mut packed);
        look(Checked::new(stored, Some(expected)), &record.name, reader)
    };
    let left = packed.limit();
    skip_all(stream, left)?;
    match outcome {
        (_, Err(error @ (ArchiveError::Read(_) | ArchiveError::LimitExceeded(_)))) => Err(error),
        (Ok(_), Err(error)) => Ok(Err(error)),
        (output, _) => Ok(output),
    }
}

/// Reads deflated content, which knows its own end, or stored content, which ends where a descriptor
/// states what has passed, and the descriptor after it.
fn read_to_descriptor<S: Read, R: EntryReader>(
    stream: &mut Peek<S>,
    record: &mut EntryRecord,
    reader: &mut R,
    budget: &Budget<'_>,
) -> Result<Outcome<R::Output>, ArchiveError> {
    let start = stream.position();
    let (output, actual) = match record.method {
        DEFLATED => {
            let unpacked = budget.metered(inflate(&mut *stream, Wrapping::Raw));
            look(Checked::new(unpacked, None), &record.name, reader)
        }
        STORED if record.packed_size_bytes > 0 => {
            let stored = budget.metered(Read::take(&mut *stream, record.packed_size_bytes));
            look(Checked::new(stored, None), &record.name, reader)
        }
        STORED => {
            let stored = budget.metered(UnsizedContent::new(stream, record));
            look(Checked::new(stored, None), &record.name, reader)
        }
        method => return Err(unknown_method(method)),
    };
    let actual = actual?;
    record.packed_size_bytes = stream.position() - start;
    record.size_bytes = actual.size_bytes;
    record.crc32 = actual.crc32;
    if !descriptor::consume(stream, record)? {
        return Err(ArchiveError::malformed(
            "an entry of unstated size has no descriptor where its content ends",
        ));
    }
    Ok(output)
}

/// Lets the reader look, reads the rest, and returns what both gave: size and checksum of the
/// whole, which cannot be had where the content is broken.
fn look<C: Read, R: EntryReader>(
    mut content: Checked<C>,
    name: &str,
    reader: &mut R,
) -> (Outcome<R::Output>, Result<Expected, ArchiveError>) {
    let output = reader.read(
        name,
        EntryContent {
            stream: &mut content,
            window: None,
        },
    );
    (output, content.finish().map_err(ArchiveError::from))
}

/// Looks at nothing.
struct Nobody;

impl EntryReader for Nobody {
    type Output = ();

    fn wants(&self, _: &str) -> bool {
        false
    }

    fn read(&mut self, _: &str, _: EntryContent<'_>) -> Outcome<()> {
        Ok(None)
    }

    fn failed(&mut self, _: &str, error: ArchiveError) -> Outcome<()> {
        Err(error)
    }
}
