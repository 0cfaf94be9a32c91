//! How rules are judged: which findings count, then one rule after the other.

mod exceptions;
mod numbers;
mod packages;
mod plan;
mod state;

use cleanbill_core::report::ScanReport;
use cleanbill_core::severity::FixStatus;
use cleanbill_core::vulnerability::Finding;

use super::known::Known;
use super::rules::{RuleKind, Rules};
use super::verdict::{FindingPlace, RuleOutcome, RuleStatus, Verdict};
use super::{FAILED_EXIT_CODE, Gate, Subject};
use crate::threshold::Thresholds;

pub(super) fn judge(gate: &Gate, subject: &Subject<'_>) -> Verdict {
    let rules = gate.effective();
    let judging = Judging {
        counted: counted(subject.report, &rules, gate.known.as_ref()),
        rules: &rules,
        is_strict: gate.rules.is_some(),
        has_severities: gate.thresholds.is_some() || !rules.source.is_empty(),
        subject,
    };
    let outcomes = judging.outcomes();
    let failure = outcomes.iter().filter_map(RuleOutcome::failure).min();
    let code = rules.exit_code.unwrap_or(FAILED_EXIT_CODE);
    Verdict {
        failed: failure.is_some(),
        reasons: outcomes
            .iter()
            .filter(|outcome| outcome.fails())
            .map(|outcome| outcome.message.clone())
            .collect(),
        exit_code: failure.map_or(0, |failure| failure.exit_code(code)),
        failure,
        plan: judging.plan(&outcomes),
        counts: judging
            .counted
            .iter()
            .map(|one| one.finding.severity)
            .collect(),
        notes: judging.notes(gate.known.as_ref()),
        rules: outcomes,
    }
}

/// A finding that counts.
struct CountedFinding<'a> {
    place: FindingPlace,
    finding: &'a Finding,
}

/// Collects the findings that the rules look at, in the order of the report.
fn counted<'a>(
    report: &'a ScanReport,
    rules: &Rules,
    known: Option<&Known>,
) -> Vec<CountedFinding<'a>> {
    let mut counted = Vec::new();
    for (image_number, image) in report.images.iter().enumerate() {
        let new = match (rules.only_new, known) {
            (true, Some(known)) => Some(known.new_findings(image)),
            _ => None,
        };
        for (result_number, result) in image.results.iter().enumerate() {
            for (number, finding) in result.findings.iter().enumerate() {
                let counts = rules.severities.passes(finding.severity)
                    && (!rules.only_fixable || is_fixable(finding))
                    && new
                        .as_ref()
                        .is_none_or(|new| new.contains(&(result_number, number)));
                if counts {
                    let place = FindingPlace {
                        image: image_number,
                        result: result_number,
                        finding: number,
                    };
                    counted.push(CountedFinding { place, finding });
                }
            }
        }
    }
    counted
}

fn is_fixable(finding: &Finding) -> bool {
    !finding.fixed_version.is_empty() || finding.status == FixStatus::Fixed
}

struct Judging<'a> {
    rules: &'a Rules,
    /// There is a file of rules: what cannot be judged fails.
    is_strict: bool,
    /// Something was asked for, beyond "any finding".
    has_severities: bool,
    subject: &'a Subject<'a>,
    counted: Vec<CountedFinding<'a>>,
}

impl Judging<'_> {
    fn outcomes(&self) -> Vec<RuleOutcome> {
        let mut outcomes: Vec<RuleOutcome> = Thresholds::COUNTED
            .into_iter()
            .filter_map(|counted| self.threshold(counted))
            .collect();
        outcomes.extend(self.epss());
        outcomes.extend(self.denied_packages());
        outcomes.extend(self.end_of_life());
        outcomes.extend(self.database_age());
        outcomes.extend(self.incomplete());
        outcomes.extend(self.exceptions());
        outcomes
    }

    fn outcome(&self, kind: RuleKind, status: RuleStatus, message: String) -> RuleOutcome {
        RuleOutcome {
            kind,
            line: self.rules.lines.get(&kind).copied(),
            status,
            message,
            advice: String::new(),
            hits: Vec::new(),
        }
    }

    fn notes(&self, known: Option<&Known>) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.subject.selection.is_empty() && self.is_strict {
            notes.push(format!(
                "the report was made with a filter ({}): what it left out was not judged",
                self.subject.selection
            ));
        }
        if let (true, Some(known)) = (self.rules.only_new, known) {
            let unknown = known.unknown_images(self.subject.report);
            if !unknown.is_empty() {
                let names: Vec<String> = unknown.into_iter().map(str::to_owned).collect();
                notes.push(format!(
                    "nothing is known of {} from before: all findings count as new",
                    listed(&names)
                ));
            }
            for (name, other) in known.stand_ins(self.subject.report) {
                notes.push(format!(
                    "{name} was compared with {other}, the only image that is known from before"
                ));
            }
        }
        notes
    }
}

/// Names at most five.
fn listed(names: &[String]) -> String {
    const NAMES_MAX: usize = 5;
    let shown = names.get(..NAMES_MAX.min(names.len())).unwrap_or_default();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
