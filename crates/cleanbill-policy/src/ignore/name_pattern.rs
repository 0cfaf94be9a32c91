//! Names of packages with `*` for any run of characters.

use regex::Regex;

/// Matches names of packages: whole, as written, `*` for any run of characters and `?` for one.
#[derive(Clone, Debug)]
pub(crate) struct NamePattern {
    text: String,
    /// `None` for a name without `*` and `?`.
    pattern: Option<Regex>,
}

/// Names that packages have are shorter.
const PATTERN_LENGTH_MAX: usize = 512;

impl NamePattern {
    /// Reads a pattern; `None` if it is empty or unreasonably long.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > PATTERN_LENGTH_MAX {
            return None;
        }
        let has_pattern = text.contains(['*', '?']);
        let pattern = match has_pattern {
            true => {
                let escaped = regex::escape(text);
                let whole = escaped.replace(r"\*", ".*").replace(r"\?", ".");
                Some(Regex::new(&format!("^(?s:{whole})$")).ok()?)
            }
            false => None,
        };
        Some(Self {
            text: text.to_owned(),
            pattern,
        })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.is_match(name),
            None => self.text == name,
        }
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
