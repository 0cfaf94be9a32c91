//! What is told, and what is not.

use std::fs;

use cleanbill_core::Severity;
use cleanbill_store::state::StateStore;
use jiff::SignedDuration;

use super::world::{World, settings};
use super::{host_changes, settle};
use crate::monitor::{Clock, JournalSettings, MonitorSettings};
use crate::notify::QuietHours;
use crate::scan_log::{SUMMARY_FILE, ScanLogDirectory};

fn severities(severities: &[Severity]) -> MonitorSettings {
    MonitorSettings {
        severities: severities.iter().copied().collect(),
        ..settings()
    }
}

#[test]
fn what_another_filter_lets_through_is_told_once() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-1", "zlib", Severity::Critical);
    world.advise("CVE-2", "zlib", Severity::High);
    let store = StateStore::in_memory().unwrap();
    let tell = |settings: MonitorSettings| {
        world.with_monitor(&store, settings, |monitor| {
            monitor.run_once().unwrap();
        });
        world.told(&store)
    };
    let (narrow, wide) = ([Severity::Critical], [Severity::High, Severity::Critical]);
    assert_eq!(tell(severities(&narrow)), ["new CVE-1 app:1 first_seen"]);
    assert_eq!(tell(severities(&wide)), ["new CVE-2 app:1 rules_changed"]);
    assert!(tell(severities(&wide)).is_empty());
    assert!(tell(severities(&narrow)).is_empty(), "it is not resolved");
}

#[test]
fn who_runs_one_pass_at_a_time_has_a_backup_each_day() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = StateStore::open(directory.path(), 0).unwrap();
    let one_pass = || {
        world.with_monitor(&store, settings(), |monitor| {
            monitor.run_once().unwrap();
            monitor.upkeep_after_one_pass().unwrap();
        });
        store.backed_up_at().unwrap()
    };
    one_pass();
    let backup = directory.path().join("state.db.backup");
    let made = |hours: i64| {
        let at = world.now().as_millisecond() - hours * 3_600_000;
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(at.unsigned_abs());
        fs::File::options()
            .write(true)
            .open(&backup)
            .unwrap()
            .set_modified(at)
            .unwrap();
        store.backed_up_at().unwrap()
    };
    let recent = made(23);
    assert_eq!(one_pass(), recent);
    let old = made(25);
    assert_ne!(one_pass(), old);
    // A clock that was wrong does not keep it from being made.
    let of_the_future = made(-1);
    assert_ne!(one_pass(), of_the_future);
}

#[test]
fn another_filter_takes_effect_with_the_next_event() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-2", "zlib", Severity::High);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, severities(&[Severity::Critical]), |monitor| {
        settle(monitor);
        assert!(world.told(&store).is_empty());
        monitor.settings.severities = settings().severities;
        let mut pass = || {
            host_changes(&world, monitor);
        };
        pass();
        assert_eq!(world.told(&store), ["new CVE-2 app:1 rules_changed"]);
        let looks = world.looks();
        pass();
        assert_eq!(world.looks(), looks);
    });
}

#[test]
fn what_was_held_and_then_filtered_is_told_when_it_is_let_through_again() {
    let world = World::new();
    world.advise("CVE-2", "zlib", Severity::High);
    let watch = |store: &StateStore, settings| {
        world.with_monitor(store, settings, settle);
        world.told(store)
    };
    let narrow = || severities(&[Severity::Critical]);
    // While it is narrow the image is read, cannot be read, or is away.
    for way in ["read", "unreadable", "away"] {
        world.put("app:1", 1, &[("zlib", "1")]);
        world.forget_told();
        let store = StateStore::in_memory().unwrap();
        let mut quiet = settings();
        // The made-up clock begins at midnight.
        quiet.timing.quiet = Some(QuietHours {
            from: jiff::civil::time(22, 0, 0, 0),
            to: jiff::civil::time(6, 0, 0, 0),
        });
        assert!(watch(&store, quiet).is_empty(), "{way}: it is held");
        let lost: &[&str] = match way {
            "unreadable" => {
                world.break_image("app:1", true);
                &["assessment_lost app:1"]
            }
            "away" => {
                world.remove("app:1");
                &[]
            }
            _ => &[],
        };
        assert_eq!(watch(&store, narrow()), lost, "{way}");
        // Somebody starts it once more with the wide one before it can be read.
        if way == "unreadable" {
            assert!(watch(&store, settings()).is_empty());
        }
        world.put("app:1", 1, &[("zlib", "1")]);
        let told = watch(&store, settings());
        let is_new = |line: &String| line.starts_with("new CVE-2 app:1 ");
        assert_eq!(
            told.iter().filter(|line| is_new(line)).count(),
            1,
            "{way}: {told:?}"
        );
    }
}

#[test]
fn a_container_that_restarts_makes_no_news() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-1", "zlib", Severity::Critical);
    world.advise("CVE-2", "zlib", Severity::High);
    world.run("app:1", "CRITICAL");
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-1 app:1 first_seen"]);
        let mut goes_on = || {
            host_changes(&world, monitor);
            assert!(world.told(&store).is_empty());
        };
        world.stop_containers();
        goes_on();
        world.run("app:1", "CRITICAL,HIGH");
        goes_on();
        // Another image of the name, which the container does not run yet.
        world.put("app:1", 2, &[("zlib", "1")]);
        goes_on();
    });
}

#[test]
fn what_is_judged_again_before_the_first_list_goes_by_the_filter_before() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.advise("CVE-2", "zlib", Severity::High);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, severities(&[Severity::Critical]), |monitor| {
        settle(monitor);
    });
    world.publish();
    world.with_monitor(&store, settings(), |monitor| {
        monitor.refresh_plan();
        monitor.judge_again().unwrap();
        assert!(store.read().changes_untold(10).unwrap().is_empty());
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-2 app:1 rules_changed"]);
    });
}

#[test]
fn what_goes_before_anybody_is_told_is_told_when_it_comes_back() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.put("app:2", 2, &[("zlib", "1")]);
    world.advise("CVE-1", "zlib", Severity::High);
    let store = StateStore::in_memory().unwrap();
    let mut quiet = settings();
    // The made-up clock begins at midnight.
    quiet.timing.quiet = Some(QuietHours {
        from: jiff::civil::time(22, 0, 0, 0),
        to: jiff::civil::time(6, 0, 0, 0),
    });
    world.with_monitor(&store, quiet, settle);
    // It goes while nobody watches.
    world.remove("app:1");
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-1 app:2 first_seen"]);
        world.put("app:1", 1, &[("zlib", "1")]);
        host_changes(&world, monitor);
        assert_eq!(world.told(&store), ["new CVE-1 app:1 first_seen"]);
    });
}

#[test]
fn another_database_leaves_logs_of_what_it_changed() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    world.put("app:2", 2, &[("curl", "1")]);
    let store = StateStore::in_memory().unwrap();
    let place = tempfile::tempdir().unwrap();
    let settings = MonitorSettings {
        journal: JournalSettings {
            logs: Some(ScanLogDirectory::new(place.path())),
            ..JournalSettings::default()
        },
        ..settings()
    };
    let summary = || fs::read_to_string(place.path().join(SUMMARY_FILE)).unwrap();
    world.with_monitor(&store, settings, |monitor| {
        settle(monitor);
        let before = summary();
        world.advise("CVE-9", "zlib", Severity::Critical);
        world.publish();
        world.pass_time(SignedDuration::from_hours(2));
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-9 app:1 advisory_changed"]);
        let summary = summary();
        let added = summary.strip_prefix(&before).unwrap();
        assert_eq!(added.lines().count(), 1, "{added}");
        assert!(added.contains("New vulnerabilities: 1 for app:1; counts: 1 | CRITICAL: 1"));
        let (_, log) = added.trim_end().rsplit_once("details: ").unwrap();
        assert!(
            fs::read_to_string(log)
                .unwrap()
                .contains("New since baseline: 1\n  CVE-9\n")
        );
        let json = fs::read_to_string(log.replace(".log", ".json")).unwrap();
        assert!(json.contains("CVE-9"));
    });
}
