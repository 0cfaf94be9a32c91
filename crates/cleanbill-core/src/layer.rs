//! The seam between reading a layer and understanding it.

use std::fs::File;
use std::io::{self, Read};

use crate::digest::{DiffId, Digest};

/// Tells kinds of layer entries apart. Whiteouts are decoded by the reader: a tar names them
/// `.wh.<name>`, an overlay directory holds a character device 0:0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file with content.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; `link_target` is its text as written.
    Symlink,
    /// A hard link; `link_target` is the cleaned path of the file it names.
    HardLink,
    /// The entry hides `path` of lower layers.
    Whiteout,
    /// The entry hides everything that lower layers have below `path`.
    OpaqueDirectory,
    /// A device, FIFO or socket.
    Other,
}

/// Describes one entry of a layer.
#[derive(Clone, Copy, Debug)]
pub struct EntryHeader<'a> {
    /// The path, cleaned as by [`crate::path::clean`]; never empty except for the root directory.
    /// One that would leave the root keeps its leading `..`.
    /// Bytes that are not UTF-8 are replaced; see `path_is_lossy`.
    pub path: &'a str,
    /// Says that `path` had bytes that are not UTF-8.
    pub path_is_lossy: bool,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of content as the header states them.
    pub size_bytes: u64,
    /// The permission bits of a regular file, set-user-ID and the like included, else 0.
    pub mode: u32,
    /// The target of a link, else empty.
    pub link_target: &'a str,
}

impl EntryHeader<'_> {
    /// Says whether it is a regular file that somebody may execute.
    pub const fn is_executable(&self) -> bool {
        matches!(self.kind, EntryKind::File) && self.mode & 0o111 != 0
    }
}

/// Gives the content of an entry.
pub trait EntryBody: Read {
    /// Returns the file that holds the content and nothing else, where the layer lies unpacked:
    /// it can be read at any place without passing what lies before. `None` for content that is
    /// streamed.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    fn file(&mut self) -> io::Result<Option<&File>> {
        Ok(None)
    }
}

impl EntryBody for &[u8] {}

impl EntryBody for io::Empty {}

/// Looks at the entries of a layer.
pub trait EntryVisitor {
    /// Is called once per entry, in the order of the layer. `body` gives the content of a regular
    /// file; what is not read is skipped, and a source that can avoid touching it does.
    ///
    /// # Errors
    ///
    /// An error stops the walk: reading `body` failed, or the visitor will take no more. Content
    /// that makes no sense is no error; the visitor records it and goes on.
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()>;

    /// Is told of an entry that is there but cannot be looked at, such as a directory of another
    /// user's below a root directory. A visitor that goes on has to record it.
    ///
    /// # Errors
    ///
    /// An error stops the walk, and so does this method unless a visitor has its own.
    fn unreadable(&mut self, path: &str, error: io::Error) -> io::Result<()> {
        let _ = path;
        Err(error)
    }
}

/// What a complete walk of a layer established.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerSummary {
    /// The digest of the uncompressed stream, where the layer was streamed as a tar.
    pub diff_id: Option<DiffId>,
    /// Bytes of the uncompressed tar stream including padding, where known.
    pub size_bytes: Option<u64>,
}

/// Offers the entries of one layer, once.
pub trait LayerReader {
    /// Walks every entry. Where bytes are streamed, digest and diff id are verified before this
    /// returns `Ok`.
    ///
    /// # Errors
    ///
    /// Reading or decompressing failed, the archive is malformed, a limit was exceeded, or the
    /// content does not have the digest or diff id that the image states.
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError>;
}

/// Says why a layer could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The bytes could not be had.
    #[error("cannot read {what}")]
    Read {
        /// What was being read, with its place.
        what: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The bytes make no sense.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// What was being read, with its place.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// The content is not what its name says.
    #[error("{what} has digest {actual}, expected {expected}")]
    DigestMismatch {
        /// What was being read, and which digest was compared (digest or diff id).
        what: String,
        /// The digest that the image states.
        expected: String,
        /// The digest of the bytes.
        actual: String,
    },
    /// A bound was exceeded.
    #[error("{what} exceeds the limit {limit}")]
    LimitExceeded {
        /// What was being read.
        what: String,
        /// The field of [`crate::Limits`] with its value.
        limit: String,
    },
}

impl LayerError {
    /// Says that something exceeds a limit, by the field of [`crate::Limits`] and its value.
    pub fn exceeded(what: impl Into<String>, limit: &str, value: u64) -> Self {
        Self::LimitExceeded {
            what: what.into(),
            limit: format!("{limit} = {value}"),
        }
    }

    /// Compares the digest of what came with the one that was promised.
    ///
    /// # Errors
    ///
    /// They differ: [`LayerError::DigestMismatch`].
    pub fn check_digest(
        what: impl FnOnce() -> String,
        expected: Digest,
        actual: Digest,
    ) -> Result<(), Self> {
        if expected == actual {
            return Ok(());
        }
        Err(Self::DigestMismatch {
            what: what(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        })
    }
}
