//! Paths that the user does not want to be looked at.

use std::collections::HashSet;

use cleanbill_core::glob::{Pattern, PatternError};
use cleanbill_core::path;

/// Holds the patterns of `--skip-dirs` and `--skip-files`.
///
/// Source: spec 03 section 2. They keep extractors away; whiteouts and the set of paths are not
/// touched by them.
#[derive(Clone, Debug, Default)]
pub struct SkipRules {
    directories: Vec<Pattern>,
    files: Vec<Pattern>,
}

impl SkipRules {
    /// Compiles patterns as the user wrote them.
    ///
    /// # Errors
    ///
    /// A pattern is malformed.
    pub fn parse<S: AsRef<str>>(directories: &[S], files: &[S]) -> Result<Self, PatternError> {
        let compile = |patterns: &[S]| {
            patterns
                .iter()
                .map(|pattern| Pattern::parse_skip_path(pattern.as_ref()))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            directories: compile(directories)?,
            files: compile(files)?,
        })
    }

    /// Says whether nothing is skipped.
    pub fn is_empty(&self) -> bool {
        self.directories.is_empty() && self.files.is_empty()
    }

    /// Returns the patterns for directories, then those for files, as they were written: layer
    /// inventories made under other rules must not be taken for these.
    pub fn patterns(&self) -> (Vec<&str>, Vec<&str>) {
        (
            self.directories.iter().map(Pattern::as_str).collect(),
            self.files.iter().map(Pattern::as_str).collect(),
        )
    }
}

/// Applies the rules while a layer passes: only directories that the layer states count, and only
/// for what comes after them.
pub(super) struct SkipState<'a> {
    rules: &'a SkipRules,
    directories: HashSet<String>,
}

impl<'a> SkipState<'a> {
    pub(super) fn new(rules: &'a SkipRules) -> Self {
        Self {
            rules,
            directories: HashSet::new(),
        }
    }

    /// Notes a directory that the layer states.
    pub(super) fn enter(&mut self, path: &str) {
        if self
            .rules
            .directories
            .iter()
            .any(|pattern| pattern.matches(path))
        {
            self.directories.insert(path.to_owned());
        }
    }

    /// Says whether a file is skipped.
    pub(super) fn skips(&self, path: &str) -> bool {
        let is_below_skipped = !self.directories.is_empty()
            && path::ancestors(path).any(|directory| self.directories.contains(directory));
        is_below_skipped || self.rules.files.iter().any(|pattern| pattern.matches(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_count_from_where_they_stand() {
        let rules = SkipRules::parse(&["**/node_modules"], &["etc/*.json"]).unwrap();
        let mut state = SkipState::new(&rules);
        assert!(!state.skips("a/node_modules/b/package.json"));
        state.enter("a/node_modules");
        state.enter("a/c");
        assert!(state.skips("a/node_modules/b/package.json"));
        assert!(!state.skips("a/c/package.json"));
        assert!(state.skips("etc/a.json"));
        assert!(!state.skips("etc/a/b.json"));
    }
}
