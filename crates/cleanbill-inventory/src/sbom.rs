//! SBOMs in place of an image: what a document lists, as if it had been found in one.
//!
//! Source: Trivy 0.74.0 `pkg/fanal/artifact/sbom/sbom.go`, `pkg/sbom/io/decode.go`.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::image::{ImageMetadata, LayerMetadata};
use cleanbill_core::inventory::ImageInventory;
use cleanbill_core::package::LayerId;
use cleanbill_core::{DiffId, Digest, Package};

use crate::draft::LayerDraft;
pub use crate::extractors::sbom::SbomFormat;
use crate::extractors::sbom::{self, Contents, ImageFacts, Origin};
use crate::kept::Kept;
use crate::merge::{LayerInput, MergeOptions, merge};

/// Holds what an SBOM says.
#[derive(Debug)]
pub struct SbomDocument {
    /// The format that it is written in.
    pub format: SbomFormat,
    /// What it says about the image that it describes, if it is one.
    pub metadata: ImageMetadata,
    /// What it lists.
    pub inventory: ImageInventory,
}

/// Says why a document cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SbomReadError(#[from] sbom::SbomError);

/// Reads an SBOM: CycloneDX in JSON or XML, SPDX in JSON or tag-value form, each of these JSON
/// documents in an in-toto statement, with or without its envelope, or in a Sigstore bundle.
///
/// # Errors
///
/// The format is unknown, or the document is malformed.
pub fn read_sbom(bytes: &[u8], options: &MergeOptions) -> Result<SbomDocument, SbomReadError> {
    let (format, contents) = sbom::read(&Kept::from(bytes), Origin::User, &options.limits)?;
    let metadata = metadata(&contents.image);
    // The document stands for a layer, which is then forgotten.
    let layer = LayerId {
        digest: None,
        diff_id: DiffId(Digest::of(bytes)),
    };
    let mut inventory = merge_one(layer, contents, options);
    let applications = inventory.applications.iter_mut();
    let in_applications = applications.flat_map(|application| &mut application.packages);
    for package in inventory.packages.iter_mut().chain(in_applications) {
        forget_layer(package, layer);
    }
    Ok(SbomDocument {
        format,
        metadata,
        inventory,
    })
}

fn merge_one(layer: LayerId, contents: Contents, options: &MergeOptions) -> ImageInventory {
    let mut draft = LayerDraft::new(Arc::clone(&options.limits));
    draft.begin("", "");
    draft.keep_license_names();
    if let Some((family, name)) = &contents.distro {
        let distro = Distro {
            family: Family::new(family),
            name: name.clone(),
            ..Distro::default()
        };
        draft.add_distro_record("", distro, false);
    }
    contents.put_into(&mut draft, "");
    let inventory = draft.finish(Default::default());
    let input = LayerInput::new(layer, &inventory);
    merge(&[input], &[], options).inventory
}

fn forget_layer(package: &mut Package, layer: LayerId) {
    package.layer.take_if(|stated| *stated == layer);
}

/// Takes over what makes sense of what the document says about an image.
fn metadata(image: &ImageFacts) -> ImageMetadata {
    let diff_ids = image.diff_ids.iter().filter_map(|text| text.parse().ok());
    let layer = |diff_id| LayerMetadata {
        id: LayerId {
            digest: None,
            diff_id,
        },
        size_bytes: None,
        created_by: String::new(),
    };
    ImageMetadata {
        image_id: image.image_id.parse().ok(),
        repo_tags: image.repo_tags.clone(),
        repo_digests: image.repo_digests.clone(),
        layers: diff_ids.map(layer).collect(),
        ..ImageMetadata::default()
    }
}
