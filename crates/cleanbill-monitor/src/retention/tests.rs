//! What stays, and what goes first.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

const NONE: RetentionBudgets = RetentionBudgets {
    age_max: None,
    looks_max: None,
    size_bytes_max: None,
    summary_size_bytes_max: u64::MAX,
};

fn at(hours: i64) -> Timestamp {
    "2026-11-22T06:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

fn group(hours: i64, image: &str, size_bytes: u64) -> LogGroup {
    LogGroup {
        time: at(hours),
        image: image.to_owned(),
        paths: Vec::new(),
        size_bytes,
    }
}

#[test]
fn names_are_told_apart() {
    for (name, expected) in [
        ("scan-2026-11-22T06-30-00Z--a__b__1.log", Some("a__b__1")),
        ("scan-2026-11-22T06-30-00Z--a--b.json", Some("a--b")),
        ("scan-summary-2026-11-22T06-30-00Z.log", Some("")),
        ("scan-summary.log", None),
        ("scan-2026-11-22T06-30-00Z--a.txt", None),
        ("scan-2026-11-22T06-30-00Z.log", None),
        ("scan-2026-13-22T06-30-00Z--a.log", None),
        ("scan-2026-11-22 06-30-00Z--a.log", None),
        ("scan-ééééééééééé--a.log", None),
        ("my-scan-2026-11-22T06-30-00Z--a.log", None),
        ("scan-", None),
        ("a__b__1.json", None),
    ] {
        let parsed = LogName::parse(name);
        assert_eq!(
            parsed.as_ref().map(|name| name.image.as_str()),
            expected,
            "{name}"
        );
        assert!(parsed.is_none_or(|name| name.time == at(0)));
    }
}

#[test]
fn the_oldest_and_superseded_go_first() {
    let groups = [
        group(0, "rare", 10),
        group(1, "often", 10),
        group(2, "often", 10),
        group(3, "often", 10),
    ];
    let gone = |budgets: RetentionBudgets| expired(&groups, &budgets, at(4));
    assert!(gone(NONE).is_empty());
    let age = |hours| RetentionBudgets {
        age_max: Some(SignedDuration::from_hours(hours)),
        ..NONE
    };
    assert_eq!(gone(age(2)), [0, 1]);
    assert!(gone(age(4)).is_empty());
    let looks = |max| RetentionBudgets {
        looks_max: Some(max),
        ..NONE
    };
    assert_eq!(gone(looks(3)), [1]);
    assert_eq!(gone(looks(2)), [1, 2]);
    assert_eq!(gone(looks(1)), [0, 1, 2]);
    assert_eq!(gone(looks(0)), [0, 1, 2, 3]);
    let size = |max| RetentionBudgets {
        size_bytes_max: Some(max),
        ..NONE
    };
    assert_eq!(gone(size(39)), [1]);
    assert_eq!(gone(size(20)), [1, 2]);
    // A clock that was set back removes nothing by age.
    assert!(expired(&groups, &age(1), at(-100)).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn budgets_are_kept_and_no_more_than_needed_goes(
        groups in proptest::collection::vec((0..200_i64, "[abc]", 0..1000_u64), 0..30),
        age in proptest::option::of(0..200_i64),
        looks_max in proptest::option::of(0..30_usize),
        size_bytes_max in proptest::option::of(0..10_000_u64),
    ) {
        let groups: Vec<LogGroup> = groups
            .into_iter()
            .map(|(hours, image, size)| group(hours, &image, size))
            .collect();
        let budgets = RetentionBudgets {
            age_max: age.map(SignedDuration::from_hours),
            looks_max,
            size_bytes_max,
            ..NONE
        };
        let gone = expired(&groups, &budgets, at(200));
        let is_gone = |place: &usize| gone.contains(place);
        let (out, kept): (Vec<usize>, Vec<usize>) = (0..groups.len()).partition(is_gone);
        prop_assert_eq!(out.len(), gone.len());
        let is_old = |place: usize| age.is_some_and(|age| groups[place].time < at(200 - age));
        let size: u64 = kept.iter().map(|place| groups[*place].size_bytes).sum();
        prop_assert!(kept.iter().all(|place| !is_old(*place)));
        prop_assert!(looks_max.is_none_or(|max| kept.len() <= max));
        prop_assert!(size_bytes_max.is_none_or(|max| size <= max));
        // Had the last one to go stayed, a budget would have been exceeded.
        let young: Vec<usize> = out.into_iter().filter(|place| !is_old(*place)).collect();
        let largest = young.iter().map(|place| groups[*place].size_bytes).max();
        if let Some(largest) = largest {
            let many = looks_max.is_some_and(|max| kept.len() + 1 > max);
            let large = size_bytes_max.is_some_and(|max| size + largest > max);
            prop_assert!(many || large);
        }
    }
}

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn only_logs_are_removed() {
    let place = tempfile::tempdir().unwrap();
    let nothing = RetentionBudgets {
        looks_max: Some(0),
        ..NONE
    };
    let kept = [
        ".scan-2026-11-22T06-30-00Z--a.log.part-1",
        "notes.txt",
        "scan-summary.log",
        "scan-today.log",
    ];
    let gone = [
        "scan-2026-11-22T06-30-00Z--a.json",
        "scan-2026-11-22T06-30-00Z--a.log",
        "scan-summary-2026-11-22T06-30-00Z.log",
    ];
    for name in kept.iter().chain(&gone) {
        fs::write(place.path().join(name), b"12345").unwrap();
    }
    let link = place.path().join("scan-2026-11-22T06-30-00Z--link.log");
    std::os::unix::fs::symlink(place.path().join("notes.txt"), &link).unwrap();
    fs::create_dir(place.path().join("scan-2026-11-22T06-30-00Z--d.log")).unwrap();
    let sizes = apply_retention(place.path(), &NONE, at(0)).unwrap();
    assert_eq!((sizes.size_bytes, sizes.removed.len()), (15, 0));

    let retained = apply_retention(place.path(), &nothing, at(0)).unwrap();
    assert!(retained.errors.is_empty());
    assert_eq!(retained.size_bytes, 0);
    assert_eq!(retained.removed.len(), gone.len());
    let names = names_in(place.path());
    assert!(kept.iter().all(|name| names.contains(&(*name).to_owned())));
    assert_eq!(names.len(), kept.len() + 2);
    // A file that nobody finished goes when it is certain that nobody will.
    let late = Timestamp::MAX - SignedDuration::from_hours(1);
    let retained = apply_retention(place.path(), &NONE, late).unwrap();
    assert_eq!(retained.removed, [place.path().join(kept[0])]);
    let nowhere = place.path().join("nowhere");
    assert!(
        apply_retention(&nowhere, &nothing, at(0))
            .unwrap()
            .removed
            .is_empty()
    );
}

#[test]
fn a_large_summary_makes_room_for_another() {
    let place = tempfile::tempdir().unwrap();
    let budgets = RetentionBudgets {
        summary_size_bytes_max: 5,
        ..NONE
    };
    let rotate = || rotate_summary(place.path(), &budgets, at(0)).unwrap();
    assert_eq!(rotate(), None);
    let summary = place.path().join("scan-summary.log");
    fs::write(&summary, b"1234").unwrap();
    assert_eq!(rotate(), None);
    fs::write(&summary, b"12345").unwrap();
    let rotated = rotate().unwrap();
    assert!(rotated.ends_with("scan-summary-2026-11-22T06-30-00Z.log"));
    assert!(!summary.exists());
    fs::write(&summary, b"67890").unwrap();
    assert_eq!(rotate(), None);
    assert_eq!(fs::read(&rotated).unwrap(), b"12345");
}
