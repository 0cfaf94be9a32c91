//! Processes that are killed for real, while they write and while they read.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::kit::{open, scratch};
use super::model::World;
use crate::state::*;

/// Makes this test the process that is to be killed, or the one that reads: where the state lies.
const WRITER: &str = "CLEANBILL_TEST_WRITER";
const READER: &str = "CLEANBILL_TEST_READER";

const KILLS: u64 = 60;

fn log_path(directory: &Path) -> PathBuf {
    directory.join("world.log")
}

/// Starts this program once more, running one test.
#[expect(
    clippy::disallowed_methods,
    reason = "a process that can be killed is needed"
)]
fn spawn(test: &str, variable: &str, directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("state::tests::kill::{test}"),
            "--nocapture",
        ])
        .env(variable, directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs rounds as the monitor would: first those that a killed process left unfinished.
fn run_rounds(directory: &Path, rounds: u64) {
    let store = open(directory);
    store.outbox_release().unwrap();
    let mut world = World::load(&log_path(directory));
    for _ in 0..rounds {
        if world.round > 0 {
            world.run_round(&store).unwrap();
        }
        world.begin_round();
        if world.round % 16 == 0 {
            store.back_up().unwrap();
        }
    }
    world.run_round(&store).unwrap();
}

#[test]
fn a_writer_writes() {
    match std::env::var_os(WRITER) {
        Some(directory) => run_rounds(Path::new(&directory), u64::MAX),
        None => {
            let directory = scratch();
            run_rounds(directory.path(), 3);
            World::load(&log_path(directory.path())).check();
        }
    }
}

#[test]
fn killed_at_any_moment_nothing_is_lost_or_repeated() {
    let directory = scratch();
    for number in 0..KILLS {
        let mut child = spawn("a_writer_writes", WRITER, directory.path());
        // Not a time that something takes: any moment will do, the earliest included.
        std::thread::sleep(Duration::from_micros(3_000 + number * 7_919 % 90_000));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let rounds = World::load(&log_path(directory.path())).round;
    let (store, opened) = StateStore::open(directory.path(), 0).unwrap();
    assert!(matches!(
        opened,
        Opened::AsItWas { .. } | Opened::Fresh { .. }
    ));
    drop(store);
    run_rounds(directory.path(), 1);
    let world = World::load(&log_path(directory.path()));
    world.check();
    eprintln!("{KILLS} kills in {rounds} rounds");
    assert!(rounds > 20, "only {rounds} rounds were run");
}

#[test]
fn a_reader_reads() {
    let (directory, rounds) = match std::env::var_os(READER) {
        Some(directory) => (PathBuf::from(directory), 200),
        None => {
            let directory = scratch();
            run_rounds(directory.path(), 2);
            (directory.keep(), 1)
        }
    };
    let reader = StateReader::open(&directory).unwrap();
    for _ in 0..rounds {
        let summary = reader.status_summary().unwrap();
        assert!(summary.images <= 1);
        // All of one moment: the remembered findings are those that can be searched.
        if let Some(state) = reader.image_state(super::model::IMAGE).unwrap() {
            assert_eq!(state.findings.len(), 2);
        }
        let affected = reader.affected_by_package("openssl").unwrap();
        assert!(affected.is_empty() || affected.len() == 2);
    }
    if std::env::var_os(READER).is_none() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
}

#[test]
fn another_process_reads_while_this_one_writes() {
    let directory = scratch();
    run_rounds(directory.path(), 1);
    let mut readers = [0, 1].map(|_| spawn("a_reader_reads", READER, directory.path()));
    let store = open(directory.path());
    let mut world = World::load(&log_path(directory.path()));
    let is_running = |child: &mut Child| child.try_wait().unwrap().is_none();
    let mut rounds = 0;
    while readers.iter_mut().any(is_running) || rounds < 50 {
        world.begin_round();
        world.run_round(&store).unwrap();
        rounds += 1;
    }
    for reader in &mut readers {
        assert!(reader.wait().unwrap().success());
    }
    world.check();
}
