//! What goes, and what never does.

use cleanbill_core::Digest;

use super::kit::*;
use crate::state::*;

/// Keeps everything.
const ALL: PruneBudgets = PruneBudgets {
    history_age_ms_max: i64::MAX,
    delivered_age_ms_max: i64::MAX,
    dead_age_ms_max: i64::MAX,
    gone_age_ms_max: i64::MAX,
    inventory_age_ms_max: i64::MAX,
    size_bytes_max: u64::MAX,
};

/// Keeps nothing that may go.
const NOTHING: PruneBudgets = PruneBudgets {
    history_age_ms_max: 0,
    delivered_age_ms_max: 0,
    dead_age_ms_max: 0,
    gone_age_ms_max: 0,
    inventory_age_ms_max: 0,
    size_bytes_max: 0,
};

const LATE: i64 = 1_000_000;

fn tell_all(store: &StateStore, key: &str) -> Vec<MessageNumber> {
    let untold = store.read().changes_untold(10_000).unwrap();
    let ids: Vec<ChangeId> = untold.iter().map(|one| one.id).collect();
    let messages = [message("mail", key, &ids)];
    store.messages_commit(&ids, &messages, 20).unwrap()
}

#[test]
fn what_is_untold_or_unsent_stays() {
    let store = StateStore::in_memory().unwrap();
    store
        .scan_commit(&look("a:1", vec![finding("CVE-1", "x")], 10))
        .unwrap();
    store.scan_commit(&look("a:1", vec![], 11)).unwrap();
    let pending = tell_all(&store, "m1");
    store
        .scan_commit(&look("b:1", vec![finding("CVE-2", "x")], 12))
        .unwrap();
    store.scan_commit(&look("b:1", vec![], 13)).unwrap();
    store.image_gone("a:1", 14).unwrap();
    let pruned = store.prune(LATE, &NOTHING).unwrap();
    assert_eq!(pruned.changes + pruned.messages + pruned.images, 0);
    assert_eq!(store.read().changes_untold(10).unwrap().len(), 1);
    assert_eq!(store.outbox_claim(None, LATE, 1, 10).unwrap().len(), 1);

    store.outbox_delivered(pending[0], 30, "ok").unwrap();
    let pruned = store.prune(LATE, &NOTHING).unwrap();
    // The image whose change is told is forgotten, the other one is not.
    assert_eq!((pruned.messages, pruned.images), (1, 1));
    let names: Vec<String> = store
        .read()
        .image_list()
        .unwrap()
        .into_iter()
        .map(|row| row.name)
        .collect();
    assert_eq!(names, ["b:1"]);

    // Of what is gone for long nothing is to be told any more.
    store.image_gone("b:1", 14).unwrap();
    let pruned = store.prune(LATE, &NOTHING).unwrap();
    assert_eq!(pruned.images, 1);
}

#[test]
fn each_kind_has_its_age() {
    let store = StateStore::in_memory().unwrap();
    for at in [10, 20, 30] {
        let pass = store.pass_begin("schedule", at).unwrap();
        let mut commit = look("a:1", vec![finding(&format!("CVE-{at}"), "x")], at);
        commit.scan.pass = Some(pass);
        store.scan_commit(&commit).unwrap();
    }
    let delivered = tell_all(&store, "m1");
    store.outbox_delivered(delivered[0], 40, "ok").unwrap();
    let dead = store
        .messages_commit(&[], &[message("mail", "m2", &[])], 50)
        .unwrap();
    store.outbox_dead(dead[0], 60, "no").unwrap();
    assert_eq!(
        store.prune(LATE, &ALL).unwrap(),
        Pruned {
            size_bytes: store.read().status_summary().unwrap().size_bytes,
            ..Pruned::default()
        }
    );
    let history = PruneBudgets {
        history_age_ms_max: LATE - 25,
        ..ALL
    };
    let pruned = store.prune(LATE, &history).unwrap();
    // Changes go by when they were told, looks by when they began; the looks whose changes stay
    // stay with them.
    assert_eq!((pruned.changes, pruned.scans), (3, 2));
    assert_eq!(store.read().history("a:1", 10).unwrap().len(), 1);
    let delivered = PruneBudgets {
        delivered_age_ms_max: LATE - 50,
        ..ALL
    };
    assert_eq!(store.prune(LATE, &delivered).unwrap().messages, 1);
    let dead = PruneBudgets {
        dead_age_ms_max: LATE - 70,
        ..ALL
    };
    assert_eq!(store.prune(LATE, &dead).unwrap().messages, 1);
}

#[test]
fn inventories_stay_while_somebody_needs_them() {
    let store = StateStore::in_memory().unwrap();
    for (image, at) in [("a:1", 10), ("b:1", 20)] {
        let mut commit = look(image, vec![], at);
        commit.inventory = Some(NewInventory {
            image_id: Digest::of(image.as_bytes()),
            rules: "3".to_owned(),
            packed: PackedInventory::new(&1_u8).unwrap(),
        });
        store.scan_commit(&commit).unwrap();
    }
    store.image_gone("b:1", 30).unwrap();
    let budgets = |age| PruneBudgets {
        inventory_age_ms_max: age,
        ..ALL
    };
    assert_eq!(store.prune(40, &budgets(20)).unwrap().inventories, 0);
    assert_eq!(store.prune(40, &budgets(19)).unwrap().inventories, 1);
    assert_eq!(store.prune(LATE, &budgets(0)).unwrap().inventories, 0);
}

#[test]
fn the_oldest_goes_until_the_file_is_small_enough() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for round in 0..40 {
        let findings = (0..100).map(|number| finding(&format!("CVE-{round}-{number}"), "x"));
        store
            .scan_commit(&look("a:1", findings.collect(), round))
            .unwrap();
        let number = tell_all(&store, &format!("m{round}"))[0];
        store.outbox_delivered(number, 50, "ok").unwrap();
    }
    let file_size = || {
        let path = directory.path().join(StateStore::FILE_NAME);
        std::fs::metadata(path).unwrap().len()
    };
    let whole = store.prune(60, &ALL).unwrap().size_bytes;
    assert_eq!(whole, file_size());
    let budget = PruneBudgets {
        size_bytes_max: whole * 3 / 4,
        ..ALL
    };
    let pruned = store.prune(60, &budget).unwrap();
    assert!(pruned.size_bytes <= whole * 3 / 4);
    assert_eq!(pruned.size_bytes, file_size());
    let left = store.read().history("a:1", 100).unwrap();
    assert!((1..40).contains(&left.len()), "{}", left.len());
    // The latest are those that are left.
    assert_eq!(left[0].scan.started_at, 39);
    assert_eq!(left[0].changes.len(), 100);
    // More than there is cannot go; what is remembered stays.
    let pruned = store.prune(60, &NOTHING).unwrap();
    assert!(pruned.size_bytes > 0);
    let state = store.read().image_state("a:1").unwrap().unwrap();
    assert_eq!(state.findings.len(), 100);
    assert_eq!(store.read().history("a:1", 100).unwrap().len(), 1);
}
