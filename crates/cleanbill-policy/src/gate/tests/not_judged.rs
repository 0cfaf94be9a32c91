//! What a report leaves out cannot be judged.

use super::*;

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
