//! Names of packages with `*` for any run of characters.

use cleanbill_core::wildcard;

/// Matches names of packages: whole, as written, `*` for any run of characters and `?` for one.
#[derive(Clone, Debug)]
pub(crate) struct NamePattern(String);

/// Names that packages have are shorter.
const PATTERN_LENGTH_MAX: usize = 512;

impl NamePattern {
    /// Reads a pattern; `None` if it is empty or unreasonably long.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_sound = !text.is_empty() && text.len() <= PATTERN_LENGTH_MAX;
        is_sound.then(|| Self(text.to_owned()))
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        wildcard::fits(&self.0, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_and_everything_else_is_itself() {
        let check = |pattern: &str, name: &str, expected: bool| {
            let matches = NamePattern::parse(pattern).unwrap().matches(name);
            assert_eq!(matches, expected, "{pattern} {name}");
        };
        check("openssl", "openssl", true);
        check("openssl", "openssl-libs", false);
        check("openssl*", "openssl-libs", true);
        check("lib?", "libc", true);
        check("lib?", "lib", false);
        check("a.b", "axb", false);
        check("a.b*", "axb", false);
        check("@scope/*", "@scope/name", true);
        check("*", "", true);
        check("c++*", "c++abi", true);
        assert!(NamePattern::parse("").is_none());
        assert!(NamePattern::parse(&"*".repeat(513)).is_none());
        assert!(!NamePattern::parse(&"*a".repeat(250)).unwrap().matches("b"));
    }
}
