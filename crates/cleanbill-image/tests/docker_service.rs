//! The local engine, for real: images in place and through the export stream must be the same.
//!
//! Needs an engine at `CLEANBILL_TEST_DOCKER_HOST` and the `docker` command. Without it the tests
//! are skipped, unless `CLEANBILL_TEST_REQUIRE_SERVICES=1` says that they must run.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests may")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cleanbill_core::image::ImageMetadata;
use cleanbill_core::layer::{
    EntryBody, EntryHeader, EntryKind, EntryVisitor, LayerError, LayerReader,
};
use cleanbill_core::{DiffId, path};
use cleanbill_image::docker::{
    AccessPreference, Engine, EngineEnvironment, EngineOptions, Timeouts,
};
use cleanbill_image::{Capabilities, Image, ImageError, LayerSink, ReadContext};
use cleanbill_testkit::{Compression, ImageBuilder};

/// The engine is shared: what one test tags, another must not see half of.
static ENGINE: Mutex<()> = Mutex::new(());

/// Returns the engine's address for as long as no other test needs it, or `None` if the test is to
/// be skipped.
fn docker_host() -> Option<(String, MutexGuard<'static, ()>)> {
    let host = std::env::var("CLEANBILL_TEST_DOCKER_HOST")
        .ok()
        .filter(|host| !host.is_empty());
    let is_required = std::env::var("CLEANBILL_TEST_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
    if host.is_none() {
        assert!(!is_required, "CLEANBILL_TEST_DOCKER_HOST must be set");
        eprintln!("skipped: CLEANBILL_TEST_DOCKER_HOST is not set");
    }
    host.map(|host| (host, ENGINE.lock().unwrap_or_else(PoisonError::into_inner)))
}

fn connect(host: &str, access: AccessPreference) -> Engine {
    let environment = EngineEnvironment {
        docker_host: Some(host.to_owned()),
        ..EngineEnvironment::default()
    };
    let context = ReadContext::default();
    let candidates = environment.docker_endpoints(&context.limits).unwrap();
    let options = EngineOptions {
        source: "docker",
        platform: None,
        access,
        capabilities: Capabilities::of_this_process(),
        timeouts: Timeouts::default(),
    };
    Engine::connect(&candidates, options, &context).unwrap()
}

/// Runs `docker` with `input` and returns what it prints.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "the engine's own command makes the images"
)]
fn docker(host: &str, arguments: &[&str], input: &[u8]) -> String {
    let mut process = Command::new("docker")
        .args(["--host", host])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("DOCKER_CONTEXT")
        .env("DOCKER_BUILDKIT", "0")
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(input).unwrap();
    let output = process.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An image with everything that layers are made of; no other tag has the same.
fn image(tag: &str) -> ImageBuilder {
    ImageBuilder::new()
        .layer(|l| {
            l.directory("etc")
                .file("etc/os-release", "ID=debian\nVERSION_ID=12\n")
                .file("srv/data/one", "1")
                .file("srv/data/sub/two", "22")
                .file("srv/gone", "x")
                .file("srv/tree/leaf", "leaf")
                .symlink("srv/link", "data/one")
                .symlink("srv/absolute", "/etc/os-release")
                .hard_link("srv/hard", "srv/data/one")
                .character_device("srv/null", 1, 3)
                .fifo("srv/fifo")
                .file(&format!("srv/{}name", "deep/".repeat(50)), "deep")
                .file("srv/ümläut", "ü")
                .file("srv/tag", tag)
        })
        .created_by("first")
        .layer(|l| {
            l.whiteout("srv/gone")
                .whiteout("srv/tree")
                .opaque("srv/data")
        })
        .created_by("second")
        .layer(|l| l.file("srv/data/three", "3").file("srv/gone", "again"))
        .created_by("third")
        .compression(Compression::Gzip)
        .tag(tag)
}

/// What a layer shows, apart from the order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Content {
    directories: BTreeSet<String>,
    others: BTreeMap<String, (Kind, u64, String)>,
    size_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Symlink,
    Whiteout,
    Opaque,
    Special,
}

#[derive(Default)]
struct Visitor {
    content: Content,
    hard_links: Vec<(String, String)>,
}

impl EntryVisitor for Visitor {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> std::io::Result<()> {
        let path = entry.path.to_owned();
        let kind = match entry.kind {
            EntryKind::File => Kind::File,
            EntryKind::Symlink => Kind::Symlink,
            EntryKind::Whiteout => Kind::Whiteout,
            EntryKind::OpaqueDirectory => Kind::Opaque,
            EntryKind::Other => Kind::Special,
            EntryKind::Directory => {
                self.content.directories.insert(path);
                return Ok(());
            }
            EntryKind::HardLink => {
                self.hard_links.push((path, entry.link_target.to_owned()));
                return Ok(());
            }
        };
        // Content is compared where it is small, so that both ways are seen to give the same.
        let mut text = entry.link_target.to_owned();
        if entry.kind == EntryKind::File && entry.size_bytes < 4096 {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)?;
            assert_eq!(bytes.len() as u64, entry.size_bytes, "{path}");
            text = cleanbill_testkit::digest(&bytes);
        }
        let name = if kind == Kind::Opaque {
            format!("{path}/(opaque)")
        } else {
            path
        };
        self.content
            .others
            .insert(name, (kind, entry.size_bytes, text));
        Ok(())
    }
}

impl Visitor {
    /// Makes files of hard links, and directories of those that a tar implies.
    fn finish(mut self, size_bytes: Option<u64>) -> Content {
        for (link, target) in self.hard_links {
            let file = self.content.others.get(&target).cloned().unwrap();
            self.content.others.insert(link, file);
        }
        let names = self.content.others.keys().chain(&self.content.directories);
        let implied: Vec<String> = names
            .flat_map(|name| path::ancestors(name).map(str::to_owned))
            .collect();
        self.content.directories.extend(implied);
        self.content.directories.remove("");
        self.content.size_bytes = size_bytes;
        self.content
    }
}

#[derive(Default)]
struct Sink(Vec<(Option<DiffId>, Content)>);

impl LayerSink for Sink {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        let mut visitor = Visitor::default();
        let summary = reader.walk(&mut visitor)?;
        self.0
            .push((summary.diff_id, visitor.finish(summary.size_bytes)));
        Ok(())
    }
}

/// Reads every layer, in the order of the image.
fn contents(image: &Image) -> Vec<Content> {
    let mut sink = Sink::default();
    image.layers.read_all(&mut sink).unwrap();
    if !image.layers.is_sequential() {
        return sink.0.into_iter().map(|(_, content)| content).collect();
    }
    let by_id: BTreeMap<DiffId, Content> = sink
        .0
        .into_iter()
        .map(|(diff_id, content)| (diff_id.unwrap(), content))
        .collect();
    let diff_ids = image.metadata.layers.iter().map(|layer| layer.id.diff_id);
    diff_ids
        .map(|diff_id| {
            let Content {
                directories,
                others,
                size_bytes,
            } = &by_id[&diff_id];
            Content {
                directories: directories.clone(),
                others: others.clone(),
                size_bytes: *size_bytes,
            }
        })
        .collect()
}

/// Opens an image both ways and compares all there is.
#[track_caller]
fn check_same(host: &str, name: &str) -> ImageMetadata {
    let in_place = connect(host, AccessPreference::InPlace).open(name).unwrap();
    let exported = connect(host, AccessPreference::ExportStream)
        .open(name)
        .unwrap();
    assert_eq!(in_place.access, "overlay2 in place");
    assert!(
        exported.access.starts_with("export stream"),
        "{}",
        exported.access
    );
    let (ours, theirs) = (contents(&in_place), contents(&exported));
    // What an export says of an image may come with its layers.
    assert_eq!(
        in_place.completed().unwrap().metadata,
        exported.completed().unwrap().metadata
    );
    assert_eq!(ours.len(), theirs.len());
    for (index, (in_place, exported)) in ours.iter().zip(&theirs).enumerate() {
        assert!(exported.size_bytes.is_some());
        for (path, entry) in &in_place.others {
            assert_eq!(
                Some(entry),
                exported.others.get(path),
                "layer {index}, {path} in place"
            );
        }
        for (path, entry) in &exported.others {
            assert_eq!(
                in_place.others.get(path),
                Some(entry),
                "layer {index}, {path} exported"
            );
        }
        assert_eq!(in_place.directories, exported.directories, "layer {index}");
        assert_eq!(in_place.size_bytes, exported.size_bytes, "layer {index}");
    }
    in_place.metadata
}

#[test]
fn a_loaded_image_is_the_same_both_ways() {
    let Some((host, _guard)) = docker_host() else {
        return;
    };
    let image = image("cleanbill-test/loaded:1");
    docker(&host, &["load"], &image.docker_archive());
    let metadata = check_same(&host, "cleanbill-test/loaded:1");
    assert_eq!(metadata.repo_tags, ["cleanbill-test/loaded:1"]);
    assert_eq!(metadata.image_id.unwrap().to_string(), image.image_id());
    let steps: Vec<_> = metadata
        .layers
        .iter()
        .map(|layer| layer.created_by.as_str())
        .collect();
    assert_eq!(steps, ["first", "second", "third"]);

    let image = connect(&host, AccessPreference::InPlace)
        .open("cleanbill-test/loaded:1")
        .unwrap();
    let contents = contents(&image);
    assert_eq!(contents[1].others["srv/gone"].0, Kind::Whiteout);
    assert_eq!(contents[1].others["srv/tree"].0, Kind::Whiteout);
    assert_eq!(contents[1].others["srv/data/(opaque)"].0, Kind::Opaque);
    assert_eq!(contents[0].others["srv/null"].0, Kind::Special);
    assert_eq!(
        contents[0].others["srv/hard"],
        contents[0].others["srv/data/one"]
    );
}

#[test]
fn a_built_image_is_the_same_both_ways() {
    let Some((host, _guard)) = docker_host() else {
        return;
    };
    docker(
        &host,
        &["load"],
        &image("cleanbill-test/loaded:2").docker_archive(),
    );
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("note"), "note").unwrap();
    std::fs::write(
        directory.path().join("Dockerfile"),
        "FROM cleanbill-test/loaded:2\nENV A=b\nCOPY note /srv/data/\nWORKDIR /new/place\n\
         LABEL x=y\nEXPOSE 80\nVOLUME /v\nUSER me\nHEALTHCHECK --interval=5s CMD true\n\
         ENTRYPOINT [\"/e\"]\nCMD [\"c\"]\nSTOPSIGNAL SIGINT\nONBUILD RUN x\n",
    )
    .unwrap();
    let path = directory.path().to_str().unwrap();
    docker(
        &host,
        &["build", "--tag", "cleanbill-test/built:1", path],
        b"",
    );
    let metadata = check_same(&host, "cleanbill-test/built:1");
    assert_eq!(metadata.config.config.user, "me");
    assert_eq!(metadata.config.config.stop_signal, "SIGINT");
    assert!(metadata.config.config.exposed_ports.contains_key("80/tcp"));
}

#[test]
fn every_image_of_the_engine_is_the_same_both_ways() {
    let Some((host, _guard)) = docker_host() else {
        return;
    };
    for image in connect(&host, AccessPreference::Automatic)
        .list_images(true)
        .unwrap()
    {
        check_same(&host, &image.id.to_string());
    }
}

#[test]
fn one_layer_can_be_read_out_of_an_export() {
    let Some((host, _guard)) = docker_host() else {
        return;
    };
    docker(
        &host,
        &["load"],
        &image("cleanbill-test/loaded:3").docker_archive(),
    );
    let engine = connect(&host, AccessPreference::ExportStream);
    let image = engine.open("cleanbill-test/loaded:3").unwrap();
    let mut visitor = Visitor::default();
    let summary = image
        .layers
        .open_layer(2)
        .unwrap()
        .walk(&mut visitor)
        .unwrap();
    assert_eq!(summary.diff_id, Some(image.metadata.layers[2].id.diff_id));
    assert!(visitor.content.others.contains_key("srv/data/three"));
}

#[test]
fn an_image_goes_by_many_names() {
    let Some((host, _guard)) = docker_host() else {
        return;
    };
    let builder = image("cleanbill-test/named:1");
    docker(&host, &["load"], &builder.docker_archive());
    docker(
        &host,
        &["tag", "cleanbill-test/named:1", "cleanbill-test/named:2"],
        b"",
    );
    let engine = connect(&host, AccessPreference::Automatic);
    let id = builder.image_id();
    for name in [
        "cleanbill-test/named:1",
        "cleanbill-test/named:2",
        id.as_str(),
        &id[7..19],
    ] {
        let image = engine.open(name).unwrap();
        assert_eq!(image.metadata.image_id.unwrap().to_string(), id, "{name}");
        assert_eq!(image.name, name);
    }
    let mine: Vec<_> = engine.list_images(false).unwrap();
    let mine: Vec<_> = mine
        .into_iter()
        .filter(|image| image.id.to_string() == id)
        .collect();
    let [mine] = mine.as_slice() else {
        panic!("{mine:?}")
    };
    assert!(mine.tags.contains(&"cleanbill-test/named:1".to_owned()));
    assert!(mine.tags.contains(&"cleanbill-test/named:2".to_owned()));

    let container = docker(&host, &["create", "cleanbill-test/named:2", "/none"], b"");
    let image = engine.open_container(&container).unwrap();
    docker(&host, &["rm", &container], b"");
    assert_eq!(image.name, "cleanbill-test/named:2");
    assert_eq!(image.metadata.image_id.unwrap().to_string(), id);
    let error = engine.open_container(&container).unwrap_err();
    assert!(matches!(error, ImageError::NotFound { .. }), "{error}");
    let error = engine.open("cleanbill-test/none:1").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("image cleanbill-test/none:1 not found"),
        "{error}"
    );
}

#[test]
fn the_engine_says_what_it_is() {
    let Some((host, _guard)) = docker_host() else {
        return;
    };
    let description = connect(&host, AccessPreference::Automatic)
        .describe()
        .unwrap();
    assert!(!description.version.is_empty());
    assert_eq!(description.storage, "overlay2");
    assert_eq!(description.in_place_obstacle, None);
}

#[test]
fn dangling_images_are_listed_when_asked_for() {
    let Some((host, _guard)) = docker_host() else {
        return;
    };
    let builder = image("cleanbill-test/dangling:1").layer(|l| l.file("unique", "dangling"));
    docker(&host, &["load"], &builder.docker_archive());
    let other = image("cleanbill-test/dangling:1").layer(|l| l.file("unique", "other"));
    docker(&host, &["load"], &other.docker_archive());
    let engine = connect(&host, AccessPreference::Automatic);
    let has = |include_dangling| {
        let images = engine.list_images(include_dangling).unwrap();
        images
            .iter()
            .any(|image| image.id.to_string() == builder.image_id())
    };
    assert!(!has(false) && has(true));
}
