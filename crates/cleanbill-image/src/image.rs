//! An opened image.

use std::fmt;
use std::sync::Arc;

use cleanbill_core::image::ImageMetadata;
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
