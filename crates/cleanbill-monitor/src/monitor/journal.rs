//! The files of the older script: a log and a report for each look, a summary that grows, and
//! baselines.
//!
//! They are for people and their scripts; the monitor reads only the baselines. A directory that
//! cannot be written is said once and stops nothing: what was found is in the state.

use std::collections::BTreeSet;

use cleanbill_core::Severity;
use cleanbill_core::change::{Change, ChangeKind, ImageState, KnownFinding};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_policy::SeverityFilter;
use cleanbill_report::{Format, RenderOptions, render};
use jiff::Timestamp;

use super::Monitor;
use crate::baseline_file::{BaselineDirectory, BaselineFile};
use crate::retention::{RetentionBudgets, apply_retention, rotate_summary};
use crate::scan_log::{
    LoggedBaseline, LoggedFinding, ScanFiles, ScanLog, ScanLogDirectory, ScanLogError, ScanOutcome,
    SummaryLine,
};

/// The exit code that stands for a failed look in the summary.
const FAILED_EXIT_CODE: i32 = 3;

/// Says where files are kept.
#[derive(Clone, Debug, Default)]
pub struct JournalSettings {
    /// The directory of logs; `None` writes none.
    pub logs: Option<ScanLogDirectory>,
    /// How long logs are kept.
    pub retention: RetentionBudgets,
    /// The directory of baselines; `None` knows none.
    pub baselines: Option<BaselineDirectory>,
    /// Baselines are written after each look.
    pub writes_baselines: bool,
}

impl JournalSettings {
    /// Says whether a look leaves any files.
    pub(super) fn is_kept(&self) -> bool {
        self.logs.is_some() || self.writes_baselines
    }
}

/// Holds what a look leaves in files.
pub(super) struct Entry<'a> {
    pub(super) report: &'a ImageReport,
    pub(super) state: &'a ImageState,
    pub(super) changes: &'a [Change],
    pub(super) filter: SeverityFilter,
    pub(super) started: Timestamp,
}

impl Monitor<'_> {
    /// Writes the files of one look.
    pub(super) fn write_journal(&self, entry: &Entry<'_>) {
        if let Some(logs) = &self.settings.journal.logs
            && let Err(error) = self.write_logs(logs, entry)
        {
            self.log_failed(&error);
        }
        if self.settings.journal.writes_baselines {
            self.write_baseline(entry);
        }
    }

    /// Notes names that are left out.
    pub(super) fn note_ignored(&self, names: &[String], is_empty: bool) {
        let Some(logs) = &self.settings.journal.logs else {
            return;
        };
        let ignored = names.iter().map(|image| SummaryLine::Ignored {
            image: image.clone(),
        });
        let none = is_empty.then_some(SummaryLine::NoImages);
        for line in ignored.chain(none) {
            if let Err(error) = self.append(logs, &line) {
                self.log_failed(&error);
                return;
            }
        }
    }

    /// Says that a file could not be written. Nothing depends on it; somebody may miss it.
    fn log_failed(&self, error: &(dyn std::error::Error + 'static)) {
        self.parts.observer.log_failed();
        tracing::error!("{}", cleanbill_core::error_chain(error));
    }

    /// Removes what is older or larger than the budgets allow.
    pub(super) fn tidy_journal(&self) {
        let journal = &self.settings.journal;
        let Some(logs) = &journal.logs else {
            return;
        };
        let now = self.parts.clock.now();
        let rotated = rotate_summary(logs.path(), &journal.retention, now).map(drop);
        let applied = apply_retention(logs.path(), &journal.retention, now).map(drop);
        for error in [rotated.err(), applied.err()].into_iter().flatten() {
            tracing::warn!("{}", cleanbill_core::error_chain(&error));
        }
    }

    fn write_logs(&self, logs: &ScanLogDirectory, entry: &Entry<'_>) -> Result<(), ScanLogError> {
        let image = &entry.state.name;
        let files = logs.begin(image, entry.started)?;
        let log = self.scan_log(entry, &files);
        files.write_log(&log.render())?;
        if let Some(json) = report_json(entry) {
            files.write_json(&json)?;
        }
        let line = if entry.state.status == AssessmentStatus::Failed {
            SummaryLine::Failed {
                image: image.clone(),
                exit_code: FAILED_EXIT_CODE,
                log: files.log,
            }
        } else {
            SummaryLine::Scanned(ScanOutcome {
                image: image.clone(),
                counts: log.counts(),
                new: log.new.len(),
                resolved: log.resolved.len(),
                accepted: log.accepted.len(),
                baseline: log.baseline,
                log: files.log,
            })
        };
        self.append(logs, &line)
    }

    fn append(&self, logs: &ScanLogDirectory, line: &SummaryLine) -> Result<(), ScanLogError> {
        let now = self.parts.clock.now();
        self.parts.observer.summarised(&line.render(now));
        logs.append(line, now)
    }

    fn scan_log(&self, entry: &Entry<'_>, files: &ScanFiles) -> ScanLog {
        let ids = |is_wanted: fn(&ChangeKind) -> bool| -> BTreeSet<String> {
            let wanted = entry
                .changes
                .iter()
                .filter(|change| is_wanted(&change.kind));
            wanted
                .filter_map(|change| change.finding.as_ref())
                .map(|finding| finding.key.vulnerability_id.clone())
                .collect()
        };
        ScanLog {
            time: entry.started,
            image: entry.state.name.clone(),
            severities: severities(entry.filter),
            findings: passing(entry).map(logged).collect(),
            baseline: self.logged_baseline(&entry.state.name),
            new: ids(|kind| matches!(kind, ChangeKind::New)),
            resolved: ids(|kind| matches!(kind, ChangeKind::Resolved)),
            accepted: ids(|kind| matches!(kind, ChangeKind::Accepted)),
            json_report: files.json.clone(),
        }
    }

    /// Says what an image was compared with.
    fn logged_baseline(&self, image: &str) -> LoggedBaseline {
        if let Some(reason) = self.lost_baselines.get(image) {
            return LoggedBaseline::Lost(reason.clone());
        }
        let baselines = self.settings.journal.baselines.as_ref();
        let path = baselines.map(|baselines| baselines.path_of(image));
        path.filter(|path| path.exists())
            .map_or(LoggedBaseline::None, LoggedBaseline::File)
    }

    fn write_baseline(&self, entry: &Entry<'_>) {
        // What could not be looked at must not become the accepted state.
        if entry.state.status != AssessmentStatus::Complete {
            return;
        }
        let Some(baselines) = &self.settings.journal.baselines else {
            return;
        };
        let ids = passing(entry).map(|finding| finding.key.vulnerability_id.clone());
        let baseline = BaselineFile::new(&entry.state.name, entry.started, ids);
        match baselines.write(&baseline, self.parts.clock.now()) {
            Ok(written) => tracing::debug!("wrote the baseline {}", written.path.display()),
            Err(error) => self.log_failed(&error),
        }
    }
}

fn passing<'a>(entry: &'a Entry<'_>) -> impl Iterator<Item = &'a KnownFinding> {
    let findings = entry.state.findings.iter();
    findings.filter(|finding| finding.counts() && entry.filter.passes(finding.severity))
}

fn logged(finding: &KnownFinding) -> LoggedFinding {
    LoggedFinding {
        id: finding.key.vulnerability_id.clone(),
        package: finding.key.package_name.clone(),
        installed_version: finding.installed_version.clone(),
        severity: finding.severity,
    }
}

/// Lists the severities that pass, the way the older settings write them: mildest first.
fn severities(filter: SeverityFilter) -> Vec<Severity> {
    let worst_first = Severity::ALL.into_iter().rev();
    worst_first
        .filter(|severity| filter.passes(*severity))
        .collect()
}

/// Renders the report in the form that the older script kept; `None` if that fails, which is
/// logged.
fn report_json(entry: &Entry<'_>) -> Option<Vec<u8>> {
    let mut image = entry.report.clone();
    for result in &mut image.results {
        result
            .findings
            .retain(|finding| entry.filter.passes(finding.severity));
    }
    let report = ScanReport {
        created_at: entry.started.to_string(),
        images: vec![image],
        ..ScanReport::default()
    };
    let mut json = Vec::new();
    match render(
        Format::TrivyJson,
        &report,
        &RenderOptions::default(),
        &mut json,
    ) {
        Ok(()) => Some(json),
        Err(error) => {
            tracing::warn!(
                "cannot write the report of {}: {}",
                entry.state.name,
                cleanbill_core::error_chain(&error)
            );
            None
        }
    }
}
