use std::time::Duration;

use cleanbill_core::Severity;
use proptest::prelude::*;

use super::*;
use crate::gate::{EpssRule, Tolerance};
use crate::threshold::Counted;

fn read(text: &str) -> GateFile {
    parse(text, "gate.yaml").unwrap_or_else(|error| panic!("{text}\n{error}"))
}

#[test]
fn every_rule_is_read() {
    let file = read(
        "version: 1\n\
         x-note: &all [critical, HIGH, medium, low, unknown]\n\
         severity: *all\n\
         thresholds:\n  critical: 0\n  high: 5\n  total: 3\n  kev: 0\n\
         only_fixable: true\n\
         only_new: true\n\
         epss: {above: 0.1, max: 2}\n\
         deny_packages:\n  - event-stream\n  - {package: 'pkg:npm/left-pad@1.*', reason: gone}\n\
         end_of_life: fail\n\
         max_db_age: 2d\n\
         incomplete: allow\n\
         exit_code: 7\n",
    );
    let rules = &file.rules;
    let allowed = |counted| rules.thresholds.allowed(counted);
    assert_eq!(allowed(Counted::Severity(Severity::High)), Some(5));
    assert_eq!(allowed(Counted::Severity(Severity::Low)), None);
    assert_eq!(allowed(Counted::Total), Some(3));
    assert_eq!(allowed(Counted::KnownExploited), Some(0));
    assert!(rules.only_fixable && rules.only_new && !file.is_older);
    assert_eq!(
        rules.epss,
        Some(EpssRule {
            above: 0.1,
            allowed: 2
        })
    );
    let denied: Vec<_> = rules
        .denied_packages
        .iter()
        .map(|one| (one.line, one.reason.as_str()))
        .collect();
    assert_eq!(denied, [(13, ""), (14, "gone")]);
    assert_eq!(rules.end_of_life, Tolerance::Fail);
    assert_eq!(rules.incomplete, Tolerance::Allow);
    assert_eq!(
        rules.database_age_max,
        Some(Duration::from_secs(2 * 24 * 3600))
    );
    assert_eq!(rules.exit_code, Some(7));
    assert_eq!(rules.source, "gate.yaml");
    let lines: Vec<_> = rules
        .lines
        .iter()
        .map(|(kind, line)| (kind.name(), *line))
        .collect();
    assert!(lines.contains(&("thresholds.high", 6)), "{lines:?}");
    assert!(lines.contains(&("epss", 11)), "{lines:?}");
}

#[test]
fn a_file_without_a_rule_says_so() {
    assert_eq!(
        read("version: 1\n").notes,
        ["no rule is set: only what could not be assessed fails"]
    );
}

#[test]
fn older_files_are_read_in_their_shapes() {
    for text in [
        "thresholds: {critical: 0, high: 5}\n",
        "thresholds:\n  CRITICAL: 0\n  High: 5\n",
        "thresholds:\n  max_critical: 0\n  MAX_HIGH: 5\n",
        "max_critical: 0\nmax-high: 5\n",
        "Thresholds: {max-critical: 0}\nmax_high: 5\n",
    ] {
        let file = read(text);
        assert!(file.is_older);
        let thresholds = &file.rules.thresholds;
        let of = |severity| thresholds.allowed(Counted::Severity(severity));
        assert_eq!(
            Severity::ALL.map(of),
            [Some(0), Some(5), None, None, None],
            "{text}"
        );
        assert_eq!(file.rules.incomplete, Tolerance::Fail);
    }
    let file = read(
        "severity: HIGH,CRITICAL\ntimeout: 5m\nvulnerability:\n  ignore-unfixed: true\n\
         scan:\n  skip-dirs: [a]\nthresholds: {high: 1, low: 3}\nexit-code: 1\n",
    );
    assert!(file.rules.only_fixable);
    assert!(!file.rules.severities.passes(Severity::Low));
    assert_eq!(file.rules.exit_code, Some(1));
    assert_eq!(
        file.notes,
        [
            "line 2: timeout concerns the scan, not the gate: give --timeout to cleanbill scan",
            "line 6: scan.skip-dirs concerns the scan, not the gate: give --skip-dirs to cleanbill scan",
            "line 7: the threshold for low never fails, since 'severity' leaves it out",
        ]
    );
    assert!(
        read("ignore_unfixed: true\nmax_total: 1\n")
            .rules
            .only_fixable
    );
}

#[test]
fn a_threshold_that_never_decides_is_named() {
    let file = read("version: 1\nthresholds:\n  critical: 5\n  high: 2\n  total: 2\n");
    let expected = "line 3: the threshold for critical (5) never decides, since no more than 2 pass \
                    in total";
    assert_eq!(file.notes, [expected]);
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let error = parse(text, "g.yaml").expect_err(text);
    assert_eq!(error.to_string(), expected, "{text}");
}

#[test]
fn what_makes_no_sense_is_said_with_its_place() {
    check(
        "{}",
        "g.yaml:1:1: the file has no thresholds: expected 'thresholds: {critical: 0, high: 5}', or \
         'version: 1' for the form with all rules",
    );
    check(
        "thresholds: {high: 1}\ntimeout: abc\n",
        "g.yaml:2:10: timeout: 'abc' is no duration: expected a form such as 5m or 90s",
    );
    check(
        "version: 1\nthresholds:\n  critcal: 0\n",
        "g.yaml:3:3: thresholds: 'critcal' is not known; did you mean 'critical'?",
    );
    check(
        "version: 1\ntresholds: {high: 1}\n",
        "g.yaml:2:1: 'tresholds' is not known; did you mean 'thresholds'?",
    );
    check(
        "version: 1\nthresholds: {high: -1}\n",
        "g.yaml:2:20: thresholds.high: -1 is negative: expected the highest number of findings that \
         passes, 0 for none",
    );
    check(
        "version: 1\nthresholds: {high: many}\n",
        "g.yaml:2:20: thresholds.high: 'many' is no number: expected the highest number of findings \
         that passes",
    );
    check(
        "version: 1\nthresholds: {high: 99999999999999999999}\n",
        "g.yaml:2:20: thresholds.high: 99999999999999999999 is too large",
    );
    check(
        "version: 1\nthresholds:\n  high: 1\n  high: 2\n",
        "g.yaml:4:3: this key stands here twice",
    );
    check(
        "version: 1\nthresholds: [high]\n",
        "g.yaml:2:13: thresholds: expected a mapping, found a list",
    );
    check(
        "version: 1\nseverity: [critical]\nthresholds: {high: 0}\n",
        "g.yaml:3:14: thresholds.high limits findings that 'severity' leaves out",
    );
    check(
        "version: 1\nseverity: [hihg]\n",
        "g.yaml:2:12: severity: 'hihg' is no severity; did you mean 'HIGH'?",
    );
    check(
        "version: 1\nepss: {max: 1}\n",
        "g.yaml:2:7: epss: 'above' is missing: the probability above which findings count",
    );
    check(
        "version: 1\nepss: {above: 10}\n",
        "g.yaml:2:15: epss.above: '10' is no probability: expected 0 to 1, such as 0.1",
    );
    check(
        "version: 1\ndeny_packages: ['*']\n",
        "g.yaml:2:17: deny_packages: '*' matches every package",
    );
    check(
        "version: 1\nmax_db_age: soon\n",
        "g.yaml:2:13: max_db_age: 'soon' is no duration: expected a form such as 48h, 7d or 90m",
    );
    check(
        "version: 1\nexit_code: 0\n",
        "g.yaml:2:12: exit_code: with 0 nothing would ever fail",
    );
    check(
        "version: 1\nexit_code: 3\n",
        "g.yaml:2:12: exit_code: 3 means something else; expected 1, or 5 to 255",
    );
    check(
        "version: 1\nend_of_life: maybe\n",
        "g.yaml:2:14: end_of_life: 'maybe' is neither fail nor allow",
    );
    check(
        "version: 2\n",
        "g.yaml:1:10: version: '2' is not known, expected 1",
    );
    check(
        "version: 1\nwatch: {}\n",
        "g.yaml:2:1: 'watch' is a setting of watch, not a rule of the gate",
    );
}

#[test]
fn older_files_are_not_honoured_in_part() {
    check(
        "thresholds: {critical: 0, max_critical: 1}\n",
        "g.yaml:1:27: 'max_critical': critical is limited in line 1 already",
    );
    check(
        "thresholds: {critical: 0}\nmax_critical: 1\n",
        "g.yaml:2:1: 'max_critical': critical is limited in line 1 already",
    );
    check(
        "thresholds: {critical: 0, CRITICAL: 1}\n",
        "g.yaml:1:27: 'CRITICAL': critical is limited in line 1 already",
    );
    check(
        "severity: HIGH\n",
        "g.yaml:1:1: the file has no thresholds: expected 'thresholds: {critical: 0, high: 5}', or \
         'version: 1' for the form with all rules",
    );
    check(
        "thresholds: {high: 1}\nvulnerability: {ignore-unfix: true}\n",
        "g.yaml:2:17: vulnerability: 'ignore-unfix' is not known; did you mean 'ignore-unfixed'?",
    );
    check(
        "thresholds: {high: 1}\nthreshold: {high: 1}\n",
        "g.yaml:2:1: 'threshold' is not known; did you mean 'thresholds'?",
    );
    check(
        "",
        "g.yaml:1:1: the file has no rules: expected for instance 'version: 1' and 'thresholds: \
         {critical: 0}'",
    );
    check(
        "- a\n",
        "g.yaml:1:1: expected a mapping of rules, found a list",
    );
}

#[test]
fn everything_that_is_wrong_is_said_in_its_order() {
    let error = parse("version: 1\nb: 1\nthresholds: {high: x}\na: 1\n", "g").unwrap_err();
    let lines: Vec<u64> = error
        .problems
        .iter()
        .filter_map(|one| Some(one.place?.line))
        .collect();
    assert_eq!(lines, [2, 3, 4]);
    let many: String = (0..50).map(|number| format!("key{number}: 1\n")).collect();
    let error = parse(&format!("version: 1\n{many}"), "g").unwrap_err();
    assert!(
        error.to_string().ends_with("g: 30 more things are wrong"),
        "{error}"
    );
    let huge = format!("version: 1\nx-a: {}\n", "a".repeat(1 << 20));
    check(&huge, "g.yaml: the file has more than 1024 KiB");
}

#[test]
fn the_schema_has_every_key() {
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).unwrap();
    for (key, _) in version_one::KEYS {
        assert!(
            schema["properties"][key]["description"].is_string(),
            "{key}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_is_honoured_in_part(text in "(version: 1\n)?([a-z_]{1,14}: ?[-a-z0-9{}:, \\[\\]]{0,12}\n){0,5}") {
        if let Err(error) = parse(&text, "g") {
            prop_assert!(!error.problems.is_empty());
        }
    }

    #[test]
    fn fewer_allowed_findings_never_pass_more(allowed in 0_u64..5, findings in 0_usize..6) {
        use cleanbill_core::report::{ImageReport, ResultSet, ScanReport};
        use cleanbill_core::vulnerability::Finding;
        let report = ScanReport {
            images: vec![ImageReport {
                results: vec![ResultSet {
                    findings: vec![Finding::default(); findings],
                    ..ResultSet::default()
                }],
                ..ImageReport::default()
            }],
            ..ScanReport::default()
        };
        let passes = |allowed: u64| {
            let rules = read(&format!("version: 1\nthresholds: {{unknown: {allowed}}}\n")).rules;
            let gate = crate::gate::Gate { rules: Some(rules), ..Default::default() };
            !gate.verdict(&report).failed
        };
        prop_assert_eq!(passes(allowed), findings as u64 <= allowed);
        prop_assert!(!passes(allowed) || passes(allowed + 1));
    }
}
