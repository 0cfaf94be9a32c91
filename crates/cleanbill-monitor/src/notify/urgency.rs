//! How loudly a telephone rings.

use cleanbill_core::Severity;

use super::message::{Notification, NotificationKind};
use super::words::is_database_stale;

/// Grades messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// For whoever looks.
    Low,
    /// Worth a look.
    Normal,
    /// Worth a look now.
    High,
    /// Somebody is being attacked through it somewhere.
    Highest,
}

/// Grades a message.
pub(super) fn urgency(message: &Notification) -> Urgency {
    match message.kind {
        NotificationKind::Test => Urgency::Normal,
        NotificationKind::Heartbeat
            if message.totals.errors == 0 && !is_database_stale(message) =>
        {
            Urgency::Low
        }
        NotificationKind::Heartbeat => Urgency::Normal,
        NotificationKind::Errors => Urgency::High,
        NotificationKind::Changes | NotificationKind::Digest | NotificationKind::Summary => {
            of_findings(message)
        }
    }
}

fn of_findings(message: &Notification) -> Urgency {
    let found = match message.worst() {
        _ if message.is_exploited() => Urgency::Highest,
        Some(Severity::Critical) => Urgency::High,
        Some(_) => Urgency::Normal,
        None => Urgency::Low,
    };
    // What could not be assessed before either was rung for then.
    let failed = match message.kind {
        NotificationKind::Summary => message.totals.errors,
        _ => message.totals.assessment_lost + message.totals.baselines_lost,
    };
    let is_stopped = message.gate.as_ref().is_some_and(|gate| !gate.has_passed);
    let failed = if failed > 0 || is_stopped {
        Urgency::High
    } else {
        Urgency::Low
    };
    found.max(failed)
}
