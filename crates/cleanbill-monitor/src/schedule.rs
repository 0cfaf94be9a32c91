//! When the next pass begins. The clock is an argument.

use std::fmt;
use std::str::FromStr as _;

use croner::Cron;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Says when passes begin.
#[derive(Clone, Debug)]
pub struct Schedule {
    rhythm: Rhythm,
    jitter_max: SignedDuration,
}

#[derive(Clone, Debug)]
enum Rhythm {
    /// So long after the end of the pass before.
    Every(SignedDuration),
    /// At the times of a cron expression.
    Cron {
        expression: Box<Cron>,
        zone: TimeZone,
    },
}

/// Says why a text is no schedule.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The cron expression makes no sense.
    #[error("'{text}' is no cron expression: {reason}")]
    Cron {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such zone.
    #[error("'{0}' is no time zone: expected a name such as Europe/Berlin or UTC")]
    Zone(String),
    /// The interval is shorter than anybody can want.
    #[error("an interval of {0} s is too short: a pass needs at least 1 s of rest")]
    TooShort(f64),
}

/// No pass is due earlier than this after the one before.
const INTERVAL_MIN: SignedDuration = SignedDuration::from_secs(1);

/// When a cron expression names no time at all, it is asked again after this.
const NEVER: SignedDuration = SignedDuration::from_hours(24 * 366);

impl Schedule {
    /// Lets passes begin so long after the end of the one before.
    ///
    /// # Errors
    ///
    /// The interval is shorter than a second.
    pub fn every(interval: SignedDuration) -> Result<Self, ScheduleError> {
        if interval < INTERVAL_MIN {
            return Err(ScheduleError::TooShort(interval.as_secs_f64()));
        }
        Ok(Self {
            rhythm: Rhythm::Every(interval),
            jitter_max: SignedDuration::ZERO,
        })
    }

    /// Lets passes begin at the times of a cron expression (five fields) in a time zone.
    ///
    /// # Errors
    ///
    /// One of them makes no sense.
    pub fn cron(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        let zone = TimeZone::get(zone).map_err(|_| ScheduleError::Zone(zone.to_owned()))?;
        let cron = Cron::from_str(expression).map_err(|error| ScheduleError::Cron {
            text: expression.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            rhythm: Rhythm::Cron {
                expression: Box::new(cron),
                zone,
            },
            jitter_max: SignedDuration::ZERO,
        })
    }

    /// Delays each pass by up to so much, so that many hosts do not begin at once.
    #[must_use]
    pub fn with_jitter(mut self, jitter_max: SignedDuration) -> Self {
        self.jitter_max = jitter_max.max(SignedDuration::ZERO);
        self
    }

    /// Returns when the pass after one that ended at `ended` begins. `chance` (0 to 1) chooses the
    /// delay. However many passes were missed, the time returned is one: the caller begins it at
    /// once if it is past.
    pub fn next(&self, ended: Timestamp, chance: f64) -> Timestamp {
        let due = match &self.rhythm {
            Rhythm::Every(interval) => later(ended, *interval),
            Rhythm::Cron { expression, zone } => expression
                .find_next_occurrence(&ended.to_zoned(zone.clone()), false)
                .map_or_else(|_| later(ended, NEVER), |zoned| zoned.timestamp()),
        };
        let delay = self.jitter_max.as_secs_f64() * chance.clamp(0.0, 1.0);
        later(
            due,
            SignedDuration::try_from_secs_f64(delay).unwrap_or(SignedDuration::ZERO),
        )
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rhythm {
            Rhythm::Every(interval) => write!(f, "every {}", in_units(*interval)),
            Rhythm::Cron { expression, zone } => {
                let zone = zone.iana_name().unwrap_or("UTC");
                write!(f, "{} ({zone})", expression.as_str())
            }
        }
    }
}

/// Writes a duration in the largest unit that it is a multiple of.
fn in_units(duration: SignedDuration) -> String {
    const UNITS: [(i64, &str); 2] = [(3_600, "h"), (60, "min")];
    let seconds = duration.as_secs();
    UNITS
        .into_iter()
        .find(|(unit, _)| seconds % unit == 0 && duration.subsec_nanos() == 0)
        .map_or_else(
            || format!("{} s", duration.as_secs_f64()),
            |(unit, word)| format!("{} {word}", seconds / unit),
        )
}

fn later(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(schedule: &Schedule, ended: &str, expected: &str) {
        assert_eq!(schedule.next(at(ended), 0.0), at(expected));
    }

    #[test]
    fn an_interval_runs_from_the_end_of_a_pass() {
        let daily = Schedule::every(SignedDuration::from_hours(24)).unwrap();
        check(&daily, "2026-11-22T06:30:00Z", "2026-11-23T06:30:00Z");
        let fraction = Schedule::every(SignedDuration::from_millis(1500)).unwrap();
        check(&fraction, "2026-11-22T06:30:00Z", "2026-11-22T06:30:01.5Z");
        Schedule::every(SignedDuration::from_millis(999)).unwrap_err();
    }

    #[test]
    fn cron_knows_time_zones_and_both_changes_of_the_clock() {
        let nightly = Schedule::cron("30 2 * * *", "Europe/Berlin").unwrap();
        check(&nightly, "2026-11-22T06:30:00Z", "2026-11-23T01:30:00Z");
        // 02:30 does not exist on the day when clocks go forward.
        check(&nightly, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z");
        // And exists twice when they go back; the pass runs once.
        check(&nightly, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z");
        check(&nightly, "2026-10-25T00:31:00Z", "2026-10-26T01:30:00Z");
    }

    #[test]
    fn a_time_that_was_missed_is_due_once() {
        let hourly = Schedule::cron("0 * * * *", "UTC").unwrap();
        let due = hourly.next(at("2026-11-22T01:30:00Z"), 0.0);
        assert_eq!(due, at("2026-11-22T02:00:00Z"));
        let now = at("2026-11-22T09:10:00Z");
        assert!(
            due < now,
            "it is begun at once, and the next one counts from its end"
        );
        assert_eq!(hourly.next(now, 0.0), at("2026-11-22T10:00:00Z"));
    }

    #[test]
    fn jitter_delays_by_its_maximum_at_most() {
        let schedule = Schedule::every(SignedDuration::from_secs(60))
            .unwrap()
            .with_jitter(SignedDuration::from_secs(10));
        let ended = at("2026-11-22T06:30:00Z");
        assert_eq!(schedule.next(ended, 0.5), at("2026-11-22T06:31:05Z"));
        assert_eq!(schedule.next(ended, 7.0), at("2026-11-22T06:31:10Z"));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let text = |result: Result<Schedule, ScheduleError>| result.unwrap_err().to_string();
        assert!(text(Schedule::cron("61 * * * *", "UTC")).contains("'61 * * * *'"));
        assert!(text(Schedule::cron("* * * * *", "Mars/Base")).contains("'Mars/Base'"));
    }

    #[test]
    fn a_schedule_is_said_in_words() {
        let every = |ms| Schedule::every(SignedDuration::from_millis(ms)).unwrap();
        assert_eq!(every(86_400_000).to_string(), "every 24 h");
        assert_eq!(every(90 * 60_000).to_string(), "every 90 min");
        assert_eq!(every(1_500).to_string(), "every 1.5 s");
        let nightly = Schedule::cron("30 2 * * *", "Europe/Berlin").unwrap();
        assert_eq!(nightly.to_string(), "30 2 * * * (Europe/Berlin)");
    }

    #[test]
    fn a_cron_expression_that_never_comes_is_no_panic() {
        if let Ok(never) = Schedule::cron("0 0 31 2 *", "UTC") {
            assert!(never.next(at("2026-11-22T00:00:00Z"), 0.0) > at("2027-01-01T00:00:00Z"));
        }
    }
}
