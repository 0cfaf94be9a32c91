mod not_judged;
mod only_new;
mod rules;

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
