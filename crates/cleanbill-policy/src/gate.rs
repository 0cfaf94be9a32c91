//! The verdict over a scan, and the exit code that it asks for.

mod denied;
mod judge;
mod known;
mod rules;
mod verdict;

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use cleanbill_core::Severity;
use cleanbill_core::report::ScanReport;

use crate::exceptions::DoubtfulException;
use crate::threshold::{Counted, Thresholds};

pub use denied::{DeniedPackage, PackagePattern, PackagePatternError};
pub use known::Known;
pub use rules::{EpssRule, RuleKind, Rules, Tolerance};
pub use verdict::{FailureKind, FindingPlace, Hit, PackagePlace, RuleOutcome, RuleStatus, Verdict};

/// The exit code of a failed verdict unless another one is asked for.
pub const FAILED_EXIT_CODE: u8 = 1;

/// Holds what decides whether a scan passes: flags, and a file of rules.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// What `--fail-on` says: how many findings pass. It goes before the rules. Without
    /// thresholds and rules none passes if an exit code is given, else any number does.
    pub thresholds: Option<Thresholds>,
    /// What `--exit-code` says: the exit code of a failed verdict; 0 is the same as none. It goes
    /// before that of the rules.
    pub exit_code: Option<u8>,
    /// The rules of a file. With rules, what could not be judged fails.
    pub rules: Option<Rules>,
    /// What was there before: with `only_new` it does not count.
    pub known: Option<Known>,
}

/// Is what a gate judges: a report, and what has to be known beside it. What is not said counts as
/// nothing that limits the verdict.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The report, after filters, exceptions and VEX.
    pub report: &'a ScanReport,
    /// The filters that the report was made with, in words; empty without any.
    pub selection: &'a str,
    /// The time; the age of the database is counted from it.
    pub now: SystemTime,
    /// Exceptions were applied after the scan. What a better base image would change was counted
    /// without them, so it proves nothing.
    pub has_later_exceptions: bool,
    /// The report may not list every package.
    pub lacks_packages: bool,
    /// The exceptions that cover findings although nobody can tell whether they still hold.
    pub doubtful_exceptions: &'a [DoubtfulException],
}

impl<'a> Subject<'a> {
    /// Takes a report that says everything itself.
    pub fn new(report: &'a ScanReport, now: SystemTime) -> Self {
        Self {
            report,
            selection: "",
            now,
            has_later_exceptions: false,
            lacks_packages: false,
            doubtful_exceptions: &[],
        }
    }
}

impl Gate {
    /// Judges all images of a report together, after filters and VEX, at the time of the scan.
    ///
    /// Source: spec 03 section 10 for `--exit-code` alone (any finding that is left).
    pub fn verdict(&self, report: &ScanReport) -> Verdict {
        let scanned_at = report.created_at.parse::<jiff::Timestamp>();
        let now = scanned_at.map_or(SystemTime::UNIX_EPOCH, SystemTime::from);
        self.judge(&Subject::new(report, now))
    }

    /// Judges all images of a report together.
    pub fn judge(&self, subject: &Subject<'_>) -> Verdict {
        judge::judge(self, subject)
    }

    /// Says whether the verdict depends on what is known to be exploited.
    pub fn needs_known_exploited(&self) -> bool {
        let counts = |thresholds: &Thresholds| thresholds.counts_known_exploited();
        self.thresholds.as_ref().is_some_and(counts)
            || self
                .rules
                .as_ref()
                .is_some_and(|rules| counts(&rules.thresholds))
    }

    /// Returns the rules that hold: those of the file, with the thresholds of the flag before them.
    fn effective(&self) -> Rules {
        let exit_code = self.exit_code.filter(|code| *code != 0);
        let mut rules = self.rules.clone().unwrap_or_else(Rules::none);
        if let Some(thresholds) = &self.thresholds {
            rules.thresholds = thresholds.clone().or(&rules.thresholds);
            // What the flag limits counts, whatever severities the file leaves out.
            let counts = |severity: &Severity| {
                rules.severities.passes(*severity)
                    || thresholds.allowed(Counted::Severity(*severity)).is_some()
            };
            rules.severities = Severity::ALL.into_iter().filter(counts).collect();
        } else if exit_code.is_some() && rules.source.is_empty() && rules.is_empty() {
            rules.thresholds.set(Counted::Total, 0);
        }
        rules.exit_code = exit_code.or(rules.exit_code);
        rules
    }
}
