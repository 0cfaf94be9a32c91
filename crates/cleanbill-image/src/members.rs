//! What a Docker archive and an OCI layout have in common, wherever they lie: documents and layers
//! under names.

use std::sync::Arc;

use cleanbill_core::Digest;

use crate::blob::{BlobSpec, Compression};
use crate::{ImageError, LayerSource};

/// Holds the members of an archive or a layout.
pub(crate) trait MemberStore {
    /// Names the place in errors.
    fn place(&self) -> String;

    /// Says in a few words how the bytes are reached, for the log.
    fn access(&self) -> &'static str;

    /// Returns the bytes of a small document; `None` if there is no such member.
    ///
    /// # Errors
    ///
    /// Reading failed, or the document is larger than `manifest_size_bytes_max`.
    fn find_document(&self, name: &str) -> Result<Option<Vec<u8>>, ImageError>;

    /// Tells how a layer is stored; `None` if there is no such member.
    ///
    /// # Errors
    ///
    /// Reading failed, or links lead in a circle.
    fn find_layer(&self, name: &str) -> Result<Option<StoredLayer>, ImageError>;

    /// Offers layers of the store, base first. What they should be, the specs say.
    ///
    /// # Errors
    ///
    /// One of them is not there, or is known to be something else.
    fn layers(&self, wanted: Vec<WantedLayer>) -> Result<Arc<dyn LayerSource>, ImageError>;

    /// Returns a document that has to be there.
    ///
    /// # Errors
    ///
    /// As [`MemberStore::find_document`], or it is not there.
    fn document(&self, name: &str) -> Result<Vec<u8>, ImageError> {
        self.find_document(name)?
            .ok_or_else(|| self.not_found(name))
    }

    /// Builds the error for a member that is not there.
    fn not_found(&self, name: &str) -> ImageError {
        ImageError::NotFound {
            what: format!("'{name}'"),
            place: self.place(),
        }
    }
}

/// Holds the members of an archive, where the digests of layers are stated nowhere.
pub(crate) trait ArchiveStore: MemberStore {
    /// Returns the digest of a layer as it is stored. This may read all of it.
    ///
    /// # Errors
    ///
    /// Reading failed, or it is not there.
    fn layer_digest(&self, name: &str) -> Result<Digest, ImageError>;
}

/// Tells how a layer is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredLayer {
    /// It is compressed.
    pub(crate) is_compressed: bool,
    /// Bytes of the uncompressed tar stream, where known.
    pub(crate) content_size_bytes: Option<u64>,
}

impl StoredLayer {
    /// Describes a layer of `size_bytes` stored bytes.
    pub(crate) fn new(compression: Compression, size_bytes: u64) -> Self {
        let is_compressed = compression != Compression::None;
        Self {
            is_compressed,
            content_size_bytes: (!is_compressed).then_some(size_bytes),
        }
    }
}

/// Asks for a layer.
#[derive(Clone, Debug)]
pub(crate) struct WantedLayer {
    /// The member that holds it.
    pub(crate) name: String,
    /// What it should be.
    pub(crate) spec: BlobSpec,
}
