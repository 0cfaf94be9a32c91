//! The registry client: images and advisory databases straight from an OCI registry.
//!
//! Nothing is written to disk: a blob is a stream that is verified while it passes. What a
//! registry says is foreign text. It decides neither where credentials go ([`endpoint`]) nor how
//! much we read (every document has a bound), and what it sends is compared with the digest that
//! was asked for.
//!
//! Source: OCI distribution-spec 1.1 (pull), distribution's token authentication specification,
//! spec 03 section 1.1 (row "remote"), spec 01 sections 1.1 and 1.2.

mod artifact;
mod blob;
mod challenge;
mod credentials;
mod endpoint;
mod error;
mod host;
mod login;
mod manifest;
mod source;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::HeaderMap;
use url::Url;

use crate::ReadContext;
use crate::http::{HttpClient, HttpError, HttpOptions, Request, Response, display_url};
pub use artifact::Artifact;
pub use credentials::{
    Credential, CredentialError, CredentialOptions, FoundCredential, find as find_credential,
};
pub use endpoint::registry_name;
pub use error::{Answer, RegistryError};
use host::Host;
pub use login::Login;

/// Bytes that are read of an error's body.
const ERROR_SIZE_BYTES_MAX: u64 = 64 << 10;

/// Pulls from registries. Clones share connections and tokens.
#[derive(Clone, Debug)]
pub struct RegistryClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: HttpClient,
    credentials: CredentialOptions,
    context: ReadContext,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

/// Names the parties of a request beside its URL.
#[derive(Clone, Copy)]
struct Purpose<'a> {
    /// The repository, for the token's scope and the choice of credentials; empty for none.
    repository: &'a str,
    /// What is asked for, in errors: `manifest 3.10 of library/alpine`.
    what: &'a str,
}

impl RegistryClient {
    /// Makes a client. Nothing is read, loaded or opened before the first request.
    ///
    /// # Errors
    ///
    /// A proxy setting makes no sense.
    pub fn new(
        http: HttpOptions,
        credentials: CredentialOptions,
        context: ReadContext,
    ) -> Result<Self, RegistryError> {
        let http = HttpClient::new(http).map_err(RegistryError::Http)?;
        let hosts = Mutex::default();
        Ok(Self {
            shared: Arc::new(Shared {
                http,
                credentials,
                context,
                hosts,
            }),
        })
    }

    /// Asks a registry whether it is one and lets us in, as `doctor` does. Returns its address.
    ///
    /// # Errors
    ///
    /// It cannot be reached, is no registry, or refuses the credentials.
    pub fn ping(&self, registry: &str) -> Result<String, RegistryError> {
        let host = self.host(registry)?;
        let purpose = Purpose {
            repository: "",
            what: "the registry",
        };
        let url = host.url("/v2/");
        let response = self.get(&host, purpose, url, &HeaderMap::new())?;
        let address = display_url(host.base());
        if !response.status().is_success() {
            return Err(self.error_of(response, purpose));
        }
        Ok(address)
    }

    fn context(&self) -> &ReadContext {
        &self.shared.context
    }

    /// Returns what is known of a registry, finding out its address when it is first asked for.
    fn host(&self, registry: &str) -> Result<Arc<Host>, RegistryError> {
        let lock = || {
            self.shared
                .hosts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(host) = lock().get(registry) {
            return Ok(Arc::clone(host));
        }
        let base = self.find_base(registry)?;
        let host = Arc::new(Host::new(registry, base));
        Ok(Arc::clone(
            lock().entry(registry.to_owned()).or_insert(host),
        ))
    }

    /// Chooses among the addresses that a registry may have; only one that may be spoken to
    /// without TLS has several.
    fn find_base(&self, registry: &str) -> Result<Url, RegistryError> {
        let mut candidates = endpoint::base_urls(registry, self.shared.http.options())?;
        let last = candidates.pop().ok_or_else(|| RegistryError::Malformed {
            what: format!("registry name '{registry}'"),
            reason: "it is no host".to_owned(),
        })?;
        let http = &self.shared.http;
        for base in candidates {
            let mut ping = base.clone();
            ping.set_path("/v2/");
            match http.send_once(&Request::get(ping, &base), self.context()) {
                // Servers that expect TLS answer plain requests with 400.
                Ok(response) if response.status().as_u16() != 400 => return Ok(base),
                // Nobody listens, so nobody listens with TLS either. The request proper says so,
                // after having tried again.
                Err(HttpError::Connect { .. }) if base.scheme() == "http" => return Ok(base),
                Err(error) if !error.may_be_other_scheme() => {
                    return Err(RegistryError::of_http(error, registry));
                }
                _ => {}
            }
        }
        Ok(last)
    }

    /// Sends a GET with the authorization that the registry wants, finding out which if need be.
    /// The answer may be any status but 401.
    fn get(
        &self,
        host: &Host,
        purpose: Purpose<'_>,
        url: Url,
        headers: &HeaderMap,
    ) -> Result<Response, RegistryError> {
        let mut request = Request::get(url, host.base());
        request.headers = headers.clone();
        let mut authorization = host.authorization(purpose.repository);
        let mut is_fresh = false;
        loop {
            if let Some(authorization) = &authorization {
                authorization.apply(&mut request.headers);
            }
            let response = self.send(&request, host)?;
            if response.status().as_u16() != 401 {
                return Ok(response);
            }
            if response.url().origin() != host.base().origin() {
                return self.get_elsewhere(host, purpose, response, headers);
            }
            if is_fresh {
                return Err(self.denial(host, purpose, response));
            }
            authorization =
                Some(self.authorize(host, purpose, response, authorization.as_ref())?);
            is_fresh = true;
        }
    }

    fn send(&self, request: &Request<'_>, host: &Host) -> Result<Response, RegistryError> {
        self.shared
            .http
            .send(request, self.context())
            .map_err(|error| RegistryError::of_http(error, host.registry()))
    }

    /// Makes an error of an answer that was not wanted.
    fn error_of(&self, response: Response, purpose: Purpose<'_>) -> RegistryError {
        let url = display_url(response.url());
        let answer = self.read_error(response);
        RegistryError::of_answer(purpose.what, url, answer)
    }

    fn read_error(&self, response: Response) -> Answer {
        let status = response.status();
        // An error whose text cannot be had is still that error.
        let body = response
            .read_whole(ERROR_SIZE_BYTES_MAX, self.context())
            .unwrap_or_default();
        Answer::new(status, &body)
    }
}

#[cfg(test)]
mod tests;
