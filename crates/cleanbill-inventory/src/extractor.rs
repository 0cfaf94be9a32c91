//! What an extractor is.

use std::fs::File;
use std::io::{self, Read};

use cleanbill_core::Limits;
use cleanbill_core::layer::EntryBody;

use crate::bounded;
use crate::draft::LayerDraft;
use crate::kept::Kept;

/// Bytes that an extractor is shown to see whether it wants a file.
pub(crate) const PEEKED_SIZE: usize = 16;

/// Finds packages, or facts about the distribution, in files of one kind.
///
/// An extractor answers two questions: does this path interest me, and what is in this file. The
/// walk opens, limits and closes.
pub(crate) trait Extractor: Sync {
    /// Returns the name that reports print as `AnalyzedBy` (the draft writes it into the packages),
    /// or a plain word for extractors that find no packages.
    fn name(&self) -> &'static str;

    /// Says from the path and size of a regular file alone whether it is wanted.
    fn wants(&self, path: &str, size_bytes: u64) -> bool;

    /// Says whether it wants every regular file that may be executed, whatever its path, beside
    /// those that [`Extractor::wants`] names.
    fn wants_executables(&self) -> bool {
        false
    }

    /// Says from the first bytes of a file, [`PEEKED_SIZE`] unless it is smaller, whether it is
    /// wanted indeed. Only extractors that want executables are asked: nearly all of these are none
    /// of theirs, and are left alone at once.
    fn wants_content(&self, first: &[u8]) -> bool {
        let _ = first;
        true
    }

    /// Reads a wanted file. What was found before an error stays.
    ///
    /// # Errors
    ///
    /// See [`ExtractError`].
    fn extract(&self, file: &mut FileInput<'_>, draft: &mut LayerDraft)
    -> Result<(), ExtractError>;

    /// Returns the exact paths and the directories (ending in `/`) that are wanted, if they can
    /// be listed: links at or above them are recorded. Extractors that go by file name return
    /// nothing: their files are found wherever they lie.
    fn places(&self) -> &'static [&'static str] {
        &[]
    }

    /// Says what a link in place of a wanted file means.
    fn link_rule(&self) -> LinkRule {
        LinkRule::FollowOrReport
    }
}

/// Says what a link in place of a wanted file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkRule {
    /// The file holds packages: the link is followed, and one that leads nowhere is a problem.
    FollowOrReport,
    /// The link is followed; one that leads nowhere is no problem, as other files may say the
    /// same.
    Follow,
    /// Links are not followed, as in the reference implementation.
    Ignore,
}

/// Gives a file to an extractor.
pub(crate) struct FileInput<'a> {
    /// The path that counts: the alias's where the file is read on behalf of a link.
    pub(crate) path: &'a str,
    /// Bytes of content as the header states them.
    pub(crate) size_bytes: u64,
    /// The content.
    pub(crate) body: &'a mut dyn EntryBody,
    /// The bounds in force.
    pub(crate) limits: &'a Limits,
}

/// Holds the content of a file that may be too large for memory.
pub(crate) enum Content<'a> {
    /// All of it.
    Whole(Vec<u8>),
    /// A file that can be read at any place. Its cursor may stand anywhere.
    File {
        /// The file.
        file: &'a File,
        /// Its size in bytes when it was opened. It may shrink while it is read.
        size_bytes: u64,
    },
    /// Content that passes once, from its beginning to its end.
    Stream(&'a mut dyn Read),
}

/// Says why a file could not be read to its end.
#[derive(Debug)]
pub(crate) enum ExtractError {
    /// The bytes could not be had: the layer is broken, the walk stops.
    Read(io::Error),
    /// The content makes no sense: recorded as a problem, the walk goes on.
    Malformed(String),
    /// A bound was exceeded: recorded as a problem, the walk goes on.
    LimitExceeded(String),
    /// The content is of a kind that is not supported: recorded as a problem.
    Unsupported(String),
    /// The reference implementation ignores such a file, and nothing is lost by it: no problem.
    Ignored,
}

impl From<io::Error> for ExtractError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl FileInput<'_> {
    /// Reads the whole file.
    ///
    /// # Errors
    ///
    /// Reading failed, or the file has more than `max` bytes (named `limit` in the message).
    pub(crate) fn read_all(&mut self, max: u64, limit: &str) -> Result<Vec<u8>, ExtractError> {
        let too_large = || ExtractError::LimitExceeded(format!("more than {max} bytes ({limit})"));
        if self.size_bytes > max {
            return Err(too_large());
        }
        bounded::read_all(self.body, max)?.ok_or_else(too_large)
    }

    /// Reads a document that lists packages, to be looked at more than once.
    ///
    /// # Errors
    ///
    /// Reading failed, or the file is too large.
    pub(crate) fn keep(&mut self) -> Result<Kept<'static>, ExtractError> {
        let max = self.limits.file_size_bytes_max;
        if self.size_bytes > max {
            return Err(ExtractError::LimitExceeded(format!(
                "more than {max} bytes (file_size_bytes_max)"
            )));
        }
        Kept::read(&mut *self.body, self.limits)
    }

    /// Returns the content in the way that costs the least memory: as a file that can be read at
    /// any place where there is one, whole where it is small, else as a stream.
    ///
    /// # Errors
    ///
    /// Reading failed.
    pub(crate) fn content(&mut self) -> Result<Content<'_>, ExtractError> {
        if self.body.file()?.is_none() {
            if self.size_bytes <= self.limits.buffered_file_size_bytes_max {
                return self.read_small().map(Content::Whole);
            }
            return Ok(Content::Stream(&mut *self.body));
        }
        match self.body.file()? {
            Some(file) => Ok(Content::File {
                file,
                size_bytes: file.metadata()?.len(),
            }),
            None => Ok(Content::Whole(Vec::new())),
        }
    }

    /// Reads the whole file, which describes one package or little more.
    ///
    /// # Errors
    ///
    /// As [`FileInput::read_all`].
    pub(crate) fn read_small(&mut self) -> Result<Vec<u8>, ExtractError> {
        let max = self.limits.whole_file_size_bytes_max;
        self.read_all(max, "whole_file_size_bytes_max")
    }
}
