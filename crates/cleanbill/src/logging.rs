//! Log lines on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::EnvFilter;

use crate::cli::{GlobalArgs, LogFormat};
use crate::progress;

/// Where it is said what became of the rules of ignore files: shown unless `--quiet`.
pub(crate) const EXCEPTIONS: &str = "exceptions";

/// Installs the subscriber. `CLEANBILL_LOG` takes a filter such as `cleanbill_image=debug`.
///
/// A daemon says more, and when: nobody sits in front of it.
pub(crate) fn install(arguments: &GlobalArgs, is_daemon: bool) {
    let level = match (arguments.quiet, arguments.debug) {
        (true, _) => "error",
        (false, true) => "debug",
        (false, false) => "warn",
    };
    let of_daemon = match level {
        "warn" => "info",
        level => level,
    };
    let level_of_program = if is_daemon { of_daemon } else { level };
    // What another program says is its progress.
    let remarks = if arguments.quiet { "error" } else { "info" };
    let default = format!(
        "warn,trivy={remarks},{EXCEPTIONS}={remarks},cleanbill={level_of_program},\
         cleanbill_monitor={of_daemon},cleanbill_web={of_daemon},cleanbill_engine={level},\
         cleanbill_image={level},cleanbill_inventory={level},cleanbill_advisories={level},\
         cleanbill_store={level}"
    );
    let filter = EnvFilter::try_from_env("CLEANBILL_LOG").unwrap_or_else(|_| default.into());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(progress::LogWriter)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    match arguments.log_format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text if is_daemon => builder.with_target(false).init(),
        LogFormat::Text => builder.without_time().with_target(false).init(),
    }
}
