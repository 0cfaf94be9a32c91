use cleanbill_core::severity::Severity;
use serde_json::Value;

use crate::sample::{self, options, rendered};
use crate::{Format, RenderOptions};

fn parsed(images: Vec<cleanbill_core::report::ImageReport>) -> Value {
    let options = RenderOptions {
        show_suppressed: true,
        ..options()
    };
    let text = rendered(Format::Sarif, &sample::report(images), &options);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_result_points_at_its_rule() {
    for image in sample::all() {
        let report = parsed(vec![image]);
        let run = &report["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let index = result["ruleIndex"].as_u64().unwrap();
            assert_eq!(rules[index as usize]["id"], result["ruleId"]);
        }
        let mut ids: Vec<_> = rules.iter().map(|rule| rule["id"].to_string()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), rules.len(), "rules are distinct");
    }
}

#[test]
fn the_number_agrees_with_the_severity() {
    let report = parsed(vec![sample::findings()]);
    let rules = report["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let number = |id: &str| {
        let rule = rules.iter().find(|rule| rule["id"] == id).unwrap();
        rule["properties"]["security-severity"].clone()
    };
    // The score of all of them is 7.0, which only the high ones may keep.
    assert_eq!(number("CVE-2026-1001"), "9.5");
    assert_eq!(number("CVE-2026-1002"), "7.0");
    assert_eq!(number("CVE-2026-1003"), "5.5");
    assert_eq!(number("CVE-2026-3001"), "2.0");
    assert_eq!(number("CVE-2026-2002"), Value::Null);
}

#[test]
fn a_rule_has_the_worst_severity_of_its_findings() {
    let mut image = sample::findings();
    image.results[0].findings[5].vulnerability_id = "CVE-2026-2001".to_owned();
    image.results[0].findings[5].severity = Severity::Critical;
    let report = parsed(vec![image]);
    let rule = &report["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(rule["id"], "CVE-2026-2001");
    assert_eq!(rule["defaultConfiguration"]["level"], "error");
    assert_eq!(rule["properties"]["security-severity"], "9.5");
}

#[test]
fn several_images_are_runs_of_their_own_category() {
    let report = parsed(vec![sample::findings(), sample::clean(), sample::partial()]);
    let runs = report["runs"].as_array().unwrap();
    let ids: Vec<_> = runs
        .iter()
        .map(|run| run["automationDetails"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids[0], "cleanbill/example.com/team/shop%3A2.1/");
    assert_eq!(ids.len(), 3);
    assert_ne!(ids[1], ids[2]);
    assert_eq!(runs[1]["results"].as_array().unwrap().len(), 0);
}

#[test]
fn locations_are_files_of_the_image() {
    let report = parsed(vec![sample::findings()]);
    let results = report["runs"][0]["results"].as_array().unwrap();
    let place =
        |index: usize| &results[index]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(place(0)["uri"], "example.com/team/shop%3A2.1");
    assert_eq!(place(6)["uri"], "srv/node_modules/express/package.json");
    assert_eq!(place(6)["uriBaseId"], "IMAGE_ROOT");
    let package = &results[6]["locations"][0]["logicalLocations"][0];
    assert_eq!(package["fullyQualifiedName"], "pkg:npm/express@4.17.1");
}

#[test]
fn fingerprints_outlive_versions_and_tags() {
    let fingerprints = |image| {
        let report = parsed(vec![image]);
        let results = report["runs"][0]["results"].as_array().unwrap().clone();
        results
            .iter()
            .map(|result| result["partialFingerprints"].to_string())
            .collect::<Vec<_>>()
    };
    let first = fingerprints(sample::findings());
    let mut image = sample::findings();
    image.artifact_name = "other:1".to_owned();
    image.results[0].findings[0].installed_version = "9".to_owned();
    assert_eq!(first, fingerprints(image));
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 7);
}

#[test]
fn what_was_not_assessed_is_a_notification_and_a_result() {
    let report = parsed(vec![sample::partial(), sample::failed()]);
    let run = &report["runs"][0];
    let notifications = run["invocations"][0]["toolExecutionNotifications"]
        .as_array()
        .unwrap();
    assert_eq!(notifications[1]["descriptor"]["id"], "unreadable-file");
    assert_eq!(notifications[1]["level"], "error");
    assert_eq!(run["results"][1]["ruleId"], "unreadable-file");
    assert_eq!(run["results"][1]["level"], "warning");
    assert_eq!(
        report["runs"][1]["invocations"][0]["executionSuccessful"],
        false
    );
}

#[test]
fn a_rule_knows_the_worst_about_exploitation() {
    let mut image = sample::exploited();
    // Another package, of which more is known.
    let id = "CVE-2026-1001";
    let findings = &mut image.results[0].findings;
    findings[0].vulnerability_id = id.to_owned();
    findings[0].known_exploited = findings[2].known_exploited.take();
    let report = parsed(vec![image]);
    let rules = &report["runs"][0]["tool"]["driver"]["rules"];
    let rules = rules.as_array().unwrap();
    let properties = |id: &str| {
        let rule = rules.iter().find(|rule| rule["id"] == id).unwrap();
        rule["properties"].clone()
    };
    let known = properties(id);
    assert_eq!(
        known["epss"],
        serde_json::json!({"score": 0.94213, "percentile": 0.99912, "date": "2026-11-21"})
    );
    assert_eq!(
        known["knownExploited"],
        serde_json::json!({
            "dateAdded": "2026-04-01", "dueDate": "2026-04-22", "isUsedByRansomware": true
        })
    );
    let has_tag = |properties: &Value| {
        let tags = properties["tags"].as_array().unwrap();
        tags.contains(&"known-exploited".into())
    };
    assert!(has_tag(&known));
    let unknown = properties("CVE-2026-1002");
    assert!(!has_tag(&unknown));
    assert_eq!(
        (unknown.get("epss"), unknown.get("knownExploited")),
        (None, None)
    );
}

#[test]
fn suppressed_findings_carry_their_reason() {
    let report = parsed(vec![sample::suppressed()]);
    let results = report["runs"][0]["results"].as_array().unwrap();
    let reasons: Vec<_> = results
        .iter()
        .filter_map(|result| result["suppressions"][0]["justification"].as_str())
        .collect();
    assert_eq!(reasons.len(), 2);
    assert!(
        reasons[0].contains("accepted until the next release"),
        "{reasons:?}"
    );
}

#[test]
fn hostile_texts_make_no_links_and_no_placeholders() {
    let mut image = sample::findings();
    image.results[0].findings[0].package_name = "[x](https://evil.example) {0}".to_owned();
    image.results[0].findings[0].primary_url = "javascript:alert(1)".to_owned();
    let report = parsed(vec![image]);
    let message = report["runs"][0]["results"][0]["message"]["text"]
        .as_str()
        .unwrap();
    assert!(
        message.starts_with(r"\[x\](https://evil.example) {{0}} 8.9.0-r0: HIGH"),
        "{message}"
    );
    let rule = report["runs"][0]["tool"]["driver"]["rules"][0].to_string();
    assert!(!rule.contains("javascript"), "{rule}");
}

#[test]
fn what_is_excepted_opens_no_alert_unless_asked_for() {
    let text = rendered(
        Format::Sarif,
        &sample::report(vec![sample::excepted()]),
        &options(),
    );
    let report: Value = serde_json::from_str(&text).unwrap();
    let run = &report["runs"][0];
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    let notes = invocation["toolExecutionNotifications"].as_array().unwrap();
    let [note] = notes.as_slice() else {
        panic!("{notes:?}");
    };
    assert_eq!(note["level"], "note");
    assert_eq!(note["descriptor"]["id"], "excepted");
    let said = note["message"]["text"].as_str().unwrap();
    let reason = "accepted until the next release (owner payments, ticket SEC-1, until 2026-12-31)";
    let place = "CVE-2026-1001 in openssl 3.3.1-r0 is excepted";
    assert_eq!(said, format!("{place}: {reason}, exceptions.yaml:3"));
    let results = run["results"].as_array().unwrap();
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(results.iter().all(|one| one["ruleId"] != "CVE-2026-1001"));
    assert!(rules.iter().all(|one| one["id"] != "CVE-2026-1001"));
    // Where it is a result it is not said twice.
    let asked = parsed(vec![sample::excepted()]);
    let notes = &asked["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes.as_array().unwrap().len(), 0);
}
