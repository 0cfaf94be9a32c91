//! What is answered to a request. Nothing of the request is in it.

use std::sync::Arc;

use bytes::Bytes;
use cleanbill_core::Digest;
use http_body_util::Full;
use hyper::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use crate::metrics;
use crate::scrape::Scraper;

const PLAIN: &str = "text/plain; charset=utf-8";

/// Answers requests.
#[derive(Debug)]
pub(super) struct Answerer {
    /// The digest of the token: comparing digests takes no time that tells of the token.
    token: Option<Digest>,
    scraper: Arc<Scraper>,
}

/// Is an answer before it is put into HTTP.
struct Answer {
    status: StatusCode,
    content_type: &'static str,
    header: Option<(HeaderName, &'static str)>,
    body: String,
}

impl Answer {
    fn text(status: StatusCode, body: impl Into<String>) -> Self {
        Self {
            status,
            content_type: PLAIN,
            header: None,
            body: body.into(),
        }
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let mut put = |name, value| headers.insert(name, HeaderValue::from_static(value));
        put(CONTENT_TYPE, self.content_type);
        put(CACHE_CONTROL, "no-store");
        put(X_CONTENT_TYPE_OPTIONS, "nosniff");
        if let Some((name, value)) = self.header {
            put(name, value);
        }
        response
    }
}

impl Answerer {
    pub(super) fn new(token: Option<String>, scraper: Scraper) -> Self {
        let token = token.filter(|token| !token.is_empty());
        Self {
            token: token.map(|token| Digest::of(token.as_bytes())),
            scraper: Arc::new(scraper),
        }
    }

    /// Answers a request. Its body is not looked at.
    pub(super) async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        self.choose(request).await.into_response()
    }

    async fn choose<B>(&self, request: &Request<B>) -> Answer {
        let path = request.uri().path();
        if !["/metrics", "/healthz", "/readyz"].contains(&path) {
            let text = "not found: there are /metrics, /healthz and /readyz\n";
            return Answer::text(StatusCode::NOT_FOUND, text);
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let text = "only GET and HEAD are answered\n";
            return Answer::text(StatusCode::METHOD_NOT_ALLOWED, text).with(ALLOW, "GET, HEAD");
        }
        match path {
            "/metrics" if !self.lets(request) => {
                let text = "the token is missing or wrong\n";
                Answer::text(StatusCode::UNAUTHORIZED, text).with(WWW_AUTHENTICATE, "Bearer")
            }
            "/metrics" => self.read(scrape).await,
            "/readyz" => self.read(ready).await,
            _ => alive(&self.scraper),
        }
    }

    fn lets<B>(&self, request: &Request<B>) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().split_at_checked("Bearer ".len()))
            .is_some_and(|(scheme, given)| {
                scheme.eq_ignore_ascii_case(b"Bearer ") && Digest::of(given) == *token
            })
    }

    /// Runs what reads files where it may wait.
    async fn read(&self, work: fn(&Scraper) -> Answer) -> Answer {
        let scraper = Arc::clone(&self.scraper);
        tokio::task::spawn_blocking(move || work(&scraper))
            .await
            .unwrap_or_else(|_| Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n"))
    }
}

fn scrape(scraper: &Scraper) -> Answer {
    Answer {
        content_type: metrics::CONTENT_TYPE,
        ..Answer::text(StatusCode::OK, scraper.metrics())
    }
}

fn ready(scraper: &Scraper) -> Answer {
    let parts = scraper.readiness();
    let is_ready = parts.iter().all(|(_, is_ready)| *is_ready);
    let lines = parts.map(|(part, is_ready)| {
        let word = if is_ready { "ok" } else { "missing" };
        format!("{part} {word}\n")
    });
    Answer::text(status(is_ready), lines.concat())
}

fn alive(scraper: &Scraper) -> Answer {
    let is_alive = scraper.is_alive();
    let text = if is_alive {
        "ok\n"
    } else {
        "the loop has been silent for too long\n"
    };
    Answer::text(status(is_alive), text)
}

const fn status(is_good: bool) -> StatusCode {
    if is_good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
