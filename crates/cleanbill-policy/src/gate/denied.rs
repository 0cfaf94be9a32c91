//! Packages that must not be in an image, by patterns of their names.

use std::fmt;
use std::str::FromStr;

use cleanbill_core::package::Package;
use cleanbill_core::wildcard::fits;

/// Characters of a pattern.
const PATTERN_SIZE_CHARS_MAX: usize = 500;

/// Names packages that must not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeniedPackage {
    /// Which packages.
    pub pattern: PackagePattern,
    /// Why; may be empty.
    pub reason: String,
    /// The line in the file of rules, counted from 1.
    pub line: u64,
}

/// Matches packages by name, or by package URL where it begins with `pkg:`; either may end with
/// `@VERSION`. `*` stands for any characters and `?` for one, in every part.
///
/// A name without a group or scope matches whatever the group: `log4j-core` is
/// `org.apache.logging.log4j:log4j-core` too. Qualifiers of a package URL do not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagePattern {
    text: String,
    is_purl: bool,
    name: String,
    version: Option<String>,
}

/// Says why a text is no pattern of packages.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PackagePatternError {
    /// Nothing is left to match.
    #[error("a package pattern must not be empty")]
    Empty,
    /// It would match whatever is installed.
    #[error("'{0}' matches every package")]
    Everything(String),
    /// It is longer than any name.
    #[error("a package pattern has at most {PATTERN_SIZE_CHARS_MAX} characters")]
    TooLong,
    /// It begins like a package URL and is none.
    #[error("'{0}' is no package URL: expected pkg:TYPE/NAME, such as pkg:npm/event-stream@3.3.6")]
    PackageUrl(String),
}

impl PackagePattern {
    /// Says whether the pattern means this package.
    pub fn matches(&self, package: &Package) -> bool {
        if self.is_purl {
            return package.identifier.purl.as_ref().is_some_and(|purl| {
                let namespace = match purl.namespace.as_str() {
                    "" => String::new(),
                    namespace => format!("{namespace}/"),
                };
                let name = format!("pkg:{}/{namespace}{}", purl.kind, purl.name);
                fits(&self.name, &name) && self.is_version(&purl.version)
            });
        }
        // With and without epoch and release: as reports print it, and as its makers call it.
        self.is_name(&package.name)
            && (self.is_version(&package.installed_version()) || self.is_version(&package.version))
    }

    fn is_name(&self, name: &str) -> bool {
        let last = || name.rsplit([':', '/']).next().unwrap_or(name);
        fits(&self.name, name) || (!self.name.contains([':', '/']) && fits(&self.name, last()))
    }

    fn is_version(&self, version: &str) -> bool {
        let wanted = self.version.as_ref();
        wanted.is_none_or(|wanted| fits(wanted, version))
    }
}

impl FromStr for PackagePattern {
    type Err = PackagePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.chars().count() > PATTERN_SIZE_CHARS_MAX {
            return Err(PackagePatternError::TooLong);
        }
        let is_purl = text.starts_with("pkg:");
        let bare = text.split(['?', '#']).next().unwrap_or(text);
        let bare = if is_purl { bare } else { text };
        // The first character may be the mark of a scope: `@babel/core`.
        let (name, version) = match bare.rfind('@').filter(|at| *at > 0) {
            Some(at) if !(is_purl && bare.get(at..).is_some_and(|rest| rest.contains('/'))) => {
                let (name, version) = bare.split_at(at);
                (name, Some(version.trim_start_matches('@').to_owned()))
            }
            _ => (bare, None),
        };
        if name.is_empty() || version.as_ref().is_some_and(String::is_empty) {
            return Err(PackagePatternError::Empty);
        }
        let parts = name.strip_prefix("pkg:").map(|rest| rest.split_once('/'));
        if matches!(parts, Some(None | Some(("", _) | (_, "")))) {
            return Err(PackagePatternError::PackageUrl(text.to_owned()));
        }
        let name = name.replace("%40", "@");
        let open = |text: &str| text.chars().all(|c| matches!(c, '*' | '/' | ':' | '?'));
        let is_open = match name.strip_prefix("pkg:") {
            Some(rest) => open(rest),
            None => open(&name),
        };
        if is_open {
            return Err(PackagePatternError::Everything(text.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            is_purl,
            name,
            version,
        })
    }
}

impl fmt::Display for PackagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, purl: &str) -> Package {
        let mut package = Package {
            name: name.to_owned(),
            version: version.to_owned(),
            ..Package::default()
        };
        package.identifier.purl = purl.parse().ok();
        package
    }

    #[track_caller]
    fn check(pattern: &str, package: &Package, expected: bool) {
        let parsed: PackagePattern = pattern.parse().unwrap();
        assert_eq!(parsed.matches(package), expected, "{pattern}");
        assert_eq!(parsed.to_string(), pattern);
    }

    #[test]
    fn names_versions_and_package_urls_match() {
        let log4j = package(
            "org.apache.logging.log4j:log4j-core",
            "2.14.1",
            "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
        );
        for (pattern, expected) in [
            ("log4j-core", true),
            ("log4j*", true),
            ("log4j", false),
            ("org.apache.logging.log4j:*", true),
            ("org.apache:*", false),
            ("log4j-core@2.14.*", true),
            ("log4j-core@2.1?.1", true),
            ("log4j-core@2.17.1", false),
            ("pkg:maven/*/log4j-core", true),
            ("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", true),
            (
                "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
                true,
            ),
            ("pkg:npm/*/log4j-core", false),
        ] {
            check(pattern, &log4j, expected);
        }
        let scoped = package("@babel/core", "7.0.0", "pkg:npm/%40babel/core@7.0.0");
        for (pattern, expected) in [
            ("@babel/core", true),
            ("@babel/core@7.*", true),
            ("@babel/*", true),
            ("core", true),
            ("pkg:npm/%40babel/core", true),
            ("pkg:npm/@babel/core@7.0.0", true),
            ("pkg:npm/@babel/core@8*", false),
        ] {
            check(pattern, &scoped, expected);
        }
        check("pkg:npm/left-pad", &package("left-pad", "1", ""), false);
    }

    #[test]
    fn what_matches_nothing_or_everything_is_refused() {
        let error = |text: &str| text.parse::<PackagePattern>().unwrap_err();
        assert_eq!(error("  "), PackagePatternError::Empty);
        assert_eq!(error("a@"), PackagePatternError::Empty);
        for text in ["*", "**", "*/*", "pkg:*/*", "*@1.0"] {
            assert_eq!(
                error(text),
                PackagePatternError::Everything(text.to_owned())
            );
        }
        for text in ["pkg:", "pkg:npm", "pkg:npm/", "pkg:/a"] {
            assert_eq!(
                error(text),
                PackagePatternError::PackageUrl(text.to_owned())
            );
        }
        assert_eq!(error(&"a".repeat(501)), PackagePatternError::TooLong);
    }
}
