use std::io;

use cleanbill_core::Limits;
use cleanbill_core::layer::{EntryBody, EntryHeader};
use cleanbill_testkit::{Compression, ImageBuilder};

use super::super::fake_engine::{CHUNKED_HEAD, FakeEngine, Reply};
use super::super::metadata::Inspected;
use super::super::model::ImageInspect;
use super::super::{DockerClient, Timeouts};
use super::*;

/// Collects the paths of layers by diff id.
#[derive(Default)]
struct Paths(Vec<(DiffId, Vec<String>)>);

#[derive(Default)]
struct Visitor(Vec<String>);

impl EntryVisitor for Visitor {
    fn visit(&mut self, entry: &EntryHeader<'_>, _body: &mut dyn EntryBody) -> io::Result<()> {
        self.0.push(entry.path.to_owned());
        Ok(())
    }
}

impl LayerSink for Paths {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        let mut visitor = Visitor::default();
        let summary = reader.walk(&mut visitor)?;
        self.0.push((summary.diff_id.unwrap(), visitor.0));
        Ok(())
    }
}

fn image() -> ImageBuilder {
    ImageBuilder::new()
        .layer(|l| {
            l.file("etc/os-release", "ID=x\n")
                .file("{", "a name as of a document")
        })
        .layer(|l| l.file("srv/a", "a"))
        .layer(|l| l.whiteout("srv/a"))
        .tag("a:1")
}

/// Starts an engine with one image, whose export is `archive`.
fn engine(image: &ImageBuilder, archive: Reply) -> FakeEngine {
    let engine = FakeEngine::start("1.41");
    engine.reply(&format!("/images/{}/get", image.image_id()), archive);
    engine
}

fn stream(engine: &FakeEngine, image: &ImageBuilder, context: &ReadContext) -> ExportStream {
    let client = DockerClient::connect(&engine.endpoint(), Timeouts::default(), context).unwrap();
    let answer = serde_json::json!({
        "Id": image.image_id(), "Os": "linux", "Architecture": "arm64", "Variant": "v8",
        "RootFS": { "Layers": image.diff_ids() },
    });
    let answer: ImageInspect = serde_json::from_value(answer).unwrap();
    let inspected = Inspected::new(answer, "a:1", &context.limits).unwrap();
    let diff_ids = inspected.diff_ids.clone();
    ExportStream::new(client, &inspected, diff_ids, context.clone())
}

/// Reads an archive as an export, all layers at once and one by one.
#[track_caller]
fn check(image: &ImageBuilder, archive: Vec<u8>) {
    let engine = engine(image, Reply::Stream(archive));
    let context = ReadContext::default();
    for learn_names_first in [true, false] {
        let stream = stream(&engine, image, &context);
        if learn_names_first {
            let mut paths = Paths::default();
            stream.read_all(&mut paths).unwrap();
            let mut came: Vec<_> = paths
                .0
                .iter()
                .map(|(diff_id, _)| diff_id.to_string())
                .collect();
            let mut stated = image.diff_ids();
            came.sort();
            stated.sort();
            stated.dedup();
            assert_eq!(came, stated);
        }
        let mut visitor = Visitor::default();
        let summary = stream.open_layer(1).unwrap().walk(&mut visitor).unwrap();
        assert_eq!(visitor.0, ["srv/a"]);
        assert_eq!(summary.diff_id.unwrap().to_string(), image.diff_ids()[1]);
        assert!(summary.size_bytes.unwrap() >= 1024);
    }
    assert!(stream(&engine, image, &context).is_sequential());
    let config = stored_config(&stream(&engine, image, &context)).unwrap();
    assert_eq!(config.rootfs.diff_ids, image.diff_ids());
}

#[test]
fn the_forms_of_all_engines_are_read() {
    check(&image(), image().docker_archive());
    check(&image(), image().docker_archive_oci());
    let compressed = image().compression(Compression::Gzip);
    check(&compressed, compressed.docker_archive_oci());
    let compressed = image().compression(Compression::Zstd);
    check(&compressed, compressed.docker_archive_oci());
}

#[test]
fn a_layer_that_an_image_has_twice_comes_once() {
    let image = image().layer(|l| l.file("srv/a", "a"));
    assert_eq!(image.diff_ids()[1], image.diff_ids()[3]);
    check(&image, image.docker_archive());
}

#[track_caller]
fn check_error(image: &ImageBuilder, reply: Reply, expected: &str) {
    let engine = engine(image, reply);
    let context = ReadContext::default();
    let stream = stream(&engine, image, &context);
    let error = stream.read_all(&mut Paths::default()).unwrap_err();
    let text = causes(&error);
    assert!(text.contains(expected), "{text}");
}

fn causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", causes(source)),
        None => error.to_string(),
    }
}

#[test]
fn every_stated_layer_must_come() {
    let fewer = ImageBuilder::new().layer(|l| l.file("etc/os-release", "ID=x\n"));
    let image = fewer.clone().layer(|l| l.file("srv/a", "a"));
    let missing = format!("layer {} did not come", image.diff_ids()[1]);
    check_error(&image, Reply::Stream(fewer.docker_archive()), &missing);
    check_error(&image, Reply::Stream(vec![0; 1024]), "did not come");
    check_error(&image, Reply::Stream(Vec::new()), "did not come");
}

#[test]
fn a_layer_that_is_another_is_named_with_both_digests() {
    let other = ImageBuilder::new()
        .layer(|l| {
            l.file("etc/os-release", "ID=x\n")
                .file("{", "a name as of a document")
        })
        .layer(|l| l.file("srv/a", "OTHER"))
        .layer(|l| l.whiteout("srv/a"));
    let reply = Reply::Stream(other.docker_archive());
    check_error(
        &image(),
        reply.clone(),
        &format!("expected {}", image().diff_ids()[1]),
    );
    check_error(
        &image(),
        reply,
        &format!("has digest {}", other.diff_ids()[1]),
    );
}

#[test]
fn streams_that_break_off_are_errors() {
    let archive = image().docker_archive();
    for end in [100, 512, 700, 1536, archive.len() / 2] {
        let engine = engine(&image(), Reply::Stream(archive[..end].to_vec()));
        let context = ReadContext::default();
        let stream = stream(&engine, &image(), &context);
        assert!(
            stream.read_all(&mut Paths::default()).is_err(),
            "{end} bytes"
        );
        assert!(
            stream
                .open_layer(1)
                .unwrap()
                .walk(&mut Visitor::default())
                .is_err()
        );
        assert!(stored_config(&stream).is_err());
    }
    let cut = [CHUNKED_HEAD, b"ff\r\nabc"].concat();
    check_error(&image(), Reply::Raw(cut), "cannot read");
    check_error(
        &image(),
        Reply::Stream(b"{\"message\":\"disk full\"}".to_vec()),
        "export",
    );
    check_error(&image(), Reply::Json(404, "{}".to_owned()), "not found");
}

#[test]
fn documents_and_members_are_bounded() {
    let engine = engine(&image(), Reply::Stream(image().docker_archive()));
    let check = |limits: Limits, expected: &str| {
        let context = ReadContext {
            limits: limits.into(),
            ..ReadContext::default()
        };
        let stream = stream(&engine, &image(), &context);
        let error = stream.read_all(&mut Paths::default()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(
        Limits {
            archive_members_max: 2,
            ..Limits::default()
        },
        "archive_members_max = 2",
    );
    check(
        Limits {
            manifest_size_bytes_max: 10,
            ..Limits::default()
        },
        "manifest_size_bytes_max = 10",
    );
}

#[test]
fn an_engine_with_several_platforms_is_asked_for_one() {
    let image = image();
    let engine = FakeEngine::start("1.48");
    let context = ReadContext::default();
    let stream = stream(&engine, &image, &context);
    assert!(stream.read_all(&mut Paths::default()).is_err());
    let request = engine.requests().pop().unwrap();
    assert!(
        request.contains("?platform=%7B%22architecture%22%3A%22arm64%22"),
        "{request}"
    );
}

#[test]
fn an_image_of_containerds_is_found_behind_its_manifest() {
    // The id is the digest of an index; the configuration is named by manifest.json only.
    let image = image().compression(Compression::Gzip);
    let archive = image.docker_archive_oci();
    let engine = FakeEngine::start("1.41");
    let id = cleanbill_testkit::digest(b"some index");
    engine.reply(&format!("/images/{id}/get"), Reply::Stream(archive));
    let context = ReadContext::default();
    let mut stream = stream(&engine, &image, &context);
    stream.id = id.parse().unwrap();
    assert_eq!(
        stored_config(&stream).unwrap().rootfs.diff_ids,
        image.diff_ids()
    );
    stream.read_all(&mut Paths::default()).unwrap();
}

#[test]
fn cycles_of_links_end() {
    let links: Links = [("a", "b"), ("b", "a"), ("c", "d")]
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .into();
    assert_eq!(member_for("./c", &links), "d");
    assert_eq!(member_for("x", &links), "x");
    assert!(["a", "b"].contains(&member_for("a", &links).as_str()));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

    /// An export with some bytes changed and its end cut off ends, one way or the other.
    #[test]
    fn whatever_the_engine_sends_nothing_panics(
        changes in proptest::collection::vec((0_usize..8192, 0_u8..), 0..20),
        length in 0_usize..20_000,
    ) {
        let mut archive = image().docker_archive_oci();
        for (position, byte) in changes {
            if let Some(target) = archive.get_mut(position) {
                *target = byte;
            }
        }
        archive.truncate(length);
        let take = |member: Member<'_>| {
            if let Member::Layer { name, content } = member {
                let spec = BlobSpec { what: name.to_owned(), ..BlobSpec::default() };
                let mut layer = PassingLayer::new(content, spec, ReadContext::default());
                layer.walk(&mut Visitor::default())?;
            }
            Ok(Flow::Continue)
        };
        let _ = archive::pass(archive.as_slice(), "export", &Limits::default(), take);
    }
}
