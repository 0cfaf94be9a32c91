mod hostile;

use std::collections::BTreeMap;
use std::ops::Bound;

use cleanbill_testkit::{BoltBucket, BoltWriter};
use proptest::prelude::*;

use super::*;

/// Entries that no test's database has.
const ALL: u64 = u64::MAX;

/// A database with every shape: trees of several levels, overflow pages, nested, inline and empty
/// buckets. About 100 pages of 1,024 bytes.
fn every_shape() -> BoltBucket {
    let mut root = BoltBucket::default();
    let tree = root.bucket("tree");
    for number in 0..600 {
        tree.put(format!("key {number:04}"), vec![b'v'; number % 97]);
    }
    let large = root.bucket("large");
    large.put("before", "1");
    large.put("large", vec![b'x'; 5_000]);
    large.put("later", "2");
    let nested = root.bucket("nested");
    for number in 0..40 {
        let inner = nested.bucket(format!("package {number}"));
        for id in 0..number {
            inner.put(format!("CVE-{id}"), format!("{{\"{number}\":{id}}}"));
        }
    }
    root.bucket("empty");
    root.put("plain", "value");
    root
}

fn write(root: &BoltBucket) -> Vec<u8> {
    BoltWriter::new(1024).write(root)
}

/// Reads everything in a bucket into nested maps, printed as text.
fn dump(bucket: Bucket<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in bucket.entries() {
        let entry = entry.unwrap();
        let key = String::from_utf8_lossy(entry.key);
        match entry.content {
            Content::Value(value) => lines.push(format!("{key}={}", value.len())),
            Content::Bucket(nested) => {
                let nested = dump(nested.unwrap());
                lines.extend(nested.into_iter().map(|line| format!("{key}/{line}")));
            }
        }
    }
    lines
}

#[test]
fn reads_every_shape() {
    for page_size in [1024, 4096, 65_536] {
        let bytes = BoltWriter::new(page_size).write(&every_shape());
        let db = BoltDb::open(&bytes).unwrap();
        assert_eq!(db.page_size(), page_size as u64);
        let lines = dump(db.root());
        assert_eq!(lines.len(), 1 + 600 + 3 + (0..40).sum::<usize>());
        assert_eq!(lines[0], "large/before=1");
        assert_eq!(lines[1], "large/large=5000");
        assert!(lines.contains(&"nested/package 39/CVE-38=9".to_owned()));
        assert!(lines.contains(&"tree/key 0599=17".to_owned()));
    }
}

#[test]
fn looks_up_values_and_buckets() {
    let bytes = write(&every_shape());
    let db = BoltDb::open(&bytes).unwrap();
    let root = db.root();
    let tree = root.bucket(b"tree").unwrap().unwrap();
    for number in 0..600 {
        let value = tree.get(format!("key {number:04}").as_bytes()).unwrap();
        assert_eq!(value.unwrap().len(), number % 97);
    }
    for absent in ["", "key", "key 0000x", "key 9999", "zzz"] {
        assert_eq!(tree.get(absent.as_bytes()).unwrap(), None, "{absent}");
    }
    assert_eq!(root.get(b"plain").unwrap(), Some(&b"value"[..]));
}

#[test]
fn the_wrong_kind_counts_as_absent() {
    let bytes = write(&every_shape());
    let root = BoltDb::open(&bytes).unwrap();
    let root = root.root();
    assert_eq!(root.get(b"tree").unwrap(), None);
    assert!(root.bucket(b"plain").unwrap().is_none());
    assert!(root.bucket(b"").unwrap().is_none());
    let empty = root.bucket(b"empty").unwrap().unwrap();
    assert_eq!(empty.entries().count(), 0);
    assert_eq!(empty.get(b"x").unwrap(), None);
}

#[test]
fn an_empty_database_is_empty() {
    let bytes = write(&BoltBucket::default());
    assert_eq!(visit_all(&bytes, ALL), Ok(0));
}

#[test]
fn iteration_starts_where_it_is_told() {
    let bytes = write(&every_shape());
    let db = BoltDb::open(&bytes).unwrap();
    let tree = db.root().bucket(b"tree").unwrap().unwrap();
    let first_from = |key: &[u8]| {
        let entry = tree.entries_from(key).next();
        entry.map(|entry| String::from_utf8_lossy(entry.unwrap().key).into_owned())
    };
    assert_eq!(first_from(b"").as_deref(), Some("key 0000"));
    assert_eq!(first_from(b"key 0123").as_deref(), Some("key 0123"));
    assert_eq!(first_from(b"key 0123x").as_deref(), Some("key 0124"));
    assert_eq!(first_from(b"key 9"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn agrees_with_a_map(
        model in proptest::collection::btree_map("[a-c]{1,6}", 0_usize..400, 0..150),
        probe in "[a-d]{0,6}",
    ) {
        let mut root = BoltBucket::default();
        for (key, length) in &model {
            root.put(key.as_str(), vec![b'.'; *length]);
        }
        let bytes = write(&root);
        let db = BoltDb::open(&bytes).unwrap();
        prop_assert_eq!(collect(db.root().entries()), model.clone());
        let range = (Bound::Included(probe.clone()), Bound::Unbounded);
        let expected: BTreeMap<_, _> =
            model.range(range).map(|(key, length)| (key.clone(), *length)).collect();
        prop_assert_eq!(collect(db.root().entries_from(probe.as_bytes())), expected);
        let found = db.root().get(probe.as_bytes()).unwrap().map(<[u8]>::len);
        prop_assert_eq!(found, model.get(&probe).copied());
    }
}

fn collect(entries: Entries<'_>) -> BTreeMap<String, usize> {
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            let Content::Value(value) = entry.content else {
                panic!("a bucket among values");
            };
            (String::from_utf8(entry.key.to_vec()).unwrap(), value.len())
        })
        .collect()
}
