//! Layers in containerd's content store, where engines with the containerd image store keep them:
//! compressed blobs, each in a file that is named after its digest.
//!
//! Every step is verified by a digest: the image's id is that of a manifest or an index, which
//! names the configuration, which lists the diff ids that the engine states. So it does not matter
//! that the engine may run in another mount namespace; a store of somebody else's does not fit.
//!
//! The engine may have thrown a blob away after unpacking it (containerd's
//! `discard_unpacked_layers`). Then the image is not read in place.
//!
//! Source: containerd `docs/content-flow.md`, `plugins/content/local/store.go`; moby
//! `libcontainerd/supervisor` for the place of an engine's own containerd.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::image::ImageConfig;
use cleanbill_core::{Digest, Limits};

use super::host_file;
use super::metadata::Inspected;
use super::place::{InPlace, NotInPlace, Surroundings, parse_config};
use crate::ReadContext;
use crate::blob::{BlobLayers, BlobPlace, BlobSpec, LayerBlob};
use crate::oci::{Descriptor, Document, Manifest};

const ACCESS: &str = "containerd content store in place";
const CONTENT: &str = "io.containerd.content.v1.content/blobs/sha256";
/// The data directory of a containerd of the host's.
const HOST_CONTAINERD: &str = "/var/lib/containerd";
/// The data directory of an engine's own containerd, below the engine's.
const OWN_CONTAINERD: &str = "containerd/daemon";
/// Manifests of an index that are looked at.
const MANIFESTS_MAX: usize = 256;

/// Finds an image's blobs, or says why they are not to be read.
pub(super) fn find(
    inspected: &Inspected,
    surroundings: &Surroundings<'_>,
) -> Result<InPlace, NotInPlace> {
    find_in(&stores(surroundings), inspected, surroundings)
}

/// Says why no image of the engine can be read in place, if that is so.
pub(super) fn check(surroundings: &Surroundings<'_>) -> Result<(), NotInPlace> {
    let stores = stores(surroundings);
    if stores.iter().any(|store| fs::read_dir(store).is_ok()) {
        return Ok(());
    }
    let stores: Vec<String> = stores
        .iter()
        .map(|store| store.display().to_string())
        .collect();
    Err(NotInPlace::new(format!(
        "no content store can be read at {}",
        stores.join(" or ")
    )))
}

/// Returns the places where the engine's content store may be.
fn stores(surroundings: &Surroundings<'_>) -> [PathBuf; 2] {
    let root = Path::new(&surroundings.info.docker_root_dir);
    let own = root.join(OWN_CONTAINERD).join(CONTENT);
    [own, Path::new(HOST_CONTAINERD).join(CONTENT)]
}

/// Finds an image's blobs in the first of the stores that has the image.
fn find_in(
    stores: &[PathBuf],
    inspected: &Inspected,
    surroundings: &Surroundings<'_>,
) -> Result<InPlace, NotInPlace> {
    if inspected.diff_ids.is_empty() {
        return Err(NotInPlace::new("the engine states no layers"));
    }
    let mut reasons = Vec::new();
    for store in stores {
        let store = ContentStore {
            root: store,
            limits: &surroundings.context.limits,
        };
        match store.image(inspected) {
            Ok(StoredImage { manifest, config }) => {
                let layers = layers(&store, &manifest, inspected, surroundings.context);
                return Ok(InPlace {
                    access: ACCESS,
                    digests: manifest
                        .layers
                        .iter()
                        .map(Descriptor::digest_if_compressed)
                        .collect(),
                    layers: Arc::new(layers),
                    config: Some(config),
                });
            }
            Err(reason) => reasons.push(reason.to_string()),
        }
    }
    Err(NotInPlace::new(reasons.join("; ")))
}

/// Reads the documents of one content store.
struct ContentStore<'a> {
    root: &'a Path,
    limits: &'a Limits,
}

/// Holds the documents of one image.
struct StoredImage {
    manifest: Manifest,
    config: ImageConfig,
}

impl ContentStore<'_> {
    fn path(&self, digest: &Digest) -> PathBuf {
        self.root.join(digest.to_hex())
    }

    /// Reads a document and verifies its digest.
    fn document(&self, digest: &Digest) -> Result<Vec<u8>, NotInPlace> {
        let path = self.path(digest);
        let bytes = host_file::read(&path, self.limits.manifest_size_bytes_max)
            .map_err(|error| NotInPlace::new(format!("cannot read {}: {error}", path.display())))?;
        let actual = Digest::of(&bytes);
        if actual != *digest {
            let reason = format!("{} has digest {actual}", path.display());
            return Err(NotInPlace::new(reason));
        }
        Ok(bytes)
    }

    fn parse(&self, digest: &Digest) -> Result<Document, NotInPlace> {
        let what = format!("manifest {digest}");
        Document::parse(&self.document(digest)?, None, &what, self.limits)
            .map_err(|error| NotInPlace::new(error.to_string()))
    }

    /// Finds the manifest of the image that the engine described: the one whose configuration lists
    /// the diff ids that the engine states, whatever platforms the index holds besides.
    fn image(&self, inspected: &Inspected) -> Result<StoredImage, NotInPlace> {
        match self.parse(&inspected.id)? {
            Document::Manifest(manifest) => self.check(manifest, inspected),
            Document::Index(index) => {
                let images = index
                    .manifests
                    .iter()
                    .filter(|entry| !entry.is_attestation());
                let mut reason = NotInPlace::new(format!("index {} is empty", inspected.id));
                for entry in images.take(MANIFESTS_MAX) {
                    match self
                        .manifest(entry)
                        .and_then(|found| self.check(found, inspected))
                    {
                        Ok(image) => return Ok(image),
                        // Of the other platforms an engine has the index entry only.
                        Err(other) => reason = other,
                    }
                }
                Err(reason)
            }
        }
    }

    fn manifest(&self, entry: &Descriptor) -> Result<Manifest, NotInPlace> {
        match self.parse(&entry.digest)? {
            Document::Manifest(manifest) => Ok(manifest),
            Document::Index(_) => Err(NotInPlace::new(format!(
                "{} is an index within an index",
                entry.digest
            ))),
        }
    }

    fn check(&self, manifest: Manifest, inspected: &Inspected) -> Result<StoredImage, NotInPlace> {
        let digest = manifest.config.digest;
        let config = parse_config(&self.document(&digest)?, &digest, self.limits)?;
        let is_same = config
            .diff_ids()
            .is_ok_and(|diff_ids| diff_ids == inspected.diff_ids);
        if !is_same || manifest.layers.len() != inspected.diff_ids.len() {
            let reason = format!("configuration {digest} lists other layers than the engine");
            return Err(NotInPlace::new(reason));
        }
        for layer in &manifest.layers {
            let path = self.path(&layer.digest);
            let is_there = fs::metadata(&path).is_ok_and(|file| file.len() == layer.size_bytes);
            if !is_there {
                let reason = format!("{} is absent or incomplete", path.display());
                return Err(NotInPlace::new(reason));
            }
        }
        Ok(StoredImage { manifest, config })
    }
}

/// Offers the blobs; each must have its digest and its diff id.
fn layers(
    store: &ContentStore<'_>,
    manifest: &Manifest,
    inspected: &Inspected,
    context: &ReadContext,
) -> BlobLayers {
    let blobs = manifest.layers.iter().zip(&inspected.diff_ids);
    let blobs = blobs.map(|(layer, diff_id)| {
        let path = store.path(&layer.digest);
        let spec = BlobSpec {
            what: path.display().to_string(),
            digest: Some(layer.digest),
            size_bytes: Some(layer.size_bytes),
            content_digest: Some(diff_id.0),
            ..BlobSpec::default()
        };
        LayerBlob {
            place: BlobPlace::File(path),
            spec,
        }
    });
    BlobLayers::new(blobs.collect(), context.clone())
}

#[cfg(test)]
mod tests;
