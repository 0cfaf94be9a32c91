//! The stored configuration, out of an export.

use std::collections::BTreeMap;

use cleanbill_core::Digest;
use cleanbill_core::image::ImageConfig;
use cleanbill_core::layer::LayerError;

use super::ExportStream;
use super::archive::{Flow, Member};
use crate::ImageError;

/// Reads the configuration out of an export, and no more of it than needed.
///
/// # Errors
///
/// The export fails, or does not hold the configuration under its digest.
pub(in crate::docker) fn stored_config(stream: &ExportStream) -> Result<ImageConfig, ImageError> {
    let mut documents = Documents::default();
    stream.pass(|member| {
        let Member::Document { name, bytes } = member else {
            return Ok(Flow::Continue);
        };
        documents.insert(name, bytes, stream)?;
        Ok(if documents.config(stream.id).is_some() {
            Flow::Stop
        } else {
            Flow::Continue
        })
    })?;
    documents.stored_config(stream)
}

/// Keeps the small documents of an export; all of them together are bounded as one.
#[derive(Debug, Default)]
pub(super) struct Documents {
    by_name: BTreeMap<String, Vec<u8>>,
    size_bytes: u64,
}

impl Documents {
    /// Finds the configuration among them, and verifies it.
    pub(super) fn stored_config(&self, stream: &ExportStream) -> Result<ImageConfig, ImageError> {
        let (name, bytes) = match self.config(stream.id) {
            Some(bytes) => (stream.id.to_hex(), bytes),
            // With the containerd image store the id is that of a manifest.
            None => {
                let name = stream.manifest(self.get("manifest.json"))?.config;
                let bytes = self.get(&name);
                let absent = || stream.malformed(format!("configuration {name} did not come"));
                let bytes = bytes.ok_or_else(absent)?;
                (name, bytes)
            }
        };
        let digest = Digest::of(bytes);
        if !name.contains(&digest.to_hex()) {
            return Err(stream.malformed(format!("configuration {name} has digest {digest}")));
        }
        let what = format!("configuration {name} in the {}", stream.what());
        crate::oci::parse_json(bytes, &what, &stream.context.limits)
    }

    pub(super) fn insert(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        stream: &ExportStream,
    ) -> Result<(), ImageError> {
        let limit = stream.context.limits.manifest_size_bytes_max;
        self.size_bytes = self.size_bytes.saturating_add(bytes.len() as u64);
        if self.size_bytes > limit {
            let what = format!("documents in the {}", stream.what());
            return Err(LayerError::exceeded(what, "manifest_size_bytes_max", limit).into());
        }
        self.by_name.insert(name.to_owned(), bytes);
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.by_name.get(name).map(Vec::as_slice)
    }

    /// Returns the document that an engine without the containerd image store keeps under the
    /// image's id.
    fn config(&self, id: Digest) -> Option<&[u8]> {
        let hex = id.to_hex();
        let blob = || {
            self.get(&format!("blobs/sha256/{hex}"))
                .filter(|bytes| is_config(bytes))
        };
        self.get(&format!("{hex}.json")).or_else(blob)
    }
}

/// Tells a configuration from a manifest: only the former lists diff ids.
fn is_config(bytes: &[u8]) -> bool {
    serde_json::from_slice::<ImageConfig>(bytes)
        .is_ok_and(|config| !config.rootfs.diff_ids.is_empty())
}
