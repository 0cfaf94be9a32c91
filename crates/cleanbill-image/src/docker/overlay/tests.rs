use std::fs;

use cleanbill_core::layer::{EntryBody, EntryHeader, EntryKind};
use cleanbill_core::{DiffId, Digest, Limits};
use tempfile::TempDir;

use super::super::layer_database::chain_ids;
use super::super::model::ImageInspect;
use super::*;
use crate::Capabilities;

const ROOT: Capabilities = Capabilities {
    can_read_any_file: true,
    can_read_trusted_attributes: true,
};

/// Lays out an engine's data directory with an image of two layers.
struct Fixture {
    root: TempDir,
    diff_ids: Vec<DiffId>,
    info: EngineInfo,
    answer: ImageInspect,
    capabilities: Capabilities,
}

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let diff_ids = [b"a", b"b"].map(|text| DiffId(Digest::of(text))).to_vec();
        for (index, (chain_id, diff_id)) in chain_ids(&diff_ids).iter().zip(&diff_ids).enumerate() {
            let entry = root
                .path()
                .join("image/overlay2/layerdb/sha256")
                .join(chain_id.to_hex());
            fs::create_dir_all(&entry).unwrap();
            fs::write(entry.join("diff"), diff_id.to_string()).unwrap();
            fs::write(entry.join("cache-id"), format!("id{index}")).unwrap();
            fs::write(entry.join("size"), "5").unwrap();
            let directory = root.path().join(format!("overlay2/id{index}/diff"));
            fs::create_dir_all(directory.join("etc")).unwrap();
            fs::write(directory.join(format!("etc/file{index}")), "12345").unwrap();
        }
        let path = |index| root.path().join(format!("overlay2/id{index}/diff"));
        let answer = serde_json::json!({
            "Id": Digest::of(b"config").to_string(), "Os": "linux",
            "RootFS": { "Layers": diff_ids.iter().map(ToString::to_string).collect::<Vec<_>>() },
            "GraphDriver": { "Name": "overlay2", "Data": {
                "UpperDir": path(1), "LowerDir": path(0), "MergedDir": "/m", "WorkDir": "/w" } },
        });
        let info = serde_json::json!({
            "Driver": "overlay2", "DockerRootDir": root.path(),
            "DriverStatus": [["Native Overlay Diff", "true"], ["userxattr", "false"]],
        });
        Self {
            diff_ids,
            answer: serde_json::from_value(answer).unwrap(),
            info: serde_json::from_value(info).unwrap(),
            capabilities: ROOT,
            root,
        }
    }

    fn find(&self) -> Result<InPlace, NotInPlace> {
        let context = ReadContext::default();
        let inspected = Inspected::new(self.answer.clone(), "a", &Limits::default()).unwrap();
        let surroundings = Surroundings {
            info: &self.info,
            capabilities: self.capabilities,
            context: &context,
        };
        find(&inspected, &surroundings)
    }

    fn set_status(&mut self, name: &str, value: &str) {
        self.info.driver_status = vec![vec![name.to_owned(), value.to_owned()]];
    }
}

#[derive(Default)]
struct Files(Vec<String>);

impl EntryVisitor for Files {
    fn visit(&mut self, entry: &EntryHeader<'_>, _body: &mut dyn EntryBody) -> std::io::Result<()> {
        if entry.kind == EntryKind::File {
            self.0.push(entry.path.to_owned());
        }
        Ok(())
    }
}

#[test]
fn layers_are_read_in_their_directories() {
    let fixture = Fixture::new();
    let place = fixture.find().unwrap();
    for index in 0..2 {
        let mut files = Files::default();
        let summary = place
            .layers
            .open_layer(index)
            .unwrap()
            .walk(&mut files)
            .unwrap();
        assert_eq!(files.0, [format!("etc/file{index}")]);
        // There is no log in this fixture, so the size is not known; the walk does not mind.
        assert_eq!(summary.size_bytes, None);
        assert_eq!(place.layers.stored_size_bytes(index), Some(5));
    }
    assert!(place.layers.open_layer(2).is_err());
    assert!(place.config.is_none());
    assert_eq!(place.access, "overlay2 in place");
}

#[test]
fn the_size_of_the_stream_comes_from_the_engines_log() {
    let fixture = Fixture::new();
    let chain_id = chain_ids(&fixture.diff_ids)[0].to_hex();
    let log = fixture
        .root
        .path()
        .join("image/overlay2/layerdb/sha256")
        .join(chain_id);
    let line = "{\"type\":1,\"name\":\"etc/file0\",\"size\":4096,\"position\":0}\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, line.as_bytes()).unwrap();
    fs::write(log.join("tar-split.json.gz"), encoder.finish().unwrap()).unwrap();
    let place = fixture.find().unwrap();
    let summary = place
        .layers
        .open_layer(0)
        .unwrap()
        .walk(&mut Files::default())
        .unwrap();
    assert_eq!(summary.size_bytes, Some(4096));
}

#[test]
fn the_stored_configuration_is_read_and_verified() {
    let mut fixture = Fixture::new();
    let directory = fixture
        .root
        .path()
        .join("image/overlay2/imagedb/content/sha256");
    fs::create_dir_all(&directory).unwrap();
    let config = br#"{"docker_version":"20.10"}"#;
    let id = Digest::of(config);
    fixture.answer.id = id.to_string();
    fs::write(directory.join(id.to_hex()), config).unwrap();
    assert_eq!(
        fixture.find().unwrap().config.unwrap().docker_version,
        "20.10"
    );
    fs::write(directory.join(id.to_hex()), "{}").unwrap();
    assert!(
        fixture
            .find()
            .err()
            .unwrap()
            .to_string()
            .contains("has digest")
    );
}

#[track_caller]
fn check_refused(change: impl Fn(&mut Fixture), reason: &str) {
    let mut fixture = Fixture::new();
    change(&mut fixture);
    let error = fixture.find().err().unwrap().to_string();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn what_cannot_be_read_rightly_is_left_to_the_export() {
    check_refused(
        |fixture| fixture.answer.graph_driver.name = "btrfs".into(),
        "driver is btrfs",
    );
    check_refused(
        |fixture| fixture.answer.graph_driver.name.clear(),
        "driver is unknown",
    );
    check_refused(
        |fixture| fixture.capabilities = Capabilities::default(),
        "CAP_DAC_READ_SEARCH",
    );
    check_refused(
        |fixture| fixture.capabilities.can_read_trusted_attributes = false,
        "CAP_SYS_ADMIN",
    );
    check_refused(
        |fixture| fixture.set_status("Native Overlay Diff", "false"),
        "redirect_dir",
    );
    check_refused(
        |fixture| fixture.info.docker_root_dir.clear(),
        "data directory",
    );
    check_refused(
        |fixture| fixture.info.docker_root_dir = "/nowhere".into(),
        "cannot read",
    );
    check_refused(
        |fixture| fixture.answer.root_fs.layers.clear(),
        "states no layers",
    );
}

#[test]
fn directories_that_the_engine_does_not_name_are_not_read() {
    let swap = |fixture: &mut Fixture| {
        let data = &mut fixture.answer.graph_driver.data;
        std::mem::swap(&mut data.upper_dir, &mut data.lower_dir);
    };
    check_refused(swap, "names other directories");
    check_refused(
        |fixture| fixture.answer.graph_driver.data.lower_dir.clear(),
        "names other directories",
    );
    check_refused(
        |fixture| fixture.answer.graph_driver.data.lower_dir.push_str(":/x"),
        "names other directories",
    );
}

#[test]
fn a_rootless_engine_marks_directories_with_user_attributes() {
    let mut fixture = Fixture::new();
    fixture.set_status("userxattr", "true");
    fixture.capabilities.can_read_trusted_attributes = false;
    assert!(fixture.find().is_ok());
}

/// Does something at the first file, as the engine might at any time.
struct AtFirstFile<F>(Option<F>);

impl<F: FnOnce()> EntryVisitor for AtFirstFile<F> {
    fn visit(&mut self, entry: &EntryHeader<'_>, _body: &mut dyn EntryBody) -> std::io::Result<()> {
        if entry.kind == EntryKind::File
            && let Some(act) = self.0.take()
        {
            act();
        }
        Ok(())
    }
}

/// Walks the base layer while the engine's record of it, or the directory, is changed.
#[track_caller]
fn check_given_up(change: impl FnOnce(&std::path::Path, &std::path::Path), reason: &str) {
    let fixture = Fixture::new();
    let records = fixture.root.path().join("image/overlay2/layerdb/sha256");
    let entry = records.join(chain_ids(&fixture.diff_ids)[0].to_hex());
    fs::write(entry.join("tar-split.json.gz"), "").unwrap();
    let place = fixture.find().unwrap();
    let directory = fixture.root.path().join("overlay2/id0/diff");
    let mut visitor = AtFirstFile(Some(|| change(&entry, &directory)));
    let walked = place.layers.open_layer(0).unwrap().walk(&mut visitor);
    assert!(visitor.0.is_none(), "no file was shown");
    let Err(LayerError::Read { what, source }) = walked else {
        panic!("{walked:?}")
    };
    let text = format!("{what}: {source}");
    assert!(text.contains(reason), "{text}");
}

#[test]
fn a_layer_that_is_removed_while_it_is_read_is_an_error() {
    check_given_up(
        |entry, _| fs::rename(entry, entry.with_extension("removing")).unwrap(),
        "was removed while it was read: cannot read",
    );
    check_given_up(
        |entry, _| fs::write(entry.join("cache-id"), "id7").unwrap(),
        "names id7, no longer id0",
    );
    check_given_up(
        |entry, _| fs::write(entry.join("diff"), "sha256:0").unwrap(),
        "is of sha256:0",
    );
    check_given_up(
        |entry, _| fs::remove_file(entry.join("tar-split.json.gz")).unwrap(),
        "tar-split.json.gz is gone",
    );
    check_given_up(
        |_, directory| fs::remove_dir_all(directory).unwrap(),
        "overlay2/id0/diff: No such file",
    );
}
