//! The places where images are looked for by name.
//!
//! Order and names are one table, [`SOURCES`]. Without a pinned source the first whose socket
//! answers decides: an image that it does not have is not looked for elsewhere, because a scan of
//! another image under the same name would be a wrong answer. Registries are asked only when named.

use std::fmt;
use std::str::FromStr;

use cleanbill_core::ImageReference;
use tracing::{info, warn};

use crate::docker::{
    AccessPreference, Candidate, Engine, EngineEnvironment, EngineOptions, Timeouts,
};
use crate::oci::Platform;
use crate::registry::RegistryClient;
use crate::{
    Capabilities, Containerd, Image, ImageError, LocalImages, PodmanStorage, ReadContext,
    StoreOptions,
};

/// Names a source of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceName {
    /// The local Docker engine, with whichever image store it has.
    Docker,
    /// The local Podman, through its Docker-compatible API, else the store that it shares with
    /// CRI-O.
    Podman,
    /// The local containerd, whose images are read in place.
    Containerd,
    /// A registry.
    Registry,
}

/// Describes a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceEntry {
    /// The source.
    pub name: SourceName,
    /// The word for `--source`, and with `:` behind it the prefix of a name.
    pub word: &'static str,
    /// It is asked without being named.
    pub is_default: bool,
    /// What it is, for the documentation.
    pub help: &'static str,
}

/// All sources, in the order in which they are asked.
pub const SOURCES: &[SourceEntry] = &[
    SourceEntry {
        name: SourceName::Docker,
        word: "docker",
        is_default: true,
        help: "the local Docker engine (overlay2 or containerd image store)",
    },
    SourceEntry {
        name: SourceName::Podman,
        word: "podman",
        is_default: true,
        help: "the local Podman, through its Docker-compatible API; without it the store of Podman \
               and CRI-O, in place",
    },
    SourceEntry {
        name: SourceName::Containerd,
        word: "containerd",
        is_default: true,
        help: "the local containerd, in place",
    },
    SourceEntry {
        name: SourceName::Registry,
        word: "registry",
        is_default: false,
        help: "the registry that the name states",
    },
];

impl SourceName {
    /// Returns the word for `--source`.
    pub fn word(self) -> &'static str {
        let entry = SOURCES.iter().find(|entry| entry.name == self);
        entry.map_or("", |entry| entry.word)
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Says that a word names no source.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{text}' is no image source: expected {accepted}{hint}")]
pub struct SourceError {
    /// The word, cut to 100 characters.
    pub text: String,
    /// The words that are.
    pub accepted: String,
    hint: &'static str,
}

impl FromStr for SourceName {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entry = SOURCES.iter().find(|entry| entry.word == text);
        let words: Vec<&str> = SOURCES.iter().map(|entry| entry.word).collect();
        let hint = match text {
            "cri-o" | "crio" => " (the store of CRI-O is Podman's)",
            "remote" => " (registries are called registry)",
            _ => "",
        };
        entry.map(|entry| entry.name).ok_or_else(|| SourceError {
            text: text.chars().take(100).collect(),
            accepted: words.join(", "),
            hint,
        })
    }
}

/// Splits a source's prefix off a name: `registry:ghcr.io/org/img` names a source, but
/// `registry:2` is the image `registry` with the tag `2`. What is a valid name as a whole has no
/// prefix.
pub fn split_prefix(name: &str) -> (Option<SourceName>, &str) {
    if name.parse::<ImageReference>().is_ok() {
        return (None, name);
    }
    match name.split_once(':') {
        Some((word, rest)) => match word.parse() {
            Ok(source) => (Some(source), rest),
            Err(_) => (None, name),
        },
        None => (None, name),
    }
}

/// Opens images by name.
#[derive(Debug)]
pub struct ImageSources {
    environment: EngineEnvironment,
    settings: SourceSettings,
    registry: Option<RegistryClient>,
    context: ReadContext,
}

/// Settles how images are looked for and read.
#[derive(Clone, Debug, Default)]
pub struct SourceSettings {
    /// The source that the user pinned.
    pub pinned: Option<SourceName>,
    /// The platform to take of an image for several; the host's by default.
    pub platform: Option<Platform>,
    /// How the layers of an engine may be reached.
    pub access: AccessPreference,
    /// What this process may read.
    pub capabilities: Capabilities,
    /// Bounds on waiting for an engine.
    pub timeouts: Timeouts,
}

impl ImageSources {
    /// Prepares to look for images. Nothing is connected yet. Without a client registries are not
    /// asked (`--offline`).
    pub fn new(
        environment: EngineEnvironment,
        settings: SourceSettings,
        registry: Option<RegistryClient>,
        context: ReadContext,
    ) -> Self {
        Self {
            environment,
            settings,
            registry,
            context,
        }
    }

    /// Opens an image by its name, which may have a source's prefix.
    ///
    /// # Errors
    ///
    /// No source answers, or the one that does has no such image. Each error says which source was
    /// asked and what to do.
    pub fn open(&self, name: &str) -> Result<Image, ImageError> {
        let (prefix, rest) = split_prefix(name);
        if let (Some(prefix), Some(pinned)) = (prefix, self.settings.pinned)
            && prefix != pinned
        {
            return Err(ImageError::Unsupported {
                what: format!("'{name}' with --source {pinned}"),
                reason: "the name states another source".to_owned(),
            });
        }
        match prefix.or(self.settings.pinned) {
            Some(SourceName::Registry) => self.open_in_registry(rest),
            source => self
                .connect_to(source)?
                .open(rest)
                .map_err(suggest_registry),
        }
    }

    /// Connects to the pinned source, else to the first of the default ones that is there.
    ///
    /// # Errors
    ///
    /// None is: the error names every source that was tried and why it failed. Or the pinned
    /// source is a registry.
    pub fn connect(&self) -> Result<LocalImages, ImageError> {
        self.connect_to(self.settings.pinned)
    }

    fn open_in_registry(&self, name: &str) -> Result<Image, ImageError> {
        let registry = self.registry.as_ref().ok_or_else(|| ImageError::Offline {
            place: format!("the registry of {name}"),
        })?;
        let reference: ImageReference = name.parse().map_err(|error| ImageError::Malformed {
            what: format!("image name '{name}'"),
            reason: format!("{error}"),
        })?;
        registry.open_image(name, &reference, self.settings.platform.as_ref())
    }

    fn connect_to(&self, source: Option<SourceName>) -> Result<LocalImages, ImageError> {
        if let Some(source) = source {
            return self.local(source).map_err(|failure| failure.error);
        }
        let mut failures = Vec::new();
        for entry in SOURCES.iter().filter(|entry| entry.is_default) {
            match self.local(entry.name) {
                Ok(images) => {
                    let place = images.place();
                    info!(source = entry.word, place, "reading images of this host");
                    return Ok(images);
                }
                // What the user set is to be mended, not passed over.
                Err(Failure {
                    error,
                    is_named: true,
                }) => return Err(error),
                Err(Failure { error, .. }) => {
                    if matches!(error, ImageError::Unauthorized { .. }) {
                        warn!(source = entry.word, %error, "an engine is passed over");
                    }
                    failures.push(format!("{}: {error}", entry.word));
                }
            }
        }
        Err(ImageError::Unavailable {
            place: "any local engine".to_owned(),
            reason: format!("{}. {REGISTRY_HINT}", failures.join("; ")),
        })
    }

    /// Reaches a source of this host: what answers, else what lies there to be read.
    fn local(&self, source: SourceName) -> Result<LocalImages, Failure> {
        let unnamed = |error| Failure {
            error,
            is_named: false,
        };
        match source {
            SourceName::Containerd => Containerd::find(&self.environment, self.store_options())
                .map(LocalImages::Containerd)
                .map_err(unnamed),
            SourceName::Podman => match self.engine(source) {
                Err(failure) if !failure.is_named => {
                    PodmanStorage::find(&self.environment, self.store_options())
                        .map(LocalImages::Podman)
                        .map_err(|error| unnamed(join(&failure.error, error)))
                }
                engine => engine.map(LocalImages::from),
            },
            _ => self.engine(source).map(LocalImages::from),
        }
    }

    fn store_options(&self) -> StoreOptions {
        StoreOptions {
            platform: self.settings.platform.clone(),
            access: self.settings.access,
            capabilities: self.settings.capabilities,
            context: self.context.clone(),
        }
    }

    fn engine(&self, source: SourceName) -> Result<Engine, Failure> {
        let named = |error| Failure {
            error,
            is_named: true,
        };
        let candidates = match source {
            SourceName::Docker => self.environment.docker_endpoints(&self.context.limits),
            SourceName::Podman => self.environment.podman_endpoints(),
            SourceName::Registry | SourceName::Containerd => Err(ImageError::Unsupported {
                what: format!("{source} as a local engine"),
                reason: "it answers no engine's requests".to_owned(),
            }),
        };
        let candidates = candidates.map_err(named)?;
        let options = EngineOptions {
            source: source.word(),
            platform: self.settings.platform.clone(),
            access: self.settings.access,
            capabilities: self.settings.capabilities,
            timeouts: self.settings.timeouts,
        };
        Engine::connect(&candidates, options, &self.context).map_err(|error| Failure {
            error,
            is_named: candidates.iter().any(Candidate::is_named),
        })
    }
}

/// Says why there is no engine, and whether the user had named it.
struct Failure {
    error: ImageError,
    is_named: bool,
}

/// Joins why Podman does not answer and why its store cannot be read. Where only permission is
/// missing, that is the news.
fn join(engine: &ImageError, store: ImageError) -> ImageError {
    if matches!(store, ImageError::Unauthorized { .. }) {
        return store;
    }
    ImageError::Unavailable {
        place: "Podman".to_owned(),
        reason: format!("{engine}; {store}"),
    }
}

const REGISTRY_HINT: &str = "To read an image from its registry use --source registry";

fn suggest_registry(error: ImageError) -> ImageError {
    match error {
        ImageError::NotFound { what, place } => ImageError::NotFound {
            what,
            place: format!("{place}. {REGISTRY_HINT}"),
        },
        error => error,
    }
}

#[cfg(test)]
mod tests;
