//! `cleanbill health`: asks a running `watch` how it is, for `HEALTHCHECK` and for scripts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, anyhow};
use cleanbill_web::ask;
use url::Url;

use super::{Setting, config, print, watch};
use crate::cli::HealthArgs;
use crate::error::{CommandError, printable};
use crate::exit::Exit;
use crate::settings::{Call, Loader};

/// The code that container engines read as "not healthy"; they reserve 2.
const UNHEALTHY: Exit = Exit::GateFailed(1);

const HINT: &str =
    "is `cleanbill watch` running, and does it serve there (metrics.listen)? See docs/metrics.md";

pub(crate) fn run(setting: &Setting, arguments: &HealthArgs) -> Result<Exit, CommandError> {
    let usual_path = if arguments.ready {
        "/readyz"
    } else {
        "/healthz"
    };
    let (address, path) = match &arguments.url {
        Some(url) => of_url(url, usual_path)?,
        None => (
            of_settings(setting, &arguments.settings.call)?,
            usual_path.to_owned(),
        ),
    };
    let answer = ask(address, &path, arguments.timeout)
        .map_err(|error| CommandError::with_exit(UNHEALTHY, error).hint(HINT))?;
    let text = printable(answer.text.trim_end());
    if answer.status != 200 {
        let error = anyhow!("{address} answers {}: {text}", answer.status);
        return Err(CommandError::with_exit(UNHEALTHY, error));
    }
    print(format!("{text}\n").as_bytes())
}

/// Takes an address apart. Without a path it has the usual one.
fn of_url(url: &str, usual_path: &str) -> Result<(SocketAddr, String), CommandError> {
    let wrong = || {
        CommandError::usage_text(format!(
            "--url {url}: expected an address such as http://127.0.0.1:9871"
        ))
    };
    let parsed = Url::parse(url).map_err(|_| wrong())?;
    if parsed.scheme() != "http" || !parsed.has_host() {
        return Err(wrong());
    }
    let addresses = parsed
        .socket_addrs(|| None)
        .with_context(|| format!("cannot find {url}"))
        .map_err(|error| CommandError::with_exit(UNHEALTHY, error))?;
    let address = addresses.first().copied().ok_or_else(wrong)?;
    let path = match parsed.path() {
        "/" => usual_path,
        path => path,
    };
    Ok((address, path.to_owned()))
}

/// Returns where `watch` serves: what a running one left in its state directory, else what files
/// and the environment say.
fn of_settings(setting: &Setting, call: &Call) -> Result<SocketAddr, CommandError> {
    let loader = Loader::new(call.clone(), setting.environment.clone());
    // A file that somebody broke since says nothing of the `watch` that runs with what it had.
    let (directory, _) = loader.state_directory().map_err(config::wrong)?;
    let address = match watch::address_left_in(&directory) {
        Some(left) => Some(left),
        None => {
            let loaded = loader.load().map_err(config::wrong)?;
            loaded.settings.metrics_listen
        }
    };
    let address = address.ok_or_else(|| {
        CommandError::usage_text("metrics.listen is off: watch serves no health")
            .hint("set it to a port of this host, such as 9871, or name an address with --url")
    })?;
    Ok(SocketAddr::new(reachable(address.ip()), address.port()))
}

/// Returns the address at which this host reaches a server that listens on all of them.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_path_of_its_own() {
        let check = |url: &str, expected: &str| {
            let (address, path) = of_url(url, "/healthz").unwrap();
            assert_eq!(format!("{address}{path}"), expected);
        };
        check("http://127.0.0.1:9871", "127.0.0.1:9871/healthz");
        check("http://127.0.0.1:9871/", "127.0.0.1:9871/healthz");
        check("http://[::1]:9/x/healthz", "[::1]:9/x/healthz");
        check("http://127.0.0.1", "127.0.0.1:80/healthz");
    }

    #[test]
    fn what_is_no_address_is_a_wrong_call() {
        for url in [
            "",
            "localhost:9871",
            "https://127.0.0.1:1",
            "file:///healthz",
            "http://",
        ] {
            assert_eq!(of_url(url, "/").unwrap_err().exit(), Exit::Usage, "{url}");
        }
    }

    #[test]
    fn all_addresses_are_reached_at_the_loopback() {
        let check = |address: &str, expected: &str| {
            assert_eq!(
                reachable(address.parse().unwrap()).to_string(),
                expected,
                "{address}"
            );
        };
        check("0.0.0.0", "127.0.0.1");
        check("::", "::1");
        check("192.0.2.7", "192.0.2.7");
    }
}
