//! Which extractors care about a path.

use std::collections::HashMap;
use std::sync::LazyLock;

use cleanbill_core::inventory::PathKind;
use cleanbill_core::layer::EntryHeader;
use cleanbill_core::path;

use crate::extractor::{Extractor, LinkRule};
use crate::extractors::EXTRACTORS;

/// Returns the extractors that want a regular file.
pub(crate) fn wanted(path: &str, size_bytes: u64) -> Vec<&'static dyn Extractor> {
    candidates(path)
        .filter(|extractor| extractor.wants(path, size_bytes))
        .collect()
}

/// Returns the extractors that want a regular file, for its path or because it can be executed.
pub(crate) fn wanted_entry(entry: &EntryHeader<'_>) -> Vec<&'static dyn Extractor> {
    let mut extractors = wanted(entry.path, entry.size_bytes);
    if entry.is_executable() {
        for extractor in &INDEX.by_mode {
            if !extractor.wants(entry.path, entry.size_bytes) {
                extractors.push(*extractor);
            }
        }
    }
    extractors
}

/// Says whether a link at this path may lead an extractor elsewhere: an extractor wants the path
/// or something below it.
pub(crate) fn link_matters(path: &str) -> bool {
    at_or_above_place(path) || link_rule_at(path).is_some()
}

/// Says whether the path is a place that an extractor names, or a directory above one.
pub(crate) fn at_or_above_place(path: &str) -> bool {
    INDEX.above.contains_key(path)
}

/// Returns the rule for a link in place of a wanted file: the strictest of the extractors that
/// want the path. `None` where no extractor does, or none follows links.
pub(crate) fn link_rule_at(path: &str) -> Option<LinkRule> {
    // A link has no size of its own; one byte passes every test for emptiness.
    let rules: Vec<LinkRule> = wanted(path, 1)
        .iter()
        .map(|extractor| extractor.link_rule())
        .collect();
    [LinkRule::FollowOrReport, LinkRule::Follow]
        .into_iter()
        .find(|rule| rules.contains(rule))
}

/// Says whether the first reading of a layer gives all that a link asks for: every extractor that
/// follows links and wants the link's path wants what it leads to as well. What another extractor
/// made of that file does not count.
pub(crate) fn is_read_anyway(shown: &str, real: &str, kind: PathKind) -> bool {
    let (shown, real) = match kind {
        PathKind::Directory => (following(&at_place(shown)), following(&at_place(real))),
        PathKind::NonDirectory => (following(&wanted(shown, 1)), following(&wanted(real, 1))),
    };
    !shown.is_empty() && shown.iter().all(|name| real.contains(name))
}

/// Says whether it matters that a link leads nowhere: in place of a file with packages, or of one
/// of the two directories above it. A dangling link further up (`lib`, `usr`, `root`) is usual in
/// small images and hides nothing in particular. `below`: the components of the path that follow
/// the link.
pub(crate) fn reports_dangling(path: &str, below: usize) -> bool {
    let is_file = below == 0 && link_rule_at(path) == Some(LinkRule::FollowOrReport);
    let is_top_level = path.split('/').count() <= below + 1;
    is_file
        || at_place(path)
            .iter()
            .filter(|extractor| extractor.link_rule() == LinkRule::FollowOrReport)
            .flat_map(|extractor| extractor.places())
            .filter(|place| place.trim_end_matches('/') == path)
            // Of a place that is a directory, that directory is one of the two.
            .any(|place| !is_top_level && below <= if place.ends_with('/') { 1 } else { 2 })
}

/// Returns the extractors that name exactly this place.
fn at_place(path: &str) -> Vec<&'static dyn Extractor> {
    let is_place = |place: &&str| place.trim_end_matches('/') == path;
    candidates(path)
        .filter(|extractor| extractor.places().iter().any(is_place))
        .collect()
}

/// Returns the names of those extractors that follow links.
fn following(extractors: &[&'static dyn Extractor]) -> Vec<&'static str> {
    extractors
        .iter()
        .filter(|extractor| extractor.link_rule() != LinkRule::Ignore)
        .map(|extractor| extractor.name())
        .collect()
}

/// Returns the places (directories without their slash) at or below a path, sorted.
pub(crate) fn places_below(path: &str) -> &'static [&'static str] {
    INDEX.above.get(path).map_or(&[], Vec::as_slice)
}

/// Prepares looking up places.
struct Index {
    /// The places at or below each path that has any.
    above: HashMap<&'static str, Vec<&'static str>>,
    /// Extractors that go by file name: their files lie anywhere.
    by_name: Vec<&'static dyn Extractor>,
    /// Extractors that want whatever can be executed.
    by_mode: Vec<&'static dyn Extractor>,
    /// Extractors that name their places, by the first two components of a path.
    by_place: HashMap<&'static str, Vec<&'static dyn Extractor>>,
}

static INDEX: LazyLock<Index> = LazyLock::new(Index::build);

impl Index {
    fn build() -> Self {
        let mut index = Self {
            above: HashMap::new(),
            by_name: Vec::new(),
            by_mode: Vec::new(),
            by_place: HashMap::new(),
        };
        for extractor in EXTRACTORS {
            let places = extractor.places();
            if extractor.wants_executables() {
                index.by_mode.push(*extractor);
            }
            if places.is_empty() {
                index.by_name.push(*extractor);
            }
            for place in places.iter().map(|place| place.trim_end_matches('/')) {
                index.add(place, *extractor);
            }
        }
        for places in index.above.values_mut() {
            places.sort_unstable();
            places.dedup();
        }
        index
    }

    fn add(&mut self, place: &'static str, extractor: &'static dyn Extractor) {
        if extractor.link_rule() != LinkRule::Ignore {
            for path in path::ancestors(place).chain([place]) {
                self.above.entry(path).or_default().push(place);
            }
        }
        let extractors = self.by_place.entry(two_components(place)).or_default();
        let is_known = extractors
            .iter()
            .any(|known| known.name() == extractor.name());
        if !is_known {
            extractors.push(extractor);
        }
    }
}

/// Returns the extractors that may want a path, by its first two components.
fn candidates(path: &str) -> impl Iterator<Item = &'static dyn Extractor> {
    let by_place = INDEX.by_place.get(two_components(path));
    let by_place = by_place.map_or(&[][..], Vec::as_slice);
    INDEX.by_name.iter().chain(by_place).copied()
}

fn two_components(path: &str) -> &str {
    let mut slashes = path.match_indices('/');
    let second = slashes.nth(1).map_or(path.len(), |(at, _)| at);
    path.get(..second).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extractors_are_told_apart_by_name() {
        let mut names: Vec<_> = EXTRACTORS
            .iter()
            .map(|extractor| extractor.name())
            .collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn places_are_wanted_where_they_are_files() {
        for extractor in EXTRACTORS {
            for place in extractor
                .places()
                .iter()
                .filter(|place| !place.ends_with('/'))
            {
                assert!(
                    wanted(place, 1)
                        .iter()
                        .any(|other| other.name() == extractor.name()),
                    "{place}"
                );
            }
        }
    }

    #[test]
    fn links_matter_above_places_and_in_their_stead() {
        for path in [
            "lib",
            "lib/apk/db",
            "lib/apk/db/installed",
            "var",
            "etc/os-release",
        ] {
            assert!(link_matters(path), "{path}");
        }
        for path in [
            "lib64",
            "lib/x",
            "etc/passwd",
            "usr/share/doc/a",
            "usr/share/doc/a/copyright",
        ] {
            assert!(!link_matters(path), "{path}");
        }
        assert_eq!(link_rule_at("etc/os-release"), Some(LinkRule::Follow));
        assert_eq!(
            link_rule_at("var/lib/dpkg/status.d/a"),
            Some(LinkRule::FollowOrReport)
        );
        assert!(places_below("lib/apk").contains(&"lib/apk/db/installed"));
    }
}
