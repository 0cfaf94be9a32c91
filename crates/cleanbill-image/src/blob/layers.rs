//! Layers that lie as blobs in files of the host.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use cleanbill_core::layer::LayerReader;

use super::BlobSpec;
use crate::file::open_regular;
use crate::layer::TarLayer;
use crate::tar::SectionSource;
use crate::{ImageError, LayerSink, LayerSource, ReadContext};

/// Says where a blob lies.
#[derive(Clone, Debug)]
pub(crate) enum BlobPlace {
    /// A whole file, opened when it is read.
    File(PathBuf),
    /// A range of a file.
    Section {
        /// The file.
        file: Arc<File>,
        /// Where the blob begins.
        offset: u64,
        /// How many bytes it has.
        size_bytes: u64,
    },
}

/// Says where a layer lies and what it should be.
#[derive(Clone, Debug)]
pub(crate) struct LayerBlob {
    pub(crate) place: BlobPlace,
    pub(crate) spec: BlobSpec,
}

/// Offers the layers of an image whose blobs lie in files, in any order and several at once.
#[derive(Debug)]
pub(crate) struct BlobLayers {
    blobs: Vec<LayerBlob>,
    context: ReadContext,
}

impl BlobLayers {
    /// Takes the layers, base first.
    pub(crate) fn new(blobs: Vec<LayerBlob>, context: ReadContext) -> Self {
        Self { blobs, context }
    }
}

impl LayerSource for BlobLayers {
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError> {
        let LayerBlob { place, spec } =
            self.blobs.get(index).ok_or_else(|| ImageError::NotFound {
                what: format!("layer {index}"),
                place: format!("an image of {} layers", self.blobs.len()),
            })?;
        let source = match place {
            BlobPlace::File(path) => {
                let (file, size_bytes) = open_regular(path)?;
                SectionSource::new(Arc::new(file), 0, size_bytes)
            }
            BlobPlace::Section {
                file,
                offset,
                size_bytes,
            } => SectionSource::new(file.clone(), *offset, *size_bytes),
        };
        Ok(Box::new(TarLayer::new(
            source,
            spec.clone(),
            self.context.clone(),
        )))
    }

    fn stored_size_bytes(&self, index: usize) -> Option<u64> {
        self.blobs.get(index).and_then(|blob| blob.spec.size_bytes)
    }

    fn read_all(&self, sink: &mut dyn LayerSink) -> Result<(), ImageError> {
        for index in 0..self.blobs.len() {
            sink.layer(self.open_layer(index)?.as_mut())?;
        }
        Ok(())
    }
}
