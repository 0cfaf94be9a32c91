//! Waiting for what comes next, and resting meanwhile.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{Event, Monitor};

/// Events come in swarms: a build makes many. The list is looked at when this has passed.
const SWARM: SignedDuration = SignedDuration::from_millis(150);

/// After so long without anything to do it rests: what is done in between would only be undone.
pub(super) const REST_AFTER: Duration = Duration::from_secs(5);

/// Where something happens all the time it rests as often as this, between one thing and the next.
pub(super) const REST_EVERY: Duration = Duration::from_secs(60);

/// No wait is longer: a clock that was set is noticed.
const WAIT_MAX: Duration = Duration::from_secs(60);

impl Monitor<'_> {
    /// Returns when the list is looked at after something has happened.
    pub(super) fn after_swarm(&self, now: Timestamp) -> Timestamp {
        let soon = now.saturating_add(SWARM).unwrap_or(now);
        soon.max(self.plan.retry)
    }

    /// Waits for an event, or until the next thing is due.
    pub(super) fn wait(&mut self) {
        let now = self.parts.clock.now();
        let due = [Some(self.plan.pass), self.plan.reconcile, self.plan.tell]
            .into_iter()
            .chain([Some(self.plan.refresh), Some(self.plan.upkeep)])
            .flatten()
            .min()
            .unwrap_or(now)
            .max(self.plan.retry);
        let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
        if wait.is_zero() || self.plan.is_stopped {
            return;
        }
        let worked_for = self.worked_since.map(|since| since.elapsed());
        if worked_for.is_some_and(|time| time >= REST_EVERY) {
            self.rest();
        }
        let wait_max = match self.worked_since {
            Some(_) => REST_AFTER,
            None => WAIT_MAX,
        };
        // When the list is about to be looked at, one event more tells nothing.
        let is_list_due = (self.plan.reconcile).is_some_and(|time| time <= self.after_swarm(now));
        let expected = is_list_due.then_some(Event::HostChanged);
        let is_woken = self.parts.wakes.wait(wait.min(wait_max), expected);
        if !is_woken && self.worked_since.is_some() && wait >= REST_AFTER {
            self.rest();
        }
    }

    /// Notes that there is much to do: memory is given back when it is done.
    pub(super) fn note_work(&mut self) {
        self.worked_since.get_or_insert_with(Instant::now);
    }

    fn rest(&mut self) {
        self.worked_since = None;
        self.parts.host.rest();
        if let Err(error) = self.parts.store.forget_pages() {
            tracing::debug!("{}", cleanbill_core::error_chain(&error));
        }
        self.parts.observer.at_rest();
    }
}
