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
    /// Keys and values, unescaped; sorted by key where the URL was read from text.
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
    /// Returns about how many bytes its texts take.
    pub(crate) fn size_bytes(&self) -> usize {
        let parts = [&self.kind, &self.namespace, &self.name];
        let parts = parts.into_iter().chain([&self.version, &self.subpath]);
        let qualifiers = self.qualifiers.iter();
        let qualifiers = qualifiers.map(|pair| pair.0.len() + pair.1.len() + size_of_val(pair));
        parts.map(String::len).sum::<usize>() + qualifiers.sum::<usize>()
    }

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
        let mut qualifiers: Vec<_> = self
            .qualifiers
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        qualifiers.sort();
        for (index, (key, value)) in qualifiers.into_iter().enumerate() {
            f.write_char(if index == 0 { '?' } else { '&' })?;
            escape(f, key, QUALIFIER)?;
            f.write_char('=')?;
            escape(f, value, QUALIFIER)?;
        }
        for (index, component) in self
            .subpath
            .split('/')
            .filter(|part| !part.is_empty())
            .enumerate()
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

/// Parses and normalises: the type decides which parts are put into lower case.
///
/// Source: packageurl-go 0.1.6 `FromString` and `Normalize`, which is more lenient than the
/// specification (`pkg://`, qualifiers without a value) and stricter (`swift` without a namespace).
impl FromStr for PackageUrl {
    type Err = PackageUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = parse(text).and_then(|mut purl| {
            purl.normalize();
            purl.check_rules_of_type().map(|()| purl)
        });
        parsed.map_err(|reason| PackageUrlError::new(text, reason))
    }
}

impl PackageUrl {
    /// Reads what a report of ours printed: nothing is normalised, so that the same is printed
    /// again.
    ///
    /// # Errors
    ///
    /// The text is no package URL.
    pub fn from_printed(text: &str) -> Result<Self, PackageUrlError> {
        parse(text).map_err(|reason| PackageUrlError::new(text, reason))
    }
}

impl PackageUrlError {
    fn new(text: &str, reason: &'static str) -> Self {
        Self {
            text: text.chars().take(300).collect(),
            reason,
        }
    }
}

const MALFORMED_ESCAPE: &str = "an escape is malformed";
const NO_NAME: &str = "it has no name";

fn parse(text: &str) -> Result<PackageUrl, &'static str> {
    let (scheme, rest) = text.split_at_checked(4).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("pkg:") {
        return Err("it does not begin with pkg:");
    }
    let rest = rest.trim_start_matches('/');
    let (rest, subpath) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, path) = rest.split_once('/').ok_or(NO_NAME)?;
    let kind = kind.to_ascii_lowercase();
    if !is_word(&kind, b".+-") {
        return Err("its type is not made of letters, digits, '.', '+' and '-'");
    }
    // Only npm names may begin with an '@' that is not escaped.
    if kind != "npm" && path.starts_with('@') {
        return Err(NO_NAME);
    }
    let (path, version) = match path.rfind('@') {
        Some(at) if at > 0 => (&path[..at], &path[at + 1..]),
        _ => (path, ""),
    };
    let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
    let segments = namespace.split('/').filter(|segment| !segment.is_empty());
    let namespace: Option<Vec<String>> = segments.map(unescape).collect();
    let name = unescape(name).ok_or(MALFORMED_ESCAPE)?;
    if name.is_empty() {
        return Err(NO_NAME);
    }
    if subpath
        .split('/')
        .skip(1)
        .any(|segment| matches!(segment, "." | ".."))
    {
        return Err("its subpath is not clean");
    }
    Ok(PackageUrl {
        namespace: namespace.ok_or(MALFORMED_ESCAPE)?.join("/"),
        name,
        version: unescape(version).ok_or(MALFORMED_ESCAPE)?,
        qualifiers: parse_qualifiers(qualifiers)?,
        subpath: subpath.trim_matches('/').to_owned(),
        kind,
    })
}

fn parse_qualifiers(text: &str) -> Result<Vec<(String, String)>, &'static str> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = key.to_ascii_lowercase();
        if pair.contains(';') || !is_word(&key, b".-_") {
            return Err("the key of a qualifier is malformed");
        }
        let value = unescape(value).ok_or(MALFORMED_ESCAPE)?;
        if !value.is_empty() {
            pairs.push((key, value));
        }
    }
    pairs.shrink_to_fit();
    pairs.sort();
    if pairs
        .windows(2)
        .any(|pair| matches!(pair, [(a, _), (b, _)] if a == b))
    {
        return Err("a qualifier occurs twice");
    }
    Ok(pairs)
}

/// Says whether a text is made of letters, digits (not first) and the characters given.
fn is_word(text: &str, others: &[u8]) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

impl PackageUrl {
    fn normalize(&mut self) {
        match self.kind.as_str() {
            "alpm" | "apk" | "bitbucket" | "composer" | "deb" | "github" | "golang" => {
                self.namespace = self.namespace.to_lowercase();
                self.name = self.name.to_lowercase();
            }
            "rpm" | "qpkg" => self.namespace = self.namespace.to_lowercase(),
            "bitnami" | "chrome-extension" => self.name = self.name.to_lowercase(),
            "pypi" => self.name = self.name.replace('_', "-").to_lowercase(),
            _ => {}
        }
    }

    fn check_rules_of_type(&self) -> Result<(), &'static str> {
        let has_namespace = !self.namespace.is_empty();
        match self.kind.as_str() {
            "swift" | "vscode-extension" | "cpan" if !has_namespace => {
                Err("its type demands a namespace")
            }
            "julia" | "otp" | "chrome-extension" if has_namespace => {
                Err("its type has no namespaces")
            }
            "julia" if self.qualifier("uuid").is_none() => Err("it has no qualifier uuid"),
            "cpan" if self.namespace.to_uppercase() != self.namespace => {
                Err("its namespace is not in upper case")
            }
            "cpan" if self.name.contains("::") => Err("its name is a module, no distribution"),
            _ => Ok(()),
        }
    }
}

/// Decodes percent escapes; `None` if one is malformed or what results is no text.
pub fn unescape(text: &str) -> Option<String> {
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
    fn what_is_read_is_normalised() {
        for (text, expected) in [
            (
                "PKG://DEB/Debian/Curl@1%2B2?Arch=amd64&distro=",
                "pkg:deb/debian/curl@1%2B2?arch=amd64",
            ),
            ("pkg:pypi/My_Package@1", "pkg:pypi/my-package@1"),
            (
                "pkg:golang/GitHub.com/A/B@v1",
                "pkg:golang/github.com/a/b@v1",
            ),
            ("pkg:npm/@Babel/Core@7", "pkg:npm/%40Babel/Core@7"),
            ("pkg:maven/Org.X/Y@1?b&a=1", "pkg:maven/Org.X/Y@1?a=1"),
            ("pkg:rpm/RedHat/Bash@1", "pkg:rpm/redhat/Bash@1"),
        ] {
            assert_eq!(
                text.parse::<PackageUrl>().unwrap().to_string(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_was_printed_is_kept_as_it_is() {
        for text in [
            "pkg:pypi/My_Package@1",
            "pkg:rpm/RedHat/Bash@1",
            "pkg:swift/a@1",
        ] {
            let purl = PackageUrl::from_printed(text).unwrap();
            assert_eq!(purl.to_string(), text);
        }
        assert!(PackageUrl::from_printed("pkg:npm/").is_err());
    }

    #[test]
    fn malformed_urls_are_refused() {
        for text in [
            "",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "npm/a",
            "pkg:n_m/a",
            "pkg:npm/%4",
            "pkg:npm/a?b;c=d",
            "pkg:npm/a?1=b",
            "pkg:npm/a?b=c&B=d",
            "pkg:generic/@a",
            "pkg:swift/a",
            "pkg:julia/a",
            "pkg:npm/a/",
            "pkg:npm/a#b/../c",
        ] {
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
