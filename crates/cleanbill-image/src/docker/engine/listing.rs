//! What an engine is, and which images it has.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::{DiffId, Digest};

use super::Engine;
use crate::ImageError;
use crate::docker::metadata::parse_id;
use crate::docker::model::{EngineVersion, ImageListItem};
use crate::docker::{ApiVersion, Endpoint};

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
    /// Why no image can be read in place, if that is so.
    pub in_place_obstacle: Option<String>,
}

impl Engine {
    /// Asks what the engine is.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub fn describe(&self) -> Result<EngineDescription, ImageError> {
        let version: EngineVersion = self.client.get_json(&["version"], &[], &self.context)?;
        let info = self.info()?;
        let product = version
            .components
            .into_iter()
            .next()
            .unwrap_or_default()
            .name;
        Ok(EngineDescription {
            endpoint: self.client.endpoint().clone(),
            product,
            version: version.version,
            api_version: self.client.version(),
            storage: info.driver.clone(),
            in_place_obstacle: self.check_in_place().err().map(|reason| reason.to_string()),
        })
    }

    /// Asks for the layers of an image by its id, base first. Empty if the engine does not say.
    ///
    /// # Errors
    ///
    /// The engine has no such image any more, or does not answer.
    pub fn diff_ids(&self, id: &Digest) -> Result<Vec<DiffId>, ImageError> {
        Ok(self.inspect(&id.to_string())?.diff_ids)
    }

    /// Lists the images, each id once, sorted. An image with neither a tag nor a digest is dangling:
    /// nothing refers to it. One that was pulled by digest is not.
    ///
    /// # Errors
    ///
    /// The engine does not answer, or names an image by something that is no id.
    pub fn list_images(&self, include_dangling: bool) -> Result<Vec<ImageSummary>, ImageError> {
        let items: Vec<ImageListItem> =
            self.client
                .get_json(&["images", "json"], &[], &self.context)?;
        let mut by_id: BTreeMap<Digest, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
        for item in items {
            let id = parse_id(&item.id).map_err(|error| ImageError::Malformed {
                what: format!("the list of images of {}", self.client.place()),
                reason: error.to_string(),
            })?;
            let (tags, digests) = by_id.entry(id).or_default();
            tags.extend(item.repo_tags.into_iter().filter(|tag| is_name(tag)));
            digests.extend(
                item.repo_digests
                    .into_iter()
                    .filter(|digest| is_name(digest)),
            );
        }
        let mut images: Vec<ImageSummary> = by_id
            .into_iter()
            .map(|(id, (tags, digests))| ImageSummary {
                tags: tags.into_iter().collect(),
                digests: digests.into_iter().collect(),
                id,
            })
            .filter(|image| include_dangling || !image.tags.is_empty() || !image.digests.is_empty())
            .collect();
        images.sort_by_cached_key(|image| (image.name(), image.id));
        Ok(images)
    }
}

/// Says that a tag or digest of a list is one; engines before 25 print `<none>:<none>`.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("<none>")
}
