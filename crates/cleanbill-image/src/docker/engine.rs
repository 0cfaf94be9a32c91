//! An engine as a source of images.

mod events;
mod listing;

use std::sync::{Arc, OnceLock};

use cleanbill_core::image::ImageConfig;
use cleanbill_core::{DiffId, ImageReference};
use tracing::{info, warn};

pub use self::events::{ContainerSummary, EngineEvent, EngineNews};
pub use self::listing::{EngineDescription, ImageSummary};
use super::client::{ApiVersion, DockerClient, Timeouts};
use super::content_store;
use super::context::Candidate;
use super::export::{ExportStream, platform_json, stored_config};
use super::metadata::{Inspected, config_from_answers, config_without_history, image_metadata};
use super::model::{ContainerInspect, EngineInfo, HistoryItem, ImageInspect};
use super::overlay;
use super::place::{InPlace, NotInPlace, Surroundings};
use crate::capabilities::Capabilities;
use crate::oci::Platform;
use crate::{Image, ImageError, LayerSource, ReadContext};

/// Says how the layers of an engine's images may be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessPreference {
    /// In place where that is possible, else through the export stream.
    #[default]
    Automatic,
    /// In place or not at all.
    InPlace,
    /// Through the export stream.
    ExportStream,
}

/// Settles how an engine is used.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The word that reports print for the source: `docker` or `podman`.
    pub source: &'static str,
    /// The platform to take of an image of which the engine has several; the engine's choice by
    /// default. Only engines with the containerd image store have several.
    pub platform: Option<Platform>,
    /// How layers may be reached.
    pub access: AccessPreference,
    /// What this process may read.
    pub capabilities: Capabilities,
    /// Bounds on waiting.
    pub timeouts: Timeouts,
}

/// Opens the images of one engine.
#[derive(Clone, Debug)]
pub struct Engine {
    client: DockerClient,
    options: EngineOptions,
    /// The engine's answer to `/info`, once asked for: it takes the engine longer than the others.
    info: Arc<OnceLock<EngineInfo>>,
    context: ReadContext,
}

impl Engine {
    /// Connects to the first place where an engine answers.
    ///
    /// # Errors
    ///
    /// None answers; the error names each place with its reason.
    pub fn connect(
        candidates: &[Candidate],
        options: EngineOptions,
        context: &ReadContext,
    ) -> Result<Self, ImageError> {
        let mut failures = Vec::new();
        let mut absent = Vec::new();
        for candidate in candidates {
            if let Some(socket) = candidate.absent_socket() {
                absent.push(socket.display().to_string());
                continue;
            }
            match DockerClient::connect(&candidate.endpoint, options.timeouts, context) {
                Ok(client) => {
                    let (info, context) = (Arc::default(), context.clone());
                    return Ok(Self {
                        client,
                        options,
                        info,
                        context,
                    });
                }
                Err(error) => {
                    context.check().map_err(|source| ImageError::Read {
                        what: format!("engine {}", candidate.endpoint),
                        source,
                    })?;
                    failures.push(error);
                }
            }
        }
        Err(no_engine(options.source, failures, &absent))
    }

    /// Returns the client.
    pub fn client(&self) -> &DockerClient {
        &self.client
    }

    /// Opens an image by tag, digest, or id (whole or its beginning).
    ///
    /// # Errors
    ///
    /// The engine has no such image, it is one for Windows, or the layers cannot be reached in the
    /// way that was asked for.
    pub fn open(&self, name: &str) -> Result<Image, ImageError> {
        self.open_as(name, name)
    }

    /// Opens the image that a container runs, by the container's name or id. The image goes by the
    /// name that the container was started with if that is still a name of it, else by its id.
    ///
    /// # Errors
    ///
    /// As [`Self::open`]; the engine has no such container.
    pub fn open_container(&self, container: &str) -> Result<Image, ImageError> {
        let path = ["containers", container, "json"];
        let answer = self.client.get_json(&path, &[], &self.context);
        let answer: ContainerInspect =
            answer.map_err(|error| naming(format!("container {container}"), error))?;
        let mut image = self.open_as(&answer.image, &answer.image)?;
        let started_as = &answer.config.image;
        if is_name_of(
            started_as,
            &image.metadata.repo_tags,
            &image.metadata.repo_digests,
        ) {
            image.name.clone_from(started_as);
        }
        Ok(image)
    }

    fn open_as(&self, reference: &str, name: &str) -> Result<Image, ImageError> {
        let inspected = self.inspect(reference)?;
        let id = inspected.id.to_string();
        let platform = self.platform_query(HISTORY_PLATFORM_SINCE);
        let query: Vec<_> = platform
            .iter()
            .map(|value| ("platform", value.as_str()))
            .collect();
        let history: Vec<HistoryItem> =
            self.client
                .get_json(&["images", &id, "history"], &query, &self.context)?;
        let place = self.in_place(&inspected);
        let mut is_config_late = false;
        let config = match config_from_answers(&inspected, &history) {
            Some(config) => config,
            // It comes by with the layers.
            None if place.is_err() && !inspected.diff_ids.is_empty() => {
                is_config_late = true;
                config_without_history(&inspected)
            }
            None => self.read_config(&inspected, place.as_ref().ok())?,
        };
        let mut metadata = image_metadata(&inspected, config)?;
        if let Ok(place) = &place {
            for (layer, digest) in metadata.layers.iter_mut().zip(&place.digests) {
                layer.id.digest = *digest;
            }
        }
        let diff_ids: Vec<_> = metadata
            .layers
            .iter()
            .map(|layer| layer.id.diff_id)
            .collect();
        let (access, layers): (String, Arc<dyn LayerSource>) = match (place, self.options.access) {
            (Ok(place), _) => (place.access.to_owned(), place.layers),
            (Err(reason), AccessPreference::InPlace) => {
                return Err(ImageError::Unsupported {
                    what: format!("reading image {name} in place"),
                    reason: reason.to_string(),
                });
            }
            (Err(reason), _) => {
                let stream = self.export_stream(&inspected, diff_ids);
                let stream = if is_config_late {
                    stream.with_late_config()
                } else {
                    stream
                };
                (format!("export stream ({reason})"), Arc::new(stream))
            }
        };
        info!(image.name = name, image.id = %inspected.id, access, "opened an image of the engine");
        Ok(Image {
            name: name.to_owned(),
            source: self.options.source,
            access,
            metadata,
            layers,
        })
    }

    /// Describes an image. The name goes to the engine as it is: engines complete names by rules
    /// of their own.
    fn inspect(&self, name: &str) -> Result<Inspected, ImageError> {
        let path = ["images", name, "json"];
        let platform = self.platform_query(INSPECT_PLATFORM_SINCE);
        let query: Vec<_> = platform
            .iter()
            .map(|value| ("platform", value.as_str()))
            .collect();
        let answer = self.client.get_json(&path, &query, &self.context);
        let answer: ImageInspect =
            answer.map_err(|error| naming(format!("image {name}"), error))?;
        Inspected::new(answer, name, &self.context.limits)
    }

    /// Returns the platform that was asked for, as the API writes it, if the engine knows the
    /// parameter. Others have one platform per image, which is taken.
    fn platform_query(&self, since: ApiVersion) -> Option<String> {
        let platform = self.options.platform.as_ref()?;
        (self.client.version() >= since)
            .then(|| platform_json(&platform.os, &platform.architecture, &platform.variant))
    }

    fn info(&self) -> Result<&EngineInfo, ImageError> {
        if let Some(info) = self.info.get() {
            return Ok(info);
        }
        let info = self.client.get_json(&["info"], &[], &self.context)?;
        Ok(self.info.get_or_init(|| info))
    }

    /// Finds the layers where the engine keeps them.
    fn in_place(&self, inspected: &Inspected) -> Result<InPlace, NotInPlace> {
        let surroundings = self.surroundings()?;
        if surroundings.info.has_containerd_store() {
            content_store::find(inspected, &surroundings)
        } else {
            overlay::find(inspected, &surroundings)
        }
    }

    fn check_in_place(&self) -> Result<(), NotInPlace> {
        let surroundings = self.surroundings()?;
        if surroundings.info.has_containerd_store() {
            content_store::check(&surroundings)
        } else {
            overlay::check(&surroundings)
        }
    }

    fn surroundings(&self) -> Result<Surroundings<'_>, NotInPlace> {
        if self.options.access == AccessPreference::ExportStream {
            return Err(NotInPlace::new("as asked for"));
        }
        if self.client.endpoint().socket().is_none() {
            return Err(NotInPlace::new("the engine may be on another host"));
        }
        let info = self.info().map_err(|error| {
            NotInPlace::new(format!(
                "the engine does not say where it keeps layers: {error}"
            ))
        })?;
        let capabilities = self.options.capabilities;
        Ok(Surroundings {
            info,
            capabilities,
            context: &self.context,
        })
    }

    /// Reads the stored configuration, because the engine's answers do not tell enough: where the
    /// engine keeps it, else out of an export.
    fn read_config(
        &self,
        inspected: &Inspected,
        place: Option<&InPlace>,
    ) -> Result<ImageConfig, ImageError> {
        if let Some(config) = place.and_then(|place| place.config.clone()) {
            return Ok(config);
        }
        warn!(
            image.id = %inspected.id,
            "reading the image's configuration out of an export: the engine's history does not \
             tell which steps made layers"
        );
        stored_config(&self.export_stream(inspected, inspected.diff_ids.clone()))
    }

    fn export_stream(&self, inspected: &Inspected, diff_ids: Vec<DiffId>) -> ExportStream {
        ExportStream::new(
            self.client.clone(),
            inspected,
            diff_ids,
            self.context.clone(),
        )
    }
}

/// Since when the engine takes a platform in these requests.
const INSPECT_PLATFORM_SINCE: ApiVersion = ApiVersion {
    major: 1,
    minor: 49,
};
const HISTORY_PLATFORM_SINCE: ApiVersion = ApiVersion {
    major: 1,
    minor: 48,
};

/// Says whether a name as a person wrote it means one of the tags or digests.
fn is_name_of(name: &str, tags: &[String], digests: &[String]) -> bool {
    let parse = |text: &str| text.parse::<ImageReference>().ok();
    let Some(wanted) = parse(name) else {
        return false;
    };
    tags.iter()
        .chain(digests)
        .filter_map(|text| parse(text))
        .any(|reference| reference.to_string() == wanted.to_string())
}

/// Joins why no engine answers. Where only permission is missing somewhere, that is the news.
fn no_engine(source: &str, mut failures: Vec<ImageError>, absent: &[String]) -> ImageError {
    let denied = failures
        .iter()
        .position(|failure| matches!(failure, ImageError::Unauthorized { .. }));
    if let Some(index) = denied {
        return failures.swap_remove(index);
    }
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let mut reasons: Vec<String> = failures.iter().map(ToString::to_string).collect();
    if !absent.is_empty() {
        reasons.push(format!("no socket at {}", absent.join(", ")));
    }
    if reasons.is_empty() {
        reasons.push("there is no place to look for one".to_owned());
    }
    ImageError::Unavailable {
        place: format!("a {source} engine"),
        reason: reasons.join("; "),
    }
}

/// Names what was asked for where the engine does not have it, in place of the address.
fn naming(what: String, error: ImageError) -> ImageError {
    match error {
        ImageError::NotFound { place, .. } => ImageError::NotFound { what, place },
        error => error,
    }
}

#[cfg(test)]
mod tests;
