//! Distributions: which one an image is built on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names a family of distributions by the word that reports print (`debian`, `redhat`,
/// `opensuse-leap` …). Unknown words are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Family(pub String);

impl Family {
    /// Wraps a word and maps spellings that older tools wrote to today's.
    pub fn new(word: &str) -> Self {
        let word = match word {
            "opensuse.leap" => "opensuse-leap",
            "opensuse.tumbleweed" => "opensuse-tumbleweed",
            "suse linux enterprise micro" => "slem",
            "suse linux enterprise server" => "sles",
            "amazon linux" => "amazon",
            "debian gnu/linux" => "debian",
            other => other,
        };
        Self(word.to_owned())
    }

    /// Returns the word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The word that reports print where OS packages were found but no distribution.
    pub const UNKNOWN: &'static str = "none";

    /// Says whether packages were found, but nothing that names the distribution.
    pub fn is_unknown(&self) -> bool {
        self.0 == Self::UNKNOWN
    }

    /// Says whether no family is stated.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identifies the distribution that an image is built on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distro {
    /// The family; empty if unknown.
    pub family: Family,
    /// The release as the image states it (`12.5`, `22.04`, `2 (Karoo)`), without `-ESM`.
    pub name: String,
    /// Extended security maintenance is switched on (Ubuntu).
    pub extended: bool,
    /// Who hardened the image (`rapidfort`), else empty.
    pub supplier: String,
}

impl Distro {
    /// Returns the release for matching and for targets: with `-ESM` when extended.
    ///
    /// Source: spec 02 section 1.5.
    pub fn release(&self) -> String {
        if self.extended {
            format!("{}-ESM", self.name)
        } else {
            self.name.clone()
        }
    }
}

/// Names the release of a package repository that an image is configured for (apk only).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryHint {
    /// The family, `alpine`.
    pub family: Family,
    /// The release, `3.18` or `edge`.
    pub release: String,
}
