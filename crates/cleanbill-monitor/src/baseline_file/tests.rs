//! Files of the older script and of ours.

use std::fs;

use proptest::prelude::*;

use super::*;

/// As the older script wrote it.
const OLDER: &str = r#"{
  "image": "a/b:1",
  "timestamp": "2026-11-22T06-30-00Z",
  "vulnerabilities": [
    "CVE-2026-1",
    "CVE-2026-2"
  ]
}"#;

fn now() -> Timestamp {
    "2026-11-22T06:30:00Z".parse().unwrap()
}

fn baseline(image: &str, ids: &[&str]) -> BaselineFile {
    BaselineFile::new(image, now(), ids.iter().map(|id| (*id).to_owned()))
}

fn set<'a>(ids: &[&'a str]) -> BTreeSet<&'a str> {
    ids.iter().copied().collect()
}

fn names_in(directory: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_form_is_that_of_the_older_script() {
    let older = BaselineFile::parse(OLDER.as_bytes()).unwrap();
    assert_eq!(older, baseline("a/b:1", &["CVE-2026-2", "CVE-2026-1"]));
    assert_eq!(older.to_json(), format!("{OLDER}\n"));
    let empty = baseline("a:1", &[]).to_json();
    assert!(empty.contains("\"vulnerabilities\": []"), "{empty}");
    // By hand: in any order, several times, with more members.
    let by_hand = r#"{"note": 1, "vulnerabilities": ["B", "A", "B"]}"#;
    let parsed = BaselineFile::parse(by_hand.as_bytes()).unwrap();
    assert_eq!(parsed.vulnerabilities.len(), 2);
}

#[test]
fn what_is_no_baseline_is_said_to_be_none() {
    for text in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"vulnerabilities": null}"#,
        r#"{"vulnerabilities": {"a": 1}}"#,
        r#"{"vulnerabilities": [1]}"#,
        r#"{"vulnerabilities": [""]}"#,
        r#"{"image": 1, "vulnerabilities": []}"#,
        r#"{"vulnerabilities": []} x"#,
    ] {
        assert!(BaselineFile::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn resolved_is_told_apart_from_below_the_filter() {
    let known = baseline("a:1", &["HIGH-1", "HIGH-2", "LOW-NOW"]);
    let delta = known.compare(
        &set(&["HIGH-1", "LOW-NOW", "LOW-9", "NEW-1"]),
        &set(&["HIGH-1", "NEW-1"]),
    );
    assert_eq!(delta.new, ["NEW-1".to_owned()].into());
    assert_eq!(delta.resolved, ["HIGH-2".to_owned()].into());
    assert_eq!(delta.below_filter, ["LOW-NOW".to_owned()].into());
    assert!(delta.is_changed());
    let only_below = known.compare(
        &set(&["HIGH-1", "HIGH-2", "LOW-NOW"]),
        &set(&["HIGH-1", "HIGH-2"]),
    );
    assert!(!only_below.is_changed());
}

#[test]
fn what_was_written_is_read() {
    let place = tempfile::tempdir().unwrap();
    let directory = BaselineDirectory::new(place.path().join("snapshots"));
    assert_eq!(directory.read("a/b:1", now()).unwrap(), None);
    assert!(directory.list().unwrap().is_empty());
    let written = directory.write(&baseline("a/b:1", &["A"]), now()).unwrap();
    assert_eq!(written.path, place.path().join("snapshots/a__b__1.json"));
    assert_eq!(written.path, directory.path_of("a/b:1"));
    directory
        .write(&baseline("a/b:1", &["A", "B"]), now())
        .unwrap();
    let (path, read) = directory.read("a/b:1", now()).unwrap().unwrap();
    assert_eq!((path, read), (written.path, baseline("a/b:1", &["A", "B"])));
    assert_eq!(names_in(&place.path().join("snapshots")), ["a__b__1.json"]);
    assert!(directory.remove("a/b:1").unwrap());
    assert!(!directory.remove("a/b:1").unwrap());
}

#[test]
fn images_of_one_file_name_are_kept_apart() {
    let place = tempfile::tempdir().unwrap();
    let directory = BaselineDirectory::new(place.path());
    fs::write(place.path().join("a__b__1.json"), OLDER).unwrap();
    // The file is another image's: it says nothing about this one.
    assert_eq!(directory.read("a__b:1", now()).unwrap(), None);
    let written = directory.write(&baseline("a__b:1", &["C"]), now()).unwrap();
    assert_eq!(written.kept_apart_from.as_deref(), Some("a/b:1"));
    let ids = |image: &str| {
        directory
            .read(image, now())
            .unwrap()
            .unwrap()
            .1
            .vulnerabilities
    };
    assert_eq!(ids("a__b:1"), ["C".to_owned()].into());
    assert_eq!(ids("a/b:1").len(), 2);
    assert_eq!(directory.list().unwrap().len(), 2);
    // When the other one goes, each still has its own.
    assert!(directory.remove("a/b:1").unwrap());
    let written = directory.write(&baseline("a__b:1", &["D"]), now()).unwrap();
    assert_eq!(ids("a__b:1"), ["D".to_owned()].into());
    assert_eq!(written.path, directory.path_of("a__b:1"));
    assert_eq!(names_in(place.path()).len(), 1);
}

#[test]
fn a_corrupt_file_is_named_and_kept_and_not_empty() {
    let place = tempfile::tempdir().unwrap();
    let directory = BaselineDirectory::new(place.path());
    let path = place.path().join("a__1.json");
    fs::write(&path, "{\"vulnerabilities\": [\"CVE-1\"").unwrap();
    let error = directory.read("a:1", now()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("a__1.json makes no sense"), "{text}");
    assert!(
        text.ends_with("a__1.json.corrupt-2026-11-22T06-30-00Z"),
        "{text}"
    );
    assert_eq!(
        names_in(place.path()),
        ["a__1.json.corrupt-2026-11-22T06-30-00Z"]
    );
    assert_eq!(directory.read("a:1", now()).unwrap(), None);
    // A second one does not take the place of the first, and what is written does not take its.
    fs::write(&path, "").unwrap();
    let written = directory.write(&baseline("a:1", &["A"]), now()).unwrap();
    assert!(written.set_aside.is_some());
    assert_eq!(names_in(place.path()).len(), 3);
}

#[test]
fn what_is_no_file_or_too_large_is_not_read() {
    let place = tempfile::tempdir().unwrap();
    let directory = BaselineDirectory::new(place.path());
    fs::create_dir(place.path().join("a__1.json")).unwrap();
    let error = directory.read("a:1", now()).unwrap_err();
    assert!(error.to_string().contains("it is no file"));
    let large = fs::File::create(place.path().join("b__1.json")).unwrap();
    large.set_len(17 << 20).unwrap();
    assert!(directory.list().unwrap()[0].baseline.is_err());
    let error = directory.read("b:1", now()).unwrap_err();
    assert!(error.to_string().contains("more than 16777216 bytes"));
}

#[test]
fn a_place_that_cannot_be_written_keeps_what_is_there() {
    let place = tempfile::tempdir().unwrap();
    let directory = BaselineDirectory::new(place.path());
    let written = directory.write(&baseline("a:1", &["A"]), now()).unwrap();
    // Where the new file would be written is a directory.
    let part = format!(".a__1.json.part-{}", std::process::id());
    fs::create_dir(place.path().join(part)).unwrap();
    let error = directory
        .write(&baseline("a:1", &["B"]), now())
        .unwrap_err();
    assert!(matches!(
        error,
        BaselineFileError::Io {
            operation: "write",
            ..
        }
    ));
    let read = directory.read("a:1", now()).unwrap().unwrap();
    assert_eq!(read, (written.path, baseline("a:1", &["A"])));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_baseline_comes_back(image in ".{0,30}", ids in proptest::collection::btree_set(".{1,12}", 0..8)) {
        let baseline = BaselineFile::new(image, now(), ids);
        prop_assert_eq!(BaselineFile::parse(baseline.to_json().as_bytes()).unwrap(), baseline);
    }

    #[test]
    fn hostile_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(baseline) = BaselineFile::parse(&bytes) {
            prop_assert!(!baseline.vulnerabilities.contains(""));
        }
    }

    #[test]
    fn many_images_never_read_each_others(images in proptest::collection::btree_set("[ab]{1,2}[/:_]{1,2}[ab]?", 1..6)) {
        let place = tempfile::tempdir().unwrap();
        let directory = BaselineDirectory::new(place.path());
        for image in &images {
            directory.write(&baseline(image, &[image]), now()).unwrap();
        }
        for image in &images {
            let (_, read) = directory.read(image, now()).unwrap().unwrap();
            prop_assert_eq!(read, baseline(image, &[image]));
        }
        prop_assert_eq!(directory.list().unwrap().len(), images.len());
    }
}
