//! The directories that containerd has unpacked layers into.
//!
//! Only the overlay driver is read, which nearly everybody has: each snapshot is one layer there. A
//! snapshot is found by the chain id of its layer; containerd names it so once the layer has been
//! unpacked and its diff id has been verified.
//!
//! Source: containerd `plugins/snapshots/overlay/overlay.go`, `core/snapshots/storage/bolt.go`.

use std::path::Path;
use std::sync::Arc;

use cleanbill_core::DiffId;

use super::metadata::Metadata;
use crate::directory::OverlayAttributes;
use crate::docker::chain_ids;
use crate::unpacked::{UnpackedLayer, UnpackedLayers, obstacle};
use crate::{Capabilities, ImageError, LayerSource, ReadContext};

const DRIVER: &str = "overlayfs";
const DIRECTORY: &str = "io.containerd.snapshotter.v1.overlayfs";

/// Finds snapshots.
pub(super) struct Snapshots<'a> {
    pub(super) root: &'a Path,
    pub(super) metadata: &'a Metadata,
    pub(super) capabilities: Capabilities,
    pub(super) context: &'a ReadContext,
}

impl Snapshots<'_> {
    /// Offers the snapshots of layers.
    ///
    /// # Errors
    ///
    /// One of them is not there, or may not be read.
    pub(super) fn layers(
        &self,
        namespace: &str,
        diff_ids: &[DiffId],
    ) -> Result<Arc<dyn LayerSource>, ImageError> {
        if let Some(reason) = obstacle(self.capabilities) {
            return Err(ImageError::Unauthorized {
                place: "containerd's snapshots".to_owned(),
                reason: reason.to_owned(),
            });
        }
        let directory = self.root.join(DIRECTORY);
        let driver = Metadata::read(&directory.join("metadata.db"), self.context)?;
        let mut layers = Vec::with_capacity(diff_ids.len());
        for chain_id in chain_ids(diff_ids) {
            let name = chain_id.to_string();
            let key = self.metadata.snapshot_key(namespace, DRIVER, &name)?;
            let number = match key {
                Some(key) => driver.snapshot_number(&key)?,
                None => None,
            };
            let number = number.ok_or_else(|| ImageError::NotFound {
                what: format!("snapshot {name} of a layer whose blob was thrown away"),
                place: directory.display().to_string(),
            })?;
            layers.push(UnpackedLayer {
                directory: directory.join(format!("snapshots/{number}/fs")),
                size_bytes: None,
            });
        }
        Ok(Arc::new(UnpackedLayers {
            layers,
            attributes: OverlayAttributes::Trusted,
            // A snapshot is renamed before it is removed, which its directory shows.
            is_kept: Arc::new(|| Ok(())),
            context: self.context.clone(),
        }))
    }
}
