//! Files in a condition in which no file should be.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::kit::*;
use crate::StoreError;
use crate::state::*;

const NOW: i64 = 1_795_329_000_123;

fn state_path(directory: &Path) -> PathBuf {
    directory.join(StateStore::FILE_NAME)
}

fn commit(store: &StateStore, image: &str) {
    let findings = (0..200).map(|number| finding(&format!("CVE-1-{number}"), "x"));
    let commit = look(image, findings.collect(), 10);
    store.scan_commit(&commit).unwrap();
}

/// Makes a state of two images, of which a backup has the first.
fn filled(directory: &Path) {
    let store = open(directory);
    commit(&store, "a:1");
    store.back_up().unwrap();
    commit(&store, "b:1");
}

fn images(store: &StateStore) -> Vec<String> {
    let rows = store.read().image_list().unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Damages the state and checks that the backup takes its place, and that the damaged file is kept.
#[track_caller]
fn check_restored(damage: impl FnOnce(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    damage(&state_path(directory.path()));
    let damaged = fs::read(state_path(directory.path())).ok();
    let (store, opened) = StateStore::open(directory.path(), NOW).unwrap();
    let Opened::Restored {
        set_aside,
        backup_made_at,
    } = opened
    else {
        panic!("{opened:?}")
    };
    assert!(backup_made_at > 0);
    assert_eq!(
        set_aside.as_ref().map(|path| fs::read(path).unwrap()),
        damaged
    );
    assert_eq!(images(&store), ["a:1"]);
    let state = store.read().image_state("a:1").unwrap().unwrap();
    assert_eq!(state.findings.len(), 200);
    // It is a state like any other again.
    commit(&store, "c:1");
    drop(store);
    let (store, opened) = StateStore::open(directory.path(), NOW).unwrap();
    assert_eq!(
        opened,
        Opened::AsItWas {
            migrated_from: None
        }
    );
    assert_eq!(images(&store), ["a:1", "c:1"]);
}

#[test]
fn a_damaged_state_is_replaced_by_its_backup() {
    check_restored(|path| fs::write(path, vec![b'x'; 8192]).unwrap());
    check_restored(|path| fs::write(path, b"short").unwrap());
    check_restored(|path| fs::write(path, b"").unwrap());
    check_restored(|path| fs::remove_file(path).unwrap());
}

#[test]
fn a_truncated_state_is_replaced_by_its_backup() {
    for share in [2, 3, 10] {
        check_restored(|path| {
            let file = fs::File::options().write(true).open(path).unwrap();
            let size = file.metadata().unwrap().len();
            file.set_len(size - size / share).unwrap();
        });
    }
}

#[test]
fn a_torn_page_is_found_at_the_next_start() {
    check_restored(|path| {
        let mut bytes = fs::read(path).unwrap();
        let page = bytes.len() / 2 / 4096 * 4096;
        bytes[page..page + 64].fill(0xff);
        fs::write(path, bytes).unwrap();
    });
}

#[test]
fn a_journal_of_the_damaged_file_is_not_applied_to_the_backup() {
    check_restored(|path| {
        // What a killed process leaves behind: a journal that was not applied.
        let (journal, kept) = (path.with_extension("db-wal"), path.with_extension("kept"));
        let connection = Connection::open(path).unwrap();
        connection
            .execute("UPDATE image SET name = 'journal:1' WHERE name = 'a:1'", [])
            .unwrap();
        fs::copy(&journal, &kept).unwrap();
        drop(connection);
        fs::rename(&kept, &journal).unwrap();
        fs::write(path, b"damaged").unwrap();
    });
}

#[test]
fn without_a_backup_the_state_begins_anew_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let opened = |directory: &Path| StateStore::open(directory, NOW).unwrap().1;
    assert_eq!(
        opened(directory.path()),
        Opened::Fresh { set_aside: vec![] }
    );
    fs::write(state_path(directory.path()), b"damaged").unwrap();
    let aside = directory.path().join("state.db.corrupt-1795329000");
    assert_eq!(
        opened(directory.path()),
        Opened::Fresh {
            set_aside: vec![aside.clone()]
        }
    );
    // A second one within the same second does not take the place of the first.
    fs::write(state_path(directory.path()), b"again").unwrap();
    fs::write(directory.path().join("state.db.backup"), b"neither").unwrap();
    assert_eq!(
        opened(directory.path()),
        Opened::Fresh {
            set_aside: vec![
                directory.path().join("state.db.corrupt-1795329000-2"),
                directory.path().join("state.db.backup.corrupt-1795329000"),
            ]
        }
    );
    assert_eq!(fs::read(aside).unwrap(), b"damaged");
    assert_eq!(
        names_in(directory.path()),
        [
            "state.db",
            "state.db.backup.corrupt-1795329000",
            "state.db.corrupt-1795329000",
            "state.db.corrupt-1795329000-2",
            "state.db.lock",
        ]
    );
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let connection = Connection::open(state_path(directory.path())).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refusals = [
        StateStore::open(directory.path(), NOW).unwrap_err(),
        StateStore::join(directory.path()).unwrap_err(),
        StateReader::open(directory.path()).unwrap_err(),
    ];
    for error in refusals {
        assert!(matches!(error, StoreError::NewerSchema { found: 99, .. }));
        let text = error.to_string();
        assert!(
            text.ends_with("use that version, or another state directory"),
            "{text}"
        );
    }
    assert!(!names_in(directory.path()).concat().contains("corrupt"));
}

#[test]
fn an_older_schema_is_copied_before_it_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let path = state_path(directory.path());
    let newer = crate::sqlite::Layout {
        migrations: &[
            include_str!("../migrations/0001_state.sql"),
            "ALTER TABLE image ADD COLUMN note TEXT NOT NULL DEFAULT ''",
        ],
        ..opening::LAYOUT
    };
    let (connection, opened) = opening::open(&path, &newer, NOW).unwrap();
    assert_eq!(
        opened,
        Opened::AsItWas {
            migrated_from: Some(1)
        }
    );
    connection
        .execute("UPDATE image SET note = 'x'", [])
        .unwrap();
    drop(connection);
    // Whoever goes back to the version of before has its file.
    fs::rename(directory.path().join("state.db.before-2"), &path).unwrap();
    let store = open(directory.path());
    assert_eq!(images(&store), ["a:1", "b:1"]);
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let path = state_path(directory.path());
    let broken = crate::sqlite::Layout {
        migrations: &[
            include_str!("../migrations/0001_state.sql"),
            "DROP TABLE delivery; SELECT no_such_function()",
        ],
        ..opening::LAYOUT
    };
    assert!(opening::open(&path, &broken, NOW).is_err());
    let store = open(directory.path());
    assert!(store.read().delivery_list(1).unwrap().is_empty());
}

#[test]
fn one_process_owns_the_state() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(
        StateStore::join(directory.path()).unwrap_err(),
        StoreError::Missing { .. }
    ));
    let owner = open(directory.path());
    let error = StateStore::open(directory.path(), NOW).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    // Beside it others may write what a person asks for, and read.
    let number = owner
        .messages_commit(&[], &[message("mail", "m1", &[])], 10)
        .unwrap()[0];
    owner.outbox_dead(number, 20, "refused").unwrap();
    let other = StateStore::join(directory.path()).unwrap();
    other.outbox_requeue(number, 30).unwrap();
    assert_eq!(owner.outbox_claim(None, 30, 100, 10).unwrap().len(), 1);
    drop(owner);
    open(directory.path());
}

#[test]
fn a_damaged_row_is_an_error_and_not_nothing() {
    let store = StateStore::in_memory().unwrap();
    commit(&store, "a:1");
    lock(&store.writer)
        .execute("UPDATE image_state SET findings = x'00'", [])
        .unwrap();
    let error = store.read().image_state("a:1").unwrap_err();
    assert_eq!(
        error.to_string(),
        "what the state holds as findings of a:1 makes no sense"
    );
    lock(&store.writer)
        .execute("UPDATE change SET change = '{}'", [])
        .unwrap();
    assert!(store.read().changes_untold(1).is_err());
}

#[test]
fn a_backup_is_replaced_at_once_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let backup = directory.path().join("state.db.backup");
    let before = fs::read(&backup).unwrap();
    let store = open(directory.path());
    assert!(store.backed_up_at().is_some());
    // A directory is where the copy should be written.
    fs::create_dir(directory.path().join("state.db.backup.part")).unwrap();
    assert!(store.back_up().is_err());
    assert_eq!(fs::read(&backup).unwrap(), before);
    fs::remove_dir(directory.path().join("state.db.backup.part")).unwrap();
    store.back_up().unwrap();
    assert_ne!(fs::read(&backup).unwrap(), before);
    assert!(!names_in(directory.path()).concat().contains("part"));
}
