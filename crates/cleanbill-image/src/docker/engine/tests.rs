use std::io;

use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor, LayerError, LayerReader};
use cleanbill_testkit::{Compression, ImageBuilder, OciLayoutBuilder};
use serde_json::{Value, json};

use super::super::fake_engine::{FakeEngine, Reply};
use super::*;
use crate::LayerSink;

fn image() -> ImageBuilder {
    ImageBuilder::new()
        .layer(|l| l.file("etc/os-release", "ID=x\n"))
        .created_by("ADD os")
        .layer(|l| l.file("srv/a", "a"))
        .created_by("ADD a")
        .tag("a:1")
}

/// What the engine says about an image; `change` alters it.
fn description(image: &ImageBuilder, id: &str, change: impl Fn(&mut Value)) -> Value {
    let mut answer = json!({
        "Id": id, "RepoTags": ["a:1"], "RepoDigests": [], "Os": "linux", "Architecture": "amd64",
        "Created": "2026-01-01T00:00:00Z", "Config": { "Env": ["A=b"], "Labels": null },
        "RootFS": { "Type": "layers", "Layers": image.diff_ids() },
        "GraphDriver": { "Name": "btrfs", "Data": null },
    });
    change(&mut answer);
    answer
}

/// Starts an engine that has one image under a tag and its id.
fn engine_with(image: &ImageBuilder, id: &str, change: impl Fn(&mut Value)) -> FakeEngine {
    let engine = FakeEngine::start("1.41");
    let answer = description(image, id, change).to_string();
    for name in ["a:1", id] {
        engine.reply(&format!("/images/{name}/json"), Reply::ok(&*answer));
    }
    let history = json!([
        { "Id": "x", "Created": 1_700_000_000, "CreatedBy": "ADD a", "Size": 1, "Tags": null },
        { "Id": "<missing>", "Created": 1_600_000_000, "CreatedBy": "ADD os", "Size": 5 },
    ]);
    engine.reply(
        &format!("/images/{id}/history"),
        Reply::ok(history.to_string()),
    );
    engine.reply(
        &format!("/images/{id}/get"),
        Reply::Stream(image.docker_archive()),
    );
    engine.reply(
        "/info",
        Reply::ok(json!({ "Driver": "btrfs", "DockerRootDir": "/d" }).to_string()),
    );
    engine
}

fn connect(engine: &FakeEngine, access: AccessPreference) -> Engine {
    let candidate = Candidate {
        endpoint: engine.endpoint(),
        named_by: "test".to_owned(),
    };
    let options = EngineOptions {
        source: "docker",
        platform: None,
        access,
        capabilities: Capabilities::default(),
        timeouts: Timeouts::default(),
    };
    Engine::connect(&[candidate], options, &ReadContext::default()).unwrap()
}

fn open(engine: &FakeEngine) -> Result<Image, ImageError> {
    connect(engine, AccessPreference::Automatic).open("a:1")
}

#[derive(Default)]
struct Paths(Vec<String>);

impl EntryVisitor for Paths {
    fn visit(&mut self, entry: &EntryHeader<'_>, _body: &mut dyn EntryBody) -> io::Result<()> {
        self.0.push(entry.path.to_owned());
        Ok(())
    }
}

impl LayerSink for Paths {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        reader.walk(self).map(|_| ())
    }
}

#[test]
fn an_image_is_opened_through_its_export() {
    let image = image();
    let engine = engine_with(&image, &image.image_id(), |_| {});
    let opened = open(&engine).unwrap();
    assert_eq!((opened.name.as_str(), opened.source), ("a:1", "docker"));
    assert_eq!(
        opened.access,
        "export stream (the storage driver is btrfs, not overlay2)"
    );
    let steps: Vec<_> = opened
        .metadata
        .layers
        .iter()
        .map(|layer| &layer.created_by)
        .collect();
    assert_eq!(steps, ["ADD os", "ADD a"]);
    assert_eq!(
        opened.metadata.config.history[0].created,
        "2020-09-13T12:26:40Z"
    );
    let before = engine.requests().len();
    let mut paths = Paths::default();
    opened.layers.read_all(&mut paths).unwrap();
    assert!(paths.0.contains(&"srv/a".to_owned()));
    assert_eq!(
        engine.requests().len(),
        before + 1,
        "layers are fetched when they are read"
    );
    assert!(
        engine
            .requests()
            .iter()
            .all(|request| request.starts_with("GET "))
    );
}

#[test]
fn the_configuration_comes_out_of_the_export_where_history_does_not_tell() {
    let image = image().config("docker_version", json!("20.10"));
    // An old Podman states no layers at all.
    for root_fs in [json!({ "Layers": image.diff_ids() }), Value::Null] {
        let id = image.image_id();
        let engine = engine_with(&image, &id, |answer| answer["RootFS"] = root_fs.clone());
        engine.reply(&format!("/images/{id}/history"), Reply::ok("[]"));
        let opened = open(&engine).unwrap();
        assert_eq!(opened.metadata.layers.len(), 2);
        opened.layers.read_all(&mut Paths::default()).unwrap();
        let completed = opened.completed().unwrap();
        assert_eq!(completed.metadata.config.docker_version, "20.10");
        assert_eq!(completed.metadata.layers[1].created_by, "ADD a");
        // Which layers there are must be known before they are read.
        let expected = if root_fs.is_null() { 2 } else { 1 };
        assert_eq!(export_count(&engine), expected, "{root_fs}");
    }
}

fn export_count(engine: &FakeEngine) -> usize {
    let requests = engine.requests();
    let exports = requests.iter().filter(|request| request.contains("/get"));
    exports.count()
}

#[test]
fn the_configuration_of_an_image_whose_layers_are_known_is_fetched_alone() {
    let image = image().config("docker_version", json!("20.10"));
    let engine = engine_with(&image, &image.image_id(), |_| {});
    engine.reply(
        &format!("/images/{}/history", image.image_id()),
        Reply::ok("[]"),
    );
    let opened = open(&engine).unwrap();
    assert_eq!(opened.metadata.config.config.env, ["A=b"]);
    let completed = opened.completed().unwrap();
    assert_eq!(completed.metadata.config.docker_version, "20.10");
    assert_eq!(export_count(&engine), 1);
}

#[test]
fn a_configuration_of_other_layers_is_refused() {
    let image = image();
    let other = ImageBuilder::new()
        .layer(|l| l.file("etc/os-release", "ID=x\n"))
        .config("docker_version", json!("20.10"));
    let id = other.image_id();
    let engine = engine_with(&other, &id, |answer| {
        answer["RootFS"] = json!({ "Layers": image.diff_ids() });
    });
    engine.reply(&format!("/images/{id}/history"), Reply::ok("[]"));
    let error = open(&engine).unwrap().completed().unwrap_err();
    assert!(error.to_string().contains("other layers"), "{error}");
}

#[test]
fn in_place_or_not_at_all_says_why_not() {
    let image = image();
    let engine = engine_with(&image, &image.image_id(), |_| {});
    let error = connect(&engine, AccessPreference::InPlace)
        .open("a:1")
        .unwrap_err();
    assert!(
        error.to_string().contains("the storage driver is btrfs"),
        "{error}"
    );
    let opened = connect(&engine, AccessPreference::ExportStream)
        .open("a:1")
        .unwrap();
    assert_eq!(opened.access, "export stream (as asked for)");
}

#[test]
fn an_engine_that_does_not_say_where_it_keeps_layers_is_asked_for_an_export() {
    let image = image();
    let engine = engine_with(&image, &image.image_id(), |_| {});
    engine.reply(
        "/info",
        Reply::Json(403, r#"{"message":"forbidden by proxy"}"#.to_owned()),
    );
    let opened = open(&engine).unwrap();
    assert!(
        opened.access.contains("forbidden by proxy"),
        "{}",
        opened.access
    );
}

/// Answers as recorded from the API's documentation of engines 25 to 29 with the containerd image
/// store.
fn containerd_engine(image: &ImageBuilder, id: &str, root: &str) -> FakeEngine {
    let engine = engine_with(image, id, |answer| {
        let fields = answer.as_object_mut().unwrap();
        fields.remove("GraphDriver");
        fields.insert(
            "Descriptor".to_owned(),
            json!({ "mediaType": "application/vnd.oci.image.index.v1+json", "digest": id, "size": 9 }),
        );
        fields.insert("Config".to_owned(), json!({ "Env": ["A=b"] }));
    });
    let info = json!({
        "Driver": "overlayfs", "DockerRootDir": root,
        "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
        "Containerd": { "Address": "/run/containerd/containerd.sock" },
    });
    engine.reply("/info", Reply::ok(info.to_string()));
    engine
}

#[test]
fn the_containerd_image_store_is_read_in_place() {
    let image = image().compression(Compression::Gzip);
    let root = tempfile::tempdir().unwrap();
    let content = root
        .path()
        .join("containerd/daemon/io.containerd.content.v1.content");
    OciLayoutBuilder::new()
        .image(&image)
        .write(&content)
        .unwrap();
    let (manifest, blobs) = image.oci_manifest();
    let engine = containerd_engine(&image, &manifest.digest, root.path().to_str().unwrap());
    let opened = open(&engine).unwrap();
    assert_eq!(opened.access, "containerd content store in place");
    assert_eq!(
        opened.metadata.image_id.unwrap().to_string(),
        manifest.digest
    );
    let digest = opened.metadata.layers[1].id.digest.unwrap().to_string();
    assert_eq!(digest, blobs[2].digest);
    let mut paths = Paths::default();
    opened.layers.read_all(&mut paths).unwrap();
    assert!(paths.0.contains(&"srv/a".to_owned()));
}

#[test]
fn the_containerd_image_store_is_exported_where_it_cannot_be_read() {
    let image = image().compression(Compression::Gzip);
    let (manifest, _) = image.oci_manifest();
    let engine = containerd_engine(&image, &manifest.digest, "/nowhere");
    engine.reply(
        &format!("/images/{}/get", manifest.digest),
        Reply::Stream(image.docker_archive_oci()),
    );
    let opened = open(&engine).unwrap();
    assert!(
        opened
            .access
            .starts_with("export stream (cannot read /nowhere/"),
        "{}",
        opened.access
    );
    let mut paths = Paths::default();
    opened.layers.read_all(&mut paths).unwrap();
    assert!(
        paths.0.contains(&"srv/a".to_owned()),
        "never an empty image"
    );
    // Blobs that the engine has thrown away make its export fail, and the scan with it.
    let nothing = Reply::Json(500, r#"{"message":"content digest not found"}"#.to_owned());
    engine.reply(&format!("/images/{}/get", manifest.digest), nothing);
    let error = opened.layers.read_all(&mut Paths::default()).unwrap_err();
    assert!(
        error.to_string().contains("content digest not found"),
        "{error}"
    );
}

#[test]
fn images_that_cannot_be_scanned_are_refused_by_name() {
    let image = image();
    let engine = engine_with(&image, &image.image_id(), |answer| {
        answer["Os"] = json!("windows")
    });
    let error = open(&engine).unwrap_err().to_string();
    assert!(
        error.contains("image a:1") && error.contains("Windows"),
        "{error}"
    );
    let error = connect(&engine, AccessPreference::Automatic)
        .open("b")
        .unwrap_err();
    assert!(matches!(&error, ImageError::NotFound { .. }));
    assert!(
        error
            .to_string()
            .contains("image b not found in engine unix://"),
        "{error}"
    );
}

#[test]
fn a_container_leads_to_its_image() {
    let image = image();
    let id = image.image_id();
    let engine = engine_with(&image, &id, |_| {});
    let container = |started_as: &str| {
        let answer = json!({ "Id": "c", "Image": id, "Config": { "Image": started_as } });
        engine.reply("/containers/web/json", Reply::ok(answer.to_string()));
        connect(&engine, AccessPreference::Automatic)
            .open_container("web")
            .unwrap()
            .name
    };
    assert_eq!(container("a:1"), "a:1");
    assert_eq!(container("docker.io/library/a:1"), "docker.io/library/a:1");
    // The name has been given to another image since.
    assert_eq!(container("a:2"), id);
    assert_eq!(container(""), id);
}

#[test]
fn images_are_listed_once_and_dangling_ones_when_asked_for() {
    let engine = FakeEngine::start("1.41");
    let id = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let list = json!([
        { "Id": id("3"), "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"] },
        { "Id": id("2"), "RepoTags": ["b:2", "b:1"], "RepoDigests": null },
        { "Id": id("1"), "RepoTags": null, "RepoDigests": [format!("c@{}", id("9"))] },
        { "Id": id("2"), "RepoTags": ["a:1"] },
        { "Id": id("4"), "RepoTags": [], "RepoDigests": [] },
    ]);
    engine.reply("/images/json", Reply::ok(list.to_string()));
    let engine = connect(&engine, AccessPreference::Automatic);
    let names = |include_dangling| -> Vec<String> {
        let images = engine.list_images(include_dangling).unwrap();
        images.iter().map(ImageSummary::name).collect()
    };
    assert_eq!(names(false), ["a:1".to_owned(), format!("c@{}", id("9"))]);
    assert_eq!(names(true).len(), 4);
    assert_eq!(
        engine.list_images(false).unwrap()[0].tags,
        ["a:1", "b:1", "b:2"]
    );
}

#[test]
fn an_engine_says_what_it_is() {
    let engine = FakeEngine::start("1.41");
    let version = json!({ "Version": "5.0.1", "Components": [{ "Name": "Podman Engine" }] });
    engine.reply("/version", Reply::ok(version.to_string()));
    engine.reply("/info", Reply::ok(r#"{"Driver":"overlay"}"#));
    let description = connect(&engine, AccessPreference::Automatic)
        .describe()
        .unwrap();
    assert_eq!(description.product, "Podman Engine");
    assert_eq!(
        (description.version.as_str(), description.storage.as_str()),
        ("5.0.1", "overlay")
    );
    assert_eq!(description.api_version.to_string(), "1.41");
    let obstacle = description.in_place_obstacle.unwrap();
    assert_eq!(obstacle, "the storage driver is overlay, not overlay2");
}

#[test]
fn a_platform_is_asked_for_where_the_engine_knows_platforms() {
    let image = image();
    let check = |version: &str, expected: &str| {
        let engine = FakeEngine::start(version);
        let mut asking = connect(&engine, AccessPreference::Automatic);
        asking.options.platform = Some("linux/arm64".parse().unwrap());
        assert!(asking.open(&image.image_id()).is_err());
        let request = engine.requests().pop().unwrap();
        assert!(request.contains(expected), "{request}");
    };
    check(
        "1.49",
        "json?platform=%7B%22architecture%22%3A%22arm64%22%2C%22os%22%3A%22linux%22%7D",
    );
    check("1.48", "json HTTP");
}

#[test]
fn the_engine_is_asked_once_where_it_keeps_layers() {
    let image = image();
    let engine = engine_with(&image, &image.image_id(), |_| {});
    let asking = connect(&engine, AccessPreference::Automatic);
    asking.open("a:1").unwrap();
    asking.open("a:1").unwrap();
    let requests = engine.requests();
    assert_eq!(
        requests
            .iter()
            .filter(|request| request.contains("/info"))
            .count(),
        1
    );
}

#[test]
fn missing_permission_is_the_news() {
    let unavailable = || ImageError::Unavailable {
        place: "x".to_owned(),
        reason: "y".to_owned(),
    };
    let denied = ImageError::Unauthorized {
        place: "z".to_owned(),
        reason: "no".to_owned(),
    };
    let error = no_engine("docker", vec![unavailable(), denied, unavailable()], &[]);
    assert!(matches!(error, ImageError::Unauthorized { .. }));
    let error = no_engine(
        "docker",
        vec![unavailable(), unavailable()],
        &["/a".to_owned()],
    )
    .to_string();
    assert_eq!(
        error,
        "cannot reach a docker engine: cannot reach x: y; cannot reach x: y; no socket at /a"
    );
}
