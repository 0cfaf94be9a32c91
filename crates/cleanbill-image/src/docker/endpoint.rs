//! Addresses of engines.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

/// The port of an engine without TLS, and with.
const PORT_PLAIN: u16 = 2375;
const PORT_TLS: u16 = 2376;

/// Says where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket of this host.
    Unix(PathBuf),
    /// A TCP port.
    Tcp {
        /// `http://host:port` or `https://host:port`, with a path prefix if one was given.
        base: Url,
        /// The certificates, with TLS.
        tls: Option<TlsFiles>,
    },
}

/// Names the files that secure a TCP connection. Which of them exist decides what is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The directory with `ca.pem` (else the system's authorities are trusted), and `cert.pem`
    /// and `key.pem` (else no client certificate is sent). `None`: none of them.
    pub directory: Option<PathBuf>,
}

/// Says why a text is no address of an engine.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{text}' is no engine address: {reason}")]
pub struct EndpointError {
    /// The text, cut to 300 characters.
    pub text: String,
    /// What is wrong, and what is accepted.
    pub reason: String,
}

const ACCEPTED: &str = "expected unix:///path, tcp://host:port or https://host:port";

impl Endpoint {
    /// Reads an address as `DOCKER_HOST` holds it. A path alone is a socket. `tls` makes `tcp://`
    /// secure; without it `tcp://` is plain, as for Docker's own client.
    ///
    /// # Errors
    ///
    /// The scheme is unknown or not supported, or a part is missing.
    pub fn parse(text: &str, tls: Option<TlsFiles>) -> Result<Self, EndpointError> {
        let error = |reason: String| EndpointError {
            text: without_user_info(text).chars().take(300).collect(),
            reason,
        };
        let text = text.trim();
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| error(ACCEPTED.into()))?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(rest.into())),
            "unix" => Err(error(
                "the path of a socket is absolute: unix:///path".into(),
            )),
            "tcp" => tcp(rest, tls).map_err(error),
            "http" => tcp(rest, None).map_err(error),
            "https" => tcp(rest, Some(tls.unwrap_or_default())).map_err(error),
            "ssh" => Err(error(
                "ssh is not supported: forward the socket (ssh -nNT -L /path:/var/run/docker.sock \
                 host) and use unix:///path"
                    .into(),
            )),
            other => Err(error(format!(
                "scheme '{other}' is not supported; {ACCEPTED}"
            ))),
        }
    }

    /// Returns the socket's path, if it is one.
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Tcp { .. } => None,
        }
    }
}

fn tcp(rest: &str, tls: Option<TlsFiles>) -> Result<Endpoint, String> {
    let (scheme, port) = match tls {
        Some(_) => ("https", PORT_TLS),
        None => ("http", PORT_PLAIN),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("user names and passwords are not supported".into());
    }
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let mut base = Url::parse(&format!("{scheme}://{rest}"))
        .map_err(|error| format!("{error}; {ACCEPTED}"))?;
    if base.host_str().is_none_or(str::is_empty) {
        return Err(format!("it has no host; {ACCEPTED}"));
    }
    if !has_port {
        base.set_port(Some(port))
            .map_err(|()| ACCEPTED.to_owned())?;
    }
    base.set_query(None);
    base.set_fragment(None);
    Ok(Endpoint::Tcp { base, tls })
}

/// Cuts what may be a password out of an address that is about to be printed.
fn without_user_info(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => text.to_owned(),
    }
}

impl fmt::Display for Endpoint {
    /// Prints the address as `DOCKER_HOST` would hold it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { base, .. } => {
                let host = base.host_str().unwrap_or_default();
                write!(f, "tcp://{host}")?;
                if let Some(port) = base.port_or_known_default() {
                    write!(f, ":{port}")?;
                }
                f.write_str(base.path().trim_end_matches('/'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, is_tls: bool, expected: &str) {
        let endpoint = Endpoint::parse(text, is_tls.then(TlsFiles::default)).unwrap();
        assert_eq!(endpoint.to_string(), expected);
    }

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        check(
            "unix:///var/run/docker.sock",
            false,
            "unix:///var/run/docker.sock",
        );
        check(
            "/run/podman/podman.sock",
            false,
            "unix:///run/podman/podman.sock",
        );
        check("tcp://localhost", false, "tcp://localhost:2375");
        check("tcp://localhost", true, "tcp://localhost:2376");
        check("tcp://10.0.0.1:4243", false, "tcp://10.0.0.1:4243");
        check("tcp://[::1]:2375", false, "tcp://[::1]:2375");
        check("tcp://[::1]", true, "tcp://[::1]:2376");
        check("tcp://host:80", false, "tcp://host:80");
        check("https://host:443", false, "tcp://host:443");
        check("https://host/prefix/", false, "tcp://host:2376/prefix");
    }

    #[test]
    fn tls_is_used_where_it_is_asked_for() {
        let is_tls = |text: &str, tls| match Endpoint::parse(text, tls).unwrap() {
            Endpoint::Tcp { base, tls } => {
                assert_eq!(base.scheme() == "https", tls.is_some());
                tls.is_some()
            }
            Endpoint::Unix(_) => unreachable!(),
        };
        assert!(is_tls("tcp://h:1", Some(TlsFiles::default())));
        assert!(is_tls("https://h:1", None));
        assert!(!is_tls("tcp://h:1", None));
        assert!(!is_tls("http://h:1", Some(TlsFiles::default())));
    }

    #[test]
    fn other_addresses_are_refused_with_what_is_accepted() {
        for text in [
            "",
            "docker.sock",
            "unix://docker.sock",
            "tcp://",
            "npipe:////./pipe/docker",
        ] {
            let error = Endpoint::parse(text, None).unwrap_err().to_string();
            assert!(error.contains("unix:///path"), "{error}");
        }
        let error = Endpoint::parse("ssh://me@host", None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("forward the socket") && !error.contains("me@"),
            "{error}"
        );
        let error = Endpoint::parse("tcp://me:secret@host:1", None)
            .unwrap_err()
            .to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
