use std::fs;

use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor, LayerError, LayerReader};
use cleanbill_testkit::{Blob, Compression, ImageBuilder, OciLayoutBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{InputOptions, LayerSink, open_input};

use super::*;

struct Ignore;

impl EntryVisitor for Ignore {
    fn visit(&mut self, _: &EntryHeader<'_>, _: &mut dyn EntryBody) -> std::io::Result<()> {
        Ok(())
    }
}

impl LayerSink for Ignore {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        reader.walk(self).map(drop)
    }
}

fn image(architecture: &str, variant: &str) -> ImageBuilder {
    ImageBuilder::new()
        .layer(|layer| {
            layer
                .file("architecture", architecture)
                .file("variant", variant)
        })
        .platform("linux", architecture, variant)
}

fn written(layout: &OciLayoutBuilder) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    layout.write(directory.path()).unwrap();
    directory
}

/// Opens a layout, reads all layers, and says for which architecture the image is.
fn open(layout: &OciLayoutBuilder, selection: &str, platform: &str) -> Result<String, String> {
    let directory = written(layout);
    let path = directory.path().to_str().unwrap();
    let options = InputOptions {
        platform: (!platform.is_empty()).then(|| platform.parse().unwrap()),
        ..InputOptions::default()
    };
    let text = |error: ImageError| error.to_string().replace(path, "DIR");
    let images = open_input(&format!("{path}{selection}"), &options, &mut Ignore).map_err(text)?;
    images[0].layers.read_all(&mut Ignore).map_err(text)?;
    let config = &images[0].metadata.config;
    Ok(format!("{}{}", config.architecture, config.variant))
}

#[track_caller]
fn check_error(layout: &OciLayoutBuilder, expected: &str) {
    let error = open(layout, "", "").unwrap_err();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn every_compression_is_read() {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let image = image("amd64", "").compression(compression).tag("1");
        let directory = written(&OciLayoutBuilder::new().image(&image));
        let path = directory.path().to_str().unwrap();
        let images = open_input(path, &InputOptions::default(), &mut Ignore).unwrap();
        let metadata = &images[0].metadata;
        assert_eq!(
            (images[0].name.as_str(), images[0].source),
            (path, "oci-layout")
        );
        assert_eq!(metadata.image_id.unwrap().to_string(), image.image_id());
        assert_eq!(metadata.repo_tags, Vec::<String>::new());
        let digest = metadata.layers[0].id.digest.unwrap().to_string();
        assert_eq!(digest, image.layer_blobs()[0].digest);
        images[0].layers.read_all(&mut Ignore).unwrap();
        assert!(images[0].layers.stored_size_bytes(0).is_some());
    }
}

#[test]
fn images_are_chosen_by_name_and_digest() {
    let (one, two) = (image("amd64", "").tag("one"), image("arm64", "").tag("two"));
    let layout = OciLayoutBuilder::new().image(&one).image(&two);
    assert_eq!(open(&layout, "", "").unwrap(), "amd64");
    assert_eq!(open(&layout, ":two", "").unwrap(), "arm64");
    let digest = two.oci_manifest().0.digest;
    assert_eq!(open(&layout, &format!("@{digest}"), "").unwrap(), "arm64");
    assert_eq!(
        open(&layout, ":three", "").unwrap_err(),
        "'three' not found in DIR"
    );
    let other = two.image_id();
    assert!(
        open(&layout, &format!("@{other}"), "")
            .unwrap_err()
            .contains("not found in DIR")
    );
}

#[test]
fn a_layout_of_several_names_gives_all_of_them() {
    let (one, two) = (image("amd64", "").tag("one"), image("arm64", "").tag("two"));
    let again = one.clone().tag("again");
    let layout = OciLayoutBuilder::new()
        .image(&one)
        .image(&two)
        .image(&again)
        .index("three", &[&image("s390x", ""), &image("arm", "v7")]);
    let directory = written(&layout);
    let path = directory.path().to_str().unwrap();
    let opened = |argument: &str, platform: &str| -> Vec<(String, String)> {
        let options = InputOptions {
            platform: (!platform.is_empty()).then(|| platform.parse().unwrap()),
            ..InputOptions::default()
        };
        let images = open_input(argument, &options, &mut Ignore).unwrap();
        let name = |name: &str| name.replace(path, "DIR");
        images
            .iter()
            .map(|image| {
                (
                    name(&image.name),
                    image.metadata.config.architecture.clone(),
                )
            })
            .collect()
    };
    let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter()
            .map(|(name, architecture)| ((*name).to_owned(), (*architecture).to_owned()))
            .collect()
    };
    assert_eq!(
        opened(path, ""),
        pairs(&[
            ("DIR:one", "amd64"),
            ("DIR:two", "arm64"),
            ("DIR:three", "s390x")
        ])
    );
    assert_eq!(opened(path, "linux/arm64"), pairs(&[("DIR", "arm64")]));
    assert_eq!(
        opened(&format!("{path}:two"), ""),
        pairs(&[("DIR:two", "arm64")])
    );
}

#[test]
fn images_are_chosen_by_the_name_that_containerd_writes() {
    let (manifest, blobs) = image("arm64", "").oci_manifest();
    let mut entry = manifest.descriptor();
    entry["annotations"] = json!({
        "org.opencontainers.image.ref.name": "3.19",
        "io.containerd.image.name": "docker.io/library/alpine:3.19",
    });
    let mut layout = OciLayoutBuilder::new()
        .image(&image("amd64", ""))
        .entry(entry, manifest);
    for blob in blobs {
        layout = layout.entry(not_an_image(), blob);
    }
    for name in ["3.19", "alpine:3.19", "docker.io/library/alpine:3.19"] {
        assert_eq!(open(&layout, &format!(":{name}"), "").unwrap(), "arm64");
    }
    assert!(open(&layout, ":alpine:3.20", "").is_err());
}

#[test]
fn platforms_are_chosen() {
    let (amd, arm) = (image("amd64", ""), image("arm64", "v8"));
    let layout = OciLayoutBuilder::new().index("latest", &[&amd, &arm]);
    assert_eq!(open(&layout, "", "").unwrap(), "amd64");
    assert_eq!(open(&layout, "", "linux/arm64").unwrap(), "arm64v8");
    assert_eq!(
        open(&layout, ":latest", "linux/arm64/v8").unwrap(),
        "arm64v8"
    );
    assert_eq!(
        open(&layout, "", "linux/s390x").unwrap_err(),
        "an image for linux/s390x not found in DIR"
    );
    // Entries that do not state a platform are looked into, unless there is one only.
    let bare = OciLayoutBuilder::new().image(&amd).image(&arm);
    assert_eq!(open(&bare, "", "linux/arm64").unwrap(), "arm64v8");
    assert!(open(&bare, "", "linux/s390x").is_err());
    assert_eq!(
        open(&OciLayoutBuilder::new().image(&amd), "", "linux/s390x").unwrap(),
        "amd64"
    );
}

#[test]
fn attestations_are_passed_over() {
    let attestation = Blob::new(MANIFEST, b"{}".to_vec());
    let mut entry = attestation.descriptor();
    entry["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    let layout = OciLayoutBuilder::new()
        .entry(entry, attestation)
        .image(&image("amd64", ""));
    assert_eq!(open(&layout, "", "").unwrap(), "amd64");
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[test]
fn indexes_within_indexes_are_bounded() {
    let (mut manifest, blobs) = image("amd64", "").oci_manifest();
    let mut layout = OciLayoutBuilder::new();
    let mut depths = Vec::new();
    for blob in blobs {
        layout = layout.entry(not_an_image(), blob);
    }
    for _ in 0..12 {
        let entry: Value = manifest.descriptor();
        layout = layout.entry(not_an_image(), manifest);
        depths.push(
            layout
                .clone()
                .entry(entry.clone(), Blob::new("", Vec::new())),
        );
        manifest = Blob::new(
            INDEX,
            json!({ "schemaVersion": 2, "manifests": [entry] })
                .to_string()
                .into_bytes(),
        );
    }
    let results: Vec<bool> = depths
        .iter()
        .map(|layout| open(layout, "", "").is_ok())
        .collect();
    assert_eq!(results, [vec![true; 9], vec![false; 3]].concat());
    check_error(&depths[11], "indexes lie within each other");
}

/// An entry that is never chosen.
fn not_an_image() -> Value {
    json!({
        "digest": cleanbill_testkit::digest(b""),
        "platform": { "os": "unknown", "architecture": "unknown" },
    })
}

#[test]
fn hostile_layouts_are_refused() {
    let layout = |image: ImageBuilder| OciLayoutBuilder::new().image(&image);
    let other = cleanbill_testkit::digest(b"other");
    check_error(
        &layout(image("amd64", "").lying_digest(&other)),
        "has digest",
    );
    check_error(
        &layout(image("amd64", "").lying_diff_id(&other)),
        "diff id of layer",
    );
    check_error(
        &layout(image("amd64", "").lying_size(1)),
        "more than the 1 bytes",
    );
    check_error(
        &layout(image("amd64", "").lying_size(1 << 40)),
        "it ends after",
    );
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    check_error(
        &layout(image("amd64", "").layer_media_type(foreign)),
        "foreign layer",
    );
    check_error(
        &layout(image("amd64", "").config("rootfs", json!({ "diff_ids": [] }))),
        "rootfs.diff_ids has 0 layers, the manifest 1",
    );
    check_error(&OciLayoutBuilder::new(), "an image not found in DIR");
    check_error(
        &OciLayoutBuilder::new()
            .entry(json!({ "digest": "sha256:../../x" }), Blob::new("", vec![])),
        "is not a digest",
    );
    check_error(
        &OciLayoutBuilder::new().entry(json!({ "digest": other }), Blob::new("", vec![])),
        "not found in DIR",
    );
}

#[test]
fn blobs_that_were_altered_are_refused() {
    let image = image("amd64", "").compression(Compression::Gzip);
    let (manifest, blobs) = image.oci_manifest();
    for digest in [&manifest.digest, &blobs[0].digest, &blobs[1].digest] {
        let directory = written(&OciLayoutBuilder::new().image(&image));
        let hex = digest.strip_prefix("sha256:").unwrap();
        let blob = directory.path().join("blobs/sha256").join(hex);
        let mut bytes = fs::read(&blob).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&blob, bytes).unwrap();
        let path = directory.path().to_str().unwrap();
        let read = open_input(path, &InputOptions::default(), &mut Ignore)
            .and_then(|images| images[0].layers.read_all(&mut Ignore));
        let error = read.unwrap_err().to_string();
        assert!(error.contains("digest"), "{error}");
    }
}
