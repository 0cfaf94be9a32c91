//! `cleanbill gate`: judges saved reports by rules. Nothing is scanned again, except what is named
//! to compare with.

mod comparison;
mod exceptions;
mod outputs;
mod render;
mod rules;
mod words;

use cleanbill_policy::gate::{FailureKind, Rules, Subject, Verdict};
use jiff::Timestamp;

use super::{Setting, report};
use crate::cli::GateArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use outputs::Outputs;
use render::View;

pub(super) use comparison::{compare_with, scan_for_comparison};
pub(super) use exceptions::{expired_sentence, renew_by};
pub(super) use rules::read as read_gate;
pub(super) use words::{
    better_base as better_base_words, plan as plan_words, title as plan_title,
    title_of as plan_title_of, unfixable as unfixable_words,
};

/// Bytes of a report: some 100,000 findings. More are nobody's gate, and take memory.
const REPORT_SIZE_BYTES_MAX: u64 = 512 << 20;

pub(crate) fn run(setting: &Setting, arguments: &GateArgs) -> Result<Exit, CommandError> {
    let now = Timestamp::now();
    let outputs = Outputs::new(setting, arguments)?;
    let mut gate = rules::read(
        arguments.config.as_deref(),
        arguments.fail_on.as_deref(),
        arguments.exit_code,
    )?;
    if gate.rules.is_none() && gate.thresholds.is_none() {
        return Err(CommandError::usage_text("no rules are given")
            .hint("name a file (--config gate.yaml) or thresholds (--fail-on critical=0,high=5)"));
    }
    // What was not assessed fails, whatever the rules come from.
    gate.rules.get_or_insert_with(Rules::default);
    let files = arguments.files.iter().chain(&arguments.scan_results);
    let (mut saved, mut notes) = report::read_outlines(files, REPORT_SIZE_BYTES_MAX)?;
    let (renewal, renewed) = exceptions::renew_by(&arguments.exceptions, &mut saved.report, now)?;
    notes.extend(renewed);
    comparison::add(setting, &arguments.comparison, &mut gate, now)?;
    let verdict = gate.judge(&Subject {
        selection: &saved.selection,
        has_later_exceptions: renewal.covered > 0,
        lacks_packages: saved.lacks_packages,
        doubtful_exceptions: &renewal.doubtful,
        ..Subject::new(&saved.report, now.into())
    });
    notes.extend(verdict.notes.iter().cloned());
    let rules = gate.rules.as_ref();
    outputs.write(&View {
        verdict: &verdict,
        report: &saved.report,
        rules: rules.map_or("", |rules| rules.source.as_str()),
        notes: &notes,
    })?;
    Ok(exit(&verdict))
}

/// Returns how a run ends by a verdict.
pub(super) fn exit(verdict: &Verdict) -> Exit {
    match verdict.failure {
        None => Exit::Clean,
        Some(FailureKind::NotJudged) => Exit::Usage,
        Some(FailureKind::Database) => Exit::Database,
        Some(FailureKind::Gate) => Exit::GateFailed(verdict.exit_code),
        Some(FailureKind::Incomplete) => Exit::Incomplete,
    }
}
