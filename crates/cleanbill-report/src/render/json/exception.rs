//! What became of the rules of ignore files.

use cleanbill_core::report::{ExceptionOutcome, ExceptionReport};
use schemars::JsonSchema;
use serde::Serialize;

/// A rule of an ignore file.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Exception<'a> {
    /// The file.
    source: &'a str,
    /// The line of the rule, counted from 1.
    line: u64,
    /// What it is about: a vulnerability id, or its conditions in short.
    rule: &'a str,
    /// The reason that it gives.
    #[serde(skip_serializing_if = "str::is_empty")]
    statement: &'a str,
    /// Who answers for it; absent if it does not say.
    #[serde(skip_serializing_if = "str::is_empty")]
    owner: &'a str,
    /// Where it was discussed; absent if it does not say.
    #[serde(skip_serializing_if = "str::is_empty")]
    ticket: &'a str,
    /// The last day on which it holds, or a time; absent if it has no end.
    #[serde(skip_serializing_if = "str::is_empty")]
    expires: &'a str,
    /// What became of it.
    outcome: Outcome,
    /// The findings that it covered.
    findings: u64,
    /// The findings that it would cover, had it not expired or ended for them; absent if there are
    /// none.
    #[serde(skip_serializing_if = "is_zero")]
    lapsed_findings: u64,
    /// Why it cannot be honoured; absent if it can.
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
}

/// What became of a rule.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It covered findings.
    Applied,
    /// Its time is over; it covered nothing.
    Expired,
    /// It covered nothing.
    Unmatched,
    /// It cannot be honoured and covered nothing.
    NotUnderstood,
}

impl<'a> Exception<'a> {
    pub(super) fn of(report: &'a ExceptionReport) -> Self {
        let (outcome, findings, reason) = match &report.outcome {
            ExceptionOutcome::Applied(count) => (Outcome::Applied, *count, ""),
            ExceptionOutcome::Expired => (Outcome::Expired, 0, ""),
            ExceptionOutcome::Unmatched => (Outcome::Unmatched, 0, ""),
            ExceptionOutcome::NotUnderstood(reason) => (Outcome::NotUnderstood, 0, reason.as_str()),
        };
        Self {
            source: &report.source,
            line: report.line,
            rule: &report.rule,
            statement: &report.statement,
            owner: &report.terms.owner,
            ticket: &report.terms.ticket,
            expires: &report.terms.expires,
            outcome,
            findings,
            lapsed_findings: report.lapsed_findings,
            reason,
        }
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
