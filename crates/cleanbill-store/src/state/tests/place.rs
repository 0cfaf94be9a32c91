//! Places that may not be written, or are full. They are mounted in a namespace of a process of
//! their own, where that is allowed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::kit::*;
use crate::StoreError;
use crate::state::*;

/// Tells the process in the namespace where the place is.
const PLACE: &str = "CLEANBILL_TEST_PLACE";

/// Runs a test once more, in a namespace in which a script has prepared a place. Returns `None`
/// in the outer process, and the place in the inner one.
#[expect(
    clippy::disallowed_methods,
    reason = "mounts need a namespace, and that a process"
)]
fn inside(test: &str, script: &str) -> Option<PathBuf> {
    if let Some(place) = std::env::var_os(PLACE) {
        return Some(PathBuf::from(place));
    }
    let directory = tempfile::tempdir().unwrap();
    drop(filled(directory.path()));
    let run = |then: &str| {
        Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-ec"])
            .arg(format!("{script}; {then}"))
            .arg("sh")
            .arg(directory.path())
            .arg(std::env::current_exe().unwrap())
            .args(["--nocapture", "--exact"])
            .arg(format!("state::tests::place::{test}"))
            .env(PLACE, directory.path())
            .output()
    };
    if !run("true").is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no namespace with mounts of its own can be had here");
        return None;
    }
    let output = run("shift; exec \"$@\"").unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
    None
}

fn filled(directory: &Path) -> StateStore {
    let store = open(directory);
    store
        .scan_commit(&look("a:1", vec![finding("CVE-1", "x")], 10))
        .unwrap();
    store
}

#[test]
fn a_read_only_place_is_named_and_can_be_read() {
    let script = "mount --bind \"$1\" \"$1\"; mount -o remount,bind,ro \"$1\"";
    let Some(place) = inside("a_read_only_place_is_named_and_can_be_read", script) else {
        return;
    };
    let error = StateStore::open(&place, 0).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "cannot lock the state: its place may not be written"
    );
    let reader = StateReader::open(&place).unwrap();
    assert_eq!(reader.affected(&["CVE-1"]).unwrap().len(), 1);
    let error = StateStore::join(&place).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
}

#[test]
fn a_full_disk_loses_nothing() {
    let script = "mount -t tmpfs -o size=1m tmpfs \"$1\"";
    let Some(place) = inside("a_full_disk_loses_nothing", script) else {
        return;
    };
    let ballast = place.join("ballast");
    std::fs::write(&ballast, vec![0; 300 << 10]).unwrap();
    let store = filled(&place);
    store.back_up().unwrap();
    let error = (0..1000)
        .find_map(|number| {
            let findings = (0..50).map(|one| finding(&format!("CVE-{number}-{one}"), "x"));
            let commit = look(&format!("b:{number}"), findings.collect(), 20);
            store.scan_commit(&commit).err()
        })
        .unwrap();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
    let summary = store.read().status_summary().unwrap();
    assert!(summary.images > 1);
    let error = store.back_up().unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
    drop(store);
    // What was committed is there, and so is the backup.
    let (store, opened) = StateStore::open(&place, 0).unwrap();
    assert_eq!(
        opened,
        Opened::AsItWas {
            migrated_from: None
        }
    );
    assert_eq!(store.read().status_summary().unwrap(), summary);
    assert!(store.backed_up_at().is_some());
    // With some space it goes on.
    std::fs::remove_file(ballast).unwrap();
    store
        .scan_commit(&look("c:1", vec![finding("CVE-2", "x")], 30))
        .unwrap();
}
