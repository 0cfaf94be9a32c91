//! What wakes the monitor: a note of what happened, however often it did.
//!
//! A host may make thousands of events a second. What is noted of them is which kinds there were
//! since somebody looked, so they take no more room than one of each; and who waits need not wake for
//! what it is going to look at anyway.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Event;

/// Notes events for the monitor. Any number of threads may note some, one waits.
#[derive(Debug, Default)]
pub struct Wakes {
    noted: Mutex<BTreeSet<Event>>,
    changed: Condvar,
}

impl Wakes {
    /// Notes that something happened, and wakes who waits for it.
    pub fn wake(&self, event: Event) {
        if self.noted().insert(event) {
            self.changed.notify_all();
        }
    }

    /// Returns what happened since this was asked last.
    pub(super) fn take(&self) -> BTreeSet<Event> {
        std::mem::take(&mut *self.noted())
    }

    /// Waits until something happens, but not longer than this. What happens meanwhile and is
    /// expected anyway stays noted and ends no wait. Returns whether something else happened.
    pub(super) fn wait(&self, time: Duration, expected: Option<Event>) -> bool {
        let until = Instant::now() + time;
        let mut noted = self.noted();
        loop {
            if noted.iter().any(|event| Some(*event) != expected) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.changed.wait_timeout(noted, left);
            noted = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn noted(&self) -> MutexGuard<'_, BTreeSet<Event>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_often_is_noted_once() {
        let wakes = Wakes::default();
        for _ in 0..1_000 {
            wakes.wake(Event::HostChanged);
            wakes.wake(Event::RefreshWanted);
        }
        let expected = [Event::HostChanged, Event::RefreshWanted];
        assert_eq!(wakes.take(), expected.into());
        assert_eq!(wakes.take(), BTreeSet::new());
    }

    #[test]
    fn what_is_expected_wakes_nobody_and_stays_noted() {
        let wakes = Wakes::default();
        wakes.wake(Event::HostChanged);
        let soon = Duration::from_millis(20);
        assert!(!wakes.wait(soon, Some(Event::HostChanged)));
        assert!(wakes.wait(Duration::from_secs(60), None));
        std::thread::scope(|scope| {
            scope.spawn(|| wakes.wake(Event::Stop));
            assert!(wakes.wait(Duration::from_secs(60), Some(Event::HostChanged)));
        });
        assert_eq!(wakes.take(), [Event::HostChanged, Event::Stop].into());
    }
}
