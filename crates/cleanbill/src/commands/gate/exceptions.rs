//! Exceptions that are applied to a saved report before it is judged.

use std::path::PathBuf;

use cleanbill_core::report::{ExceptionOutcome, ExceptionReport, ScanReport};
use jiff::Timestamp;

use super::super::exceptions;
use crate::error::CommandError;

/// Says what exceptions did.
#[derive(Debug, Default)]
pub(in crate::commands) struct Notes {
    /// Sentences without a final stop.
    pub(in crate::commands) lines: Vec<String>,
    /// Some cover findings that counted until now.
    pub(in crate::commands) has_covered: bool,
}

/// Applies each file, and names what has expired.
///
/// # Errors
///
/// A file cannot be read, or something in it makes no sense.
pub(in crate::commands) fn apply(
    files: &[PathBuf],
    report: &mut ScanReport,
    now: Timestamp,
) -> Result<Notes, CommandError> {
    let mut notes = Notes::default();
    for file in files {
        let usage = exceptions::read(file)?.apply(report, now.into());
        notes.has_covered |= usage.covered() > 0;
        notes.lines.extend(usage.reports.iter().filter_map(expired));
    }
    Ok(notes)
}

fn expired(exception: &ExceptionReport) -> Option<String> {
    if exception.outcome != ExceptionOutcome::Expired {
        return None;
    }
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
    Some(format!(
        "the exception {source}:{line} for {rule} has expired{since}{owner}{findings}"
    ))
}
