//! A bound on what is written out for the packages of a file.
//!
//! A file may say little and mean much: one id of a million characters that a million packages
//! need, one directory of a million characters that a million files lie in. What a parser writes
//! out more often than the file does has to fit in here.

use cleanbill_core::{Limits, Package};

use crate::extractor::ExtractError;

/// Bytes that a text takes beside its characters.
const TEXT_OVERHEAD: u64 = 32;

/// Counts the memory of texts.
///
/// Once something has not fit, nothing fits any more: so time is bounded too, and what is left out
/// depends on nothing but the order of the file.
#[derive(Debug)]
pub(crate) struct Room {
    left: u64,
    max: u64,
    /// What is counted, and the name of the limit.
    what: &'static str,
    limit: &'static str,
    is_exceeded: bool,
}

impl Room {
    /// Grants half of what the packages of a layer may take to what they need and own: the other
    /// half is for themselves.
    pub(crate) fn new(limits: &Limits) -> Self {
        let max = limits.packages_size_bytes_max / 2;
        Self::granting(
            max,
            "what packages need and own takes",
            "half of packages_size_bytes_max",
        )
    }

    /// Grants what the packages of a layer may take to packages.
    pub(crate) fn of_packages(limits: &Limits) -> Self {
        Self::granting(
            limits.packages_size_bytes_max,
            "the packages take",
            "packages_size_bytes_max",
        )
    }

    /// Grants what a lock file may say about which of its packages need which.
    pub(crate) fn of_graph(limits: &Limits) -> Self {
        Self::granting(
            limits.dependency_graph_size_bytes_max,
            "what packages need takes",
            "dependency_graph_size_bytes_max",
        )
    }

    /// Grants as much to the paths of the files that are read: each is kept, as a later entry of
    /// the layer may replace it.
    pub(crate) fn of_paths(limits: &Limits) -> Self {
        Self::granting(
            limits.packages_size_bytes_max,
            "the paths of the files that were read take",
            "packages_size_bytes_max",
        )
    }

    fn granting(max: u64, what: &'static str, limit: &'static str) -> Self {
        Self {
            left: max,
            max,
            what,
            limit,
            is_exceeded: false,
        }
    }

    /// Takes room for a text of `length` bytes. Says whether there was some.
    #[must_use]
    pub(crate) fn take(&mut self, length: usize) -> bool {
        self.take_bytes((length as u64).saturating_add(TEXT_OVERHEAD))
    }

    /// Takes room for a package with all its texts. Says whether there was some.
    #[must_use]
    pub(crate) fn take_package(&mut self, package: &Package) -> bool {
        self.take_bytes(package.size_bytes())
    }

    fn take_bytes(&mut self, size_bytes: u64) -> bool {
        match self.left.checked_sub(size_bytes) {
            Some(left) if !self.is_exceeded => self.left = left,
            _ => self.is_exceeded = true,
        }
        !self.is_exceeded
    }

    /// Copies texts as long as there is room.
    pub(crate) fn copy<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        texts
            .into_iter()
            .map_while(|text| self.take(text.len()).then(|| text.to_owned()))
            .collect()
    }

    /// Makes texts of two parts, such as the ids of packages by name and version, as long as there
    /// is room.
    pub(crate) fn join<'a>(
        &mut self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        join: impl Fn(&str, &str) -> String,
    ) -> Vec<String> {
        pairs
            .into_iter()
            .map_while(|(first, second)| {
                let length = first.len().saturating_add(second.len());
                self.take(length).then(|| join(first, second))
            })
            .collect()
    }

    /// Says why something was left out.
    ///
    /// # Errors
    ///
    /// Something was.
    pub(crate) fn check(&self) -> Result<(), ExtractError> {
        self.exceeded()
            .map_or(Ok(()), |message| Err(ExtractError::LimitExceeded(message)))
    }

    /// As [`Room::check`], as a text.
    pub(crate) fn exceeded(&self) -> Option<String> {
        let Self {
            max, what, limit, ..
        } = self;
        self.is_exceeded
            .then(|| format!("{what} more than {max} bytes ({limit}): the rest is left out"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(size_bytes: u64) -> Room {
        Room::new(&Limits {
            packages_size_bytes_max: 2 * size_bytes,
            ..Limits::default()
        })
    }

    #[test]
    fn texts_are_written_out_as_long_as_there_is_room() {
        let mut room = room(2 * TEXT_OVERHEAD + 8);
        assert_eq!(room.copy(["abc"]), ["abc"]);
        assert_eq!(room.exceeded(), None);
        let join = |name: &str, version: &str| format!("{name}@{version}");
        assert_eq!(room.join([("a", "1"), ("b", "2")], join), ["a@1"]);
        assert!(room.exceeded().unwrap().contains("packages_size_bytes_max"));
    }

    #[test]
    fn nothing_fits_after_what_did_not() {
        let mut room = room(TEXT_OVERHEAD + 10);
        assert!(!room.take(11));
        assert!(!room.take(1));
        assert!(matches!(room.check(), Err(ExtractError::LimitExceeded(_))));
    }
}
