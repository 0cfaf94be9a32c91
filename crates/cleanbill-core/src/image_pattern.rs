//! Patterns of image names, as people write them in lists of images.

use std::fmt;
use std::str::FromStr;

use crate::reference::ImageReference;

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
        fits(self.familiar.as_bytes(), familiar.as_bytes())
            || fits(self.text.as_bytes(), name.as_bytes())
    }

    /// Says whether only one name fits.
    pub fn is_exact(&self) -> bool {
        !self.text.contains(['*', '?'])
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
    if name.contains(['*', '?']) {
        return without_host();
    }
    name.parse::<ImageReference>()
        .map_or_else(|_| without_host(), |reference| reference.familiar())
}

/// Compares from left to right and goes back to the last `*` only, so the time is bounded by the
/// product of both lengths.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut last_star = None;
    while let Some(&byte) = text.get(seen) {
        match pattern.get(at) {
            Some(b'*') => {
                last_star = Some((at + 1, seen));
                at += 1;
            }
            Some(&wanted) if wanted == byte || wanted == b'?' => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((after_star, from)) = last_star else {
                    return false;
                };
                last_star = Some((after_star, from + 1));
                at = after_star;
                seen = from + 1;
            }
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
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

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

        #[test]
        fn patterns_agree_with_a_simple_matcher(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            fn matches(pattern: &[u8], name: &[u8]) -> bool {
                match (pattern, name) {
                    ([], name) => name.is_empty(),
                    ([b'*', rest @ ..], name) => {
                        (0..=name.len()).any(|at| matches(rest, &name[at..]))
                    }
                    ([b'?', rest @ ..], [_, after @ ..]) => matches(rest, after),
                    ([char, rest @ ..], [first, after @ ..]) => {
                        char == first && matches(rest, after)
                    }
                    (_, []) => false,
                }
            }
            let expected = matches(pattern.as_bytes(), name.as_bytes());
            proptest::prop_assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), expected);
        }
    }
}
