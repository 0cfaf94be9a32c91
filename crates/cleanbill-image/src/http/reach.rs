//! Which hosts an answer may send us to.
//!
//! A registry names other hosts: by redirects, and by the realm of its token service. It must not
//! make us call an address of the user's own machine or the metadata service of a cloud, which
//! trust whoever can reach them (DESIGN section 6). Private networks stay allowed: a company's
//! registry keeps its blobs there. Behind a proxy it is the proxy that resolves names, so only
//! addresses and the name `localhost` are looked at.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::proxy::is_loopback;

/// The metadata service of Amazon's cloud; its other address is link-local.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Says whether nobody but the user may send us to an address.
fn is_forbidden(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.octets().starts_with(&[0])
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
                || v6 == METADATA_V6
        }
    }
}

/// Says whether a URL names, without asking the DNS, a host that nobody but the user may send us
/// to. [`GuardedResolver`] checks what names resolve to.
pub(crate) fn is_forbidden_host(url: &Url) -> bool {
    match url.host() {
        None => true,
        Some(host @ Host::Domain(_)) => is_loopback(&host),
        Some(Host::Ipv4(address)) => is_forbidden(address.into()),
        Some(Host::Ipv6(address)) => is_forbidden(address.into()),
    }
}

/// Resolves names, but not to addresses that nobody but the user may send us to.
#[derive(Clone, Debug)]
pub(crate) struct GuardedResolver {
    /// Names that the user configured: those of the proxies.
    pub(crate) exempt: HashSet<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_exempt = self.exempt.contains(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (allowed, count) = allowed_addresses(found, is_exempt);
            if allowed.is_empty() && count > 0 {
                let text = format!("{} is an address of this machine or link", name.as_str());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn allowed_addresses(
    found: impl Iterator<Item = SocketAddr>,
    is_exempt: bool,
) -> (Vec<SocketAddr>, usize) {
    let all: Vec<SocketAddr> = found.collect();
    let count = all.len();
    let allowed = all
        .into_iter()
        .filter(|address| is_exempt || !is_forbidden(address.ip()))
        .collect();
    (allowed, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: bool) {
        assert_eq!(is_forbidden_host(&url.parse().unwrap()), expected, "{url}");
    }

    #[test]
    fn own_addresses_are_forbidden() {
        check("https://example.com/", false);
        check("https://10.0.0.1/", false);
        check("https://[fd00::1]/", false);
        check("https://localhost:5000/", true);
        check("https://x.localhost/", true);
        check("https://127.0.0.1/", true);
        check("https://127.1/", true);
        check("https://2130706433/", true);
        check("https://0.0.0.0/", true);
        check("https://169.254.169.254/latest/meta-data/", true);
        check("https://[::1]/", true);
        check("https://[::ffff:127.0.0.1]/", true);
        check("https://[fe80::1]/", true);
        check("https://[fd00:ec2::254]/", true);
    }

    #[test]
    fn names_that_resolve_to_own_addresses_are_forbidden() {
        let found = ["127.0.0.1:0", "192.0.2.1:0", "[::1]:0"].map(|text| text.parse().unwrap());
        let (allowed, count) = allowed_addresses(found.into_iter(), false);
        assert_eq!((allowed.len(), count), (1, 3));
        assert_eq!(allowed_addresses(found.into_iter(), true).0.len(), 3);
    }
}
