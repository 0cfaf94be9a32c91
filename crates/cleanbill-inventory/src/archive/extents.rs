//! Where the entries lie that were read.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use super::ArchiveError;
use super::header::EntryRecord;

/// Knows where entries lie that were read. No two share a byte in an archive that somebody packed:
/// a bomb of a few kilobytes is made of entries that do.
#[derive(Default)]
pub(super) struct Extents {
    /// The end of each by its start, with a hash of what the directory says of it: it takes less
    /// room than a name.
    ends: BTreeMap<u64, (u64, u64)>,
    hasher: RandomState,
}

impl Extents {
    /// Adds an entry. Says whether it is one more: one that the directory just repeats gives nothing
    /// new.
    ///
    /// # Errors
    ///
    /// It shares bytes with another one.
    pub(super) fn add(
        &mut self,
        record: &EntryRecord,
        start: u64,
        end: u64,
    ) -> Result<bool, ArchiveError> {
        let hash = self.hasher.hash_one(record);
        match self
            .ends
            .range(..end.max(start.saturating_add(1)))
            .next_back()
        {
            Some((other, known)) if *other == start && *known == (end, hash) => Ok(false),
            Some((_, (other_end, _))) if *other_end > start => Err(ArchiveError::Overlapping),
            _ => {
                self.ends.insert(start, (end, hash));
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str) -> EntryRecord {
        EntryRecord {
            name: name.to_owned(),
            flags: 0,
            method: 0,
            crc32: 0,
            packed_size_bytes: 0,
            size_bytes: 0,
            offset: 0,
        }
    }

    #[test]
    fn entries_that_share_bytes_are_told_from_repeated_ones() {
        let mut extents = Extents::default();
        let mut check = |name: &str, start, end, expected: Option<bool>| {
            let added = extents.add(&record(name), start, end).ok();
            assert_eq!(added, expected, "{name} {start}..{end}");
        };
        check("b", 100, 200, Some(true));
        check("c", 200, 300, Some(true));
        check("a", 50, 100, Some(true));
        check("b", 100, 200, Some(false));
        for (start, end) in [
            (100, 200),
            (100, 150),
            (150, 160),
            (99, 101),
            (0, 51),
            (0, 900),
        ] {
            check("x", start, end, None);
        }
        check("d", 300, 301, Some(true));
    }
}
