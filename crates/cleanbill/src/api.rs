//! What commands that speak with the API of a server have in common.

use std::path::Path;

use anyhow::{Context as _, ensure};
use cleanbill_image::http::{ApiAnswer, RetryPolicy};
use cleanbill_image::{HttpOptions, ProxySettings, ReadContext, Secret};
use cleanbill_report::text::clean;

use crate::bounded_file;
use crate::cli::ApiArgs;
use crate::environment::Environment;
use crate::error::CommandError;
use crate::stop;

/// Characters of an answer that errors show.
const ANSWER_CHARS_MAX: usize = 300;

/// Bytes of a file with a secret.
const SECRET_SIZE_BYTES_MAX: u64 = 64 << 10;

/// Returns how servers are reached: what may succeed later is tried until the time is up.
pub(crate) fn http_options(arguments: &ApiArgs, environment: &Environment) -> HttpOptions {
    HttpOptions {
        ca_files: arguments.ca_cert.clone(),
        proxies: ProxySettings::from_environment(|name| environment.get(name).map(str::to_owned)),
        offline: arguments.offline,
        retry: RetryPolicy {
            attempts_max: u32::MAX,
            ..RetryPolicy::default()
        },
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

/// Returns what an answer says in one short line, with a colon in front; empty if it says nothing.
pub(crate) fn said(answer: &ApiAnswer) -> String {
    let words: Vec<&str> = answer.body.split_whitespace().collect();
    match words.join(" ") {
        line if line.is_empty() => line,
        line => {
            let short: String = clean(&line).chars().take(ANSWER_CHARS_MAX).collect();
            format!(": {short}")
        }
    }
}

/// Reads a file that holds a password or token, and perhaps the end of a line.
///
/// # Errors
///
/// It cannot be read, or holds something else.
pub(crate) fn read_secret(file: &Path) -> Result<Secret, CommandError> {
    let read = || -> anyhow::Result<Secret> {
        let text = bounded_file::text(file, SECRET_SIZE_BYTES_MAX)?;
        let secret = text.trim_end_matches(['\r', '\n']);
        ensure!(!secret.is_empty(), "it is empty");
        Ok(Secret::new(secret))
    };
    read()
        .with_context(|| format!("cannot read the secret file {}", file.display()))
        .map_err(CommandError::usage)
}
