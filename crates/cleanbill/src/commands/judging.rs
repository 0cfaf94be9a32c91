//! What a gate says of saved reports, for commands that tell others.

mod verdict_file;

use cleanbill_core::report::ScanReport;
use cleanbill_policy::gate::{Known, Rules, Subject};
use cleanbill_report::SavedReport;
use jiff::Timestamp;

use super::gate::{Notes, apply_exceptions, plan_words, read_gate};
use crate::cli::JudgingArgs;
use crate::error::{CommandError, printable};

/// Is what a gate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Sentences without a full stop, one for each rule that fails; none if the reports pass.
    pub(super) reasons: Vec<String>,
    /// What would make them pass, a line for each step; none if they do, or if nothing is known to.
    pub(super) plan: Vec<String>,
}

impl Judgement {
    pub(super) fn has_failed(&self) -> bool {
        !self.reasons.is_empty()
    }
}

/// Holds a report against the exceptions of the flags, as the gate does.
///
/// # Errors
///
/// A file cannot be read, or something in it makes no sense.
pub(super) fn hold(
    arguments: &JudgingArgs,
    saved: &mut SavedReport,
) -> Result<Notes, CommandError> {
    let notes = apply_exceptions(&arguments.exceptions, &mut saved.report, Timestamp::now())?;
    saved.lists_suppressed |= !arguments.exceptions.is_empty();
    Ok(notes)
}

/// Says what exceptions did that people should know.
pub(super) fn log(notes: &Notes) {
    for line in &notes.lines {
        tracing::warn!("{}", printable(line));
    }
}

/// Holds a report against the exceptions and judges it, or reads what the gate said of it; `None` if
/// no gate is named. Rules that look at what is new only compare with `before`.
///
/// # Errors
///
/// A file of the gate or of exceptions cannot be read or makes no sense.
pub(super) fn judge(
    arguments: &JudgingArgs,
    saved: &mut SavedReport,
    before: Option<&ScanReport>,
) -> Result<Option<Judgement>, CommandError> {
    let notes = hold(arguments, saved)?;
    log(&notes);
    if let Some(file) = &arguments.verdict {
        return verdict_file::read(file).map(Some);
    }
    if !arguments.names_a_gate() {
        return Ok(None);
    }
    let (policy, fail_on) = (arguments.policy.as_deref(), arguments.fail_on.as_deref());
    let mut gate = read_gate(policy, fail_on, None)?;
    // As the command `gate` does: what was not assessed fails, whatever the rules come from.
    gate.rules.get_or_insert_with(Rules::default);
    gate.known = before.map(|before| {
        let mut known = Known::default();
        known.add_report(before);
        known
    });
    let verdict = gate.judge(&Subject {
        report: &saved.report,
        selection: &saved.selection,
        now: Timestamp::now().into(),
        has_later_exceptions: notes.has_covered,
    });
    Ok(Some(Judgement {
        plan: plan_words(&verdict, &saved.report),
        reasons: verdict.reasons,
    }))
}
