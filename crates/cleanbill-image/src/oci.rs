//! Manifests, indexes and descriptors as registries and OCI layouts hold them.
//!
//! Source: OCI image-spec 1.1 (manifest.md, image-index.md, descriptor.md, media-types.md) and
//! Docker's Image Manifest V2, Schema 2. What is absent or `null` is empty, as for Go's decoder.

mod platform;

use std::collections::BTreeMap;

use cleanbill_core::layer::LayerError;
use cleanbill_core::{Digest, Limits};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};

use crate::ImageError;

pub use platform::{Platform, PlatformError, select_manifest};

/// The annotation of an index entry that holds its tag in a layout.
pub const REF_NAME_ANNOTATION: &str = "org.opencontainers.image.ref.name";

/// The media types that a client says it accepts when it asks for a manifest.
pub const MANIFEST_MEDIA_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const INDEX_MEDIA_TYPES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
/// The types of a configuration that is an image's.
///
/// Source: go-containerregistry `pkg/v1/types`, `MediaType.IsConfig`.
const CONFIG_MEDIA_TYPES: [&str; 2] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];

/// Points at a blob.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    #[serde(default, deserialize_with = "or_default")]
    pub media_type: String,
    /// The digest of the blob as it is stored.
    #[serde(deserialize_with = "digest")]
    pub digest: Digest,
    /// Bytes of the blob as it is stored. A claim, until the blob has been read.
    #[serde(rename = "size", default, deserialize_with = "or_default")]
    pub size_bytes: u64,
    /// Other places where the blob may be had (foreign layers). Never asked.
    #[serde(default, deserialize_with = "or_default")]
    pub urls: Vec<String>,
    /// Free remarks.
    #[serde(default, deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
    /// Where an image runs; only in an index.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// What kind of artifact a manifest describes; only in an index.
    #[serde(default, deserialize_with = "or_default")]
    pub artifact_type: String,
}

impl Descriptor {
    /// Says whether the blob is an index, by its media type.
    pub fn is_index(&self) -> bool {
        INDEX_MEDIA_TYPES.contains(&self.media_type.as_str())
    }

    /// Says whether the entry of an index attests something about an image (build provenance,
    /// SBOM) and is no image itself.
    ///
    /// Source: BuildKit, "attestation storage": platform `unknown/unknown`.
    pub fn is_attestation(&self) -> bool {
        let is_unknown =
            |platform: &Platform| platform.os == "unknown" && platform.architecture == "unknown";
        self.platform.as_ref().is_some_and(is_unknown)
            || self
                .annotations
                .get("vnd.docker.reference.type")
                .is_some_and(|kind| kind == "attestation-manifest")
    }

    /// Says whether the blob is a layer that only its maker may distribute: it lies elsewhere.
    pub fn is_foreign_layer(&self) -> bool {
        self.media_type.contains(".layer.nondistributable.")
            || self.media_type.contains(".rootfs.foreign.")
    }

    /// Returns the digest that reports print for a layer of an engine: none if it is stored
    /// uncompressed.
    ///
    /// Source: spec 03 section 2.
    pub(crate) fn digest_if_compressed(&self) -> Option<Digest> {
        let is_compressed = ["gzip", "zstd"]
            .iter()
            .any(|suffix| self.media_type.ends_with(suffix));
        is_compressed.then_some(self.digest)
    }

    /// Returns the tag that the entry has in a layout, if any.
    pub fn ref_name(&self) -> Option<&str> {
        self.annotations
            .get(REF_NAME_ANNOTATION)
            .map(String::as_str)
    }
}

/// Lists manifests, one per platform or, in a layout, one per image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The entries in their order, images and others.
    pub manifests: Vec<Descriptor>,
}

/// Names the parts of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The image configuration.
    pub config: Descriptor,
    /// The layers, base first.
    pub layers: Vec<Descriptor>,
}

impl Manifest {
    /// Says whether it describes an image: a Helm chart or a policy has a manifest like an image's;
    /// its configuration tells.
    pub(crate) fn is_image(&self) -> bool {
        let media_type = self.config.media_type.as_str();
        media_type.is_empty() || CONFIG_MEDIA_TYPES.contains(&media_type)
    }
}

/// Holds what a manifest reference may lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a few of them exist, each for a moment"
)]
pub enum Document {
    /// Several manifests.
    Index(Index),
    /// One image.
    Manifest(Manifest),
}

/// The members of both documents: what a document is shows only once it has been read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDocument {
    #[serde(default, deserialize_with = "or_default")]
    schema_version: u64,
    #[serde(default, deserialize_with = "or_default")]
    media_type: String,
    #[serde(default, deserialize_with = "or_default")]
    artifact_type: String,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
}

impl Document {
    /// Reads a manifest or an index. `what` names it in errors; `media_type` is what the server
    /// or the descriptor says it is, if known.
    ///
    /// # Errors
    ///
    /// It is too large, no JSON, neither kind, **both kinds** (readers that disagree about such a
    /// document see different images: CVE-2021-41190), an artifact that is no image, or of the
    /// old schema 1.
    pub fn parse(
        bytes: &[u8],
        media_type: Option<&str>,
        what: &str,
        limits: &Limits,
    ) -> Result<Self, ImageError> {
        let raw: RawDocument = parse_json(bytes, what, limits)?;
        if raw.schema_version == 1 {
            return Err(unsupported(
                what,
                "manifest schema 1 has no layer digests to verify",
            ));
        }
        let stated = match media_type.map(media_type_essence) {
            Some(stated) if MANIFEST_MEDIA_TYPES.contains(&stated) => stated,
            _ => raw.media_type.as_str(),
        };
        match (raw.manifests, raw.config, raw.layers) {
            (Some(manifests), None, None) => {
                if is_other_kind(stated, true) {
                    return Err(malformed(
                        what,
                        format!("it is an index, stated is {stated}"),
                    ));
                }
                Ok(Self::Index(Index { manifests }))
            }
            (None, Some(config), layers) => {
                if is_other_kind(stated, false) {
                    return Err(malformed(
                        what,
                        format!("it is a manifest, stated is {stated}"),
                    ));
                }
                refuse_artifact(&raw.artifact_type, &config, what)?;
                let layers = layers.unwrap_or_default();
                check_layers(&layers, what, limits)?;
                Ok(Self::Manifest(Manifest { config, layers }))
            }
            (Some(_), _, _) => Err(malformed(
                what,
                "it has members of both an index and a manifest".to_owned(),
            )),
            (None, None, _) => Err(malformed(
                what,
                "it has neither 'manifests' nor 'config'".to_owned(),
            )),
        }
    }
}

/// Cuts the parameters off a content type.
fn media_type_essence(text: &str) -> &str {
    text.split_once(';')
        .map_or(text, |(essence, _)| essence)
        .trim()
}

fn is_other_kind(stated: &str, is_index: bool) -> bool {
    MANIFEST_MEDIA_TYPES.contains(&stated) && INDEX_MEDIA_TYPES.contains(&stated) != is_index
}

/// Source: spec 03 section 1.1, last sentence on `remote`. Images that older builders wrote name
/// other config types, so those decide only where an artifact type is given.
fn refuse_artifact(artifact_type: &str, config: &Descriptor, what: &str) -> Result<(), ImageError> {
    if artifact_type.is_empty() || CONFIG_MEDIA_TYPES.contains(&artifact_type) {
        return Ok(());
    }
    let reason = format!(
        "it is an artifact of type {artifact_type} with a configuration of type {}, no image",
        config.media_type
    );
    Err(ImageError::Unsupported {
        what: what.to_owned(),
        reason,
    })
}

fn check_layers(layers: &[Descriptor], what: &str, limits: &Limits) -> Result<(), ImageError> {
    if layers.len() as u64 > limits.layers_per_image_max {
        let what = format!("{what} with {} layers", layers.len());
        let max = limits.layers_per_image_max;
        return Err(LayerError::exceeded(what, "layers_per_image_max", max).into());
    }
    match layers.iter().find(|layer| layer.is_foreign_layer()) {
        Some(layer) => Err(ImageError::Unsupported {
            what: format!("foreign layer {} of {what}", layer.digest),
            reason: format!(
                "layers of type {} are kept by their maker",
                layer.media_type
            ),
        }),
        None => Ok(()),
    }
}

/// Reads a JSON document whose size is bounded by `manifest_size_bytes_max`.
pub(crate) fn parse_json<T: DeserializeOwned>(
    bytes: &[u8],
    what: &str,
    limits: &Limits,
) -> Result<T, ImageError> {
    if bytes.len() as u64 > limits.manifest_size_bytes_max {
        let max = limits.manifest_size_bytes_max;
        return Err(LayerError::exceeded(what, "manifest_size_bytes_max", max).into());
    }
    serde_json::from_slice(bytes).map_err(|error| malformed(what, error.to_string()))
}

fn malformed(what: &str, reason: String) -> ImageError {
    ImageError::Malformed {
        what: what.to_owned(),
        reason,
    }
}

fn unsupported(what: &str, reason: &str) -> ImageError {
    ImageError::Unsupported {
        what: what.to_owned(),
        reason: reason.to_owned(),
    }
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

/// Reads `null` as what is absent, as Go's decoder does.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests;
