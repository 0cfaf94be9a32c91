//! The logs of scans, in the form of the older script: one file an image and look, and one summary
//! that grows.
//!
//! People and scripts read these lines, so their form is fixed. Text of images and advisories is
//! made harmless: a package cannot forge a line.

mod files;
mod summary;

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use cleanbill_core::Severity;
use cleanbill_core::report::SeverityCounts;
use cleanbill_report::text::clean;
use jiff::Timestamp;

use crate::file_names::timestamp_text;

pub use files::{SUMMARY_FILE, ScanFiles, ScanLogDirectory, ScanLogError};
pub use summary::{ScanOutcome, SummaryLine};

/// Holds what the log of one look at one image says.
#[derive(Clone, Debug, Default)]
pub struct ScanLog {
    /// When the look began.
    pub time: Timestamp,
    /// The image's name.
    pub image: String,
    /// The severities that are let through, as they were asked for.
    pub severities: Vec<Severity>,
    /// The findings that passed, in the order in which they are listed.
    pub findings: Vec<LoggedFinding>,
    /// The baseline that they were compared with.
    pub baseline: LoggedBaseline,
    /// The ids that are new against it.
    pub new: BTreeSet<String>,
    /// The ids of it that are resolved.
    pub resolved: BTreeSet<String>,
    /// The ids that are still found and that an exception covers now.
    pub accepted: BTreeSet<String>,
    /// Where the report as JSON lies.
    pub json_report: PathBuf,
}

/// What there is of a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LoggedBaseline {
    /// There is none: the look before counts.
    #[default]
    None,
    /// A file.
    File(PathBuf),
    /// It could not be read, for this reason: the look before counts.
    Lost(String),
}

/// Is a finding as a log lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedFinding {
    /// The vulnerability.
    pub id: String,
    /// The package.
    pub package: String,
    /// Its version.
    pub installed_version: String,
    /// How bad it is.
    pub severity: Severity,
}

/// Counts findings the way logs and mails print them: `2 | CRITICAL: 1, HIGH: 2, …`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoggedCounts {
    /// Ids, each counted once.
    pub distinct_ids: u64,
    /// Findings by severity.
    pub by_severity: SeverityCounts,
}

impl LoggedCounts {
    /// Counts findings.
    pub fn of<'a>(findings: impl IntoIterator<Item = (&'a str, Severity)>) -> Self {
        let mut ids = BTreeSet::new();
        let severities = findings.into_iter().map(|(id, severity)| {
            ids.insert(id);
            severity
        });
        let by_severity = severities.collect();
        Self {
            distinct_ids: ids.len() as u64,
            by_severity,
        }
    }

    /// Writes the severities: `CRITICAL: 1, HIGH: 2, MEDIUM: 0, LOW: 0, UNKNOWN: 0`.
    pub fn severities_text(&self) -> String {
        let parts = Severity::ALL.map(|one| format!("{one}: {}", self.by_severity.get(one)));
        parts.join(", ")
    }
}

impl fmt::Display for LoggedCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {}", self.distinct_ids, self.severities_text())
    }
}

impl ScanLog {
    /// Counts its findings.
    pub fn counts(&self) -> LoggedCounts {
        LoggedCounts::of(
            self.findings
                .iter()
                .map(|one| (one.id.as_str(), one.severity)),
        )
    }

    /// Writes the text of the file.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &dyn fmt::Display| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{name}: {}", clean(&value.to_string()));
        };
        let counts = self.counts();
        line("Scan time", &timestamp_text(self.time));
        line("Image", &self.image);
        line("Severity filter", &severities_text(&self.severities));
        line("Counts", &counts.distinct_ids);
        line("Counts by severity", &counts.severities_text());
        match &self.baseline {
            LoggedBaseline::File(path) => line("Baseline", &path.display()),
            LoggedBaseline::None => line("Baseline", &"none"),
            LoggedBaseline::Lost(reason) => {
                line("Baseline", &format_args!("could not be read: {reason}"));
            }
        }
        push_ids(&mut text, "New since baseline", &self.new);
        push_ids(&mut text, "Resolved since baseline", &self.resolved);
        push_ids(&mut text, "Accepted by an exception now", &self.accepted);
        push_path(&mut text, "JSON report", &self.json_report);
        self.push_findings(&mut text);
        text
    }

    fn push_findings(&self, text: &mut String) {
        text.push_str("Vulnerabilities:\n");
        if self.findings.is_empty() {
            text.push_str("  (none)\n");
        }
        for finding in &self.findings {
            let _ = writeln!(
                text,
                "  {} {} {} {}",
                clean(&finding.id),
                clean(&finding.package),
                clean(&finding.installed_version),
                finding.severity
            );
        }
    }
}

/// Writes severities as they are asked for: `HIGH,CRITICAL`.
pub fn severities_text(severities: &[Severity]) -> String {
    let names: Vec<&str> = severities.iter().map(|severity| severity.name()).collect();
    names.join(",")
}

fn push_ids(text: &mut String, name: &str, ids: &BTreeSet<String>) {
    if ids.is_empty() {
        return;
    }
    let _ = writeln!(text, "{name}: {}", ids.len());
    for id in ids {
        let _ = writeln!(text, "  {}", clean(id));
    }
}

fn push_path(text: &mut String, name: &str, path: &Path) {
    let _ = writeln!(text, "{name}: {}", clean(&path.display().to_string()));
}

#[cfg(test)]
mod tests;
