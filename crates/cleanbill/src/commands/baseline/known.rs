//! What is known of an image now: from the state, or from saved reports.

use std::collections::BTreeSet;

use cleanbill_core::change::ImageState;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_monitor::LABEL_SEVERITY;
use cleanbill_monitor::baseline_file::{BaselineDelta, BaselineFile};
use cleanbill_policy::SeverityFilter;
use cleanbill_store::state::{ImageRow, StateReader};

use super::super::history::find;
use super::super::status::unreadable;
use crate::error::CommandError;

/// Holds what is known of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) image: String,
    /// How far it could be assessed.
    pub(super) status: AssessmentStatus,
    /// The ids of everything that was found, whatever its severity.
    pub(super) found: BTreeSet<String>,
    /// The ids of what counts: it passes the filter, and no exception covers it.
    pub(super) passing: BTreeSet<String>,
}

impl Known {
    /// Takes an image of a saved report.
    pub(super) fn of_report(report: &ImageReport, filter: SeverityFilter) -> Self {
        let suppressed = report.results.iter().flat_map(|result| &result.suppressed);
        let counting = report
            .findings()
            .filter(|finding| filter.passes(finding.severity));
        Self {
            image: report.artifact_name.clone(),
            status: report.status,
            found: report
                .findings()
                .chain(suppressed.map(|suppressed| &suppressed.finding))
                .map(|finding| finding.vulnerability_id.clone())
                .collect(),
            passing: counting
                .map(|finding| finding.vulnerability_id.clone())
                .collect(),
        }
    }

    fn of_state(state: &ImageState, filter: SeverityFilter) -> Self {
        let id =
            |finding: &cleanbill_core::change::KnownFinding| finding.key.vulnerability_id.clone();
        let counting = state
            .findings
            .iter()
            .filter(|finding| finding.counts() && filter.passes(finding.severity));
        Self {
            image: state.name.clone(),
            status: state.status,
            found: state.findings.iter().map(id).collect(),
            passing: counting.map(id).collect(),
        }
    }

    /// Compares it with its baseline.
    pub(super) fn compare(&self, baseline: &BaselineFile) -> BaselineDelta {
        let found: BTreeSet<&str> = self.found.iter().map(String::as_str).collect();
        let passing: BTreeSet<&str> = self.passing.iter().map(String::as_str).collect();
        baseline.compare(&found, &passing)
    }
}

/// Takes images of the state: those that are named, else all that are watched and were looked at.
pub(super) fn of_state(
    state: &StateReader,
    names: &[String],
    filter: SeverityFilter,
) -> Result<Vec<Known>, CommandError> {
    let mut rows = Vec::new();
    for name in names {
        rows.push(find(state, name)?);
    }
    if names.is_empty() {
        rows = state.image_list().map_err(unreadable)?;
        rows.retain(|row| row.gone_at.is_none());
    }
    let mut known = Vec::new();
    for row in &rows {
        let filter = filter_of(row, filter);
        match state.image_state(&row.name).map_err(unreadable)? {
            Some(state) => known.push(Known::of_state(&state, filter)),
            None => known.push(Known {
                image: row.name.clone(),
                status: AssessmentStatus::Failed,
                found: BTreeSet::new(),
                passing: BTreeSet::new(),
            }),
        }
    }
    Ok(known)
}

/// Takes images of saved reports: those that are named, else all.
pub(super) fn of_reports(
    report: &ScanReport,
    names: &[String],
    filter: SeverityFilter,
) -> Result<Vec<Known>, CommandError> {
    let holds = |name: &String| report.images.iter().any(|one| one.artifact_name == *name);
    if let Some(missing) = names.iter().find(|name| !holds(name)) {
        let held: Vec<&str> = report
            .images
            .iter()
            .map(|one| one.artifact_name.as_str())
            .collect();
        let error = CommandError::usage_text(format!("the reports have no image '{missing}'"));
        return Err(error.hint(format!("they have {}", held.join(", "))));
    }
    let is_wanted = |one: &&ImageReport| names.is_empty() || names.contains(&one.artifact_name);
    let wanted = report.images.iter().filter(is_wanted);
    Ok(wanted.map(|one| Known::of_report(one, filter)).collect())
}

/// Returns which findings of an image count: its labels decide before the settings, as they do in
/// `watch`.
fn filter_of(row: &ImageRow, settings: SeverityFilter) -> SeverityFilter {
    let label = row.labels.get(LABEL_SEVERITY).map_or("", String::as_str);
    let named: Vec<_> = label
        .split([',', ' '])
        .filter_map(|word| word.parse().ok())
        .collect();
    match named.is_empty() {
        true => settings,
        false => named.into_iter().collect(),
    }
}
