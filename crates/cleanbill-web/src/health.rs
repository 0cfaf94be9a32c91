//! Is it alive, is it ready, and until when was all well.

use cleanbill_store::state::StatusSummary;

use crate::live::Facts;
use crate::settings::Limits;

/// Says whether the loop turns.
pub(crate) fn is_alive(now: i64, facts: &Facts, limits: &Limits) -> bool {
    now.saturating_sub(facts.ticked_at) <= limits.silence_ms_max
}

/// Says what is ready, each part in a word. All must be.
///
/// A state that was kept from before is as good as a first pass: there is something to tell of. An
/// engine that went away after it was reached shows elsewhere: a restart does not bring it back.
pub(crate) fn readiness(
    facts: &Facts,
    summary: Option<&StatusSummary>,
) -> [(&'static str, bool); 4] {
    let is_filled = summary.is_some_and(|summary| summary.last_finished_pass.is_some());
    [
        ("state", summary.is_some()),
        ("database", facts.database_updated_at.is_some()),
        ("engine", facts.was_engine_reached),
        ("first_pass", is_filled),
    ]
}

/// What of the store is needed to tell whether all is well.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Books {
    /// When the state could be read last.
    pub(crate) readable_at: i64,
    pub(crate) pass_finished_at: Option<i64>,
    pub(crate) oldest_pending_at: Option<i64>,
    /// When a message was given up last.
    pub(crate) message_dead_at: Option<i64>,
}

/// Returns the last moment at which all was well: now, if it is. Nothing need be remembered for
/// it, because each part tells since when it is not.
pub(crate) fn all_well_at(now: i64, facts: &Facts, books: &Books, limits: &Limits) -> i64 {
    let within = |since: i64, ms_max: i64| {
        let deadline = since.saturating_add(ms_max);
        if now <= deadline { now } else { deadline }
    };
    let ticked = within(facts.ticked_at, limits.silence_ms_max);
    let events = facts.events_lost_at.unwrap_or(now);
    let engine = facts.engine_lost_at.unwrap_or(now);
    let database = facts
        .database_updated_at
        .map_or(facts.started_at, |updated_at| {
            within(updated_at, limits.database_age_ms_max)
        });
    // A process that has just started is given the time for its first pass.
    let finished_at = books.pass_finished_at.unwrap_or(0).max(facts.started_at);
    let pass = within(finished_at, limits.pass_gap_ms_max);
    let pending = books
        .oldest_pending_at
        .map_or(now, |at| within(at, limits.pending_age_ms_max));
    let dead = books
        .message_dead_at
        .filter(|at| now.saturating_sub(*at) < limits.dead_age_ms_max)
        .unwrap_or(now);
    [
        ticked,
        events,
        engine,
        database,
        pass,
        pending,
        dead,
        books.readable_at,
    ]
    .into_iter()
    .fold(now, i64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_329_000_000;

    fn well() -> (Facts, Books) {
        let facts = Facts {
            started_at: NOW - 1_000_000_000,
            ticked_at: NOW - 10,
            database_updated_at: Some(NOW - 1_000),
            ..Facts::default()
        };
        let books = Books {
            readable_at: NOW,
            pass_finished_at: Some(NOW - 5_000),
            ..Books::default()
        };
        (facts, books)
    }

    /// Changes one thing and checks when all was well last.
    #[track_caller]
    fn check(change: impl FnOnce(&mut Facts, &mut Books), expected: i64) {
        let (mut facts, mut books) = well();
        change(&mut facts, &mut books);
        let found = all_well_at(NOW, &facts, &books, &Limits::default());
        assert_eq!(found, expected);
    }

    #[test]
    fn all_is_well_until_the_first_thing_is_not() {
        let limits = Limits::default();
        check(|_, _| {}, NOW);
        let long_ago = NOW - limits.silence_ms_max - 7;
        check(|facts, _| facts.ticked_at = long_ago, NOW - 7);
        check(|facts, _| facts.events_lost_at = Some(NOW - 30), NOW - 30);
        check(|facts, _| facts.engine_lost_at = Some(NOW - 31), NOW - 31);
        check(
            |facts, _| facts.database_updated_at = Some(NOW - limits.database_age_ms_max - 3),
            NOW - 3,
        );
        check(
            |facts, _| facts.database_updated_at = None,
            NOW - 1_000_000_000,
        );
        check(
            |_, books| books.pass_finished_at = Some(NOW - limits.pass_gap_ms_max - 2),
            NOW - 2,
        );
        check(
            |_, books| books.oldest_pending_at = Some(NOW - limits.pending_age_ms_max - 4),
            NOW - 4,
        );
        check(|_, books| books.oldest_pending_at = Some(NOW - 4), NOW);
        check(|_, books| books.message_dead_at = Some(NOW - 60), NOW - 60);
        check(
            |_, books| books.message_dead_at = Some(NOW - limits.dead_age_ms_max),
            NOW,
        );
        check(|_, books| books.readable_at = NOW - 9, NOW - 9);
    }

    #[test]
    fn the_first_pass_is_given_time() {
        check(
            |facts, books| {
                facts.started_at = NOW - 60_000;
                books.pass_finished_at = None;
            },
            NOW,
        );
    }

    #[test]
    fn a_clock_that_was_set_back_does_no_harm() {
        check(
            |facts, books| {
                facts.ticked_at = NOW + 1_000_000;
                books.message_dead_at = Some(i64::MAX);
                books.oldest_pending_at = Some(i64::MIN);
            },
            i64::MIN + Limits::default().pending_age_ms_max,
        );
    }

    #[test]
    fn a_loop_is_alive_until_it_is_silent_for_too_long() {
        let (mut facts, _) = well();
        let limits = Limits::default();
        assert!(is_alive(NOW, &facts, &limits));
        facts.ticked_at = NOW - limits.silence_ms_max;
        assert!(is_alive(NOW, &facts, &limits));
        facts.ticked_at -= 1;
        assert!(!is_alive(NOW, &facts, &limits));
    }
}
