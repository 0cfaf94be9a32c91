//! How a connection to an engine is made, and what to do when it is not.

use std::io;
use std::path::Path;

use reqwest::Client;
use url::Url;

use super::Timeouts;
use crate::ImageError;
use crate::docker::endpoint::Endpoint;
use crate::docker::tls;

/// Says what to do about a socket that cannot be used.
pub(super) fn socket_error(
    socket: &Path,
    kind: io::ErrorKind,
    text: &str,
    place: String,
) -> ImageError {
    match kind {
        io::ErrorKind::PermissionDenied => ImageError::Unauthorized {
            place,
            reason: format!(
                "no permission for {}; join the group that owns it (usually docker), run with \
                 sudo, or set DOCKER_HOST to a rootless engine's socket",
                socket.display()
            ),
        },
        io::ErrorKind::NotFound => ImageError::Unavailable {
            place,
            reason: "there is no such socket; start the engine, or name its address with \
                     --docker-host or DOCKER_HOST"
                .to_owned(),
        },
        io::ErrorKind::ConnectionRefused => ImageError::Unavailable {
            place,
            reason: "nothing listens on the socket; start the engine".to_owned(),
        },
        _ => ImageError::Unavailable {
            place,
            reason: text.to_owned(),
        },
    }
}

/// Builds the HTTP client. TLS is configured for sockets too, because reqwest would otherwise look
/// for the system's certificates and fail where there are none.
pub(super) fn build_http(endpoint: &Endpoint, timeouts: Timeouts) -> Result<Client, ImageError> {
    let error = |reason: String| ImageError::Unavailable {
        place: format!("engine {endpoint}"),
        reason,
    };
    let tls = match endpoint {
        Endpoint::Unix(_) => tls::unused_config(),
        Endpoint::Tcp { tls, .. } => tls::config(tls.as_ref()),
    };
    let tls = tls.map_err(|failure| error(with_causes(&failure)))?;
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .user_agent(concat!("cleanbill/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect);
    if let Some(socket) = endpoint.socket() {
        builder = builder.unix_socket(socket);
    }
    builder
        .build()
        .map_err(|failure| error(with_causes(&failure)))
}

/// Returns the address that paths are appended to; it ends with a slash.
pub(super) fn base_url(endpoint: &Endpoint) -> Result<Url, ImageError> {
    let base = match endpoint {
        // The host only fills the header; the socket decides where the request goes.
        Endpoint::Unix(_) => "http://localhost/".to_owned(),
        Endpoint::Tcp { base, .. } => format!("{}/", base.as_str().trim_end_matches('/')),
    };
    Url::parse(&base).map_err(|error| ImageError::Unavailable {
        place: format!("engine {endpoint}"),
        reason: error.to_string(),
    })
}

fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
