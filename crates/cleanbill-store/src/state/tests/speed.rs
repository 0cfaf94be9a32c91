//! Answers come from indices: their time does not grow with what is known.

use super::kit::*;
use crate::state::*;

const IMAGES: usize = 1000;
const FINDINGS: usize = 300;

/// Makes a host full of images; every vulnerability is in a hundredth of them.
fn full() -> StateStore {
    let store = StateStore::in_memory().unwrap();
    for chunk in (0..IMAGES).collect::<Vec<_>>().chunks(100) {
        let encode = |image: &usize| store.read().scan_encode_judged(one(*image)).unwrap();
        let commits: Vec<EncodedCommit> = chunk.iter().map(encode).collect();
        store.scan_commit_all(&commits).unwrap();
    }
    store
}

fn one(image: usize) -> ScanCommit {
    let findings = (0..FINDINGS).map(|number| {
        let id = (image % 100) * FINDINGS + number;
        finding(
            &format!("CVE-2026-{id:05}"),
            &format!("package-{}", number % 50),
        )
    });
    let mut commit = look(&format!("registry/app-{image}:1"), findings.collect(), 10);
    commit.changes.truncate(3);
    commit
}

/// Returns how a query finds its rows, in SQLite's words.
fn plan(store: &StateStore, sql: &str) -> Vec<String> {
    let connection = lock(&store.writer);
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let parameters = statement.parameter_count();
    let values = vec!["1"; parameters];
    let rows = statement
        .query_map(rusqlite::params_from_iter(values), |row| row.get(3))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

/// Checks that no table is read from end to end.
#[track_caller]
fn check_indexed(store: &StateStore, sql: &str) {
    let plan = plan(store, sql);
    assert!(!plan.is_empty());
    for step in &plan {
        assert!(!step.starts_with("SCAN"), "{step} in {plan:#?}");
    }
}

#[test]
fn who_is_affected_is_one_look_up() {
    let store = full();
    let begin = std::time::Instant::now();
    let affected = store.read().affected(&["CVE-2026-00007"]).unwrap();
    eprintln!(
        "{:?} for one look-up, {} bytes in all",
        begin.elapsed(),
        store.read().status_summary().unwrap().size_bytes
    );
    assert_eq!(affected.len(), IMAGES / 100);
    for condition in ["f.vulnerability_id = ?1", "f.package_name = ?1"] {
        let sql = format!(
            "{} WHERE {condition} AND i.gone_at IS NULL",
            findings::AFFECTED_ROW
        );
        check_indexed(&store, &sql);
    }
    let untold = "SELECT id FROM change WHERE told_at IS NULL AND EXISTS (SELECT 1 FROM image i
         WHERE i.id = change.image AND i.gone_at IS NULL) ORDER BY id LIMIT ?1";
    // This index has nothing but what is untold.
    let all_of_it = "SCAN change USING INDEX change_untold";
    assert!(
        plan(&store, untold).iter().any(|step| step == all_of_it),
        "{:?}",
        plan(&store, untold)
    );
    check_indexed(
        &store,
        "SELECT id FROM scan WHERE image = (SELECT id FROM image WHERE name = ?1)
         ORDER BY id DESC LIMIT ?2",
    );
    check_indexed(
        &store,
        "SELECT change FROM change WHERE scan = ?1 ORDER BY id",
    );
    check_indexed(
        &store,
        "SELECT id FROM outbox WHERE state = 'pending' AND next_attempt_at <= ?1
         ORDER BY next_attempt_at, id LIMIT ?3",
    );
    // Counted, not timed: an instruction takes some ten nanoseconds.
    let count = instructions(&store, |store| {
        store.read().affected(&["CVE-2026-00007"]).unwrap();
    });
    assert!(count < 2_000, "{count} instructions");
    let count = instructions(&store, |store| {
        store.read().image_state("registry/app-7:1").unwrap();
    });
    assert!(count < 200, "{count} instructions");
    // A look that finds what the last one found writes little.
    let again = one(7);
    let count = instructions(&store, |store| {
        let changes = Vec::new();
        store
            .scan_commit(&ScanCommit {
                changes,
                ..again.clone()
            })
            .unwrap();
    });
    assert!(count < 1_000, "{count} instructions");
}

/// Counts the instructions of SQLite's virtual machine.
fn instructions(store: &StateStore, work: impl FnOnce(&StateStore)) -> u64 {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    let handler = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    lock(&store.writer)
        .progress_handler(1, Some(handler))
        .unwrap();
    work(store);
    lock(&store.writer)
        .progress_handler(1, None::<fn() -> bool>)
        .unwrap();
    count.load(Ordering::Relaxed)
}
