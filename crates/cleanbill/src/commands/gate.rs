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
pub(super) use exceptions::{Notes, apply as apply_exceptions};
pub(super) use rules::read as read_gate;
pub(super) use words::plan as plan_words;

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
    let mut saved = report::read_outlines(files, REPORT_SIZE_BYTES_MAX)?;
    let mut notes = exceptions::apply(&arguments.exceptions, &mut saved.report, now)?;
    let has_later_exceptions = notes.has_covered;
    comparison::add(setting, &arguments.comparison, &mut gate, now)?;
    let verdict = gate.judge(&Subject {
        report: &saved.report,
        selection: &saved.selection,
        now: now.into(),
        has_later_exceptions,
    });
    notes.lines.extend(verdict.notes.iter().cloned());
    let rules = gate.rules.as_ref();
    outputs.write(&View {
        verdict: &verdict,
        report: &saved.report,
        rules: rules.map_or("", |rules| rules.source.as_str()),
        notes: &notes.lines,
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
