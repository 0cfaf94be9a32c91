//! Java archives: `.jar`, `.war`, `.ear`, `.par`, and those inside them.
//!
//! What an archive is cannot always be read off its bytes: the Java index is asked later, see
//! [`cleanbill_core::java`]. Source: spec 04 section 1.7.

mod entries;
mod file_name;
mod manifest;
mod parse;
mod pom;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use cleanbill_core::Problem;
use cleanbill_core::problem::ProblemKind;

use crate::archive::{ArchiveError, Budget, Window};
use crate::draft::LayerDraft;
use crate::extractor::{Content, ExtractError, Extractor, FileInput, LinkRule};
use parse::{Parsed, Place, parse_stream, parse_window};

/// Reads Java archives.
pub(crate) struct JavaArchives;

impl Extractor for JavaArchives {
    fn name(&self) -> &'static str {
        "jar"
    }

    fn wants(&self, path: &str, size_bytes: u64) -> bool {
        size_bytes > 0
            && path.rsplit_once('.').is_some_and(|(_, extension)| {
                ["jar", "war", "ear", "par"]
                    .iter()
                    .any(|wanted| extension.eq_ignore_ascii_case(wanted))
            })
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let path = file.path;
        let room = draft.archives.room_for(file.size_bytes, file.limits);
        let budget = Budget::new(file.limits, room);
        let place = Place::outermost(path, &budget);
        let parsed = match file.content()? {
            Content::Whole(bytes) => {
                let size = bytes.len() as u64;
                budget.holding(size, || parse_window(&place, Window::new(&bytes, size)))
            }
            Content::File { file, size_bytes } => {
                parse_window(&place, Window::new(file, size_bytes))
            }
            Content::Stream(stream) => parse_layer_stream(&place, stream)?,
        };
        draft.archives.spend(budget.unpacked_size_bytes());
        let Parsed { archive, problems } = parsed.map_err(into_extract_error)?;
        for (kind, message) in problems {
            draft.add_problem(Problem::at(kind, path, message));
        }
        draft.add_java_archive(&archive);
        Ok(())
    }

    /// A link to an archive names it once more; it is found under its own name.
    fn link_rule(&self) -> LinkRule {
        LinkRule::Ignore
    }
}

/// Reads an archive as the layer passes. What fails is the archive, unless the layer failed.
fn parse_layer_stream(
    place: &Place<'_>,
    stream: &mut dyn Read,
) -> io::Result<Result<Parsed, ArchiveError>> {
    let mut watched = Watched {
        inner: stream,
        failure: None,
    };
    let parsed = parse_stream(place, &mut watched);
    watched.failure.map_or(Ok(parsed), Err)
}

/// Keeps the error with which the layer failed, apart from those of decoders above it.
struct Watched<'a> {
    inner: &'a mut dyn Read,
    failure: Option<io::Error>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let kind = error.kind();
                self.failure.get_or_insert(error);
                Err(kind.into())
            }
            outcome => outcome,
        }
    }
}

fn into_extract_error(error: ArchiveError) -> ExtractError {
    match error {
        ArchiveError::Read(error) => ExtractError::Read(error),
        ArchiveError::LimitExceeded(reason) => ExtractError::LimitExceeded(reason),
        error @ (ArchiveError::Malformed(_) | ArchiveError::Overlapping) => {
            ExtractError::Malformed(format!("the Java archive cannot be read: {error}"))
        }
    }
}

/// Says what kind of problem an error is, and how it is told.
fn into_problem(place: &str, error: &ArchiveError) -> (ProblemKind, String) {
    let kind = match error {
        ArchiveError::LimitExceeded(_) => ProblemKind::LimitExceeded,
        ArchiveError::Read(_) | ArchiveError::Malformed(_) | ArchiveError::Overlapping => {
            ProblemKind::UnreadableFile
        }
    };
    (kind, format!("{place} inside it cannot be read: {error}"))
}
