use serde_json::{Value, json};

use crate::sample::{self, options, rendered};
use crate::{Format, RenderOptions};

fn document(image: cleanbill_core::report::ImageReport, show_suppressed: bool) -> Value {
    let options = RenderOptions {
        show_suppressed,
        ..options()
    };
    let text = rendered(Format::CycloneDx, &sample::report(vec![image]), &options);
    serde_json::from_str(&text).unwrap()
}

fn ids(document: &Value) -> Vec<&str> {
    let list = document["vulnerabilities"].as_array().unwrap();
    list.iter().map(|v| v["id"].as_str().unwrap()).collect()
}

#[test]
fn packages_are_listed_even_if_told_not_to() {
    for list_all_packages in [None, Some(true), Some(false)] {
        let options = RenderOptions {
            list_all_packages,
            ..options()
        };
        let report = sample::report(vec![sample::clean()]);
        for format in [Format::CycloneDx, Format::Spdx] {
            assert!(rendered(format, &report, &options).contains("musl"));
        }
    }
}

#[test]
fn a_vulnerability_of_several_packages_is_one_entry() {
    let mut image = sample::findings();
    let findings = &mut image.results[0].findings;
    let id = findings[0].vulnerability_id.clone();
    findings[2].vulnerability_id.clone_from(&id);
    let document = document(image, false);
    assert_eq!(
        ids(&document).iter().filter(|other| **other == id).count(),
        1
    );
    let list = document["vulnerabilities"].as_array().unwrap();
    let entry = list.iter().find(|v| v["id"] == id.as_str()).unwrap();
    assert_eq!(entry["affects"].as_array().unwrap().len(), 2);
    assert_eq!(
        entry["recommendation"],
        "Upgrade curl to version 8.10.0-r0; Upgrade openssl to version 3.3.2-r0"
    );
}

#[test]
fn suppressed_findings_are_shown_with_their_analysis() {
    assert_eq!(ids(&document(sample::suppressed(), false)).len(), 5);
    let shown = document(sample::suppressed(), true);
    let analyses: Vec<&Value> = shown["vulnerabilities"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|v| v.get("analysis"))
        .collect();
    let accepted = json!({
        "response": ["will_not_fix"],
        "detail": "accepted until the next release (.trivyignore.yaml)",
    });
    let not_affected = json!({
        "state": "not_affected",
        "justification": "code_not_present",
        "detail": "vulnerable_code_not_present (vex.json)",
    });
    assert_eq!(analyses, [&accepted, &not_affected]);
}

#[test]
fn a_score_of_epss_is_a_rating_of_its_own_kind() {
    let document = document(sample::exploited(), false);
    let entry = |id: &str| {
        let list = document["vulnerabilities"].as_array().unwrap();
        list.iter().find(|v| v["id"] == id).unwrap().clone()
    };
    let known = entry("CVE-2026-1001");
    let ratings = known["ratings"].as_array().unwrap();
    assert_eq!(
        ratings.last(),
        Some(&json!({"source": {"name": "EPSS"}, "score": 0.94213, "method": "other"}))
    );
    let names: Vec<_> = known["properties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|property| format!("{}={}", property["name"], property["value"]).replace('"', ""))
        .collect();
    assert_eq!(
        names,
        [
            "cleanbill:epss:percentile=0.99912",
            "cleanbill:epss:date=2026-11-21",
            "cleanbill:kev:date_added=2026-04-01",
            "cleanbill:kev:due_date=2026-04-22",
            "cleanbill:kev:is_used_by_ransomware=true",
        ]
    );
    let unknown = entry("CVE-2026-1002");
    assert_eq!(unknown["ratings"].as_array().unwrap().len(), 1);
    assert_eq!(unknown.get("properties"), None);
}

#[test]
fn addresses_that_a_reader_could_choke_on_are_left_out() {
    let mut image = sample::findings();
    let finding = &mut image.results[0].findings[0];
    finding.primary_url = "javascript:alert(1)".to_owned();
    let details = std::sync::Arc::make_mut(finding.details.as_mut().unwrap());
    details.references = vec![
        "see https://example.com/a (archived)".to_owned(),
        "https://example.com/<b>".to_owned(),
        "https://example.com/a".to_owned(),
    ];
    details.cwe_ids = vec!["CWE-0".to_owned(), "cwe-79".to_owned(), "none".to_owned()];
    let id = finding.vulnerability_id.clone();
    let document = document(image, false);
    let list = document["vulnerabilities"].as_array().unwrap();
    let entry = list.iter().find(|v| v["id"] == id.as_str()).unwrap();
    assert_eq!(
        entry["advisories"],
        json!([{"url": "https://example.com/a"}])
    );
    assert_eq!(entry["cwes"], json!([79]));
}

#[test]
fn licences_are_ids_names_or_one_expression() {
    let licenses = |stated: &[&str]| {
        let mut image = sample::clean();
        image.results[0].packages[0].licenses = stated.iter().map(|s| (*s).to_owned()).collect();
        document(image, false)["components"][1]["licenses"].clone()
    };
    assert_eq!(licenses(&["MIT"]), json!([{"license": {"id": "MIT"}}]));
    assert_eq!(
        licenses(&["MIT OR Apache-2.0"]),
        json!([{"expression": "MIT OR Apache-2.0"}])
    );
    assert_eq!(
        licenses(&["MIT OR Apache-2.0", "text://Do what you want"]),
        json!([
            {"license": {"name": "MIT OR Apache-2.0"}},
            {"license": {"name": "Do what you want"}},
        ])
    );
    assert_eq!(licenses(&[]), Value::Null);
}
