//! Which findings a user asked to see.

use std::time::SystemTime;

use cleanbill_core::report::ImageReport;
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::Finding;

use crate::ignore::{IgnoreRules, IgnoreUsage, suppress};

/// Holds what `--severity`, `--ignore-unfixed`, `--ignore-status` and `--ignorefile` say.
///
/// Source: spec 02 section 8 items 1 to 3; Trivy `pkg/result/filter.go`.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The severities to keep.
    pub severities: Vec<Severity>,
    /// The statuses to drop.
    pub ignored_statuses: Vec<FixStatus>,
    /// The EPSS score to keep findings from, 0 to 1; those without a score are dropped then.
    pub epss_min: Option<f64>,
    /// Only what is known to be exploited is kept.
    pub known_exploited_only: bool,
    /// The exceptions, file by file; the first that covers a finding counts.
    pub ignore_rules: Vec<IgnoreRules>,
}

impl Default for Filter {
    /// Keeps every finding.
    fn default() -> Self {
        Self {
            severities: Severity::ALL.to_vec(),
            ignored_statuses: Vec::new(),
            epss_min: None,
            known_exploited_only: false,
            ignore_rules: Vec::new(),
        }
    }
}

/// Returns the statuses that `--ignore-unfixed` stands for: all but `fixed`. An explicit
/// `--ignore-status` takes its place.
pub fn unfixed_statuses() -> Vec<FixStatus> {
    FixStatus::ALL
        .into_iter()
        .filter(|status| *status != FixStatus::Fixed)
        .collect()
}

impl Filter {
    /// Filters the findings of an image in place, keeping their order: other severities and
    /// ignored statuses are dropped, what an exception covers moves to the suppressed findings.
    /// `now` decides which exceptions have expired; `usage` counts what each of them covered.
    pub fn apply(&self, image: &mut ImageReport, now: SystemTime, usage: &mut IgnoreUsage) {
        for result in &mut image.results {
            result.findings.retain(|finding| self.wants(finding));
        }
        suppress(image, &self.ignore_rules, now, usage);
    }

    fn wants(&self, finding: &Finding) -> bool {
        self.severities.contains(&finding.severity)
            && !self.ignored_statuses.contains(&finding.status)
            && (!self.known_exploited_only || finding.known_exploited.is_some())
            && self.epss_min.is_none_or(|min| {
                let epss = finding.epss.as_ref();
                epss.is_some_and(|epss| epss.score >= min)
            })
    }
}

#[cfg(test)]
mod tests;
