//! Fetching manifests and other documents, each bounded and verified.

use cleanbill_core::layer::LayerError;
use cleanbill_core::{Digest, ImageReference};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::host::Host;
use super::{Purpose, RegistryClient, RegistryError};
use crate::http::{Response, display_url};
use crate::oci::MANIFEST_MEDIA_TYPES;

/// A document as the registry sent it, verified.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Their digest.
    pub(super) digest: Digest,
    /// What the registry says it is.
    pub(super) media_type: Option<String>,
    /// Where it is from, for errors.
    pub(super) what: String,
}

impl Fetched {
    fn check(&self, expected: Digest) -> Result<(), LayerError> {
        LayerError::check_digest(|| self.what.clone(), expected, self.digest)
    }
}

impl RegistryClient {
    /// Fetches what a reference names: a manifest or an index.
    pub(super) fn fetch_reference(
        &self,
        host: &Host,
        reference: &ImageReference,
    ) -> Result<Fetched, RegistryError> {
        let name = reference.manifest_name();
        self.fetch_manifest(host, &reference.repository, &name, reference.digest)
    }

    /// Fetches a manifest by tag or digest and compares it with the digest that was asked for and
    /// with the one that the registry announces.
    pub(super) fn fetch_manifest(
        &self,
        host: &Host,
        repository: &str,
        name: &str,
        expected: Option<Digest>,
    ) -> Result<Fetched, RegistryError> {
        let what = format!("manifest '{name}' of {}/{repository}", host.registry());
        let purpose = Purpose {
            repository,
            what: &what,
        };
        let mut headers = HeaderMap::new();
        for media_type in MANIFEST_MEDIA_TYPES {
            headers.append(ACCEPT, HeaderValue::from_static(media_type));
        }
        let url = host.url(&format!("/v2/{repository}/manifests/{name}"));
        let response = self.get(host, purpose, url, &headers)?;
        let announced = announced_digest(&response);
        let fetched = self.read_document(host, purpose, response)?;
        for expected in [expected, announced].into_iter().flatten() {
            fetched.check(expected)?;
        }
        Ok(fetched)
    }

    /// Fetches a small blob whole.
    pub(super) fn fetch_small_blob(
        &self,
        host: &Host,
        repository: &str,
        digest: Digest,
    ) -> Result<Fetched, RegistryError> {
        let what = format!("blob {digest} of {}/{repository}", host.registry());
        let purpose = Purpose {
            repository,
            what: &what,
        };
        let url = host.url(&format!("/v2/{repository}/blobs/{digest}"));
        let response = self.get(host, purpose, url, &HeaderMap::new())?;
        let fetched = self.read_document(host, purpose, response)?;
        fetched.check(digest)?;
        Ok(fetched)
    }

    fn read_document(
        &self,
        host: &Host,
        purpose: Purpose<'_>,
        response: Response,
    ) -> Result<Fetched, RegistryError> {
        if response.status().as_u16() != 200 {
            return Err(self.error_of(response, purpose));
        }
        let media_type = response.header(CONTENT_TYPE.as_str()).map(str::to_owned);
        let what = format!("{} ({})", purpose.what, display_url(host.base()));
        let limit_bytes = self.context().limits.manifest_size_bytes_max;
        let bytes = response
            .read_whole(limit_bytes, self.context())
            .map_err(|error| RegistryError::of_http(error, host.registry()))?;
        Ok(Fetched {
            digest: Digest::of(&bytes),
            bytes,
            media_type,
            what,
        })
    }
}

/// Returns the digest that a registry announces for a manifest; of an algorithm that we do not
/// compute it says nothing.
fn announced_digest(response: &Response) -> Option<Digest> {
    response.header("docker-content-digest")?.parse().ok()
}
