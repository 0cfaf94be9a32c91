//! Reads saved reports back: our own `json`, and Trivy's.
//!
//! What a report of ours states is read without loss: written again with the same options it is
//! the same but for its volatile fields. What a report was saved without (packages, suppressed
//! findings) is not there; [`SavedReport`] says so. A report is never read in part: whatever
//! contradicts the schema is an error that names the place.

mod base;
mod convert;
mod details;
mod mark;
mod model;
mod totals;

#[cfg(test)]
mod tests;

use cleanbill_core::report::ScanReport;
use serde_json::Value;
use serde_json::error::Category;

use crate::findings_max::{FINDINGS_MAX, bounded};
use crate::render::json::SCHEMA_VERSION;
use crate::trivy_reader::{TrivyReportError, read_trivy_report};
use crate::{RenderOptions, text};

/// Holds a report that was saved, with what its file says beside the report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedReport {
    /// The report.
    pub report: ScanReport,
    /// The version of the tool that wrote it; empty if it was not ours.
    pub tool_version: String,
    /// The identity of the report; may be empty.
    pub report_id: String,
    /// What the filters had let through, in words; empty if everything.
    pub selection: String,
    /// Packages are listed. Otherwise the report only counts them.
    pub lists_packages: bool,
    /// There may be packages that are not listed: the report was saved without them, or does not say
    /// how many there were.
    pub lacks_packages: bool,
    /// All suppressed findings are listed. Otherwise only those that exceptions cover may be, and the
    /// report says at best how many more there were.
    pub lists_suppressed: bool,
}

/// Says why a file is no saved report.
#[derive(Debug, thiserror::Error)]
pub enum SavedReportError {
    /// It is no JSON.
    #[error("it is no JSON document")]
    Json(#[source] serde_json::Error),
    /// It is JSON, but no report that is known.
    #[error("it is no report: it has neither schema_version (cleanbill) nor SchemaVersion (trivy)")]
    NoReport,
    /// It is what the older scripts wrote: counts, and nothing that can be judged or listed.
    #[error(
        "it is a report of the older pipeline scripts, which has counts and no findings: scan the \
         image again with cleanbill scan -o json=FILE"
    )]
    CountsOnly,
    /// It is a report of another major version.
    #[error("schema_version {found} is not supported, expected 1.x")]
    Version {
        /// The version that it states.
        found: String,
    },
    /// It states our schema and does not keep to it.
    #[error("it does not keep to schema {SCHEMA_VERSION}")]
    Schema(#[source] serde_json::Error),
    /// A value makes no sense.
    #[error("{field} '{value}': {reason}")]
    Value {
        /// The member.
        field: &'static str,
        /// What it holds, cut to 100 characters.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It states other numbers than its findings have: somebody has changed it.
    #[error("it contradicts itself: {what} of {of}: {stated} stated, {listed} listed")]
    Contradiction {
        /// `the report`, or the image.
        of: String,
        /// `findings`, or those of a severity.
        what: String,
        /// The number that it states.
        stated: u64,
        /// The number of those that it lists.
        listed: u64,
    },
    /// It has more findings than are read.
    #[error("it has more than the {FINDINGS_MAX} findings that are read")]
    TooManyFindings,
    /// It is a report of Trivy's that cannot be read.
    #[error(transparent)]
    Trivy(#[from] TrivyReportError),
}

/// Reads a saved report, whichever of the two schemas it has. A newer minor version is read; what
/// it added is left out.
///
/// # Errors
///
/// See [`SavedReportError`].
pub fn read_report(bytes: &[u8]) -> Result<SavedReport, SavedReportError> {
    read::<model::Whole>(bytes)
}

/// Reads a saved report without what is said about vulnerabilities (texts, scores, ratings, sources)
/// and without layers and fingerprints of findings: what a gate looks at, in a fraction of the time
/// and memory. Trivy's reports are read whole.
///
/// # Errors
///
/// See [`SavedReportError`].
pub fn read_report_outline(bytes: &[u8]) -> Result<SavedReport, SavedReportError> {
    read::<model::Outline>(bytes)
}

fn read<K: model::Depth>(bytes: &[u8]) -> Result<SavedReport, SavedReportError> {
    // Some tools of Windows put a mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mark = mark::read(bytes).map_err(|error| match error.classify() {
        Category::Data => SavedReportError::NoReport,
        _ => SavedReportError::Json(error),
    })?;
    match (mark.schema_version, mark.trivy_schema_version) {
        (Some(version), _) => {
            check_version(&version)?;
            let (read, is_within) = bounded(|| serde_json::from_slice(bytes));
            let document: model::Document<K> = read.map_err(|error| match error.classify() {
                _ if !is_within => SavedReportError::TooManyFindings,
                Category::Data => SavedReportError::Schema(error),
                _ => SavedReportError::Json(error),
            })?;
            convert::saved(document)
        }
        (None, Some(_)) => {
            let (read, is_within) = bounded(|| read_trivy_report(bytes));
            match read {
                Err(_) if !is_within => Err(SavedReportError::TooManyFindings),
                read => Ok(of_trivy(read?)),
            }
        }
        (None, None) if mark.has_severity_summary => Err(SavedReportError::CountsOnly),
        (None, None) => Err(SavedReportError::NoReport),
    }
}

fn check_version(version: &Value) -> Result<(), SavedReportError> {
    let is_known = version
        .as_str()
        .and_then(|version| version.split_once('.'))
        .is_some_and(|(major, minor)| major == "1" && minor.parse::<u32>().is_ok());
    if is_known {
        return Ok(());
    }
    let found = version
        .as_str()
        .map_or_else(|| version.to_string(), str::to_owned);
    Err(SavedReportError::Version {
        found: text::clean(&found).chars().take(100).collect(),
    })
}

fn of_trivy(report: ScanReport) -> SavedReport {
    let results = || report.images.iter().flat_map(|image| &image.results);
    let lists_packages = results().any(|set| !set.packages.is_empty());
    SavedReport {
        lists_packages,
        // Trivy lists the packages of all results or of none, and has no result without any but
        // that of the distribution.
        lacks_packages: !lists_packages && results().next().is_some(),
        lists_suppressed: results().any(|set| !set.suppressed.is_empty()),
        report,
        ..SavedReport::default()
    }
}

impl SavedReport {
    /// Returns the options that render the report as it was saved.
    pub fn options(&self) -> RenderOptions {
        RenderOptions {
            list_all_packages: Some(self.lists_packages),
            show_suppressed: true,
            selection: self.selection.clone(),
            tool_version: self.tool_version.clone(),
            report_id: self.report_id.clone(),
            ..RenderOptions::default()
        }
    }
}
