//! Root directories: one pseudo layer, read in place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::image::{ImageMetadata, LayerMetadata};
use cleanbill_core::layer::LayerReader;
use cleanbill_core::package::LayerId;
use cleanbill_core::{DiffId, Digest};

use crate::directory::DirectoryLayer;
use crate::{Image, ImageError, LayerSink, LayerSource, ReadContext};

/// Opens a root directory as an image of one layer. The directory may change, so the layer has no
/// identity ([`LayerSource::is_content_addressed`]); its diff id is the digest of the text
/// `rootfs` and only fills the place.
///
/// # Errors
///
/// There is no such directory.
pub fn open_rootfs(directory: &Path, context: &ReadContext) -> Result<Image, ImageError> {
    let name = directory.display().to_string();
    let metadata = std::fs::metadata(directory).map_err(|source| ImageError::Read {
        what: name.clone(),
        source,
    })?;
    if !metadata.is_dir() {
        let reason = "it is no directory (an archive is scanned with --input)".to_owned();
        return Err(ImageError::Unsupported { what: name, reason });
    }
    let layer = LayerMetadata {
        id: LayerId {
            digest: None,
            diff_id: DiffId(Digest::of(b"rootfs")),
        },
        size_bytes: None,
        created_by: String::new(),
    };
    Ok(Image {
        access: format!("directory {name} in place"),
        name,
        source: "rootfs",
        metadata: ImageMetadata {
            layers: vec![layer],
            ..ImageMetadata::default()
        },
        layers: Arc::new(RootDirectory {
            root: directory.to_owned(),
            context: context.clone(),
        }),
    })
}

struct RootDirectory {
    root: PathBuf,
    context: ReadContext,
}

impl LayerSource for RootDirectory {
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError> {
        if index > 0 {
            let what = format!("layer {index}");
            return Err(ImageError::NotFound {
                what,
                place: self.root.display().to_string(),
            });
        }
        Ok(Box::new(DirectoryLayer::rootfs(&self.root, &self.context)))
    }

    fn is_content_addressed(&self) -> bool {
        false
    }

    fn read_all(&self, sink: &mut dyn LayerSink) -> Result<(), ImageError> {
        Ok(sink.layer(&mut DirectoryLayer::rootfs(&self.root, &self.context))?)
    }
}
