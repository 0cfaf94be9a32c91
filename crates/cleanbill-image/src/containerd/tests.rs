use std::fs;
use std::io;

use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor};
use cleanbill_testkit::{BoltBucket, BoltWriter, Compression, ImageBuilder};

use super::*;
use crate::ReadContext;

/// A directory as containerd leaves it, made by hand.
struct Fixture {
    root: tempfile::TempDir,
    metadata: BoltBucket,
}

fn image() -> ImageBuilder {
    ImageBuilder::new()
        .compression(Compression::Gzip)
        .layer(|layer| layer.file("a", b"1").file("b", b"2"))
        .layer(|layer| layer.whiteout("a"))
}

/// Encodes a number as Go's `binary.PutVarint`.
fn varint(number: u64) -> Vec<u8> {
    let mut rest = number << 1;
    let mut bytes = Vec::new();
    while rest > 0x7f {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

impl Fixture {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            metadata: BoltBucket::default(),
        }
    }

    fn data(&self) -> PathBuf {
        self.root.path().join("var/lib/containerd")
    }

    /// Stores the blobs of an image, and its name.
    fn image(mut self, namespace: &str, name: &str, image: &ImageBuilder) -> Self {
        let layout = self.data().join(CONTENT);
        fs::create_dir_all(&layout).unwrap();
        image.write_oci_layout(&layout).unwrap();
        let index: serde_json::Value =
            serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        let target = &index["manifests"][0];
        self.name(
            namespace,
            name,
            target["digest"].as_str().unwrap(),
            target["size"].as_u64().unwrap(),
        );
        self
    }

    fn name(&mut self, namespace: &str, name: &str, digest: &str, size: u64) {
        let images = self
            .metadata
            .bucket("v1")
            .bucket(namespace)
            .bucket("images");
        let target = images.bucket(name).bucket("target");
        target.put("digest", digest).put("size", varint(size));
        target.put("mediatype", "application/vnd.oci.image.manifest.v1+json");
    }

    fn write(&self) {
        let path = self.data().join(METADATA);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, BoltWriter::default().write(&self.metadata)).unwrap();
    }

    fn containerd(&self, namespace: Option<&str>) -> Containerd {
        self.write();
        let environment = EngineEnvironment {
            root: self.root.path().to_owned(),
            containerd_namespace: namespace.map(str::to_owned),
            ..EngineEnvironment::default()
        };
        Containerd::find(&environment, StoreOptions::default()).unwrap()
    }
}

#[derive(Default)]
struct Paths(Vec<String>);

impl EntryVisitor for Paths {
    fn visit(&mut self, entry: &EntryHeader<'_>, _body: &mut dyn EntryBody) -> io::Result<()> {
        self.0.push(format!("{:?} {}", entry.kind, entry.path));
        Ok(())
    }
}

fn paths(image: &Image) -> Vec<String> {
    let mut paths = Paths::default();
    for index in 0..image.metadata.layers.len() {
        image
            .layers
            .open_layer(index)
            .unwrap()
            .walk(&mut paths)
            .unwrap();
    }
    paths.0
}

#[test]
fn images_are_read_from_their_blobs() {
    let fixture = Fixture::new().image("k8s.io", "docker.io/library/a:1", &image());
    let opened = fixture.containerd(None).open("a:1").unwrap();
    assert_eq!(opened.source, "containerd");
    assert_eq!(opened.metadata.repo_tags, ["a:1"]);
    assert!(opened.metadata.repo_digests[0].starts_with("a@sha256:"));
    assert!(
        opened
            .metadata
            .layers
            .iter()
            .all(|layer| layer.id.digest.is_some())
    );
    let paths = paths(&opened);
    assert!(paths.contains(&"File b".to_owned()), "{paths:?}");
    assert!(paths.contains(&"Whiteout a".to_owned()), "{paths:?}");
}

#[test]
fn namespaces_part_images() {
    let other = ImageBuilder::new().layer(|layer| layer.file("c", b"3"));
    let fixture = Fixture::new()
        .image("k8s.io", "docker.io/library/a:1", &image())
        .image("default", "docker.io/library/a:1", &other);
    let any = fixture.containerd(None).open("a:1").unwrap();
    assert_eq!(any.metadata.layers.len(), 1, "default comes first");
    let named = fixture.containerd(Some("k8s.io")).open("a:1").unwrap();
    assert_eq!(named.metadata.layers.len(), 2);
    let error = fixture.containerd(Some("moby")).open("a:1").unwrap_err();
    assert!(error.to_string().contains("namespace moby"), "{error}");
    assert_eq!(fixture.containerd(None).list_images().unwrap().len(), 2);
    assert_eq!(
        fixture
            .containerd(Some("k8s.io"))
            .list_images()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn images_are_found_by_id_and_container() {
    let mut fixture = Fixture::new().image("k8s.io", "docker.io/library/a:1", &image());
    let containers = fixture
        .metadata
        .bucket("v1")
        .bucket("k8s.io")
        .bucket("containers");
    containers
        .bucket("abcdef")
        .put("image", "docker.io/library/a:1");
    let containerd = fixture.containerd(None);
    let summary = containerd.list_images().unwrap().remove(0);
    assert_eq!(summary.tags, ["docker.io/library/a:1"]);
    assert!(containerd.open(&summary.id.to_string()).is_ok());
    assert!(containerd.open(&summary.id.to_hex()[..10]).is_ok());
    assert_eq!(
        containerd.open_container("abc").unwrap().metadata.repo_tags,
        ["a:1"]
    );
    assert!(containerd.open_container("x").is_err());
}

#[test]
fn a_missing_blob_without_a_snapshot_is_an_error() {
    let fixture = Fixture::new().image("default", "docker.io/library/a:1", &image());
    let containerd = fixture.containerd(None);
    let digest = containerd.open("a:1").unwrap().metadata.layers[0]
        .id
        .digest
        .unwrap();
    let blob = fixture
        .data()
        .join(CONTENT)
        .join("blobs/sha256")
        .join(digest.to_hex());
    fs::remove_file(blob).unwrap();
    assert!(containerd.open("a:1").is_err());
}

#[test]
fn settings_name_the_directory() {
    let fixture = Fixture::new().image("default", "docker.io/library/a:1", &image());
    fixture.write();
    let settings = fixture.root.path().join(SETTINGS);
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(settings, "version = 2\nroot = \"/elsewhere\"\n").unwrap();
    let environment = EngineEnvironment {
        root: fixture.root.path().to_owned(),
        ..EngineEnvironment::default()
    };
    let error = Containerd::find(&environment, StoreOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("elsewhere/io.containerd.metadata"),
        "{error}"
    );
}

#[test]
fn metadata_that_makes_no_sense_is_an_error() {
    let fixture = Fixture::new();
    let containerd = fixture.containerd(None);
    assert_eq!(containerd.list_images().unwrap(), []);
    let path = fixture.data().join(METADATA);
    for bytes in [&b""[..], &[0; 8192], &[0xff; 20_000]] {
        fs::write(&path, bytes).unwrap();
        assert!(containerd.list_images().is_err());
    }
}

#[test]
fn a_file_that_is_written_meanwhile_is_read_whole() {
    let mut fixture = Fixture::new().image("default", "docker.io/library/a:1", &image());
    fixture.write();
    let path = fixture.data().join(METADATA);
    let one = fs::read(&path).unwrap();
    let digest = format!("sha256:{}", "0".repeat(64));
    for number in 0..200 {
        fixture.name(
            "default",
            &format!("docker.io/library/b:{number}"),
            &digest,
            1,
        );
    }
    fixture.write();
    let other = fs::read(&path).unwrap();
    let context = ReadContext::default();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..50 {
                for state in [&one, &other] {
                    fs::write(path.with_extension("new"), state).unwrap();
                    fs::rename(path.with_extension("new"), &path).unwrap();
                }
            }
        });
        while !writer.is_finished() {
            let metadata = Metadata::read(&path, &context).unwrap();
            let count = metadata.images(None).unwrap().len();
            assert!(count == 1 || count == 201, "{count}");
        }
    });
}
