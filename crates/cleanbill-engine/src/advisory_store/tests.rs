use cleanbill_testkit::AdvisoryDatabaseBuilder;

use super::*;

fn now() -> Timestamp {
    "2026-11-22T06:30:00Z".parse().unwrap()
}

fn store_with_database() -> (tempfile::TempDir, AdvisoryStore) {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("source");
    std::fs::create_dir(&source).unwrap();
    sample_database(&source);
    let store = AdvisoryStore::new(directory.path().join("db"));
    let lock = store.lock().unwrap();
    store.install_directory(&lock, &source, now()).unwrap();
    drop(lock);
    (directory, store)
}

fn sample_database(directory: &Path) {
    let builder = AdvisoryDatabaseBuilder::new().advisory(
        "alpine 3.20",
        "musl",
        "CVE-1-1",
        r#"{"FixedVersion":"2"}"#,
    );
    builder.write_to(directory).unwrap();
}

#[test]
fn an_exported_archive_can_be_installed() {
    let (directory, store) = store_with_database();
    assert_eq!(store.open().unwrap().metadata().downloaded_at, now());
    let mut archive = Vec::new();
    store.export(&mut archive).unwrap();
    let other = AdvisoryStore::new(directory.path().join("other"));
    let lock = other.lock().unwrap();
    other
        .install_archive(&lock, &mut archive.as_slice(), &Limits::default(), now())
        .unwrap();
    let database = other.open().unwrap();
    assert_eq!(database.advisories("alpine 3.20", "musl").unwrap().len(), 1);
}

#[test]
fn whatever_fails_the_last_good_database_stays() {
    let (directory, store) = store_with_database();
    let mut archive = Vec::new();
    store.export(&mut archive).unwrap();
    let lock = store.lock().unwrap();
    for length in [0, 1, 10, archive.len() / 2, archive.len() - 1] {
        let mut truncated = archive.get(..length).unwrap();
        store
            .install_archive(&lock, &mut truncated, &Limits::default(), now())
            .unwrap_err();
    }
    let broken = directory.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("trivy.db"), b"no database").unwrap();
    std::fs::write(broken.join("metadata.json"), br#"{"Version":2}"#).unwrap();
    store.install_directory(&lock, &broken, now()).unwrap_err();
    assert!(store.open().is_ok());
    let left: Vec<_> = std::fs::read_dir(store.directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(UNFINISHED_PREFIX))
        .collect();
    assert_eq!(left, [] as [String; 0]);
}

#[test]
fn a_directory_that_was_made_in_vain_goes_again() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("new/db");
    let store = AdvisoryStore::new(&directory);
    drop(store.lock().unwrap());
    assert!(!root.path().join("new").exists());

    std::fs::create_dir_all(&directory).unwrap();
    drop(store.lock().unwrap());
    assert!(directory.join(".lock").exists(), "it was there before");

    std::fs::remove_dir_all(&directory).unwrap();
    let lock = store.lock().unwrap();
    std::fs::write(directory.join("trivy.db"), "").unwrap();
    drop(lock);
    assert!(directory.join(".lock").exists(), "it holds a database");
}

#[test]
fn who_waits_for_a_lock_that_is_removed_gets_another() {
    let root = tempfile::tempdir().unwrap();
    let store = AdvisoryStore::new(root.path().join("db"));
    let held = store.lock().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.lock().map(|lock| is_at(&lock.file, &lock.path)));
        std::thread::sleep(std::time::Duration::from_millis(50));
        drop(held);
        assert!(waiting.join().unwrap().unwrap());
    });
}
