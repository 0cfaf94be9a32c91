//! Exceptions of a saved report as of now, before it is judged.

use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::report::{ExceptionReport, ScanReport};
use cleanbill_policy::Exceptions;
use cleanbill_policy::exceptions::{EndedException, Renewal, renew};
use jiff::Timestamp;

use super::super::exceptions::{self, Announcement, counting_again};
use crate::error::CommandError;

/// How long before they expire exceptions are announced, as `--warn-before` is where it is a flag.
const WARN_BEFORE: Duration = Duration::from_secs(7 * 86_400);

/// Exceptions that have ended for findings and are named.
const ENDED_MAX: usize = 100;

/// Holds a report against each file and the time; and names what has expired or expires soon, in
/// sentences without a final stop.
///
/// # Errors
///
/// A file cannot be read, or something in it makes no sense.
pub(in crate::commands) fn renew_by(
    files: &[PathBuf],
    report: &mut ScanReport,
    now: Timestamp,
) -> Result<(Renewal, Vec<String>), CommandError> {
    let files = files.iter().map(|file| exceptions::read(file));
    let files: Vec<Exceptions> = files.collect::<Result<_, _>>()?;
    let renewal = renew(report, &files, now.into());
    let expiring = exceptions::announcements(&files, now.into(), WARN_BEFORE);
    let expiring = expiring.iter().map(Announcement::sentence);
    let ended = renewal.ended.iter().take(ENDED_MAX).map(ended_sentence);
    let notes = renewal.expired.iter().map(expired_sentence);
    let notes = notes.chain(ended).chain(expiring).collect();
    Ok((renewal, notes))
}

/// Says that an exception does not cover findings any more which it would cover.
fn ended_sentence(exception: &EndedException) -> String {
    let EndedException {
        words,
        findings,
        id,
    } = exception;
    match findings {
        1 => format!("the exception {words}; {id} counts"),
        more => format!("the exception {words}; {more} findings count"),
    }
}

/// Says that an exception has expired, and how many findings count again.
pub(in crate::commands) fn expired_sentence(exception: &ExceptionReport) -> String {
    let ExceptionReport {
        source, line, rule, ..
    } = exception;
    let since = match exception.terms.expires.as_str() {
        "" => String::new(),
        day => format!(" (until {day})"),
    };
    let owner = match exception.terms.owner.as_str() {
        "" => String::new(),
        owner => format!(", owner {owner}"),
    };
    let findings = match exception.lapsed_findings {
        0 => String::new(),
        lapsed => format!(": {}", counting_again(lapsed)),
    };
    format!("the exception {source}:{line} for {rule} has expired{since}{owner}{findings}")
}
