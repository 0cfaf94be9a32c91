//! Builds images, right ones and hostile ones, in every form in which a file can hold them.

mod archive;
mod blob;
mod layout;

use std::fmt::Write as _;

use serde_json::{Value, json};

pub use archive::docker_archive_of;
pub use blob::{Blob, Compression, gzip, zstd};
pub use layout::OciLayoutBuilder;

use crate::layer::LayerBuilder;

/// Builds one image. The same calls give the same bytes.
///
/// ```text
/// let archive = ImageBuilder::new()
///     .layer(|l| l.file("etc/alpine-release", "3.19.1\n"))
///     .layer(|l| l.whiteout("etc/motd"))
///     .tag("alpine:3.19")
///     .docker_archive();
/// ```
#[derive(Clone, Debug)]
pub struct ImageBuilder {
    layers: Vec<Layer>,
    tags: Vec<String>,
    config: Value,
    history: Vec<Value>,
    compression: Compression,
}

/// A layer as it was asked for.
#[derive(Clone, Debug)]
struct Layer {
    tar: Vec<u8>,
    compression: Option<Compression>,
    stored: Option<Vec<u8>>,
    stated_diff_id: Option<String>,
    stated_digest: Option<String>,
    stated_size: Option<u64>,
    media_type: Option<String>,
}

impl Default for ImageBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ImageBuilder {
    /// Begins an image for linux/amd64 without layers.
    pub fn new() -> Self {
        Self {
            layers: Vec::new(),
            tags: Vec::new(),
            config: json!({
                "architecture": "amd64",
                "created": "2026-11-01T00:00:00Z",
                "os": "linux",
                "config": {},
            }),
            history: Vec::new(),
            compression: Compression::None,
        }
    }

    /// Adds a layer on top.
    #[must_use]
    pub fn layer(self, build: impl FnOnce(LayerBuilder) -> LayerBuilder) -> Self {
        let tar = build(LayerBuilder::new()).build();
        self.layer_tar(tar)
    }

    /// Adds a layer of which the tar is given.
    #[must_use]
    pub fn layer_tar(mut self, tar: impl Into<Vec<u8>>) -> Self {
        let number = self.layers.len();
        self.history.push(json!({
            "created": "2026-11-01T00:00:00Z",
            "created_by": format!("RUN step {number}"),
        }));
        self.layers.push(Layer {
            tar: tar.into(),
            compression: None,
            stored: None,
            stated_diff_id: None,
            stated_digest: None,
            stated_size: None,
            media_type: None,
        });
        self
    }

    /// Sets how layers are stored that do not say so themselves. Default: uncompressed.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets how the last layer is stored.
    #[must_use]
    pub fn layer_compression(mut self, compression: Compression) -> Self {
        self.last_layer().compression = Some(compression);
        self
    }

    /// Stores other bytes in place of the last layer; its diff id stays that of the tar.
    #[must_use]
    pub fn layer_stored_as(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.last_layer().stored = Some(bytes.into());
        self
    }

    /// States another diff id for the last layer.
    #[must_use]
    pub fn lying_diff_id(mut self, diff_id: &str) -> Self {
        self.last_layer().stated_diff_id = Some(diff_id.to_owned());
        self
    }

    /// States another digest for the last layer (OCI layouts).
    #[must_use]
    pub fn lying_digest(mut self, digest: &str) -> Self {
        self.last_layer().stated_digest = Some(digest.to_owned());
        self
    }

    /// States another size for the last layer (OCI layouts).
    #[must_use]
    pub fn lying_size(mut self, size_bytes: u64) -> Self {
        self.last_layer().stated_size = Some(size_bytes);
        self
    }

    /// States another media type for the last layer (OCI layouts).
    #[must_use]
    pub fn layer_media_type(mut self, media_type: &str) -> Self {
        self.last_layer().media_type = Some(media_type.to_owned());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// Sets operating system and architecture, and the variant of the latter if not empty.
    #[must_use]
    pub fn platform(self, os: &str, architecture: &str, variant: &str) -> Self {
        let image = self
            .config("os", json!(os))
            .config("architecture", json!(architecture));
        if variant.is_empty() {
            image
        } else {
            image.config("variant", json!(variant))
        }
    }

    /// Sets a member of the configuration: `architecture`, `config`, `rootfs`, anything.
    #[must_use]
    pub fn config(mut self, member: &str, value: Value) -> Self {
        self.config[member] = value;
        self
    }

    /// Sets the history line of the last layer.
    #[must_use]
    pub fn created_by(mut self, command: &str) -> Self {
        if let Some(entry) = self.history.last_mut() {
            entry["created_by"] = json!(command);
        }
        self
    }

    /// Adds a history line without a layer.
    #[must_use]
    pub fn empty_history(mut self, command: &str) -> Self {
        self.history.push(json!({
            "created": "2026-11-01T00:00:00Z",
            "created_by": command,
            "empty_layer": true,
        }));
        self
    }

    /// Returns the configuration.
    pub fn config_json(&self) -> Vec<u8> {
        let mut config = self.config.clone();
        if config.get("rootfs").is_none() {
            let diff_ids: Vec<String> = self.layers.iter().map(Layer::diff_id).collect();
            config["rootfs"] = json!({ "type": "layers", "diff_ids": diff_ids });
        }
        if config.get("history").is_none() {
            config["history"] = json!(self.history);
        }
        to_json(&config)
    }

    /// Returns the digest of the configuration, by which engines know the image.
    pub fn image_id(&self) -> String {
        digest(&self.config_json())
    }

    /// Returns the diff ids as the configuration states them.
    pub fn diff_ids(&self) -> Vec<String> {
        self.layers.iter().map(Layer::diff_id).collect()
    }

    /// Returns the layers as they are stored, base first.
    pub fn layer_blobs(&self) -> Vec<Blob> {
        self.layers
            .iter()
            .map(|layer| layer.blob(self.compression))
            .collect()
    }

    /// Returns the OCI manifest, and every blob it names with the configuration first.
    pub fn oci_manifest(&self) -> (Blob, Vec<Blob>) {
        let config = Blob::new(
            "application/vnd.oci.image.config.v1+json",
            self.config_json(),
        );
        let layers = self.layer_blobs();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": layout::MANIFEST_TYPE,
            "config": config.descriptor(),
            "layers": layers.iter().map(Blob::descriptor).collect::<Vec<_>>(),
        });
        let manifest = Blob::new(layout::MANIFEST_TYPE, to_json(&manifest));
        (manifest, std::iter::once(config).chain(layers).collect())
    }

    fn last_layer(&mut self) -> &mut Layer {
        self.layers
            .last_mut()
            .expect("a layer was added before it is changed")
    }
}

impl Layer {
    fn diff_id(&self) -> String {
        self.stated_diff_id
            .clone()
            .unwrap_or_else(|| digest(&self.tar))
    }

    fn blob(&self, default: Compression) -> Blob {
        let compression = self.compression.unwrap_or(default);
        let bytes = self
            .stored
            .clone()
            .unwrap_or_else(|| compression.apply(&self.tar));
        let media_type = self
            .media_type
            .as_deref()
            .unwrap_or(compression.media_type());
        let mut blob = Blob::new(media_type, bytes);
        if let Some(digest) = &self.stated_digest {
            digest.clone_into(&mut blob.digest);
        }
        if let Some(size) = self.stated_size {
            blob.size_bytes = size;
        }
        blob
    }
}

/// Returns `sha256:<hex>` of a slice.
pub fn digest(bytes: &[u8]) -> String {
    cleanbill_core::Digest::of(bytes).to_string()
}

fn hex_of(digest: &str) -> &str {
    digest.split_once(':').map_or(digest, |(_, hex)| hex)
}

fn to_json(value: &Value) -> Vec<u8> {
    let mut text = String::new();
    write!(text, "{value}").expect("writing to a string does not fail");
    text.into_bytes()
}
