//! When people are told: digests, quiet hours, a bound on the number of messages, heartbeats.
//!
//! What is held back stays where it is, untold in the store; a decision only says until when.
//! So holding loses nothing and doubles nothing: whatever waits when the time has come is in the
//! one message.

#[cfg(test)]
mod tests;

use cleanbill_core::Severity;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

/// Says when people are told. The default is at once.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Where days and hours are counted.
    pub time_zone: TimeZone,
    /// Collect changes and tell them at a fixed time.
    pub digest: Option<Digest>,
    /// Hold messages back.
    pub quiet: Option<QuietHours>,
    /// The shortest time between two messages.
    pub pause_min: SignedDuration,
    /// What is at least as bad as this, or known to be exploited, waits neither for a digest nor
    /// for the end of quiet hours; with `None` everything waits.
    pub urgent_min: Option<Severity>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            digest: None,
            quiet: None,
            pause_min: SignedDuration::ZERO,
            urgent_min: None,
        }
    }
}

/// Says when a digest is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// Every day at this time.
    Daily(Time),
    /// Every week on this day at this time.
    Weekly(Weekday, Time),
}

/// Names the hours in which nobody is told anything. They may go past midnight; if both are the
/// same there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// The first quiet moment.
    pub from: Time,
    /// The first moment that is not quiet any more.
    pub to: Time,
}

/// Describes what waits to be told to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// When the first of the changes happened.
    pub since: Timestamp,
    /// The worst severity.
    pub worst: Severity,
    /// Something is known to be exploited.
    pub is_exploited: bool,
}

/// Says what to do with what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Tell it.
    Tell,
    /// Hold it, and decide again at this time, which is later than now.
    HoldUntil(Timestamp),
}

impl Timing {
    /// Decides what to do with what waits; `last_told` is when the channel was told something the
    /// last time.
    pub fn decide(
        &self,
        now: Timestamp,
        last_told: Option<Timestamp>,
        waiting: &Waiting,
    ) -> Decision {
        let mut due = now;
        if let Some(last_told) = last_told {
            due = due.max(later(last_told, self.pause_min));
        }
        if !self.is_urgent(waiting) {
            if let Some(digest) = self.digest {
                due = due.max(self.next_digest(digest, waiting.since));
            }
            due = self.after_quiet_hours(due);
        }
        if due > now {
            Decision::HoldUntil(due)
        } else {
            Decision::Tell
        }
    }

    /// Says when the next heartbeat is due; `last_told` is when the channel was told anything at
    /// all the last time: a message of any kind proves life, so it puts the heartbeat off.
    pub fn next_heartbeat(&self, every: SignedDuration, last_told: Timestamp) -> Timestamp {
        self.after_quiet_hours(later(last_told, every))
    }

    fn is_urgent(&self, waiting: &Waiting) -> bool {
        self.urgent_min
            .is_some_and(|urgent_min| waiting.is_exploited || waiting.worst >= urgent_min)
    }

    /// Returns the first time after `since` at which a digest is due. A time that the clock skips
    /// in spring is taken an hour later.
    fn next_digest(&self, digest: Digest, since: Timestamp) -> Timestamp {
        let local = since.to_zoned(self.time_zone.clone());
        let (time, days) = match digest {
            Digest::Daily(time) => (time, 1),
            Digest::Weekly(_, time) => (time, 7),
        };
        let mut date = local.date();
        if let Digest::Weekly(weekday, _) = digest {
            let ahead = date.weekday().until(weekday);
            date = date.saturating_add(i64::from(ahead).days());
        }
        let due = self.at(date, time);
        if due > since {
            return due;
        }
        self.at(date.saturating_add(i64::from(days).days()), time)
    }

    /// Returns a moment itself, or the end of the quiet hours that it lies in.
    fn after_quiet_hours(&self, moment: Timestamp) -> Timestamp {
        let Some(quiet) = self.quiet else {
            return moment;
        };
        let local = moment.to_zoned(self.time_zone.clone());
        if !quiet.contains(local.time()) {
            return moment;
        }
        let today = self.at(local.date(), quiet.to);
        if today > moment {
            return today;
        }
        self.at(next_day(&local), quiet.to)
    }

    /// Returns a moment of the time zone.
    fn at(&self, date: jiff::civil::Date, time: Time) -> Timestamp {
        let moment = self.time_zone.to_timestamp(date.to_datetime(time));
        // Fails only at the end of time, where nothing is due any more.
        moment.unwrap_or(Timestamp::MAX)
    }
}

impl QuietHours {
    fn contains(self, time: Time) -> bool {
        if self.from <= self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

fn next_day(local: &Zoned) -> jiff::civil::Date {
    local.date().saturating_add(1.day())
}

fn later(moment: Timestamp, duration: SignedDuration) -> Timestamp {
    moment.saturating_add(duration).unwrap_or(Timestamp::MAX)
}
