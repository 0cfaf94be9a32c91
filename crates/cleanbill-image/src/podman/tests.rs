use std::fs;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor};
use serde_json::json;

use super::*;
use crate::Capabilities;

const ALL: Capabilities = Capabilities {
    can_read_any_file: true,
    can_read_trusted_attributes: true,
};

/// A store as containers/storage leaves it, made by hand: an image of two layers.
struct Fixture {
    root: tempfile::TempDir,
}

fn layer_id(number: u32) -> String {
    Digest::of(&[number as u8]).to_hex()
}

fn diff_id(number: u32) -> String {
    Digest::of(&[number as u8, 1]).to_string()
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self {
            root: tempfile::tempdir().unwrap(),
        };
        let config = json!({
            "architecture": "amd64", "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": [diff_id(0), diff_id(1)] },
        });
        let config = config.to_string();
        let id = Digest::of(config.as_bytes());
        let document = format!("={}", STANDARD.encode(id.to_string()));
        fixture.write(
            &format!("overlay-images/{}/{document}", id.to_hex()),
            &config,
        );
        fixture.list(
            "overlay-images/images.json",
            &json!([{
                "id": id.to_hex(), "digest": diff_id(9), "layer": layer_id(1),
                "names": ["docker.io/library/a:1", "quay.io/b/c@".to_owned() + &diff_id(9)],
            }, {
                "id": layer_id(7), "digest": diff_id(7), "layer": layer_id(5), "names": null,
            }]),
        );
        fixture.layers(&json!({}));
        fixture.list(
            "overlay-containers/containers.json",
            &json!([{
                "id": layer_id(3), "names": ["web"], "image": id.to_hex(),
            }]),
        );
        for number in 0..2 {
            fixture.write(&format!("overlay/{}/diff/f{number}", layer_id(number)), "x");
        }
        fixture
    }

    fn layers(&self, flags: &serde_json::Value) {
        self.list("overlay-layers/layers.json", &json!([
            { "id": layer_id(0), "diff-digest": diff_id(0), "diff-size": 2048 },
            { "id": layer_id(1), "parent": layer_id(0), "diff-digest": diff_id(1), "diff-size": -1,
              "flags": flags },
        ]));
    }

    fn list(&self, path: &str, list: &serde_json::Value) {
        self.write(path, &list.to_string());
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(USUAL_ROOT).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn storage(&self) -> PodmanStorage {
        self.storage_with(ALL)
    }

    fn storage_with(&self, capabilities: Capabilities) -> PodmanStorage {
        let environment = EngineEnvironment {
            root: self.root.path().to_owned(),
            ..EngineEnvironment::default()
        };
        let options = StoreOptions {
            capabilities,
            ..StoreOptions::default()
        };
        PodmanStorage::find(&environment, options).unwrap()
    }
}

#[derive(Default)]
struct Paths(Vec<String>);

impl EntryVisitor for Paths {
    fn visit(&mut self, entry: &EntryHeader<'_>, _body: &mut dyn EntryBody) -> io::Result<()> {
        self.0.push(entry.path.to_owned());
        Ok(())
    }
}

#[test]
fn images_are_read_from_their_directories() {
    let fixture = Fixture::new();
    let image = fixture.storage().open("a:1").unwrap();
    assert_eq!(image.source, "podman");
    assert_eq!(image.metadata.repo_tags, ["docker.io/library/a:1"]);
    let digests = [
        format!("docker.io/library/a@{}", diff_id(9)),
        format!("quay.io/b/c@{}", diff_id(9)),
    ];
    assert_eq!(image.metadata.repo_digests, digests);
    for (index, size) in [(0, Some(2048)), (1, None)] {
        let mut paths = Paths::default();
        let summary = image
            .layers
            .open_layer(index)
            .unwrap()
            .walk(&mut paths)
            .unwrap();
        assert_eq!(summary.size_bytes, size);
        assert!(paths.0.contains(&format!("f{index}")), "{:?}", paths.0);
    }
}

#[test]
fn images_are_found_by_id_and_container() {
    let storage = Fixture::new().storage();
    let listed = storage.list_images(false);
    assert!(listed.is_err(), "the directory of the store is gone");
    let fixture = Fixture::new();
    let storage = fixture.storage();
    let listed = storage.list_images(false).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(storage.list_images(true).unwrap().len(), 2);
    assert!(storage.open(&listed[0].id.to_hex()[..12]).is_ok());
    assert!(storage.open_container("web").is_ok());
    assert!(storage.open_container(&layer_id(3)[..12]).is_ok());
    assert!(storage.open_container("other").is_err());
}

#[track_caller]
fn check_refused(fixture: &Fixture, capabilities: Capabilities, expected: &str) {
    let error = fixture
        .storage_with(capabilities)
        .open("a:1")
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn what_cannot_be_read_rightly_is_refused() {
    let fixture = Fixture::new();
    check_refused(&fixture, Capabilities::default(), "CAP_DAC_READ_SEARCH");
    let half = Capabilities {
        can_read_any_file: true,
        can_read_trusted_attributes: false,
    };
    check_refused(&fixture, half, "CAP_SYS_ADMIN");
    fixture.write("overlay/.has-mount-program", "true");
    check_refused(&fixture, ALL, "program in user space");
    fixture.write("overlay/.has-mount-program", "false");
    fixture.layers(&json!({ "incomplete": true }));
    check_refused(&fixture, ALL, "being made or removed");
    fixture.list("overlay-layers/layers.json", &json!([]));
    check_refused(&fixture, ALL, "not found");
}

#[test]
fn lists_that_lie_are_refused() {
    let fixture = Fixture::new();
    for layers in [
        json!([{ "id": "../../etc", "diff-digest": diff_id(0) }]),
        json!([{ "id": layer_id(1), "parent": layer_id(1), "diff-digest": diff_id(1) }]),
        json!([{ "id": layer_id(1), "diff-digest": diff_id(1) }]),
        json!([
            { "id": layer_id(0), "diff-digest": diff_id(4) },
            { "id": layer_id(1), "parent": layer_id(0), "diff-digest": diff_id(1) },
        ]),
        json!({}),
    ] {
        fixture.list("overlay-layers/layers.json", &layers);
        assert!(fixture.storage().open("a:1").is_err(), "{layers}");
    }
}

#[test]
fn a_layer_that_is_removed_meanwhile_is_an_error() {
    let fixture = Fixture::new();
    let image = fixture.storage().open("a:1").unwrap();
    let mut reader = image.layers.open_layer(0).unwrap();
    fixture.layers(&json!({ "incomplete": true }));
    let error = reader.walk(&mut Paths::default()).unwrap_err();
    let text = format!("{error}: {}", std::error::Error::source(&error).unwrap());
    assert!(text.contains("removed while it was read"), "{text}");
}

#[test]
fn settings_name_the_directory() {
    let fixture = Fixture::new();
    let settings = fixture.root.path().join(SETTINGS[0]);
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(settings, "[storage]\ngraphroot = \"/elsewhere\"\n").unwrap();
    let environment = EngineEnvironment {
        root: fixture.root.path().to_owned(),
        ..EngineEnvironment::default()
    };
    let error = PodmanStorage::find(&environment, StoreOptions::default()).unwrap_err();
    assert!(error.to_string().contains("elsewhere"), "{error}");
}

#[test]
fn the_store_is_where_podman_would_look_for_it() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, graph_root: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("[storage]\ngraphroot = \"{graph_root}\"\n")).unwrap();
        path
    };
    let mut environment = EngineEnvironment {
        root: root.path().to_owned(),
        data_home: Some(root.path().join("home/data")),
        config_home: Some(root.path().join("home/config")),
        ..EngineEnvironment::default()
    };
    let check = |environment: &EngineEnvironment, expected: &[&str]| {
        let expected: Vec<_> = expected.iter().map(|path| root.path().join(path)).collect();
        assert_eq!(roots(environment).unwrap(), expected);
    };
    check(&environment, &[USUAL_ROOT, "home/data/containers/storage"]);
    write("home/config/containers/storage.conf", "/of/user");
    check(&environment, &[USUAL_ROOT, "of/user"]);
    write(SETTINGS[0], "/of/system");
    check(&environment, &["of/system", "of/user"]);
    environment.containers_storage_conf = Some(write("own.conf", "/named"));
    check(&environment, &["named"]);
    environment.containers_storage_conf = Some(root.path().join("absent.conf"));
    let error = roots(&environment).unwrap_err().to_string();
    assert!(error.contains("CONTAINERS_STORAGE_CONF") && error.contains("absent.conf"));
}

#[test]
fn an_ambiguous_beginning_of_an_id_is_refused_with_the_candidates() {
    let fixture = Fixture::new();
    let image = fixture.storage().list_images(false).unwrap()[0].id.to_hex();
    let ids = [
        format!("abcd{}", "1".repeat(60)),
        format!("abcd{}", "2".repeat(60)),
    ];
    fixture.list(
        "overlay-containers/containers.json",
        &json!([
            { "id": ids[0], "names": ["web"], "image": image },
            { "id": ids[1], "names": null, "image": image },
            { "id": layer_id(3), "names": ["abcd"], "image": image },
        ]),
    );
    let storage = fixture.storage();
    let error = storage.open_container("abcd").map(|image| image.name);
    assert_eq!(
        error.unwrap(),
        "docker.io/library/a:1",
        "a name goes before"
    );
    let error = storage.open_container("abc").unwrap_err().to_string();
    let expected = format!("one container abc (it may be {}, web ({}))", ids[1], ids[0]);
    assert!(error.contains(&expected), "{error}");
    assert!(storage.open_container(&ids[1][..5]).is_ok());
    assert!(storage.open_container("").is_err());
}

#[test]
fn the_list_of_layers_is_read_again_only_when_it_changed() {
    let fixture = Fixture::new();
    let store = fixture.storage().store;
    // What the file holds is never looked at while it is the same file.
    fixture.write("overlay-layers/layers.json", "no list");
    let state = store.layers_state();
    let kept = KeptLayers::new(store.clone(), vec![layer_id(0)], state);
    assert_eq!(kept.check(), Ok(()));
    fixture.layers(&json!({}));
    assert_eq!(kept.check(), Ok(()), "it has changed, and lists the layer");
    let gone = KeptLayers::new(store, vec![layer_id(200)], state);
    assert!(gone.check().unwrap_err().contains(&layer_id(200)));
}
