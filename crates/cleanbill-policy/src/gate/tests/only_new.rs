//! What was there before does not count.

use super::*;

fn at(path: &str, mut finding: Finding) -> Finding {
    finding.package_path = path.to_owned();
    finding
}

#[track_caller]
fn check_new(before: &ScanReport, after: &ScanReport, expected: &[(&str, &str)]) {
    let mut known = Known::default();
    known.add_report(before);
    let gate = Gate {
        known: Some(known),
        ..gate("only_new: true\nthresholds: {total: 0}")
    };
    let verdict = gate.verdict(after);
    let hits = verdict.rules[0].hits.iter().map(|hit| match hit {
        Hit::Finding(place) => {
            let (_, _, finding) = place.find(after).unwrap();
            (
                finding.vulnerability_id.as_str(),
                finding.package_path.as_str(),
            )
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(hits.collect::<Vec<_>>(), expected);
}

#[test]
fn only_what_a_change_brings_is_new() {
    let high = |id| finding(id, "a", Severity::High);
    let before = report(vec![image(
        "app:1",
        vec![at("x", high("CVE-1")), at("y", high("CVE-1"))],
    )]);
    let after = |findings| report(vec![image("app:2", findings)]);
    check_new(&before, &after(vec![at("x", high("CVE-1"))]), &[]);
    // Moved, and upgraded without a fix.
    let mut moved = at("z", high("CVE-1"));
    moved.installed_version = "1.1".to_owned();
    check_new(&before, &after(vec![moved, at("y", high("CVE-1"))]), &[]);
    // One more copy is new, and the one that is not where one was.
    let more = vec![
        at("z", high("CVE-1")),
        at("x", high("CVE-1")),
        at("y", high("CVE-1")),
    ];
    check_new(&before, &after(more), &[("CVE-1", "z")]);
    check_new(
        &before,
        &after(vec![at("x", high("CVE-2"))]),
        &[("CVE-2", "x")],
    );
    let other = finding("CVE-1", "b", Severity::High);
    check_new(&before, &after(vec![other]), &[("CVE-1", "")]);
}

#[test]
fn what_was_excepted_before_is_not_new() {
    let mut before = report(vec![image("app:1", Vec::new())]);
    before.images[0].results[0]
        .suppressed
        .push(SuppressedFinding {
            finding: finding("CVE-1", "a", Severity::High),
            ..SuppressedFinding::default()
        });
    let after = report(vec![image(
        "app:1",
        vec![finding("CVE-1", "a", Severity::High)],
    )]);
    check_new(&before, &after, &[]);
}

#[test]
fn images_are_compared_with_those_of_their_name() {
    let with = |name, id| image(name, vec![finding(id, "a", Severity::High)]);
    let before = report(vec![
        with("shop/web:1", "CVE-1"),
        with("shop/api:1", "CVE-2"),
    ]);
    check_new(&before, &report(vec![with("shop/web:2", "CVE-1")]), &[]);
    check_new(
        &before,
        &report(vec![with("shop/web:2", "CVE-2")]),
        &[("CVE-2", "")],
    );
    // Nothing is known of it, so everything is new, and a note says so.
    let after = report(vec![with("shop/db:1", "CVE-1")]);
    check_new(&before, &after, &[("CVE-1", "")]);
    let mut known = Known::default();
    known.add_report(&before);
    let gate = Gate {
        known: Some(known),
        ..gate("only_new: true")
    };
    let notes = gate.verdict(&after).notes;
    assert_eq!(
        notes,
        ["nothing is known of shop/db:1 from before: all findings count as new"]
    );
}

#[test]
fn ids_of_a_baseline_are_known_whatever_the_package() {
    let mut one = finding("CVE-1", "a", Severity::High);
    one.vendor_ids = vec!["DSA-1".to_owned()];
    let after = report(vec![image(
        "app:1",
        vec![one, finding("CVE-2", "b", Severity::High)],
    )]);
    let mut known = Known::default();
    known.add_ids("app:1", ["DSA-1"]);
    let gate = Gate {
        known: Some(known),
        ..gate("only_new: true\nthresholds: {high: 0}")
    };
    check(
        &gate,
        &after,
        1,
        &["1 new finding of severity HIGH, none allowed"],
    );
}
