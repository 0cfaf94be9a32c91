use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor};
use cleanbill_testkit::{Compression, ImageBuilder, OciLayoutBuilder};
use tempfile::TempDir;

use super::super::model::{EngineInfo, ImageInspect};
use super::*;
use crate::Capabilities;

fn image() -> ImageBuilder {
    ImageBuilder::new()
        .layer(|l| l.file("etc/os-release", "ID=x\n"))
        .layer(|l| l.file("srv/a", "a"))
        .layer_compression(Compression::Zstd)
        .layer(|l| l.whiteout("srv/a"))
        .layer_compression(Compression::None)
        .compression(Compression::Gzip)
        .tag("a:1")
}

fn other_platform() -> ImageBuilder {
    image()
        .platform("linux", "arm64", "v8")
        .layer(|l| l.file("arm", "64"))
}

/// Writes a content store as containerd lays it out, and returns the id of the image in it.
fn store(directory: &TempDir, layout: &OciLayoutBuilder) -> (PathBuf, String) {
    layout.write(directory.path()).unwrap();
    let index = fs::read(directory.path().join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let id = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
    (directory.path().join("blobs/sha256"), id)
}

fn inspected(id: &str, image: &ImageBuilder) -> Inspected {
    let answer = serde_json::json!({
        "Id": id, "Os": "linux", "RootFS": { "Layers": image.diff_ids() },
    });
    let answer: ImageInspect = serde_json::from_value(answer).unwrap();
    Inspected::new(answer, "a:1", &Limits::default()).unwrap()
}

fn find_at(stores: &[PathBuf], inspected: &Inspected) -> Result<InPlace, NotInPlace> {
    let context = ReadContext::default();
    let surroundings = Surroundings {
        info: &EngineInfo::default(),
        capabilities: Capabilities::default(),
        context: &context,
    };
    find_in(stores, inspected, &surroundings)
}

#[derive(Default)]
struct Paths(Vec<String>);

impl EntryVisitor for Paths {
    fn visit(&mut self, entry: &EntryHeader<'_>, _body: &mut dyn EntryBody) -> std::io::Result<()> {
        self.0.push(entry.path.to_owned());
        Ok(())
    }
}

#[track_caller]
fn check_image(place: &InPlace, image: &ImageBuilder) {
    let paths = [["etc", "etc/os-release"].as_slice(), &["srv/a"], &["srv/a"]];
    for (index, diff_id) in image.diff_ids().iter().enumerate().take(3) {
        let mut visitor = Paths::default();
        let summary = place
            .layers
            .open_layer(index)
            .unwrap()
            .walk(&mut visitor)
            .unwrap();
        assert_eq!(summary.diff_id.unwrap().to_string(), *diff_id);
        assert!(
            visitor
                .0
                .ends_with(&[(*paths[index].last().unwrap()).to_owned()])
        );
        assert!(place.layers.stored_size_bytes(index).unwrap() > 0);
    }
    assert!(place.layers.open_layer(99).is_err());
    assert!(!place.layers.is_sequential());
    let config = place.config.as_ref().unwrap();
    assert_eq!(config.rootfs.diff_ids, image.diff_ids());
}

#[test]
fn an_image_is_found_by_its_manifest() {
    let directory = tempfile::tempdir().unwrap();
    let (store, id) = store(&directory, &OciLayoutBuilder::new().image(&image()));
    let stores = [directory.path().join("none"), store];
    let place = find_at(&stores, &inspected(&id, &image())).unwrap();
    check_image(&place, &image());
    // Only compressed layers have a digest of their own.
    let digests: Vec<bool> = place.digests.iter().map(Option::is_some).collect();
    assert_eq!(digests, [true, true, false]);
}

#[test]
fn an_index_leads_to_the_platform_that_the_engine_described() {
    let directory = tempfile::tempdir().unwrap();
    let layout = OciLayoutBuilder::new().index("a:1", &[&other_platform(), &image()]);
    let (store, id) = store(&directory, &layout);
    // As an engine has it: of the other platform nothing but the entry in the index.
    let (manifest, _) = other_platform().oci_manifest();
    fs::remove_file(store.join(manifest.digest.trim_start_matches("sha256:"))).unwrap();
    let place = find_at(&[store], &inspected(&id, &image())).unwrap();
    check_image(&place, &image());
}

#[track_caller]
fn check_refused(spoil: impl Fn(&Path), image_asked_for: &ImageBuilder, reason: &str) {
    let directory = tempfile::tempdir().unwrap();
    let (store, id) = store(&directory, &OciLayoutBuilder::new().image(&image()));
    spoil(&store);
    let result = find_at(&[store], &inspected(&id, image_asked_for));
    let error = result.err().unwrap().to_string();
    assert!(error.contains(reason), "{error}");
}

fn blob_path(store: &Path, digest: &str) -> PathBuf {
    store.join(digest.trim_start_matches("sha256:"))
}

#[test]
fn a_store_that_does_not_fit_is_refused() {
    let (manifest, blobs) = image().oci_manifest();
    let (config, layer) = (&blobs[0].digest, &blobs[1].digest);
    check_refused(
        |store| fs::remove_file(blob_path(store, &manifest.digest)).unwrap(),
        &image(),
        "cannot read",
    );
    check_refused(
        |store| fs::write(blob_path(store, &manifest.digest), "{}").unwrap(),
        &image(),
        "has digest",
    );
    check_refused(
        |store| fs::write(blob_path(store, config), "{}").unwrap(),
        &image(),
        "has digest",
    );
    check_refused(
        |store| fs::remove_file(blob_path(store, layer)).unwrap(),
        &image(),
        "absent or incomplete",
    );
    check_refused(
        |store| fs::write(blob_path(store, layer), "short").unwrap(),
        &image(),
        "absent or incomplete",
    );
    check_refused(|_| {}, &other_platform(), "other layers");
    check_refused(|_| {}, &ImageBuilder::new(), "states no layers");
}

#[test]
fn a_blob_that_is_another_is_an_error_with_both_digests() {
    let directory = tempfile::tempdir().unwrap();
    let (store, id) = store(&directory, &OciLayoutBuilder::new().image(&image()));
    let (_, blobs) = image().oci_manifest();
    let path = blob_path(&store, &blobs[2].digest);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let place = find_at(&[store], &inspected(&id, &image())).unwrap();
    let mut reader = place.layers.open_layer(1).unwrap();
    assert!(reader.walk(&mut Paths::default()).is_err());
}

#[test]
fn the_engines_own_containerd_is_looked_at_first() {
    let directory = tempfile::tempdir().unwrap();
    let (store, id) = store(&directory, &OciLayoutBuilder::new().image(&image()));
    let root = tempfile::tempdir().unwrap();
    let own = root.path().join(OWN_CONTAINERD).join(CONTENT);
    fs::create_dir_all(own.parent().unwrap()).unwrap();
    fs::rename(store, own).unwrap();
    let info = EngineInfo {
        docker_root_dir: root.path().to_str().unwrap().to_owned(),
        ..EngineInfo::default()
    };
    let context = ReadContext::default();
    let capabilities = Capabilities::default();
    let surroundings = Surroundings {
        info: &info,
        capabilities,
        context: &context,
    };
    check_image(
        &find(&inspected(&id, &image()), &surroundings).unwrap(),
        &image(),
    );
}
