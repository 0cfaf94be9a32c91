//! Sparse files: files with holes, of which the archive holds the data only.
//!
//! Source: GNU tar manual, "Storing Sparse Files" (old GNU format, PAX 0.0, 0.1, 1.0); Go's
//! `archive/tar` (`readOldGNUSparseMap`, `readGNUSparseMap0x1`, `readGNUSparseMap1x0`).

use super::header::{Block, numeric};
use super::pax::{SparseRecords, decimal};

/// Bytes of a sparse entry in a header or extension block: offset and length of 12 bytes each.
const ENTRY_SIZE: usize = 24;
/// Entries of a map. Every form is bounded by the size of extensions too; this is Go's bound.
const ENTRIES_MAX: usize = 1 << 20;

/// States which ranges of a file the archive holds: in order, apart, within `size`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SparseMap {
    /// Offset and length of each range that has data, without empty ones.
    ranges: Vec<(u64, u64)>,
    /// Bytes of the file with its holes.
    pub(super) size: u64,
}

impl SparseMap {
    /// Checks the ranges that an archive states; `None` if they overlap or leave the file.
    pub(super) fn new(stated: Vec<(i64, i64)>, size: i64) -> Option<Self> {
        let size = u64::try_from(size).ok()?;
        let mut ranges = Vec::with_capacity(stated.len());
        let mut end_before = 0;
        for (offset, length) in stated {
            let (offset, length) = (u64::try_from(offset).ok()?, u64::try_from(length).ok()?);
            let end = offset.checked_add(length)?;
            if end > size || offset < end_before {
                return None;
            }
            end_before = end;
            if length > 0 {
                ranges.push((offset, length));
            }
        }
        Some(Self { ranges, size })
    }

    /// Tells what lies at `position` of the file, and how many bytes of it follow at most. `at`
    /// is the index of the range that the last call came to.
    pub(super) fn fragment(&self, position: u64, at: &mut usize) -> Fragment {
        while let Some(&(offset, length)) = self.ranges.get(*at) {
            if position < offset {
                return Fragment::Hole(offset - position);
            }
            if position < offset + length {
                return Fragment::Data(offset + length - position);
            }
            *at += 1;
        }
        Fragment::Hole(self.size.saturating_sub(position))
    }
}

/// Tells what lies at a place of a sparse file, and how many bytes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fragment {
    Data(u64),
    Hole(u64),
}

/// Collects the ranges that an archive states.
#[derive(Default)]
pub(super) struct Ranges(pub(super) Vec<(i64, i64)>);

impl Ranges {
    fn push(&mut self, offset: i64, length: i64) -> Option<()> {
        if self.0.len() >= ENTRIES_MAX {
            return None;
        }
        self.0.push((offset, length));
        Some(())
    }

    /// Takes the ranges of a header of the old GNU format; says whether extension blocks follow.
    pub(super) fn take_header(&mut self, block: &Block) -> Option<bool> {
        self.take_entries(&block[386..482])?;
        Some(block[482] != 0)
    }

    /// Takes the ranges of an extension block; says whether another follows.
    pub(super) fn take_extension(&mut self, block: &Block) -> Option<bool> {
        self.take_entries(&block[..504])?;
        Some(block[504] != 0)
    }

    fn take_entries(&mut self, bytes: &[u8]) -> Option<()> {
        for entry in bytes.chunks_exact(ENTRY_SIZE) {
            let (offset, length) = entry.split_at_checked(12)?;
            if offset.first() == Some(&0) {
                break;
            }
            self.push(numeric(offset)?, numeric(length)?)?;
        }
        Some(())
    }

    /// Takes the ranges of the records of formats 0.0 and 0.1: numbers between commas.
    pub(super) fn take_records(&mut self, records: &SparseRecords) -> Option<()> {
        let count = usize::try_from(decimal(&records.block_count)?).ok()?;
        let mut numbers = Vec::new();
        if !records.map.is_empty() {
            for text in records.map.split(|&byte| byte == b',') {
                numbers.push(decimal(text)?);
            }
        }
        if numbers.len() != count.checked_mul(2)? {
            return None;
        }
        self.take_numbers(&numbers)
    }

    pub(super) fn take_numbers(&mut self, numbers: &[i64]) -> Option<()> {
        for pair in numbers.chunks_exact(2) {
            if let &[offset, length] = pair {
                self.push(offset, length)?;
            }
        }
        Some(())
    }
}

/// Tells which of the PAX formats the records announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PaxSparse {
    /// 0.0 and 0.1: the map is in the records.
    InRecords,
    /// 1.0: the map stands in front of the data.
    InContent,
}

impl SparseRecords {
    /// Returns the format; `None` for files that are not sparse, and for versions that nobody
    /// knows, whose content is taken as it is.
    pub(super) fn format(&self) -> Option<PaxSparse> {
        match (self.major.as_slice(), self.minor.as_slice()) {
            (b"0", b"0" | b"1") => Some(PaxSparse::InRecords),
            (b"1", b"0") => Some(PaxSparse::InContent),
            (b"", b"") if !self.map.is_empty() => Some(PaxSparse::InRecords),
            _ => None,
        }
    }

    /// Returns the text of the file's size with its holes, empty if not stated.
    pub(super) fn stated_size(&self) -> &[u8] {
        if self.size.is_empty() {
            &self.real_size
        } else {
            &self.size
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_checked() {
        for (ranges, size, is_valid) in [
            (vec![], 0, true),
            (vec![(0, 5), (5, 5)], 10, true),
            (vec![(0, 6), (5, 5)], 10, false),
            (vec![(5, 6)], 10, false),
            (vec![(-1, 2)], 10, false),
            (vec![(0, -1)], 10, false),
            (vec![(i64::MAX, i64::MAX)], i64::MAX, false),
            (vec![(3, 0)], 10, true),
            (vec![], -1, false),
        ] {
            assert_eq!(
                SparseMap::new(ranges.clone(), size).is_some(),
                is_valid,
                "{ranges:?}"
            );
        }
    }

    #[test]
    fn fragments_follow_each_other() {
        let map = SparseMap::new(vec![(2, 3), (7, 0), (8, 2)], 12).unwrap();
        let (mut at, mut position, mut seen) = (0, 0, Vec::new());
        while position < map.size {
            let fragment = map.fragment(position, &mut at);
            let (Fragment::Data(length) | Fragment::Hole(length)) = fragment;
            seen.push(fragment);
            position += length;
        }
        assert_eq!(
            seen,
            [
                Fragment::Hole(2),
                Fragment::Data(3),
                Fragment::Hole(3),
                Fragment::Data(2),
                Fragment::Hole(2)
            ]
        );
    }
}
