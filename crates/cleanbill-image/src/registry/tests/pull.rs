//! Images: what they say about themselves, and their layers.

use std::collections::HashMap;

use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor, LayerError, LayerReader};
use cleanbill_testkit::{Blob, Compression, ImageBuilder};

use super::*;
use crate::oci::Platform;
use crate::{ImageError, LayerSink};

/// Collects the paths of an image's entries.
#[derive(Default)]
struct Paths(Vec<String>);

impl EntryVisitor for Paths {
    fn visit(&mut self, entry: &EntryHeader<'_>, _: &mut dyn EntryBody) -> io::Result<()> {
        self.0.push(entry.path.to_owned());
        Ok(())
    }
}

impl LayerSink for Paths {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        reader.walk(self).map(drop)
    }
}

/// Answers as a registry that holds these blobs and, under the tag 1, `top`.
fn serve(top: &Blob, others: &[Blob]) -> FakeServer {
    let mut answers = HashMap::new();
    let manifest = |blob: &Blob| {
        Reply::body(blob.bytes.clone()).header("content-type", blob.media_type.clone())
    };
    answers.insert("/v2/app/manifests/1".to_owned(), manifest(top));
    for blob in others.iter().chain([top]) {
        answers.insert(format!("/v2/app/manifests/{}", blob.digest), manifest(blob));
        answers.insert(
            format!("/v2/app/blobs/{}", blob.digest),
            Reply::body(blob.bytes.clone()),
        );
    }
    answers.insert("/v2/".to_owned(), Reply::body("{}"));
    FakeServer::start(move |asked| {
        answers
            .get(&asked.target)
            .cloned()
            .unwrap_or_else(|| Reply::status(404))
    })
}

fn serve_image(image: &ImageBuilder) -> FakeServer {
    let (manifest, blobs) = image.oci_manifest();
    serve(&manifest, &blobs)
}

fn open(
    server: &FakeServer,
    suffix: &str,
    platform: Option<&str>,
) -> Result<crate::Image, ImageError> {
    let name = format!("{}/app{suffix}", server.name());
    let platform: Option<Platform> = platform.map(|text| text.parse().unwrap());
    let reference = name.parse().unwrap();
    Setup::default()
        .client()
        .open_image(&name, &reference, platform.as_ref())
}

#[track_caller]
fn check_refused(image: &ImageBuilder, expected: &str) {
    let error = open(&serve_image(image), ":1", None)
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

fn sample() -> ImageBuilder {
    ImageBuilder::new()
        .layer(|layer| layer.file("etc/a", "1"))
        .created_by("COPY a")
        .layer(|layer| layer.file("etc/b", "2"))
        .created_by("COPY b")
}

#[test]
fn an_image_tells_what_it_is_before_a_layer_is_fetched() {
    let image = sample();
    let server = serve_image(&image);
    let opened = open(&server, ":1", None).unwrap();
    let (manifest, blobs) = image.oci_manifest();
    let metadata = &opened.metadata;
    assert_eq!(opened.source, "registry");
    assert_eq!(metadata.image_id.unwrap().to_string(), image.image_id());
    assert_eq!(metadata.repo_tags, [format!("{}/app:1", server.name())]);
    assert_eq!(
        metadata.repo_digests,
        [format!("{}/app@{}", server.name(), manifest.digest)]
    );
    let ids: Vec<String> = metadata
        .layers
        .iter()
        .map(|layer| layer.id.diff_id.to_string())
        .collect();
    assert_eq!(ids, image.diff_ids());
    assert_eq!(
        metadata.layers[1].id.digest.unwrap().to_string(),
        blobs[2].digest
    );
    assert_eq!(metadata.layers[1].created_by, "COPY b");
    assert_eq!(
        opened.layers.stored_size_bytes(1),
        Some(blobs[2].bytes.len() as u64)
    );
    let accept = server
        .asked()
        .iter()
        .filter(|asked| asked.target.contains("manifests"))
        .count();
    assert_eq!((server.log().len(), accept), (3, 1), "a layer was fetched");

    let mut paths = Paths::default();
    opened.layers.read_all(&mut paths).unwrap();
    assert_eq!(paths.0, ["etc/a", "etc/b"]);
    assert!(opened.layers.open_layer(2).is_err());
}

#[test]
fn every_compression_is_read() {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let server = serve_image(&sample().compression(compression));
        let mut paths = Paths::default();
        open(&server, ":1", None)
            .unwrap()
            .layers
            .read_all(&mut paths)
            .unwrap();
        assert_eq!(paths.0, ["etc/a", "etc/b"]);
    }
}

#[test]
fn a_digest_names_an_image_without_tags() {
    let image = sample();
    let server = serve_image(&image);
    let digest = image.oci_manifest().0.digest;
    let opened = open(&server, &format!(":1@{digest}"), None).unwrap();
    assert!(opened.metadata.repo_tags.is_empty());
    assert_eq!(
        opened.metadata.repo_digests,
        [format!("{}/app@{digest}", server.name())]
    );
}

#[test]
fn an_index_gives_the_platform_that_is_asked_for() {
    let arm = sample().platform("linux", "arm64", "v8");
    let amd = sample().platform("linux", "amd64", "");
    let mut blobs = Vec::new();
    let mut entries = Vec::new();
    for (image, architecture) in [(&arm, "arm64"), (&amd, "amd64")] {
        let (manifest, others) = image.oci_manifest();
        let mut entry = manifest.descriptor();
        entry["platform"] = serde_json::json!({ "os": "linux", "architecture": architecture });
        entries.push(entry);
        blobs.push(manifest);
        blobs.extend(others);
    }
    let index_type = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": entries }).to_string();
    let top = Blob::new(index_type, index.into_bytes());
    let index_digest = top.digest.clone();
    let server = serve(&top, &blobs);
    let id = |platform| open(&server, ":1", platform).map(|image| image.metadata);
    let opened = id(Some("linux/arm64")).unwrap();
    assert_eq!(opened.image_id.unwrap().to_string(), arm.image_id());
    // What the reference points at is the index.
    assert_eq!(
        opened.repo_digests,
        [format!("{}/app@{index_digest}", server.name())]
    );
    let host = id(None).unwrap().image_id.unwrap().to_string();
    assert!([arm.image_id(), amd.image_id()].contains(&host));
    let error = id(Some("linux/s390x")).unwrap_err().to_string();
    assert!(
        error.contains("there are: linux/arm64, linux/amd64"),
        "{error}"
    );
}

#[test]
fn indexes_that_name_each_other_end() {
    // A registry may answer every digest with an index that names the next one, for ever; here
    // each names the one before it.
    let index_type = "application/vnd.oci.image.index.v1+json";
    let mut blobs = vec![Blob::new(index_type, br#"{"manifests":[]}"#.to_vec())];
    for _ in 0..6 {
        let mut entry = blobs.last().unwrap().descriptor();
        entry["platform"] = serde_json::json!({ "os": "linux", "architecture": "amd64" });
        let index = serde_json::json!({ "schemaVersion": 2, "manifests": [entry] }).to_string();
        blobs.push(Blob::new(index_type, index.into_bytes()));
    }
    let server = serve(&blobs.pop().unwrap(), &blobs);
    let error = open(&server, ":1", Some("linux/amd64"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("nested too deep"), "{error}");
}

#[test]
fn what_is_no_image_is_refused_by_name() {
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    check_refused(&sample().layer_media_type(foreign), "foreign layer sha256:");
    let (mut manifest, blobs) = sample().oci_manifest();
    let helm = "application/vnd.cncf.helm.config.v1+json";
    let text = String::from_utf8(manifest.bytes).unwrap();
    let text = text.replace("application/vnd.oci.image.config.v1+json", helm);
    manifest = Blob::new(&manifest.media_type, text.into_bytes());
    let error = open(&serve(&manifest, &blobs), ":1", None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("artifact of type {helm}, no image")),
        "{error}"
    );
    let schema_1 = Blob::new(
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        br#"{"schemaVersion":1,"fsLayers":[],"history":[]}"#.to_vec(),
    );
    let error = open(&serve(&schema_1, &[]), ":1", None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("schema 1"), "{error}");
}

#[test]
fn an_image_that_contradicts_itself_is_refused() {
    check_refused(&sample().lying_diff_id("sha256:xyz"), "rootfs.diff_ids: ");
    let (manifest, mut blobs) = sample().oci_manifest();
    let other = sample()
        .layer(|layer| layer.file("c", "3"))
        .oci_manifest()
        .0;
    let text = String::from_utf8(other.bytes).unwrap();
    let config = blobs.remove(0);
    let other_config = sample().layer(|layer| layer.file("c", "3")).image_id();
    let text = text.replace(&other_config, &config.digest);
    blobs.push(config);
    let top = Blob::new(&manifest.media_type, text.into_bytes());
    let error = open(&serve(&top, &blobs), ":1", None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("rootfs.diff_ids has 2 layers, the manifest 3"),
        "{error}"
    );
}

#[track_caller]
fn check_layer_refused(image: &ImageBuilder, expected: &str) {
    let opened = open(&serve_image(image), ":1", None).unwrap();
    let error = opened
        .layers
        .read_all(&mut Paths::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn layers_are_compared_with_what_the_image_states() {
    let zeros = format!("sha256:{}", "0".repeat(64));
    check_layer_refused(
        &sample().lying_diff_id(&zeros),
        &format!("expected {zeros}"),
    );
    // The registry serves the blob under the digest that the manifest states.
    check_layer_refused(&sample().lying_digest(&zeros), &format!("expected {zeros}"));
    check_layer_refused(&sample().lying_size(5), "layer sha256:");
}
