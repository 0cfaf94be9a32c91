//! Entry points for fuzz targets and their replay: arbitrary bytes in, broken promises out as a
//! panic. Not part of the crate's interface.

use std::io::{Read, Write};

use crate::boltdb::{BoltDb, Content, visit_all};
use crate::exploitation::{ExploitationError, ListInfo, import_epss, import_kev};
use crate::{CpeKey, Database, Metadata};

/// An entry point with the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point of the crate, by the name of its folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("advisories_boltdb", boltdb),
    ("advisories_database", database),
    ("advisories_epss", epss),
    ("advisories_kev", kev),
    ("advisories_metadata", metadata),
];

/// Entries that are visited. A file of 64 KiB cannot hold as many, however its pages overlap.
const ENTRIES_MAX: u64 = 100_000;
/// Keys that are looked up in each bucket.
const LOOKUPS_MAX: usize = 64;

/// Bytes that a published list may have here.
const LIST_BYTES_MAX: u64 = 1 << 20;

/// Reads EPSS scores as they are published.
pub fn epss(data: &[u8]) {
    import(data, import_epss);
}

/// Reads a KEV catalogue as it is published.
pub fn kev(data: &[u8]) {
    import(data, import_kev);
}

type Import = fn(&mut dyn Read, u64, &mut dyn Write) -> Result<ListInfo, ExploitationError>;

/// What is kept can be searched: after the lines that say what it is come CVEs, in order.
fn import(mut data: &[u8], import: Import) {
    let mut kept = Vec::new();
    let Ok(info) = import(&mut data, LIST_BYTES_MAX, &mut kept) else {
        return;
    };
    let text = String::from_utf8(kept).expect("text is kept");
    let cves: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("CVE-"))
        .map(|line| line.split([',', '\t', ' ']).next().unwrap_or(line))
        .collect();
    assert!(cves.is_sorted_by(|a, b| a < b), "each CVE once, in order");
    assert_eq!(cves.len() as u64, info.count, "as many as it says");
}

/// Visits everything in a file, and finds every key again.
pub fn boltdb(data: &[u8]) {
    let seen = visit_all(data, ENTRIES_MAX);
    let Ok(db) = BoltDb::open(data) else {
        assert!(seen.is_err(), "a file that is not opened has no entries");
        return;
    };
    let root = db.root();
    for entry in root.entries().take(LOOKUPS_MAX).map_while(Result::ok) {
        let _ = root.get(entry.key);
        let _ = root.bucket(entry.key);
        let _ = root.entries_from(entry.key).take(LOOKUPS_MAX).count();
        // In a sound file every key is found under its own name.
        if seen.is_ok() {
            assert!(is_found(&db, entry.key, &entry.content), "{:?}", entry.key);
        }
    }
}

fn is_found(db: &BoltDb<&[u8]>, key: &[u8], content: &Content<'_>) -> bool {
    match content {
        Content::Value(value) => matches!(db.root().get(key), Ok(Some(found)) if found == *value),
        Content::Bucket(_) => key.is_empty() || matches!(db.root().bucket(key), Ok(Some(_))),
    }
}

/// Looks up everything that a database holds.
pub fn database(data: &[u8]) {
    const METADATA: &[u8] = br#"{"Version":2,"UpdatedAt":"2026-11-21T06:00:00Z"}"#;
    let Ok(database) = Database::open_bytes(data.to_vec(), METADATA) else {
        return;
    };
    let _ = database.statistics();
    for (bucket, keys) in names(data) {
        let _ = database.has_bucket(&bucket);
        let _ = database.vulnerability(&bucket);
        for key in keys {
            let _ = database.advisories(&bucket, &key);
            let _ = database.vulnerability(&key);
            let _ = database.cpe_indices(CpeKey::Repository, &key);
            let _ = database.cpe_indices(CpeKey::Nvr, &key);
        }
        let _ = database.ecosystem_advisories(bucket.get(..1).unwrap_or_default(), "a");
    }
}

/// Lists buckets with the keys in them.
fn names(data: &[u8]) -> Vec<(String, Vec<String>)> {
    let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    let Ok(db) = BoltDb::open(data) else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for entry in db.root().entries().take(LOOKUPS_MAX).map_while(Result::ok) {
        let keys = match entry.content {
            Content::Bucket(Ok(bucket)) => bucket
                .entries()
                .take(LOOKUPS_MAX)
                .map_while(Result::ok)
                .map(|entry| text(entry.key))
                .collect(),
            _ => Vec::new(),
        };
        names.push((text(entry.key), keys));
    }
    names
}

/// Reads `metadata.json`. What is read from its print is the same.
pub fn metadata(data: &[u8]) {
    if let Ok(metadata) = Metadata::parse(data) {
        let printed = metadata.to_json();
        let again = Metadata::parse(printed.as_bytes()).expect("printed metadata can be read");
        assert_eq!(again, metadata);
    }
}
