use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::ignore::{IgnoreFileKind, report};
use crate::oracle;

/// 2026-11-22, when the oracle's cases were made.
const NOW: Duration = Duration::from_secs(1_795_305_600);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + NOW
}

/// Filters the report of the case's image and compares with the case's own report; a case without
/// `--show-suppressed` prints no suppressed findings.
#[track_caller]
fn check(case: &str, image: &str, filter: &Filter, shows_suppressed: bool) {
    let expected = oracle::image(&format!("cases/{case}/expected.json"));
    let actual = oracle::image(&format!("expected/{image}.json"));
    let (Some(expected), Some(mut actual)) = (expected, actual) else {
        return;
    };
    filter.apply(&mut actual, now(), &mut IgnoreUsage::default());
    if !shows_suppressed {
        actual
            .results
            .iter_mut()
            .for_each(|result| result.suppressed.clear());
    }
    assert_eq!(oracle::summary(&actual), oracle::summary(&expected));
}

fn severities(severities: &[Severity]) -> Filter {
    Filter {
        severities: severities.to_vec(),
        ..Filter::default()
    }
}

fn statuses(ignored_statuses: Vec<FixStatus>) -> Filter {
    Filter {
        ignored_statuses,
        ..Filter::default()
    }
}

#[test]
fn severities_are_those_of_the_oracle() {
    use Severity::{Critical, High, Low, Unknown};
    check(
        "severity-critical",
        "os-debian-9",
        &severities(&[Critical]),
        false,
    );
    check(
        "severity-high-critical",
        "os-debian-9",
        &severities(&[High, Critical]),
        false,
    );
    check(
        "severity-low-unknown",
        "os-debian-9",
        &severities(&[Low, Unknown]),
        false,
    );
    check(
        "severity-unknown",
        "os-debian-9",
        &severities(&[Unknown]),
        false,
    );
}

#[test]
fn statuses_are_those_of_the_oracle() {
    use FixStatus::{Affected, EndOfLife, FixDeferred, WillNotFix};
    check(
        "ignore-status",
        "os-debian-9",
        &statuses(vec![WillNotFix, EndOfLife]),
        false,
    );
    check(
        "ignore-status-affected",
        "swap-rhel-9",
        &statuses(vec![Affected, FixDeferred]),
        false,
    );
    check(
        "ignore-unfixed",
        "os-debian-9",
        &statuses(unfixed_statuses()),
        false,
    );
    check(
        "ignore-unfixed-lang",
        "real-python",
        &statuses(unfixed_statuses()),
        false,
    );
}

#[test]
fn plain_ignore_files_are_those_of_the_oracle() {
    for (case, shows_suppressed) in [("ignorefile", false), ("ignorefile-suppressed", true)] {
        let Some(text) = oracle::read(&format!("cases/{case}/ignore")) else {
            return;
        };
        let text = String::from_utf8(text).unwrap();
        let ignore_rules = IgnoreRules::parse(IgnoreFileKind::Plain, &text, "ignore").unwrap();
        let filter = Filter {
            ignore_rules: vec![ignore_rules],
            ..Filter::default()
        };
        check(case, "os-debian-9", &filter, shows_suppressed);
    }
}

#[test]
fn yaml_ignore_files_are_those_of_the_oracle() {
    for (case, shows) in [
        ("ignorefile-yaml", false),
        ("ignorefile-yaml-suppressed", true),
    ] {
        let Some(text) = oracle::read(&format!("cases/{case}/ignore.yaml")) else {
            return;
        };
        let text = String::from_utf8(text).unwrap();
        let ignore_rules = IgnoreRules::parse(IgnoreFileKind::Yaml, &text, "ignore.yaml").unwrap();
        let filter = Filter {
            ignore_rules: vec![ignore_rules],
            ..Filter::default()
        };
        check(case, "real-python", &filter, shows);
    }
}

#[test]
fn usage_is_reported() {
    let text = "CVE-1\nCVE-2 exp:2020-01-01\nCVE-3\n";
    let ignore_rules = IgnoreRules::parse(IgnoreFileKind::Plain, text, "f").unwrap();
    let filter = Filter {
        ignore_rules: vec![ignore_rules],
        ..Filter::default()
    };
    let mut usage = IgnoreUsage::default();
    for _ in 0..2 {
        let mut image = image(&[("CVE-1", 4, 3), ("CVE-2", 4, 3)]);
        filter.apply(&mut image, now(), &mut usage);
        assert_eq!(image.results[0].findings.len(), 1);
    }
    let outcomes: Vec<_> = report(&filter.ignore_rules, &usage, now())
        .into_iter()
        .map(|rule| rule.outcome)
        .collect();
    use cleanbill_core::report::ExceptionOutcome::{Applied, Expired, Unmatched};
    assert_eq!(outcomes, [Applied(2), Expired, Unmatched]);
}

fn image(findings: &[(&str, i64, i64)]) -> ImageReport {
    let finding = |(id, severity, status): &(&str, i64, i64)| Finding {
        vulnerability_id: (*id).to_owned(),
        severity: Severity::from_number(*severity),
        status: FixStatus::from_number(*status),
        ..Finding::default()
    };
    ImageReport::of_findings("", findings.iter().map(finding).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A filter that lets less through leaves a subsequence of what the other one leaves, and what
    /// both see is either kept or suppressed.
    #[test]
    fn filters_are_monotone(
        findings in proptest::collection::vec((0..5_i64, 0..8_i64, 0..4_usize), 0..30),
        wide in proptest::collection::vec(0..5_i64, 0..5),
        narrow in proptest::collection::vec(0..5_i64, 0..5),
        ignored in proptest::collection::vec(0..8_i64, 0..4),
        rules in proptest::collection::vec(0..4_usize, 0..4),
    ) {
        const IDS: [&str; 4] = ["CVE-1", "CVE-2", "CVE-3", "CVE-4"];
        let findings: Vec<_> =
            findings.into_iter().map(|(severity, status, id)| (IDS[id], severity, status)).collect();
        let text: String = rules.iter().map(|id| format!("{}\n", IDS[*id])).collect();
        let wide_filter = severities(&wide.iter().map(|n| Severity::from_number(*n)).collect::<Vec<_>>());
        let mut narrow_filter = wide_filter.clone();
        narrow_filter.severities.retain(|s| narrow.contains(&i64::from(s.number())));
        narrow_filter.ignored_statuses = ignored.into_iter().map(FixStatus::from_number).collect();
        let mut ignoring = narrow_filter.clone();
        ignoring.ignore_rules =
            vec![IgnoreRules::parse(IgnoreFileKind::Plain, &text, "f").unwrap()];

        let run = |filter: &Filter| {
            let mut image = image(&findings);
            filter.apply(&mut image, now(), &mut IgnoreUsage::default());
            image.results.remove(0)
        };
        let [wide, narrow, ignoring] = [&wide_filter, &narrow_filter, &ignoring].map(run);
        prop_assert!(is_subsequence(&narrow.findings, &wide.findings));
        prop_assert!(is_subsequence(&ignoring.findings, &narrow.findings));
        prop_assert_eq!(
            ignoring.findings.len() + ignoring.suppressed.len(),
            narrow.findings.len()
        );
    }
}

fn is_subsequence(part: &[Finding], whole: &[Finding]) -> bool {
    let mut whole = whole.iter();
    part.iter()
        .all(|finding| whole.any(|other| other == finding))
}
