//! The monitor against a host, a clock and receivers of messages that are made up.

mod bad_input;
mod resting;
mod simulation;
mod telling;
mod world;

use cleanbill_core::Severity;
use cleanbill_store::state::StateStore;
use jiff::SignedDuration;
use world::{World, settings};

use super::*;

/// Runs what is due until nothing is left to do now.
fn settle(monitor: &mut Monitor<'_>) {
    for _ in 0..8 {
        monitor.do_what_is_due().unwrap();
    }
}

/// Something happens on the host; what is due a second later is done.
fn host_changes(world: &World, monitor: &mut Monitor<'_>) {
    monitor.note(Event::HostChanged);
    world.pass_time(SignedDuration::from_secs(1));
    settle(monitor);
}

#[test]
fn what_is_there_at_first_is_told_once() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-1", "zlib", Severity::High);
    world.advise("CVE-2", "zlib", Severity::Low);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-1 app:1 first_seen"]);
        world.pass_time(SignedDuration::from_hours(25));
        settle(monitor);
        assert!(world.told(&store).is_empty());
    });
    // A restart tells nothing either.
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        assert!(world.told(&store).is_empty());
    });
}

#[test]
fn an_event_shows_what_changed_and_why() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-1", "curl", Severity::Critical);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        assert!(world.told(&store).is_empty());
        world.put("app:1", 2, &[("zlib", "1"), ("curl", "8")]);
        monitor.note(Event::HostChanged);
        settle(monitor);
        assert!(world.told(&store).is_empty(), "the swarm is waited for");
        world.pass_time(SignedDuration::from_secs(1));
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-1 app:1 image_changed"]);
        world.put("app:1", 3, &[("zlib", "1")]);
        host_changes(&world, monitor);
        assert_eq!(world.told(&store), ["resolved CVE-1 app:1 image_changed"]);
    });
}

#[test]
fn another_database_judges_without_reading() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.put("app:2", 1, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        let looks = world.looks();
        world.advise("CVE-9", "zlib", Severity::Critical);
        world.publish();
        world.pass_time(SignedDuration::from_hours(2));
        settle(monitor);
        let expected = [
            "new CVE-9 app:1 advisory_changed",
            "new CVE-9 app:2 advisory_changed",
        ];
        assert_eq!(world.told(&store), expected);
        assert_eq!(world.looks(), looks, "no image was read");
    });
}

#[test]
fn an_image_that_goes_is_not_resolved() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-1", "zlib", Severity::High);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        world.told(&store);
        world.remove("app:1");
        host_changes(&world, monitor);
        assert!(world.told(&store).is_empty());
        assert_eq!(store.read().status_summary().unwrap().images, 0);
    });
}

#[test]
fn an_image_that_is_back_is_judged_by_the_database_of_now_without_reading() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.put("app:2", 2, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        let looks = world.looks();
        world.remove("app:1");
        host_changes(&world, monitor);
        world.advise("CVE-9", "zlib", Severity::Critical);
        world.publish();
        world.pass_time(SignedDuration::from_hours(2));
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-9 app:2 advisory_changed"]);
        world.put("app:1", 1, &[("zlib", "1")]);
        host_changes(&world, monitor);
        assert_eq!(world.told(&store), ["new CVE-9 app:1 advisory_changed"]);
        assert_eq!(world.looks(), looks, "no image was read");
        // It goes and is back while nothing else is different.
        world.remove("app:1");
        host_changes(&world, monitor);
        world.put("app:1", 1, &[("zlib", "1")]);
        host_changes(&world, monitor);
        assert!(monitor.returned.contains("app:1"));
        let judged = |store: &StateStore| {
            let scans = store.read().history("app:1", 10).unwrap();
            scans.len()
        };
        let before = judged(&store);
        host_changes(&world, monitor);
        assert_eq!((judged(&store), world.looks()), (before, looks));
    });
}

#[test]
fn an_image_that_is_back_and_was_never_read_is_looked_at() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-9", "zlib", Severity::Critical);
    world.break_image("app:1", true);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        assert_eq!(world.told(&store), ["assessment_lost app:1"]);
        world.remove("app:1");
        host_changes(&world, monitor);
        world.publish();
        world.pass_time(SignedDuration::from_hours(2));
        settle(monitor);
        world.put("app:1", 1, &[("zlib", "1")]);
        host_changes(&world, monitor);
        let told = world.told(&store);
        assert!(
            told.contains(&"new CVE-9 app:1 first_seen".to_owned()),
            "{told:?}"
        );
    });
}

#[test]
fn an_image_that_cannot_be_read_is_told_once_and_resolves_nothing() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-1", "zlib", Severity::High);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        world.told(&store);
        world.break_image("app:1", true);
        for _ in 0..2 {
            world.pass_time(SignedDuration::from_hours(25));
            settle(monitor);
        }
        assert_eq!(world.told(&store), ["assessment_lost app:1"]);
        world.break_image("app:1", false);
        world.pass_time(SignedDuration::from_hours(25));
        settle(monitor);
        assert_eq!(world.told(&store), ["assessment_regained app:1"]);
    });
}

#[test]
fn a_tag_that_moved_to_an_unreadable_image_is_left_alone_for_longer_each_time() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        world.put("app:1", 2, &[("zlib", "1")]);
        world.break_image("app:1", true);
        let before = world.looks();
        // Something happens every ten seconds, for an hour.
        for _ in 0..360 {
            monitor.note(Event::HostChanged);
            world.pass_time(SignedDuration::from_secs(10));
            settle(monitor);
        }
        assert_eq!(world.looks() - before, 6, "after 0, 1, 3, 7, 15 and 31 min");
        let noted = crate::notes::put_off(store.read()).unwrap();
        assert_eq!((noted[0].image.as_str(), noted[0].failures), ("app:1", 6));
        assert_eq!(world.told(&store), ["assessment_lost app:1"]);
        // Another image is looked at at once, and nobody waits any more.
        world.put("app:1", 3, &[("zlib", "1")]);
        host_changes(&world, monitor);
        assert_eq!(world.told(&store), ["assessment_regained app:1"]);
        assert_eq!(crate::notes::put_off(store.read()).unwrap(), []);
    });
}

#[test]
fn what_was_mended_is_looked_at_when_somebody_asks() {
    let world = World::new();
    for name in ["app:1", "app:2"] {
        world.put(name, 1, &[("zlib", "1")]);
        world.break_image(name, true);
    }
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        world.told(&store);
        world.break_image("app:1", false);
        world.break_image("app:2", false);
        settle(monitor);
        assert!(world.told(&store).is_empty(), "they are left alone");
        monitor.note(Event::RefreshWanted);
        settle(monitor);
        let regained = ["assessment_regained app:1", "assessment_regained app:2"];
        assert_eq!(world.told(&store), regained);
    });
}

#[test]
fn who_asks_often_has_nothing_read_more_often() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.break_image("app:1", true);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        let looks = world.looks();
        for _ in 0..3 {
            monitor.note(Event::RefreshWanted);
            // What a pass asks between two images.
            assert!(!monitor.is_due(monitor.plan.reconcile));
        }
        settle(monitor);
        assert_eq!(world.looks(), looks + 1);
    });
}

#[test]
fn what_is_mended_for_one_image_is_tried_for_the_others() {
    let world = World::new();
    for (name, content) in [("app:1", 1), ("app:2", 2)] {
        world.put(name, content, &[("zlib", "1")]);
        world.break_image(name, true);
    }
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        world.told(&store);
        world.put("app:1", 3, &[("zlib", "1")]);
        world.break_image("app:2", false);
        host_changes(&world, monitor);
        let regained = ["assessment_regained app:1", "assessment_regained app:2"];
        assert_eq!(world.told(&store), regained);
    });
}

#[test]
fn an_unreadable_image_is_not_read_in_every_pass_and_counts_as_incomplete() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.break_image("app:1", true);
    let store = StateStore::in_memory().unwrap();
    let settings = MonitorSettings {
        schedule: Schedule::every(SignedDuration::from_secs(5)).unwrap(),
        ..settings()
    };
    world.with_monitor(&store, settings, |monitor| {
        for _ in 0..60 {
            settle(monitor);
            world.pass_time(SignedDuration::from_secs(5));
        }
        assert_eq!(world.looks(), 3, "after 0, 1 and 3 min");
        let last = store.read().status_summary().unwrap().last_finished_pass;
        assert_eq!(last.unwrap().failed, 1);
        // What was mended is found without an event.
        world.break_image("app:1", false);
        world.pass_time(SignedDuration::from_mins(5));
        settle(monitor);
        let messages = world.told(&store);
        assert_eq!(messages.last().unwrap(), "assessment_regained app:1");
    });
}

#[test]
fn what_is_planned_is_noted() {
    let world = World::new();
    world.put("app:1", 1, &[]);
    let store = StateStore::in_memory().unwrap();
    let plan = || crate::notes::plan(store.read()).unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        let next = "2026-11-23T00:00:00Z".parse::<Timestamp>().unwrap();
        let plan = plan().unwrap();
        assert_eq!(plan.next_pass_at, next.as_millisecond());
        assert_eq!(plan.overdue_at - plan.next_pass_at, 24 * 60 * 60 * 1000);
        assert_eq!(plan.schedule, "every 24 h");
    });
    // One pass on demand plans nothing.
    world.with_monitor(&store, settings(), |monitor| {
        monitor.run_once().unwrap();
    });
    assert_eq!(plan(), None);
}

#[test]
fn an_image_that_vanishes_while_it_is_read_is_no_failure() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    world.vanish_when_read("app:1");
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        assert!(world.told(&store).is_empty());
    });
}

#[test]
fn an_engine_that_does_not_answer_is_tried_again() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-1", "zlib", Severity::High);
    let store = StateStore::in_memory().unwrap();
    world.silence(true);
    world.with_monitor(&store, settings(), |monitor| {
        let error = monitor.do_what_is_due().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("cannot list the images of the made-up host")
        );
        monitor.put_off(&error);
        // Whatever happens meanwhile, it is not tried again before the time.
        for _ in 0..3 {
            monitor.note(Event::HostChanged);
            world.pass_time(SignedDuration::from_millis(500));
            monitor.do_what_is_due().unwrap();
        }
        world.pass_time(SignedDuration::from_secs(1));
        let error = monitor.do_what_is_due().unwrap_err();
        monitor.put_off(&error);
        world.silence(false);
        world.pass_time(SignedDuration::from_secs(3));
        monitor.do_what_is_due().unwrap();
        assert!(world.told(&store).is_empty(), "the pause doubles");
        world.pass_time(SignedDuration::from_secs(1));
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-1 app:1 first_seen"]);
    });
}

#[test]
fn an_engine_that_does_not_answer_is_noted_until_it_does() {
    let world = World::new();
    let store = StateStore::in_memory().unwrap();
    let noted = || crate::notes::engine_away(store.read()).unwrap();
    let begun = world.now().as_millisecond();
    world.silence(true);
    // The second monitor is the one after other settings came: the time of the first counts.
    for _ in 0..2 {
        world.with_monitor(&store, settings(), |monitor| {
            monitor.do_what_is_due().unwrap_err();
            let away = noted().unwrap();
            assert_eq!((away.since, away.reason.as_str()), (begun, "no answer"));
            world.pass_time(SignedDuration::from_secs(90));
        });
    }
    world.with_monitor(&store, settings(), |monitor| {
        world.silence(false);
        settle(monitor);
        assert_eq!(noted(), None);
        world.silence(true);
        world.pass_time(SignedDuration::from_secs(60));
        let gone = world.now().as_millisecond();
        monitor.reconcile("event").unwrap_err();
        assert_eq!(noted().unwrap().since, gone);
    });
}

#[test]
fn after_a_failure_images_are_not_judged_again_before_the_time_either() {
    let world = World::new();
    let store = StateStore::in_memory().unwrap();
    world.silence(true);
    world.with_monitor(&store, settings(), |monitor| {
        let error = monitor.do_what_is_due().unwrap_err();
        monitor.put_off(&error);
        monitor.plan.judge_again = true;
        monitor.note(Event::HostChanged);
        world.pass_time(SignedDuration::from_secs(1));
        monitor.do_what_is_due().unwrap();
        assert!(monitor.plan.judge_again, "it waits");
        world.silence(false);
        world.pass_time(SignedDuration::from_secs(1));
        monitor.do_what_is_due().unwrap();
        assert!(!monitor.plan.judge_again);
    });
}

#[test]
fn silence_is_proven_by_a_heartbeat() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    let settings = MonitorSettings {
        heartbeat_every: Some(SignedDuration::from_hours(24 * 7)),
        ..settings()
    };
    world.with_monitor(&store, settings, |monitor| {
        settle(monitor);
        for _ in 0..6 {
            world.pass_time(SignedDuration::from_hours(24));
            settle(monitor);
        }
        assert!(world.told(&store).is_empty());
        world.pass_time(SignedDuration::from_hours(25));
        settle(monitor);
        assert_eq!(world.told(&store), ["heartbeat 1"]);
        world.pass_time(SignedDuration::from_hours(25));
        settle(monitor);
        assert!(world.told(&store).is_empty());
    });
}

#[test]
fn quiet_hours_hold_everything_for_one_message() {
    let world = World::new();
    let store = StateStore::in_memory().unwrap();
    let mut settings = settings();
    // The made-up clock begins at midnight.
    settings.timing.quiet = Some(crate::notify::QuietHours {
        from: jiff::civil::time(22, 0, 0, 0),
        to: jiff::civil::time(6, 0, 0, 0),
    });
    world.advise("CVE-1", "zlib", Severity::High);
    world.with_monitor(&store, settings, |monitor| {
        for id in 1..4 {
            world.put(&format!("app:{id}"), id, &[("zlib", "1")]);
            monitor.note(Event::HostChanged);
            world.pass_time(SignedDuration::from_mins(1));
            settle(monitor);
        }
        assert!(world.told(&store).is_empty());
        world.pass_time(SignedDuration::from_hours(6));
        settle(monitor);
        assert_eq!(world.told(&store).len(), 3);
        assert_eq!(store.read().outbox_list(None, 10).unwrap().len(), 1);
    });
}

#[test]
fn more_messages_than_an_hour_allows_are_held_and_told_together() {
    let world = World::new();
    world.advise("CVE-1", "zlib", Severity::High);
    let store = StateStore::in_memory().unwrap();
    let settings = MonitorSettings {
        messages_per_hour: 2,
        ..settings()
    };
    world.with_monitor(&store, settings, |monitor| {
        for id in 1..=5 {
            world.put(&format!("app:{id}"), id, &[("zlib", "1")]);
            monitor.note(Event::HostChanged);
            world.pass_time(SignedDuration::from_mins(5));
            settle(monitor);
        }
        assert_eq!(world.told(&store).len(), 2);
        world.pass_time(SignedDuration::from_hours(1));
        settle(monitor);
        assert_eq!(world.told(&store).len(), 3);
        assert_eq!(store.read().outbox_list(None, 10).unwrap().len(), 3);
    });
}

#[test]
fn to_be_quiet_counts_as_no_message() {
    let world = World::new();
    world.advise("CVE-1", "zlib", Severity::High);
    let store = StateStore::in_memory().unwrap();
    let settings = MonitorSettings {
        messages_per_hour: 1,
        heartbeat_every: Some(SignedDuration::from_hours(24)),
        ..settings()
    };
    world.with_monitor(&store, settings, |monitor| {
        settle(monitor);
        world.put("app:1", 1, &[("zlib", "1")]);
        monitor.note(Event::HostChanged);
        world.pass_time(SignedDuration::from_mins(5));
        settle(monitor);
        assert_eq!(world.told(&store).len(), 1);
    });
}

#[test]
fn room_is_made_once_a_day_and_after_a_thousand_looks() {
    let world = World::new();
    let put = |content: u32| {
        for number in 0..500 {
            world.put(&format!("app-{number}:1"), content + number, &[]);
        }
    };
    put(0);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        assert_eq!(world.tidied(), 1, "at the start");
        for (content, expected) in [(1_000, 1), (2_000, 2), (3_000, 2)] {
            put(content);
            host_changes(&world, monitor);
            assert_eq!(world.tidied(), expected);
        }
        world.pass_time(SignedDuration::from_hours(25));
        settle(monitor);
        assert_eq!(world.tidied(), 3);
    });
}

#[test]
fn once_is_one_pass() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.put("app:2", 2, &[("zlib", "1")]);
    world.break_image("app:2", true);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        let outcome = monitor.run_once().unwrap();
        assert_eq!((outcome.images, outcome.incomplete), (2, 1));
        assert_eq!(world.told(&store), ["assessment_lost app:2"]);
        assert!(
            store
                .read()
                .status_summary()
                .unwrap()
                .last_finished_pass
                .is_some()
        );
    });
}
