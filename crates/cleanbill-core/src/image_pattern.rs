//! Patterns of image names, as people write them in lists of images.

use std::fmt;
use std::str::FromStr;

use crate::reference::ImageReference;
use crate::wildcard;

/// Matches image names: `alpine:3.20` exactly, or with `*` for any run of characters (`/` and `:`
/// too) and `?` for one.
///
/// Both ways to write a name mean the same image: `alpine` and `docker.io/library/alpine:latest`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImagePattern {
    text: String,
    /// The pattern in the familiar form of names.
    familiar: String,
}

/// Says that a text is no pattern of image names.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an image pattern must not be empty")]
pub struct ImagePatternError;

impl ImagePattern {
    /// Says whether a name fits.
    pub fn matches(&self, name: &str) -> bool {
        let familiar = familiar(name);
        wildcard::fits(&self.familiar, &familiar) || wildcard::fits(&self.text, name)
    }

    /// Says whether only one name fits.
    pub fn is_exact(&self) -> bool {
        !wildcard::is_pattern(&self.text)
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for ImagePattern {
    type Err = ImagePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ImagePatternError);
        }
        Ok(Self {
            text: text.to_owned(),
            familiar: familiar(text),
        })
    }
}

impl fmt::Display for ImagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Writes a name in its short form with its tag; what is no name (an id, a pattern) stays.
fn familiar(name: &str) -> String {
    let without_host = || {
        let rest = name.strip_prefix("docker.io/").unwrap_or(name);
        rest.strip_prefix("library/").unwrap_or(rest).to_owned()
    };
    if wildcard::is_pattern(name) {
        return without_host();
    }
    name.parse::<ImageReference>()
        .map_or_else(|_| without_host(), |reference| reference.familiar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: bool) {
        let pattern: ImagePattern = pattern.parse().unwrap();
        assert_eq!(pattern.matches(name), expected, "{pattern} {name}");
    }

    #[test]
    fn names_are_the_same_however_they_are_written() {
        check("alpine:3.20", "alpine:3.20", true);
        check("alpine:3.20", "docker.io/library/alpine:3.20", true);
        check("docker.io/library/alpine:3.20", "alpine:3.20", true);
        check("alpine", "alpine:latest", true);
        check("alpine", "alpine:3.20", false);
        check("alpine:3.20", "alpine:3.200", false);
        check("ghcr.io/a/b:1", "ghcr.io/a/b:1", true);
        check("a/b:1", "ghcr.io/a/b:1", false);
    }

    #[test]
    fn a_star_is_any_run_of_characters() {
        check("ghcr.io/*", "ghcr.io/a/b:1", true);
        check("*:dev", "registry:5000/a/b:dev", true);
        check("*:dev", "registry:5000/a/b:dev2", false);
        check("alpine:*", "docker.io/library/alpine:3.20", true);
        check("docker.io/library/alpine:*", "alpine:3.20", true);
        check("a*b*c:?", "a/x/b/y/c:1", true);
        check("a*b*c:?", "a/x/b/y/c:12", false);
        check("*", "sha256:0123", true);
        check("**x", "x", true);
    }

    #[test]
    fn hostile_patterns_end() {
        let pattern: ImagePattern = "*a".repeat(500).parse().unwrap();
        assert!(!pattern.matches(&"a".repeat(499)));
        assert!("  ".parse::<ImagePattern>().is_err());
    }
}
