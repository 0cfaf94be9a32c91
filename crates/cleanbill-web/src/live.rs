//! What no file holds: whether the loop turns, and what it waits for.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::settings::Limits;

/// Holds what only the running process knows. Its owner writes it, the server reads it. Points in
/// time are Unix milliseconds.
#[derive(Debug)]
pub struct Live(Mutex<Facts>);

/// Is what is known at a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) started_at: i64,
    pub(crate) ticked_at: i64,
    pub(crate) database_updated_at: Option<i64>,
    /// Since when no events arrive; `None` while they do.
    pub(crate) events_lost_at: Option<i64>,
    /// Since when the engine does not answer; `None` while it does, and before it was asked.
    pub(crate) engine_lost_at: Option<i64>,
    /// The engine has answered since the start.
    pub(crate) was_engine_reached: bool,
    pub(crate) next_pass_at: Option<i64>,
    pub(crate) pass_begun_at: Option<i64>,
    pub(crate) loop_errors: u64,
    pub(crate) log_errors: u64,
    pub(crate) channels: BTreeSet<String>,
    /// When something is not as it should be.
    pub(crate) limits: Limits,
}

impl Live {
    /// Begins: the loop counts as alive from now on, events as not arriving yet.
    pub fn new(now: i64) -> Self {
        Self(Mutex::new(Facts {
            started_at: now,
            ticked_at: now,
            events_lost_at: Some(now),
            ..Facts::default()
        }))
    }

    /// Says from when on something is not as it should be: [`Limits::default`] until then.
    pub fn limits(&self, limits: Limits) {
        self.facts().limits = limits;
    }

    /// Notes that the loop went round, or got one image further.
    pub fn tick(&self, now: i64) {
        self.facts().ticked_at = now;
    }

    /// Notes which advisory database is in use: when it was built, `None` if there is none.
    pub fn database(&self, updated_at: Option<i64>) {
        self.facts().database_updated_at = updated_at;
    }

    /// Notes that the engine's events arrive.
    pub fn events_connected(&self) {
        self.facts().events_lost_at = None;
    }

    /// Notes that the engine's events do not arrive. The first of several calls counts.
    pub fn events_lost(&self, now: i64) {
        self.facts().events_lost_at.get_or_insert(now);
    }

    /// Notes that the engine answered.
    pub fn engine_answered(&self) {
        let mut facts = self.facts();
        facts.engine_lost_at = None;
        facts.was_engine_reached = true;
    }

    /// Notes that the engine did not answer. The first of several calls counts.
    pub fn engine_lost(&self, now: i64) {
        self.facts().engine_lost_at.get_or_insert(now);
    }

    /// Says whether the engine answered when it was asked last.
    pub fn does_engine_answer(&self) -> bool {
        let facts = self.facts();
        facts.was_engine_reached && facts.engine_lost_at.is_none()
    }

    /// Notes when the next pass begins; `None` if none is planned.
    pub fn pass_planned(&self, at: Option<i64>) {
        self.facts().next_pass_at = at;
    }

    /// Notes that a pass runs.
    pub fn pass_begun(&self, now: i64) {
        self.facts().pass_begun_at = Some(now);
    }

    /// Notes that no pass runs any more, however it ended.
    pub fn pass_ended(&self) {
        self.facts().pass_begun_at = None;
    }

    /// Counts that the loop could not do what was due: the engine does not answer, the state
    /// cannot be written.
    pub fn loop_failed(&self) {
        let mut facts = self.facts();
        facts.loop_errors = facts.loop_errors.saturating_add(1);
    }

    /// Counts that the log, the report or the baseline of a look could not be written.
    pub fn log_failed(&self) {
        let mut facts = self.facts();
        facts.log_errors = facts.log_errors.saturating_add(1);
    }

    /// Returns how often the log, the report or the baseline of a look could not be written.
    pub fn log_errors(&self) -> u64 {
        self.facts().log_errors
    }

    /// Names the channels that there are, so that they are shown before they delivered anything.
    pub fn channels(&self, names: impl IntoIterator<Item = String>) {
        self.facts().channels = names.into_iter().collect();
    }

    /// Returns what is known now.
    pub(crate) fn now(&self) -> Facts {
        self.facts().clone()
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        // A change is nothing but assignments; a panic leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
