//! OCI layouts, as directories and as tars.

use std::path::Path;
use std::{fs, io};

use serde_json::{Value, json};

use super::{Blob, ImageBuilder, hex_of, to_json};
use crate::tar::RawTar;

pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// Builds an OCI layout.
#[derive(Clone, Debug, Default)]
pub struct OciLayoutBuilder {
    entries: Vec<Value>,
    blobs: Vec<Blob>,
}

impl OciLayoutBuilder {
    /// Begins an empty layout.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an image, with its last tag as reference name if it has any.
    #[must_use]
    pub fn image(mut self, image: &ImageBuilder) -> Self {
        let mut entry = self.add_manifest(image);
        if let Some(tag) = image.tags.last() {
            entry["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
        }
        self.entries.push(entry);
        self
    }

    /// Adds an image with any reference name.
    #[must_use]
    pub fn image_named(mut self, name: &str, image: &ImageBuilder) -> Self {
        let mut entry = self.add_manifest(image);
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        self.entries.push(entry);
        self
    }

    /// Adds an index of several images, one per platform.
    #[must_use]
    pub fn index(mut self, name: &str, images: &[&ImageBuilder]) -> Self {
        let manifests: Vec<Value> = images
            .iter()
            .map(|image| {
                let mut entry = self.add_manifest(image);
                let member = |name: &str| image.config.get(name).cloned().unwrap_or(json!(""));
                entry["platform"] = json!({
                    "os": member("os"),
                    "architecture": member("architecture"),
                    "variant": member("variant"),
                });
                entry
            })
            .collect();
        let index = json!({
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": manifests,
        });
        let index = Blob::new(INDEX_TYPE, to_json(&index));
        let mut entry = index.descriptor();
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        self.entries.push(entry);
        self.blobs.push(index);
        self
    }

    /// Adds a blob, and an entry of `index.json` for it.
    #[must_use]
    pub fn entry(mut self, entry: Value, blob: Blob) -> Self {
        self.entries.push(entry);
        self.blobs.push(blob);
        self
    }

    /// Returns the layout as a tar.
    pub fn tar(&self) -> Vec<u8> {
        self.write_tar(RawTar::new()).finish()
    }

    /// Writes the members into an archive that may get others.
    #[must_use]
    pub fn write_tar(&self, tar: RawTar) -> RawTar {
        self.members()
            .into_iter()
            .fold(tar, |tar, (name, bytes)| tar.file(&name, &bytes))
    }

    /// Writes the layout into a directory.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory.join("blobs/sha256"))?;
        for (name, bytes) in self.members() {
            fs::write(directory.join(name), bytes)?;
        }
        Ok(())
    }

    fn members(&self) -> Vec<(String, Vec<u8>)> {
        let index = json!({ "schemaVersion": 2, "manifests": self.entries });
        let mut members = vec![
            (
                "oci-layout".to_owned(),
                br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
            ),
            ("index.json".to_owned(), to_json(&index)),
        ];
        for blob in &self.blobs {
            let name = format!("blobs/sha256/{}", hex_of(&blob.digest));
            if members.iter().all(|(other, _)| *other != name) {
                members.push((name, blob.bytes.clone()));
            }
        }
        members
    }

    fn add_manifest(&mut self, image: &ImageBuilder) -> Value {
        let (manifest, blobs) = image.oci_manifest();
        let descriptor = manifest.descriptor();
        self.blobs.extend(blobs);
        self.blobs.push(manifest);
        descriptor
    }
}

impl ImageBuilder {
    /// Returns the image as an OCI layout in a tar.
    pub fn oci_layout_tar(&self) -> Vec<u8> {
        OciLayoutBuilder::new().image(self).tar()
    }

    /// Writes the image as an OCI layout into a directory.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn write_oci_layout(&self, directory: &Path) -> io::Result<()> {
        OciLayoutBuilder::new().image(self).write(directory)
    }
}
