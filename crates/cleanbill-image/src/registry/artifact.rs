//! Artifacts that are one file: the advisory databases.

use std::io::{self, Read};
use std::path::{Component, Path};
use std::sync::Arc;

use cleanbill_core::layer::LayerError;
use cleanbill_core::{Digest, ImageReference};
use serde::Deserialize;
use sha2::Digest as _;

use super::blob::BlobReader;
use super::host::Host;
use super::manifest::Fetched;
use super::{RegistryClient, RegistryError};
use crate::oci::{Descriptor, parse_json};

/// The annotation that holds the name of the file.
const TITLE_ANNOTATION: &str = "org.opencontainers.image.title";

/// A file in a registry.
#[derive(Debug)]
pub struct Artifact {
    /// What the file is.
    pub media_type: String,
    /// Its name, which is a relative path that stays where it is.
    pub title: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its bytes, as the manifest states them.
    pub size_bytes: u64,
    /// The digest of the manifest: changes whenever the file does.
    pub manifest_digest: Digest,
    client: RegistryClient,
    host: Arc<Host>,
    repository: String,
}

impl RegistryClient {
    /// Finds the one file of an artifact. The caller checks that its media type is the one that
    /// it wants.
    ///
    /// Source: spec 01 section 1.1.
    ///
    /// # Errors
    ///
    /// The registry does not give the manifest; it has not exactly one layer, or that has no name
    /// or one that points elsewhere; the file is larger than `database_size_bytes_max`.
    pub fn open_artifact(&self, reference: &ImageReference) -> Result<Artifact, RegistryError> {
        #[derive(Deserialize)]
        struct ArtifactManifest {
            layers: Option<Vec<Descriptor>>,
        }
        let host = self.host(&reference.registry)?;
        let fetched = self.fetch_reference(&host, reference)?;
        let limits = &self.context().limits;
        let manifest: ArtifactManifest = parse_json(&fetched.bytes, &fetched.what, limits)?;
        let mut layers = manifest.layers.unwrap_or_default();
        let layer = match (layers.pop(), layers.is_empty()) {
            (Some(layer), true) => layer,
            _ => return Err(malformed(&fetched, "an artifact must have a single layer")),
        };
        let title = checked_title(&layer).map_err(|reason| malformed(&fetched, reason))?;
        if layer.size_bytes > limits.database_size_bytes_max {
            return Err(malformed(
                &fetched,
                "its file is larger than database_size_bytes_max",
            ));
        }
        Ok(Artifact {
            title,
            media_type: layer.media_type,
            digest: layer.digest,
            size_bytes: layer.size_bytes,
            manifest_digest: fetched.digest,
            client: self.clone(),
            host,
            repository: reference.repository.clone(),
        })
    }
}

fn malformed(fetched: &Fetched, reason: &str) -> RegistryError {
    RegistryError::Malformed {
        what: fetched.what.clone(),
        reason: reason.to_owned(),
    }
}

fn checked_title(layer: &Descriptor) -> Result<String, &'static str> {
    let title = layer
        .annotations
        .get(TITLE_ANNOTATION)
        .ok_or("its layer has no title")?;
    let is_local = !title.is_empty()
        && !title.contains(['\0', '\\'])
        && Path::new(title)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
    if is_local {
        Ok(title.clone())
    } else {
        Err("the title of its layer is no local path")
    }
}

impl Artifact {
    /// Streams the file. Its bytes are counted as read; the end of the stream is an error if they
    /// do not have the digest that the manifest states.
    ///
    /// # Errors
    ///
    /// The registry does not give it.
    pub fn read(&self) -> Result<Box<dyn Read + Send>, RegistryError> {
        let blob = BlobReader::open(
            &self.client,
            &self.host,
            &self.repository,
            self.digest,
            self.size_bytes,
        )?;
        Ok(Box::new(VerifiedReader {
            inner: self.client.context().watch(blob),
            what: format!(
                "'{}' of {}/{}",
                self.title,
                self.host.registry(),
                self.repository
            ),
            expected: self.digest,
            hasher: Some(sha2::Sha256::new()),
        }))
    }
}

/// Compares the digest at the end of a stream.
struct VerifiedReader<R> {
    inner: R,
    what: String,
    expected: Digest,
    /// `None` once the end was seen and found right.
    hasher: Option<sha2::Sha256>,
}

impl<R: Read> Read for VerifiedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let Some(hasher) = &mut self.hasher else {
            return Ok(count);
        };
        if let Some(bytes) = buffer.get(..count) {
            hasher.update(bytes);
        }
        if count == 0 && !buffer.is_empty() {
            let actual = Digest::from_bytes(hasher.clone().finalize().into());
            LayerError::check_digest(|| self.what.clone(), self.expected, actual)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            self.hasher = None;
        }
        Ok(count)
    }
}
