//! Which proxy, if any, a request goes through.
//!
//! Source: Go `golang.org/x/net/http/httpproxy` (what Docker and Trivy follow), with curl's
//! `ALL_PROXY` in addition.

use std::net::IpAddr;

use url::{Host, Url};

/// Holds the proxy settings of the environment. The default is no proxy.
///
/// A proxy is a URL `http://`, `https://` or `socks5://` (also `socks5h`, `socks4`, `socks4a`),
/// possibly with user info; a bare `host:port` means `http://`.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// For `https://` targets.
    pub https: Option<String>,
    /// For `http://` targets.
    pub http: Option<String>,
    /// For targets that the two above leave open.
    pub all: Option<String>,
    /// Targets that are reached directly: a list of domains, addresses and networks.
    pub none: Option<String>,
}

impl std::fmt::Debug for ProxySettings {
    /// Prints which settings there are; their URLs may hold passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxySettings")
            .field("https", &self.https.is_some())
            .field("http", &self.http.is_some())
            .field("all", &self.all.is_some())
            .field("none", &self.none)
            .finish()
    }
}

/// Says why a proxy setting makes no sense. The value is not printed: it may hold a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name} is no proxy address: expected http://host:port, https:// or socks5://")]
pub struct ProxyError {
    /// The setting.
    pub name: &'static str,
}

impl ProxySettings {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, upper case first, then lower
    /// case, through `lookup`. An empty value is none.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| {
            let is_set = |text: &String| !text.is_empty();
            lookup(name)
                .filter(is_set)
                .or_else(|| lookup(&name.to_ascii_lowercase()).filter(is_set))
        };
        Self {
            https: get("HTTPS_PROXY"),
            http: get("HTTP_PROXY"),
            all: get("ALL_PROXY"),
            none: get("NO_PROXY"),
        }
    }
}

/// Answers for each target which proxy to use.
#[derive(Clone, Debug)]
pub(crate) struct ProxyRules {
    https: Option<Url>,
    http: Option<Url>,
    exceptions: Vec<Exception>,
}

impl ProxyRules {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// One of them is no address of a proxy. Entries of `NO_PROXY` that make no sense match
    /// nothing, as everywhere else.
    pub(crate) fn new(settings: &ProxySettings) -> Result<Self, ProxyError> {
        let parse = |text: &Option<String>, name| {
            text.as_deref()
                .map(|text| parse_proxy(text, name))
                .transpose()
        };
        let all = parse(&settings.all, "ALL_PROXY")?;
        Ok(Self {
            https: parse(&settings.https, "HTTPS_PROXY")?.or_else(|| all.clone()),
            http: parse(&settings.http, "HTTP_PROXY")?.or(all),
            exceptions: settings
                .none
                .as_deref()
                .unwrap_or_default()
                .split([',', ' '])
                .filter_map(|entry| Exception::parse(entry.trim()))
                .collect(),
        })
    }

    /// Returns the proxy for a target. The own host is never reached through a proxy.
    pub(crate) fn proxy_for(&self, target: &Url) -> Option<&Url> {
        let proxy = match target.scheme() {
            "https" => self.https.as_ref(),
            "http" => self.http.as_ref(),
            _ => None,
        }?;
        let host = target.host()?;
        let is_direct = is_loopback(&host)
            || self
                .exceptions
                .iter()
                .any(|exception| exception.matches(&host, target.port_or_known_default()));
        (!is_direct).then_some(proxy)
    }

    /// Returns the names of the proxies' own hosts.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        [&self.https, &self.http]
            .into_iter()
            .flatten()
            .filter_map(Url::host_str)
    }
}

fn parse_proxy(text: &str, name: &'static str) -> Result<Url, ProxyError> {
    let text = text.trim();
    let parsed = if text.contains("://") {
        Url::parse(text)
    } else {
        Url::parse(&format!("http://{text}"))
    };
    let is_known = |url: &Url| {
        matches!(
            url.scheme(),
            "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h"
        ) && url.host_str().is_some_and(|host| !host.is_empty())
    };
    parsed.ok().filter(is_known).ok_or(ProxyError { name })
}

/// Says whether a host of a URL is the own machine, by its name or address alone.
pub(crate) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
    }
}

/// One entry of `NO_PROXY`.
#[derive(Clone, Debug)]
enum Exception {
    /// `*`: everything.
    All,
    /// `10.0.0.0/8`, or one address as a network of its full length.
    Network {
        address: IpAddr,
        prefix_bits: u8,
        port: Option<u16>,
    },
    /// `example.com` (and what is below it), `.example.com` (only what is below it).
    Domain {
        name: String,
        is_suffix_only: bool,
        port: Option<u16>,
    },
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = entry.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let prefix_bits: u8 = bits.parse().ok()?;
            let is_valid = prefix_bits <= if address.is_ipv4() { 32 } else { 128 };
            return is_valid.then_some(Self::Network {
                address,
                prefix_bits,
                port: None,
            });
        }
        let (host, port) = split_port(entry);
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            let prefix_bits = if address.is_ipv4() { 32 } else { 128 };
            return Some(Self::Network {
                address,
                prefix_bits,
                port,
            });
        }
        let name = host.strip_prefix('*').unwrap_or(host).to_ascii_lowercase();
        let is_suffix_only = name.starts_with('.');
        let name = name.trim_start_matches('.').to_owned();
        (!name.is_empty()).then_some(Self::Domain {
            name,
            is_suffix_only,
            port,
        })
    }

    fn matches(&self, host: &Host<&str>, target_port: Option<u16>) -> bool {
        let port_fits = |port: &Option<u16>| port.is_none() || *port == target_port;
        match (self, host) {
            (Self::All, _) => true,
            (
                Self::Network {
                    address,
                    prefix_bits,
                    port,
                },
                Host::Ipv4(host),
            ) => port_fits(port) && is_in_network((*host).into(), *address, *prefix_bits),
            (
                Self::Network {
                    address,
                    prefix_bits,
                    port,
                },
                Host::Ipv6(host),
            ) => port_fits(port) && is_in_network((*host).into(), *address, *prefix_bits),
            (
                Self::Domain {
                    name,
                    is_suffix_only,
                    port,
                },
                Host::Domain(host),
            ) => {
                let host = host.trim_end_matches('.');
                let is_below = host
                    .strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.ends_with('.'));
                port_fits(port) && (is_below || (!is_suffix_only && host == name))
            }
            _ => false,
        }
    }
}

/// Splits a port off, if there is one: `host:8080`, `[::1]:8080`, but not `::1`.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => port
            .parse()
            .map_or((entry, None), |port| (host, Some(port))),
        _ => (entry, None),
    }
}

fn is_in_network(host: IpAddr, network: IpAddr, prefix_bits: u8) -> bool {
    let as_bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    };
    // An IPv4 address stands in the upper 32 bits, so that one mask serves both families.
    let mask = u128::MAX
        .checked_shl(128 - u32::from(prefix_bits))
        .unwrap_or(0);
    host.is_ipv4() == network.is_ipv4() && (as_bits(host) ^ as_bits(network)) & mask == 0
}

#[cfg(test)]
mod tests;
