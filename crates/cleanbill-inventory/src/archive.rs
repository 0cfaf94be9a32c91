//! Zip archives, read without unpacking them anywhere.
//!
//! The central directory is the truth: entries are those that it lists, in its order, each at the
//! place that it names. Where an archive can be read at any place ([`read_at`]) the directory is
//! read first. A large archive inside a layer passes once, from its beginning to its end
//! ([`read_stream`]): entries are read as their local headers come by, and what was read counts
//! only if the directory, which comes last, confirms it. What cannot be confirmed is an error,
//! never an archive without entries.
//!
//! Our own reader, because the `zip` crate joins entries of one name, keeps a whole directory in
//! memory before anything can limit it, and cannot read a stream against its directory.
//!
//! Source: PKWARE's APPNOTE.TXT 6.3.10; what is accepted follows Go's `archive/zip`.

mod budget;
mod checked;
mod directory;
mod error;
mod extents;
mod header;
mod layer_spending;
mod peek;
mod positioned;
mod stream;
#[cfg(test)]
mod tests;
mod window;

use std::io::Read;

pub(crate) use budget::Budget;
pub(crate) use error::ArchiveError;
pub(crate) use layer_spending::LayerSpending;
pub(crate) use positioned::read_at;
pub(crate) use stream::read_stream;
pub(crate) use window::Window;

/// Looks at the entries of an archive.
pub(crate) trait EntryReader {
    /// What an entry gives.
    type Output;

    /// Says from the name alone whether an entry is to be read.
    fn wants(&self, name: &str) -> bool;

    /// Reads an entry, not necessarily to its end.
    ///
    /// # Errors
    ///
    /// The entry makes no sense; [`EntryReader::failed`] decides what that means.
    fn read(
        &mut self,
        name: &str,
        content: EntryContent<'_>,
    ) -> Result<Option<Self::Output>, ArchiveError>;

    /// Says what an entry gives that could not be read. An error is one of the whole archive.
    ///
    /// # Errors
    ///
    /// The archive is of no use without the entry.
    fn failed(
        &mut self,
        name: &str,
        error: ArchiveError,
    ) -> Result<Option<Self::Output>, ArchiveError>;
}

/// Returns about how many bytes some texts take.
pub(crate) fn texts_size_bytes(texts: &[String]) -> usize {
    texts
        .iter()
        .map(|text| text.len() + size_of_val(text))
        .sum()
}

/// Gives the content of an entry.
pub(crate) struct EntryContent<'a> {
    /// The content, unpacked, checked at its end.
    pub(crate) stream: &'a mut dyn Read,
    /// The same as it lies in the archive, where it is not packed and can be read at any place.
    pub(crate) window: Option<Window<'a>>,
}
