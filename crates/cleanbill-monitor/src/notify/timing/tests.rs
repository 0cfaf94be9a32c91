use cleanbill_core::Severity;
use jiff::civil::{Weekday, time as clock};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Decision, Digest, QuietHours, Timing, Waiting};
use crate::notify::samples::time;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn waiting(since: Timestamp) -> Waiting {
    Waiting {
        since,
        worst: Severity::High,
        is_exploited: false,
    }
}

fn night() -> QuietHours {
    QuietHours {
        from: clock(22, 0, 0, 0),
        to: clock(7, 0, 0, 0),
    }
}

#[track_caller]
fn check(timing: &Timing, now: &str, last_told: Option<&str>, since: &str, expected: Option<&str>) {
    let decision = timing.decide(time(now), last_told.map(time), &waiting(time(since)));
    let expected = expected.map_or(Decision::Tell, |until| Decision::HoldUntil(time(until)));
    assert_eq!(decision, expected);
}

#[test]
fn people_are_told_at_once_by_default() {
    let now = "2026-11-22T03:00:00Z";
    check(&Timing::default(), now, Some(now), now, None);
}

#[test]
fn quiet_hours_go_past_midnight_and_follow_the_clock_of_the_place() {
    let timing = Timing {
        time_zone: berlin(),
        quiet: Some(night()),
        ..Timing::default()
    };
    let now = "2026-11-22T20:59:59Z";
    check(&timing, now, None, now, None);
    let now = "2026-11-22T21:00:00Z";
    check(&timing, now, None, now, Some("2026-11-23T06:00:00Z"));
    let now = "2026-11-23T05:59:59Z";
    check(&timing, now, None, now, Some("2026-11-23T06:00:00Z"));
    check(&timing, "2026-11-23T06:00:00Z", None, now, None);
    // In summer the morning comes an hour earlier.
    let now = "2026-07-01T22:00:00Z";
    check(&timing, now, None, now, Some("2026-07-02T05:00:00Z"));
}

#[test]
fn a_digest_comes_at_its_hour_once() {
    let timing = Timing {
        time_zone: berlin(),
        digest: Some(Digest::Daily(clock(8, 0, 0, 0))),
        ..Timing::default()
    };
    let since = "2026-11-22T06:59:59Z";
    check(&timing, since, None, since, Some("2026-11-22T07:00:00Z"));
    check(&timing, "2026-11-22T07:00:00Z", None, since, None);
    let since = "2026-11-22T07:00:00Z";
    check(&timing, since, None, since, Some("2026-11-23T07:00:00Z"));
    // A process that slept through it tells it when it wakes.
    check(&timing, "2026-11-25T12:00:00Z", None, since, None);
}

#[test]
fn a_weekly_digest_comes_on_its_day() {
    let timing = Timing {
        digest: Some(Digest::Weekly(Weekday::Monday, clock(8, 0, 0, 0))),
        ..Timing::default()
    };
    // A Sunday.
    let since = "2026-11-22T06:00:00Z";
    check(&timing, since, None, since, Some("2026-11-23T08:00:00Z"));
    let since = "2026-11-23T09:00:00Z";
    check(&timing, since, None, since, Some("2026-11-30T08:00:00Z"));
}

#[test]
fn an_hour_that_the_clock_skips_comes_later() {
    let timing = Timing {
        time_zone: berlin(),
        digest: Some(Digest::Daily(clock(2, 30, 0, 0))),
        ..Timing::default()
    };
    let since = "2026-03-28T12:00:00Z";
    check(&timing, since, None, since, Some("2026-03-29T01:30:00Z"));
}

#[test]
fn messages_keep_their_distance() {
    let timing = Timing {
        pause_min: SignedDuration::from_mins(15),
        ..Timing::default()
    };
    let now = "2026-11-22T06:10:00Z";
    check(
        &timing,
        now,
        Some("2026-11-22T06:00:00Z"),
        now,
        Some("2026-11-22T06:15:00Z"),
    );
    check(
        &timing,
        "2026-11-22T06:15:00Z",
        Some("2026-11-22T06:00:00Z"),
        now,
        None,
    );
}

#[test]
fn what_is_urgent_waits_for_nothing_but_the_pause() {
    let timing = Timing {
        quiet: Some(night()),
        digest: Some(Digest::Daily(clock(8, 0, 0, 0))),
        urgent_min: Some(Severity::Critical),
        ..Timing::default()
    };
    let now = time("2026-11-22T23:00:00Z");
    let urgent = |worst, is_exploited| {
        let waiting = Waiting {
            since: now,
            worst,
            is_exploited,
        };
        timing.decide(now, None, &waiting)
    };
    assert_eq!(urgent(Severity::Critical, false), Decision::Tell);
    assert_eq!(urgent(Severity::Low, true), Decision::Tell);
    assert_ne!(urgent(Severity::High, false), Decision::Tell);
}

#[test]
fn heartbeats_wait_for_the_morning() {
    let timing = Timing {
        quiet: Some(night()),
        ..Timing::default()
    };
    let week = SignedDuration::from_hours(7 * 24);
    let next = timing.next_heartbeat(week, time("2026-11-15T23:00:00Z"));
    assert_eq!(next, time("2026-11-23T07:00:00Z"));
}

fn any_timing() -> impl Strategy<Value = Timing> {
    const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"];
    let at = (0..24_i8, 0..60_i8).prop_map(|(hour, minute)| clock(hour, minute, 0, 0));
    let digest = proptest::option::of((at.clone(), any::<bool>()).prop_map(|(at, weekly)| {
        if weekly {
            Digest::Weekly(Weekday::Friday, at)
        } else {
            Digest::Daily(at)
        }
    }));
    let quiet = (at.clone(), at).prop_map(|(from, to)| QuietHours { from, to });
    let zone = proptest::sample::select(&ZONES[..]);
    (zone, digest, proptest::option::of(quiet), 0..7_200_i64).prop_map(
        |(zone, digest, quiet, pause_s)| Timing {
            time_zone: TimeZone::get(zone).unwrap(),
            digest,
            quiet,
            pause_min: SignedDuration::from_secs(pause_s),
            urgent_min: None,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Runs a channel through changes at any times, deciding when one happens and when the last
    /// decision said so: each is told once, within ten days, and never in quiet hours.
    #[test]
    fn nothing_is_lost_and_nothing_doubled(
        timing in any_timing(),
        start_s in 1_700_000_000..1_900_000_000_i64,
        gaps_s in proptest::collection::vec(0..200_000_i64, 1..30),
    ) {
        let mut happenings: Vec<Timestamp> = Vec::new();
        let mut at = start_s;
        for gap in gaps_s {
            at += gap;
            happenings.push(Timestamp::from_second(at).unwrap());
        }
        let (mut pending, mut told): (Vec<Timestamp>, Vec<Timestamp>) = (Vec::new(), Vec::new());
        let (mut last_told, mut wake) = (None, None);
        let mut coming = happenings.iter().copied().peekable();
        while coming.peek().is_some() || !pending.is_empty() {
            let now = match (coming.peek().copied(), wake) {
                (Some(next), Some(wake)) if wake < next => wake,
                (Some(next), _) => { pending.push(next); coming.next(); next }
                (None, Some(wake)) => wake,
                (None, None) => { prop_assert!(false, "asleep with something to tell"); break }
            };
            wake = None;
            let Some(since) = pending.first().copied() else { continue };
            match timing.decide(now, last_told, &waiting(since)) {
                Decision::HoldUntil(until) => {
                    prop_assert!(until > now);
                    prop_assert!(until <= since.saturating_add(SignedDuration::from_hours(240)).unwrap());
                    wake = Some(until);
                }
                Decision::Tell => {
                    let local = now.to_zoned(timing.time_zone.clone()).time();
                    prop_assert!(!timing.quiet.is_some_and(|quiet| quiet.contains(local)));
                    told.append(&mut pending);
                    last_told = Some(now);
                }
            }
        }
        prop_assert_eq!(told, happenings);
    }
}
