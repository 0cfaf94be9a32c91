//! Images as a source: metadata now, layers when they are asked for.

use std::sync::Arc;

use cleanbill_core::layer::LayerReader;
use cleanbill_core::{DiffId, ImageReference};

use super::RegistryClient;
use super::blob::BlobReader;
use super::host::Host;
use super::manifest::Fetched;
use crate::blob::BlobSpec;
use crate::config::{LayerFacts, ParsedConfig};
use crate::http::display_url;
use crate::layer::TarLayer;
use crate::oci::{Descriptor, Document, Manifest, Platform, select_manifest};
use crate::{Image, ImageError, LayerSink, LayerSource};

/// Indexes that may name each other before there must be an image.
const INDEX_DEPTH_MAX: usize = 4;

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
        let diff_ids = config.diff_ids().to_vec();
        // Trivy prints the digest even where the blob is not compressed and it equals the diff id.
        let facts = manifest.layers.iter().map(|layer| LayerFacts {
            digest: Some(layer.digest),
            size_bytes: None,
        });
        let mut metadata = config.into_metadata(repo_tags(reference), facts);
        metadata.repo_digests.push(repo_digest);
        Ok(Image {
            name: name.to_owned(),
            source: "registry",
            access: format!("pulled from {}", display_url(host.base())),
            layers: Arc::new(RegistryLayers {
                client: self.clone(),
                repository: reference.repository.clone(),
                diff_ids,
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
    ) -> Result<ParsedConfig, ImageError> {
        let digest = manifest.config.digest;
        let fetched = self.fetch_small_blob(host, &reference.repository, digest)?;
        let what = format!("configuration {}", fetched.what);
        let limits = &self.context().limits;
        ParsedConfig::parse(&fetched.bytes, &what, manifest.layers.len(), limits)
    }
}

fn refuse_other_artifacts(manifest: &Manifest, name: &str) -> Result<(), ImageError> {
    if manifest.is_image() {
        return Ok(());
    }
    let media_type = &manifest.config.media_type;
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
    diff_ids: Vec<DiffId>,
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
            content_digest: Some(diff_id.0),
            ..BlobSpec::default()
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
