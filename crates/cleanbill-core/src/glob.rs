//! Path patterns as users write them for `--skip-dirs`, `--skip-files` and in ignore files:
//! doublestar patterns.
//!
//! | Pattern | Matches |
//! |---|---|
//! | `*` | any characters but `/` |
//! | `**` as a whole component | any number of components, none included |
//! | `?` | one character but `/` |
//! | `[a-z]`, `[^a-z]`, `[!a-z]` | one character of the class, or outside of it |
//! | `{a,b}` | one of the alternatives, which may hold patterns |
//! | `\c` | the character itself |
//!
//! Source: the Go package `bmatcuk/doublestar` v4 (`match.go`, `validate.go`), which Trivy uses;
//! its corner cases are followed too, because a pattern that skips one file more hides findings.
//! The one deviation: a pattern that is malformed is refused when it is read, where the reference
//! fails, or not, depending on the path that it meets.
//!
//! Matching takes at most path length × pattern length steps per `**` or `*` that is open, and
//! the number of alternatives is bounded when a pattern is read, so that no path, however long,
//! makes it explode.

mod expand;
mod walk;

#[cfg(test)]
mod tests;

/// Characters of a pattern; a path has at most 4,096 bytes on Linux.
const PATTERN_SIZE_CHARS_MAX: usize = 4_096;

/// Patterns that `{…}` may expand to: ten groups of two.
const ALTERNATIVES_MAX: usize = 1_024;

/// Matches paths inside an image (relative, cleaned) against one doublestar pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    alternatives: Vec<expand::Alternative>,
}

/// Says why a text is no pattern.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PatternError {
    /// A class or a group is not closed, closed twice, or an escape has nothing to escape.
    #[error("'{0}' is not a valid pattern: unbalanced '[', '{{' or '\\'")]
    Malformed(String),
    /// The text is longer than any path.
    #[error("the pattern has {size} characters, more than the {PATTERN_SIZE_CHARS_MAX} allowed")]
    TooLong {
        /// Characters of the pattern.
        size: usize,
    },
    /// The groups multiply to more patterns than can be tried for every file.
    #[error("'{0}' expands to more than {ALTERNATIVES_MAX} alternatives")]
    TooManyAlternatives(String),
}

impl Pattern {
    /// Reads a pattern as it stands.
    ///
    /// # Errors
    /// When the pattern is malformed or exceeds one of the bounds above.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let size = text.chars().count();
        if size > PATTERN_SIZE_CHARS_MAX {
            return Err(PatternError::TooLong { size });
        }
        let chars: Vec<char> = text.chars().collect();
        if !expand::is_valid(&chars) {
            return Err(PatternError::Malformed(text.to_owned()));
        }
        let alternatives = expand::expand(chars).map_err(|error| match error {
            expand::ExpandError::Malformed => PatternError::Malformed(text.to_owned()),
            expand::ExpandError::TooMany => PatternError::TooManyAlternatives(text.to_owned()),
        })?;
        Ok(Self {
            text: text.to_owned(),
            alternatives,
        })
    }

    /// Reads the value of `--skip-dirs` or `--skip-files`: cleans it like a path and drops the
    /// leading slash, so that `/usr/lib/` means `usr/lib`. A relative value that climbs above its
    /// start (`../x`) keeps its `..` and so matches nothing inside an image.
    ///
    /// Source: Trivy `pkg/fanal/utils/utils.go` (`CleanSkipPaths`).
    ///
    /// # Errors
    /// As for [`Pattern::parse`].
    pub fn parse_skip_path(text: &str) -> Result<Self, PatternError> {
        Self::parse(crate::path::clean_lexical(text).trim_start_matches('/'))
    }

    /// Says whether the whole path matches. The path is relative and cleaned; a leading slash
    /// counts as a character like any other.
    pub fn matches(&self, path: &str) -> bool {
        self.alternatives
            .iter()
            .any(|alternative| walk::matches(alternative, path))
    }

    /// Returns the pattern as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}
