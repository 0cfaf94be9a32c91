use std::time::Duration;

use cleanbill_core::Severity;
use cleanbill_core::distro::Distro;
use cleanbill_core::package::Package;
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::{DatabaseInfo, ImageReport, ResultSet, SuppressedFinding};
use cleanbill_core::severity::FixStatus;
use cleanbill_core::vulnerability::{Epss, Finding};

use super::*;
use crate::exceptions::Doubt;
use crate::gate_file;

const NOW: &str = "2026-11-22T12:00:00Z";

fn finding(id: &str, package: &str, severity: Severity) -> Finding {
    Finding {
        vulnerability_id: id.to_owned(),
        package_name: package.to_owned(),
        installed_version: "1.0".to_owned(),
        severity,
        ..Finding::default()
    }
}

fn fixed(mut finding: Finding, version: &str) -> Finding {
    finding.fixed_version = version.to_owned();
    finding.status = FixStatus::Fixed;
    finding
}

fn image(name: &str, findings: Vec<Finding>) -> ImageReport {
    ImageReport {
        artifact_name: name.to_owned(),
        results: vec![ResultSet {
            kind: "npm".to_owned(),
            findings,
            ..ResultSet::default()
        }],
        ..ImageReport::default()
    }
}

fn report(images: Vec<ImageReport>) -> ScanReport {
    ScanReport {
        created_at: NOW.to_owned(),
        database: Some(DatabaseInfo {
            updated_at: "2026-11-20T12:00:00Z".to_owned(),
            epss_date: "2026-11-20".to_owned(),
            kev_release: "2026.11.20".to_owned(),
            ..DatabaseInfo::default()
        }),
        images,
        ..ScanReport::default()
    }
}

fn of_severities(severities: &[&[Severity]]) -> ScanReport {
    let images = severities.iter().map(|severities| {
        let severities = severities.iter();
        image(
            "app:1",
            severities.map(|one| finding("CVE-1", "a", *one)).collect(),
        )
    });
    report(images.collect())
}

fn gate(rules: &str) -> Gate {
    let text = format!("version: 1\n{rules}");
    Gate {
        rules: Some(gate_file::parse(&text, "gate.yaml").unwrap().rules),
        ..Gate::default()
    }
}

#[track_caller]
fn check(gate: &Gate, report: &ScanReport, code: u8, reasons: &[&str]) -> Verdict {
    let verdict = gate.verdict(report);
    assert_eq!(verdict.reasons, reasons);
    assert_eq!(verdict.exit_code, code, "{verdict:#?}");
    assert_eq!(verdict.failed, code != 0);
    verdict
}

#[test]
fn flags_count_all_images_together() {
    let report = of_severities(&[&[Severity::High, Severity::Low], &[Severity::High]]);
    let check = |fail_on: Option<&str>, exit_code, code, reasons: &[&str]| {
        let gate = Gate {
            thresholds: fail_on.map(|text| text.parse().unwrap()),
            exit_code,
            ..Gate::default()
        };
        check(&gate, &report, code, reasons);
    };
    check(None, None, 0, &[]);
    check(None, Some(0), 0, &[]);
    check(None, Some(5), 5, &["3 findings found, none allowed"]);
    check(
        Some("high=1"),
        None,
        1,
        &["2 findings of severity HIGH, 1 allowed"],
    );
    check(
        Some("high=1"),
        Some(7),
        7,
        &["2 findings of severity HIGH, 1 allowed"],
    );
    check(Some("high=2"), Some(7), 0, &[]);
    check(
        Some("total=2"),
        None,
        1,
        &["3 findings in total, 2 allowed"],
    );
    check(
        Some("low"),
        None,
        1,
        &[
            "2 findings of severity HIGH, none allowed",
            "1 finding of severity LOW, none allowed",
        ],
    );
    check(
        Some("high=1,low"),
        None,
        1,
        &[
            "2 findings of severity HIGH, 1 allowed",
            "1 finding of severity LOW, none allowed",
        ],
    );
    check(Some("total=3"), None, 0, &[]);
    let clean = Gate {
        exit_code: Some(5),
        ..Gate::default()
    };
    assert!(!clean.verdict(&ScanReport::default()).failed);
}

#[test]
fn thresholds_of_the_flag_go_before_those_of_the_file() {
    let report = of_severities(&[&[Severity::High, Severity::Low]]);
    let gate = Gate {
        thresholds: Some("high=1".parse().unwrap()),
        exit_code: Some(9),
        ..gate("thresholds: {high: 0, low: 0}\nexit_code: 7")
    };
    check(
        &gate,
        &report,
        9,
        &["1 finding of severity LOW, none allowed"],
    );
}

#[test]
fn only_what_counts_is_counted() {
    let report = report(vec![image(
        "app:1",
        vec![
            finding("CVE-1", "a", Severity::High),
            fixed(finding("CVE-2", "b", Severity::High), "2.0"),
            fixed(finding("CVE-3", "c", Severity::Low), "2.0"),
        ],
    )]);
    let verdict = check(
        &gate("only_fixable: true\nthresholds: {high: 0}"),
        &report,
        1,
        &["1 fixable finding of severity HIGH, none allowed"],
    );
    let place = FindingPlace {
        image: 0,
        result: 0,
        finding: 1,
    };
    assert_eq!(verdict.rules[0].hits, [Hit::Finding(place)]);
    assert_eq!(verdict.rules[0].line, Some(3));
    check(
        &gate("severity: [low]\nthresholds: {total: 0}"),
        &report,
        1,
        &["1 finding in total, none allowed"],
    );
}

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

#[test]
fn a_filter_of_the_report_is_noted() {
    let report = report(vec![image("app:1", Vec::new())]);
    let verdict = gate("thresholds: {low: 0}").judge(&Subject {
        selection: "CRITICAL, HIGH",
        ..Subject::new(&report, SystemTime::UNIX_EPOCH + Duration::from_secs(1))
    });
    assert!(!verdict.failed);
    assert_eq!(
        verdict.notes,
        ["the report was made with a filter (CRITICAL, HIGH): what it left out was not judged"]
    );
}

#[test]
fn what_the_flag_limits_counts_whatever_the_file_leaves_out() {
    let report = of_severities(&[&[Severity::Critical, Severity::Low]]);
    let file = gate("severity: [low]\nthresholds: {low: 50}");
    check(&file, &report, 0, &[]);
    let both = Gate {
        thresholds: Some("critical=0".parse().unwrap()),
        ..file
    };
    check(
        &both,
        &report,
        1,
        &["1 finding of severity CRITICAL, none allowed"],
    );
}

#[test]
fn a_severity_that_the_report_leaves_out_is_not_judged() {
    let mut report = of_severities(&[&[Severity::High]]);
    report.left_out_severities = vec![Severity::Medium, Severity::Low];
    let reason =
        "thresholds.medium cannot be judged: the report leaves out findings of severity MEDIUM";
    check(&gate("thresholds: {high: 1}"), &report, 0, &[]);
    let verdict = check(&gate("thresholds: {medium: 5}"), &report, 2, &[reason]);
    assert!(verdict.rules[0].advice.contains("--severity"));
    // Files of older pipelines may limit what they leave out themselves.
    let mut older = gate("thresholds: {medium: 5}");
    let rules = older.rules.iter_mut();
    rules.for_each(|rules| rules.severities = [Severity::High].into_iter().collect());
    check(&older, &report, 0, &[]);
    let flag = Gate {
        thresholds: Some("medium=5".parse().unwrap()),
        ..Gate::default()
    };
    check(&flag, &report, 0, &[]);
    // One of several reports has findings of the severity, and they are too many already.
    let other = of_severities(&[&[Severity::Medium]]);
    report.images.extend(other.images);
    check(
        &gate("thresholds: {medium: 0}"),
        &report,
        1,
        &["1 finding of severity MEDIUM, none allowed"],
    );
    check(&gate("thresholds: {medium: 1}"), &report, 2, &[reason]);
}

#[test]
fn packages_that_nobody_lists_are_not_judged() {
    let report = report(vec![image("app:1", Vec::new())]);
    let rules = gate("deny_packages: [event-stream]");
    check(&rules, &report, 0, &[]);
    let verdict = rules.judge(&Subject {
        lacks_packages: true,
        ..Subject::new(&report, SystemTime::UNIX_EPOCH)
    });
    assert_eq!(verdict.failure, Some(FailureKind::NotJudged));
}

#[test]
fn exceptions_that_may_have_ended_are_not_judged() {
    let report = of_severities(&[&[]]);
    let one = |name: &str, doubt: Doubt| DoubtfulException {
        name: name.to_owned(),
        doubt,
    };
    let doubtful = [
        one("e.yaml:9", Doubt::Hidden),
        one("e.yaml:1", Doubt::KnownExploited),
        one("e.yaml:5", Doubt::KnownExploited),
    ];
    let subject = Subject {
        doubtful_exceptions: &doubtful,
        ..Subject::new(&report, SystemTime::UNIX_EPOCH)
    };
    let verdict = gate("").judge(&subject);
    assert_eq!(
        verdict.reasons,
        [
            "exceptions cannot be judged: the report was made without the KEV catalogue, which \
             'unless' asks for: e.yaml:1, e.yaml:5",
            "exceptions cannot be judged: the report was saved without the findings of what has \
             expired since: e.yaml:9"
        ]
    );
    assert_eq!(verdict.exit_code, 2);
    assert!(!Gate::default().judge(&subject).failed);
}
