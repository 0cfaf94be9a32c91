//! The loop: what is due is done, one thing after the other.
//!
//! One thread looks at images and writes the books; what takes long elsewhere (the stream of
//! events, the delivery of messages) has threads of its own and wakes this one. An event says only
//! that something happened: what it was shows when the list of images is compared with the books.
//! So nothing depends on the words of an engine, and a lost event costs nothing but time.

mod books;
mod clerk;
mod journal;
mod patience;
mod planning;
mod rejudging;
mod telling;
mod upkeep;
mod waiting;
mod wakes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use cleanbill_policy::SeverityFilter;
use cleanbill_store::StoreError;
use cleanbill_store::state::{PassId, PruneBudgets, StateStore};
use jiff::{SignedDuration, Timestamp};

use crate::host::{Host, HostError};
use crate::notify::{Channel, ComposeSettings, RouteRules, Timing};
use crate::schedule::Schedule;
use crate::watchlist::{WatchRules, WatchedImage};

pub use journal::JournalSettings;
pub use wakes::Wakes;

use patience::Patience;
use rejudging::Unlogged;

/// Everything that can wake the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Something happened to an image or a container.
    HostChanged,
    /// Somebody wants a pass now.
    PassWanted,
    /// There may be another advisory database, or what stood in the way of an image may be gone.
    RefreshWanted,
    /// It is over.
    Stop,
}

/// Says how a host is watched.
#[derive(Clone, Debug)]
pub struct MonitorSettings {
    /// When passes begin.
    pub schedule: Schedule,
    /// Which images are watched.
    pub rules: WatchRules,
    /// Which findings are told of.
    pub severities: SeverityFilter,
    /// Who hears of what.
    pub routes: RouteRules,
    /// When people are told.
    pub timing: Timing,
    /// Messages an hour at most; what is beyond is held and told together. Never 0.
    pub messages_per_hour: usize,
    /// How messages are composed.
    pub compose: ComposeSettings,
    /// How long it may be quiet before people are told that all is quiet; `None` is for ever.
    pub heartbeat_every: Option<SignedDuration>,
    /// How often a newer advisory database is asked for.
    pub refresh_every: SignedDuration,
    /// What goes in front of the subject of a channel's messages, where it is not that of
    /// `compose`.
    pub subject_prefixes: BTreeMap<String, String>,
    /// Which files are kept.
    pub journal: JournalSettings,
    /// What may be kept, and for how long.
    pub budgets: PruneBudgets,
}

/// Says why the monitor could not do what was due.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// The engine does not answer.
    #[error("cannot list the images of {place}")]
    Host {
        /// The host.
        place: String,
        /// The cause.
        source: HostError,
    },
    /// The books cannot be kept.
    #[error("cannot keep the state")]
    Store(#[from] StoreError),
}

/// Tells the time.
pub trait Clock: Sync {
    /// Returns the time.
    fn now(&self) -> Timestamp;
    /// Returns a number from 0 to 1, for jitter.
    fn chance(&self) -> f64;
}

/// Sums up one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassOutcome {
    /// Images that were looked at.
    pub images: u64,
    /// Images that were not assessed completely.
    pub incomplete: u64,
    /// It was stopped before all were looked at.
    pub is_stopped: bool,
}

/// Is told how the monitor gets on; does nothing by default.
pub trait MonitorObserver: Sync {
    /// The loop goes round, or another image was looked at.
    fn tick(&self, _now: Timestamp) {}
    /// A pass begins.
    fn pass_begun(&self, _now: Timestamp) {}
    /// A pass is over, finished or not.
    fn pass_ended(&self) {}
    /// There was much to do, and there is nothing now.
    fn at_rest(&self) {}
    /// The next pass is planned.
    fn pass_planned(&self, _at: Timestamp) {}
    /// There is an advisory database, built then.
    fn database(&self, _updated_at: Option<Timestamp>) {}
    /// The engine answered.
    fn engine_answered(&self) {}
    /// The engine did not answer.
    fn engine_lost(&self, _now: Timestamp) {}
    /// Something that was due could not be done; it is tried again.
    fn failed(&self) {}
    /// The summary got a line, its end included.
    fn summarised(&self, _line: &str) {}
    /// The log, the report or the baseline of a look could not be written.
    fn log_failed(&self) {}
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl MonitorObserver for NoObserver {}

/// Is all that a monitor works with.
pub struct Parts<'a> {
    /// The host.
    pub host: &'a dyn Host,
    /// The books.
    pub store: &'a StateStore,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The channels, by the names that the settings give them.
    pub channels: &'a Channels,
    /// What wakes it.
    pub wakes: &'a Wakes,
    /// Who is told how it gets on.
    pub observer: &'a dyn MonitorObserver,
    /// Is called when there are messages to send.
    pub messages_ready: Box<dyn Fn() + 'a>,
}

/// Channels by the names that the settings give them.
pub type Channels = BTreeMap<String, Box<dyn Channel>>;

/// Watches a host.
pub struct Monitor<'a> {
    parts: Parts<'a>,
    settings: MonitorSettings,
    /// What is watched, as of the last list.
    watched: BTreeMap<String, WatchedImage>,
    /// The names that are left out, as of the last list.
    ignored: Vec<String>,
    /// The labels that make no sense, which somebody was warned of.
    odd_labels: BTreeSet<String>,
    plan: Plan,
    patience: Patience,
    /// Since when there was much to do without a rest.
    worked_since: Option<Instant>,
    /// The names that are back in the books and that nobody has looked at since.
    returned: BTreeSet<String>,
    /// Of what was judged again and is not in the logs yet.
    unlogged: Vec<Unlogged>,
    /// The images with a baseline that could not be read, each with the reason.
    lost_baselines: BTreeMap<String, String>,
}

/// When things are due.
#[derive(Clone, Copy, Debug)]
struct Plan {
    pass: Timestamp,
    /// Something happened; the list is to be compared with the books.
    reconcile: Option<Timestamp>,
    refresh: Timestamp,
    /// Somebody asked for it, and for another look at what could not be read.
    is_refresh_wanted: bool,
    tell: Option<Timestamp>,
    upkeep: Timestamp,
    /// Looks since the last upkeep.
    looks: u32,
    is_stopped: bool,
    /// Attempts that failed in a row, which put the next one off.
    failures: u32,
    /// Nothing is attempted before, whatever happens meanwhile.
    retry: Timestamp,
    /// There is another database, and not all images were judged by it.
    judge_again: bool,
    /// The latest time that was seen: an earlier one means that the clock was set back.
    seen: Timestamp,
}

/// After a failure the next attempt comes after this, then after twice as long …
const RETRY_FIRST: SignedDuration = SignedDuration::from_secs(2);
/// … but not later than this.
const RETRY_MAX: SignedDuration = SignedDuration::from_secs(60);

/// Even without an event the list is looked at as often as this: the clock may have jumped, or an
/// event been lost.
const RECONCILE_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// Without a database one is asked for as often as this.
const REFRESH_BLIND: SignedDuration = SignedDuration::from_mins(5);

impl<'a> Monitor<'a> {
    /// Builds a monitor. Its first pass is due at once.
    pub fn new(parts: Parts<'a>, settings: MonitorSettings) -> Self {
        let now = parts.clock.now();
        Self {
            parts,
            settings,
            watched: BTreeMap::new(),
            ignored: Vec::new(),
            odd_labels: BTreeSet::new(),
            plan: Plan {
                pass: now,
                reconcile: None,
                refresh: now,
                is_refresh_wanted: false,
                tell: None,
                upkeep: now,
                looks: 0,
                is_stopped: false,
                failures: 0,
                retry: now,
                judge_again: false,
                seen: now,
            },
            patience: Patience::default(),
            worked_since: None,
            returned: BTreeSet::new(),
            unlogged: Vec::new(),
            lost_baselines: BTreeMap::new(),
        }
    }

    /// Watches until it is told to stop. What fails is logged, shown by `cleanbill status` and
    /// tried again.
    pub fn run(&mut self) {
        if let Err(error) = self.note_plan() {
            self.put_off(&error.into());
        }
        while !self.plan.is_stopped {
            self.parts.observer.tick(self.parts.clock.now());
            if let Err(error) = self.do_what_is_due() {
                self.put_off(&error);
            }
            self.wait();
        }
    }

    /// Runs one pass and tells what it found.
    ///
    /// # Errors
    ///
    /// The engine does not answer, or the books cannot be kept.
    pub fn run_once(&mut self) -> Result<PassOutcome, MonitorError> {
        self.refresh();
        self.note_no_plan()?;
        let outcome = self.pass("once")?;
        if !outcome.is_stopped {
            self.tell()?;
        }
        Ok(outcome)
    }

    fn do_what_is_due(&mut self) -> Result<(), MonitorError> {
        self.absorb_events();
        self.mind_the_clock();
        // After a failure nothing is attempted before its time, whatever is due or happens.
        if self.plan.is_stopped || self.parts.clock.now() < self.plan.retry {
            return Ok(());
        }
        if self.is_due(Some(self.plan.refresh)) {
            self.refresh_plan();
        }
        if self.plan.judge_again {
            self.note_work();
            self.judge_again()?;
            self.plan.judge_again = self.plan.is_stopped;
        }
        if self.is_due(Some(self.plan.pass)) {
            self.pass("schedule")?;
            let now = self.parts.clock.now();
            self.plan.pass = self.settings.schedule.next(now, self.parts.clock.chance());
            self.note_plan()?;
            tracing::info!(next = %self.plan.pass, "the next pass is planned");
        } else if self.is_due(self.plan.reconcile) {
            self.reconcile("event")?;
        }
        if self.is_due(self.plan.tell) {
            self.tell()?;
        }
        self.log_judged()?;
        if self.is_upkeep_due() {
            self.upkeep()?;
        }
        Ok(())
    }

    /// When the clock was set back, what was planned by the wrong one is planned anew.
    fn mind_the_clock(&mut self) {
        let now = self.parts.clock.now();
        if now < self.plan.seen {
            let next = self.settings.schedule.next(now, self.parts.clock.chance());
            self.plan.pass = self.plan.pass.min(next);
            self.plan.upkeep = self.plan.upkeep.min(next);
            self.plan.refresh = now;
            self.plan.retry = now;
            self.plan.reconcile = Some(now);
            self.plan.tell = Some(now);
        }
        self.plan.seen = now;
    }

    /// Gets a newer database, and plans what follows from it. Images that could not be judged for
    /// want of one are looked at as soon as there is one.
    fn refresh_plan(&mut self) {
        let is_blind = |monitor: &Self| {
            let grounds = monitor.parts.host.grounds();
            grounds.database_updated_at.is_empty()
        };
        let was_blind = is_blind(self);
        self.plan.judge_again |= self.refresh();
        let now = self.parts.clock.now();
        // Only now: an event that comes while images are looked at must not have them looked at
        // over and over.
        if std::mem::take(&mut self.plan.is_refresh_wanted) {
            self.patience.end_all(now);
            self.plan_put_off();
        }
        if is_blind(self) {
            self.plan.refresh = now.saturating_add(REFRESH_BLIND).unwrap_or(now);
        } else if was_blind {
            // What no image could be judged by says nothing about the images.
            self.patience.clear();
            self.plan.pass = now;
        }
    }

    fn is_due(&self, time: Option<Timestamp>) -> bool {
        !self.plan.is_stopped && time.is_some_and(|time| time <= self.parts.clock.now())
    }

    /// Notes events without waiting for one.
    fn absorb_events(&mut self) {
        for event in self.parts.wakes.take() {
            self.note(event);
        }
    }

    fn note(&mut self, event: Event) {
        let now = self.parts.clock.now();
        match event {
            Event::Stop => self.plan.is_stopped = true,
            Event::RefreshWanted => {
                self.plan.refresh = now;
                self.plan.is_refresh_wanted = true;
            }
            Event::PassWanted => {
                self.patience.clear();
                self.plan.pass = now.max(self.plan.retry);
            }
            Event::HostChanged => {
                // The first event of a swarm sets the time; the others do not put it off.
                let planned = self.plan.reconcile.unwrap_or(Timestamp::MAX);
                self.plan.reconcile = Some(planned.min(self.after_swarm(now)));
            }
        }
    }

    /// Says what failed, and when it is tried again.
    fn put_off(&mut self, error: &MonitorError) {
        let pause = RETRY_FIRST
            .saturating_mul(1 << self.plan.failures.min(10))
            .min(RETRY_MAX);
        self.plan.failures = self.plan.failures.saturating_add(1);
        self.parts.observer.failed();
        let now = self.parts.clock.now();
        let later = now.saturating_add(pause).unwrap_or(now);
        self.plan.retry = later;
        for time in [&mut self.plan.pass, &mut self.plan.upkeep] {
            *time = (*time).max(later);
        }
        // Whatever was under way is done again.
        self.plan.reconcile = Some(later);
        self.plan.tell = Some(later);
        tracing::error!(
            "{}; trying again in {} s",
            cleanbill_core::error_chain(error),
            pause.as_secs()
        );
    }

    /// Looks at every image that is watched. What happens meanwhile comes first.
    fn pass(&mut self, triggered_by: &str) -> Result<PassOutcome, MonitorError> {
        self.note_work();
        self.parts.observer.pass_begun(self.parts.clock.now());
        let outcome = self.look_at_all(triggered_by);
        self.parts.observer.pass_ended();
        outcome
    }

    fn look_at_all(&mut self, triggered_by: &str) -> Result<PassOutcome, MonitorError> {
        self.update_books(triggered_by)?;
        let pass = self.parts.store.pass_begin(triggered_by, self.now_ms())?;
        self.note_ignored(&self.ignored, self.watched.is_empty());
        let names: Vec<String> = self.watched.keys().cloned().collect();
        tracing::info!(images = names.len(), "pass begins");
        let mut outcome = PassOutcome::default();
        for name in names {
            self.absorb_events();
            if self.is_due(self.plan.reconcile) {
                self.reconcile("event")?;
            }
            if self.plan.is_stopped {
                outcome.is_stopped = true;
                break;
            }
            // It may be gone by now.
            let Some(image) = self.watched.get(&name).cloned() else {
                continue;
            };
            let is_complete =
                !self.is_put_off(&image) && self.look_at(&image, triggered_by, Some(pass))?;
            if self.plan.is_stopped {
                outcome.is_stopped = true;
                break;
            }
            outcome.images += 1;
            outcome.incomplete += u64::from(!is_complete);
        }
        self.finish_pass(pass, outcome)?;
        Ok(outcome)
    }

    fn finish_pass(&mut self, pass: PassId, outcome: PassOutcome) -> Result<(), MonitorError> {
        if outcome.is_stopped {
            return Ok(());
        }
        let now = self.now_ms();
        self.parts
            .store
            .pass_finish(pass, now, outcome.images, outcome.incomplete)?;
        tracing::info!(
            images = outcome.images,
            incomplete = outcome.incomplete,
            "pass ends"
        );
        self.plan.failures = 0;
        self.plan.tell = Some(self.parts.clock.now());
        Ok(self.note_put_off()?)
    }

    /// Compares the list of images with the books, and looks at what is new.
    fn reconcile(&mut self, triggered_by: &str) -> Result<(), MonitorError> {
        let new = self.update_books(triggered_by)?;
        if !new.is_empty() {
            self.note_work();
        }
        for name in new {
            if self.plan.is_stopped {
                return Ok(());
            }
            let Some(image) = self.watched.get(&name).cloned() else {
                continue;
            };
            if !self.judge_returned(&image)? {
                self.look_at(&image, triggered_by, None)?;
            }
            self.absorb_events();
        }
        self.plan.failures = 0;
        self.note_put_off()?;
        self.tell()
    }

    /// Gets a newer advisory database if one is due; returns whether there is another one now.
    fn refresh(&mut self) -> bool {
        let now = self.parts.clock.now();
        self.plan.refresh = now
            .saturating_add(self.settings.refresh_every)
            .unwrap_or(now);
        let outcome = self.parts.host.refresh();
        let updated_at = self.parts.host.grounds().database_updated_at;
        self.parts.observer.database(updated_at.parse().ok());
        outcome.unwrap_or_else(|error| {
            if updated_at.is_empty() {
                tracing::error!("no image can be judged: {error}");
            } else {
                tracing::warn!("{error}; going on with the advisory database that is there");
            }
            false
        })
    }

    fn now_ms(&self) -> i64 {
        self.parts.clock.now().as_millisecond()
    }
}

#[cfg(test)]
mod tests;
