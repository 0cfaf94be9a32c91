//! Docker archives: `manifest.json` and what it names.

use serde::Deserialize;

use cleanbill_core::ImageReference;

use crate::blob::BlobSpec;
use crate::config::{LayerFacts, ParsedConfig};
use crate::input::Selection;
use crate::members::{ArchiveStore, WantedLayer};
use crate::oci::{or_default, parse_json};
use crate::{Image, ImageError, ReadContext};

/// The file that lists the images of an archive.
pub(super) const MANIFEST_FILE: &str = "manifest.json";

/// One image of an archive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Element {
    config: String,
    #[serde(default, deserialize_with = "or_default")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    layers: Vec<String>,
}

/// Opens the images that were asked for, or all.
pub(super) fn open(
    archive: &dyn ArchiveStore,
    manifest: &[u8],
    name: &str,
    path: &str,
    selection: Option<&Selection>,
    context: &ReadContext,
) -> Result<Vec<Image>, ImageError> {
    let what = format!("'{MANIFEST_FILE}' in {path}");
    let elements: Vec<Element> = parse_json(manifest, &what, &context.limits)?;
    let offered: Vec<&str> = elements
        .iter()
        .flat_map(|one| &one.repo_tags)
        .map(String::as_str)
        .take(20)
        .collect();
    let offered = offered.join(", ");
    let elements = match selection {
        Some(Selection::Tag(tag)) => tagged(&elements, tag),
        Some(Selection::Digest(_)) | None => elements.iter().collect(),
    };
    let mut images = Vec::new();
    for element in elements {
        let image = open_image(archive, element, name, context)?;
        let is_wanted = match selection {
            Some(Selection::Digest(digest)) => image.metadata.image_id == Some(*digest),
            Some(Selection::Tag(_)) | None => true,
        };
        if is_wanted {
            images.push(image);
        }
    }
    if images.is_empty() {
        let what = selection.map_or("an image".to_owned(), |one| format!("'{one}'"));
        let place = format!("{path} (there are: {offered})");
        return Err(ImageError::NotFound { what, place });
    }
    if images.len() > 1 {
        for image in &mut images {
            image.name = name_of(image, path);
        }
    }
    Ok(images)
}

/// Finds the images that have a tag: in full, or else by what follows its colon.
fn tagged<'a>(elements: &'a [Element], tag: &str) -> Vec<&'a Element> {
    let full = |text: &str| {
        text.parse::<ImageReference>()
            .ok()
            .map(|one| one.to_string())
    };
    let wanted = full(tag);
    let is_same = |one: &String| one == tag || (wanted.is_some() && full(one) == wanted);
    let is_tag = |one: &String| one.rsplit_once(':').is_some_and(|(_, short)| short == tag);
    let having = |fits: &dyn Fn(&String) -> bool| -> Vec<&'a Element> {
        elements
            .iter()
            .filter(|element| element.repo_tags.iter().any(fits))
            .collect()
    };
    let found = having(&is_same);
    if found.is_empty() {
        having(&is_tag)
    } else {
        found
    }
}

/// Names one of several images of an archive.
fn name_of(image: &Image, path: &str) -> String {
    match (image.metadata.repo_tags.first(), image.metadata.image_id) {
        (Some(tag), _) => format!("{path}:{tag}"),
        (None, Some(id)) => format!("{path}@{id}"),
        (None, None) => path.to_owned(),
    }
}

fn open_image(
    archive: &dyn ArchiveStore,
    element: &Element,
    name: &str,
    context: &ReadContext,
) -> Result<Image, ImageError> {
    let config_bytes = archive.document(&element.config)?;
    let what = format!("configuration '{}' in {}", element.config, archive.place());
    let config = ParsedConfig::parse(&config_bytes, &what, element.layers.len(), &context.limits)?;
    let mut wanted = Vec::new();
    let mut facts = Vec::new();
    let mut prints_digests = None;
    for (layer, diff_id) in element.layers.iter().zip(config.diff_ids()) {
        let stored = archive
            .find_layer(layer)?
            .ok_or_else(|| archive.not_found(layer))?;
        // As in Trivy, the first layer decides whether layers have digests of their own.
        let prints_digest = *prints_digests.get_or_insert(stored.is_compressed);
        let digest = if prints_digest && stored.is_compressed {
            Some(archive.layer_digest(layer)?)
        } else {
            prints_digest.then_some(diff_id.0)
        };
        facts.push(LayerFacts {
            digest,
            size_bytes: stored.content_size_bytes,
        });
        wanted.push(WantedLayer {
            name: layer.clone(),
            spec: BlobSpec {
                what: format!("layer '{layer}' in {}", archive.place()),
                content_digest: Some(diff_id.0),
                ..BlobSpec::default()
            },
        });
    }
    let layers = archive.layers(wanted)?;
    Ok(Image {
        name: name.to_owned(),
        source: "docker-archive",
        access: archive.access().to_owned(),
        metadata: config.into_metadata(element.repo_tags.clone(), facts),
        layers,
    })
}
