//! What counters are made of: each row is seen once, whatever is pruned meanwhile.

use cleanbill_core::problem::AssessmentStatus;

use super::kit::*;
use crate::state::*;

const BOUNDS_MS: &[u64] = &[10, 100];

fn store() -> StateStore {
    StateStore::in_memory().unwrap()
}

fn since(store: &StateStore, mark: &ActivityMark) -> Activity {
    store.read().activity_since(mark, BOUNDS_MS).unwrap()
}

fn commit(store: &StateStore, image: &str, status: AssessmentStatus, duration_ms: u64) {
    let mut commit = look(image, vec![finding("CVE-1", "x")], 5);
    commit.scan.status = status;
    commit.scan.duration_ms = duration_ms;
    store.scan_commit(&commit).unwrap();
}

#[test]
fn an_empty_state_has_done_nothing() {
    let store = store();
    let mark = store.read().activity_mark().unwrap();
    assert_eq!(mark, ActivityMark::default());
    assert_eq!(since(&store, &mark), Activity::default());
}

#[test]
fn looks_are_counted_once_by_kind_and_duration() {
    let store = store();
    commit(&store, "before:1", AssessmentStatus::Complete, 1);
    let mark = store.read().activity_mark().unwrap();
    for (status, duration_ms) in [
        (AssessmentStatus::Complete, 10),
        (AssessmentStatus::Complete, 11),
        (AssessmentStatus::Complete, 5_000),
        (AssessmentStatus::Failed, 0),
    ] {
        commit(&store, "a:1", status, duration_ms);
    }
    let activity = since(&store, &mark);
    let kind = |status, count, duration_ms, within: &[u64]| ScanActivity {
        triggered_by: "schedule".to_owned(),
        status,
        count,
        duration_ms,
        within: within.to_vec(),
    };
    assert_eq!(
        activity.scans,
        [
            kind(AssessmentStatus::Complete, 3, 5_021, &[1, 2]),
            kind(AssessmentStatus::Failed, 1, 0, &[1, 1]),
        ]
    );
    assert_eq!(since(&store, &activity.mark).scans, []);
}

#[test]
fn a_duration_that_cannot_be_is_no_error() {
    let store = store();
    for _ in 0..3 {
        commit(&store, "a:1", AssessmentStatus::Complete, i64::MAX as u64);
    }
    let activity = since(&store, &ActivityMark::default());
    assert_eq!(activity.scans[0].count, 3);
    assert_eq!(activity.scans[0].within, [0, 0]);
}

#[test]
fn passes_count_when_they_end() {
    let store = store();
    let interrupted = store.pass_begin("schedule", 1).unwrap();
    let first = store.pass_begin("schedule", 2).unwrap();
    let mark = store.read().activity_mark().unwrap();
    assert_eq!(since(&store, &mark), Activity::default());
    store.pass_finish(first, 30, 4, 0).unwrap();
    let second = store.pass_begin("schedule", 40).unwrap();
    store.pass_finish(second, 50, 4, 1).unwrap();
    assert!(interrupted < first);
    let activity = since(&store, &mark);
    assert_eq!(
        (activity.passes_complete, activity.passes_incomplete),
        (1, 1)
    );
    assert_eq!(activity.pass_succeeded_at, Some(30));
    let later = since(&store, &activity.mark);
    assert_eq!((later.passes_complete, later.passes_incomplete), (0, 0));
    assert_eq!(later.pass_succeeded_at, Some(30));
}

#[test]
fn attempts_are_counted_by_channel_and_outcome() {
    let store = store();
    let messages = [message("mail", "m", &[]), message("chat", "m", &[])];
    let numbers = store.messages_commit(&[], &messages, 10).unwrap();
    let mark = store.read().activity_mark().unwrap();
    store.outbox_claim(None, 20, 1_000, 10).unwrap();
    store.outbox_retry(numbers[0], 21, "busy", 22).unwrap();
    store.outbox_retry(numbers[0], 22, "busy", 23).unwrap();
    store.outbox_delivered(numbers[0], 24, "ok").unwrap();
    store.outbox_dead(numbers[1], 25, "gone").unwrap();
    let activity = since(&store, &mark);
    let counted: Vec<(&str, &str, u64)> = activity
        .deliveries
        .iter()
        .map(|one| (one.channel.as_str(), one.outcome.as_str(), one.count))
        .collect();
    assert_eq!(
        counted,
        [
            ("chat", "dead", 1),
            ("mail", "delivered", 1),
            ("mail", "retry", 2)
        ]
    );
    assert_eq!(activity.message_dead_at, Some(25));
    store.outbox_requeue(numbers[1], 26).unwrap();
    let later = since(&store, &activity.mark);
    assert_eq!((later.deliveries, later.message_dead_at), (vec![], None));
}

#[test]
fn a_mark_never_goes_back() {
    let store = store();
    commit(&store, "a:1", AssessmentStatus::Complete, 1);
    let mark = since(&store, &ActivityMark::default()).mark;
    assert_ne!(mark, ActivityMark::default());
    store.image_forget("a:1").unwrap();
    let later = since(&store, &mark);
    assert_eq!((later.mark, later.scans), (mark, vec![]));
}
