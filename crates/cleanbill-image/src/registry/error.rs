//! Why a registry did not give what was asked for.

use std::fmt;
use std::io;

use cleanbill_core::layer::LayerError;
use reqwest::StatusCode;
use serde::Deserialize;

use super::CredentialError;
use crate::ImageError;
use crate::http::HttpError;

/// Characters of a server's own words that are repeated to the user.
const MESSAGE_CHARS_MAX: usize = 300;

/// Says why a registry did not give what was asked for, and what to do where something can be
/// done. URLs are printed without user info and query.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry or its token service wants other credentials, or refuses ours.
    #[error("access to {url} denied: {reason}")]
    Unauthorized {
        /// What was asked.
        url: String,
        /// Why, and what to do.
        reason: String,
        /// What the server said.
        answer: Answer,
    },
    /// The registry has no such thing.
    #[error("{what} not found at {url} ({answer})")]
    NotFound {
        /// What was asked for.
        what: String,
        /// What was asked.
        url: String,
        /// What the server said.
        answer: Answer,
    },
    /// We asked too often.
    #[error("{url} allows no more requests for now ({answer}); try later, or `cleanbill login`")]
    RateLimited {
        /// What was asked.
        url: String,
        /// What the server said.
        answer: Answer,
    },
    /// The server answers with another error.
    #[error("{url} answers with an error ({answer})")]
    Unavailable {
        /// What was asked.
        url: String,
        /// What the server said.
        answer: Answer,
    },
    /// The registry does not prove who it is.
    #[error(
        "{cause}; if its certificate is your own, or one of your own authority, name that with \
         --ca-cert FILE, or do without proof with --insecure-registry {host}"
    )]
    TlsFailed {
        /// The registry.
        host: String,
        /// What happened.
        cause: HttpError,
    },
    /// There is no complete answer.
    #[error(transparent)]
    Http(HttpError),
    /// A stream of bytes broke off and could not be resumed.
    #[error("cannot read {what}")]
    Read {
        /// What was being read.
        what: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// An answer makes no sense.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// What was being read.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// The content is not what its name says.
    #[error(transparent)]
    Content(#[from] LayerError),
    /// The credentials could not be found out or stored.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// A manifest is of a kind that is not supported, or makes no sense.
    #[error(transparent)]
    Document(#[from] ImageError),
}

/// What a server said when it did not give what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The registry's own error codes (`MANIFEST_UNKNOWN`), possibly none.
    pub codes: Vec<String>,
    /// The first message, without control characters, cut to some length.
    pub message: String,
}

impl RegistryError {
    /// Makes an error of an answer that is none of those wanted. `what` names the thing asked for.
    pub(super) fn of_answer(what: &str, url: String, answer: Answer) -> Self {
        match answer.status {
            401 | 403 => {
                let reason = answer.to_string();
                Self::Unauthorized {
                    url,
                    reason,
                    answer,
                }
            }
            404 => Self::NotFound {
                what: what.to_owned(),
                url,
                answer,
            },
            429 => Self::RateLimited { url, answer },
            _ => Self::Unavailable { url, answer },
        }
    }

    /// Adds what to do about a failed TLS connection.
    pub(super) fn of_http(error: HttpError, host: &str) -> Self {
        match error {
            HttpError::Tls { .. } => Self::TlsFailed {
                host: host.to_owned(),
                cause: error,
            },
            other => Self::Http(other),
        }
    }

    /// Returns what the server said, if it said something.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Unauthorized { answer, .. }
            | Self::NotFound { answer, .. }
            | Self::RateLimited { answer, .. }
            | Self::Unavailable { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// Returns the error of a registry that a reader of [`Artifact::read`] failed with, if it is
    /// one.
    ///
    /// [`Artifact::read`]: super::Artifact::read
    pub fn of_read(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Says whether the registry may give it later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Http(error) => error.is_retryable(),
            _ => self.answer().is_some_and(Answer::is_temporary),
        }
    }
}

impl Answer {
    /// Reads the body of an error, which may be anything.
    ///
    /// Source: OCI distribution-spec 1.1, "Error Codes".
    pub(super) fn new(status: StatusCode, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Body {
            errors: Vec<Diagnostic>,
        }
        #[derive(Deserialize)]
        struct Diagnostic {
            #[serde(default)]
            code: String,
            #[serde(default)]
            message: String,
        }
        let diagnostics = serde_json::from_slice::<Body>(body)
            .map(|body| body.errors)
            .unwrap_or_default();
        let message = diagnostics
            .iter()
            .map(|d| d.message.as_str())
            .find(|m| !m.is_empty());
        Self {
            status: status.as_u16(),
            message: printable(message.unwrap_or_default()),
            codes: diagnostics
                .iter()
                .filter(|diagnostic| !diagnostic.code.is_empty())
                .take(8)
                .map(|diagnostic| printable(&diagnostic.code))
                .collect(),
        }
    }

    fn is_temporary(&self) -> bool {
        const CODES: [&str; 4] = [
            "BLOB_UPLOAD_INVALID",
            "TOOMANYREQUESTS",
            "UNKNOWN",
            "UNAVAILABLE",
        ];
        if self.codes.is_empty() {
            return matches!(self.status, 408 | 429 | 500 | 502 | 503 | 504);
        }
        self.codes.iter().all(|code| CODES.contains(&code.as_str()))
            || self.codes.iter().any(|code| code == "BLOB_UNKNOWN")
    }
}

impl fmt::Display for Answer {
    /// Prints `404 MANIFEST_UNKNOWN: manifest unknown`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        match self.codes.first() {
            Some(code) => write!(f, " {code}")?,
            None => {
                let status = StatusCode::from_u16(self.status).ok();
                if let Some(reason) = status.and_then(|status| status.canonical_reason()) {
                    write!(f, " {reason}")?;
                }
            }
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// Makes a server's words fit for a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MESSAGE_CHARS_MAX)
        .collect::<String>()
        .trim()
        .to_owned()
}

impl From<RegistryError> for ImageError {
    fn from(error: RegistryError) -> Self {
        let text = error.to_string();
        match error {
            RegistryError::Unauthorized { url, reason, .. } => {
                Self::Unauthorized { place: url, reason }
            }
            RegistryError::NotFound { what, url, answer } => Self::NotFound {
                what,
                place: format!("{url} ({answer})"),
            },
            RegistryError::RateLimited { url, .. } | RegistryError::Unavailable { url, .. } => {
                Self::Unavailable {
                    place: url,
                    reason: text,
                }
            }
            RegistryError::TlsFailed { host, .. } => Self::Unavailable {
                place: host,
                reason: text,
            },
            RegistryError::Http(HttpError::Stopped(source)) => Self::Read {
                what: "the answer of the registry".to_owned(),
                source,
            },
            RegistryError::Http(HttpError::Offline { url }) => Self::Offline { place: url },
            RegistryError::Http(_) => Self::Unavailable {
                place: "the registry".to_owned(),
                reason: text,
            },
            RegistryError::Read { what, source } => Self::Read { what, source },
            RegistryError::Malformed { what, reason } => Self::Malformed { what, reason },
            RegistryError::Content(error) => Self::Layer(error),
            RegistryError::Credentials(_) => Self::Unauthorized {
                place: "the registry".to_owned(),
                reason: text,
            },
            RegistryError::Document(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer::new(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[track_caller]
    fn check(status: u16, body: &str, printed: &str, is_temporary: bool) {
        let answer = answer(status, body);
        assert_eq!(answer.to_string(), printed);
        let error = RegistryError::of_answer("x", "https://r/".to_owned(), answer);
        assert_eq!(error.is_temporary(), is_temporary, "{printed}");
    }

    #[test]
    fn answers_say_whether_another_attempt_may_help() {
        check(404, "", "404 Not Found", false);
        check(503, "<html>", "503 Service Unavailable", true);
        check(429, r#"{"errors":[]}"#, "429 Too Many Requests", true);
        check(
            404,
            r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"no\u001b[31m blob"}]}"#,
            "404 BLOB_UNKNOWN: no [31m blob",
            true,
        );
        check(
            403,
            r#"{"errors":[{"code":"DENIED"}]}"#,
            "403 DENIED",
            false,
        );
        check(
            500,
            r#"{"errors":[{"code":"DENIED"}]}"#,
            "500 DENIED",
            false,
        );
        check(
            400,
            r#"{"errors":[{"code":"UNKNOWN"}]}"#,
            "400 UNKNOWN",
            true,
        );
        check(
            400,
            r#"{"errors":[{"code":"UNKNOWN"},{"code":"DENIED"}]}"#,
            "400 UNKNOWN",
            false,
        );
    }

    #[test]
    fn long_words_of_a_server_are_cut() {
        let body = format!(
            r#"{{"errors":[{{"code":"X","message":"{}"}}]}}"#,
            "y".repeat(9_000)
        );
        assert_eq!(answer(500, &body).message.len(), MESSAGE_CHARS_MAX);
    }
}
