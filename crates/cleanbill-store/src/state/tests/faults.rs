//! The store fails, or the process dies, at every step of the cycle.
//!
//! The faults are SQLite's own: a progress handler that is called before every instruction of its
//! virtual machine and interrupts the n-th (so every statement fails at every place, `BEGIN` and
//! `COMMIT` included), a commit hook that turns the n-th commit into a rollback, and a cap on the
//! number of pages, which is a full disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;

use super::kit::{open, scratch};
use super::model::{Stop, World};
use crate::StoreError;
use crate::state::*;

/// Opens the store as a process that starts does. Waiting for the disk proves nothing here.
fn start(directory: &Path) -> StateStore {
    let store = open(directory);
    let off = lock(&store.writer).pragma_update(None, "synchronous", "OFF");
    off.unwrap();
    store.outbox_release().unwrap();
    store
}

/// Interrupts the n-th instruction from now on.
fn fail_instruction(store: &StateStore, number: i64) -> Arc<AtomicI64> {
    let left = Arc::new(AtomicI64::new(number));
    for connection in [&store.writer, &store.reader.connection] {
        let left = Arc::clone(&left);
        let handler = move || left.fetch_sub(1, Ordering::Relaxed) == 1;
        let armed = lock(connection).progress_handler(1, Some(handler));
        armed.unwrap();
    }
    left
}

/// Lets everything through again.
fn disarm(store: &StateStore) {
    let never: Option<fn() -> bool> = None;
    for connection in [&store.writer, &store.reader.connection] {
        lock(connection).progress_handler(1, never).unwrap();
    }
}

/// Turns the n-th commit from now on into a rollback.
fn fail_commit(store: &StateStore, number: i64) -> Arc<AtomicI64> {
    let left = Arc::new(AtomicI64::new(number));
    let counter = Arc::clone(&left);
    let hook = move || counter.fetch_sub(1, Ordering::Relaxed) == 1;
    lock(&store.writer).commit_hook(Some(hook)).unwrap();
    left
}

fn has_fired(left: &AtomicI64) -> bool {
    left.load(Ordering::Relaxed) <= 0
}

/// Keeps the file as small as it is in life.
fn keep_small(store: &StateStore, world: &World) {
    let budgets = PruneBudgets {
        history_age_ms_max: 50,
        delivered_age_ms_max: 50,
        ..PruneBudgets::default()
    };
    store.prune(world.now, &budgets).unwrap();
}

#[test]
fn every_instruction_may_fail() {
    let directory = scratch();
    let mut world = World::new();
    let mut store = start(directory.path());
    let mut number = 0;
    loop {
        number += 1;
        world.begin_round();
        let left = fail_instruction(&store, number);
        let outcome = world.run_round(&store);
        if !has_fired(&left) {
            assert!(outcome.is_ok());
            break;
        }
        drop(store);
        store = start(directory.path());
        world.run_round(&store).unwrap();
        if number % 50 == 0 {
            keep_small(&store, &world);
        }
    }
    world.check();
    eprintln!("{} instructions failed, one in each run", number - 1);
    assert!(number > 1000, "{number}");
}

#[test]
fn every_commit_may_fail_and_the_process_go_on() {
    let directory = scratch();
    let mut world = World::new();
    let store = start(directory.path());
    for number in 1.. {
        world.begin_round();
        let left = fail_commit(&store, number);
        let outcome = world.run_round(&store);
        if !has_fired(&left) {
            assert!(number > 5, "{number}");
            break;
        }
        assert!(matches!(outcome, Err(Stop::Failed)), "{number}");
        world.wait();
        world.run_round(&store).unwrap();
    }
    world.check();
}

#[test]
fn the_process_may_die_between_any_two_steps() {
    let directory = scratch();
    let mut world = World::new();
    for steps in 0.. {
        let store = start(directory.path());
        world.begin_round();
        world.steps_left = steps;
        let outcome = world.run_round(&store);
        world.steps_left = -1;
        drop(store);
        if outcome.is_ok() {
            assert!(steps > 5, "{steps}");
            break;
        }
        world.run_round(&start(directory.path())).unwrap();
    }
    world.check();
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    Instruction(i64),
    Commit(i64),
    Death(i64),
    AnswersLost(u32),
    FullDisk,
}

fn troubles() -> impl Strategy<Value = Vec<(Trouble, bool)>> {
    let trouble = prop_oneof![
        8 => (1..4000_i64).prop_map(Trouble::Instruction),
        2 => (1..10_i64).prop_map(Trouble::Commit),
        2 => (0..14_i64).prop_map(Trouble::Death),
        1 => (1..5_u32).prop_map(Trouble::AnswersLost),
        1 => Just(Trouble::FullDisk),
    ];
    proptest::collection::vec((trouble, any::<bool>()), 1..40)
}

/// Brings trouble over the store; it stays for the rest of the process.
fn bring(trouble: Trouble, store: &StateStore, world: &mut World) {
    match trouble {
        Trouble::Instruction(number) => drop(fail_instruction(store, number)),
        Trouble::Commit(number) => drop(fail_commit(store, number)),
        Trouble::Death(steps) => world.steps_left = steps,
        Trouble::AnswersLost(count) => world.answers_lost = count,
        Trouble::FullDisk => {
            // The trouble before this one may strike here.
            disarm(store);
            limit_pages(store, 0);
        }
    }
}

/// Limits the file to the pages that it has and some more.
fn limit_pages(store: &StateStore, more: i64) {
    let connection = lock(&store.writer);
    let pages: i64 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    connection
        .pragma_update_and_check(None, "max_page_count", pages + more, |_| Ok(()))
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Several troubles one after the other, while what the last one left behind is being cleared
    /// up; some processes restart after it and some go on.
    #[test]
    fn nothing_is_lost_or_repeated(troubles in troubles()) {
        let directory = scratch();
        let mut world = World::new();
        let mut store = start(directory.path());
        world.begin_round();
        for (trouble, restarts) in troubles {
            bring(trouble, &store, &mut world);
            match world.run_round(&store) {
                Ok(()) => world.begin_round(),
                Err(Stop::Died) => {
                    drop(store);
                    store = start(directory.path());
                }
                Err(Stop::Failed) if restarts => {
                    drop(store);
                    store = start(directory.path());
                }
                Err(Stop::Failed) => world.wait(),
            }
            world.steps_left = -1;
        }
        drop(store);
        let store = start(directory.path());
        world.run_round(&store).unwrap();
        world.check();
        let summary = store.read().status_summary().unwrap();
        prop_assert_eq!((summary.changes_untold, summary.messages_pending), (0, 0));
    }
}

#[test]
fn a_full_disk_is_told_apart_and_changes_nothing() {
    let directory = scratch();
    let mut world = World::new();
    let store = start(directory.path());
    world.begin_round();
    world.run_round(&store).unwrap();
    let before = store.read().status_summary().unwrap();
    limit_pages(&store, 0);
    let findings: Vec<_> = (0..2000)
        .map(|number| super::kit::finding(&format!("CVE-9-{number}"), "x"))
        .collect();
    let error = store
        .scan_commit(&super::kit::look("b:1", findings, 0))
        .unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "cannot write the state: the disk is full"
    );
    assert_eq!(store.read().status_summary().unwrap(), before);
    limit_pages(&store, 10_000);
    world.run_round(&store).unwrap();
    world.check();
}
