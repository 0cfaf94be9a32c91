//! What `status` says, as a value: printed as it is for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cleanbill_core::Severity;
use cleanbill_core::count;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::SeverityCounts;
use cleanbill_monitor::notes::{self, EngineAway, PlanNote, PutOff, RefusedSettings};
use cleanbill_store::StoreError;
use cleanbill_store::state::{
    ImageRow, MessageState, OutboxRow, PassRow, StateReader, StatusSummary,
};
use jiff::Timestamp;
use serde::Serialize;

use super::words::{minute, rfc3339};

/// The version of the form; what is added does not raise it.
pub(in crate::commands) const SCHEMA_VERSION: u32 = 1;

/// Messages of each state that are listed.
const MESSAGES_MAX: usize = 50;

/// Everything that `status` knows.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) schema_version: u32,
    /// When this was so.
    pub(super) time: String,
    pub(super) state: Place,
    pub(super) images: Images,
    /// Containers that run.
    pub(super) containers: u64,
    /// Findings of watched images that no exception covers.
    pub(super) findings: Findings,
    pub(super) passes: Passes,
    /// Since when `watch` gets no answer from the engine; absent while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) engine_away: Option<Away>,
    /// The newest advisory database that a watched image was judged with.
    pub(super) database: Option<DatabaseAge>,
    pub(super) queue: Queue,
    /// Images that were not assessed completely, by name.
    pub(super) incomplete: Vec<Incomplete>,
    /// What somebody has to look at; empty if nothing.
    pub(super) problems: Vec<Problem>,
    #[serde(skip)]
    pub(super) now: Timestamp,
}

#[derive(Debug, Serialize)]
pub(super) struct Place {
    pub(super) directory: String,
    pub(super) size_bytes: u64,
    pub(super) inventories: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Images {
    pub(super) watched: u64,
    pub(super) complete: u64,
    pub(super) partial: u64,
    pub(super) failed: u64,
    pub(super) not_assessed: u64,
    pub(super) gone: u64,
}

/// Counts findings by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::commands) struct Findings {
    pub(in crate::commands) critical: u64,
    pub(in crate::commands) high: u64,
    pub(in crate::commands) medium: u64,
    pub(in crate::commands) low: u64,
    pub(in crate::commands) unknown: u64,
}

impl From<SeverityCounts> for Findings {
    fn from(counts: SeverityCounts) -> Self {
        Self {
            critical: counts.get(Severity::Critical),
            high: counts.get(Severity::High),
            medium: counts.get(Severity::Medium),
            low: counts.get(Severity::Low),
            unknown: counts.get(Severity::Unknown),
        }
    }
}

impl Findings {
    /// Returns the count of one severity.
    pub(in crate::commands) fn get(self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Unknown => self.unknown,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Passes {
    pub(super) last: Option<Pass>,
    pub(super) last_finished: Option<Pass>,
    /// When the next one begins, as `watch` planned it; absent where none ran that plans.
    pub(super) next_at: Option<String>,
    /// When passes come, in words.
    pub(super) schedule: Option<String>,
    #[serde(skip)]
    pub(super) next_at_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Away {
    pub(super) since: String,
    pub(super) reason: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Pass {
    pub(super) number: i64,
    pub(super) triggered_by: String,
    pub(super) started_at: String,
    /// Absent while it runs, and if it was interrupted.
    pub(super) finished_at: Option<String>,
    pub(super) images: u64,
    pub(super) incomplete: u64,
    #[serde(skip)]
    pub(super) started_at_ms: i64,
    #[serde(skip)]
    pub(super) finished_at_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(super) struct DatabaseAge {
    pub(super) updated_at: String,
    pub(super) age_hours: i64,
    #[serde(skip)]
    pub(super) updated_at_ms: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Queue {
    /// Changes that no message tells of yet.
    pub(super) changes_untold: u64,
    pub(super) messages_pending: u64,
    pub(super) messages_dead: u64,
    pub(super) oldest_pending_at: Option<String>,
    pub(super) last_delivered_at: Option<String>,
    /// Messages that were given up, and those to be sent, the latest first.
    pub(super) messages: Vec<QueuedMessage>,
    #[serde(skip)]
    pub(super) oldest_pending_at_ms: Option<i64>,
    #[serde(skip)]
    pub(super) last_delivered_at_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(super) struct QueuedMessage {
    pub(super) number: i64,
    pub(super) channel: String,
    /// `pending` or `dead`.
    pub(super) state: &'static str,
    pub(super) created_at: String,
    pub(super) attempts: u32,
    pub(super) next_attempt_at: Option<String>,
    pub(super) last_error: String,
    #[serde(skip)]
    pub(super) created_at_ms: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Incomplete {
    pub(super) image: String,
    /// `partial`, `failed`, or `not_assessed` if nobody has looked at it yet.
    pub(super) status: &'static str,
    pub(super) reason: String,
    /// Looks that failed in a row, where it could not be read and is left alone for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failures: Option<u32>,
    /// When it is looked at again, unless it changes before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_look_at: Option<String>,
    #[serde(skip)]
    pub(super) next_look_at_ms: Option<i64>,
}

/// Says what somebody has to look at.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    /// `dead_messages`, `failed_images`, `overdue_pass`, `refused_settings`, `lost_baseline`,
    /// `engine_away` …
    pub(super) kind: &'static str,
    pub(super) text: String,
    /// What to do next.
    pub(super) hint: &'static str,
}

/// Reads the state.
///
/// # Errors
///
/// It cannot be read.
pub(super) fn gather(
    state: &StateReader,
    directory: &Path,
    now: Timestamp,
) -> Result<Status, StoreError> {
    let summary = state.status_summary()?;
    let images = state.image_list()?;
    let watched: Vec<&ImageRow> = images.iter().filter(|row| row.gone_at.is_none()).collect();
    let plan = notes::plan(state)?;
    let put_off = notes::put_off(state)?;
    let messages = messages(state)?;
    let mut problems = problems(
        &summary,
        &messages,
        plan.as_ref(),
        notes::refused_settings(state)?.as_ref(),
        now,
    );
    let engine_away = notes::engine_away(state)?;
    problems.extend(engine_away.as_ref().map(away));
    problems.extend(lost_baselines(&notes::lost_baselines(state)?, &watched));
    Ok(Status {
        schema_version: SCHEMA_VERSION,
        time: now.to_string(),
        state: Place {
            directory: directory.display().to_string(),
            size_bytes: summary.size_bytes,
            inventories: summary.inventories,
        },
        images: Images {
            watched: summary.images,
            complete: summary.images_complete,
            partial: summary.images_partial,
            failed: summary.images_failed,
            not_assessed: summary.images_not_assessed,
            gone: summary.images_gone,
        },
        containers: summary.containers,
        findings: summary.findings.into(),
        passes: passes(&summary, plan.as_ref()),
        engine_away: engine_away.map(|away| Away {
            since: rfc3339(away.since),
            reason: away.reason,
        }),
        database: database(&watched, now),
        queue: Queue {
            changes_untold: summary.changes_untold,
            messages_pending: summary.messages_pending,
            messages_dead: summary.messages_dead,
            oldest_pending_at: summary.oldest_pending_at.map(rfc3339),
            last_delivered_at: summary.last_delivered_at.map(rfc3339),
            messages,
            oldest_pending_at_ms: summary.oldest_pending_at,
            last_delivered_at_ms: summary.last_delivered_at,
        },
        incomplete: watched
            .iter()
            .filter_map(|row| incomplete(row, &put_off))
            .collect(),
        problems,
        now,
    })
}

fn passes(summary: &StatusSummary, plan: Option<&PlanNote>) -> Passes {
    Passes {
        last: summary.last_pass.as_ref().map(pass),
        last_finished: summary.last_finished_pass.as_ref().map(pass),
        next_at: plan.map(|plan| rfc3339(plan.next_pass_at)),
        schedule: plan.map(|plan| plan.schedule.clone()),
        next_at_ms: plan.map(|plan| plan.next_pass_at),
    }
}

fn pass(row: &PassRow) -> Pass {
    Pass {
        number: row.id.0,
        triggered_by: row.triggered_by.clone(),
        started_at: rfc3339(row.started_at),
        finished_at: row.finished_at.map(rfc3339),
        images: row.images,
        incomplete: row.failed,
        started_at_ms: row.started_at,
        finished_at_ms: row.finished_at,
    }
}

/// Returns the newest database that a watched image was judged with.
fn database(watched: &[&ImageRow], now: Timestamp) -> Option<DatabaseAge> {
    let times = watched.iter().filter_map(|row| {
        let assessment = row.assessment.as_ref()?;
        assessment.database_updated_at.parse::<Timestamp>().ok()
    });
    let updated_at = times.max()?;
    Some(DatabaseAge {
        updated_at: updated_at.to_string(),
        age_hours: now.duration_since(updated_at).as_hours(),
        updated_at_ms: updated_at.as_millisecond(),
    })
}

fn messages(state: &StateReader) -> Result<Vec<QueuedMessage>, StoreError> {
    let mut messages = Vec::new();
    for kind in [MessageState::Dead, MessageState::Pending] {
        let rows = state.outbox_list(Some(kind), MESSAGES_MAX)?;
        messages.extend(rows.into_iter().map(queued));
    }
    Ok(messages)
}

fn queued(row: OutboxRow) -> QueuedMessage {
    let is_pending = row.state == MessageState::Pending;
    QueuedMessage {
        number: row.number.0,
        channel: row.channel,
        state: row.state.name(),
        created_at: rfc3339(row.created_at),
        attempts: row.attempts,
        next_attempt_at: is_pending.then(|| rfc3339(row.next_attempt_at)),
        last_error: row.last_error,
        created_at_ms: row.created_at,
    }
}

fn incomplete(row: &ImageRow, put_off: &[PutOff]) -> Option<Incomplete> {
    let (status, reason) = match &row.assessment {
        None => ("not_assessed", "nobody has looked at it yet".to_owned()),
        Some(assessment) if assessment.status == AssessmentStatus::Complete => return None,
        Some(assessment) => (assessment.status.name(), assessment.reason.clone()),
    };
    let again = put_off.iter().find(|image| image.image == row.name);
    Some(Incomplete {
        image: row.name.clone(),
        status,
        reason,
        failures: again.map(|again| again.failures),
        next_look_at: again.map(|again| rfc3339(again.until)),
        next_look_at_ms: again.map(|again| again.until),
    })
}

/// Says which channels did not get what was given up: the others may have got the same.
fn given_up(count: u64, messages: &[QueuedMessage]) -> String {
    let dead = messages
        .iter()
        .filter(|message| message.state == MessageState::Dead.name());
    let channels: BTreeSet<&str> = dead
        .clone()
        .map(|message| message.channel.as_str())
        .collect();
    let names: Vec<&str> = channels.iter().copied().collect();
    let others = if dead.count() as u64 == count {
        ""
    } else {
        ", …"
    };
    format!(
        "{} given up (for {}{others})",
        were(count, "message"),
        names.join(", ")
    )
}

fn problems(
    summary: &StatusSummary,
    messages: &[QueuedMessage],
    plan: Option<&PlanNote>,
    refused_settings: Option<&RefusedSettings>,
    now: Timestamp,
) -> Vec<Problem> {
    let dead = (summary.messages_dead > 0).then(|| Problem {
        kind: "dead_messages",
        text: given_up(summary.messages_dead, messages),
        hint: "see why with cleanbill notify list, send again with cleanbill notify retry",
    });
    let failed = (summary.images_failed > 0).then(|| Problem {
        kind: "failed_images",
        text: format!(
            "{} not assessed: that is no clean bill",
            were(summary.images_failed, "image")
        ),
        hint: "cleanbill doctor checks what a scan needs",
    });
    let overdue = overdue(summary, plan, now);
    let refused = refused_settings.map(refused);
    [dead, failed, overdue, refused]
        .into_iter()
        .flatten()
        .collect()
}

fn were(number: u64, noun: &str) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb}", count(number, noun))
}

/// Says that no pass was made in time, by the plan of the `watch` that ran last.
fn overdue(summary: &StatusSummary, plan: Option<&PlanNote>, now: Timestamp) -> Option<Problem> {
    plan.filter(|plan| plan.overdue_at < now.as_millisecond())?;
    let finished = summary.last_finished_pass.as_ref();
    let text = match finished.and_then(|pass| pass.finished_at) {
        Some(at) => format!("no pass was finished since {}", minute(at)),
        None => "no pass was finished yet".to_owned(),
    };
    Some(Problem {
        kind: "overdue_pass",
        text,
        hint: "is cleanbill watch running?",
    })
}

/// Says that the engine does not answer.
fn away(engine: &EngineAway) -> Problem {
    Problem {
        kind: "engine_away",
        text: format!(
            "the engine has not answered since {}: {}",
            minute(engine.since),
            engine.reason
        ),
        hint: "nothing new is seen meanwhile; watch tries again by itself; check the engine with \
               cleanbill doctor",
    }
}

/// Says which baselines of watched images could not be read.
fn lost_baselines(lost: &BTreeMap<String, String>, watched: &[&ImageRow]) -> Vec<Problem> {
    let lost = lost
        .iter()
        .filter(|(image, _)| watched.iter().any(|row| row.name == **image));
    lost.map(|(image, reason)| Problem {
        kind: "lost_baseline",
        text: format!("the baseline of {image} could not be read: {reason}"),
        hint: "restore the file, or accept what is found with cleanbill baseline save; the next \
               look takes it",
    })
    .collect()
}

/// Says that a running `watch` did not take new settings.
fn refused(settings: &RefusedSettings) -> Problem {
    Problem {
        kind: "refused_settings",
        text: format!(
            "new settings were not taken at {}, the old ones are in force: {}",
            minute(settings.at),
            settings.reason
        ),
        hint: "mend them; watch takes them within a minute",
    }
}
