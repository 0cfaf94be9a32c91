//! What commands that speak with the API of a server have in common.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use cleanbill_image::{HttpOptions, ProxySettings, ReadContext, Secret};

use crate::cli::ApiArgs;
use crate::environment::Environment;
use crate::error::CommandError;
use crate::stop;

/// Bytes of a file with a secret.
const SECRET_SIZE_BYTES_MAX: u64 = 64 << 10;

/// Returns how servers are reached.
pub(crate) fn http_options(arguments: &ApiArgs, environment: &Environment) -> HttpOptions {
    HttpOptions {
        ca_files: arguments.ca_cert.clone(),
        proxies: ProxySettings::from_environment(|name| environment.get(name).map(str::to_owned)),
        offline: arguments.offline,
        ..HttpOptions::default()
    }
}

/// Returns a context that ends with the process.
pub(crate) fn context() -> ReadContext {
    ReadContext {
        cancelled: stop::flag(),
        ..ReadContext::default()
    }
}

/// Reads a file that holds a password or token, and perhaps the end of a line.
///
/// # Errors
///
/// It cannot be read, or holds something else.
pub(crate) fn read_secret(file: &Path) -> Result<Secret, CommandError> {
    let read = || -> anyhow::Result<Secret> {
        let mut text = String::new();
        let opened = std::fs::File::open(file)?;
        opened
            .take(SECRET_SIZE_BYTES_MAX + 1)
            .read_to_string(&mut text)?;
        ensure!(
            text.len() as u64 <= SECRET_SIZE_BYTES_MAX,
            "it has more than {SECRET_SIZE_BYTES_MAX} bytes"
        );
        let secret = text.trim_end_matches(['\r', '\n']);
        ensure!(!secret.is_empty(), "it is empty");
        Ok(Secret::new(secret))
    };
    read()
        .with_context(|| format!("cannot read the secret file {}", file.display()))
        .map_err(CommandError::usage)
}
