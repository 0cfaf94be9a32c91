//! Giving a file to the extractors that want it.

use std::fs::File;
use std::io::{self, Read};

use cleanbill_core::layer::EntryBody;
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Limits, Problem};

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, PEEKED_SIZE};

/// Lets each extractor read the file. What makes no sense becomes a problem.
///
/// Whatever may be executed is wanted by one extractor or another, and is hardly ever what they
/// look for: its first bytes tell. So a large archive that may be executed is not copied for their
/// sake.
///
/// # Errors
///
/// The bytes could not be had.
pub(super) fn extract(
    extractors: &[&'static dyn Extractor],
    path: &str,
    size_bytes: u64,
    body: &mut dyn EntryBody,
    limits: &Limits,
    draft: &mut LayerDraft,
) -> io::Result<()> {
    let mut file = FileInput {
        path,
        size_bytes,
        body,
        limits,
    };
    if !extractors
        .iter()
        .any(|extractor| extractor.wants_executables())
    {
        return extract_all(extractors, &mut file, draft);
    }
    let first = match peek(file.body) {
        Ok(first) => first,
        Err(error) => return settle(error.into(), path, draft),
    };
    let is_wanted = |extractor: &&&dyn Extractor| {
        !extractor.wants_executables() || extractor.wants_content(&first)
    };
    let extractors: Vec<_> = extractors.iter().filter(is_wanted).copied().collect();
    let mut body = Peeked {
        first: &first,
        rest: file.body,
    };
    let mut file = FileInput {
        body: &mut body,
        ..file
    };
    extract_all(&extractors, &mut file, draft)
}

fn extract_all(
    extractors: &[&'static dyn Extractor],
    file: &mut FileInput<'_>,
    draft: &mut LayerDraft,
) -> io::Result<()> {
    match extractors {
        [] => return Ok(()),
        [extractor] => return extract_one(*extractor, file, draft),
        _ => {}
    }
    // The content passes once, so several readers need a copy.
    let content = match file.read_small() {
        Ok(content) => content,
        Err(error) => return settle(error, file.path, draft),
    };
    for extractor in extractors {
        let mut copy = FileInput {
            body: &mut content.as_slice(),
            ..*file
        };
        extract_one(*extractor, &mut copy, draft)?;
    }
    Ok(())
}

fn peek(body: &mut dyn EntryBody) -> io::Result<Vec<u8>> {
    let mut first = Vec::with_capacity(PEEKED_SIZE);
    body.take(PEEKED_SIZE as u64).read_to_end(&mut first)?;
    Ok(first)
}

/// Gives the bytes that were looked at again, then the rest.
struct Peeked<'a> {
    first: &'a [u8],
    rest: &'a mut dyn EntryBody,
}

impl Read for Peeked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.first.is_empty() {
            return self.rest.read(buffer);
        }
        self.first.read(buffer)
    }
}

impl EntryBody for Peeked<'_> {
    fn file(&mut self) -> io::Result<Option<&File>> {
        self.rest.file()
    }
}

fn extract_one(
    extractor: &'static dyn Extractor,
    file: &mut FileInput<'_>,
    draft: &mut LayerDraft,
) -> io::Result<()> {
    let path = file.path;
    tracing::debug!(path, extractor = extractor.name(), "extracting");
    if !draft.begin(path, extractor.name()) {
        return Ok(());
    }
    match extractor.extract(file, draft) {
        Ok(()) => Ok(()),
        Err(error) => settle(error, path, draft),
    }
}

/// Turns an error into a problem, except one of reading the layer. A file that this process may
/// not open (a root directory scanned by an ordinary user) says nothing about the rest.
pub(crate) fn settle(error: ExtractError, path: &str, draft: &mut LayerDraft) -> io::Result<()> {
    let (kind, message) = match error {
        ExtractError::Read(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            (ProblemKind::UnreadableFile, error.to_string())
        }
        ExtractError::Read(error) => return Err(error),
        ExtractError::Malformed(message) => (ProblemKind::UnreadableFile, message),
        ExtractError::LimitExceeded(message) => (ProblemKind::LimitExceeded, message),
        ExtractError::Unsupported(message) => (ProblemKind::UnsupportedFormat, message),
        ExtractError::Ignored => return Ok(()),
    };
    draft.add_problem(Problem::at(kind, path, message));
    Ok(())
}
