//! Requests that tell somebody something: one POST to one address that the user configured.
//!
//! Everything about them is stricter than about a registry. Nothing is repeated here, because
//! only the caller's outbox knows what was acknowledged; redirects are answers, because what is
//! told is meant for this address alone; and no error names more of the address than its host,
//! because the path of a webhook is its password.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::client::{HttpClient, Request, within};
use super::{HttpError, HttpOptions, is_loopback, retry_after};
use crate::ReadContext;
use crate::runtime::block_on;

/// Bytes of an answer that are kept: enough for what a service says about an error.
const ANSWER_SIZE_BYTES_MAX: usize = 4 << 10;

/// Bytes of a part of an address below which it is no secret: `/message`.
const SECRET_LENGTH_MIN: usize = 12;

/// Posts to one address.
#[derive(Clone)]
pub struct PostClient {
    client: HttpClient,
    url: Url,
    timeout: Duration,
}

/// What the address answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostAnswer {
    /// The status; redirects are not followed.
    pub status: u16,
    /// How long the service wants to be left alone.
    pub retry_after: Option<Duration>,
    /// The first bytes of the body; what is no UTF-8 is replaced.
    pub body: String,
}

impl std::fmt::Debug for PostClient {
    /// Prints the host only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostClient")
            .field("host", &self.place())
            .finish_non_exhaustive()
    }
}

impl PostClient {
    /// Checks the address; nothing is opened yet. With `may_be_plain` the address may be one of
    /// `http://`; those of the own machine always may.
    ///
    /// # Errors
    ///
    /// The text is no address of HTTP, it is not encrypted, or a proxy setting makes no sense.
    pub fn new(
        mut options: HttpOptions,
        address: &str,
        may_be_plain: bool,
    ) -> Result<Self, HttpError> {
        let refused = |place: &str, reason: &str| HttpError::Refused {
            url: place.to_owned(),
            reason: reason.to_owned(),
        };
        // The text itself may be a secret, so neither it nor the parser's words are shown.
        let url = Url::parse(address.trim())
            .map_err(|_| refused("the address", "it is no http:// or https:// address"))?;
        let place = place(&url);
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) => {}
            ("http", Some(host)) if may_be_plain || is_loopback(&url) => {
                let port = url.port_or_known_default().unwrap_or(80);
                options.insecure_hosts = vec![format!("{host}:{port}")];
            }
            ("http", Some(_)) => return Err(refused(&place, "it is not encrypted")),
            _ => return Err(refused(&place, "it is no http:// or https:// address")),
        }
        if url.scheme() == "https" {
            options.insecure_hosts.clear();
        }
        Ok(Self {
            timeout: options.connect_timeout.saturating_add(options.read_timeout),
            client: HttpClient::new(options)?,
            url,
        })
    }

    /// Returns the scheme, host and port: all of the address that may be shown.
    pub fn place(&self) -> String {
        place(&self.url)
    }

    /// Hides the path and the query of the address in a text that may repeat them.
    pub fn redact(&self, text: &str) -> String {
        let path = self.url.path();
        let parts = [
            self.url.query().unwrap_or_default(),
            path,
            path.trim_matches('/'),
        ];
        let is_telling = |part: &&str| part.len() >= SECRET_LENGTH_MIN;
        parts
            .into_iter()
            .filter(is_telling)
            .fold(text.to_owned(), |text, part| {
                text.replace(part, "(redacted)")
            })
    }

    /// Sends a body once. Any answer is one, whatever its status.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub fn post(
        &self,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        context: &ReadContext,
    ) -> Result<PostAnswer, HttpError> {
        let place = self.place();
        self.exchange(headers, body, context)
            .map_err(|error| error.at_place(&place))
    }

    /// Says whether a failed request may succeed later.
    pub fn is_temporary(error: &HttpError) -> bool {
        match error {
            // A certificate may be renewed, a proxy repaired, a network come back.
            HttpError::Connect { .. }
            | HttpError::Tls { .. }
            | HttpError::Transfer { .. }
            | HttpError::Timeout { .. }
            | HttpError::Stopped(_)
            | HttpError::TlsSetup(_)
            | HttpError::Offline { .. } => true,
            HttpError::Refused { .. }
            | HttpError::TooLarge { .. }
            | HttpError::Setup { .. }
            | HttpError::Proxy(_) => false,
        }
    }

    fn exchange(
        &self,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        context: &ReadContext,
    ) -> Result<PostAnswer, HttpError> {
        let request = Request {
            method: Method::POST,
            url: self.url.clone(),
            headers: header_map(headers).ok_or_else(|| HttpError::Refused {
                url: self.place(),
                reason: "a header has characters that no header may have".to_owned(),
            })?,
            body: Some(body),
            on_behalf_of: &self.url,
        };
        let exchange = self.client.exchange(&request, ANSWER_SIZE_BYTES_MAX)?;
        let answer = block_on(context, within(self.timeout, exchange))?;
        let (status, headers, body) =
            answer.unwrap_or_else(|| Err(HttpError::Timeout { url: self.place() }))?;
        Ok(PostAnswer {
            status: status.as_u16(),
            retry_after: retry_after(&headers),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

/// Returns the scheme, host and port of an address.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}://{host}{port}", url.scheme())
}

fn header_map(headers: &[(&str, &str)]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        map.append(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
    }
    Some(map)
}
