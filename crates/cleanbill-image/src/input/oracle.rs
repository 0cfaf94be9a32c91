//! Opens every image of the shared oracle and compares with what Trivy printed about it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cleanbill_core::DiffId;
use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor, LayerError, LayerReader};
use serde_json::{Value, json};

use crate::{Image, InputOptions, LayerSink, open_input};

#[derive(Default)]
struct Sizes {
    by_diff_id: BTreeMap<DiffId, u64>,
    content_size: u64,
}

impl EntryVisitor for Sizes {
    fn visit(&mut self, _: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        self.content_size += io::copy(body, &mut io::sink())?;
        Ok(())
    }
}

impl LayerSink for Sizes {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        let summary = reader.walk(self)?;
        self.by_diff_id
            .insert(summary.diff_id.unwrap(), summary.size_bytes.unwrap());
        Ok(())
    }
}

fn oracle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle")
}

/// Returns what Trivy prints as `Metadata`, as far as this crate knows it.
fn metadata(image: &Image, sizes: &Sizes) -> Value {
    let metadata = &image.metadata;
    let layers: Vec<Value> = metadata
        .layers
        .iter()
        .map(|layer| {
            let size = sizes.by_diff_id[&layer.id.diff_id];
            assert!(layer.size_bytes.is_none_or(|stated| stated == size));
            let mut value = json!({ "DiffID": layer.id.diff_id.to_string(), "Size": size });
            if let Some(digest) = layer.id.digest {
                value["Digest"] = json!(digest.to_string());
            }
            value
        })
        .collect();
    let size: u64 = layers
        .iter()
        .filter_map(|layer| layer["Size"].as_u64())
        .sum();
    let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["DiffID"]).collect();
    json!({
        "ImageID": metadata.image_id.map(|id| id.to_string()),
        "DiffIDs": diff_ids,
        "RepoTags": metadata.repo_tags,
        "Size": size,
        "Layers": layers,
    })
}

fn open(path: &Path) -> (Image, Sizes) {
    let mut sizes = Sizes::default();
    let argument = path.to_str().unwrap();
    let mut images = open_input(argument, &InputOptions::default(), &mut sizes).unwrap();
    let image = images.pop().unwrap();
    assert!(images.is_empty());
    for index in 0..image.metadata.layers.len() {
        let mut again = Sizes::default();
        again
            .layer(image.layers.open_layer(index).unwrap().as_mut())
            .unwrap();
        sizes.by_diff_id.extend(again.by_diff_id);
    }
    (image, sizes)
}

#[test]
fn every_image_is_what_trivy_says() {
    let Ok(images) = fs::read_dir(oracle().join("images")) else {
        eprintln!("skipped: the shared oracle is not here");
        return;
    };
    let mut count = 0;
    for entry in images {
        let path = entry.unwrap().path();
        let file_name = path.file_name().unwrap().to_str().unwrap();
        let name = file_name.strip_suffix(".tar.gz").unwrap_or(file_name);
        let (image, sizes) = open(&path);
        // Some images have no report, because Trivy's is not what is right about them.
        let Ok(expected) = fs::read(oracle().join(format!("expected/{name}.json"))) else {
            continue;
        };
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let expected = &expected["Metadata"];
        for (member, actual) in metadata(&image, &sizes).as_object().unwrap() {
            // Trivy leaves out what is empty.
            let is_empty = actual == &json!([]) || actual == &json!(0);
            let is_equal = &expected[member] == actual || (is_empty && expected[member].is_null());
            assert!(
                is_equal,
                "{name}: {member}: {actual} instead of {}",
                expected[member]
            );
        }
        count += 1;
    }
    assert!(count > 100, "only {count} images");
}
