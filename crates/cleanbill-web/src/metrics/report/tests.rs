use cleanbill_core::Severity;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{
    DatabaseInfo, ExceptionTerms, ImageReport, ScanReport, SuppressedFinding,
};
use cleanbill_core::vulnerability::Finding;
use proptest::prelude::*;

use super::*;
use crate::testing::{Scrape, parse};

fn finding(id: &str, severity: Severity, fixed_version: &str) -> Finding {
    Finding {
        vulnerability_id: id.to_owned(),
        severity,
        fixed_version: fixed_version.to_owned(),
        ..Finding::default()
    }
}

fn image(name: &str, findings: Vec<Finding>) -> ImageReport {
    ImageReport::of_findings(name, findings)
}

fn report(images: Vec<ImageReport>) -> ScanReport {
    ScanReport {
        created_at: "2026-11-22T06:30:00Z".to_owned(),
        duration_ms: Some(1_250),
        database: Some(DatabaseInfo {
            updated_at: "2026-11-22T00:00:00Z".to_owned(),
            ..DatabaseInfo::default()
        }),
        images,
        ..ScanReport::default()
    }
}

fn judged(report: &ScanReport) -> Judged<'_> {
    Judged {
        report,
        lists_suppressed: true,
        failed_rules: None,
    }
}

fn scrape(reports: &[Judged<'_>], images_max: usize) -> Scrape {
    parse(&ReportMetrics::of(reports, images_max).text(TextFormat::Prometheus))
}

#[test]
fn each_finding_is_in_one_state() {
    let mut web = image(
        "web:1",
        vec![
            finding("CVE-1", Severity::Critical, "2"),
            finding("CVE-1", Severity::Critical, ""),
            finding("CVE-2", Severity::Low, ""),
        ],
    );
    web.results[0].findings[2].known_exploited = Some(Box::default());
    web.results[0].suppressed = vec![SuppressedFinding {
        finding: finding("CVE-3", Severity::High, "3"),
        ..SuppressedFinding::default()
    }];
    let report = report(vec![web]);
    let scrape = scrape(&[judged(&report)], 10);
    let check = |severity: &str, state: &str, count: f64| {
        let labels = [
            "image=web:1",
            &format!("severity={severity}"),
            &format!("state={state}"),
        ];
        assert_eq!(
            scrape.get("cleanbill_report_findings", &labels),
            Some(count),
            "{severity} {state}"
        );
    };
    check("critical", "fixable", 1.0);
    check("critical", "unfixed", 1.0);
    check("low", "unfixed", 1.0);
    check("high", "excepted", 1.0);
    check("high", "fixable", 0.0);
    let one = |name: &str| scrape.get(name, &["image=web:1"]);
    assert_eq!(one("cleanbill_report_vulnerabilities"), Some(2.0));
    assert_eq!(one("cleanbill_report_known_exploited_findings"), Some(1.0));
    assert_eq!(
        one("cleanbill_report_scan_timestamp_seconds"),
        Some(1_795_329_000.0)
    );
    assert_eq!(
        one("cleanbill_report_database_updated_timestamp_seconds"),
        Some(1_795_305_600.0)
    );
    assert_eq!(one("cleanbill_report_scan_duration_seconds"), Some(1.25));
    assert_eq!(one("cleanbill_report_gate_passed"), None);
}

#[test]
fn what_nobody_knows_is_missing() {
    let mut failed = image("gone:1", Vec::new());
    failed.status = AssessmentStatus::Failed;
    let report = ScanReport {
        images: vec![failed, image("web:1", Vec::new())],
        ..ScanReport::default()
    };
    let unlisted = Judged {
        lists_suppressed: false,
        ..judged(&report)
    };
    let scrape = scrape(&[unlisted], 10);
    let assessed = |image| scrape.get("cleanbill_report_image_assessed", &[image]);
    assert_eq!(assessed("image=gone:1"), Some(0.0));
    assert_eq!(assessed("image=web:1"), Some(1.0));
    let findings = scrape
        .series
        .iter()
        .filter(|series| series.name == "cleanbill_report_findings");
    let labels: Vec<&str> = findings
        .clone()
        .map(|series| series.labels[0].1.as_str())
        .collect();
    assert_eq!(labels, ["web:1"; 10]);
    assert!(
        findings
            .clone()
            .all(|series| series.labels[2].1 != "excepted")
    );
    for name in [
        "cleanbill_report_scan_timestamp_seconds",
        "cleanbill_report_database_updated_timestamp_seconds",
    ] {
        assert!(!scrape.families.iter().any(|family| family == name));
    }
}

#[test]
fn without_the_catalogue_nobody_knows_what_is_exploited() {
    let check = |kev_release: &str, is_exploited: bool, expected: Option<f64>| {
        let mut web = image("web:1", vec![finding("CVE-1", Severity::High, "")]);
        web.results[0].findings[0].known_exploited = is_exploited.then(Box::default);
        let mut report = report(vec![web]);
        let database = report.database.as_mut().unwrap();
        database.kev_release = kev_release.to_owned();
        let found = scrape(&[judged(&report)], 10);
        let name = "cleanbill_report_known_exploited_findings";
        assert_eq!(found.get(name, &["image=web:1"]), expected);
        // Nor does a sum over several images.
        let unknown = ScanReport {
            images: vec![image("other:1", Vec::new())],
            ..ScanReport::default()
        };
        let sum = scrape(&[judged(&report), judged(&unknown)], 0);
        assert_eq!(sum.get(name, &["image=(others)"]), None);
    };
    check("2026.11.20", false, Some(0.0));
    check("2026.11.20", true, Some(1.0));
    check("", false, None);
    check("", true, Some(1.0));
}

#[test]
fn one_image_may_be_called_otherwise() {
    let with = |names: &[&str]| {
        let images = names.iter().map(|name| image(name, Vec::new())).collect();
        ReportMetrics::of(&[judged(&report(images))], 1).named("app:main")
    };
    let named = with(&["app:0123abc"]).unwrap();
    let images: Vec<&str> = named.by_image().map(|one| one.image).collect();
    assert_eq!(images, ["app:main"]);
    assert!(
        named
            .text(TextFormat::Prometheus)
            .contains("{image=\"app:main\"} 1")
    );
    assert_eq!(with(&["a:1", "b:1"]).unwrap_err(), 2);
    assert_eq!(with(&[]).unwrap().by_image().count(), 0);
}

#[test]
fn the_gate_says_how_many_rules_fail() {
    let report = report(vec![image("web:1", Vec::new())]);
    for (failed_rules, passed) in [(0, 1.0), (2, 0.0)] {
        let scrape = scrape(
            &[Judged {
                failed_rules: Some(failed_rules),
                ..judged(&report)
            }],
            10,
        );
        let one = |name: &str| scrape.get(name, &["image=web:1"]);
        assert_eq!(one("cleanbill_report_gate_passed"), Some(passed));
        assert_eq!(
            one("cleanbill_report_gate_failed_rules"),
            Some(failed_rules as f64)
        );
    }
}

#[test]
fn what_is_beyond_the_bound_is_summed_up() {
    let high = || vec![finding("CVE-1", Severity::High, "2")];
    let mut c = image("c", high());
    c.status = AssessmentStatus::Partial;
    let report = report(vec![c, image("b", high()), image("a", high())]);
    let metrics = ReportMetrics::of(&[judged(&report)], 1);
    assert_eq!(metrics.summed_up(), 2);
    let images: Vec<&str> = metrics.by_image().map(|one| one.image).collect();
    assert_eq!(images, ["a", OTHERS]);
    let scrape = parse(&metrics.text(TextFormat::Prometheus));
    let others = |name: &str| scrape.get(name, &["image=(others)"]);
    assert_eq!(others("cleanbill_report_images"), Some(2.0));
    assert_eq!(others("cleanbill_report_image_assessed"), Some(0.0));
    let labels = ["image=(others)", "severity=high", "state=fixable"];
    assert_eq!(scrape.get("cleanbill_report_findings", &labels), Some(2.0));
}

#[test]
fn of_two_reports_on_an_image_the_younger_counts() {
    let old = report(vec![image(
        "web:1",
        vec![finding("CVE-1", Severity::High, "")],
    )]);
    let mut young = report(vec![image("web:1", Vec::new())]);
    young.created_at = "2026-11-23T06:30:00Z".to_owned();
    for reports in [
        [judged(&old), judged(&young)],
        [judged(&young), judged(&old)],
    ] {
        let scrape = scrape(&reports, 10);
        let count = scrape.get("cleanbill_report_vulnerabilities", &["image=web:1"]);
        assert_eq!(count, Some(0.0));
    }
}

#[test]
fn what_expires_soon_is_counted_and_the_first_end_is_told() {
    let check = |ends: &[&str], expiring: f64, next: Option<f64>| {
        let mut web = image("web:1", Vec::new());
        web.results[0].suppressed = ends
            .iter()
            .map(|end| SuppressedFinding {
                terms: ExceptionTerms {
                    expires: (*end).to_owned(),
                    ..ExceptionTerms::default()
                },
                ..SuppressedFinding::default()
            })
            .collect();
        let report = report(vec![web]);
        let scrape = scrape(&[judged(&report)], 10);
        let one = |name: &str| scrape.get(name, &["image=web:1"]);
        let counted = one("cleanbill_report_exceptions_expiring");
        assert_eq!(counted, Some(expiring), "{ends:?}");
        let name = "cleanbill_report_exceptions_next_expiry_timestamp_seconds";
        assert_eq!(one(name), next, "{ends:?}");
    };
    check(&[""], 0.0, None);
    // A day counts to its end: 2026-11-24T00:00:00Z.
    check(&["2026-12-31", "2026-11-23"], 1.0, Some(1_795_478_400.0));
    check(&["2026-11-29T06:30:00Z"], 1.0, Some(1_795_933_800.0));
    check(&["2026-11-29T06:30:01Z"], 0.0, Some(1_795_933_801.0));
    check(&["soon"], 0.0, None);
}

#[test]
fn open_metrics_has_an_end() {
    let report = report(vec![image("web:1", Vec::new())]);
    let text = ReportMetrics::of(&[judged(&report)], 10).text(TextFormat::OpenMetrics);
    assert!(text.ends_with("\n# EOF\n"));
    assert_eq!(text.matches("# EOF").count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_name_breaks_the_text(names in prop::collection::vec("\\PC{0,12}|[\"\\\\\n(other)s]{0,9}", 0..6), images_max in 0_usize..4) {
        let report = report(names.iter().map(|name| image(name, Vec::new())).collect());
        let metrics = ReportMetrics::of(&[judged(&report)], images_max);
        // The reader refuses a series that is there twice.
        let scrape = parse(&metrics.text(TextFormat::Prometheus));
        let images = scrape.series.iter().filter(|series| series.name == "cleanbill_report_images");
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        let counted: f64 = images.clone().map(|series| series.value).sum();
        prop_assert_eq!(counted as usize, distinct.len());
        prop_assert!(images.count() <= images_max + 1);
        for one in metrics.by_image() {
            parse(&one.text);
        }
    }
}
