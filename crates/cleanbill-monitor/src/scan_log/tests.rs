//! Every line as the older script wrote it.

use std::fs;

use super::*;

fn time() -> Timestamp {
    "2026-11-22T06:30:00Z".parse().unwrap()
}

fn finding(id: &str, package: &str, severity: Severity) -> LoggedFinding {
    LoggedFinding {
        id: id.to_owned(),
        package: package.to_owned(),
        installed_version: "1.0-1".to_owned(),
        severity,
    }
}

fn log() -> ScanLog {
    ScanLog {
        time: time(),
        image: "a/b:1".to_owned(),
        severities: vec![Severity::High, Severity::Critical],
        findings: vec![
            finding("CVE-2026-2", "openssl", Severity::Critical),
            finding("CVE-2026-1", "libc6", Severity::High),
            finding("CVE-2026-1", "libc-bin", Severity::High),
        ],
        baseline: LoggedBaseline::File(PathBuf::from("/snapshots/a__b__1.json")),
        new: ["CVE-2026-2".to_owned()].into(),
        resolved: ["CVE-2025-8".to_owned(), "CVE-2025-9".to_owned()].into(),
        accepted: BTreeSet::new(),
        json_report: PathBuf::from("/logs/scan-2026-11-22T06-30-00Z--a__b__1.json"),
    }
}

#[test]
fn a_log_has_one_line_for_each_thing() {
    assert_eq!(
        log().render(),
        "\
Scan time: 2026-11-22T06-30-00Z
Image: a/b:1
Severity filter: HIGH,CRITICAL
Counts: 2
Counts by severity: CRITICAL: 1, HIGH: 2, MEDIUM: 0, LOW: 0, UNKNOWN: 0
Baseline: /snapshots/a__b__1.json
New since baseline: 1
  CVE-2026-2
Resolved since baseline: 2
  CVE-2025-8
  CVE-2025-9
JSON report: /logs/scan-2026-11-22T06-30-00Z--a__b__1.json
Vulnerabilities:
  CVE-2026-2 openssl 1.0-1 CRITICAL
  CVE-2026-1 libc6 1.0-1 HIGH
  CVE-2026-1 libc-bin 1.0-1 HIGH
"
    );
}

#[test]
fn a_log_of_nothing_says_none() {
    let empty = ScanLog {
        time: time(),
        image: "a:1".to_owned(),
        json_report: PathBuf::from("r.json"),
        ..ScanLog::default()
    };
    assert_eq!(
        empty.render(),
        "\
Scan time: 2026-11-22T06-30-00Z
Image: a:1
Severity filter: 
Counts: 0
Counts by severity: CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, UNKNOWN: 0
Baseline: none
JSON report: r.json
Vulnerabilities:
  (none)
"
    );
}

#[test]
fn nothing_forges_a_line() {
    let hostile = "x\nImage: good:1\u{1b}[2J\u{202e}";
    let mut log = log();
    log.image = hostile.to_owned();
    log.findings = vec![LoggedFinding {
        id: hostile.to_owned(),
        package: hostile.to_owned(),
        installed_version: hostile.to_owned(),
        severity: Severity::Low,
    }];
    log.new = [hostile.to_owned()].into();
    log.json_report = PathBuf::from(hostile);
    let text = log.render();
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("Image:"))
            .count(),
        1
    );
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
    let line = SummaryLine::Ignored {
        image: hostile.to_owned(),
    };
    assert_eq!(line.render(time()).lines().count(), 1);
}

#[track_caller]
fn check(line: &SummaryLine, expected: &str) {
    assert_eq!(
        line.render(time()),
        format!("[2026-11-22T06-30-00Z] {expected}\n")
    );
}

fn scanned(findings: &[(&str, Severity)], new: usize, resolved: usize) -> SummaryLine {
    SummaryLine::Scanned(ScanOutcome {
        image: "a/b:1".to_owned(),
        counts: LoggedCounts::of(findings.iter().copied()),
        new,
        resolved,
        accepted: 0,
        baseline: LoggedBaseline::File(PathBuf::from("/snapshots/a__b__1.json")),
        log: PathBuf::from("/logs/s.log"),
    })
}

/// A look that found one vulnerability, none of them new.
fn quiet(accepted: usize, baseline: LoggedBaseline) -> SummaryLine {
    match scanned(&[("CVE-1", Severity::High)], 0, 0) {
        SummaryLine::Scanned(outcome) => SummaryLine::Scanned(ScanOutcome {
            accepted,
            baseline,
            ..outcome
        }),
        other => other,
    }
}

#[test]
fn every_summary_line_has_its_words() {
    let found = [
        ("CVE-1", Severity::High),
        ("CVE-1", Severity::High),
        ("CVE-2", Severity::Critical),
    ];
    let nothing = "0 | CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, UNKNOWN: 0";
    let counts = "2 | CRITICAL: 1, HIGH: 2, MEDIUM: 0, LOW: 0, UNKNOWN: 0";
    check(
        &SummaryLine::Ignored {
            image: "a/b:1".to_owned(),
        },
        "Skipping ignored image a/b:1",
    );
    check(&SummaryLine::NoImages, "No local images to scan");
    check(
        &SummaryLine::Failed {
            image: "a/b:1".to_owned(),
            exit_code: 1,
            log: PathBuf::from("/logs/s.log"),
        },
        "Scan error for a/b:1 (exit 1); see /logs/s.log",
    );
    check(
        &scanned(&[], 0, 0),
        &format!("No new vulnerabilities found for a/b:1; counts: {nothing}"),
    );
    check(
        &scanned(&[], 0, 3),
        &format!(
            "No new vulnerabilities; resolved 3 for a/b:1; counts: {nothing}; details: /logs/s.log"
        ),
    );
    check(
        &scanned(&found, 0, 3),
        &format!(
            "No new vulnerabilities; resolved 3 for a/b:1; counts: {counts}; details: /logs/s.log"
        ),
    );
    check(
        &scanned(&found, 1, 3),
        &format!("New vulnerabilities: 1 for a/b:1; counts: {counts}; details: /logs/s.log"),
    );
    check(
        &scanned(&found, 0, 0),
        &format!("No new vulnerabilities (baseline match) for a/b:1; counts: {counts}; no alert"),
    );
}

#[test]
fn a_summary_says_what_an_image_was_compared_with() {
    let counts = "1 | CRITICAL: 0, HIGH: 1, MEDIUM: 0, LOW: 0, UNKNOWN: 0";
    check(
        &quiet(0, LoggedBaseline::None),
        &format!(
            "No new vulnerabilities (as at the look before) for a/b:1; counts: {counts}; no alert"
        ),
    );
    check(
        &quiet(0, LoggedBaseline::Lost("no JSON".to_owned())),
        &format!(
            "No new vulnerabilities for a/b:1; baseline could not be read; counts: {counts}; \
             details: /logs/s.log"
        ),
    );
    check(
        &quiet(2, LoggedBaseline::None),
        &format!(
            "No new vulnerabilities; accepted 2 for a/b:1; counts: {counts}; details: /logs/s.log"
        ),
    );
    let log = ScanLog {
        accepted: ["CVE-2026-1".to_owned()].into(),
        baseline: LoggedBaseline::Lost("no JSON".to_owned()),
        ..log()
    };
    let text = log.render();
    assert!(
        text.contains("\nBaseline: could not be read: no JSON\n"),
        "{text}"
    );
    assert!(
        text.contains("\nAccepted by an exception now: 1\n  CVE-2026-1\n"),
        "{text}"
    );
}

#[test]
fn each_look_has_files_of_its_own() {
    let place = tempfile::tempdir().unwrap();
    let directory = ScanLogDirectory::new(place.path().join("logs"));
    let first = directory.begin("a/b:1", time()).unwrap();
    assert!(
        first
            .log
            .ends_with("scan-2026-11-22T06-30-00Z--a__b__1.log")
    );
    assert!(
        first
            .json
            .ends_with("scan-2026-11-22T06-30-00Z--a__b__1.json")
    );
    let others = [
        directory.begin("a__b:1", time()).unwrap(),
        directory.begin("a/b:1", time()).unwrap(),
        directory.begin("a/b:1", time()).unwrap(),
        directory.begin("a/b:1", time()).unwrap(),
    ];
    let mut logs: Vec<_> = others.iter().map(|files| files.log.clone()).collect();
    logs.push(first.log.clone());
    logs.sort();
    logs.dedup();
    assert_eq!(logs.len(), 5);
    first.write_log("text").unwrap();
    first.write_json(b"{}").unwrap();
    assert_eq!(fs::read_to_string(&first.log).unwrap(), "text");
    assert_eq!(fs::read_to_string(&first.json).unwrap(), "{}");
}

#[test]
fn the_summary_grows() {
    let place = tempfile::tempdir().unwrap();
    let directory = ScanLogDirectory::new(place.path());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    directory.append(&SummaryLine::NoImages, time()).unwrap();
                }
            });
        }
    });
    let text = fs::read_to_string(place.path().join(SUMMARY_FILE)).unwrap();
    assert_eq!(text, SummaryLine::NoImages.render(time()).repeat(200));
    let nowhere = ScanLogDirectory::new(place.path().join(SUMMARY_FILE));
    let error = nowhere.append(&SummaryLine::NoImages, time()).unwrap_err();
    assert_eq!(error.operation, "make");
}
