//! What a client has learned about one registry.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::Url;

use crate::http::Secret;

/// Holds the address of a registry and the authorizations that it accepted.
pub(super) struct Host {
    registry: String,
    base: Url,
    /// By repository: a token is good for one.
    authorizations: Mutex<HashMap<String, Arc<Mutex<Option<Authorization>>>>>,
}

/// The value of an `Authorization` header.
#[derive(Clone, Debug)]
pub(super) struct Authorization(Secret);

impl Host {
    pub(super) fn new(registry: &str, base: Url) -> Self {
        Self {
            registry: registry.to_owned(),
            base,
            authorizations: Mutex::default(),
        }
    }

    /// Returns the name by which the user knows the registry.
    pub(super) fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the address of the root.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// Returns the address of a path.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// Returns what was accepted for a repository before.
    pub(super) fn authorization(&self, repository: &str) -> Option<Authorization> {
        self.slot(repository)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces the authorization for a repository, unless somebody else has replaced `rejected`
    /// meanwhile. Several layers of an image find out at the same time that a token has expired;
    /// one of them fetches the next one, the others wait for it.
    pub(super) fn renew<E>(
        &self,
        repository: &str,
        rejected: Option<&Authorization>,
        fetch: impl FnOnce() -> Result<Authorization, E>,
    ) -> Result<Authorization, E> {
        let slot = self.slot(repository);
        let mut current = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = current.as_ref()
            && rejected.is_none_or(|rejected| rejected.0.expose() != known.0.expose())
        {
            return Ok(known.clone());
        }
        *current = None;
        let fresh = fetch()?;
        *current = Some(fresh.clone());
        Ok(fresh)
    }

    fn slot(&self, repository: &str) -> Arc<Mutex<Option<Authorization>>> {
        let mut all = self
            .authorizations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(repository.to_owned()).or_default())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

impl Authorization {
    /// Makes `Bearer <token>`.
    pub(super) fn bearer(token: &Secret) -> Self {
        Self(Secret::new(format!("Bearer {}", token.expose())))
    }

    /// Makes `Basic <base64 of name:password>`.
    pub(super) fn basic(username: &str, password: &Secret) -> Self {
        use base64::Engine as _;
        let pair = zeroize::Zeroizing::new(format!("{username}:{}", password.expose()));
        let encoded = base64::prelude::BASE64_STANDARD.encode(pair.as_bytes());
        Self(Secret::new(format!("Basic {encoded}")))
    }

    /// Puts it among the headers of a request. One that cannot stand in a header (a token with a
    /// line break) is left out, and the server will say that it is missing.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        if let Ok(mut value) = HeaderValue::from_str(self.0.expose()) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }
}
