//! The set of a layer's paths while it is being collected.

use cleanbill_core::inventory::{MarkerSet, PathKind, PathSet};
use sha2::{Digest as _, Sha256};

/// Collects the keys of paths and of the directories above them. A directory's part of the hash
/// is computed once for all neighbours that follow each other.
#[derive(Default)]
pub(super) struct PathCollector {
    /// Keys in the order of the entries; of several with one hash the last counts.
    keys: Vec<u64>,
    /// Up to here the keys are sorted and without duplicates.
    compact_len: usize,
    /// The directory of the last entry.
    directory: String,
    /// The directories on the way there.
    levels: Vec<Level>,
    /// A path may be of both kinds.
    keeps_both_kinds: bool,
}

/// Collects the keys of marked paths and of the directories above them.
pub(super) struct MarkerCollector(PathCollector);

impl Default for MarkerCollector {
    fn default() -> Self {
        Self(PathCollector {
            keeps_both_kinds: true,
            ..PathCollector::default()
        })
    }
}

impl MarkerCollector {
    /// Adds a cleaned path.
    pub(super) fn add(&mut self, path: &str) {
        self.0.add(path, PathKind::NonDirectory);
    }

    /// Returns how many different keys there are at least.
    pub(super) fn len(&self) -> u64 {
        self.0.len()
    }

    /// Returns the set.
    pub(super) fn finish(mut self) -> MarkerSet {
        self.0.compact();
        MarkerSet::from_keys(self.0.keys)
    }
}

/// Holds a directory: where its name ends in the path, and the hash state after it.
struct Level {
    end: usize,
    state: Sha256,
}

/// Below this many new keys it is not worth sorting.
const COMPACT_FROM: usize = 1 << 18;

impl PathCollector {
    /// Adds a cleaned path and the directories above it.
    pub(super) fn add(&mut self, path: &str, kind: PathKind) {
        if path.is_empty() {
            return;
        }
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.change_directory(directory);
        let state = descend(self.levels.last(), name);
        self.push(&state, kind);
    }

    /// Returns how many different paths there are at least.
    pub(super) fn len(&self) -> u64 {
        self.compact_len as u64
    }

    /// Returns the set.
    pub(super) fn finish(mut self) -> PathSet {
        self.compact();
        PathSet::from_keys(self.keys)
    }

    fn change_directory(&mut self, directory: &str) {
        if self.directory == directory {
            return;
        }
        self.leave_until_above(directory);
        let mut start = self.levels.last().map_or(0, |level| level.end + 1);
        while let Some(rest) = directory.get(start..).filter(|rest| !rest.is_empty()) {
            let name = rest.split('/').next().unwrap_or(rest);
            let state = descend(self.levels.last(), name);
            self.push(&state, PathKind::Directory);
            let end = start + name.len();
            self.levels.push(Level { end, state });
            start = end + 1;
        }
        directory.clone_into(&mut self.directory);
    }

    /// Drops the levels that are not on the way to a directory.
    fn leave_until_above(&mut self, directory: &str) {
        while let Some(level) = self.levels.last() {
            let above = self.directory.get(..level.end).unwrap_or_default();
            if cleanbill_core::path::is_at_or_below(directory, above) {
                return;
            }
            self.levels.pop();
        }
    }

    fn push(&mut self, state: &Sha256, kind: PathKind) {
        let hash: [u8; 32] = state.clone().finalize().into();
        self.keys.push(PathSet::key_of_hash(&hash, kind));
        if self.keys.len() - self.compact_len >= COMPACT_FROM.max(self.compact_len) {
            self.compact();
        }
    }

    /// Keeps the last key of each hash, or of each hash and kind. What tells kinds apart is the
    /// lowest bit.
    fn compact(&mut self) {
        if self.keeps_both_kinds {
            self.keys.sort_unstable();
            self.keys.dedup();
        } else {
            self.keys.sort_by_key(|key| key & !1);
            self.keys.reverse();
            self.keys.dedup_by_key(|key| *key & !1);
            self.keys.reverse();
        }
        self.compact_len = self.keys.len();
    }
}

/// Returns the hash state after one more component.
fn descend(directory: Option<&Level>, name: &str) -> Sha256 {
    match directory {
        Some(level) => level.state.clone().chain_update("/").chain_update(name),
        None => Sha256::new().chain_update(name),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn collect(paths: &[(&str, PathKind)]) -> PathSet {
        let mut collector = PathCollector::default();
        for (path, kind) in paths {
            collector.add(path, *kind);
        }
        collector.finish()
    }

    #[test]
    fn parents_are_directories() {
        let set = collect(&[
            ("a/b/c", PathKind::NonDirectory),
            ("ab/c", PathKind::NonDirectory),
            ("a/b/d", PathKind::NonDirectory),
            ("x", PathKind::NonDirectory),
            ("a/y", PathKind::Directory),
        ]);
        for path in ["a", "a/b", "ab", "a/y"] {
            assert_eq!(set.get(path), Some(PathKind::Directory), "{path}");
        }
        for path in ["a/b/c", "ab/c", "a/b/d", "x"] {
            assert_eq!(set.get(path), Some(PathKind::NonDirectory), "{path}");
        }
        assert_eq!(set.len(), 8);
    }

    #[test]
    fn the_later_kind_counts() {
        let set = collect(&[
            ("a/b", PathKind::NonDirectory),
            ("a", PathKind::NonDirectory),
            ("c", PathKind::NonDirectory),
            ("c/d", PathKind::NonDirectory),
        ]);
        assert_eq!(set.get("a"), Some(PathKind::NonDirectory));
        assert_eq!(set.get("c"), Some(PathKind::Directory));
    }

    #[test]
    fn marks_and_what_lies_above_them_are_told_apart() {
        let mut collector = MarkerCollector::default();
        for path in ["a/b", "a/b/c", "d"] {
            collector.add(path);
        }
        let marks = collector.finish();
        let key = |path| PathSet::key(path, PathKind::Directory);
        for (path, is_marked, has_below) in [
            ("a", false, true),
            ("a/b", true, true),
            ("a/b/c", true, false),
            ("d", true, false),
            ("b", false, false),
        ] {
            assert_eq!(marks.has(path), is_marked, "{path}");
            assert_eq!(marks.has_below_key(key(path)), has_below, "{path}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn keys_are_those_of_the_whole_path(
            paths in proptest::collection::vec("[ab]{1,2}(/[ab]{1,2}){0,3}", 1..20),
        ) {
            let mut collector = PathCollector::default();
            for path in &paths {
                collector.add(path, PathKind::Directory);
            }
            let mut expected = Vec::new();
            for path in &paths {
                let above = cleanbill_core::path::ancestors(path);
                for path in above.chain([path.as_str()]) {
                    expected.push(PathSet::key(path, PathKind::Directory));
                }
            }
            prop_assert_eq!(collector.finish(), PathSet::from_keys(expected));
        }
    }
}
