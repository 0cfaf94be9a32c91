use serde_json::{Value, json};

use crate::sample::{self, options, rendered};
use crate::{Format, RenderOptions};

fn parsed(image: cleanbill_core::report::ImageReport) -> Value {
    let options = RenderOptions {
        show_suppressed: true,
        ..options()
    };
    let text = rendered(Format::Gitlab, &sample::report(vec![image]), &options);
    serde_json::from_str(&text).unwrap()
}

/// What the published schema demands of the parts that are written, put down by hand: no package
/// registry carries the schema itself.
fn schema() -> Value {
    let text = json!({"type": "string"});
    let named = json!({"type": "string", "minLength": 1});
    let time = json!({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"});
    let url = json!({"type": "string", "pattern": "^(https?|ftp)://.+"});
    let tool = json!({
        "type": "object", "required": ["id", "name", "version", "vendor"],
        "properties": {"id": named, "name": named, "version": named,
            "vendor": {"type": "object", "required": ["name"], "properties": {"name": named}}}
    });
    let identifier = json!({
        "type": "object", "required": ["type", "name", "value"],
        "properties": {"type": named, "name": named, "value": named, "url": url}
    });
    let vector = json!({
        "type": "object", "required": ["vendor", "vector"],
        "properties": {"vendor": named, "vector": {"type": "string", "maxLength": 128, "anyOf": [
            {"minLength": 16, "pattern": "^((AV:[NAL]|AC:[LMH]|Au:[MSN]|[CIA]:[NPC])(/|$))+$"},
            {"minLength": 32, "pattern": "^CVSS:3[.][01]/((AV:[NALP]|AC:[LH]|PR:[NLH]|UI:[NR]|S:[UC]|[CIA]:[NLH]|E:[XUPFH]|RL:[XOTWU]|RC:[XURC])(/|$))+$"}
        ]}}
    });
    let location = json!({
        "type": "object", "required": ["dependency", "operating_system", "image"],
        "properties": {
            "dependency": {"type": "object", "required": ["package", "version"], "properties": {
                "package": {"type": "object", "required": ["name"], "properties": {"name": text}},
                "version": text}},
            "operating_system": named, "image": named
        }
    });
    let detail = json!({
        "type": "object", "required": ["name", "type", "value"],
        "properties": {"name": named, "type": {"const": "text"}, "value": text}
    });
    json!({
        "type": "object", "required": ["scan", "version", "vulnerabilities"],
        "properties": {
            "version": {"const": "15.0.7"},
            "scan": {
                "type": "object",
                "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
                "properties": {
                    "analyzer": tool, "scanner": tool, "start_time": time, "end_time": time,
                    "status": {"enum": ["success", "failure"]},
                    "type": {"const": "container_scanning"},
                    "messages": {"type": "array", "items": {
                        "type": "object", "required": ["level", "value"],
                        "properties": {"level": {"enum": ["info", "warn", "fatal"]}, "value": named}
                    }}
                }
            },
            "vulnerabilities": {"type": "array", "items": {
                "type": "object", "required": ["id", "identifiers", "location"],
                "properties": {
                    "id": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
                    "name": {"type": "string", "maxLength": 255},
                    "description": {"type": "string", "maxLength": 1_048_576},
                    "severity": {"enum": ["Unknown", "Low", "Medium", "High", "Critical"]},
                    "solution": {"type": "string", "maxLength": 7000},
                    "identifiers": {"type": "array", "minItems": 1, "items": identifier},
                    "cvss_vectors": {"type": "array", "minItems": 1, "maxItems": 10, "items": vector},
                    "links": {"type": "array", "items": {
                        "type": "object", "required": ["url"], "properties": {"url": url}
                    }},
                    "details": {"type": "object", "additionalProperties": detail},
                    "location": location
                }
            }}
        }
    })
}

#[test]
fn reports_are_what_the_schema_demands() {
    let schema = schema();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for image in sample::all() {
        let report = parsed(image);
        let errors: Vec<_> = validator
            .iter_errors(&report)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:?}\n{report:#}");
    }
}

#[test]
fn ids_are_distinct_and_the_same_in_every_run() {
    let ids = |report: &Value| -> Vec<String> {
        let list = report["vulnerabilities"].as_array().unwrap();
        list.iter().map(|one| one["id"].to_string()).collect()
    };
    let first = ids(&parsed(sample::findings()));
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 7);
    assert_eq!(first, ids(&parsed(sample::findings())));
}

#[test]
fn what_was_not_assessed_is_an_entry_and_a_message() {
    let report = parsed(sample::partial());
    assert_eq!(
        report["vulnerabilities"][0]["name"],
        "Not assessed: unreadable-file"
    );
    assert_eq!(
        report["scan"]["messages"][0]["value"],
        "not assessed completely (partial)"
    );
    assert_eq!(report["scan"]["status"], "success");
    assert_eq!(parsed(sample::failed())["scan"]["status"], "failure");
}

#[test]
fn exploitation_is_listed_by_name() {
    let report = parsed(sample::exploited());
    let expected = json!({
        "epss": {"type": "text", "name": "EPSS",
            "value": "94.2 % within 30 days (percentile 99.9 %, of 2026-11-21)"},
        "known_exploited": {"type": "text", "name": "Known exploited",
            "value": "since 2026-04-01, used by ransomware, to be fixed by 2026-04-22"}
    });
    assert_eq!(report["vulnerabilities"][2]["details"], expected);
    assert_eq!(report["vulnerabilities"][0].get("details"), None);
}

#[test]
fn vectors_that_the_schema_refuses_are_left_out() {
    let mut image = sample::findings();
    let finding = &mut image.results[0].findings[0];
    let mut details = finding.details.as_deref().unwrap().clone();
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    for (source, v3, v2) in [
        ("a", vector, ""),
        (
            "b",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Z",
            "AV:N/AC:L/Au:N/C:P/I:P/A:P",
        ),
        ("c", "CVSS:4.0/AV:N", "nonsense"),
    ] {
        let cvss = details.cvss.entry(source.to_owned()).or_default();
        cvss.v3_vector = v3.to_owned();
        cvss.v2_vector = v2.to_owned();
    }
    finding.details = Some(std::sync::Arc::new(details));
    let report = parsed(image);
    let expected = json!([
        {"vendor": "a", "vector": vector},
        {"vendor": "b", "vector": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}
    ]);
    assert_eq!(report["vulnerabilities"][0]["cvss_vectors"], expected);
}
