//! What containerd knows: a BoltDB file that it may write to at any time.
//!
//! BoltDB never overwrites what its newest meta page refers to: a transaction writes its pages
//! elsewhere, and the meta page last. So a copy of the file holds a whole state if the meta pages
//! are the same before and after copying; if not, another copy is made. The lock that writers hold
//! is not asked for, because containerd holds it as long as it runs.
//!
//! Source: containerd `core/metadata/buckets.go` (`v1/<namespace>/images/<name>/target`,
//! `…/containers/<id>`, `…/snapshots/<driver>/<chain id>`); bbolt 1.3 `tx.go`, `freelist.go`.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use cleanbill_boltdb::{BoltDb, BoltError, Bucket, Content};
use cleanbill_core::Digest;

use crate::file::{Bound, open_regular, read_bounded};
use crate::oci::Descriptor;
use crate::{ImageError, ReadContext};

/// Copies that are made until one holds a whole state. A commit takes milliseconds, of which a
/// busy node has a few a second.
const ATTEMPTS: usize = 20;
const VERSION: &[u8] = b"v1";
/// The namespace of who names none.
const DEFAULT_NAMESPACE: &str = "default";

/// A state of the file.
pub(super) struct Metadata {
    db: BoltDb<Vec<u8>>,
    path: PathBuf,
}

/// An image by one of its names.
#[derive(Clone, Debug)]
pub(super) struct StoredImage {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) target: Descriptor,
}

/// A container.
#[derive(Clone, Debug)]
pub(super) struct StoredContainer {
    pub(super) namespace: String,
    pub(super) id: String,
    pub(super) image: String,
}

/// Reads a file as metadata and asks for all that it says.
pub(crate) fn try_metadata(path: &Path, context: &ReadContext) {
    let Ok(metadata) = Metadata::read(path, context) else {
        return;
    };
    for image in metadata.images(None).unwrap_or_default() {
        assert!(!image.ids().is_empty(), "the target is one");
        let _ = metadata.snapshot_key(&image.namespace, "overlayfs", &image.name);
    }
    let _ = metadata.containers(None);
}

impl StoredImage {
    /// Returns the ids that a person may know it by. The interface of Kubernetes keeps the
    /// configuration's digest as a name.
    pub(super) fn ids(&self) -> Vec<Digest> {
        let named = self.name.parse::<Digest>().ok();
        std::iter::once(self.target.digest).chain(named).collect()
    }
}

impl Metadata {
    /// Copies a state of the file.
    ///
    /// # Errors
    ///
    /// It cannot be read, is too large, changes all the time, or is no BoltDB file.
    pub(super) fn read(path: &Path, context: &ReadContext) -> Result<Self, ImageError> {
        let failed = |source| ImageError::Read {
            what: path.display().to_string(),
            source,
        };
        let mut outcome = Err(ImageError::Unavailable {
            place: path.display().to_string(),
            reason: format!("it changed during each of {ATTEMPTS} readings"),
        });
        for _ in 0..ATTEMPTS {
            context.check().map_err(failed)?;
            let (file, _) = open_regular(path)?;
            let bound = Bound::of_engine_metadata(&context.limits);
            let bytes = read_bounded(&file, &path.display().to_string(), bound)?;
            match BoltDb::open(bytes) {
                Ok(db) if is_current(&file, &db).map_err(failed)? => {
                    let path = path.to_owned();
                    return Ok(Self { db, path });
                }
                Ok(_) => {}
                // A copy that was torn while the file grew.
                Err(error) => outcome = Err(malformed(path, &error)),
            }
        }
        outcome
    }

    /// Lists the images of a namespace, or of all: `default` first, then by name.
    pub(super) fn images(&self, namespace: Option<&str>) -> Result<Vec<StoredImage>, ImageError> {
        let mut images = Vec::new();
        for (namespace, bucket) in self.namespaces(namespace)? {
            for (name, image) in self.buckets(bucket.bucket(b"images"))? {
                if let Some(target) = self.descriptor(&image)? {
                    images.push(StoredImage {
                        namespace: namespace.clone(),
                        name,
                        target,
                    });
                }
            }
        }
        Ok(images)
    }

    /// Lists the containers of a namespace, or of all.
    pub(super) fn containers(
        &self,
        namespace: Option<&str>,
    ) -> Result<Vec<StoredContainer>, ImageError> {
        let mut containers = Vec::new();
        for (namespace, bucket) in self.namespaces(namespace)? {
            for (id, container) in self.buckets(bucket.bucket(b"containers"))? {
                let image = self.sound(container.get(b"image"))?.unwrap_or_default();
                containers.push(StoredContainer {
                    namespace: namespace.clone(),
                    id,
                    image: String::from_utf8_lossy(image).into_owned(),
                });
            }
        }
        Ok(containers)
    }

    /// Returns the key by which the driver knows a snapshot of a namespace.
    pub(super) fn snapshot_key(
        &self,
        namespace: &str,
        driver: &str,
        name: &str,
    ) -> Result<Option<Vec<u8>>, ImageError> {
        let mut bucket = self.db.root();
        let path = [
            VERSION,
            namespace.as_bytes(),
            b"snapshots",
            driver.as_bytes(),
            name.as_bytes(),
        ];
        for part in path {
            match self.sound(bucket.bucket(part))? {
                Some(next) => bucket = next,
                None => return Ok(None),
            }
        }
        Ok(self.sound(bucket.get(b"name"))?.map(<[u8]>::to_vec))
    }

    /// Returns the number of the directory of a committed snapshot, in a driver's own file.
    pub(super) fn snapshot_number(&self, key: &[u8]) -> Result<Option<u64>, ImageError> {
        const COMMITTED: &[u8] = &[3];
        let mut bucket = self.db.root();
        for part in [VERSION, b"snapshots", key] {
            match self.sound(bucket.bucket(part))? {
                Some(next) => bucket = next,
                None => return Ok(None),
            }
        }
        if self.sound(bucket.get(b"kind"))? != Some(COMMITTED) {
            return Ok(None);
        }
        Ok(self.sound(bucket.get(b"id"))?.and_then(unsigned))
    }

    fn namespaces(&self, wanted: Option<&str>) -> Result<Vec<(String, Bucket<'_>)>, ImageError> {
        let mut found = self.buckets(self.db.root().bucket(VERSION))?;
        found.retain(|(name, _)| wanted.is_none_or(|wanted| wanted == name));
        found.sort_by_key(|(name, _)| (name != DEFAULT_NAMESPACE, name.clone()));
        Ok(found)
    }

    /// Lists the buckets in a bucket that may be absent.
    fn buckets<'a>(
        &self,
        bucket: Result<Option<Bucket<'a>>, BoltError>,
    ) -> Result<Vec<(String, Bucket<'a>)>, ImageError> {
        let mut found = Vec::new();
        let Some(bucket) = self.sound(bucket)? else {
            return Ok(found);
        };
        for entry in bucket.entries() {
            let entry = self.sound(entry)?;
            if let Content::Bucket(bucket) = entry.content {
                let name = String::from_utf8_lossy(entry.key).into_owned();
                found.push((name, self.sound(bucket)?));
            }
        }
        Ok(found)
    }

    fn descriptor(&self, image: &Bucket<'_>) -> Result<Option<Descriptor>, ImageError> {
        let Some(target) = self.sound(image.bucket(b"target"))? else {
            return Ok(None);
        };
        let text = |key| -> Result<String, ImageError> {
            let value = self.sound(target.get(key))?.unwrap_or_default();
            Ok(String::from_utf8_lossy(value).into_owned())
        };
        let Ok(digest) = text(b"digest")?.parse() else {
            return Ok(None);
        };
        let size = self.sound(target.get(b"size"))?.unwrap_or_default();
        Ok(Some(Descriptor {
            media_type: text(b"mediatype")?,
            digest,
            size_bytes: signed(size),
            urls: Vec::new(),
            annotations: std::collections::BTreeMap::new(),
            platform: None,
            artifact_type: String::new(),
        }))
    }

    fn sound<T>(&self, result: Result<T, BoltError>) -> Result<T, ImageError> {
        result.map_err(|error| malformed(&self.path, &error))
    }
}

fn malformed(path: &Path, error: &BoltError) -> ImageError {
    ImageError::Malformed {
        what: path.display().to_string(),
        reason: error.to_string(),
    }
}

/// Says whether no transaction was committed while the file was copied.
fn is_current(file: &File, db: &BoltDb<Vec<u8>>) -> std::io::Result<bool> {
    let size = usize::try_from(2 * db.page_size()).unwrap_or(0);
    let mut now = vec![0; size];
    file.read_exact_at(&mut now, 0)?;
    Ok(db.bytes().get(..size) == Some(&now[..]))
}

/// Decodes a number of Go's `encoding/binary`, seven bits a byte.
fn unsigned(bytes: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for (index, byte) in (0_u32..).zip(bytes) {
        number |= u64::from(byte & 0x7f).checked_shl(7 * index)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Decodes a number that may be negative, for which 0 is returned: an unknown size.
fn signed(bytes: &[u8]) -> u64 {
    match unsigned(bytes) {
        Some(number) if number & 1 == 0 => number >> 1,
        _ => 0,
    }
}
