//! The API of one server that the user configured: a Pushgateway, a code host.
//!
//! Everything goes to the scheme, host and port of its address, redirects are answers, and so the
//! credentials are seen by nobody else. Requests that may be repeated are, with growing pauses or
//! as the server asks, until a deadline that covers all attempts.

mod limits;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::client::{HttpClient, Request, within};
use super::post::place;
use super::{HttpError, HttpOptions, Secret, is_loopback};
use crate::ReadContext;
use crate::runtime::block_on;

/// Bytes of an answer: a hundred comments of the largest size, with what APIs say around them.
const ANSWER_SIZE_BYTES_MAX: usize = 24 << 20;

/// Says who asks.
#[derive(Clone, Debug, Default)]
pub enum ApiCredential {
    /// Nobody in particular.
    #[default]
    None,
    /// A user with a password.
    Basic(String, Secret),
    /// Who has the token.
    Bearer(Secret),
    /// Who has the token, in a header of the server's own, such as `private-token`.
    Header(&'static str, Secret),
}

impl ApiCredential {
    /// Says whether there is nothing to keep.
    pub const fn is_none(&self) -> bool {
        matches!(self, ApiCredential::None)
    }

    /// Returns the header that says so; `None` if its characters fit into no header.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let (name, value) = match self {
            ApiCredential::None => return None,
            ApiCredential::Basic(user, password) => {
                let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
                (AUTHORIZATION, format!("Basic {pair}"))
            }
            ApiCredential::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", token.expose())),
            ApiCredential::Header(name, token) => {
                (HeaderName::from_static(name), token.expose().to_owned())
            }
        };
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiMethod {
    /// Reads it.
    Get,
    /// Makes another one below it, or adds to it.
    Post,
    /// Replaces it.
    Put,
    /// Changes parts of it.
    Patch,
    /// Removes it.
    Delete,
}

impl From<ApiMethod> for Method {
    fn from(method: ApiMethod) -> Self {
        match method {
            ApiMethod::Get => Method::GET,
            ApiMethod::Post => Method::POST,
            ApiMethod::Put => Method::PUT,
            ApiMethod::Patch => Method::PATCH,
            ApiMethod::Delete => Method::DELETE,
        }
    }
}

/// Describes a request.
#[derive(Clone, Debug)]
pub struct ApiRequest {
    /// What is done.
    pub method: ApiMethod,
    /// To what: from [`ApiClient::url`] or [`ApiClient::link`].
    pub url: Url,
    /// Headers beside the credential's, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// It does no harm if it is done twice. What a server refused before doing anything (too many
    /// requests, no connection) is asked for again in any case.
    pub is_repeatable: bool,
}

/// What the server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiAnswer {
    /// The status; redirects are not followed.
    pub status: u16,
    /// The body; what is no UTF-8 is replaced.
    pub body: String,
    /// How long the server wants to be left alone: longer than was left until the deadline, or
    /// there was no attempt left.
    pub pause_wanted: Option<Duration>,
    headers: Vec<(String, String)>,
}

impl ApiAnswer {
    /// Returns a header; the name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(key, _)| key == name);
        header.map(|(_, value)| value.as_str())
    }

    /// Says whether the request was done.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// Speaks with one server.
#[derive(Clone, Debug)]
pub struct ApiClient {
    client: HttpClient,
    base: Url,
    credential: ApiCredential,
    timeout: Duration,
}

impl ApiClient {
    /// Checks the address and the credential; nothing is opened yet. User info in the address
    /// stands for a credential if none is given. Without `may_be_plain` a credential is not sent
    /// without encryption, except to the own machine.
    ///
    /// # Errors
    ///
    /// The text is no address of HTTP, a credential would be sent in plain text or fits into no
    /// header, or a proxy setting makes no sense.
    pub fn new(
        mut options: HttpOptions,
        address: &str,
        credential: ApiCredential,
        may_be_plain: bool,
    ) -> Result<Self, HttpError> {
        let refused = |place: String, reason: &str| HttpError::Refused {
            url: place,
            reason: reason.to_owned(),
        };
        // The text may hold a password, so neither it nor the parser's words are shown.
        let no_address = "it is no http:// or https:// address";
        let mut base = Url::parse(address.trim())
            .map_err(|_| refused("the address".to_owned(), no_address))?;
        let credential = match user_info(&base) {
            Some(found) if credential.is_none() => found,
            _ => credential,
        };
        // These fail only for addresses that cannot have any.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.set_query(None);
        base.set_fragment(None);
        let place = place(&base);
        match (base.scheme(), base.host_str()) {
            ("https", Some(_)) => options.insecure_hosts.clear(),
            ("http", Some(_)) if !credential.is_none() && !may_be_plain && !is_loopback(&base) => {
                return Err(refused(
                    place,
                    "it is not encrypted, and a password or token would be sent",
                ));
            }
            ("http", Some(host)) => {
                let port = base.port_or_known_default().unwrap_or(80);
                options.insecure_hosts = vec![format!("{host}:{port}")];
            }
            _ => return Err(refused(place, no_address)),
        }
        if !credential.is_none() && credential.header().is_none() {
            return Err(refused(
                place,
                "the password or token has characters that no header may have",
            ));
        }
        Ok(Self {
            timeout: options.connect_timeout.saturating_add(options.read_timeout),
            client: HttpClient::new(options)?,
            base,
            credential,
        })
    }

    /// Returns the scheme, host and port.
    pub fn place(&self) -> String {
        place(&self.base)
    }

    /// Returns the address of a resource: these parts of a path, escaped, below the address of the
    /// server.
    pub fn url<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Returns the address that an answer links to, if it is one of this server's.
    pub fn link(&self, text: &str) -> Option<Url> {
        let url = self.base.join(text).ok()?;
        let is_ours = url.origin() == self.base.origin() && user_info(&url).is_none();
        is_ours.then_some(url)
    }

    /// Sends a request, again and again while that may help, until the deadline. Any answer is
    /// one, whatever its status.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub fn send(
        &self,
        request: &ApiRequest,
        deadline: Instant,
        context: &ReadContext,
    ) -> Result<ApiAnswer, HttpError> {
        let retry = &self.client.options().retry;
        let mut attempt = 1;
        loop {
            let outcome = self.send_once(request, deadline, context);
            let wanted = match &outcome {
                Ok(answer) if limits::is_worth_another(answer.status, answer.pause_wanted) => {
                    let is_untouched = limits::is_refused_beforehand(answer.status);
                    (request.is_repeatable || is_untouched).then_some(answer.pause_wanted)
                }
                Err(HttpError::Connect { .. }) => Some(None),
                Err(error) if error.is_retryable() => request.is_repeatable.then_some(None),
                _ => None,
            };
            let Some(wanted) = wanted else { return outcome };
            // A server's own wish is bounded by the deadline alone.
            let pause = retry.delay(attempt, None);
            let pause = pause.map(|pause| wanted.unwrap_or(pause));
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(pause) = pause.filter(|pause| *pause < left) else {
                return outcome;
            };
            let why = match &outcome {
                Ok(answer) => format!("it answered {}", answer.status),
                Err(error) => error.to_string(),
            };
            tracing::info!(
                "asking {} again in {:.1} s: {why}",
                self.place(),
                pause.as_secs_f64()
            );
            retry.pause.wait(pause, context)?;
            attempt += 1;
        }
    }

    fn send_once(
        &self,
        request: &ApiRequest,
        deadline: Instant,
        context: &ReadContext,
    ) -> Result<ApiAnswer, HttpError> {
        let refused = |reason: &str| HttpError::Refused {
            url: self.place(),
            reason: reason.to_owned(),
        };
        if request.url.origin() != self.base.origin() {
            return Err(refused("it is another server"));
        }
        let mut headers = HeaderMap::new();
        headers.extend(self.credential.header());
        for (name, value) in &request.headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| refused("a header has characters that no header may have"))?;
            headers.append(HeaderName::from_static(name), value);
        }
        let inner = Request {
            method: request.method.into(),
            url: request.url.clone(),
            headers,
            body: Some(request.body.clone()),
            on_behalf_of: &self.base,
        };
        let timeout = || HttpError::Timeout { url: self.place() };
        let left = deadline.saturating_duration_since(Instant::now());
        let exchange = self.client.exchange(&inner, ANSWER_SIZE_BYTES_MAX + 1)?;
        let answer = block_on(context, within(self.timeout.min(left), exchange))?;
        let (status, headers, body) = answer.unwrap_or_else(|| Err(timeout()))?;
        if body.len() > ANSWER_SIZE_BYTES_MAX {
            return Err(HttpError::TooLarge {
                url: self.place(),
                limit_bytes: ANSWER_SIZE_BYTES_MAX as u64,
            });
        }
        Ok(ApiAnswer {
            status: status.as_u16(),
            body: String::from_utf8_lossy(&body).into_owned(),
            pause_wanted: limits::pause_wanted(status, &headers, Timestamp::now()),
            headers: headers
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
                })
                .collect(),
        })
    }
}

/// Returns the credential that an address holds, if it holds one.
fn user_info(url: &Url) -> Option<ApiCredential> {
    let (user, password) = (url.username(), url.password());
    if user.is_empty() && password.is_none() {
        return None;
    }
    let decode = |text: &str| {
        let form = format!("x={}", text.replace('+', "%2B"));
        let mut pairs = url::form_urlencoded::parse(form.as_bytes());
        pairs.next().map(|(_, value)| value.into_owned())
    };
    Some(ApiCredential::Basic(
        decode(user).unwrap_or_default(),
        Secret::new(password.and_then(decode).unwrap_or_default()),
    ))
}
