//! OCI layouts: a directory, or an archive of one.
//!
//! Source: OCI image-spec 1.1 image-layout.md; spec 03 section 1.2 for what is chosen. Of what has
//! one name it is, as in Trivy, the first image unless a reference or a platform says otherwise.
//! Trivy takes the first of a whole layout; a layout of several names gives all of them, as a Docker
//! archive does.

mod directory;
mod select;

use std::path::Path;
use std::sync::Arc;

use cleanbill_core::layer::LayerError;
use cleanbill_core::{DiffId, Digest};

use crate::blob::BlobSpec;
use crate::config::{LayerFacts, ParsedConfig};
use crate::input::Selection;
use crate::members::{MemberStore, WantedLayer};
use crate::oci::{Descriptor, Document, Manifest, Platform};
use crate::{Image, ImageError, LayerSource, ReadContext};

use directory::LayoutDirectory;

/// The file that lists the images of a layout.
pub(crate) const INDEX_FILE: &str = "index.json";

/// Says whether a directory is a layout.
pub(crate) fn is_layout(directory: &Path) -> bool {
    directory.join(INDEX_FILE).is_file()
}

/// Opens the images of a layout that lies in a directory.
///
/// # Errors
///
/// No image of it was asked for, or the image is incomplete or malformed.
pub(crate) fn open_directory(
    name: &str,
    directory: &Path,
    selection: Option<&Selection>,
    platform: Option<&Platform>,
    context: &ReadContext,
) -> Result<Vec<Image>, ImageError> {
    let store = LayoutDirectory::new(directory, context);
    open(&store, name, selection, platform, context)
}

/// Opens the images of a layout: what was asked for, or one of each name.
///
/// # Errors
///
/// As [`open_directory`].
pub(crate) fn open(
    store: &dyn MemberStore,
    name: &str,
    selection: Option<&Selection>,
    platform: Option<&Platform>,
    context: &ReadContext,
) -> Result<Vec<Image>, ImageError> {
    let layout = Layout { store, context };
    let selected = select::select(&layout, selection, platform)?;
    let has_several = selected.len() > 1;
    selected
        .iter()
        .map(|one| match &one.name {
            Some(own) if has_several => layout.image(&format!("{name}:{own}"), &one.manifest),
            _ => layout.image(name, &one.manifest),
        })
        .collect()
}

/// Names an image of a directory of blobs that has no index of its own.
pub(crate) struct Target<'a> {
    /// What reports call it.
    pub(crate) name: &'a str,
    /// The place, for errors.
    pub(crate) place: &'a str,
    /// The manifest or index.
    pub(crate) descriptor: &'a Descriptor,
    /// The platform to take of an index.
    pub(crate) platform: &'a Platform,
    /// The platform was asked for: no other will do.
    pub(crate) is_platform_named: bool,
}

/// Offers layers whose blobs are not there, by their diff ids.
pub(crate) type Unpacked<'a> = &'a dyn Fn(&[DiffId]) -> Result<Arc<dyn LayerSource>, ImageError>;

/// Opens an image whose blobs lie in a directory.
///
/// # Errors
///
/// As [`open_directory`], and those of `unpacked` where blobs of layers are not there.
pub(crate) fn open_target(
    directory: &Path,
    target: &Target<'_>,
    unpacked: Unpacked<'_>,
    context: &ReadContext,
) -> Result<Image, ImageError> {
    let store = LayoutDirectory::new(directory, context);
    let layout = Layout {
        store: &store,
        context,
    };
    let manifest = select::select_target(&layout, target)?;
    let is_there = |layer: &Descriptor| {
        let stored = store.find_layer(&blob_name(&layer.digest));
        stored.map(|stored| stored.is_some())
    };
    let mut are_there = true;
    for layer in &manifest.layers {
        are_there &= is_there(layer)?;
    }
    let mut image = if are_there {
        layout.image(target.name, &manifest)?
    } else {
        layout.unpacked_image(target.name, &manifest, unpacked)?
    };
    // An engine's own layers are printed by the digest of what is stored compressed.
    for (layer, stored) in image.metadata.layers.iter_mut().zip(&manifest.layers) {
        layer.id.digest = stored.digest_if_compressed();
    }
    Ok(image)
}

/// Reads the documents of a layout.
struct Layout<'a> {
    store: &'a dyn MemberStore,
    context: &'a ReadContext,
}

impl Layout<'_> {
    /// Reads the list of the layout's images.
    fn index(&self) -> Result<Document, ImageError> {
        let bytes = self.store.document(INDEX_FILE)?;
        Document::parse(&bytes, None, &self.what(INDEX_FILE), &self.context.limits)
    }

    /// Reads the document that a descriptor points at, and verifies it.
    fn document(&self, descriptor: &Descriptor) -> Result<Document, ImageError> {
        let bytes = self.blob(descriptor)?;
        let what = self.what(&format!("manifest {}", descriptor.digest));
        Document::parse(
            &bytes,
            Some(&descriptor.media_type),
            &what,
            &self.context.limits,
        )
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, ImageError> {
        let bytes = self.store.document(&blob_name(&descriptor.digest))?;
        let expected = descriptor.digest;
        let what = || self.what(&format!("blob {expected}"));
        LayerError::check_digest(what, expected, Digest::of(&bytes))?;
        Ok(bytes)
    }

    fn config(&self, manifest: &Manifest) -> Result<ParsedConfig, ImageError> {
        let bytes = self.blob(&manifest.config)?;
        let what = self.what(&format!("configuration {}", manifest.config.digest));
        ParsedConfig::parse(&bytes, &what, manifest.layers.len(), &self.context.limits)
    }

    fn image(&self, name: &str, manifest: &Manifest) -> Result<Image, ImageError> {
        let config = self.config(manifest)?;
        let mut wanted = Vec::new();
        let mut facts = Vec::new();
        for (layer, diff_id) in manifest.layers.iter().zip(config.diff_ids()) {
            let member = blob_name(&layer.digest);
            let stored = self
                .store
                .find_layer(&member)?
                .ok_or_else(|| self.store.not_found(&member))?;
            // Trivy prints the digest of every layer here, compressed or not.
            facts.push(LayerFacts {
                digest: Some(layer.digest),
                size_bytes: stored.content_size_bytes,
            });
            wanted.push(WantedLayer {
                spec: BlobSpec {
                    what: self.what(&format!("layer {}", layer.digest)),
                    digest: Some(layer.digest),
                    size_bytes: Some(layer.size_bytes),
                    content_digest: Some(diff_id.0),
                    ..BlobSpec::default()
                },
                name: member,
            });
        }
        let layers = self.store.layers(wanted)?;
        Ok(Image {
            name: name.to_owned(),
            source: "oci-layout",
            access: self.store.access().to_owned(),
            metadata: config.into_metadata(Vec::new(), facts),
            layers,
        })
    }

    /// Describes an image of which others hold the layers.
    fn unpacked_image(
        &self,
        name: &str,
        manifest: &Manifest,
        unpacked: Unpacked<'_>,
    ) -> Result<Image, ImageError> {
        let config = self.config(manifest)?;
        let layers = unpacked(config.diff_ids())?;
        let facts = vec![LayerFacts::default(); manifest.layers.len()];
        Ok(Image {
            name: name.to_owned(),
            source: "oci-layout",
            access: "unpacked layers in place".to_owned(),
            metadata: config.into_metadata(Vec::new(), facts),
            layers,
        })
    }

    fn what(&self, part: &str) -> String {
        format!("{part} of {}", self.store.place())
    }
}

/// Returns the name of the member that holds a blob. A digest is hex digits, so the name never
/// leads elsewhere.
fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.to_hex())
}

#[cfg(test)]
mod tests;
