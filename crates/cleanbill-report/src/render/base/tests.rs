use cleanbill_core::base_image::{BaseAdvice, BaseBasis, BaseImage};
use cleanbill_core::report::ImageReport;
use cleanbill_core::severity::Severity;
use serde_json::{Value, json};

use super::*;
use crate::sample::{self, options, rendered, report};
use crate::{Format, read_report};

fn base(names: &[&str]) -> BaseImage {
    BaseImage {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        image_id: None,
        layer_count: Some(1),
        basis: BaseBasis::Chain,
        advice: Vec::new(),
    }
}

fn advice(name: &str, removed: &[Severity], added: &[Severity]) -> BaseAdvice {
    BaseAdvice {
        name: name.to_owned(),
        removed: removed.iter().copied().collect(),
        added: added.iter().copied().collect(),
    }
}

/// One of seven findings comes from the base, and a newer base has none.
fn built_on_alpine() -> ImageReport {
    let mut image = sample::findings();
    image.base = Some(BaseImage {
        advice: vec![
            advice("alpine:3.20.4", &[Severity::Low], &[]),
            advice(
                "alpine:3.20",
                &[Severity::Low, Severity::High],
                &[Severity::Low],
            ),
        ],
        ..base(&["alpine:3.20.3", "alpine:3.20"])
    });
    image.assign_origins(1);
    image
}

#[track_caller]
fn check(image: &ImageReport, expected: Option<&str>) {
    let quote = |name: &str| format!("<{name}>");
    assert_eq!(sentence(image, &quote).as_deref(), expected);
}

#[test]
fn the_sentence_says_whose_findings_they_are_and_what_would_be_better() {
    check(&sample::findings(), None);
    let mut image = built_on_alpine();
    check(
        &image,
        Some(
            "1 of 7 comes from the base <alpine:3.20.3> (<alpine:3.20>); <alpine:3.20.4> removes 1, \
             <alpine:3.20> as it is now removes 2 and adds 1",
        ),
    );
    image.base = Some(base(&["a:1", "a:2", "a:3", "a:4"]));
    image.results[0].findings[0].origin = None;
    check(
        &image,
        Some("1 of 7 comes from the base <a:1> (<a:2>, <a:3>) (1 of unknown layers)"),
    );
    image.base = Some(base(&["a:1"]));
    image.assign_origins(0);
    check(&image, Some("none of 7 comes from the base <a:1>"));
    image.assign_origins(2);
    check(&image, Some("all 7 come from the base <a:1>"));
    let mut clean = sample::clean();
    clean.base = Some(base(&["a:1"]));
    check(&clean, Some("built on <a:1>"));
}

#[test]
fn a_declared_base_claims_nothing() {
    let mut image = sample::findings();
    image.base = Some(BaseImage {
        layer_count: None,
        basis: BaseBasis::Declared,
        ..base(&["a:1"])
    });
    check(
        &image,
        Some(
            "base <a:1>, declared by the image and not verified: it is not known which layers are \
             the base's",
        ),
    );
}

#[test]
fn formats_for_people_and_tables_show_it() {
    let report = report(vec![built_on_alpine()]);
    let table = rendered(Format::Table, &report, &options());
    assert!(
        table.contains("1 of 7 comes from the base alpine:3.20.3"),
        "{table}"
    );
    let markdown = rendered(Format::Markdown, &report, &options());
    assert!(
        markdown.contains("1 of 7 comes from the base `alpine:3.20.3` (`alpine:3.20`)"),
        "{markdown}"
    );
    let page = rendered(Format::Html, &report, &options());
    assert!(page.contains("<p class=\"base\">1 of 7 comes from the base alpine:3.20.3"));
    assert_eq!(page.matches("data-o=\"base\"").count(), 1);
    assert_eq!(page.matches("data-o=\"own\"").count(), 6);
    assert!(page.contains("name=\"own\""));
    let csv = rendered(Format::Csv, &report, &options());
    let ends_with = |cell: &str| csv.lines().filter(|line| line.ends_with(cell)).count();
    assert_eq!(ends_with(",\"origin\""), 1);
    assert_eq!(ends_with(",\"base\""), 1);
    assert_eq!(ends_with(",\"own\""), 6);
}

#[test]
fn what_is_not_known_is_not_shown() {
    let report = report(vec![sample::findings()]);
    let page = rendered(Format::Html, &report, &options());
    assert!(!page.contains("name=\"own\"") && !page.contains("data-o=\"base\""));
    let json: Value = serde_json::from_str(&rendered(Format::Json, &report, &options())).unwrap();
    let image = &json["images"][0];
    assert_eq!(image.get("base"), None);
    assert_eq!(image["results"][0]["findings"][0].get("origin"), None);
}

#[test]
fn json_has_everything_and_a_saved_report_keeps_it() {
    let before = report(vec![built_on_alpine()]);
    let text = rendered(Format::Json, &before, &options());
    let json: Value = serde_json::from_str(&text).unwrap();
    let image = &json["images"][0];
    assert_eq!(
        image["base"],
        json!({
            "names": ["alpine:3.20.3", "alpine:3.20"],
            "layer_count": 1,
            "basis": "chain",
            "findings_in_base": 1,
            "findings_own": 6,
            "findings_unknown": 0,
            "advice": [
                {
                    "name": "alpine:3.20.4",
                    "removed": 1,
                    "removed_by_severity":
                        {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 0, "LOW": 1, "UNKNOWN": 0},
                    "added": 0,
                    "added_by_severity":
                        {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 0, "LOW": 0, "UNKNOWN": 0},
                },
                {
                    "name": "alpine:3.20",
                    "removed": 2,
                    "removed_by_severity":
                        {"CRITICAL": 0, "HIGH": 1, "MEDIUM": 0, "LOW": 1, "UNKNOWN": 0},
                    "added": 1,
                    "added_by_severity":
                        {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 0, "LOW": 1, "UNKNOWN": 0},
                },
            ],
        })
    );
    assert_eq!(image["results"][0]["findings"][0]["origin"], "own");
    let after = read_report(text.as_bytes()).unwrap().report;
    assert_eq!(after.images[0].base, before.images[0].base);
    let origins = |report: &cleanbill_core::report::ScanReport| {
        let findings = report.images[0].findings();
        findings.map(|finding| finding.origin).collect::<Vec<_>>()
    };
    assert_eq!(origins(&after), origins(&before));
    assert_eq!(rendered(Format::Json, &after, &options()), text);
}

#[test]
fn a_saved_report_cannot_overflow_counts() {
    let text = rendered(Format::Json, &report(vec![built_on_alpine()]), &options());
    let mut json: Value = serde_json::from_str(&text).unwrap();
    let advice = &mut json["images"][0]["base"]["advice"][0];
    for severity in ["CRITICAL", "HIGH", "LOW"] {
        advice["removed_by_severity"][severity] = json!(u64::MAX);
    }
    let read = read_report(json.to_string().as_bytes()).unwrap().report;
    let table = rendered(Format::Table, &read, &options());
    assert!(table.contains(&u64::MAX.to_string()));
    json["images"][0]["base"]["basis"] = json!("hearsay");
    let error = read_report(json.to_string().as_bytes()).unwrap_err();
    assert!(error.to_string().contains("basis"), "{error}");
}
