//! What is done once a day, and more often where much goes on: backup, and room.

use jiff::{SignedDuration, Timestamp};

use super::{Monitor, MonitorError};

/// How often it is done.
const UPKEEP_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// It is not put off beyond so many looks: each leaves files and rows, and a host that builds all
/// day makes thousands.
const LOOKS_MAX: u32 = 1_000;

impl Monitor<'_> {
    pub(super) fn is_upkeep_due(&self) -> bool {
        let is_much = !self.plan.is_stopped && self.plan.looks >= LOOKS_MAX;
        is_much || self.is_due(Some(self.plan.upkeep))
    }

    /// Does what is due once a day, for who runs one pass at a time: the age of the backup says
    /// when it was done last.
    ///
    /// # Errors
    ///
    /// The disk is full, or the state is damaged.
    pub fn upkeep_after_one_pass(&mut self) -> Result<(), MonitorError> {
        let now = self.parts.clock.now();
        let last = self.parts.store.backed_up_at();
        let last = last.and_then(|at| Timestamp::from_millisecond(at).ok());
        // One of the future is of a clock that was wrong.
        if last.is_some_and(|last| last <= now && now.duration_since(last) < UPKEEP_EVERY) {
            return Ok(());
        }
        self.upkeep()
    }

    /// Removes what is older or larger than the budgets allow, and copies the state.
    pub(super) fn upkeep(&mut self) -> Result<(), MonitorError> {
        let now = self.parts.clock.now();
        // What makes room comes first: the rest may need it.
        self.tidy_journal();
        self.parts.host.tidy();
        let pruned = self
            .parts
            .store
            .prune(now.as_millisecond(), &self.settings.budgets)?;
        tracing::debug!(?pruned, "pruned the state");
        self.parts.store.back_up()?;
        self.plan.looks = 0;
        self.plan.upkeep = now.saturating_add(UPKEEP_EVERY).unwrap_or(now);
        Ok(())
    }
}
