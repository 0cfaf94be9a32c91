//! What is done once a day: backup, and room.

use jiff::SignedDuration;

use super::{Monitor, MonitorError};

/// How often it is done.
const UPKEEP_EVERY: SignedDuration = SignedDuration::from_hours(24);

impl Monitor<'_> {
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
        self.plan.upkeep = now.saturating_add(UPKEEP_EVERY).unwrap_or(now);
        Ok(())
    }
}
