//! Docker archives: what `docker save` writes.

use serde_json::json;

use super::{ImageBuilder, OciLayoutBuilder, gzip, hex_of, to_json, zstd};
use crate::tar::RawTar;

impl ImageBuilder {
    /// Returns a Docker archive as engines before 25 wrote it.
    pub fn docker_archive(&self) -> Vec<u8> {
        docker_archive_of(&[self])
    }

    /// Returns a Docker archive, compressed as a whole.
    pub fn docker_archive_gz(&self) -> Vec<u8> {
        gzip(&self.docker_archive())
    }

    /// Returns a Docker archive, compressed as a whole with zstd.
    pub fn docker_archive_zst(&self) -> Vec<u8> {
        zstd(&self.docker_archive())
    }

    /// Returns a Docker archive as engines from 25 on write it: an OCI layout with `manifest.json`
    /// beside `index.json`.
    pub fn docker_archive_oci(&self) -> Vec<u8> {
        let blob = |digest: &str| format!("blobs/sha256/{}", hex_of(digest));
        let (_, blobs) = self.oci_manifest();
        let mut names = blobs.iter().map(|one| blob(&one.digest));
        let manifest = json!([{
            "Config": names.next(),
            "RepoTags": self.tags,
            "Layers": names.collect::<Vec<_>>(),
        }]);
        OciLayoutBuilder::new()
            .image(self)
            .write_tar(RawTar::new())
            .file("manifest.json", &to_json(&manifest))
            .finish()
    }

    /// Returns the element of `manifest.json` and the members that it names.
    fn docker_members(&self) -> (serde_json::Value, Vec<(String, Vec<u8>)>) {
        let config = self.config_json();
        let config_name = format!("{}.json", hex_of(&self.image_id()));
        let mut members = Vec::new();
        let mut layer_names = Vec::new();
        for (layer, blob) in self.layers.iter().zip(self.layer_blobs()) {
            let directory = hex_of(&super::digest(&layer.tar)).to_owned();
            let name = format!("{directory}/layer.tar");
            members.push((format!("{directory}/VERSION"), b"1.0".to_vec()));
            members.push((
                format!("{directory}/json"),
                format!("{{\"id\":\"{directory}\"}}").into(),
            ));
            members.push((name.clone(), blob.bytes));
            layer_names.push(name);
        }
        members.push((config_name.clone(), config));
        let element = json!({
            "Config": config_name,
            "RepoTags": if self.tags.is_empty() { json!(null) } else { json!(self.tags) },
            "Layers": layer_names,
        });
        (element, members)
    }
}

/// Returns a Docker archive of several images. Members that they share are written once.
pub fn docker_archive_of(images: &[&ImageBuilder]) -> Vec<u8> {
    let mut tar = RawTar::new();
    let mut manifest = Vec::new();
    let mut written = Vec::new();
    for image in images {
        let (element, members) = image.docker_members();
        manifest.push(element);
        for (name, bytes) in members {
            if !written.contains(&name) {
                tar = tar.file(&name, &bytes);
                written.push(name);
            }
        }
    }
    tar.file("manifest.json", &to_json(&json!(manifest)))
        .finish()
}
