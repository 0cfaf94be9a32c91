//! One request: through the right proxy, with the right trust, along its redirects, repeated when
//! that may help.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};
use rustls::ClientConfig;
use url::Url;

use super::proxy::ProxyRules;
use super::reach::{GuardedResolver, is_forbidden_host};
use super::tls::{TrustedRoots, plain_config, verified_config};
use super::{HttpError, HttpOptions, display_url, is_loopback, is_retryable, retry_after};
use crate::ReadContext;
use crate::runtime::{BodyReader, block_on};

const REDIRECTS_MAX: usize = 10;

/// How long a document that is read whole may take from the first byte to the last. Bodies that
/// are streamed have no such bound.
const DOCUMENT_TIMEOUT: Duration = Duration::from_secs(120);

/// Sends requests. Clones share connections.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: HttpOptions,
    proxies: ProxyRules,
    /// Loaded when first needed: the system has hundreds of certificates.
    roots: OnceLock<TrustedRoots>,
    /// Built when first needed.
    clients: Mutex<HashMap<ClientKind, reqwest::Client>>,
}

/// What a connection must be like. reqwest fixes these things per client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ClientKind {
    trust: Trust,
    /// The host was named by an answer, not by the user.
    is_foreign: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Trust {
    /// Plain HTTP to the own machine: no proxy, no TLS.
    None,
    /// Certificates are checked.
    Verified,
    /// Certificates are checked except those of insecure hosts.
    Lenient,
}

/// The status, the headers and the first bytes of an answer.
pub(super) type Exchanged = (StatusCode, HeaderMap, Vec<u8>);

/// Describes a request.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    /// GET and HEAD are repeated and follow redirects; nothing else is or does.
    pub(crate) method: Method,
    /// The target.
    pub(crate) url: Url,
    /// The headers. `Authorization` goes to the scheme, host and port of `url` and nowhere else.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Option<Vec<u8>>,
    /// The URL that the user configured and on whose behalf this is asked: hosts other than this
    /// one are foreign.
    pub(crate) on_behalf_of: &'a Url,
}

impl<'a> Request<'a> {
    /// Describes a plain GET of something at the host that the user configured.
    pub(crate) fn get(url: Url, on_behalf_of: &'a Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            on_behalf_of,
        }
    }
}

impl HttpClient {
    /// Checks the options; nothing is loaded or opened yet.
    ///
    /// # Errors
    ///
    /// A proxy setting makes no sense.
    pub(crate) fn new(options: HttpOptions) -> Result<Self, HttpError> {
        let proxies = ProxyRules::new(&options.proxies)?;
        let shared = Shared {
            options,
            proxies,
            roots: OnceLock::new(),
            clients: Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Returns the options.
    pub(crate) fn options(&self) -> &HttpOptions {
        &self.shared.options
    }

    /// Sends a request until there is an answer that is not worth another attempt. The answer may
    /// still be an error of the server's: that is for the caller to read.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub(crate) fn send(
        &self,
        request: &Request<'_>,
        context: &ReadContext,
    ) -> Result<Response, HttpError> {
        let retry = &self.options().retry;
        let is_repeatable = matches!(request.method, Method::GET | Method::HEAD);
        let mut attempt = 1;
        loop {
            let outcome = self.send_once(request, context);
            let wanted_pause = match &outcome {
                Ok(response) if is_retryable(response.status()) => retry_after(response.headers()),
                Err(error) if error.is_retryable() => None,
                _ => return outcome,
            };
            let pause = retry.delay(attempt, wanted_pause).filter(|_| is_repeatable);
            let Some(pause) = pause else { return outcome };
            tracing::debug!(url = display_url(&request.url), attempt, "asking again");
            drop(outcome);
            retry.pause.wait(pause, context)?;
            attempt += 1;
        }
    }

    /// Sends a request once and follows redirects.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub(crate) fn send_once(
        &self,
        request: &Request<'_>,
        context: &ReadContext,
    ) -> Result<Response, HttpError> {
        let mut url = request.url.clone();
        let mut headers = request.headers.clone();
        for _ in 0..=REDIRECTS_MAX {
            let client = self.client_for(&url, request.on_behalf_of)?;
            let mut builder = client
                .request(request.method.clone(), url.clone())
                .headers(headers.clone());
            if let Some(body) = &request.body {
                builder = builder.body(body.clone());
            }
            // Sent inside a future, because reqwest arms its timers while it builds one.
            let inner = block_on(context, async { builder.send().await })?
                .map_err(|error| HttpError::from_reqwest(error, &url))?;
            let target = match redirect_target(&inner, &url) {
                Some(target) if matches!(request.method, Method::GET | Method::HEAD) => target?,
                _ => return Ok(Response { inner, url }),
            };
            if target.origin() != request.url.origin() {
                headers.remove(AUTHORIZATION);
            }
            url = target;
        }
        Err(refused(&request.url, "too many redirects"))
    }

    /// Prepares a request that is sent once and never redirected, with the first bytes of its
    /// answer. What is returned waits neither for [`ReadContext::cancelled`] nor for the clock.
    ///
    /// # Errors
    ///
    /// The host may not be asked.
    pub(super) fn exchange(
        &self,
        request: &Request<'_>,
        answer_size_bytes_max: usize,
    ) -> Result<impl Future<Output = Result<Exchanged, HttpError>>, HttpError> {
        let client = self.client_for(&request.url, request.on_behalf_of)?;
        let url = request.url.clone();
        let (method, headers) = (request.method.clone(), request.headers.clone());
        let body = request.body.clone().unwrap_or_default();
        Ok(async move {
            let failed = |error| HttpError::from_reqwest(error, &url);
            let builder = client.request(method, url.clone()).headers(headers);
            let mut inner = builder.body(body).send().await.map_err(failed)?;
            let mut bytes = Vec::new();
            while bytes.len() < answer_size_bytes_max {
                match inner.chunk().await.map_err(failed)? {
                    Some(chunk) => bytes.extend_from_slice(&chunk),
                    None => break,
                }
            }
            bytes.truncate(answer_size_bytes_max);
            Ok((inner.status(), inner.headers().clone(), bytes))
        })
    }

    /// Returns the client for a host, or refuses it.
    fn client_for(&self, url: &Url, on_behalf_of: &Url) -> Result<reqwest::Client, HttpError> {
        let options = self.options();
        if options.offline {
            return Err(HttpError::Offline {
                url: display_url(url),
            });
        }
        match url.scheme() {
            "https" => {}
            "http" if options.may_be_plain(url) => {}
            "http" => {
                return Err(refused(
                    url,
                    "it is not encrypted; --insecure-registry HOST allows that for a host",
                ));
            }
            _ => return Err(refused(url, "it is no HTTP address")),
        }
        let is_foreign = url.host() != on_behalf_of.host()
            && !options.is_insecure(url)
            && !is_loopback(on_behalf_of);
        if is_foreign && is_forbidden_host(url) {
            return Err(refused(url, "it is an address of this machine or link"));
        }
        let trust = match url.scheme() {
            "http" if is_loopback(url) => Trust::None,
            _ if options.is_insecure(url) => Trust::Lenient,
            _ => Trust::Verified,
        };
        self.client(ClientKind { trust, is_foreign })
    }

    fn client(&self, kind: ClientKind) -> Result<reqwest::Client, HttpError> {
        let mut clients = self
            .shared
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&kind) {
            return Ok(client.clone());
        }
        let client = self.build_client(kind)?;
        clients.insert(kind, client.clone());
        Ok(client)
    }

    fn build_client(&self, kind: ClientKind) -> Result<reqwest::Client, HttpError> {
        let options = self.options();
        // HTTP/1.1 on purpose: each layer has a connection of its own, so that one that is read
        // slowly cannot hold up the others through a shared flow-control window.
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls_config(kind.trust)?)
            .http1_only()
            .user_agent(&options.user_agent)
            .redirect(Policy::none())
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.read_timeout)
            .no_proxy();
        if kind.trust != Trust::None {
            let rules = self.shared.proxies.clone();
            builder = builder.proxy(reqwest::Proxy::custom(move |target| {
                rules.proxy_for(target).cloned()
            }));
        }
        if kind.is_foreign {
            let exempt = self.shared.proxies.hosts().map(str::to_owned).collect();
            builder = builder.dns_resolver(GuardedResolver { exempt });
        }
        builder.build().map_err(|error| HttpError::Setup {
            reason: error.to_string(),
        })
    }

    fn tls_config(&self, trust: Trust) -> Result<ClientConfig, HttpError> {
        let options = self.options();
        if trust == Trust::None {
            return Ok(plain_config()?);
        }
        let insecure_names = match trust {
            Trust::Lenient => options.insecure_names(),
            _ => Vec::new(),
        };
        Ok(verified_config(self.roots()?, insecure_names)?)
    }

    fn roots(&self) -> Result<TrustedRoots, HttpError> {
        if let Some(roots) = self.shared.roots.get() {
            return Ok(roots.clone());
        }
        let roots = TrustedRoots::load(&self.options().ca_files)?;
        tracing::debug!(roots = roots.origin, "loaded certificate authorities");
        Ok(self.shared.roots.get_or_init(|| roots).clone())
    }
}

fn refused(url: &Url, reason: &str) -> HttpError {
    HttpError::Refused {
        url: display_url(url),
        reason: reason.to_owned(),
    }
}

/// Returns where an answer sends us, if it does.
fn redirect_target(response: &reqwest::Response, url: &Url) -> Option<Result<Url, HttpError>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let target = std::str::from_utf8(location.as_bytes())
        .ok()
        .and_then(|text| url.join(text).ok());
    Some(
        target
            .map(without_user_info)
            .ok_or_else(|| refused(url, "it redirects to no address")),
    )
}

/// User info in a URL would become an `Authorization` header of the redirecting host's making.
fn without_user_info(mut url: Url) -> Url {
    // Both fail only for URLs that cannot have user info.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub(crate) struct Response {
    inner: reqwest::Response,
    url: Url,
}

impl Response {
    /// Returns the status.
    pub(crate) fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// Returns the headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Returns a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// Returns the URL that answered, after redirects.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Reads the whole body, which must not be larger than `limit_bytes`.
    ///
    /// # Errors
    ///
    /// It is larger, it breaks off, or it takes too long.
    pub(crate) fn read_whole(
        self,
        limit_bytes: u64,
        context: &ReadContext,
    ) -> Result<Vec<u8>, HttpError> {
        let Self { mut inner, url } = self;
        if inner
            .content_length()
            .is_some_and(|length| length > limit_bytes)
        {
            return Err(HttpError::TooLarge {
                url: display_url(&url),
                limit_bytes,
            });
        }
        let read = async {
            let mut bytes = Vec::new();
            while let Some(chunk) = inner
                .chunk()
                .await
                .map_err(|error| HttpError::from_reqwest(error, &url))?
            {
                if (bytes.len() + chunk.len()) as u64 > limit_bytes {
                    return Err(HttpError::TooLarge {
                        url: display_url(&url),
                        limit_bytes,
                    });
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes)
        };
        block_on(context, within(DOCUMENT_TIMEOUT, read))?.unwrap_or_else(|| {
            Err(HttpError::Timeout {
                url: display_url(&url),
            })
        })
    }

    /// Streams the body. The client's read timeout bounds silence.
    ///
    /// # Errors
    ///
    /// There is no runtime.
    pub(crate) fn into_reader(self, context: &ReadContext) -> io::Result<BodyReader> {
        BodyReader::new(self.inner, context, None)
    }
}

pub(super) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, future).await.ok()
}
