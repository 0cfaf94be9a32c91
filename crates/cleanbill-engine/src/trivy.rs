//! The second engine: an installed Trivy, run as a process of its own.
//!
//! Trivy is given what to scan, which database to use and nothing that would change the form of its
//! report; severities, ignore files, VEX and thresholds are applied afterwards, as to the native
//! engine's findings. It runs in the root directory, because it would read `trivy.yaml` and
//! `.trivyignore` from the working directory, where a pull request can put them; variables
//! `TRIVY_…` that are not credentials are not passed on, for the same reason.

mod command;
mod process;
#[cfg(test)]
mod tests;
mod version;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use process::Ended;

pub use command::{TrivyArguments, TrivyTarget};
pub use version::TrivyVersion;

/// How long Trivy may take to print its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of the last lines on standard error that an error quotes.
const QUOTED_SIZE_BYTES_MAX: usize = 2_000;

/// Says why Trivy gave no report.
#[derive(Debug, thiserror::Error)]
pub enum TrivyError {
    /// There is no program of that name.
    #[error("there is no trivy on the search path")]
    NotFound,
    /// The program cannot be started.
    #[error("cannot start {}", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// What it prints as its version makes no sense.
    #[error("{} is no trivy: --version printed '{output}'", path.display())]
    NotTrivy {
        /// The program.
        path: PathBuf,
        /// The beginning of its output.
        output: String,
    },
    /// It lacks flags that are needed.
    #[error(
        "trivy {version} is too old, {} or newer is needed",
        TrivyVersion::OLDEST
    )]
    TooOld {
        /// Its version.
        version: TrivyVersion,
    },
    /// An argument of the user's would change the form of the report.
    #[error("trivy argument {argument}: {reason}")]
    Argument {
        /// The argument.
        argument: String,
        /// Why it cannot be passed on.
        reason: &'static str,
    },
    /// It ended with an error of its own.
    #[error("trivy failed with {status}: {message}")]
    Failed {
        /// Its exit status.
        status: String,
        /// The error that it printed.
        message: String,
    },
    /// It was stopped because it took too long.
    #[error("trivy took longer than {} s and was stopped", after.as_secs())]
    TimedOut {
        /// How long it was given.
        after: Duration,
    },
    /// It was stopped because the user asked to stop.
    #[error("trivy was stopped")]
    Cancelled,
    /// It printed more than a report can have.
    #[error("trivy printed more than {max} bytes (trivy_report_size_bytes_max)")]
    TooMuchOutput {
        /// The limit.
        max: u64,
    },
    /// It ended well, but its output did not.
    #[error(
        "trivy ended, but a process that it started holds its output open: where the report ends \
         is not known"
    )]
    OutputHeld,
    /// Its output or its end could not be waited for.
    #[error("cannot talk to trivy")]
    Pipe(#[source] std::io::Error),
}

/// An installed Trivy.
#[derive(Clone, Debug)]
pub struct Trivy {
    path: PathBuf,
    version: TrivyVersion,
}

/// Bounds one run of Trivy.
#[derive(Clone, Debug)]
pub struct TrivyLimits {
    /// How long it may take; `None` for as long as it likes.
    pub timeout: Option<Duration>,
    /// The run ends when this is set.
    pub cancelled: Arc<AtomicBool>,
    /// Bytes of its report.
    pub report_size_bytes_max: u64,
}

impl Trivy {
    /// Finds Trivy and asks for its version. `path` names the program; without it
    /// `search_path` (the value of `PATH`) is looked through.
    ///
    /// # Errors
    ///
    /// There is none, it cannot be started, or it is too old.
    pub fn find(
        path: Option<&Path>,
        search_path: Option<&str>,
        cancelled: &Arc<AtomicBool>,
    ) -> Result<Self, TrivyError> {
        let path = match path {
            // It does not run where the user stands.
            Some(path) => std::path::absolute(path).map_err(|source| TrivyError::Start {
                path: path.to_owned(),
                source,
            })?,
            None => find_on(search_path.unwrap_or_default()).ok_or(TrivyError::NotFound)?,
        };
        let limits = TrivyLimits {
            timeout: Some(VERSION_TIMEOUT),
            cancelled: Arc::clone(cancelled),
            report_size_bytes_max: 64 * 1024,
        };
        let arguments = ["--version".into(), "--format".into(), "json".into()];
        let ended = process::run(&path, &arguments, &[], &limits, &mut |_| {})?;
        let version = TrivyVersion::from_output(&ended.output).ok_or_else(|| {
            let output = String::from_utf8_lossy(&ended.output);
            TrivyError::NotTrivy {
                path: path.clone(),
                output: output.chars().take(80).collect(),
            }
        })?;
        if version.is_too_old() {
            return Err(TrivyError::TooOld { version });
        }
        Ok(Self { path, version })
    }

    /// Returns the version.
    pub fn version(&self) -> &TrivyVersion {
        &self.version
    }

    /// Returns the program.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Scans one target and returns Trivy's JSON report as it is. `log` is given each line that
    /// Trivy prints on standard error.
    ///
    /// # Errors
    ///
    /// See [`TrivyError`].
    pub fn scan(
        &self,
        target: &TrivyTarget,
        arguments: &TrivyArguments,
        limits: &TrivyLimits,
        log: &mut dyn FnMut(&str),
    ) -> Result<Vec<u8>, TrivyError> {
        let environment = &arguments.environment;
        let arguments: Vec<OsString> = arguments.for_target(target);
        tracing::debug!(program = %self.path.display(), ?arguments, "running trivy");
        let ended = process::run(&self.path, &arguments, environment, limits, log)?;
        if ended.is_success {
            return Ok(ended.output);
        }
        Err(TrivyError::Failed {
            message: own_error(&ended),
            status: ended.status,
        })
    }
}

/// Looks for `trivy` in the directories of a search path.
fn find_on(search_path: &str) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join("trivy"))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Returns what Trivy says went wrong: its line marked FATAL with what follows it, else its last
/// lines.
fn own_error(ended: &Ended) -> String {
    let lines = &ended.last_lines;
    let fatal = lines
        .iter()
        .rposition(|line| line.contains("FATAL"))
        .unwrap_or(lines.len().saturating_sub(5));
    let text: Vec<&str> = lines.iter().skip(fatal).map(|line| message(line)).collect();
    let text = text.join("\n");
    if text.is_empty() {
        return "it printed no error".to_owned();
    }
    text.chars().take(QUOTED_SIZE_BYTES_MAX).collect()
}

/// Returns a log line without time and level.
fn message(line: &str) -> &str {
    match line.split_once("FATAL") {
        Some((_, rest)) => {
            let rest = rest.trim_start();
            rest.strip_prefix("Fatal error").unwrap_or(rest).trim()
        }
        None => line.trim_end(),
    }
}
