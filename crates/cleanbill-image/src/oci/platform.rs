//! Platforms, and the choice among the manifests of an index.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::{Descriptor, Index, or_default};
use crate::ImageError;

/// Says where an image runs.
///
/// Source: OCI image-spec 1.1, image-index.md, "platform"; names are those of Go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// The operating system, `linux`.
    #[serde(deserialize_with = "or_default")]
    pub os: String,
    /// The architecture, `amd64`.
    #[serde(deserialize_with = "or_default")]
    pub architecture: String,
    /// The variant of the architecture, `v8`; empty if not stated.
    #[serde(deserialize_with = "or_default")]
    pub variant: String,
    /// The version of the operating system (Windows); empty if not stated.
    #[serde(rename = "os.version", deserialize_with = "or_default")]
    pub os_version: String,
}

/// Says why a text names no platform.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{text}' is no platform: expected os/architecture[/variant], such as linux/arm64/v8")]
pub struct PlatformError {
    /// The text, cut to 100 characters.
    pub text: String,
}

impl Platform {
    /// Returns the platform of containers on this host: Linux on the architecture that this
    /// program was built for.
    pub fn host() -> Self {
        Self {
            os: "linux".to_owned(),
            architecture: go_architecture(std::env::consts::ARCH).to_owned(),
            ..Self::default()
        }
    }

    /// Says whether an image for `offered` is what was asked for. What is not asked for may be
    /// anything; an OS `*` matches every OS.
    ///
    /// Source: go-containerregistry `pkg/v1/remote` (parts that are empty match), containerd
    /// `platforms` (arm64 means arm64/v8, arm means arm/v7).
    pub fn accepts(&self, offered: &Platform) -> bool {
        let os_fits = self.os == "*" || self.os == offered.os;
        let variant_fits =
            self.variant.is_empty() || self.normal_variant() == offered.normal_variant();
        let version_fits = self.os_version.is_empty() || self.os_version == offered.os_version;
        os_fits
            && go_architecture(&self.architecture) == go_architecture(&offered.architecture)
            && variant_fits
            && version_fits
    }

    fn normal_variant(&self) -> &str {
        match (go_architecture(&self.architecture), self.variant.as_str()) {
            ("arm64", "" | "8") => "v8",
            ("arm", "" | "7") => "v7",
            ("amd64", "") => "v1",
            (_, variant) => variant,
        }
    }
}

/// Translates the kernel's and Rust's names of architectures into Go's.
fn go_architecture(name: &str) -> &str {
    match name {
        "x86_64" | "x86-64" => "amd64",
        "aarch64" => "arm64",
        "x86" | "i386" => "386",
        "powerpc64le" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PlatformError {
            text: text.chars().take(100).collect(),
        };
        let mut parts = text.split('/');
        let (Some(os), Some(architecture)) = (parts.next(), parts.next()) else {
            return Err(error());
        };
        let variant = parts.next();
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        let is_valid = (os == "*" || is_word(os))
            && is_word(architecture)
            && variant.is_none_or(is_word)
            && parts.next().is_none();
        if !is_valid {
            return Err(error());
        }
        Ok(Self {
            os: os.to_owned(),
            architecture: go_architecture(architecture).to_owned(),
            variant: variant.unwrap_or_default().to_owned(),
            os_version: String::new(),
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

/// Chooses the entry of an index: the first for the platform, or the first image at all if none
/// is asked for. Attestations are passed over; an entry without a platform counts as linux/amd64,
/// as go-containerregistry has it.
///
/// # Errors
///
/// Nothing fits; the error lists what there is.
pub fn select_manifest<'a>(
    index: &'a Index,
    platform: Option<&Platform>,
    place: &str,
) -> Result<&'a Descriptor, ImageError> {
    let images = || {
        index
            .manifests
            .iter()
            .filter(|entry| !entry.is_attestation())
    };
    let chosen = match platform {
        Some(wanted) => images().find(|entry| wanted.accepts(&platform_of(entry))),
        None => images().next(),
    };
    chosen.ok_or_else(|| {
        let offered: Vec<String> = images()
            .take(20)
            .map(|entry| platform_of(entry).to_string())
            .collect();
        let what = match platform {
            Some(wanted) => format!("platform {wanted} (there are: {})", offered.join(", ")),
            None => "an image manifest".to_owned(),
        };
        ImageError::NotFound {
            what,
            place: place.to_owned(),
        }
    })
}

fn platform_of(entry: &Descriptor) -> Platform {
    entry.platform.clone().unwrap_or_else(|| Platform {
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        ..Platform::default()
    })
}
