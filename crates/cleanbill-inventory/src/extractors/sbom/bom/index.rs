//! Finding components by what documents call them.

use std::hash::{BuildHasher, Hash, RandomState};

use super::check_count;
use crate::extractors::sbom::error::SbomError;

/// Knows identifiers by their hashes, which take less room than a million names, and what each
/// stands for.
///
/// Two identifiers of one hash would be taken for one. Hashes have 64 bits and a key that is made
/// for each document, so nobody can make such identifiers.
#[derive(Debug)]
pub(in super::super) struct Index<T> {
    entries: Vec<Entry<T>>,
    hasher: RandomState,
    count_max: u64,
}

#[derive(Debug)]
struct Entry<T> {
    hash: u64,
    number: u32,
    value: T,
}

impl<T: Copy> Index<T> {
    pub(in super::super) fn new(count_max: u64) -> Self {
        Self {
            entries: Vec::new(),
            hasher: RandomState::new(),
            count_max,
        }
    }

    /// Returns the hash of an identifier, for [`Index::add_hash`].
    pub(in super::super) fn hash(&self, id: impl Hash) -> u64 {
        self.hasher.hash_one(id)
    }

    /// Adds an identifier. Of several equal ones the last counts.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub(in super::super) fn add(&mut self, id: impl Hash, value: T) -> Result<(), SbomError> {
        self.add_hash(self.hash(id), value)
    }

    /// As [`Index::add`], by the hash of the identifier.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub(in super::super) fn add_hash(&mut self, hash: u64, value: T) -> Result<(), SbomError> {
        check_count(self.entries.len() as u64, self.count_max)?;
        self.entries.push(Entry {
            hash,
            // The limit is far below 2³².
            number: u32::try_from(self.entries.len()).unwrap_or(u32::MAX),
            value,
        });
        Ok(())
    }

    /// Orders the identifiers, once all are added, so that they are found.
    pub(in super::super) fn seal(&mut self) {
        // The last of equal ones comes first, and is the one that stays.
        self.entries
            .sort_unstable_by_key(|entry| (entry.hash, std::cmp::Reverse(entry.number)));
    }

    /// Drops all but the last of equal ones.
    pub(in super::super) fn unique(&mut self) {
        self.seal();
        self.entries.dedup_by_key(|entry| entry.hash);
    }

    /// Returns what an identifier stands for.
    pub(in super::super) fn get(&self, id: impl Hash) -> Option<T> {
        self.entries.get(self.place(id)?).map(|entry| entry.value)
    }

    /// Returns what an identifier stands for, to be changed.
    pub(in super::super) fn get_mut(&mut self, id: impl Hash) -> Option<&mut T> {
        let place = self.place(id)?;
        self.entries.get_mut(place).map(|entry| &mut entry.value)
    }

    /// Iterates over what the identifiers stand for.
    pub(in super::super) fn values(&self) -> impl Iterator<Item = T> + '_ {
        self.entries.iter().map(|entry| entry.value)
    }

    /// Says whether an identifier was added exactly once.
    pub(in super::super) fn is_single(&self, id: impl Hash) -> bool {
        let Some(place) = self.place(id) else {
            return false;
        };
        let hash_at = |place: usize| self.entries.get(place).map(|entry| entry.hash);
        hash_at(place) != hash_at(place + 1)
    }

    fn place(&self, id: impl Hash) -> Option<usize> {
        let hash = self.hasher.hash_one(id);
        let place = self.entries.partition_point(|entry| entry.hash < hash);
        (self.entries.get(place)?.hash == hash).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_found_and_the_last_counts() {
        let mut index = Index::new(4);
        for (id, value) in [("a", 1), ("b", 2), ("a", 3)] {
            index.add(id, value).unwrap();
        }
        index.seal();
        assert_eq!(
            ["a", "b", "c"].map(|id| index.get(id)),
            [Some(3), Some(2), None]
        );
        assert_eq!(
            ["a", "b", "c"].map(|id| index.is_single(id)),
            [false, true, false]
        );
        index.unique();
        assert!(index.is_single("a"));
        if let Some(value) = index.get_mut("b") {
            *value = 7;
        }
        assert_eq!(index.get("b"), Some(7));
        index.add("d", 4).unwrap();
        index.add("e", 5).unwrap();
        assert!(matches!(
            index.add("f", 6),
            Err(SbomError::TooManyElements { max: 4 })
        ));
    }
}
