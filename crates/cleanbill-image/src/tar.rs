//! Reads tar archives.
//!
//! A scanner that splits an archive into entries differently from the engine that unpacks it can
//! be blinded: a package database may be the content of another file for one of them. The engines
//! (Docker, containerd, Podman) and Trivy read with Go's `archive/tar`, so its rules are followed
//! here in every corner, including what it refuses. What other readers got wrong, each with a
//! test: the size of a PAX header must count for the content too (CVE-2025-62518, CVE-2026-33055,
//! GHSA-3pv8-6f4r-ffg2), also when a GNU long name stands between it and the file
//! (GHSA-3cv2-h65g-fgmm); it must not count for that long name; global headers count for nothing.
//!
//! Source: Go 1.26 `archive/tar/reader.go`. Deviation: a file of GNU's old sparse format (type
//! `S`) is offered as a file, with its holes; Go's users overlook it or refuse the layer.

mod body;
mod header;
mod pax;
mod source;
mod sparse;
mod walk;

use std::io::{self, Read};

use cleanbill_core::layer::LayerError;

pub(crate) use body::Body;
pub(crate) use header::{BLOCK_SIZE, Block, typeflag};
pub(crate) use source::{SectionSource, Source, StreamSource};
pub(crate) use walk::{WalkError, walk};

use header::{Format, Header};
use pax::{PaxRecords, SparseRecords};
use sparse::{PaxSparse, Ranges, SparseMap};

/// Says whether a block is the header of an entry.
pub(crate) fn is_header(block: &Block) -> bool {
    header::format_of(block).is_some()
}

/// Says why an archive could not be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TarError {
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    #[error("it does not begin as a tar archive does")]
    NoArchive,
    #[error("at byte {offset}: {reason}")]
    Malformed { offset: u64, reason: String },
    #[error("{what} exceeds {limit}")]
    LimitExceeded { what: String, limit: String },
}

impl TarError {
    fn malformed(offset: u64, reason: impl Into<String>) -> Self {
        Self::Malformed {
            offset,
            reason: reason.into(),
        }
    }

    /// Says which file of the user's could not be read as an image.
    pub(crate) fn of_image(self, path: &str) -> LayerError {
        match self {
            Self::NoArchive => LayerError::Malformed {
                what: path.to_owned(),
                reason: format!(
                    "{self}; expected what docker save writes, or an OCI layout in a tar"
                ),
            },
            error => error.of(path),
        }
    }

    /// Says which archive or layer the error belongs to.
    pub(crate) fn of(self, what: &str) -> LayerError {
        let what = what.to_owned();
        match self {
            Self::Read(source) => LayerError::Read { what, source },
            Self::NoArchive | Self::Malformed { .. } => LayerError::Malformed {
                what,
                reason: self.to_string(),
            },
            Self::LimitExceeded { what: part, limit } => LayerError::LimitExceeded {
                what: format!("{part} of {what}"),
                limit,
            },
        }
    }
}

/// Describes one entry. The buffers are the caller's and reused.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The name as stated, not cleaned; any bytes.
    pub(crate) name: Vec<u8>,
    /// The target of a link as stated.
    pub(crate) link: Vec<u8>,
    /// The kind, one of [`typeflag`] or unknown.
    pub(crate) typeflag: u8,
    /// Bytes of content, holes included. What a header-only entry states, counts for nothing.
    pub(crate) size: u64,
    /// The permission bits.
    pub(crate) mode: u32,
    /// Where the content begins in the archive.
    pub(crate) content_offset: u64,
    /// The content in the archive is not the content of the file: it has holes.
    pub(crate) is_sparse: bool,
}

/// Reads an archive entry by entry.
pub(crate) struct TarReader<S> {
    source: S,
    extension_size_max: u64,
    /// Bytes taken from the source.
    offset: u64,
    /// Bytes of the current entry that have not been taken yet.
    remaining: u64,
    /// Bytes that follow the current entry to fill its last block.
    padding: u64,
    sparse: Option<SparseState>,
    header: Header,
}

/// Tells how far a sparse file has been read.
struct SparseState {
    map: SparseMap,
    position: u64,
    range_at: usize,
}

impl<S: Source> TarReader<S> {
    /// Starts at the beginning of an archive. Extended headers may have `extension_size_max`
    /// bytes.
    pub(crate) fn new(source: S, extension_size_max: u64) -> Self {
        Self {
            source,
            extension_size_max,
            offset: 0,
            remaining: 0,
            padding: 0,
            sparse: None,
            header: Header::default(),
        }
    }

    /// Returns the source, which stands behind the last block that was read.
    pub(crate) fn into_source(self) -> S {
        self.source
    }

    /// Gives access to the content of the current entry. What is not read is skipped.
    pub(crate) fn body(&mut self) -> Body<'_, S> {
        Body::new(self)
    }

    /// Goes on to the next entry; `false` at the end of the archive, which is two blocks of zeros
    /// or the end of the source between two entries. A global header counts as an entry.
    pub(crate) fn next_entry(&mut self, entry: &mut Entry) -> Result<bool, TarError> {
        let mut extensions = Extensions::default();
        loop {
            let Some((block, format)) = self.next_header()? else {
                return Ok(false);
            };
            match self.header.typeflag {
                typeflag::PAX => extensions.pax = Some(self.pax_records()?),
                typeflag::PAX_GLOBAL => {
                    let records = self.pax_records()?;
                    self.describe(entry, records.path.as_deref(), None);
                    return Ok(true);
                }
                typeflag::GNU_LONG_NAME => extensions.long_name = self.long_text()?,
                typeflag::GNU_LONG_LINK => extensions.long_link = self.long_text()?,
                _ => {
                    self.finish_entry(entry, extensions, &block, format)?;
                    return Ok(true);
                }
            }
        }
    }

    /// Skips the rest of the current entry and reads the header block that follows.
    fn next_header(&mut self) -> Result<Option<(Block, Format)>, TarError> {
        let rest = std::mem::take(&mut self.remaining);
        if self.skip(rest)? < rest {
            return Err(self.ends_early());
        }
        let padding = std::mem::take(&mut self.padding);
        if self.skip(padding)? < padding {
            return Ok(None);
        }
        self.sparse = None;
        let Some(block) = self.next_block()? else {
            return Ok(None);
        };
        if block == [0; BLOCK_SIZE] {
            return match self.next_block()? {
                None => Ok(None),
                Some(second) if second == [0; BLOCK_SIZE] => Ok(None),
                Some(_) => Err(self.malformed("one block of zeros is followed by another header")),
            };
        }
        let format = self.header.read(&block, self.offset - BLOCK_SIZE as u64)?;
        self.expect_content(self.header.size)?;
        Ok(Some((block, format)))
    }

    /// Applies everything that the extended headers say.
    fn finish_entry(
        &mut self,
        entry: &mut Entry,
        extensions: Extensions,
        block: &Block,
        format: Format,
    ) -> Result<(), TarError> {
        let Extensions {
            pax,
            long_name,
            long_link,
        } = extensions;
        let pax = pax.unwrap_or_default();
        if pax.has_bad_number {
            return Err(self.malformed("a number of the extended header is malformed"));
        }
        let first = |long: Vec<u8>, pax| if long.is_empty() { pax } else { Some(long) };
        let (name, link) = (first(long_name, pax.path), first(long_link, pax.link));
        self.describe(entry, name.as_deref(), link.as_deref());
        if entry.typeflag == typeflag::REGULAR_OLD {
            let is_directory = entry.name.ends_with(b"/");
            entry.typeflag = if is_directory {
                typeflag::DIRECTORY
            } else {
                typeflag::REGULAR
            };
            self.header.typeflag = entry.typeflag;
        }
        let size = pax.size.unwrap_or(self.header.size);
        self.expect_content(size)?;
        entry.size = self.remaining;
        let map = match pax.sparse.format() {
            _ if entry.typeflag == typeflag::GNU_SPARSE => {
                Some(self.old_sparse_map(block, format)?)
            }
            Some(format) => Some(self.pax_sparse_map(entry, &pax.sparse, format, size)?),
            None => None,
        };
        if let Some(map) = map {
            if typeflag::is_header_only(entry.typeflag) {
                return Err(self.malformed("an entry without content is sparse"));
            }
            entry.size = map.size;
            entry.is_sparse = true;
            self.sparse = Some(SparseState {
                map,
                position: 0,
                range_at: 0,
            });
        }
        entry.content_offset = self.offset;
        Ok(())
    }

    fn describe(&self, entry: &mut Entry, name: Option<&[u8]>, link: Option<&[u8]>) {
        name.unwrap_or(&self.header.name)
            .clone_into(&mut entry.name);
        link.unwrap_or(&self.header.link)
            .clone_into(&mut entry.link);
        entry.typeflag = self.header.typeflag;
        entry.size = self.remaining;
        entry.mode = self.header.mode;
        entry.content_offset = self.offset;
        entry.is_sparse = false;
    }

    /// Prepares for content of the stated size, unless the kind has none.
    fn expect_content(&mut self, size: i64) -> Result<(), TarError> {
        let size = if typeflag::is_header_only(self.header.typeflag) {
            0
        } else {
            size
        };
        self.remaining = u64::try_from(size).map_err(|_| self.malformed("the size is negative"))?;
        self.padding = self.remaining.wrapping_neg() % BLOCK_SIZE as u64;
        Ok(())
    }

    fn pax_records(&mut self) -> Result<PaxRecords, TarError> {
        let offset = self.offset;
        let content = self.extension()?;
        PaxRecords::parse(&content)
            .ok_or_else(|| TarError::malformed(offset, "the extended header is malformed"))
    }

    /// Reads the content of a GNU long name or link.
    fn long_text(&mut self) -> Result<Vec<u8>, TarError> {
        let content = self.extension()?;
        Ok(header::c_string(&content).to_vec())
    }

    fn extension(&mut self) -> Result<Vec<u8>, TarError> {
        if self.remaining > self.extension_size_max {
            return Err(TarError::LimitExceeded {
                what: format!("an extended header of {} bytes", self.remaining),
                limit: format!("tar_extension_size_bytes_max = {}", self.extension_size_max),
            });
        }
        let mut content = Vec::new();
        self.body()
            .read_to_end(&mut content)
            .map_err(TarError::Read)?;
        Ok(content)
    }

    fn old_sparse_map(&mut self, block: &Block, format: Format) -> Result<SparseMap, TarError> {
        let malformed = |reader: &Self| reader.malformed("the map of a sparse file is malformed");
        if format != Format::Gnu {
            return Err(malformed(self));
        }
        let size = header::numeric(&block[483..495]).ok_or_else(|| malformed(self))?;
        let mut ranges = Ranges::default();
        let mut is_extended = ranges.take_header(block).ok_or_else(|| malformed(self))?;
        let mut map_size = 0;
        while is_extended {
            map_size += BLOCK_SIZE as u64;
            self.check_map_size(map_size)?;
            let block = self.next_block()?.ok_or_else(|| self.ends_early())?;
            is_extended = ranges
                .take_extension(&block)
                .ok_or_else(|| malformed(self))?;
        }
        SparseMap::new(ranges.0, size).ok_or_else(|| malformed(self))
    }

    fn pax_sparse_map(
        &mut self,
        entry: &mut Entry,
        records: &SparseRecords,
        format: PaxSparse,
        size: i64,
    ) -> Result<SparseMap, TarError> {
        let malformed = |reader: &Self| reader.malformed("the map of a sparse file is malformed");
        if !records.name.is_empty() {
            records.name.clone_into(&mut entry.name);
        }
        let size = match records.stated_size() {
            [] => size,
            text => pax::decimal(text).ok_or_else(|| malformed(self))?,
        };
        let mut ranges = Ranges::default();
        match format {
            PaxSparse::InRecords => ranges.take_records(records),
            PaxSparse::InContent => ranges.take_numbers(&self.numbers_of_content()?),
        }
        .and_then(|()| SparseMap::new(ranges.0, size))
        .ok_or_else(|| malformed(self))
    }

    /// Reads the map that stands in front of the content: a count, then as many pairs, each
    /// number on a line of its own, filled up to a block.
    fn numbers_of_content(&mut self) -> Result<Vec<i64>, TarError> {
        let (mut numbers, mut line, mut map_size) = (Vec::new(), Vec::new(), 0);
        let mut count_due = None;
        while count_due.is_none_or(|due| numbers.len() < due) {
            map_size += BLOCK_SIZE as u64;
            self.check_map_size(map_size)?;
            let mut block = [0; BLOCK_SIZE];
            self.body()
                .read_exact(&mut block)
                .map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => {
                        self.malformed("the map of a sparse file is cut")
                    }
                    _ => TarError::Read(error),
                })?;
            for &byte in &block {
                if count_due.is_some_and(|due| numbers.len() >= due) {
                    break;
                }
                if byte != b'\n' {
                    line.push(byte);
                    continue;
                }
                let number = pax::decimal(&line)
                    .ok_or_else(|| self.malformed("the map of a sparse file holds no number"))?;
                line.clear();
                match count_due {
                    Some(_) => numbers.push(number),
                    None => {
                        let count = usize::try_from(number).ok();
                        let due = count.and_then(|count| count.checked_mul(2));
                        count_due = Some(due.ok_or_else(|| self.malformed("a count is negative"))?);
                    }
                }
            }
        }
        Ok(numbers)
    }

    fn check_map_size(&self, size: u64) -> Result<(), TarError> {
        if size <= self.extension_size_max {
            return Ok(());
        }
        Err(TarError::LimitExceeded {
            what: "the map of a sparse file".to_owned(),
            limit: format!("tar_extension_size_bytes_max = {}", self.extension_size_max),
        })
    }

    /// Reads a block; `None` if the source ends in front of it.
    fn next_block(&mut self) -> Result<Option<Block>, TarError> {
        let mut block = [0; BLOCK_SIZE];
        let mut filled = 0;
        while let Some(space) = block.get_mut(filled..).filter(|space| !space.is_empty()) {
            match self.source.read(space) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(self.ends_early()),
                Ok(count) => {
                    filled += count;
                    self.offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(TarError::Read(error)),
            }
        }
        Ok(Some(block))
    }

    /// Skips bytes; returns how many there were.
    fn skip(&mut self, count: u64) -> Result<u64, TarError> {
        let skipped = self.source.skip(count).map_err(TarError::Read)?;
        self.offset += skipped;
        Ok(skipped)
    }

    fn malformed(&self, reason: &str) -> TarError {
        TarError::malformed(self.offset, reason)
    }

    fn ends_early(&self) -> TarError {
        self.malformed("the archive ends within an entry")
    }
}

/// What the extended headers in front of an entry say.
#[derive(Default)]
struct Extensions {
    /// The records of the last `x` header; an earlier one is forgotten, as in Go.
    pax: Option<PaxRecords>,
    long_name: Vec<u8>,
    long_link: Vec<u8>,
}

#[cfg(test)]
mod tests;
