use cleanbill_core::Severity;
use cleanbill_core::package::Package;
use cleanbill_core::problem::{Problem, ProblemKind};
use cleanbill_core::report::SuppressedFinding;

use super::*;

fn finding(id: &str, package: &str, path: &str, severity: Severity) -> Finding {
    Finding {
        vulnerability_id: id.to_owned(),
        package_name: package.to_owned(),
        package_path: path.to_owned(),
        installed_version: "1.0".to_owned(),
        severity,
        ..Finding::default()
    }
}

fn report() -> ImageReport {
    ImageReport {
        results: vec![
            ResultSet {
                target: "app:1 (debian 12.5)".to_owned(),
                kind: "debian".to_owned(),
                packages: vec![Package {
                    name: "zlib1g".to_owned(),
                    version: "1.2".to_owned(),
                    ..Package::default()
                }],
                findings: vec![finding("CVE-2", "zlib1g", "", Severity::High)],
                suppressed: vec![SuppressedFinding {
                    source: ".trivyignore".to_owned(),
                    finding: finding("CVE-1", "zlib1g", "", Severity::Low),
                    ..SuppressedFinding::default()
                }],
                ..ResultSet::default()
            },
            ResultSet {
                target: "app/bin/tool".to_owned(),
                class: ResultClass::LanguagePackages,
                kind: "gobinary".to_owned(),
                findings: vec![
                    finding("CVE-3", "stdlib", "", Severity::Medium),
                    finding("CVE-3", "stdlib", "", Severity::Critical),
                ],
                ..ResultSet::default()
            },
        ],
        ..ImageReport::default()
    }
}

fn state(report: &ImageReport) -> ImageState {
    let circumstances = Circumstances {
        name: "app:1".to_owned(),
        database_updated_at: "2026-11-22T00:00:00Z".to_owned(),
        rules: "r".to_owned(),
    };
    image_state(report, &circumstances)
}

#[test]
fn findings_are_remembered_once_by_key() {
    let state = state(&report());
    let seen: Vec<_> = state
        .findings
        .iter()
        .map(|finding| {
            (
                finding.key.vulnerability_id.as_str(),
                finding.key.package_path.as_str(),
                finding.severity,
                finding.covered_by.as_str(),
            )
        })
        .collect();
    let expected = [
        ("CVE-1", "", Severity::Low, ".trivyignore"),
        ("CVE-2", "", Severity::High, ""),
        ("CVE-3", "app/bin/tool", Severity::Critical, ""),
    ];
    assert_eq!(seen, expected);
    assert_eq!(state.packages.len(), 1);
    assert_eq!(state.packages[0].version, "1.2");
}

#[test]
fn reasons_are_those_that_make_it_incomplete() {
    let mut report = report();
    report.problems = vec![
        Problem::new(ProblemKind::EndOfLife, "old"),
        Problem::new(ProblemKind::UnsupportedDistro, "unknown"),
    ];
    assert_eq!(state(&report).reason, "unknown");
    let gap = |n: u8| Problem::new(ProblemKind::UnsupportedDistro, n.to_string());
    report.problems = (1..=5).map(gap).collect();
    assert_eq!(state(&report).reason, "1; 2; 3; and 2 more");
}

#[test]
fn an_image_that_failed_was_not_judged() {
    let report = ImageReport {
        status: AssessmentStatus::Failed,
        ..ImageReport::default()
    };
    let state = state(&report);
    assert_eq!(state.database_updated_at, "");
    assert_eq!(state.name, "app:1");
}
