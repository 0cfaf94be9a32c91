//! Image configurations, and what they say about layers.

use cleanbill_core::image::{ImageConfig, ImageMetadata, LayerMetadata};
use cleanbill_core::layer::LayerError;
use cleanbill_core::package::LayerId;
use cleanbill_core::{DiffId, Digest, Limits};

use crate::ImageError;
use crate::oci::parse_json;

/// Holds a configuration with what is derived from it.
pub(crate) struct ParsedConfig {
    /// The digest of its bytes, which is the image's id.
    id: Digest,
    config: ImageConfig,
    diff_ids: Vec<DiffId>,
}

/// States what is known of a layer apart from the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LayerFacts {
    /// The digest that reports print.
    pub(crate) digest: Option<Digest>,
    /// Bytes of the uncompressed tar stream.
    pub(crate) size_bytes: Option<u64>,
}

impl ParsedConfig {
    /// Reads a configuration. `what` names it in errors.
    ///
    /// # Errors
    ///
    /// It is too large, no configuration, for an operating system that is not supported, or lists
    /// too many layers, or other than `layer_count`.
    pub(crate) fn parse(
        bytes: &[u8],
        what: &str,
        layer_count: usize,
        limits: &Limits,
    ) -> Result<Self, ImageError> {
        let config: ImageConfig = parse_json(bytes, what, limits)?;
        let malformed = |reason| ImageError::Malformed {
            what: what.to_owned(),
            reason,
        };
        if config.os == "windows" {
            return Err(ImageError::Unsupported {
                what: what.to_owned(),
                reason: "it is of an image for Windows".to_owned(),
            });
        }
        let stated = config.rootfs.diff_ids.len();
        if stated as u64 > limits.layers_per_image_max {
            let what = format!("{what} with {stated} layers");
            let max = limits.layers_per_image_max;
            return Err(LayerError::exceeded(what, "layers_per_image_max", max).into());
        }
        if stated != layer_count {
            let reason = format!("rootfs.diff_ids has {stated} layers, the manifest {layer_count}");
            return Err(malformed(reason));
        }
        let diff_ids = config
            .diff_ids()
            .map_err(|error| malformed(format!("rootfs.diff_ids: {error}")))?;
        Ok(Self {
            id: Digest::of(bytes),
            config,
            diff_ids,
        })
    }

    /// Returns the diff ids, base first.
    pub(crate) fn diff_ids(&self) -> &[DiffId] {
        &self.diff_ids
    }

    /// Completes the metadata. `facts` has one element per layer.
    pub(crate) fn into_metadata(
        self,
        repo_tags: Vec<String>,
        facts: impl IntoIterator<Item = LayerFacts>,
    ) -> ImageMetadata {
        let history = self
            .config
            .layer_history(self.diff_ids.len())
            .unwrap_or_default();
        let created_by = history
            .into_iter()
            .map(|entry| entry.created_by.as_str())
            .chain(std::iter::repeat(""));
        let layers = self
            .diff_ids
            .iter()
            .zip(facts)
            .zip(created_by)
            .map(|((diff_id, facts), created_by)| LayerMetadata {
                id: LayerId {
                    digest: facts.digest,
                    diff_id: *diff_id,
                },
                size_bytes: facts.size_bytes,
                created_by: created_by.to_owned(),
            })
            .collect();
        ImageMetadata {
            image_id: Some(self.id),
            repo_tags,
            repo_digests: Vec::new(),
            layers,
            config: self.config,
        }
    }
}
