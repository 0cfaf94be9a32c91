//! Giving a file to the extractors that want it.

use std::io;

use cleanbill_core::layer::EntryBody;
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Limits, Problem};

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput};

/// Lets each extractor read the file. What makes no sense becomes a problem.
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
    if let [extractor] = extractors {
        let mut file = FileInput {
            path,
            size_bytes,
            body,
            limits,
        };
        return extract_one(*extractor, &mut file, draft);
    }
    // The content passes once, so several readers need a copy.
    let mut whole = FileInput {
        path,
        size_bytes,
        body,
        limits,
    };
    let content = match whole.read_small() {
        Ok(content) => content,
        Err(error) => return settle(error, path, draft),
    };
    for extractor in extractors {
        let mut file = FileInput {
            path,
            size_bytes,
            body: &mut content.as_slice(),
            limits,
        };
        extract_one(*extractor, &mut file, draft)?;
    }
    Ok(())
}

fn extract_one(
    extractor: &'static dyn Extractor,
    file: &mut FileInput<'_>,
    draft: &mut LayerDraft,
) -> io::Result<()> {
    let path = file.path;
    tracing::debug!(path, extractor = extractor.name(), "extracting");
    draft.begin(path, extractor.name());
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
