//! What a host may have in store, and what files may do: docs/watch.md, "What goes wrong".

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use cleanbill_core::Severity;
use cleanbill_store::state::StateStore;
use jiff::{SignedDuration, Timestamp};

use super::world::{World, settings};
use super::{Monitor, MonitorObserver, MonitorSettings, Parts, settle};
use crate::baseline_file::{BaselineDirectory, BaselineFile};
use crate::monitor::{Event, JournalSettings, Wakes};
use crate::notes;
use crate::notify::Notification;
use crate::scan_log::ScanLogDirectory;

/// Every character that a name of an image may have, in each of its parts.
const NAMES: [&str; 5] = [
    "abcdefghijklmnopqrstuvwxyz0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz.0123456789-",
    "registry-1.example.org:65535/a/b__c/d---e/f.g:_",
    "[2001:db8::1]:5000/a:1",
    "a/b:1",
    "a__b:1",
];

fn journal(directory: &Path) -> JournalSettings {
    JournalSettings {
        logs: Some(ScanLogDirectory::new(directory.join("logs"))),
        baselines: Some(BaselineDirectory::new(directory.join("snapshots"))),
        writes_baselines: true,
        ..JournalSettings::default()
    }
}

#[test]
fn names_with_every_legal_character_are_looked_at_told_and_written() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new();
    world.advise("CVE-1", "zlib", Severity::High);
    let mut names: Vec<String> = NAMES.map(str::to_owned).to_vec();
    names.push(format!("sha256:{}", "0".repeat(64)));
    names.push(format!("{}:{}", "n".repeat(255), "t".repeat(128)));
    for (number, name) in (1..).zip(&names) {
        world.put(name, number, &[("zlib", "1")]);
    }
    let store = StateStore::in_memory().unwrap();
    let settings = MonitorSettings {
        journal: journal(directory.path()),
        ..settings()
    };
    world.with_monitor(&store, settings, |monitor| {
        settle(monitor);
        let mut expected: Vec<String> = names
            .iter()
            .map(|name| format!("new CVE-1 {name} first_seen"))
            .collect();
        expected.sort();
        assert_eq!(world.told(&store), expected);
    });
    // A log and a report of each, and a baseline of each.
    let count = |name: &str| {
        let entries = std::fs::read_dir(directory.path().join(name)).unwrap();
        entries.count()
    };
    assert_eq!(count("logs"), names.len() * 2 + 1);
    assert_eq!(count("snapshots"), names.len());
}

#[test]
fn ten_thousand_images_are_one_pass_and_one_message() {
    const IMAGES: u32 = 10_000;
    let world = World::new();
    world.advise("CVE-1", "zlib", Severity::High);
    for number in 0..IMAGES {
        world.put(&format!("app-{number}:1"), number % 500, &[("zlib", "1")]);
    }
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        assert_eq!(world.looks(), u64::from(IMAGES));
        let rows = store.read().outbox_list(None, 10).unwrap();
        assert_eq!(rows.len(), 1);
        let message: Notification = serde_json::from_slice(&rows[0].payload).unwrap();
        assert_eq!(message.totals.new, u64::from(IMAGES));
        assert!(message.images.len() < 1_000 && message.images_left_out > 9_000);
        assert!(rows[0].payload.len() < 1 << 20);
    });
}

/// Settings under which baselines are read and not written.
fn reading_baselines(directory: &Path) -> MonitorSettings {
    MonitorSettings {
        journal: JournalSettings {
            writes_baselines: false,
            ..journal(directory)
        },
        ..settings()
    }
}

#[test]
fn a_baseline_that_cannot_be_read_is_named_and_not_taken_for_empty() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = directory.path().join("snapshots");
    std::fs::create_dir(&snapshots).unwrap();
    std::fs::write(snapshots.join("app__1.json"), "{\"image\": \"app:1").unwrap();
    let world = World::new();
    world.advise("CVE-1", "zlib", Severity::High);
    world.put("app:1", 1, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    let settings = reading_baselines(directory.path());
    let last_line = || {
        let summary = directory.path().join("logs/scan-summary.log");
        let summary = std::fs::read_to_string(summary).unwrap();
        summary.lines().last().unwrap().to_owned()
    };
    world.with_monitor(&store, settings, |monitor| {
        settle(monitor);
        // No flood, but one message that says what happened and what to do.
        assert_eq!(world.told(&store), [""; 0]);
        let rows = store.read().outbox_list(None, 10).unwrap();
        assert_eq!(rows.len(), 1);
        let message: Notification = serde_json::from_slice(&rows[0].payload).unwrap();
        assert_eq!((message.totals.baselines_lost, message.totals.new), (1, 0));
        let said = &message.images[0].baseline;
        for part in [
            ".corrupt-2026-11-22T00-00-00Z",
            "the beginning",
            "baseline save",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(last_line().contains("for app:1; baseline could not be read"));
        let lost = notes::lost_baselines(store.read()).unwrap();
        assert!(lost["app:1"].contains("makes no sense"), "{lost:?}");
        // Once is enough; what is new from then on is told.
        world.pass_time(SignedDuration::from_hours(25));
        settle(monitor);
        assert_eq!(store.read().outbox_list(None, 10).unwrap().len(), 1);
        world.advise("CVE-2", "zlib", Severity::High);
        world.publish();
        world.pass_time(SignedDuration::from_hours(2));
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-2 app:1 advisory_changed"]);
        // The file is back.
        let ids = ["CVE-1", "CVE-2"].map(str::to_owned);
        let restored = BaselineFile::new("app:1", Timestamp::UNIX_EPOCH, ids);
        BaselineDirectory::new(&snapshots)
            .write(&restored, Timestamp::UNIX_EPOCH)
            .unwrap();
        world.pass_time(SignedDuration::from_hours(25));
        settle(monitor);
        assert!(notes::lost_baselines(store.read()).unwrap().is_empty());
        assert!(last_line().contains("(baseline match)"), "{}", last_line());
    });
}

#[test]
fn without_its_baseline_an_image_is_compared_with_the_look_before() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = directory.path().join("snapshots");
    let world = World::new();
    world.advise("CVE-1", "zlib", Severity::High);
    world.advise("CVE-2", "curl", Severity::High);
    world.put("app:1", 1, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    let settings = reading_baselines(directory.path());
    world.with_monitor(&store, settings, |monitor| {
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-1 app:1 first_seen"]);
        std::fs::create_dir(&snapshots).unwrap();
        std::fs::write(snapshots.join("app__1.json"), "[]").unwrap();
        world.put("app:1", 2, &[("zlib", "1"), ("curl", "8")]);
        monitor.note(Event::HostChanged);
        world.pass_time(SignedDuration::from_secs(1));
        settle(monitor);
        assert_eq!(world.told(&store), ["new CVE-2 app:1 image_changed"]);
        let rows = store.read().outbox_list(None, 1).unwrap();
        let message: Notification = serde_json::from_slice(&rows[0].payload).unwrap();
        let said = &message.images[0].baseline;
        assert!(said.contains("compared with the look before"), "{said}");
    });
}

#[derive(Default)]
struct Counter {
    log_errors: AtomicU64,
}

impl MonitorObserver for Counter {
    fn log_failed(&self) {
        self.log_errors.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn directories_that_cannot_be_written_are_counted_and_stop_nothing() {
    let directory = tempfile::tempdir().unwrap();
    // A file stands where the directories should be: nobody may write there, root included.
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let world = World::new();
    world.advise("CVE-1", "zlib", Severity::High);
    world.put("app:1", 1, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    let counter = Counter::default();
    let wakes = Wakes::default();
    let parts = Parts {
        host: &world,
        store: &store,
        clock: &world,
        channels: &BTreeMap::new(),
        wakes: &wakes,
        observer: &counter,
        messages_ready: Box::new(|| ()),
    };
    let settings = MonitorSettings {
        journal: journal(&file),
        ..settings()
    };
    settle(&mut Monitor::new(parts, settings));
    assert_eq!(world.told(&store), ["new CVE-1 app:1 first_seen"]);
    assert_eq!(counter.log_errors.load(Ordering::Relaxed), 2);
}
