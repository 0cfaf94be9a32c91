//! Chooses the image of a layout.

use cleanbill_core::Digest;

use super::Layout;
use crate::ImageError;
use crate::input::Selection;
use crate::oci::{Descriptor, Document, Index, Manifest, Platform};

/// Indexes within each other that are followed. One within the layout's own is usual.
const NESTING_MAX: usize = 8;

/// Finds the manifest that was asked for.
pub(super) fn select(
    layout: &Layout<'_>,
    selection: Option<&Selection>,
    platform: Option<&Platform>,
) -> Result<Manifest, ImageError> {
    let Document::Index(index) = layout.index()? else {
        return Err(ImageError::Malformed {
            what: layout.what(super::INDEX_FILE),
            reason: "it is a manifest, not an index".to_owned(),
        });
    };
    let index = Index {
        manifests: selected(index.manifests, selection),
    };
    let found = find(layout, &index, platform, NESTING_MAX)?;
    found.ok_or_else(|| {
        let what = match (selection, platform) {
            (Some(selection), Some(platform)) => format!("'{selection}' for {platform}"),
            (Some(selection), None) => format!("'{selection}'"),
            (None, Some(platform)) => format!("an image for {platform}"),
            (None, None) => "an image".to_owned(),
        };
        ImageError::NotFound {
            what,
            place: layout.store.place(),
        }
    })
}

/// Keeps the entries that have the reference name or the digest.
fn selected(entries: Vec<Descriptor>, selection: Option<&Selection>) -> Vec<Descriptor> {
    let fits = |entry: &Descriptor| match selection {
        None => true,
        Some(Selection::Tag(tag)) => {
            entry.ref_name() == Some(tag.as_str()) || entry.digest.to_string() == *tag
        }
        Some(Selection::Digest(digest)) => entry.digest == *digest,
    };
    entries.into_iter().filter(fits).collect()
}

/// Finds the first image, or the first for the platform. A single image that does not state its
/// platform is taken for any, as Trivy does.
fn find(
    layout: &Layout<'_>,
    index: &Index,
    platform: Option<&Platform>,
    nesting: usize,
) -> Result<Option<Manifest>, ImageError> {
    let images: Vec<&Descriptor> = index
        .manifests
        .iter()
        .filter(|entry| !entry.is_attestation())
        .collect();
    for entry in &images {
        let offered = entry.platform.as_ref();
        let is_other = platform
            .zip(offered)
            .is_some_and(|(wanted, offered)| !wanted.accepts(offered));
        if is_other {
            continue;
        }
        match layout.document(entry)? {
            Document::Index(_) if nesting == 0 => {
                return Err(ImageError::Malformed {
                    what: layout.what(&format!("index {}", entry.digest)),
                    reason: format!("more than {NESTING_MAX} indexes lie within each other"),
                });
            }
            Document::Index(index) => {
                let found = find(layout, &index, platform, nesting - 1)?;
                if found.is_some() {
                    return Ok(found);
                }
                if platform.is_none() {
                    return Ok(None);
                }
            }
            Document::Manifest(manifest) => {
                let is_unsure = platform.is_some() && offered.is_none() && images.len() > 1;
                if !is_unsure || fits_config(layout, &manifest, platform)? {
                    return Ok(Some(manifest));
                }
            }
        }
    }
    Ok(None)
}

/// Looks into the configuration for the platform.
fn fits_config(
    layout: &Layout<'_>,
    manifest: &Manifest,
    platform: Option<&Platform>,
) -> Result<bool, ImageError> {
    let Some(wanted) = platform else {
        return Ok(true);
    };
    let digest: &Digest = &manifest.config.digest;
    let what = layout.what(&format!("configuration {digest}"));
    let offered: Platform = crate::oci::parse_json(
        &layout.blob(&manifest.config)?,
        &what,
        &layout.context.limits,
    )?;
    Ok(wanted.accepts(&offered))
}
