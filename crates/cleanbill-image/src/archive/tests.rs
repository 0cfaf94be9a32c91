use std::io::Write as _;

use cleanbill_core::image::ImageMetadata;
use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor, LayerError, LayerReader};
use cleanbill_core::{Digest, Limits};
use cleanbill_testkit::tar::{RawHeader, RawTar};
use cleanbill_testkit::{Compression as Stored, ImageBuilder, docker_archive_of, gzip, zstd};
use proptest::prelude::*;
use serde_json::json;
use tempfile::NamedTempFile;

use super::*;
use crate::{ReadContext, open_input};

/// Collects the paths of every layer.
#[derive(Default)]
struct Paths(Vec<String>);

impl EntryVisitor for Paths {
    fn visit(&mut self, entry: &EntryHeader<'_>, _body: &mut dyn EntryBody) -> std::io::Result<()> {
        self.0.push(entry.path.to_owned());
        Ok(())
    }
}

impl LayerSink for Paths {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        reader.walk(self).map(drop)
    }
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

fn open(bytes: &[u8], selection: &str) -> Result<Vec<Image>, String> {
    let file = file(bytes);
    let argument = format!("{}{selection}", path(&file));
    open_input(&argument, &InputOptions::default(), &mut Paths::default())
        .map_err(|error| error.to_string().replace(path(&file), "FILE"))
}

/// Opens an archive of one image, reads all layers in both ways and returns the metadata and the
/// paths.
#[track_caller]
fn read_archive(bytes: &[u8]) -> (ImageMetadata, Vec<String>) {
    let file = file(bytes);
    let mut images =
        open_input(path(&file), &InputOptions::default(), &mut Paths::default()).unwrap();
    let image = images.pop().unwrap();
    assert!(images.is_empty());
    assert_eq!(image.name, path(&file));
    let mut paths = Paths::default();
    for (index, layer) in image.metadata.layers.iter().enumerate() {
        let summary = image
            .layers
            .open_layer(index)
            .unwrap()
            .walk(&mut paths)
            .unwrap();
        assert_eq!(summary.diff_id, Some(layer.id.diff_id));
    }
    let mut again = Paths::default();
    image.layers.read_all(&mut again).unwrap();
    again.0.sort();
    let mut sorted = paths.0.clone();
    sorted.sort();
    assert_eq!(again.0, sorted);
    (image.metadata, paths.0)
}

#[track_caller]
fn check_error(bytes: &[u8], expected: &str) {
    let error = open(bytes, "").unwrap_err();
    assert!(error.contains(expected), "{error}");
}

fn image() -> ImageBuilder {
    ImageBuilder::new()
        .layer(|layer| layer.file("a", "1").directory("d"))
        .created_by("ADD base")
        .empty_history("ENV x=y")
        .layer(|layer| layer.file("d/b", "2").whiteout("a"))
        .created_by("RUN second")
        .tag("org/image:1")
        .tag("org/image:2")
}

#[test]
fn every_form_of_archive_gives_the_same_image() {
    let image = image();
    let (expected, paths) = read_archive(&image.docker_archive());
    assert_eq!(paths, ["a", "d", "d/b", "a"]);
    assert_eq!(expected.image_id.unwrap().to_string(), image.image_id());
    assert_eq!(expected.repo_tags, ["org/image:1", "org/image:2"]);
    let created_by: Vec<&str> = expected
        .layers
        .iter()
        .map(|layer| layer.created_by.as_str())
        .collect();
    assert_eq!(created_by, ["ADD base", "RUN second"]);
    assert!(
        expected
            .layers
            .iter()
            .all(|layer| layer.id.digest.is_none())
    );
    assert_eq!(expected.layers[0].size_bytes, Some(2560));
    for archive in [
        image.docker_archive_gz(),
        image.docker_archive_zst(),
        image.docker_archive_oci(),
        gzip(&image.docker_archive_oci()),
    ] {
        assert_eq!(read_archive(&archive), (expected.clone(), paths.clone()));
    }
}

#[test]
fn compressed_layers_have_digests_of_their_own() {
    for compression in [Stored::Gzip, Stored::Zstd] {
        let image = image().compression(compression);
        let blobs = image.layer_blobs();
        for archive in [
            image.docker_archive(),
            image.docker_archive_oci(),
            image.docker_archive_gz(),
            zstd(&image.docker_archive_oci()),
        ] {
            let (metadata, paths) = read_archive(&archive);
            assert_eq!(paths, ["a", "d", "d/b", "a"]);
            let digests: Vec<String> = metadata
                .layers
                .iter()
                .filter_map(|layer| layer.id.digest.map(|digest| digest.to_string()))
                .collect();
            assert_eq!(
                digests,
                blobs
                    .iter()
                    .map(|blob| blob.digest.clone())
                    .collect::<Vec<_>>()
            );
        }
    }
    // The first layer decides for all.
    let first_plain = image().layer_compression(Stored::Gzip);
    let (metadata, _) = read_archive(&first_plain.docker_archive());
    assert!(
        metadata
            .layers
            .iter()
            .all(|layer| layer.id.digest.is_none())
    );
    let first_packed = image()
        .compression(Stored::Gzip)
        .layer_compression(Stored::None);
    let (metadata, _) = read_archive(&first_packed.docker_archive());
    let last = metadata.layers[1].id;
    assert_eq!(last.digest, Some(last.diff_id.0));
}

#[test]
fn a_layout_in_an_archive_is_read() {
    let image = image().compression(Stored::Gzip);
    for archive in [image.oci_layout_tar(), gzip(&image.oci_layout_tar())] {
        let (metadata, paths) = read_archive(&archive);
        assert_eq!(paths, ["a", "d", "d/b", "a"]);
        assert_eq!(metadata.repo_tags, Vec::<String>::new());
        assert!(open(&archive, ":org/image:2").is_ok());
        let error = open(&archive, ":none").unwrap_err();
        assert_eq!(error, "'none' not found in FILE");
    }
}

#[test]
fn images_are_chosen_by_tag_or_digest() {
    let other = ImageBuilder::new()
        .layer(|layer| layer.file("other", ""))
        .tag("b:1")
        .tag("b:x");
    let nameless = ImageBuilder::new().layer(|layer| layer.file("nameless", ""));
    let archive = docker_archive_of(&[&image(), &other, &nameless]);
    for archive in [archive.clone(), gzip(&archive)] {
        let names = |selection: &str| -> Vec<String> {
            let images = open(&archive, selection).unwrap();
            images
                .iter()
                .map(|image| image.name.rsplit_once('/').unwrap().1.split_once(':'))
                .map(|name| name.map(|(_, name)| name).unwrap_or_default().to_owned())
                .collect()
        };
        let all = names("");
        assert_eq!(all[1], "b:1");
        assert_eq!(all.len(), 3);
        assert_eq!(names(":org/image:2"), ["2"]);
        assert_eq!(names(":index.docker.io/library/b:1"), ["1"]);
        assert_eq!(names(":b:1"), ["b:1"]);
        assert_eq!(names(":x"), ["x"]);
        assert_eq!(names(":1").len(), 2);
        let id = nameless.image_id();
        assert_eq!(open(&archive, &format!("@{id}")).unwrap().len(), 1);
        let error = open(&archive, ":none").unwrap_err();
        assert_eq!(
            error,
            "'none' not found in FILE (there are: org/image:1, org/image:2, b:1, b:x)"
        );
        assert!(open(&archive, &format!("@{}", Digest::of(b""))).is_err());
    }
}

fn archive_with(manifest: &str, members: &[(&str, &[u8])]) -> RawTar {
    let tar = RawTar::new().file("manifest.json", manifest.as_bytes());
    members
        .iter()
        .fold(tar, |tar, (name, bytes)| tar.file(name, bytes))
}

#[test]
fn members_are_found_through_links() {
    let layer = image().layer_blobs()[0].bytes.clone();
    let config = ImageBuilder::new().layer_tar(layer.clone()).config_json();
    let manifest = r#"[{"Config":"./c.json","Layers":["x/../l/layer.tar"]}]"#;
    let link = |kind: u8, target: &str| {
        RawHeader::file("l/layer.tar", 0)
            .typeflag(kind)
            .link(target)
    };
    let with = |header: &RawHeader| {
        archive_with(manifest, &[("c.json", &config), ("real", &layer)])
            .entry(header, b"")
            .finish()
    };
    for header in [
        link(b'2', "../real"),
        link(b'1', "real"),
        link(b'1', "../real"),
    ] {
        for archive in [with(&header), gzip(&with(&header))] {
            assert_eq!(read_archive(&archive).1, ["a", "d"]);
        }
    }
    let circle = with(&link(b'2', "layer.tar"));
    check_error(&circle, "links lead in a circle");
    check_error(&gzip(&circle), "links lead in a circle");
    check_error(
        &with(&link(b'2', "../../../../nowhere")),
        "'x/../l/layer.tar' not found",
    );
}

#[test]
fn archives_that_contradict_themselves_are_refused() {
    let config = image().config_json();
    let manifest = r#"[{"Config":"c.json","RepoTags":null,"Layers":["a","b"]}]"#;
    let with = |manifest: &str, config: &[u8]| {
        archive_with(manifest, &[("c.json", config), ("a", b""), ("b", b"")]).finish()
    };
    let both = |archive: Vec<u8>, expected: &str| {
        check_error(&archive, expected);
        check_error(&gzip(&archive), expected);
    };
    both(
        RawTar::new().file("x", b"").finish(),
        "manifest.json or index.json not found in FILE",
    );
    both(with("[", &config), "'manifest.json' in FILE is malformed");
    both(with("[]", &config), "an image not found in FILE");
    both(with("{}", &config), "is malformed");
    both(
        with(r#"[{"Config":"../../c","Layers":[]}]"#, &config),
        "'../../c' not found in FILE",
    );
    both(
        with(r#"[{"Config":"c.json","Layers":["a"]}]"#, &config),
        "rootfs.diff_ids has 2 layers, the manifest 1",
    );
    both(
        with(r#"[{"Config":"c.json","Layers":["a","no"]}]"#, &config),
        "'no' not found in FILE",
    );
    both(
        with(manifest, b"{}"),
        "rootfs.diff_ids has 0 layers, the manifest 2",
    );
    both(
        with(manifest, b"[]"),
        "configuration 'c.json' in FILE is malformed",
    );
    both(
        with(
            manifest,
            br#"{"rootfs":{"diff_ids":["sha256:x","sha512:00"]}}"#,
        ),
        "rootfs.diff_ids: 'sha256:x' is not a digest",
    );
    both(with(manifest, br#"{"os":"windows"}"#), "image for Windows");
    let twice = archive_with(manifest, &[("c.json", &config), ("a", b""), ("b", b"")]);
    both(
        twice.file("./c.json", b"{}").finish(),
        "it has 'c.json' twice, with different content",
    );
    let layers = vec![r#""a""#; 10_000].join(",");
    both(
        with(
            &format!(r#"[{{"Config":"c.json","Layers":[{layers}]}}]"#),
            format!(r#"{{"rootfs":{{"diff_ids":[{layers}]}}}}"#).as_bytes(),
        ),
        "layers_per_image_max = 4096",
    );
}

#[test]
fn layers_are_verified() {
    let lying = image().lying_diff_id(&Digest::of(b"other").to_string());
    let actual = image().diff_ids()[1].clone();
    let expected = format!("has digest {actual}, expected {}", Digest::of(b"other"));
    // A stream has been read when the image is known.
    check_error(&lying.docker_archive_gz(), &expected);
    let bytes = lying.docker_archive();
    let file = file(&bytes);
    let images = open_input(path(&file), &InputOptions::default(), &mut Paths::default()).unwrap();
    let layers = &images[0].layers;
    assert!(
        layers
            .open_layer(0)
            .unwrap()
            .walk(&mut Paths::default())
            .is_ok()
    );
    let error = layers
        .open_layer(1)
        .unwrap()
        .walk(&mut Paths::default())
        .unwrap_err();
    assert!(error.to_string().contains(&expected), "{error}");
    assert!(matches!(
        layers.read_all(&mut Paths::default()),
        Err(ImageError::Layer(_))
    ));
    assert!(layers.open_layer(2).is_err());
}

#[test]
fn truncated_archives_are_refused() {
    let archive = image().docker_archive();
    check_error(&archive[..archive.len() / 2], "FILE is malformed: at byte");
    let packed = image().docker_archive_gz();
    check_error(
        &packed[..packed.len() / 2],
        "FILE is malformed: its gzip data is corrupt",
    );
    check_error(
        &packed[..packed.len() - 1],
        "FILE is malformed: its gzip data is corrupt",
    );
    check_error(b"", "manifest.json or index.json not found");
    check_error(
        b"hello",
        "FILE is malformed: at byte 5: the archive ends within an entry",
    );
    check_error(b"\xfd7zXZ\0\0\x04", "compressed with xz");
}

#[test]
fn what_is_no_archive_is_told_what_one_is() {
    let text = b"root:x:0:0:root:/root:/bin/bash\n".repeat(40);
    let expected = "FILE is malformed: it does not begin as a tar archive does; expected what docker \
                    save writes";
    check_error(&text, expected);
    check_error(&gzip(&text), expected);
}

#[test]
fn members_and_documents_are_bounded() {
    let open_bounded = |bytes: &[u8], limits: Limits| {
        let context = ReadContext {
            limits: Arc::new(limits),
            ..ReadContext::default()
        };
        let options = InputOptions {
            context,
            ..InputOptions::default()
        };
        let file = file(bytes);
        let opened = open_input(path(&file), &options, &mut Paths::default());
        opened.map_err(|error| error.to_string()).unwrap_err()
    };
    for archive in [image().docker_archive(), image().docker_archive_gz()] {
        let few = Limits {
            archive_members_max: 3,
            ..Limits::default()
        };
        assert!(open_bounded(&archive, few).ends_with("archive_members_max = 3"));
        let small = Limits {
            manifest_size_bytes_max: 100,
            ..Limits::default()
        };
        assert!(open_bounded(&archive, small).ends_with("manifest_size_bytes_max = 100"));
    }
}

#[test]
fn a_sink_that_reads_nothing_does_not_matter() {
    struct Lazy;
    impl LayerSink for Lazy {
        fn layer(&mut self, _: &mut dyn LayerReader) -> Result<(), LayerError> {
            Ok(())
        }
    }
    let file = file(&image().docker_archive_gz());
    let images = open_input(path(&file), &InputOptions::default(), &mut Lazy).unwrap();
    let mut paths = Paths::default();
    images[0].layers.read_all(&mut paths).unwrap();
    assert_eq!(paths.0.len(), 4);
}

#[test]
fn files_that_are_none_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let argument = directory.path().to_str().unwrap();
    let open = |argument: &str| {
        open_input(argument, &InputOptions::default(), &mut Paths::default())
            .unwrap_err()
            .to_string()
    };
    assert!(open(argument).contains("index.json of an OCI layout not found in directory"));
    assert!(open(&format!("{argument}/none")).contains("cannot read"));
    let fifo = directory.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert!(open(fifo.to_str().unwrap()).ends_with("it is no regular file"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn hostile_archives_never_panic(
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
        cut in any::<prop::sample::Index>(),
        config in "[\\[\\]{}\":,a-z0-9]{0,40}",
    ) {
        let mut archive = image().config("history", json!(config)).docker_archive();
        let position = at.index(archive.len());
        archive[position] ^= flip;
        for bytes in [&archive[..], &archive[..cut.index(archive.len())]] {
            let opened = open(bytes, "");
            let streamed = open(&gzip(bytes), "");
            // What a stream shows to be right can be right by position only.
            prop_assert!(streamed.is_err() || opened.is_ok());
        }
    }
}
