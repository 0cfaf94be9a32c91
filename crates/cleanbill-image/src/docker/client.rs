//! A client of the engine's API that can only ask.
//!
//! There is no method but GET in it, so that a proxy in front of the engine's socket may forbid all
//! others. What an engine answers is bounded in size and time; an export has no bound in time as a
//! whole, because an image may be large and an engine may pack it for minutes before the first
//! byte.

mod connection;

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use cleanbill_core::layer::LayerError;
use reqwest::{Client, Response, StatusCode};
use serde::de::DeserializeOwned;
use tracing::debug;
use url::Url;

use self::connection::{base_url, build_http, socket_error};
use super::endpoint::Endpoint;
use super::model::ErrorAnswer;
use super::path;
use crate::runtime::{BodyReader, block_on};
use crate::{ImageError, ReadContext};

/// The newest version of the API whose answers are known here, and what is spoken with engines
/// that do not state theirs.
const API_VERSION_MAX: ApiVersion = ApiVersion {
    major: 1,
    minor: 52,
};
const API_VERSION_UNSTATED: ApiVersion = ApiVersion {
    major: 1,
    minor: 24,
};

/// Bounds on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For a whole answer in JSON.
    pub answer: Duration,
    /// For the first byte of an export, and between two pieces of it.
    pub stream_silence: Duration,
}

impl Default for Timeouts {
    /// Engines before 25 write the whole image to their disk before they send the first byte.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(60),
            stream_silence: Duration::from_secs(900),
        }
    }
}

/// A version of the engine's API, `1.41`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// The part before the dot.
    pub major: u32,
    /// The part after it.
    pub minor: u32,
}

impl ApiVersion {
    /// Chooses the version to speak with an engine that states `stated`.
    fn negotiate(stated: Option<&str>) -> Self {
        let stated = stated.and_then(|text| {
            let (major, minor) = text.trim().split_once('.')?;
            Some(Self {
                major: major.parse().ok()?,
                minor: minor.parse().ok()?,
            })
        });
        stated.unwrap_or(API_VERSION_UNSTATED).min(API_VERSION_MAX)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Talks to one engine.
#[derive(Clone, Debug)]
pub struct DockerClient {
    http: Client,
    endpoint: Endpoint,
    base: Url,
    version: ApiVersion,
    timeouts: Timeouts,
}

impl DockerClient {
    /// Connects to an engine and agrees on a version.
    ///
    /// # Errors
    ///
    /// Nothing answers there, access is denied, or what answers is no engine.
    pub fn connect(
        endpoint: &Endpoint,
        timeouts: Timeouts,
        context: &ReadContext,
    ) -> Result<Self, ImageError> {
        let mut client = Self {
            http: build_http(endpoint, timeouts)?,
            endpoint: endpoint.clone(),
            base: base_url(endpoint)?,
            version: API_VERSION_UNSTATED,
            timeouts,
        };
        let ping = client
            .base
            .join("_ping")
            .map_err(|error| client.unavailable(&error))?;
        let response = client.send(ping, timeouts.answer, context)?;
        if !response.status().is_success() {
            return Err(client.refusal(response, "/_ping", context));
        }
        let stated = response
            .headers()
            .get("api-version")
            .and_then(|value| value.to_str().ok());
        client.version = ApiVersion::negotiate(stated);
        debug!(engine = %client.endpoint, api.version = %client.version, "connected to an engine");
        Ok(client)
    }

    /// Returns the version that is spoken.
    pub fn version(&self) -> ApiVersion {
        self.version
    }

    /// Returns where the engine listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Names the engine in messages.
    pub(super) fn place(&self) -> String {
        format!("engine {}", self.endpoint)
    }

    /// Asks for a JSON document. `segments` are joined with `/` and encoded.
    ///
    /// # Errors
    ///
    /// `NotFound` if the engine has no such thing; it does not answer in time, refuses, or its
    /// answer is larger than `api_answer_size_bytes_max` or malformed.
    pub(super) fn get_json<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        context: &ReadContext,
    ) -> Result<T, ImageError> {
        let (url, what) = self.url(segments, query)?;
        let response = self.send(url, self.timeouts.answer, context)?;
        if !response.status().is_success() {
            return Err(self.refusal(response, &what, context));
        }
        let limit = context.limits.api_answer_size_bytes_max;
        let body = self.read_body(response, limit, &what, context)?;
        serde_json::from_slice(&body).map_err(|error| ImageError::Malformed {
            what: format!("the answer of {} to {what}", self.place()),
            reason: error.to_string(),
        })
    }

    /// Asks for a stream of bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::get_json`], up to the first byte.
    pub(super) fn get_stream(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        context: &ReadContext,
    ) -> Result<BodyReader, ImageError> {
        self.get_endless_stream(segments, query, self.timeouts.stream_silence, context)
    }

    /// Asks for a stream that has no end of its own: the silence in it may be long.
    ///
    /// # Errors
    ///
    /// As [`Self::get_json`], up to the first byte.
    pub(super) fn get_endless_stream(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        silence_max: Duration,
        context: &ReadContext,
    ) -> Result<BodyReader, ImageError> {
        let (url, what) = self.url(segments, query)?;
        let response = self.send(url, self.timeouts.stream_silence, context)?;
        if !response.status().is_success() {
            return Err(self.refusal(response, &what, context));
        }
        BodyReader::alone(response, context, Some(silence_max))
            .map_err(|error| self.unavailable(&error))
    }

    fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<(Url, String), ImageError> {
        let place = self.place();
        let path = path::encode(segments).ok_or_else(|| ImageError::NotFound {
            what: segments.join("/"),
            place,
        })?;
        let mut url = self
            .base
            .join(&format!("v{}/{path}", self.version))
            .map_err(|error| self.unavailable(&error))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok((url, format!("/{path}")))
    }

    /// Sends a request and waits for the head of the answer, at most `limit`.
    fn send(
        &self,
        url: Url,
        limit: Duration,
        context: &ReadContext,
    ) -> Result<Response, ImageError> {
        let request = self.http.get(url);
        let answer = async { tokio::time::timeout(limit, request.send()).await };
        match block_on(context, answer).map_err(|source| self.read_error(source))? {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.connection_error(&error)),
            Err(_) => Err(self.unavailable(&format!("no answer for {} s", limit.as_secs_f64()))),
        }
    }

    /// Reads a whole body of at most `size_bytes_max`.
    fn read_body(
        &self,
        mut response: Response,
        size_bytes_max: u64,
        what: &str,
        context: &ReadContext,
    ) -> Result<Vec<u8>, ImageError> {
        let limit = self.timeouts.answer;
        let collect = async {
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                body.extend_from_slice(&chunk);
                if body.len() as u64 > size_bytes_max {
                    return Ok(None);
                }
            }
            Ok(Some(body))
        };
        let body = async { tokio::time::timeout(limit, collect).await };
        match block_on(context, body).map_err(|source| self.read_error(source))? {
            Ok(Ok(Some(body))) => Ok(body),
            Ok(Ok(None)) => {
                let what = format!("the answer of {} to {what}", self.place());
                Err(LayerError::exceeded(what, "api_answer_size_bytes_max", size_bytes_max).into())
            }
            Ok(Err(error)) => Err(self.connection_error(&error)),
            Err(_) => {
                Err(self.unavailable(&format!("its answer stopped for {} s", limit.as_secs_f64())))
            }
        }
    }

    /// Tells what an answer that is no success means. The engine's own words are kept, cut short.
    fn refusal(&self, response: Response, what: &str, context: &ReadContext) -> ImageError {
        /// Bytes of an error's text that are read, and characters that are shown.
        const BODY_SIZE_BYTES_MAX: u64 = 64 << 10;
        const MESSAGE_CHARACTERS_MAX: usize = 300;
        let status = response.status();
        let body = match self.read_body(response, BODY_SIZE_BYTES_MAX, what, context) {
            Ok(body) => body,
            Err(error) => return error,
        };
        let message = serde_json::from_slice::<ErrorAnswer>(&body)
            .unwrap_or_default()
            .message;
        let message: String = message
            .trim()
            .chars()
            .take(MESSAGE_CHARACTERS_MAX)
            .collect();
        let reason = if message.is_empty() {
            status.to_string()
        } else {
            message
        };
        match status {
            StatusCode::NOT_FOUND => ImageError::NotFound {
                what: format!("{what} ({reason})"),
                place: self.place(),
            },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ImageError::Unauthorized {
                place: format!("{what} of {}", self.place()),
                reason,
            },
            _ => ImageError::Unavailable {
                place: format!("{what} of {}", self.place()),
                reason,
            },
        }
    }

    fn unavailable(&self, reason: &dyn fmt::Display) -> ImageError {
        ImageError::Unavailable {
            place: self.place(),
            reason: reason.to_string(),
        }
    }

    fn read_error(&self, source: io::Error) -> ImageError {
        ImageError::Read {
            what: format!("the answer of {}", self.place()),
            source,
        }
    }

    /// Tells why there is no connection, and what to do about it.
    fn connection_error(&self, error: &reqwest::Error) -> ImageError {
        let mut source = error.source();
        let mut innermost = error.to_string();
        let mut kind = None;
        while let Some(cause) = source {
            innermost = cause.to_string();
            kind = cause
                .downcast_ref::<io::Error>()
                .map(io::Error::kind)
                .or(kind);
            source = cause.source();
        }
        match (self.endpoint.socket(), kind) {
            (Some(socket), Some(kind)) => socket_error(socket, kind, &innermost, self.place()),
            _ => ImageError::Unavailable {
                place: self.place(),
                reason: innermost,
            },
        }
    }
}

#[cfg(test)]
mod tests;
