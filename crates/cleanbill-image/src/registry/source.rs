//! Images as a source: metadata now, layers when they are asked for.

use std::sync::Arc;

use cleanbill_core::image::{ImageConfig, ImageMetadata, LayerMetadata};
use cleanbill_core::layer::LayerReader;
use cleanbill_core::package::LayerId;
use cleanbill_core::{Digest, ImageReference};

use super::RegistryClient;
use super::blob::BlobReader;
use super::host::Host;
use super::manifest::Fetched;
use crate::blob::BlobSpec;
use crate::http::display_url;
use crate::layer::TarLayer;
use crate::oci::{Descriptor, Document, Manifest, Platform, parse_json, select_manifest};
use crate::{Image, ImageError, LayerSink, LayerSource};

/// Indexes that may name each other before there must be an image.
const INDEX_DEPTH_MAX: usize = 4;

/// The types of a configuration that is an image's.
///
/// Source: go-containerregistry `pkg/v1/types`, `MediaType.IsConfig`.
const IMAGE_CONFIG_MEDIA_TYPES: [&str; 2] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];

impl RegistryClient {
    /// Opens an image. Of an index the manifest for `platform` is taken (by default the host's);
    /// an image that is not in an index is taken whatever its platform. No layer is fetched.
    ///
    /// Source: spec 03 section 1.1, row "remote".
    ///
    /// # Errors
    ///
    /// The registry does not give it, it is no image, or it makes no sense.
    pub fn open_image(
        &self,
        name: &str,
        reference: &ImageReference,
        platform: Option<&Platform>,
    ) -> Result<Image, ImageError> {
        let host = self.host(&reference.registry)?;
        let top = self.fetch_reference(&host, reference)?;
        let repo_digest = format!("{}@{}", reference.familiar_repository(), top.digest);
        let manifest = self.resolve(&host, reference, top, platform)?;
        refuse_other_artifacts(&manifest, name)?;
        let config = self.fetch_config(&host, reference, &manifest)?;
        let metadata = ImageMetadata {
            image_id: Some(manifest.config.digest),
            repo_tags: repo_tags(reference),
            repo_digests: vec![repo_digest],
            layers: describe_layers(&config, &manifest, name)?,
            config,
        };
        Ok(Image {
            name: name.to_owned(),
            source: "registry",
            access: format!("pulled from {}", display_url(host.base())),
            layers: Arc::new(RegistryLayers {
                client: self.clone(),
                repository: reference.repository.clone(),
                diff_ids: metadata
                    .layers
                    .iter()
                    .map(|layer| layer.id.diff_id.0)
                    .collect(),
                descriptors: manifest.layers,
                host,
            }),
            metadata,
        })
    }

    /// Follows indexes to the manifest of one image.
    fn resolve(
        &self,
        host: &Host,
        reference: &ImageReference,
        top: Fetched,
        platform: Option<&Platform>,
    ) -> Result<Manifest, ImageError> {
        let host_platform = Platform::host();
        let wanted = platform.unwrap_or(&host_platform);
        let limits = &self.context().limits;
        let mut fetched = top;
        for _ in 0..=INDEX_DEPTH_MAX {
            let media_type = fetched.media_type.as_deref();
            let index = match Document::parse(&fetched.bytes, media_type, &fetched.what, limits)? {
                Document::Manifest(manifest) => return Ok(manifest),
                Document::Index(index) => index,
            };
            let entry = select_manifest(&index, Some(wanted), &fetched.what)?;
            let (name, digest) = (entry.digest.to_string(), entry.digest);
            fetched = self.fetch_manifest(host, &reference.repository, &name, Some(digest))?;
        }
        Err(malformed(fetched.what, "indexes are nested too deep"))
    }

    fn fetch_config(
        &self,
        host: &Host,
        reference: &ImageReference,
        manifest: &Manifest,
    ) -> Result<ImageConfig, ImageError> {
        let digest = manifest.config.digest;
        let fetched = self.fetch_small_blob(host, &reference.repository, digest)?;
        let what = format!("configuration {}", fetched.what);
        parse_json(&fetched.bytes, &what, &self.context().limits)
    }
}

/// A Helm chart or a policy has a manifest like an image's; its configuration tells.
fn refuse_other_artifacts(manifest: &Manifest, name: &str) -> Result<(), ImageError> {
    let media_type = manifest.config.media_type.as_str();
    if media_type.is_empty() || IMAGE_CONFIG_MEDIA_TYPES.contains(&media_type) {
        return Ok(());
    }
    Err(ImageError::Unsupported {
        what: format!("'{name}'"),
        reason: format!("it is an artifact of type {media_type}, no image"),
    })
}

/// A name with a digest has no tags, even if it states one: the digest decides.
fn repo_tags(reference: &ImageReference) -> Vec<String> {
    match reference.digest {
        Some(_) => Vec::new(),
        None => {
            vec![format!(
                "{}:{}",
                reference.familiar_repository(),
                reference.manifest_name()
            )]
        }
    }
}

fn describe_layers(
    config: &ImageConfig,
    manifest: &Manifest,
    name: &str,
) -> Result<Vec<LayerMetadata>, ImageError> {
    let what = || format!("configuration of '{name}'");
    let diff_ids = config
        .diff_ids()
        .map_err(|error| malformed(what(), &error.to_string()))?;
    if diff_ids.len() != manifest.layers.len() {
        let (listed, stated) = (manifest.layers.len(), diff_ids.len());
        let reason = format!("it states {stated} layers, the manifest lists {listed}");
        return Err(malformed(what(), &reason));
    }
    let history = config.layer_history(diff_ids.len());
    let created_by = |index: usize| {
        let entry = history.as_ref().and_then(|entries| entries.get(index));
        entry
            .map(|entry| entry.created_by.clone())
            .unwrap_or_default()
    };
    let layers = diff_ids.into_iter().zip(&manifest.layers).enumerate();
    Ok(layers
        .map(|(index, (diff_id, descriptor))| LayerMetadata {
            // Trivy prints it even where the blob is not compressed and it equals the diff id.
            id: LayerId {
                digest: Some(descriptor.digest),
                diff_id,
            },
            size_bytes: None,
            created_by: created_by(index),
        })
        .collect())
}

fn malformed(what: String, reason: &str) -> ImageError {
    ImageError::Malformed {
        what,
        reason: reason.to_owned(),
    }
}

/// The layers of one image; each is fetched when it is opened.
struct RegistryLayers {
    client: RegistryClient,
    host: Arc<Host>,
    repository: String,
    descriptors: Vec<Descriptor>,
    diff_ids: Vec<Digest>,
}

impl LayerSource for RegistryLayers {
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError> {
        let context = self.client.context();
        let place = || format!("{}/{}", self.host.registry(), self.repository);
        let parts = self.descriptors.get(index).zip(self.diff_ids.get(index));
        let Some((descriptor, diff_id)) = parts else {
            return Err(ImageError::NotFound {
                what: format!("layer {index}"),
                place: place(),
            });
        };
        let size_bytes = descriptor.size_bytes;
        let source = BlobReader::open(
            &self.client,
            &self.host,
            &self.repository,
            descriptor.digest,
            size_bytes,
        )?;
        let spec = BlobSpec {
            what: format!("layer {} of {}", descriptor.digest, place()),
            digest: Some(descriptor.digest),
            size_bytes: (size_bytes > 0).then_some(size_bytes),
            content_digest: Some(*diff_id),
            is_unhashed: false,
        };
        Ok(Box::new(TarLayer::new(source, spec, context.clone())))
    }

    fn stored_size_bytes(&self, index: usize) -> Option<u64> {
        self.descriptors
            .get(index)
            .map(|descriptor| descriptor.size_bytes)
    }

    fn read_all(&self, sink: &mut dyn LayerSink) -> Result<(), ImageError> {
        for index in 0..self.descriptors.len() {
            sink.layer(&mut *self.open_layer(index)?)?;
        }
        Ok(())
    }
}
