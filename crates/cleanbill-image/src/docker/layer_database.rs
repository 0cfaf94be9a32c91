//! The engine's own record of which directory holds which layer.
//!
//! `<root>/image/<driver>/layerdb/sha256/<chain id>/` has the files `diff` (the diff id),
//! `cache-id` (the name of the directory below `<root>/<driver>/`), `size` (bytes of its files) and
//! `tar-split.json.gz` (what was lost when the layer was unpacked). A chain id is made of the diff
//! ids up to a layer, so the record proves that a directory belongs to exactly this layer of
//! exactly this image.
//!
//! Source: moby `layer/filestore.go`, `layer/layer.go` (`CreateChainID`).

use std::fmt;
use std::path::{Path, PathBuf};

use cleanbill_core::{DiffId, Digest};

use super::host_file;

/// Reads the layer records of one graph driver.
#[derive(Clone, Debug)]
pub(super) struct LayerDatabase {
    root: PathBuf,
    driver: &'static str,
}

/// Holds what the engine recorded about a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LayerRecord {
    /// The directory with the layer's content.
    pub(super) directory: PathBuf,
    /// The compressed log from which the tar stream can be put together again.
    pub(super) tar_split: PathBuf,
    /// The file with the bytes of all files of the layer.
    size: PathBuf,
    /// The directory of the record itself.
    entry: PathBuf,
    diff_id: DiffId,
    cache_id: String,
}

impl LayerRecord {
    /// Returns the bytes of all files of the layer, where the engine recorded them.
    pub(super) fn content_size_bytes(&self) -> Option<u64> {
        host_file::read_line(&self.size).ok()?.parse().ok()
    }

    /// Checks that the engine still records the same directory for the layer. It takes the record
    /// away before it removes the directory, so until now nothing was removed.
    ///
    /// Source: moby `layer/layer_store.go` (`deleteLayer`).
    pub(super) fn check_unchanged(&self) -> Result<(), NoRecord> {
        let cache_id = recorded_cache_id(&self.entry, &self.diff_id)?;
        if cache_id != self.cache_id {
            let (entry, before) = (self.entry.display(), &self.cache_id);
            let reason = format!("{entry} names {cache_id}, no longer {before}");
            return Err(NoRecord(reason));
        }
        Ok(())
    }
}

/// Says why the record of a layer does not help.
#[derive(Debug)]
pub(super) struct NoRecord(String);

impl fmt::Display for NoRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl LayerDatabase {
    /// Names the database below the engine's data directory.
    pub(super) fn new(root: &Path, driver: &'static str) -> Self {
        Self {
            root: root.to_owned(),
            driver,
        }
    }

    /// Returns the file in which the engine keeps an image's configuration.
    ///
    /// Source: moby `image/fs.go`.
    pub(super) fn config_path(&self, image_id: &Digest) -> PathBuf {
        let content = self
            .root
            .join("image")
            .join(self.driver)
            .join("imagedb/content/sha256");
        content.join(image_id.to_hex())
    }

    /// Says whether the records can be read at all.
    pub(super) fn check(&self) -> Result<(), NoRecord> {
        let path = self.root.join("image").join(self.driver).join("layerdb");
        let readable = std::fs::read_dir(&path).map(|_| ());
        readable.map_err(|error| NoRecord(format!("cannot read {}: {error}", path.display())))
    }

    /// Finds the records of an image's layers, base first.
    pub(super) fn find(&self, diff_ids: &[DiffId]) -> Result<Vec<LayerRecord>, NoRecord> {
        chain_ids(diff_ids)
            .into_iter()
            .zip(diff_ids)
            .map(|(chain_id, diff_id)| self.record(&chain_id, diff_id))
            .collect()
    }

    fn record(&self, chain_id: &Digest, diff_id: &DiffId) -> Result<LayerRecord, NoRecord> {
        let entry = self
            .root
            .join("image")
            .join(self.driver)
            .join("layerdb/sha256");
        let entry = entry.join(chain_id.to_hex());
        let cache_id = recorded_cache_id(&entry, diff_id)?;
        let directory = self.root.join(self.driver).join(&cache_id).join("diff");
        if !directory.is_dir() {
            return Err(NoRecord(format!("{} is no directory", directory.display())));
        }
        Ok(LayerRecord {
            directory,
            tar_split: entry.join("tar-split.json.gz"),
            size: entry.join("size"),
            entry,
            diff_id: *diff_id,
            cache_id,
        })
    }
}

/// Reads which directory a record names, provided that it is about this layer.
fn recorded_cache_id(entry: &Path, diff_id: &DiffId) -> Result<String, NoRecord> {
    let line = |name: &str| {
        let path = entry.join(name);
        host_file::read_line(&path)
            .map_err(|error| NoRecord(format!("cannot read {}: {error}", path.display())))
    };
    let recorded = line("diff")?;
    if recorded != diff_id.to_string() {
        let reason = format!("{} is of {recorded}, not {diff_id}", entry.display());
        return Err(NoRecord(reason));
    }
    let cache_id = line("cache-id")?;
    if !is_directory_name(&cache_id) {
        let path = entry.join("cache-id");
        let reason = format!("{} holds no directory name", path.display());
        return Err(NoRecord(reason));
    }
    Ok(cache_id)
}

/// Says that a text is one component of a path and stays where it is put.
fn is_directory_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Computes the chain ids of layers, base first: that of the base is its diff id, each other the
/// digest of the chain id below, a space and its own diff id.
///
/// Source: OCI image-spec 1.1, config.md, "Layer ChainID".
pub(crate) fn chain_ids(diff_ids: &[DiffId]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        let id = match chain.last() {
            None => diff_id.0,
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
        };
        chain.push(id);
    }
    chain
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn diff_ids() -> Vec<DiffId> {
        [b"a", b"b"].map(|text| DiffId(Digest::of(text))).to_vec()
    }

    /// Writes the records of two layers.
    fn database(root: &Path) -> LayerDatabase {
        for (number, (chain_id, diff_id)) in
            chain_ids(&diff_ids()).iter().zip(diff_ids()).enumerate()
        {
            let entry = root
                .join("image/overlay2/layerdb/sha256")
                .join(chain_id.to_hex());
            fs::create_dir_all(&entry).unwrap();
            fs::write(entry.join("diff"), diff_id.to_string()).unwrap();
            fs::write(entry.join("cache-id"), format!("layer{number}")).unwrap();
            fs::create_dir_all(root.join(format!("overlay2/layer{number}/diff"))).unwrap();
        }
        LayerDatabase::new(root, "overlay2")
    }

    fn entry(root: &Path, index: usize) -> PathBuf {
        let id = chain_ids(&diff_ids())[index].to_hex();
        root.join("image/overlay2/layerdb/sha256").join(id)
    }

    #[test]
    fn chain_ids_follow_the_specification() {
        // Computed with `printf 'sha256:… sha256:…' | sha256sum`.
        let chain = chain_ids(&diff_ids());
        assert_eq!(chain[0], diff_ids()[0].0);
        assert_eq!(
            chain[1].to_hex(),
            "51c0c8ace48498d6f5fee6b0592cc06f2da0f3cbe09c5a34a97dce85c3889676"
        );
    }

    #[test]
    fn directories_are_found_base_first() {
        let root = tempfile::tempdir().unwrap();
        let records = database(root.path()).find(&diff_ids()).unwrap();
        let names: Vec<_> = records
            .iter()
            .map(|record| record.directory.clone())
            .collect();
        assert_eq!(
            names,
            [
                root.path().join("overlay2/layer0/diff"),
                root.path().join("overlay2/layer1/diff")
            ]
        );
    }

    #[track_caller]
    fn check_refused(spoil: impl Fn(&Path), reason: &str) {
        let root = tempfile::tempdir().unwrap();
        let database = database(root.path());
        spoil(root.path());
        let error = database.find(&diff_ids()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn a_record_that_does_not_fit_is_refused() {
        check_refused(
            |root| fs::remove_file(entry(root, 1).join("diff")).unwrap(),
            "cannot read",
        );
        check_refused(
            |root| fs::write(entry(root, 1).join("diff"), "sha256:0").unwrap(),
            "not sha",
        );
        check_refused(
            |root| fs::write(entry(root, 1).join("cache-id"), "../../etc").unwrap(),
            "no directory name",
        );
        check_refused(
            |root| fs::write(entry(root, 0).join("cache-id"), "").unwrap(),
            "no directory",
        );
        check_refused(
            |root| fs::remove_dir_all(root.join("overlay2/layer1")).unwrap(),
            "is no directory",
        );
    }
}
