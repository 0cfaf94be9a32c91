//! Image references: `[registry/]repository[:tag][@digest]`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::digest::Digest;

/// The registry that a name without one means.
pub const DEFAULT_REGISTRY: &str = "index.docker.io";
const DEFAULT_TAG: &str = "latest";

/// Names an image in a registry.
///
/// Source: distribution/reference for the grammar, spec 03 section 1.1 for what is a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    /// Host with optional port; [`DEFAULT_REGISTRY`] if the name has none.
    pub registry: String,
    /// The path in the registry, with `library/` where Docker Hub implies it.
    pub repository: String,
    /// The tag as written; `None` if the name has none.
    pub tag: Option<String>,
    /// The digest; it decides when a tag is given too.
    pub digest: Option<Digest>,
}

/// Says why a text names no image.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{text}' is no image reference: {reason}")]
pub struct ReferenceError {
    /// The text, cut to 300 characters.
    pub text: String,
    /// What is wrong.
    pub reason: String,
}

impl FromStr for ImageReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason: String| ReferenceError {
            text: text.chars().take(300).collect(),
            reason,
        };
        let parts = Parts::of(text);
        let digest = parts.digest.map(str::parse::<Digest>).transpose();
        let digest = digest.map_err(|e| error(e.to_string()))?;
        if let Some(tag) = parts.tag {
            check_tag(tag).map_err(error)?;
        }
        let registry = parts.registry.unwrap_or(DEFAULT_REGISTRY);
        check_registry(registry).map_err(error)?;
        let registry = match registry {
            "docker.io" | "registry-1.docker.io" => DEFAULT_REGISTRY,
            other => other,
        };
        let repository = with_library(registry, parts.repository);
        check_repository(&repository).map_err(error)?;
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: parts.tag.map(str::to_owned),
            digest,
        })
    }
}

/// Is what a name consists of, unchecked.
struct Parts<'a> {
    /// `None` if the name has none.
    registry: Option<&'a str>,
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (path, tag) = match name.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (name, None),
        };
        let (registry, repository) = match path.split_once('/') {
            Some((first, rest))
                if first == "localhost" || first.contains('.') || first.contains(':') =>
            {
                (Some(first), rest)
            }
            _ => (None, path),
        };
        Self {
            registry,
            repository,
            tag,
            digest,
        }
    }
}

/// Completes the repository where the default registry implies `library/`.
fn with_library(registry: &str, repository: &str) -> String {
    if registry == DEFAULT_REGISTRY && !repository.contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    }
}

fn check_tag(tag: &str) -> Result<(), String> {
    let is_valid = !tag.is_empty()
        && tag.len() <= 128
        && !tag.starts_with(['.', '-'])
        && tag
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if is_valid {
        Ok(())
    } else {
        Err("a tag has 1 to 128 characters of A-Z a-z 0-9 _ . -, not beginning with . or -".into())
    }
}

fn check_registry(registry: &str) -> Result<(), String> {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') || host.ends_with(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let is_ipv6 = host.starts_with('[') && host.ends_with(']');
    let is_edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    let has_edges = is_edge(host.bytes().next()) && is_edge(host.bytes().last());
    let has_host_bytes = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    let is_host = is_ipv6 || (has_edges && has_host_bytes);
    if is_host && port.is_none_or(|port| port.parse::<u16>().is_ok()) {
        Ok(())
    } else {
        Err(format!("'{registry}' is no registry host"))
    }
}

fn check_repository(repository: &str) -> Result<(), String> {
    if repository.is_empty() || repository.len() > 255 {
        return Err("a repository has 1 to 255 characters".into());
    }
    let is_component = |component: &str| {
        component.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && component.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && component
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b))
    };
    if repository.split('/').all(is_component) {
        return Ok(());
    }
    if repository.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("a repository is written in lower case".into());
    }
    Err(
        "a repository has components of a-z 0-9 . _ - between slashes, beginning and ending with \
         a letter or digit"
            .into(),
    )
}

impl ImageReference {
    /// Reads a name by the rules that decide what reports call an image, and so its fingerprints.
    ///
    /// They are those of another library than the engines': a repository has two characters or more,
    /// and these stand in any order. Source: go-containerregistry 0.21 `pkg/name`.
    pub fn parse_reported(text: &str) -> Option<Self> {
        let Parts {
            registry,
            repository,
            tag,
            digest,
        } = Parts::of(text);
        let of = |text: &str, lengths: RangeInclusive<usize>, others: &[u8], has_upper: bool| {
            let is_one = |b: u8| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || others.contains(&b)
                    || has_upper && b.is_ascii_uppercase()
            };
            lengths.contains(&text.len()) && text.bytes().all(is_one)
        };
        let is_valid = tag.is_none_or(|tag| of(tag, 1..=128, b"_-.", true))
            && of(repository, 2..=255, b"_-./", false)
            && registry.is_none_or(|registry| check_registry(registry).is_ok());
        if !is_valid {
            return None;
        }
        let registry = match registry {
            None | Some("docker.io") => DEFAULT_REGISTRY,
            Some(other) => other,
        };
        Some(Self {
            registry: registry.to_owned(),
            repository: with_library(registry, repository),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::parse).transpose().ok()?,
        })
    }

    /// Returns `registry/repository`.
    pub fn context(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// Returns what names the manifest in the registry: the digest, else the tag, else `latest`.
    pub fn manifest_name(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => DEFAULT_TAG.to_owned(),
        }
    }

    /// Returns the name as people write it: `debian:12`, `ghcr.io/org/app@sha256:…`.
    pub fn familiar(&self) -> String {
        let separator = if self.digest.is_some() { '@' } else { ':' };
        let repository = self.familiar_repository();
        format!("{repository}{separator}{}", self.manifest_name())
    }

    /// Returns the name as people write it, with the tag and the digest that it has: what
    /// [`str::parse`] takes back.
    pub fn familiar_as_stated(&self) -> String {
        let mut name = self.familiar_repository();
        if let Some(tag) = &self.tag {
            name.push(':');
            name.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            name.push('@');
            name.push_str(&digest.to_string());
        }
        name
    }

    /// Returns the repository as people write it: without the default registry and `library/`.
    pub fn familiar_repository(&self) -> String {
        if self.registry == DEFAULT_REGISTRY {
            let repository = &self.repository;
            repository
                .strip_prefix("library/")
                .unwrap_or(repository)
                .to_owned()
        } else {
            self.context()
        }
    }
}

impl fmt::Display for ImageReference {
    /// Prints the full name with what names the manifest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.digest.is_some() { '@' } else { ':' };
        write!(f, "{}{separator}{}", self.context(), self.manifest_name())
    }
}

/// Chooses the reference that an image is known by among its tags and digests.
///
/// Source: spec 03 section 3.
pub fn choose<'a>(
    artifact_name: &str,
    candidates: impl IntoIterator<Item = &'a String>,
) -> Option<&'a str> {
    let parsed: Vec<(&str, ImageReference)> = candidates
        .into_iter()
        .filter_map(|text| Some((text.as_str(), ImageReference::parse_reported(text)?)))
        .collect();
    let first = parsed.first().map(|(text, _)| *text);
    let lower = artifact_name.to_ascii_lowercase();
    if [".tar", ".gz", ".gzip", ".tgz"]
        .iter()
        .any(|ending| lower.ends_with(ending))
    {
        return first;
    }
    let Some(wanted) = ImageReference::parse_reported(artifact_name) else {
        return first;
    };
    parsed
        .iter()
        .find(|(_, reference)| reference.to_string() == wanted.to_string())
        .map(|(text, _)| *text)
        .or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, full: &str) {
        assert_eq!(text.parse::<ImageReference>().unwrap().to_string(), full);
    }

    #[test]
    fn names_are_completed() {
        check("alpine", "index.docker.io/library/alpine:latest");
        check("alpine:3.10", "index.docker.io/library/alpine:3.10");
        check("org/img", "index.docker.io/org/img:latest");
        check("docker.io/alpine", "index.docker.io/library/alpine:latest");
        check("localhost/img", "localhost/img:latest");
        check("localhost:5000/a/b:c", "localhost:5000/a/b:c");
        check("ghcr.io/o/i:t", "ghcr.io/o/i:t");
        let digest = Digest::of(b"");
        check(
            &format!("a:1@{digest}"),
            &format!("index.docker.io/library/a@{digest}"),
        );
    }

    #[test]
    fn wrong_names_are_refused() {
        for text in [
            "",
            ":",
            "a:",
            "A/b",
            "a//b",
            "/a",
            "a@sha256:1",
            "-a",
            "a:.x",
            "x.y:z/a",
            "./x.tar",
            "../x",
        ] {
            assert!(text.parse::<ImageReference>().is_err(), "{text}");
        }
        // What is implied counts.
        assert!("a".repeat(247).parse::<ImageReference>().is_ok());
        assert!("a".repeat(248).parse::<ImageReference>().is_err());
    }

    #[test]
    fn the_reference_that_matches_the_name_is_chosen() {
        let tags = ["aa:1".to_owned(), "bb:2".to_owned()];
        assert_eq!(choose("bb:2", &tags), Some("bb:2"));
        assert_eq!(choose("cc:2", &tags), Some("aa:1"));
        assert_eq!(choose("bb:2.tar", &tags), Some("aa:1"));
        assert_eq!(choose("xx", &[] as &[String]), None);
    }

    #[test]
    fn names_that_reports_do_not_use_are_passed_over() {
        let tags = [
            "b:2",
            "localhost/x:1",
            "127.0.0.1:5000/x:1",
            "Upper:1",
            "a-:1",
        ];
        let tags = tags.map(str::to_owned);
        assert_eq!(choose("b:2", &tags), Some("a-:1"));
        assert_eq!(choose("b:2", tags.get(..4).unwrap_or_default()), None);
    }

    #[test]
    fn reports_use_names_that_engines_refuse() {
        let context = |text: &str| Some(ImageReference::parse_reported(text)?.context());
        for (text, expected) in [
            ("-ab:1", Some("index.docker.io/library/-ab")),
            ("a-:1", Some("index.docker.io/library/a-")),
            ("ab:.x", Some("index.docker.io/library/ab")),
            ("ab..c:1", Some("index.docker.io/library/ab..c")),
            ("a.b/cd:1", Some("a.b/cd")),
            ("docker.io/ab", Some("index.docker.io/library/ab")),
            ("localhost:5000/x/y:3", Some("localhost:5000/x/y")),
            ("a.b/c:1", None),
            ("b", None),
            ("AB:1", None),
            ("ab:", None),
            ("ab:1/2", None),
            ("ab@sha256:1", None),
        ] {
            assert_eq!(context(text).as_deref(), expected, "{text}");
        }
        let (tag, long) = ("t".repeat(129), "x".repeat(256));
        assert_eq!(context(&format!("ab:{tag}")), None);
        assert_eq!(context(&long), None);
    }

    #[test]
    fn a_name_can_be_written_as_it_was_stated() {
        let digest = Digest::of(b"");
        for name in ["a", "a:1", "localhost:5000/a/b:c", "localhost:5000imag"] {
            for text in [name.to_owned(), format!("{name}@{digest}")] {
                let reference: ImageReference = text.parse().unwrap();
                assert_eq!(reference.familiar_as_stated(), text);
                assert_eq!(reference.familiar_as_stated().parse(), Ok(reference));
            }
        }
    }
}
