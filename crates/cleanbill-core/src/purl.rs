//! Package URLs.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Identifies a package across tools.
///
/// Source: the package-url specification, and for the escaping packageurl-go as Trivy uses it
/// (spec 03 section 6.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PackageUrl {
    /// `apk`, `deb`, `npm` …
    pub kind: String,
    /// The namespace, unescaped, components separated by `/`; or empty.
    pub namespace: String,
    /// The name, unescaped.
    pub name: String,
    /// The version, unescaped; or empty.
    pub version: String,
    /// Keys and values, unescaped, in the order in which they were given.
    pub qualifiers: Vec<(String, String)>,
    /// The path inside the package, or empty.
    pub subpath: String,
}

/// Says why a text is no package URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{text}' is no package URL: {reason}")]
pub struct PackageUrlError {
    /// The text, cut to 300 characters.
    pub text: String,
    /// What is wrong.
    pub reason: &'static str,
}

impl PackageUrl {
    /// Returns the value of a qualifier.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Says whether a package with this URL is one that `pattern` names: type, namespace and name
    /// are equal, version and subpath if the pattern has them, and each of its qualifiers.
    ///
    /// Source: spec 03 sections 8 and 9.
    pub fn is_covered_by(&self, pattern: &PackageUrl) -> bool {
        self.kind == pattern.kind
            && self.namespace == pattern.namespace
            && self.name == pattern.name
            && (pattern.version.is_empty() || self.version == pattern.version)
            && (pattern.subpath.is_empty() || self.subpath == pattern.subpath)
            && pattern
                .qualifiers
                .iter()
                .all(|(key, value)| self.qualifier(key) == Some(value.as_str()))
    }
}

impl fmt::Display for PackageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PATH: &[u8] = b"-._~!$&'()*,;=:";
        const QUALIFIER: &[u8] = b"-._~:";
        write!(f, "pkg:{}/", self.kind)?;
        for component in self.namespace.split('/').filter(|part| !part.is_empty()) {
            escape(f, component, PATH)?;
            f.write_char('/')?;
        }
        escape(f, &self.name, PATH)?;
        if !self.version.is_empty() {
            f.write_char('@')?;
            escape(f, &self.version, PATH)?;
        }
        let mut qualifiers: Vec<_> =
            self.qualifiers.iter().filter(|(_, value)| !value.is_empty()).collect();
        qualifiers.sort();
        for (index, (key, value)) in qualifiers.into_iter().enumerate() {
            f.write_char(if index == 0 { '?' } else { '&' })?;
            escape(f, key, QUALIFIER)?;
            f.write_char('=')?;
            escape(f, value, QUALIFIER)?;
        }
        for (index, component) in
            self.subpath.split('/').filter(|part| !part.is_empty()).enumerate()
        {
            f.write_char(if index == 0 { '#' } else { '/' })?;
            escape(f, component, PATH)?;
        }
        Ok(())
    }
}

fn escape(f: &mut fmt::Formatter<'_>, text: &str, kept: &[u8]) -> fmt::Result {
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            f.write_char(char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

impl FromStr for PackageUrl {
    type Err = PackageUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason| PackageUrlError {
            text: text.chars().take(300).collect(),
            reason,
        };
        let rest = text.strip_prefix("pkg:").ok_or_else(|| error("it does not begin with pkg:"))?;
        let (rest, subpath) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.trim_matches('/');
        let (kind, rest) = rest.split_once('/').ok_or_else(|| error("it has no name"))?;
        let is_kind = kind.starts_with(|c: char| c.is_ascii_alphabetic())
            && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-".contains(&b));
        if !is_kind {
            return Err(error("its type is not made of letters, digits, '.', '+' and '-'"));
        }
        let slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (path, version) = match rest.rfind('@') {
            Some(at) if at > slash => (&rest[..at], &rest[at + 1..]),
            _ => (rest, ""),
        };
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        let unescape = |text: &str| unescape(text).ok_or_else(|| error("an escape is malformed"));
        let components = |text: &str| -> Result<String, PackageUrlError> {
            let parts: Result<Vec<String>, _> =
                text.split('/').filter(|part| !part.is_empty()).map(unescape).collect();
            Ok(parts?.join("/"))
        };
        let name = unescape(name)?;
        if name.is_empty() {
            return Err(error("it has no name"));
        }
        let mut pairs = Vec::new();
        for pair in qualifiers.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| error("a qualifier has no value"))?;
            pairs.push((key.to_ascii_lowercase(), unescape(value)?));
        }
        Ok(Self {
            kind: kind.to_ascii_lowercase(),
            namespace: components(namespace)?,
            name,
            version: unescape(version)?,
            qualifiers: pairs,
            subpath: components(subpath)?,
        })
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let (digits, tail) = tail.split_at_checked(2)?;
            let mut byte = [0];
            hex::decode_to_slice(digits, &mut byte).ok()?;
            bytes.extend(byte);
            rest = tail;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prints_what_the_specification_shows() {
        for text in [
            "pkg:apk/alpine/libcrypto1.1@1.1.1c-r0?arch=x86_64&distro=3.10.2",
            "pkg:rpm/amazon/bind@9.11.4-26.P2?arch=x86_64&distro=amazon-2%20%28Karoo%29&epoch=32",
            "pkg:npm/%40angular/core@13.0.0",
            "pkg:golang/github.com/go-sql-driver/mysql@v1.5.0",
            "pkg:deb/debian/g%2B%2B@1%2B2",
            "pkg:cocoapods/A@1#B/C",
        ] {
            assert_eq!(text.parse::<PackageUrl>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn malformed_urls_are_refused() {
        for text in ["", "pkg:", "pkg:npm", "pkg:npm/", "npm/a", "pkg:n_m/a", "pkg:npm/%4", "pkg:npm/a?b"] {
            assert!(text.parse::<PackageUrl>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_inverts_printing(
            name in "[ -~é]{1,12}", version in "[ -~]{0,8}", value in "[ -~]{1,8}",
        ) {
            prop_assume!(!name.contains('/'));
            let purl = PackageUrl {
                kind: "generic".to_owned(),
                namespace: "a/b".to_owned(),
                name,
                version,
                qualifiers: vec![("k".to_owned(), value)],
                subpath: String::new(),
            };
            prop_assert_eq!(purl.to_string().parse::<PackageUrl>().unwrap(), purl);
        }
    }
}
