//! The content of an entry.

use std::io::{self, Read};

use cleanbill_core::layer::EntryBody;

use super::sparse::Fragment;
use super::{Source, TarReader};

/// Reads the content of the current entry of an archive, its holes as zeros.
pub(crate) struct Body<'a, S> {
    reader: &'a mut TarReader<S>,
}

impl<'a, S> Body<'a, S> {
    pub(super) fn new(reader: &'a mut TarReader<S>) -> Self {
        Self { reader }
    }
}

impl<S: Source> EntryBody for Body<'_, S> {}

impl<S: Source> Body<'_, S> {
    /// Reads what the archive holds.
    fn read_data(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let reader = &mut *self.reader;
        let length = buffer
            .len()
            .min(usize::try_from(reader.remaining).unwrap_or(usize::MAX));
        let Some(space) = buffer.get_mut(..length).filter(|space| !space.is_empty()) else {
            return Ok(0);
        };
        let count = reader.source.read(space)?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!(
                    "the archive ends {} bytes before the end of an entry",
                    reader.remaining
                ),
            ));
        }
        reader.remaining -= count as u64;
        reader.offset += count as u64;
        Ok(count)
    }

    fn read_sparse(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let invalid = |reason| io::Error::new(io::ErrorKind::InvalidData, reason);
        let held = self.reader.remaining;
        let Some(sparse) = &mut self.reader.sparse else {
            return Ok(0);
        };
        if sparse.position >= sparse.map.size {
            return if held == 0 {
                Ok(0)
            } else {
                Err(invalid("a sparse file has more data than its map says"))
            };
        }
        let fragment = sparse.map.fragment(sparse.position, &mut sparse.range_at);
        let (Fragment::Data(length) | Fragment::Hole(length)) = fragment;
        let length = buffer
            .len()
            .min(usize::try_from(length).unwrap_or(usize::MAX));
        let Some(space) = buffer.get_mut(..length) else {
            return Ok(0);
        };
        let count = match fragment {
            Fragment::Hole(_) => {
                space.fill(0);
                space.len()
            }
            Fragment::Data(_) if held == 0 => {
                return Err(invalid("a sparse file has less data than its map says"));
            }
            Fragment::Data(_) => self.read_data(space)?,
        };
        if let Some(sparse) = &mut self.reader.sparse {
            sparse.position += count as u64;
        }
        Ok(count)
    }
}

impl<S: Source> Read for Body<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.reader.sparse.is_some() {
            self.read_sparse(buffer)
        } else {
            self.read_data(buffer)
        }
    }
}
