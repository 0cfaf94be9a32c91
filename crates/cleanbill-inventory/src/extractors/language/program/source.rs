//! Reading a program at any place, however its bytes are had.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use memchr::memmem::Finder;

use super::passed::Passed;
use crate::extractor::ExtractError;

/// Bytes that are looked through at a time.
const CHUNK_SIZE: usize = 256 * 1024;

/// Gives the bytes of a program by their offset.
pub(super) enum Source<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// A file that can be read at any place.
    File {
        file: &'a File,
        size_bytes: u64,
        /// The most that may be asked for at once.
        read_size_bytes_max: u64,
    },
    /// What was kept of a program that has passed by.
    Passed(Passed),
}

/// Names a sequence of bytes that is searched for. Those of a program that passes by are noted
/// on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The beginning of Go's build information.
    BuildInfo,
    /// The end of the name of a symbol that holds the text of a string variable.
    TextSymbol,
}

impl Mark {
    pub(super) const fn bytes(self) -> &'static [u8] {
        match self {
            Mark::BuildInfo => b"\xff Go buildinf:",
            Mark::TextSymbol => b".str\0",
        }
    }
}

/// Says why bytes of a program could not be had.
#[derive(Debug)]
pub(super) enum ReadError {
    /// Reading failed.
    Io(io::Error),
    /// The program ends before them.
    PastEnd,
    /// They have passed by, and were not among those that are kept.
    NotKept,
    /// More is asked for than `program_data_size_bytes_max`.
    TooLarge,
}

impl ReadError {
    /// Turns it into the error of an extractor. `what` names what was being read.
    pub(super) fn reading(self, what: &str) -> ExtractError {
        match self {
            ReadError::Io(error) => ExtractError::Read(error),
            ReadError::PastEnd => {
                ExtractError::Malformed(format!("{what} lies beyond the end of the program"))
            }
            ReadError::NotKept => ExtractError::LimitExceeded(format!(
                "{what} cannot be read of a program that is larger than \
                 buffered_file_size_bytes_max and passes once"
            )),
            ReadError::TooLarge => ExtractError::LimitExceeded(format!(
                "{what} is too large (program_data_size_bytes_max)"
            )),
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::PastEnd
        } else {
            Self::Io(error)
        }
    }
}

impl Source<'_> {
    /// Returns the size of the program in bytes.
    pub(super) fn size_bytes(&self) -> u64 {
        match self {
            Source::Whole(bytes) => bytes.len() as u64,
            Source::File { size_bytes, .. } => *size_bytes,
            Source::Passed(passed) => passed.size_bytes(),
        }
    }

    /// Reads exactly `size` bytes.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub(super) fn read(&self, offset: u64, size: u64) -> Result<Vec<u8>, ReadError> {
        let end = offset.checked_add(size).ok_or(ReadError::PastEnd)?;
        if end > self.size_bytes() {
            return Err(ReadError::PastEnd);
        }
        match self {
            Source::Whole(bytes) => {
                let range = index(offset)?..index(end)?;
                Ok(bytes.get(range).ok_or(ReadError::PastEnd)?.to_vec())
            }
            Source::File {
                file,
                read_size_bytes_max,
                ..
            } => {
                if size > *read_size_bytes_max {
                    return Err(ReadError::TooLarge);
                }
                let mut buffer = vec![0; index(size)?];
                file.read_exact_at(&mut buffer, offset)?;
                Ok(buffer)
            }
            Source::Passed(passed) => {
                let bytes = passed.get(offset..end).ok_or(ReadError::NotKept)?;
                Ok(bytes.to_vec())
            }
        }
    }

    /// Reads up to `size` bytes, fewer at the end of the program.
    pub(super) fn read_up_to(&self, offset: u64, size: u64) -> Result<Vec<u8>, ReadError> {
        let rest = self.size_bytes().saturating_sub(offset);
        self.read(offset, size.min(rest))
    }

    /// Returns where a mark lies in a range of offsets, each of its occurrences that `accept`
    /// takes, but no more than `count_max`.
    pub(super) fn find(
        &self,
        mark: Mark,
        range: Range<u64>,
        count_max: usize,
        accept: impl Fn(u64) -> bool,
    ) -> Result<Vec<u64>, ReadError> {
        let range = range.start..range.end.min(self.size_bytes());
        let mut found = Vec::new();
        let mut add = |offset: u64| {
            if accept(offset) {
                found.push(offset);
            }
            found.len() < count_max
        };
        if let Source::Passed(passed) = self {
            let seen = passed.marks(mark).ok_or(ReadError::NotKept)?;
            let length = mark.bytes().len() as u64;
            let inside = |at: &&u64| range.start <= **at && at.saturating_add(length) <= range.end;
            seen.iter().filter(inside).all(|at| add(*at));
            return Ok(found);
        }
        let finder = Finder::new(mark.bytes());
        let overlap = mark.bytes().len() as u64 - 1;
        let mut start = range.start;
        // Programs state where to begin; it need not be anywhere near the end.
        while start.saturating_add(overlap) < range.end {
            let size = (range.end - start).min(CHUNK_SIZE as u64);
            let chunk = self.read(start, size)?;
            if !finder.find_iter(&chunk).all(|at| add(start + at as u64)) {
                break;
            }
            // A mark that crosses the border begins in the next chunk.
            start += size - overlap;
        }
        Ok(found)
    }
}

fn index(offset: u64) -> Result<usize, ReadError> {
    usize::try_from(offset).map_err(|_| ReadError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_of_a_file_is_read_than_allowed() {
        let path = std::env::current_exe().unwrap();
        let file = File::open(path).unwrap();
        let source = Source::File {
            size_bytes: file.metadata().unwrap().len(),
            file: &file,
            read_size_bytes_max: 1_000,
        };
        assert_eq!(source.read(0, 4).unwrap(), b"\x7fELF");
        let error = source.read(0, 1_001).unwrap_err().reading("a table");
        let ExtractError::LimitExceeded(message) = error else {
            panic!("{error:?}");
        };
        assert!(message.contains("program_data_size_bytes_max"), "{message}");
        let beyond = source.read(u64::MAX, 2);
        assert!(matches!(beyond, Err(ReadError::PastEnd)));
    }
}
