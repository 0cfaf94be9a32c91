//! The lists of the store.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill_core::{Digest, ImageReference};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::file::{Bound, read_document};
use crate::{ImageError, ReadContext};

const IMAGES: &str = "overlay-images/images.json";
const LAYERS: &str = "overlay-layers/layers.json";
const CONTAINERS: &str = "overlay-containers/containers.json";
/// Says whether a program in user space mounts layers: it marks hidden files in its own way.
const MOUNT_PROGRAM: &str = "overlay/.has-mount-program";

/// Reads the lists.
#[derive(Clone, Debug)]
pub(super) struct Store {
    root: PathBuf,
    context: ReadContext,
}

/// An image.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct ImageRecord {
    pub(super) id: String,
    /// The digest of its manifest.
    digest: String,
    #[serde(deserialize_with = "crate::oci::or_default")]
    pub(super) names: Vec<String>,
    /// The id of its upper layer; empty if it has none.
    pub(super) layer: String,
}

/// A layer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct LayerRecord {
    pub(super) id: String,
    /// The id of the layer below; empty for a base.
    pub(super) parent: String,
    /// The diff id.
    pub(super) diff_digest: String,
    /// Bytes of the tar stream; -1 if unknown.
    diff_size: i64,
    #[serde(deserialize_with = "crate::oci::or_default")]
    flags: Flags,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Flags {
    incomplete: bool,
}

/// A container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerRecord {
    pub(super) id: String,
    #[serde(deserialize_with = "crate::oci::or_default")]
    pub(super) names: Vec<String>,
    /// The id of its image.
    pub(super) image: String,
}

impl ImageRecord {
    /// Returns the ids that a person may know it by.
    pub(super) fn ids(&self) -> Vec<Digest> {
        [format!("sha256:{}", self.id), self.digest.clone()]
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect()
    }

    /// Returns the tags and digests that reports print, as Podman's own answers have them.
    pub(super) fn repository_names(&self) -> (Vec<String>, Vec<String>) {
        let (mut tags, mut digests) = (Vec::new(), Vec::new());
        for name in &self.names {
            let Ok(reference) = name.parse::<ImageReference>() else {
                continue;
            };
            let end = name.find('@').unwrap_or(name.len());
            let tag = reference.tag.as_ref().map_or(0, |tag| tag.len() + 1);
            let repository = name.get(..end.saturating_sub(tag)).unwrap_or(name);
            let stated = reference.digest.map(|digest| digest.to_string());
            if stated.is_none() {
                tags.push(name.clone());
            }
            let digest = stated.unwrap_or_else(|| self.digest.clone());
            digests.push(format!("{repository}@{digest}"));
        }
        digests.sort();
        digests.dedup();
        (tags, digests)
    }
}

impl LayerRecord {
    pub(super) fn size_bytes(&self) -> Option<u64> {
        u64::try_from(self.diff_size).ok().filter(|size| *size > 0)
    }

    pub(super) fn is_incomplete(&self) -> bool {
        self.flags.incomplete
    }
}

impl Store {
    pub(super) fn new(root: PathBuf, context: &ReadContext) -> Self {
        Self {
            root,
            context: context.clone(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn place(&self) -> String {
        format!("Podman's store at {}", self.root.display())
    }

    /// Checks that the list of images can be read.
    pub(super) fn check(&self) -> io::Result<()> {
        std::fs::File::open(self.root.join(IMAGES)).map(drop)
    }

    pub(super) fn images(&self) -> Result<Vec<ImageRecord>, ImageError> {
        self.list(IMAGES)
    }

    /// Lists the layers. The state is that of the list or an older one, never a newer one.
    pub(super) fn layers(&self) -> Result<(Vec<LayerRecord>, ListState), ImageError> {
        let state = self.layers_state();
        Ok((self.list(LAYERS)?, state))
    }

    pub(super) fn layers_state(&self) -> ListState {
        let metadata = std::fs::metadata(self.root.join(LAYERS)).ok();
        ListState(metadata.as_ref().map(FileState::of))
    }

    pub(super) fn containers(&self) -> Result<Vec<ContainerRecord>, ImageError> {
        self.list(CONTAINERS)
    }

    /// Reads the configuration of an image: a file whose name is the encoded name of the document.
    pub(super) fn config(&self, id: &Digest) -> Result<Vec<u8>, ImageError> {
        let document = format!("={}", STANDARD.encode(id.to_string()));
        let directory = self.root.join("overlay-images").join(id.to_hex());
        let bound = Bound::of_document(&self.context.limits);
        read_document(&directory.join(document), bound)
    }

    /// Returns the directory of a layer. Its id is one that [`Store::layers`] accepted.
    pub(super) fn directory(&self, layer: &LayerRecord) -> PathBuf {
        self.root.join("overlay").join(&layer.id).join("diff")
    }

    /// Says why the directories cannot be read rightly, if that is so.
    pub(super) fn obstacle(&self) -> Option<String> {
        let path = self.root.join(MOUNT_PROGRAM);
        let bound = Bound {
            name: "the size of the mark",
            max: 64,
        };
        let text = read_document(&path, bound).unwrap_or_default();
        text.starts_with(b"true").then(|| {
            "layers are mounted by a program in user space, which marks hidden files in its own way"
                .to_owned()
        })
    }

    fn list<T: DeserializeOwned + Identified>(&self, name: &str) -> Result<Vec<T>, ImageError> {
        let path = self.root.join(name);
        let limits = &self.context.limits;
        let bytes = read_document(&path, Bound::of_engine_metadata(limits))?;
        parse_list(&bytes).map_err(|reason| ImageError::Malformed {
            what: path.display().to_string(),
            reason,
        })
    }
}

fn parse_list<T: DeserializeOwned + Identified>(bytes: &[u8]) -> Result<Vec<T>, String> {
    let items: Vec<T> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    // Ids become parts of paths.
    match items.iter().find(|item| !is_id(item.id())) {
        Some(item) => Err(format!("'{}' is no id", item.id().escape_default())),
        None => Ok(items),
    }
}

/// Reads arbitrary bytes as each of the lists, and asks for all that is made of them.
pub(crate) fn try_lists(bytes: &[u8]) {
    for image in parse_list::<ImageRecord>(bytes).unwrap_or_default() {
        let (tags, digests) = image.repository_names();
        assert!(tags.len() + digests.len() <= 2 * image.names.len());
        assert!(image.ids().len() <= 2);
    }
    for layer in parse_list::<LayerRecord>(bytes).unwrap_or_default() {
        assert!(layer.size_bytes() != Some(0), "no size is no size");
        assert!(!layer.id.contains('/'), "an id is part of a path");
    }
    for container in parse_list::<ContainerRecord>(bytes).unwrap_or_default() {
        assert!(!container.id.contains('/'), "an id is part of a path");
    }
}

/// Tells states of a list apart: each is a file of its own, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListState(Option<FileState>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    size_bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileState {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Watches over the layers of an image while they are read. The list, which has those of all
/// images, is read again only when it has changed.
#[derive(Debug)]
pub(super) struct KeptLayers {
    store: Store,
    ids: Vec<String>,
    /// The state in which the layers were last seen complete.
    seen: Mutex<ListState>,
}

impl KeptLayers {
    pub(super) fn new(store: Store, ids: Vec<String>, seen: ListState) -> Self {
        Self {
            store,
            ids,
            seen: Mutex::new(seen),
        }
    }

    /// Checks that the layers are still listed as complete.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.store.layers_state();
        if now.0.is_some() && now == *seen {
            return Ok(());
        }
        let (layers, state) = self.store.layers().map_err(|error| error.to_string())?;
        let complete: HashSet<&str> = layers
            .iter()
            .filter(|layer| !layer.is_incomplete())
            .map(|layer| layer.id.as_str())
            .collect();
        if let Some(id) = self.ids.iter().find(|id| !complete.contains(id.as_str())) {
            return Err(format!("the store does not list layer {id} any more"));
        }
        *seen = state;
        Ok(())
    }
}

trait Identified {
    fn id(&self) -> &str;
}

impl Identified for ImageRecord {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Identified for LayerRecord {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Identified for ContainerRecord {
    fn id(&self) -> &str {
        &self.id
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
