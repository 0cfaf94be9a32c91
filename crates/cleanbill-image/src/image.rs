//! An opened image.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use cleanbill_core::image::{ImageConfig, ImageMetadata};
use cleanbill_core::layer::{LayerError, LayerReader};

use crate::ImageError;

/// Holds an opened image.
#[derive(Clone)]
pub struct Image {
    /// The name by which reports call it: as the user gave it.
    pub name: String,
    /// The source, by the word that reports print: `docker`, `docker-archive`, `oci-layout`,
    /// `registry`, `rootfs` …
    pub source: &'static str,
    /// How the bytes are reached (`overlay2 in place`, `export stream` …), for the log.
    pub access: String,
    /// What the image says about itself. Every layer has its diff id.
    pub metadata: ImageMetadata,
    /// Opens the layers.
    pub layers: Arc<dyn LayerSource>,
}

impl Image {
    /// Completes the metadata with what came by when the layers were read, see
    /// [`LayerSource::late_config`]. To be asked after that.
    ///
    /// # Errors
    ///
    /// The configuration cannot be had, or is one of other layers.
    pub fn completed(&self) -> Result<Cow<'_, Self>, ImageError> {
        let Some(config) = self.layers.late_config()? else {
            return Ok(Cow::Borrowed(self));
        };
        let mut image = self.clone();
        let layers = &mut image.metadata.layers;
        let is_same = config.diff_ids().is_ok_and(|diff_ids| {
            layers.len() == diff_ids.len()
                && layers
                    .iter()
                    .zip(&diff_ids)
                    .all(|(layer, diff_id)| layer.id.diff_id == *diff_id)
        });
        if !is_same {
            return Err(ImageError::Malformed {
                what: format!("configuration of image {}", self.name),
                reason: "it lists other layers than the engine does".to_owned(),
            });
        }
        let history = config.layer_history(layers.len()).unwrap_or_default();
        for (layer, entry) in layers.iter_mut().zip(history) {
            layer.created_by.clone_from(&entry.created_by);
        }
        image.metadata.config = config;
        Ok(Cow::Owned(image))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("name", &self.name)
            .field("source", &self.source)
            .field("access", &self.access)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// Opens the layers of one image.
pub trait LayerSource: Send + Sync {
    /// Opens the layer at `index` (0 is the base).
    ///
    /// # Errors
    ///
    /// The layer is not there or cannot be reached.
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError>;

    /// Says that opening one layer costs about as much as reading all of them (one stream holds
    /// them): then [`LayerSource::read_all`] is the way to read several.
    fn is_sequential(&self) -> bool {
        false
    }

    /// Says that a layer's diff id is the digest of its content, so that its inventory may be
    /// kept under it. A directory on disk has no such identity.
    fn is_content_addressed(&self) -> bool {
        true
    }

    /// Returns the stored configuration, where opening the image left it out because it stands in
    /// one stream with the layers: after these were read it costs nothing, before it costs a pass
    /// of its own. `None` where the metadata are complete.
    ///
    /// # Errors
    ///
    /// It is needed, and cannot be had.
    fn late_config(&self) -> Result<Option<ImageConfig>, ImageError> {
        Ok(None)
    }

    /// Returns the bytes of a layer as it is stored, where known: layers are read largest first.
    fn stored_size_bytes(&self, _index: usize) -> Option<u64> {
        None
    }

    /// Streams every layer once, in the order in which they are stored. Each is walked by the
    /// sink and identified by the diff id of the summary that the walk returns.
    ///
    /// # Errors
    ///
    /// The stream failed, is malformed, or does not hold what the image states.
    fn read_all(&self, sink: &mut dyn LayerSink) -> Result<(), ImageError>;
}

/// Takes layers as they come by.
pub trait LayerSink {
    /// Walks one layer.
    ///
    /// # Errors
    ///
    /// The walk failed.
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError>;
}
