//! What each rule fails for, and which failure counts.

use super::*;

#[test]
fn what_is_likely_or_known_to_be_exploited_is_limited() {
    let mut one = finding("CVE-1", "a", Severity::Low);
    one.epss = Some(Epss {
        score: 0.5,
        ..Epss::default()
    });
    one.known_exploited = Some(Box::default());
    let mut report = report(vec![image("app:1", vec![one])]);
    check(
        &gate("thresholds: {kev: 0}\nepss: {above: 0.4}"),
        &report,
        1,
        &[
            "1 finding of what is known to be exploited, none allowed",
            "1 finding with EPSS above 0.4, none allowed",
        ],
    );
    check(&gate("epss: {above: 0.5}"), &report, 0, &[]);
    check(&gate("epss: {above: 0.1, max: 1}"), &report, 0, &[]);
    // A report that was made without the lists does not pass.
    report.images.clear();
    report.images.push(image("app:1", Vec::new()));
    report.database = None;
    let verdict = check(
        &gate("thresholds: {kev: 0}\nepss: {above: 0.4}"),
        &report,
        2,
        &[
            "thresholds.kev cannot be judged: the report was made without the KEV catalogue",
            "epss cannot be judged: the report was made without EPSS scores",
        ],
    );
    assert_eq!(verdict.failure, Some(FailureKind::NotJudged));
}

#[test]
fn denied_packages_fail_with_their_reason() {
    let mut one = image("app:1", Vec::new());
    one.results[0].packages = ["left-pad", "log4j-core"]
        .map(|name| Package {
            name: name.to_owned(),
            version: "1.0".to_owned(),
            ..Package::default()
        })
        .to_vec();
    let mut report = report(vec![one]);
    let rules = gate("deny_packages:\n  - {package: 'log4j-*', reason: use logback}\n  - nothing");
    check(
        &rules,
        &report,
        1,
        &["1 denied package: log4j-core 1.0 (use logback)"],
    );
    report.images[0].results[0].packages.pop();
    check(&rules, &report, 0, &[]);
    report.images[0].results[0].unlisted_packages = 3;
    check(
        &rules,
        &report,
        2,
        &["deny_packages cannot be judged: the report was saved without its packages"],
    );
}

#[test]
fn ends_of_life_and_old_databases_fail_where_asked() {
    let mut one = image("app:1", Vec::new());
    one.is_end_of_life = true;
    one.distro = Some(Distro {
        name: "8".to_owned(),
        ..Distro::default()
    });
    let mut report = report(vec![one]);
    check(&gate(""), &report, 0, &[]);
    let verdict = gate("end_of_life: fail").verdict(&report);
    assert_eq!(verdict.exit_code, 1);
    assert!(verdict.reasons[0].starts_with("the distribution is past its end of life: app:1 ("));
    check(&gate("max_db_age: 48h"), &report, 0, &[]);
    check(
        &gate("max_db_age: 47h"),
        &report,
        4,
        &["the advisory database is 48 h old, 47 h allowed"],
    );
    report.database = None;
    check(
        &gate("max_db_age: 47h"),
        &report,
        2,
        &[
            "max_db_age cannot be judged: the report does not say when its advisory database was built",
        ],
    );
}

#[test]
fn what_was_not_assessed_fails_unless_it_is_allowed() {
    let mut one = image("app:1", Vec::new());
    one.status = AssessmentStatus::Partial;
    one.problems = vec![Problem::new(
        ProblemKind::UnknownDistro,
        "no distribution".to_owned(),
    )];
    let mut partial = report(vec![one]);
    let reason = "not assessed completely: app:1 (no distribution)";
    check(&gate(""), &partial, 3, &[reason]);
    check(&gate("incomplete: allow"), &partial, 0, &[]);
    // An image that could not be opened has nothing that could pass.
    partial.images[0].status = AssessmentStatus::Failed;
    check(&gate("incomplete: allow"), &partial, 3, &[reason]);
    check(
        &gate(""),
        &report(Vec::new()),
        3,
        &["the report has no image"],
    );
    // Flags alone leave that to the scan.
    let flags = Gate {
        thresholds: Some("low".parse().unwrap()),
        ..Gate::default()
    };
    check(&flags, &partial, 0, &[]);
}

#[test]
fn the_first_of_two_four_one_three_counts() {
    let mut one = image("app:1", vec![finding("CVE-1", "a", Severity::High)]);
    one.status = AssessmentStatus::Partial;
    let mut report = report(vec![one]);
    let rules = |more: &str| gate(&format!("exit_code: 7\n{more}"));
    for (more, code) in [
        ("", 3),
        ("thresholds: {high: 0}", 7),
        ("thresholds: {high: 0}\nmax_db_age: 1h", 4),
    ] {
        assert_eq!(rules(more).verdict(&report).exit_code, code, "{more}");
    }
    report.database = None;
    let all = rules("thresholds: {high: 0, kev: 0}\nmax_db_age: 1h");
    assert_eq!(all.verdict(&report).exit_code, 2);
}
