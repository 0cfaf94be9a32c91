//! The stores of containerd and Podman, for real: what is read in place must be what the archive
//! holds that was imported.
//!
//! Needs a containerd at the socket `CLEANBILL_TEST_CONTAINERD` with its data below
//! `CLEANBILL_TEST_CONTAINERD_ROOT` and the `ctr` command; and the `podman` command with a store
//! below `CLEANBILL_TEST_PODMAN_ROOT`, which is filled. Without them the tests are skipped, unless
//! `CLEANBILL_TEST_REQUIRE_SERVICES=1` says that they must run.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests may")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use cleanbill_core::layer::{
    EntryBody, EntryHeader, EntryKind, EntryVisitor, LayerError, LayerReader,
};
use cleanbill_image::docker::EngineEnvironment;
use cleanbill_image::{
    Capabilities, Containerd, Image, InputOptions, LayerSink, LocalImages, PodmanStorage,
    StoreOptions, open_input,
};
use cleanbill_testkit::{Compression, ImageBuilder};

const NAME: &str = "docker.io/cleanbill/store:1";

/// Returns a variable, or `None` if the test is to be skipped.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_required = std::env::var("CLEANBILL_TEST_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
    if value.is_none() {
        assert!(!is_required, "{name} must be set");
        eprintln!("skipped: {name} is not set");
    }
    value
}

fn image() -> ImageBuilder {
    ImageBuilder::new()
        .compression(Compression::Gzip)
        .tag(NAME)
        .layer(|layer| {
            layer
                .file("etc/a", b"1")
                .file("gone/b", b"2")
                .file("opaque/c", b"3")
        })
        .layer(|layer| {
            layer
                .whiteout("gone/b")
                .opaque("opaque")
                .file("opaque/d", b"4")
        })
        .layer(|layer| layer.symlink("etc/l", "a").file("etc/a", b"5"))
}

#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "the stores' own commands fill them"
)]
fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
}

/// Writes the archive that is imported.
fn archive(directory: &Path) -> String {
    let path = directory.join("image.tar");
    fs::write(&path, image().docker_archive()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Collects what the layers hold. Directories are left out: stores make up those above files.
#[derive(Default)]
struct Content(Vec<BTreeSet<String>>);

impl EntryVisitor for Content {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        if entry.kind != EntryKind::Directory {
            let mut content = String::new();
            if entry.kind == EntryKind::File {
                io::Read::read_to_string(body, &mut content)?;
            }
            let line = format!(
                "{:?} {} {}{content}",
                entry.kind, entry.path, entry.link_target
            );
            self.0.last_mut().unwrap().insert(line);
        }
        Ok(())
    }
}

impl LayerSink for Content {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        self.0.push(BTreeSet::new());
        reader.walk(self).map(drop)
    }
}

fn content(image: &Image) -> Vec<BTreeSet<String>> {
    let mut content = Content::default();
    for index in 0..image.metadata.layers.len() {
        content
            .layer(&mut *image.layers.open_layer(index).unwrap())
            .unwrap();
    }
    content.0
}

#[track_caller]
fn check(opened: &Image, archive: &str) {
    let mut sink = Content::default();
    let expected = open_input(archive, &InputOptions::default(), &mut sink)
        .unwrap()
        .remove(0);
    assert_eq!(opened.metadata.image_id, expected.metadata.image_id);
    let diff_ids = |image: &Image| -> Vec<_> {
        image
            .metadata
            .layers
            .iter()
            .map(|layer| layer.id.diff_id)
            .collect()
    };
    assert_eq!(diff_ids(opened), diff_ids(&expected));
    assert_eq!(content(opened), content(&expected), "{}", opened.access);
}

/// Makes a root directory in which a store lies at its usual place.
fn environment(root: &Path, usual: &str, store: &Path) -> EngineEnvironment {
    let place = root.join(usual);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    symlink(store, place).unwrap();
    EngineEnvironment {
        root: root.to_owned(),
        ..EngineEnvironment::default()
    }
}

fn options() -> StoreOptions {
    StoreOptions {
        capabilities: Capabilities::of_this_process(),
        ..StoreOptions::default()
    }
}

#[test]
fn service_containerd_is_read_in_place() {
    let (Some(address), Some(data)) = (
        variable("CLEANBILL_TEST_CONTAINERD"),
        variable("CLEANBILL_TEST_CONTAINERD_ROOT"),
    ) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let archive = archive(directory.path());
    run(
        "ctr",
        &[
            "--address",
            &address,
            "--namespace",
            "k8s.io",
            "images",
            "import",
            &archive,
        ],
    );
    let environment = environment(directory.path(), "var/lib/containerd", Path::new(&data));
    let containerd = Containerd::find(&environment, options()).unwrap();
    let images = LocalImages::Containerd(containerd);
    let opened = images.open("cleanbill/store:1").unwrap();
    assert_eq!(opened.metadata.repo_tags, ["cleanbill/store:1"]);
    check(&opened, &archive);
    let listed = images.list_images(false).unwrap();
    assert!(
        listed.iter().any(|image| image.tags == [NAME]),
        "{listed:?}"
    );

    let thrifty = without_layer_blobs(directory.path(), Path::new(&data));
    let containerd = Containerd::find(&thrifty, options()).unwrap();
    let opened = LocalImages::Containerd(containerd)
        .open("cleanbill/store:1")
        .unwrap();
    assert_eq!(opened.access, "unpacked layers in place");
    check(&opened, &archive);
}

/// Shows a store as one from which unpacked layers were discarded: what is left are documents.
fn without_layer_blobs(directory: &Path, data: &Path) -> EngineEnvironment {
    const BLOBS: &str = "io.containerd.content.v1.content/blobs/sha256";
    let root = directory.join("thrifty");
    let copy: PathBuf = root.join("var/lib/containerd");
    fs::create_dir_all(copy.join(BLOBS)).unwrap();
    for part in [
        "io.containerd.metadata.v1.bolt",
        "io.containerd.snapshotter.v1.overlayfs",
    ] {
        symlink(data.join(part), copy.join(part)).unwrap();
    }
    for blob in fs::read_dir(data.join(BLOBS)).unwrap() {
        let blob = blob.unwrap();
        let bytes = fs::read(blob.path()).unwrap();
        if bytes.starts_with(b"{") {
            fs::write(copy.join(BLOBS).join(blob.file_name()), bytes).unwrap();
        }
    }
    EngineEnvironment {
        root,
        ..EngineEnvironment::default()
    }
}

#[test]
fn service_podman_store_is_read_in_place() {
    let Some(store) = variable("CLEANBILL_TEST_PODMAN_ROOT") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let archive = archive(directory.path());
    // Podman remembers where it keeps what runs.
    let running = Path::new(&store).with_file_name("run");
    let place = ["--root", &store, "--runroot", running.to_str().unwrap()];
    let driver = ["--storage-driver", "overlay"];
    run(
        "podman",
        &[&place[..], &driver, &["load", "--input", &archive]].concat(),
    );
    let usual = "var/lib/containers/storage";
    let environment = environment(directory.path(), usual, Path::new(&store));
    let images = LocalImages::Podman(PodmanStorage::find(&environment, options()).unwrap());
    let opened = images.open("cleanbill/store:1").unwrap();
    assert_eq!(opened.metadata.repo_tags, [NAME]);
    check(&opened, &archive);
    assert!(!images.list_images(false).unwrap().is_empty());
}
