//! An engine as a source of images.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cleanbill_core::image::ImageConfig;
use cleanbill_core::{DiffId, Digest, ImageReference};
use tracing::{info, warn};

use super::client::{ApiVersion, DockerClient, Timeouts};
use super::content_store;
use super::context::Candidate;
use super::endpoint::Endpoint;
use super::export::{ExportStream, stored_config};
use super::metadata::{Inspected, config_from_answers, image_metadata, parse_id};
use super::model::{
    ContainerInspect, EngineInfo, EngineVersion, HistoryItem, ImageInspect, ImageListItem,
};
use super::overlay;
use super::place::{InPlace, NotInPlace, Surroundings};
use crate::capabilities::Capabilities;
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
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// The word that reports print for the source: `docker` or `podman`.
    pub source: &'static str,
    /// How layers may be reached.
    pub access: AccessPreference,
    /// What this process may read.
    pub capabilities: Capabilities,
    /// Bounds on waiting.
    pub timeouts: Timeouts,
}

/// Names an image of an engine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageSummary {
    /// The tags (`alpine:3.20`), sorted.
    pub tags: Vec<String>,
    /// The digests by which registries know it (`alpine@sha256:…`), sorted.
    pub digests: Vec<String>,
    /// The id.
    pub id: Digest,
}

impl ImageSummary {
    /// Returns what to call the image: its first tag, else its first digest, else its id.
    pub fn name(&self) -> String {
        let name = self.tags.first().or(self.digests.first()).cloned();
        name.unwrap_or_else(|| self.id.to_string())
    }
}

/// Says what an engine is, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineDescription {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// `Docker Engine`, `Podman Engine` …; empty if it does not say.
    pub product: String,
    /// Its version.
    pub version: String,
    /// The version of the API that is spoken with it.
    pub api_version: ApiVersion,
    /// The storage driver or snapshotter.
    pub storage: String,
}

/// Opens the images of one engine.
#[derive(Clone, Debug)]
pub struct Engine {
    client: DockerClient,
    options: EngineOptions,
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
        for candidate in candidates {
            match DockerClient::connect(&candidate.endpoint, options.timeouts, context) {
                Ok(client) => return Ok(Self { client, options, context: context.clone() }),
                Err(error) => {
                    context.check().map_err(|source| ImageError::Read {
                        what: format!("engine {}", candidate.endpoint),
                        source,
                    })?;
                    failures.push(error);
                }
            }
        }
        Err(no_engine(options.source, failures))
    }

    /// Returns the client.
    pub fn client(&self) -> &DockerClient {
        &self.client
    }

    /// Asks what the engine is.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub fn describe(&self) -> Result<EngineDescription, ImageError> {
        let version: EngineVersion = self.client.get_json(&["version"], &[], &self.context)?;
        let info = self.info()?;
        let product = version.components.into_iter().next().unwrap_or_default().name;
        Ok(EngineDescription {
            endpoint: self.client.endpoint().clone(),
            product,
            version: version.version,
            api_version: self.client.version(),
            storage: info.driver,
        })
    }

    /// Lists the images, each id once, sorted. An image with neither a tag nor a digest is dangling:
    /// nothing refers to it. One that was pulled by digest is not.
    ///
    /// # Errors
    ///
    /// The engine does not answer, or names an image by something that is no id.
    pub fn list_images(&self, include_dangling: bool) -> Result<Vec<ImageSummary>, ImageError> {
        let items: Vec<ImageListItem> =
            self.client.get_json(&["images", "json"], &[], &self.context)?;
        let mut by_id: BTreeMap<Digest, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
        for item in items {
            let id = parse_id(&item.id).map_err(|error| ImageError::Malformed {
                what: format!("the list of images of {}", self.client.place()),
                reason: error.to_string(),
            })?;
            let (tags, digests) = by_id.entry(id).or_default();
            tags.extend(item.repo_tags.into_iter().filter(|tag| is_name(tag)));
            digests.extend(item.repo_digests.into_iter().filter(|digest| is_name(digest)));
        }
        let mut images: Vec<ImageSummary> = by_id
            .into_iter()
            .map(|(id, (tags, digests))| ImageSummary {
                tags: tags.into_iter().collect(),
                digests: digests.into_iter().collect(),
                id,
            })
            .filter(|image| {
                include_dangling || !image.tags.is_empty() || !image.digests.is_empty()
            })
            .collect();
        images.sort_by_cached_key(|image| (image.name(), image.id));
        Ok(images)
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
        let answer: ContainerInspect = self.client.get_json(&path, &[], &self.context)?;
        let mut image = self.open_as(&answer.image, &answer.image)?;
        let started_as = &answer.config.image;
        if is_name_of(started_as, &image.metadata.repo_tags, &image.metadata.repo_digests) {
            image.name.clone_from(started_as);
        }
        Ok(image)
    }

    fn open_as(&self, reference: &str, name: &str) -> Result<Image, ImageError> {
        let inspected = self.inspect(reference)?;
        let id = inspected.id.to_string();
        let history: Vec<HistoryItem> =
            self.client.get_json(&["images", &id, "history"], &[], &self.context)?;
        let place = self.in_place(&inspected);
        let config = match config_from_answers(&inspected, &history) {
            Some(config) => config,
            None => self.read_config(&inspected, place.as_ref().ok())?,
        };
        let mut metadata = image_metadata(&inspected, config)?;
        if let Ok(place) = &place {
            for (layer, digest) in metadata.layers.iter_mut().zip(&place.digests) {
                layer.id.digest = *digest;
            }
        }
        let diff_ids: Vec<_> = metadata.layers.iter().map(|layer| layer.id.diff_id).collect();
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
                (format!("export stream ({reason})"), Arc::new(stream))
            }
        };
        info!(image.name = name, image.id = %inspected.id, access, "opened an image of the engine");
        Ok(Image { name: name.to_owned(), source: self.options.source, access, metadata, layers })
    }

    /// Describes an image. The name goes to the engine as it is: engines complete names by rules
    /// of their own.
    fn inspect(&self, name: &str) -> Result<Inspected, ImageError> {
        let path = ["images", name, "json"];
        let answer: ImageInspect = match self.client.get_json(&path, &[], &self.context) {
            Err(ImageError::NotFound { place, .. }) => {
                return Err(ImageError::NotFound { what: format!("image {name}"), place });
            }
            answer => answer?,
        };
        Inspected::new(answer, name, &self.context.limits)
    }

    fn info(&self) -> Result<EngineInfo, ImageError> {
        self.client.get_json(&["info"], &[], &self.context)
    }

    /// Finds the layers where the engine keeps them.
    fn in_place(&self, inspected: &Inspected) -> Result<InPlace, NotInPlace> {
        if self.options.access == AccessPreference::ExportStream {
            return Err(NotInPlace::new("as asked for"));
        }
        if self.client.endpoint().socket().is_none() {
            return Err(NotInPlace::new("the engine may be on another host"));
        }
        let info = self.info().map_err(|error| {
            NotInPlace::new(format!("the engine does not say where it keeps layers: {error}"))
        })?;
        let surroundings = Surroundings {
            info: &info,
            capabilities: self.options.capabilities,
            context: &self.context,
        };
        if info.has_containerd_store() {
            content_store::find(inspected, &surroundings)
        } else {
            overlay::find(inspected, &surroundings)
        }
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

    fn export_stream(
        &self,
        inspected: &Inspected,
        diff_ids: Vec<DiffId>,
    ) -> ExportStream {
        ExportStream::new(self.client.clone(), inspected, diff_ids, self.context.clone())
    }
}

/// Says that a tag or digest of a list is one; engines before 25 print `<none>:<none>`.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("<none>")
}

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
fn no_engine(source: &str, mut failures: Vec<ImageError>) -> ImageError {
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let denied = failures
        .iter()
        .position(|failure| matches!(failure, ImageError::Unauthorized { .. }));
    if let Some(index) = denied {
        return failures.swap_remove(index);
    }
    let reasons: Vec<String> = failures.iter().map(ToString::to_string).collect();
    ImageError::Unavailable {
        place: format!("a {source} engine"),
        reason: if reasons.is_empty() {
            "there is no place to look for one".to_owned()
        } else {
            reasons.join("; ")
        },
    }
}

#[cfg(test)]
mod tests;
