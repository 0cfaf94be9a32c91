//! Chooses the image of a layout.

use cleanbill_core::{Digest, ImageReference};

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

/// Keeps the entries that were asked for: by reference name or digest as in Trivy, else by the
/// full name that containerd writes beside them.
fn selected(entries: Vec<Descriptor>, selection: Option<&Selection>) -> Vec<Descriptor> {
    let keep = |fits: &dyn Fn(&Descriptor) -> bool| -> Vec<Descriptor> {
        entries
            .iter()
            .filter(|entry| fits(entry))
            .cloned()
            .collect()
    };
    match selection {
        None => entries,
        Some(Selection::Digest(digest)) => keep(&|entry| entry.digest == *digest),
        Some(Selection::Tag(tag)) => {
            let found = keep(&|entry| {
                entry.ref_name() == Some(tag.as_str()) || entry.digest.to_string() == *tag
            });
            if found.is_empty() {
                keep(&|entry| has_full_name(entry, tag))
            } else {
                found
            }
        }
    }
}

/// Source: containerd `core/images/annotations.go`.
fn has_full_name(entry: &Descriptor, wanted: &str) -> bool {
    let full = |text: &str| {
        text.parse::<ImageReference>()
            .ok()
            .map(|one| one.to_string())
    };
    entry
        .annotations
        .get("io.containerd.image.name")
        .is_some_and(|name| {
            name == wanted || full(wanted).is_some_and(|one| full(name) == Some(one))
        })
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
