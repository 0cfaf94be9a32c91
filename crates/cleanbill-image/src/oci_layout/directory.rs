//! A layout that lies in a directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blob::{BlobLayers, BlobPlace, Compression, LayerBlob};
use crate::file::{Bound, open_regular, read_document};
use crate::members::{MemberStore, StoredLayer, WantedLayer};
use crate::tar::SectionSource;
use crate::{ImageError, LayerSource, ReadContext};

/// Reads members as files below a directory. Their names are constants and digests.
pub(super) struct LayoutDirectory<'a> {
    root: &'a Path,
    context: &'a ReadContext,
}

impl<'a> LayoutDirectory<'a> {
    pub(super) fn new(root: &'a Path, context: &'a ReadContext) -> Self {
        Self { root, context }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn is_there(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }
}

impl MemberStore for LayoutDirectory<'_> {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn access(&self) -> &'static str {
        "layout directory"
    }

    fn find_document(&self, name: &str) -> Result<Option<Vec<u8>>, ImageError> {
        if !self.is_there(name) {
            return Ok(None);
        }
        let bound = Bound::of_document(&self.context.limits);
        read_document(&self.path(name), bound).map(Some)
    }

    fn find_layer(&self, name: &str) -> Result<Option<StoredLayer>, ImageError> {
        if !self.is_there(name) {
            return Ok(None);
        }
        let (file, size_bytes) = open_regular(&self.path(name))?;
        let start = SectionSource::new(Arc::new(file), 0, size_bytes);
        let compression = Compression::of_start(start, &self.path(name).display().to_string())?;
        Ok(Some(StoredLayer::new(compression, size_bytes)))
    }

    fn layers(&self, wanted: Vec<WantedLayer>) -> Result<Arc<dyn LayerSource>, ImageError> {
        let place = |layer: WantedLayer| LayerBlob {
            place: BlobPlace::File(self.path(&layer.name)),
            spec: layer.spec,
        };
        let blobs = wanted.into_iter().map(place).collect();
        Ok(Arc::new(BlobLayers::new(blobs, self.context.clone())))
    }
}
