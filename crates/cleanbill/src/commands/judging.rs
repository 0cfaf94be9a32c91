//! What a gate says of saved reports, for commands that tell others.

mod verdict_file;

use cleanbill_core::report::ScanReport;
use cleanbill_policy::exceptions::Renewal;
use cleanbill_policy::gate::{Known, Rules, Subject};
use cleanbill_report::SavedReport;
use jiff::Timestamp;

use super::gate::{plan_title, plan_words, read_gate, renew_by};
use crate::cli::JudgingArgs;
use crate::error::{CommandError, printable};

/// Is what a gate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Sentences without a full stop, one for each rule that fails; none if the reports pass.
    pub(super) reasons: Vec<String>,
    /// What would make them pass, a line for each step; none if they do, or if nothing is known to.
    pub(super) plan: Vec<String>,
    /// How far the steps lead: they need not be enough.
    pub(super) plan_title: String,
}

impl Judgement {
    pub(super) fn has_failed(&self) -> bool {
        !self.reasons.is_empty()
    }
}

/// Holds a report against the exceptions of the flags and the time, as the gate does.
///
/// # Errors
///
/// A file cannot be read, or something in it makes no sense.
pub(super) fn hold(
    arguments: &JudgingArgs,
    saved: &mut SavedReport,
) -> Result<(Renewal, Vec<String>), CommandError> {
    let held = renew_by(&arguments.exceptions, &mut saved.report, Timestamp::now())?;
    saved.lists_suppressed |= !arguments.exceptions.is_empty();
    Ok(held)
}

/// Holds a report against the exceptions and judges it, or reads what the gate said of it; `None` if
/// no gate is named. Rules that look at what is new only compare with `before`.
///
/// # Errors
///
/// A file of the gate or of exceptions cannot be read or makes no sense, or the verdict is about other
/// images.
pub(super) fn judge(
    arguments: &JudgingArgs,
    saved: &mut SavedReport,
    before: Option<&ScanReport>,
) -> Result<Option<Judgement>, CommandError> {
    let (renewal, notes) = hold(arguments, saved)?;
    for note in &notes {
        tracing::warn!("{}", printable(note));
    }
    if let Some(file) = &arguments.verdict {
        return verdict_file::read(file, &saved.report).map(Some);
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
        selection: &saved.selection,
        has_later_exceptions: renewal.covered > 0,
        lacks_packages: saved.lacks_packages,
        doubtful_exceptions: &renewal.doubtful,
        ..Subject::new(&saved.report, Timestamp::now().into())
    });
    Ok(Some(Judgement {
        plan: plan_words(&verdict, &saved.report),
        plan_title: plan_title(verdict.plan.as_ref()),
        reasons: verdict.reasons,
    }))
}
