//! Where a registry is.

use cleanbill_core::reference::DEFAULT_REGISTRY;
use url::Url;

use super::RegistryError;
use crate::http::{HttpOptions, is_loopback};

/// The host that serves what is named after [`DEFAULT_REGISTRY`].
const DEFAULT_REGISTRY_HOST: &str = "registry-1.docker.io";

/// Returns the name under which references know a registry that a person wrote in some form:
/// `docker.io`, `https://ghcr.io/v2/`.
pub fn registry_name(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    canonical_host(host)
}

/// Unites the names of Docker Hub.
pub(super) fn canonical_host(host: &str) -> &str {
    match host {
        "docker.io" | "registry-1.docker.io" => DEFAULT_REGISTRY,
        other => other,
    }
}

/// Returns the addresses of a registry in the order in which to try them.
///
/// There is one, with TLS, except on the own machine (plain first: nobody listens in between, and
/// a server that waits for a line of text would stall a TLS handshake) and for hosts that the user
/// called insecure (TLS first, with any certificate).
///
/// # Errors
///
/// The name is no host.
pub(super) fn base_urls(registry: &str, options: &HttpOptions) -> Result<Vec<Url>, RegistryError> {
    let host = if registry == DEFAULT_REGISTRY {
        DEFAULT_REGISTRY_HOST
    } else {
        registry
    };
    let with_scheme = |scheme: &str| {
        Url::parse(&format!("{scheme}://{host}/"))
            .ok()
            .filter(|url| url.username().is_empty() && url.path() == "/" && url.query().is_none())
            .ok_or_else(|| RegistryError::Malformed {
                what: format!("registry name '{host}'"),
                reason: "it is no host".to_owned(),
            })
    };
    let secure = with_scheme("https")?;
    let plain = with_scheme("http")?;
    Ok(if is_loopback(&plain) {
        vec![plain, secure]
    } else if options.is_insecure(&secure) || options.is_insecure(&plain) {
        vec![secure, plain]
    } else {
        vec![secure]
    })
}

/// Says whether credentials for a registry may be sent to its token service.
///
/// A registry names its token service itself. Credentials follow only to its own host, or to one
/// of the same site: the parent domain of the registry's host (`registry.gitlab.com` →
/// `gitlab.com`), or a name below that (`registry-1.docker.io` → `auth.docker.io`). A parent that
/// is no site but a public suffix as countries have them (`co.uk`) does not count; the full list
/// of those is not worth its size here, since the registry could ask for the credentials itself:
/// the rule is against answers that were tampered with. The connection must be as safe as that to
/// the registry: TLS, unless the registry itself is spoken to without.
pub(super) fn may_share_credentials(registry: &Url, realm: &Url) -> bool {
    if realm.scheme() != "https" && registry.scheme() != "http" {
        return false;
    }
    if registry.host() == realm.host() {
        return true;
    }
    let (Some(registry), Some(realm)) = (registry.domain(), realm.domain()) else {
        return false;
    };
    let is_below = |name: &str, parent: &str| {
        name == parent
            || name
                .strip_suffix(parent)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    is_below(realm, registry)
        || registry
            .split_once('.')
            .is_some_and(|(_, parent)| is_site(parent) && is_below(realm, parent))
}

/// Says whether a domain belongs to somebody: it has two labels, and is not of the kind `co.uk`.
fn is_site(domain: &str) -> bool {
    match domain.rsplit_once('.') {
        None => false,
        Some((second, top)) => second.contains('.') || top.len() > 2 || second.len() > 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_known_by_one_name() {
        for text in [
            "docker.io",
            "index.docker.io",
            "https://index.docker.io/v1/",
        ] {
            assert_eq!(registry_name(text), DEFAULT_REGISTRY);
        }
        assert_eq!(registry_name("http://reg.test:5000/"), "reg.test:5000");
        assert_eq!(registry_name("ghcr.io"), "ghcr.io");
    }

    #[track_caller]
    fn check_urls(registry: &str, expected: &[&str]) {
        let options = HttpOptions {
            insecure_hosts: vec!["reg.corp:5000".to_owned()],
            ..HttpOptions::default()
        };
        let urls = base_urls(registry, &options).unwrap();
        assert_eq!(urls.iter().map(Url::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn registries_have_addresses() {
        check_urls(DEFAULT_REGISTRY, &["https://registry-1.docker.io/"]);
        check_urls("ghcr.io", &["https://ghcr.io/"]);
        check_urls("reg.corp", &["https://reg.corp/"]);
        check_urls(
            "reg.corp:5000",
            &["https://reg.corp:5000/", "http://reg.corp:5000/"],
        );
        check_urls(
            "localhost:5000",
            &["http://localhost:5000/", "https://localhost:5000/"],
        );
        check_urls(
            "127.0.0.2:5000",
            &["http://127.0.0.2:5000/", "https://127.0.0.2:5000/"],
        );
        check_urls("[::1]:5000", &["http://[::1]:5000/", "https://[::1]:5000/"]);
        for name in ["", "a/b", "user@host", "a?b", "a b"] {
            assert!(base_urls(name, &HttpOptions::default()).is_err(), "{name}");
        }
    }

    #[track_caller]
    fn check_realm(registry: &str, realm: &str, expected: bool) {
        let shared = may_share_credentials(&registry.parse().unwrap(), &realm.parse().unwrap());
        assert_eq!(shared, expected, "{registry} → {realm}");
    }

    #[test]
    fn credentials_stay_on_the_site_of_the_registry() {
        check_realm(
            "https://registry-1.docker.io",
            "https://auth.docker.io/token",
            true,
        );
        check_realm(
            "https://registry.gitlab.com",
            "https://gitlab.com/jwt/auth",
            true,
        );
        check_realm("https://ghcr.io", "https://ghcr.io/token", true);
        check_realm("https://example.com", "https://auth.example.com/", true);
        check_realm("https://reg.corp:5000", "https://reg.corp:5001/", true);
        check_realm("https://ghcr.io", "https://evil.io/token", false);
        check_realm("https://reg.example.com", "https://evilexample.com/", false);
        check_realm(
            "https://reg.example.com",
            "https://example.com.evil.org/",
            false,
        );
        check_realm("https://shop.co.uk", "https://evil.co.uk/", false);
        check_realm("https://reg.shop.co.uk", "https://auth.shop.co.uk/", true);
        check_realm("https://ghcr.io", "http://ghcr.io/token", false);
        check_realm("https://10.0.0.1", "https://10.0.0.2/", false);
        check_realm("https://10.0.0.1", "https://10.0.0.1:8443/", true);
        check_realm("http://localhost:5000", "http://localhost:5001/token", true);
    }
}
