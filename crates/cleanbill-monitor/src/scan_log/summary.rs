//! The lines of the summary.

use std::fmt;
use std::path::PathBuf;

use cleanbill_report::text::clean;
use jiff::Timestamp;

use super::{LoggedBaseline, LoggedCounts};
use crate::file_names::timestamp_text;

/// Is a line of the summary without the time before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SummaryLine {
    /// The image is on the ignore list.
    Ignored {
        /// The image.
        image: String,
    },
    /// There is nothing to look at.
    NoImages,
    /// The image could not be looked at.
    Failed {
        /// The image.
        image: String,
        /// The exit code that stands for the failure.
        exit_code: i32,
        /// The log that says why.
        log: PathBuf,
    },
    /// The image was looked at.
    Scanned(ScanOutcome),
}

/// Says what a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanOutcome {
    /// The image.
    pub image: String,
    /// What was found.
    pub counts: LoggedCounts,
    /// Ids that are new.
    pub new: usize,
    /// Ids that are resolved.
    pub resolved: usize,
    /// Ids that an exception covers now.
    pub accepted: usize,
    /// What the image was compared with.
    pub baseline: LoggedBaseline,
    /// The log with the details.
    pub log: PathBuf,
}

impl SummaryLine {
    /// Writes the line as the file has it, its end included.
    pub fn render(&self, time: Timestamp) -> String {
        let text = self.to_string();
        format!("[{}] {}\n", timestamp_text(time), clean(&text))
    }
}

impl fmt::Display for SummaryLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SummaryLine::Ignored { image } => write!(f, "Skipping ignored image {image}"),
            SummaryLine::NoImages => f.write_str("No local images to scan"),
            SummaryLine::Failed {
                image,
                exit_code,
                log,
            } => write!(
                f,
                "Scan error for {image} (exit {exit_code}); see {}",
                log.display()
            ),
            SummaryLine::Scanned(outcome) => outcome.fmt(f),
        }
    }
}

impl fmt::Display for ScanOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            image,
            counts,
            new,
            resolved,
            accepted,
            ..
        } = self;
        let log = self.log.display();
        let (lost, compared) = match self.baseline {
            LoggedBaseline::Lost(_) => ("; baseline could not be read", ""),
            LoggedBaseline::File(_) => ("", "baseline match"),
            LoggedBaseline::None => ("", "as at the look before"),
        };
        match (new, resolved) {
            (0, 0) if *accepted > 0 => write!(
                f,
                "No new vulnerabilities; accepted {accepted} for {image}{lost}; counts: {counts}; \
                 details: {log}"
            ),
            (0, 0) if !lost.is_empty() => write!(
                f,
                "No new vulnerabilities for {image}{lost}; counts: {counts}; details: {log}"
            ),
            (0, 0) if counts.distinct_ids == 0 => write!(
                f,
                "No new vulnerabilities found for {image}; counts: {counts}"
            ),
            (0, 0) => write!(
                f,
                "No new vulnerabilities ({compared}) for {image}; counts: {counts}; no alert"
            ),
            (0, _) => write!(
                f,
                "No new vulnerabilities; resolved {resolved} for {image}{lost}; counts: {counts}; \
                 details: {log}"
            ),
            (_, _) => write!(
                f,
                "New vulnerabilities: {new} for {image}{lost}; counts: {counts}; details: {log}"
            ),
        }
    }
}
