use cleanbill_core::Severity;
use cleanbill_core::report::{ExceptionTerms, ImageReport, ResultSet, SuppressedFinding};
use cleanbill_core::vulnerability::Finding;
use cleanbill_policy::{Gate, gate_file};

use super::*;

/// What an attacker would call a package.
const HOSTILE: &str =
    "a\r\n::set-output name=x::y\n::stop-commands::z ##[add-mask]q ##vso[task.x]r %0A <b>|`@me";

fn report() -> ScanReport {
    let finding = |id: &str, package: &str, fixed: &str| Finding {
        vulnerability_id: id.to_owned(),
        package_name: package.to_owned(),
        installed_version: "1.0".to_owned(),
        fixed_version: fixed.to_owned(),
        severity: Severity::High,
        ..Finding::default()
    };
    ScanReport {
        images: vec![ImageReport {
            artifact_name: format!("shop/web:1 {HOSTILE}"),
            results: vec![ResultSet {
                kind: "npm".to_owned(),
                findings: vec![
                    finding("CVE-2099-1", HOSTILE, HOSTILE),
                    finding("CVE-2099-2", "b", ""),
                ],
                ..ResultSet::default()
            }],
            ..ImageReport::default()
        }],
        ..ScanReport::default()
    }
}

fn rendered(format: VerdictFormat, rules: &str) -> String {
    rendered_of(&report(), format, rules)
}

fn rendered_of(report: &ScanReport, format: VerdictFormat, rules: &str) -> String {
    let gate = Gate {
        rules: Some(gate_file::parse(rules, "g%,:\n.yaml").unwrap().rules),
        ..Gate::default()
    };
    let verdict = gate.verdict(report);
    let view = View {
        verdict: &verdict,
        report,
        rules: "g%,:\n.yaml",
        notes: &[format!("expired {HOSTILE}")],
    };
    format.render(&view, Listing::new(Some(60), false)).unwrap()
}

const STRICT: &str = "version: 1\nthresholds: {high: 0, low: 0}\n";

#[test]
fn a_report_cannot_give_commands_to_the_runner() {
    let text = rendered(VerdictFormat::Github, STRICT);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    let begins = [
        "::error file=g%25%2C%3A .yaml,line=2,title=Gate%3A thresholds.high::2 findings of \
         severity HIGH, none allowed%0A",
        "::notice title=Upgrading 1 package is not enough to pass::",
        "::warning title=Gate::expired a",
    ];
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{line}");
        assert!(!line.contains('\r'), "{line}");
    }
    assert!(text.contains("%250A"), "{text}");
}

#[test]
fn no_line_of_a_text_is_a_command() {
    for format in [
        VerdictFormat::Text,
        VerdictFormat::Markdown,
        VerdictFormat::Junit,
        VerdictFormat::Json,
    ] {
        let text = rendered(format, STRICT);
        for line in text.lines() {
            assert!(!line.trim_start().starts_with("::"), "{format}: {line}");
            assert!(!line.contains("##["), "{format}: {line}");
            assert!(!line.contains("##vso["), "{format}: {line}");
        }
    }
}

#[test]
fn markup_is_escaped() {
    let markdown = rendered(VerdictFormat::Markdown, STRICT);
    // Elsewhere it stands in code.
    for row in markdown.lines().filter(|line| line.starts_with("| ")) {
        assert!(!row.contains("<b>"), "{row}");
    }
    let junit = rendered(VerdictFormat::Junit, STRICT);
    assert!(!junit.contains("<b>"));
    assert!(
        junit.contains(r#"tests="3" failures="1" errors="0""#),
        "{junit}"
    );
}

#[test]
fn json_lists_everything() {
    let json: serde_json::Value =
        serde_json::from_str(&rendered(VerdictFormat::Json, STRICT)).unwrap();
    assert_eq!(json["verdict"], "failed");
    assert_eq!(json["exit_code"], 1);
    assert_eq!(json["rules"][0]["rule"], "thresholds.high");
    assert_eq!(json["rules"][0]["line"], 2);
    assert_eq!(json["rules"][0]["hits"][1]["id"], "CVE-2099-2");
    assert_eq!(json["rules"][0]["hits"][0]["package"], HOSTILE);
    assert_eq!(json["plan"]["is_enough"], false);
    assert_eq!(json["plan"]["left"]["thresholds.high"], 1);
    assert_eq!(json["plan"]["upgrades"].as_array().unwrap().len(), 1);
}

#[test]
fn a_verdict_that_passes_says_so_in_every_format() {
    let rules = "version: 1\nthresholds: {high: 2}\n";
    for (format, words) in [
        (
            VerdictFormat::Text,
            "Gate passed: nothing stands against 2 rules",
        ),
        (VerdictFormat::Json, "\"verdict\": \"passed\""),
        (VerdictFormat::Junit, "failures=\"0\" errors=\"0\""),
        (VerdictFormat::Github, "::notice title=Gate::passed"),
        (VerdictFormat::Markdown, "## ✅ Gate passed"),
    ] {
        let text = rendered(format, rules);
        assert!(text.contains(words), "{format}: {text}");
        assert!(!text.contains("::error"), "{text}");
    }
}

#[test]
fn what_is_excepted_is_said_with_its_reason_in_every_format() {
    let mut report = report();
    let result = &mut report.images[0].results[0];
    let finding = result.findings.pop().unwrap();
    for (source, number) in [("exceptions.yaml:3", 1_500), ("vex.json", 1)] {
        let suppressed = SuppressedFinding {
            statement: format!("accepted in {source}"),
            source: source.to_owned(),
            terms: ExceptionTerms {
                owner: "payments".to_owned(),
                ticket: "SEC-1".to_owned(),
                expires: "2026-12-31".to_owned(),
            },
            finding: finding.clone(),
            ..SuppressedFinding::default()
        };
        for number in 0..number {
            let mut one = suppressed.clone();
            one.finding.package_name = format!("package-{number:04}");
            result.suppressed.push(one);
        }
    }
    for (format, lines_max, rest) in [
        (VerdictFormat::Text, 20 * 4, Some("and 1480 more")),
        (VerdictFormat::Json, usize::MAX, None),
        (VerdictFormat::Junit, usize::MAX, Some("and 500 more")),
        (VerdictFormat::Github, 3, Some("and 1490 more")),
        (VerdictFormat::Markdown, 80, Some("and 1450 more")),
    ] {
        let text = rendered_of(&report, format, "version: 1\nthresholds: {high: 2}\n");
        let lines_max = lines_max.saturating_add(20);
        assert!(text.lines().count() <= lines_max, "{format}: {text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = words.replace('\\', "");
        for said in [
            "CVE-2099-2",
            "accepted in exceptions.yaml:3",
            "payments",
            "SEC-1",
            "2026-12-31",
        ] {
            assert!(words.contains(said), "{format}: {said}: {words}");
        }
        assert!(!words.contains("vex.json"), "{format}");
        assert!(rest.is_none_or(|rest| words.contains(rest)), "{format}");
    }
    let twice = &mut report.images[0].results[0].suppressed;
    twice[1].finding.package_name = "package-0000".to_owned();
    let text = rendered_of(&report, VerdictFormat::Github, STRICT);
    assert!(text.contains("exceptions.yaml:3 (2 times)"), "{text}");
    let junit = rendered_of(&report, VerdictFormat::Junit, STRICT);
    let totals = r#"tests="1003" failures="1" errors="0" skipped="1000""#;
    assert!(junit.contains(totals), "{junit}");
}

#[test]
fn formats_have_names() {
    for format in VerdictFormat::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    assert_eq!(
        "xml".parse::<VerdictFormat>(),
        Err(
            "'xml' is no format of a verdict: accepted are text, json, junit, github, markdown"
                .to_owned()
        )
    );
}
