//! Exceptions of a saved report as of now, before it is judged.

use std::path::PathBuf;

use cleanbill_core::report::{ExceptionReport, ScanReport};
use cleanbill_policy::Exceptions;
use cleanbill_policy::exceptions::{Renewal, renew};
use jiff::Timestamp;

use super::super::exceptions;
use crate::error::CommandError;

/// Holds a report against each file and the time; and names what has expired, in sentences without
/// a final stop.
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
    let notes = renewal.expired.iter().map(expired).collect();
    Ok((renewal, notes))
}

fn expired(exception: &ExceptionReport) -> String {
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
        1 => ": 1 finding counts again".to_owned(),
        count => format!(": {count} findings count again"),
    };
    format!("the exception {source}:{line} for {rule} has expired{since}{owner}{findings}")
}
