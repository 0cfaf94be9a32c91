//! Which findings a user asked to see.

use std::time::SystemTime;

use cleanbill_core::report::{ImageReport, ResultSet, SuppressedFinding};
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::Finding;

use crate::ignore::{ActiveRules, IgnoreRules, IgnoreUsage};

/// Holds what `--severity`, `--ignore-unfixed`, `--ignore-status` and `--ignorefile` say.
///
/// Source: spec 02 section 8 items 1 to 3; Trivy `pkg/result/filter.go`.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The severities to keep.
    pub severities: Vec<Severity>,
    /// The statuses to drop.
    pub ignored_statuses: Vec<FixStatus>,
    /// The exceptions.
    pub ignore_rules: IgnoreRules,
}

impl Default for Filter {
    /// Keeps every finding.
    fn default() -> Self {
        Self {
            severities: Severity::ALL.to_vec(),
            ignored_statuses: Vec::new(),
            ignore_rules: IgnoreRules::default(),
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
        let active = self.ignore_rules.active(now);
        for result in &mut image.results {
            self.apply_to_result(result, &active, usage);
        }
    }

    fn apply_to_result(
        &self,
        result: &mut ResultSet,
        active: &ActiveRules<'_>,
        usage: &mut IgnoreUsage,
    ) {
        let findings = std::mem::take(&mut result.findings);
        for finding in findings {
            if !self.wants(&finding) {
                continue;
            }
            match active.find(&result.target, &finding) {
                Some((index, rule)) => {
                    usage.count(index);
                    result.suppressed.push(SuppressedFinding {
                        status: "ignored".to_owned(),
                        statement: rule.statement.clone(),
                        source: self.ignore_rules.source().to_owned(),
                        finding,
                    });
                }
                None => result.findings.push(finding),
            }
        }
    }

    fn wants(&self, finding: &Finding) -> bool {
        self.severities.contains(&finding.severity)
            && !self.ignored_statuses.contains(&finding.status)
    }
}

#[cfg(test)]
mod tests;
