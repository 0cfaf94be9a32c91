//! HTTP as this crate speaks it: our own TLS configuration, proxies, redirects and retries around
//! reqwest, behind blocking calls.
//!
//! What is absent matters as much as what is there. Bodies are never decompressed on the way (we
//! check digests of what was sent). Bodies have no total timeout, only one for silence. Redirects
//! are followed here, because only here it is known which headers may go where.

mod api;
mod client;
mod error;
mod post;
mod proxy;
mod reach;
mod retry;
mod secret;
pub(crate) mod tls;

use std::path::PathBuf;
use std::time::Duration;

use url::{Host, Url};

pub use api::{ApiAnswer, ApiClient, ApiCredential, ApiMethod, ApiRequest};
pub(crate) use client::{HttpClient, Request, Response};
pub use error::HttpError;
pub(crate) use error::display_url;
pub use post::{PostAnswer, PostClient};
pub use proxy::{ProxyError, ProxySettings};
#[cfg(test)]
pub(crate) use retry::NotedPauses;
pub use retry::{Pause, RetryPolicy};
pub(crate) use retry::{is_retryable, retry_after};
pub use secret::Secret;
pub use tls::{TlsSetupError, TrustedRoots, crypto_provider, trusted_certificates};

/// Says how hosts are reached and whom to trust.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Files of certificate authorities (PEM) that are trusted beside those of the system.
    pub ca_files: Vec<PathBuf>,
    /// The proxies.
    pub proxies: ProxySettings,
    /// Hosts (`name` for every port, or `name:port`) that may be spoken to without TLS, or with
    /// any certificate.
    pub insecure_hosts: Vec<String>,
    /// How we introduce ourselves.
    pub user_agent: String,
    /// Open no connection at all.
    pub offline: bool,
    /// How long to wait for a connection, TLS included.
    pub connect_timeout: Duration,
    /// How long a host may be silent.
    pub read_timeout: Duration,
    /// When requests are repeated.
    pub retry: RetryPolicy,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            ca_files: Vec::new(),
            proxies: ProxySettings::default(),
            insecure_hosts: Vec::new(),
            user_agent: concat!("cleanbill/", env!("CARGO_PKG_VERSION")).to_owned(),
            offline: false,
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(60),
            retry: RetryPolicy::default(),
        }
    }
}

impl HttpOptions {
    /// Says whether the user called the host of a URL insecure.
    pub(crate) fn is_insecure(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        self.insecure_hosts.iter().any(|entry| {
            let (name, port) = split_host(entry);
            name.eq_ignore_ascii_case(host.trim_matches(['[', ']']))
                && port.is_none_or(|port| Some(port) == url.port_or_known_default())
        })
    }

    /// Says whether a host may be spoken to without TLS.
    pub(crate) fn may_be_plain(&self, url: &Url) -> bool {
        is_loopback(url) || self.is_insecure(url)
    }

    /// Returns the names of the insecure hosts without ports and brackets, as certificates have
    /// them.
    fn insecure_names(&self) -> Vec<String> {
        self.insecure_hosts
            .iter()
            .map(|entry| split_host(entry).0.to_owned())
            .collect()
    }
}

/// Says whether a URL names the own machine: `localhost`, 127.0.0.0/8 or `::1`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host()
        .is_some_and(|host: Host<&str>| proxy::is_loopback(&host))
}

/// Splits `name:port` or `[address]:port`; the brackets are dropped.
fn split_host(entry: &str) -> (&str, Option<u16>) {
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => port
            .parse()
            .map_or((entry, None), |port| (host, Some(port))),
        _ => (entry, None),
    };
    (host.trim_matches(['[', ']']), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(insecure: &str, url: &str, expected: bool) {
        let options = HttpOptions {
            insecure_hosts: vec![insecure.to_owned()],
            ..HttpOptions::default()
        };
        assert_eq!(
            options.is_insecure(&url.parse().unwrap()),
            expected,
            "{insecure} {url}"
        );
    }

    #[test]
    fn insecure_hosts_are_matched_exactly() {
        check("reg.corp", "http://reg.corp/", true);
        check("REG.corp", "https://reg.corp:5000/", true);
        check("reg.corp:5000", "https://reg.corp:5000/", true);
        check("reg.corp:5000", "https://reg.corp/", false);
        check("reg.corp:443", "https://reg.corp/", true);
        check("reg.corp", "https://a.reg.corp/", false);
        check("corp", "https://reg.corp/", false);
        check("fd00::1", "https://[fd00::1]:5000/", true);
        check("[fd00::1]:5000", "https://[fd00::1]:5000/", true);
    }
}
