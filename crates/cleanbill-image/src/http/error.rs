//! Why a request failed before there was a complete answer.

use std::error::Error;
use std::io;

use url::Url;

use super::{ProxyError, TlsSetupError};

/// Says why there is no answer, or not all of it. URLs are printed without user info and query:
/// either may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection may be opened.
    #[error("{url} was not asked: offline")]
    Offline {
        /// What would have been asked.
        url: String,
    },
    /// We do not make this request.
    #[error("refused to ask {url}: {reason}")]
    Refused {
        /// What would have been asked.
        url: String,
        /// Why not.
        reason: String,
    },
    /// There is no connection to the host.
    #[error("cannot connect to {url}: {reason}")]
    Connect {
        /// What was asked.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The host does not prove who it is, or speaks no TLS that we know.
    #[error("no trusted TLS connection to {url}: {reason}")]
    Tls {
        /// What was asked.
        url: String,
        /// What is wrong.
        reason: String,
        /// The host speaks TLS, but its certificate was refused.
        is_certificate: bool,
    },
    /// The connection broke, or the answer is no HTTP.
    #[error("the answer of {url} broke off: {reason}")]
    Transfer {
        /// What was asked.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The host was silent for too long.
    #[error("{url} did not answer in time")]
    Timeout {
        /// What was asked.
        url: String,
    },
    /// The answer is larger than anything sensible.
    #[error("the answer of {url} has more than {limit_bytes} bytes")]
    TooLarge {
        /// What was asked.
        url: String,
        /// The bound.
        limit_bytes: u64,
    },
    /// The HTTP library refuses the settings.
    #[error("cannot set up the HTTP client: {reason}")]
    Setup {
        /// What it says.
        reason: String,
    },
    /// The certificates to trust could not be loaded.
    #[error(transparent)]
    TlsSetup(#[from] TlsSetupError),
    /// The proxy settings make no sense.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The scan was stopped, or the system gives no more threads.
    #[error("stopped")]
    Stopped(#[from] io::Error),
}

impl HttpError {
    /// Says whether the same request may succeed later.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. } | Self::Transfer { .. } | Self::Timeout { .. }
        )
    }

    /// Says whether the host may speak TLS where we did not, or the other way round.
    pub(crate) fn may_be_other_scheme(&self) -> bool {
        match self {
            Self::Tls { is_certificate, .. } => !is_certificate,
            _ => self.is_retryable(),
        }
    }

    /// Names another place instead of the URL: that of a webhook is a secret, its path included.
    pub(super) fn at_place(mut self, place: &str) -> Self {
        match &mut self {
            Self::Offline { url }
            | Self::Refused { url, .. }
            | Self::Connect { url, .. }
            | Self::Tls { url, .. }
            | Self::Transfer { url, .. }
            | Self::Timeout { url }
            | Self::TooLarge { url, .. } => place.clone_into(url),
            Self::Setup { .. } | Self::TlsSetup(_) | Self::Proxy(_) | Self::Stopped(_) => {}
        }
        self
    }

    /// Sorts a failure of the HTTP library.
    pub(crate) fn from_reqwest(error: reqwest::Error, url: &Url) -> Self {
        let url = display_url(url);
        if error.is_timeout() {
            return Self::Timeout { url };
        }
        let error = error.without_url();
        if let Some(tls) = find_tls_error(&error) {
            let reason = tls.to_string();
            let is_certificate = matches!(
                tls,
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
            );
            return Self::Tls {
                url,
                reason,
                is_certificate,
            };
        }
        let reason = innermost(&error);
        if error.is_connect() {
            Self::Connect { url, reason }
        } else {
            Self::Transfer { url, reason }
        }
    }
}

/// Prints a URL without what may be secret: user info, query and fragment.
pub(crate) fn display_url(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| cause_of(error)).take(16)
}

/// Returns the next inner error. An `io::Error` that wraps another error would skip that one.
fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(inner) => Some(inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn find_tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    chain(error).find_map(|error| error.downcast_ref::<rustls::Error>())
}

/// The outer layers say "error sending request" and the like; the cause is at the end.
fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_printed_without_secrets() {
        let url = "https://user:hunter2@example.com:5000/v2/?sig=hunter2#hunter2"
            .parse()
            .unwrap();
        assert_eq!(display_url(&url), "https://example.com:5000/v2/");
    }

    #[test]
    fn causes_inside_io_errors_are_found() {
        let tls = rustls::Error::General("x".to_owned());
        let error = io::Error::other(io::Error::other(tls));
        assert!(find_tls_error(&error).is_some());
        assert_eq!(innermost(&error), "unexpected error: x");
    }
}
