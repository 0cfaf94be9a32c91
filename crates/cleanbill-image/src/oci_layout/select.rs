//! Chooses the images of a layout.

use cleanbill_core::{Digest, ImageReference};

use super::{Layout, Target};
use crate::ImageError;
use crate::input::Selection;
use crate::oci::{Descriptor, Document, Index, Manifest, Platform};

/// Indexes within each other that are followed. One within the layout's own is usual.
const NESTING_MAX: usize = 8;

/// The annotation in which containerd keeps the full name. Source: containerd
/// `core/images/annotations.go`.
const FULL_NAME_ANNOTATION: &str = "io.containerd.image.name";

/// An image of the layout.
pub(super) struct Selected {
    /// What the layout calls it.
    pub(super) name: Option<String>,
    pub(super) manifest: Manifest,
}

/// Finds the manifests that were asked for: one, or without a selection one of each name. Entries
/// of one name, or without any, are the same image for several platforms.
pub(super) fn select(
    layout: &Layout<'_>,
    selection: Option<&Selection>,
    platform: Option<&Platform>,
) -> Result<Vec<Selected>, ImageError> {
    let Document::Index(index) = layout.index()? else {
        return Err(ImageError::Malformed {
            what: layout.what(super::INDEX_FILE),
            reason: "it is a manifest, not an index".to_owned(),
        });
    };
    let entries = selected(index.manifests, selection);
    let groups = match selection {
        Some(_) => vec![(None, entries)],
        None => by_name(entries),
    };
    let mut found: Vec<Selected> = Vec::new();
    let has_several = groups.len() > 1;
    for (name, manifests) in groups {
        match find(
            layout,
            &Index { manifests },
            platform,
            has_several,
            NESTING_MAX,
        )? {
            // Charts and the like lie beside images; one that is alone is refused when it is opened.
            Some(manifest) if has_several && !manifest.is_image() => tracing::warn!(
                "'{}' in {} is an artifact of type {}, no image",
                name.unwrap_or_default(),
                layout.store.place(),
                manifest.config.media_type
            ),
            found_one => found.extend(found_one.map(|manifest| Selected { name, manifest })),
        }
    }
    if found.is_empty() {
        let what = match (selection, platform) {
            (Some(selection), Some(platform)) => format!("'{selection}' for {platform}"),
            (Some(selection), None) => format!("'{selection}'"),
            (None, Some(platform)) => format!("an image for {platform}"),
            (None, None) => "an image".to_owned(),
        };
        return Err(ImageError::NotFound {
            what,
            place: layout.store.place(),
        });
    }
    Ok(found)
}

/// Groups entries by their names, in the order in which these first occur. A second name of the
/// same image does not count.
fn by_name(entries: Vec<Descriptor>) -> Vec<(Option<String>, Vec<Descriptor>)> {
    let mut groups: Vec<(Option<String>, Vec<Descriptor>)> = Vec::new();
    for entry in entries.into_iter().filter(|entry| !entry.is_attestation()) {
        let is_known = groups
            .iter()
            .flat_map(|(_, group)| group)
            .any(|known| known.digest == entry.digest);
        if is_known {
            continue;
        }
        let full_name = entry.annotations.get(FULL_NAME_ANNOTATION).cloned();
        let name = full_name.or_else(|| entry.ref_name().map(str::to_owned));
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, group)) => group.push(entry),
            None => groups.push((name, vec![entry])),
        }
    }
    groups
}

/// Finds the manifest of an image for a platform. Where none was named, an image that is there for
/// another platform only is taken as well: somebody pulled it for that.
pub(super) fn select_target(
    layout: &Layout<'_>,
    target: &Target<'_>,
) -> Result<Manifest, ImageError> {
    let index = match layout.document(target.descriptor)? {
        Document::Manifest(manifest) => return Ok(manifest),
        Document::Index(index) => index,
    };
    let is_there = |entry: &Descriptor| {
        let found = layout.store.find_document(&super::blob_name(&entry.digest));
        matches!(found, Ok(Some(_)))
    };
    let present = Index {
        manifests: index
            .manifests
            .iter()
            .filter(|entry| is_there(entry))
            .cloned()
            .collect(),
    };
    let found = find(layout, &present, Some(target.platform), false, NESTING_MAX)?;
    let found = match found {
        None if !target.is_platform_named => find(layout, &present, None, false, NESTING_MAX)?,
        found => found,
    };
    found.ok_or_else(|| ImageError::NotFound {
        what: format!("image {} for {}", target.name, target.platform),
        place: target.place.to_owned(),
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

fn has_full_name(entry: &Descriptor, wanted: &str) -> bool {
    let full = |text: &str| {
        text.parse::<ImageReference>()
            .ok()
            .map(|one| one.to_string())
    };
    entry
        .annotations
        .get(FULL_NAME_ANNOTATION)
        .is_some_and(|name| {
            name == wanted || full(wanted).is_some_and(|one| full(name) == Some(one))
        })
}

/// Finds the first image, or the first for the platform. A single image that does not state its
/// platform is taken for any, as Trivy does; not one that `has_others` beside it.
fn find(
    layout: &Layout<'_>,
    index: &Index,
    platform: Option<&Platform>,
    has_others: bool,
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
                let found = find(layout, &index, platform, has_others, nesting - 1)?;
                if found.is_some() {
                    return Ok(found);
                }
                if platform.is_none() {
                    return Ok(None);
                }
            }
            Document::Manifest(manifest) => {
                let has_others = has_others || images.len() > 1;
                let is_unsure = platform.is_some() && offered.is_none() && has_others;
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
