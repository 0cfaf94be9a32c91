//! Layers that somebody else has unpacked into directories of an overlay file system.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use cleanbill_core::layer::{EntryVisitor, LayerError, LayerReader, LayerSummary};

use crate::directory::{DirectoryLayer, OverlayAttributes};
use crate::local::Check;
use crate::{Capabilities, ImageError, LayerSink, LayerSource, ReadContext};

/// One unpacked layer.
pub(crate) struct UnpackedLayer {
    pub(crate) directory: PathBuf,
    /// Bytes of the tar stream that it was unpacked from, where known.
    pub(crate) size_bytes: Option<u64>,
}

/// Offers the layers of one image, base first.
pub(crate) struct UnpackedLayers {
    pub(crate) layers: Vec<UnpackedLayer>,
    pub(crate) attributes: OverlayAttributes,
    /// Says whether the owner still keeps the layers, beside their directories.
    pub(crate) is_kept: Check,
    pub(crate) context: ReadContext,
}

/// Says why unpacked layers cannot be read rightly, if that is so: files of other users, and marks
/// of hidden directories that look absent to who may not see them.
pub(crate) fn obstacle(capabilities: Capabilities) -> Option<&'static str> {
    if !capabilities.can_read_any_file {
        return Some(
            "reading all files needs CAP_DAC_READ_SEARCH outside of user namespaces, as root has",
        );
    }
    (!capabilities.can_read_trusted_attributes).then_some(
        "reading the marks of hidden directories needs CAP_SYS_ADMIN, as root of the host has",
    )
}

impl UnpackedLayers {
    fn layer(&self, index: usize) -> Result<UnpackedReader<'_>, ImageError> {
        let layer = self.layers.get(index).ok_or_else(|| ImageError::NotFound {
            what: format!("layer {index}"),
            place: format!("an image of {} layers", self.layers.len()),
        })?;
        Ok(UnpackedReader {
            layers: self,
            layer,
        })
    }
}

impl LayerSource for UnpackedLayers {
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError> {
        Ok(Box::new(self.layer(index)?))
    }

    fn stored_size_bytes(&self, index: usize) -> Option<u64> {
        self.layers.get(index)?.size_bytes
    }

    fn read_all(&self, sink: &mut dyn LayerSink) -> Result<(), ImageError> {
        for index in 0..self.layers.len() {
            sink.layer(&mut self.layer(index)?)?;
        }
        Ok(())
    }
}

struct UnpackedReader<'a> {
    layers: &'a UnpackedLayers,
    layer: &'a UnpackedLayer,
}

impl LayerReader for UnpackedReader<'_> {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        let directory = &self.layer.directory;
        let failed = |source| LayerError::Read {
            what: directory.display().to_string(),
            source,
        };
        let before = identity(directory).map_err(failed)?;
        let UnpackedLayers {
            attributes,
            context,
            ..
        } = self.layers;
        let mut reader = DirectoryLayer::overlay(directory, *attributes, context);
        let summary = reader.walk(visitor)?;
        // Part of its files may have been gone before their directory was read.
        let is_same = identity(directory).is_ok_and(|after| after == before);
        let kept = if is_same {
            (self.layers.is_kept)()
        } else {
            Err("its directory is gone".to_owned())
        };
        kept.map_err(|reason| {
            failed(io::Error::other(format!(
                "the layer was removed while it was read: {reason}"
            )))
        })?;
        Ok(LayerSummary {
            size_bytes: self.layer.size_bytes,
            ..summary
        })
    }
}

fn identity(directory: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::metadata(directory)?;
    Ok((metadata.dev(), metadata.ino()))
}
