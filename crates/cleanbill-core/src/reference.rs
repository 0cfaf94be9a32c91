//! Image references: `[registry/]repository[:tag][@digest]`.

use std::fmt;
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
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (
                name,
                Some(digest.parse::<Digest>().map_err(|e| error(e.to_string()))?),
            ),
            None => (text, None),
        };
        let (path, tag) = match name.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (name, None),
        };
        if let Some(tag) = tag {
            check_tag(tag).map_err(error)?;
        }
        let (registry, repository) = match path.split_once('/') {
            Some((first, rest))
                if first == "localhost" || first.contains('.') || first.contains(':') =>
            {
                (first, rest)
            }
            _ => (DEFAULT_REGISTRY, path),
        };
        check_registry(registry).map_err(error)?;
        let registry = match registry {
            "docker.io" | "registry-1.docker.io" => DEFAULT_REGISTRY,
            other => other,
        };
        let repository = if registry == DEFAULT_REGISTRY && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.to_owned()
        };
        check_repository(&repository).map_err(error)?;
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest,
        })
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
        .filter_map(|text| Some((text.as_str(), text.parse().ok()?)))
        .collect();
    let first = parsed.first().map(|(text, _)| *text);
    let lower = artifact_name.to_ascii_lowercase();
    if [".tar", ".gz", ".gzip", ".tgz"]
        .iter()
        .any(|ending| lower.ends_with(ending))
    {
        return first;
    }
    let Ok(wanted) = artifact_name.parse::<ImageReference>() else {
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
        let tags = ["a:1".to_owned(), "b:2".to_owned()];
        assert_eq!(choose("b:2", &tags), Some("b:2"));
        assert_eq!(choose("c:2", &tags), Some("a:1"));
        assert_eq!(choose("b:2.tar", &tags), Some("a:1"));
        assert_eq!(choose("x", &[] as &[String]), None);
    }
}
