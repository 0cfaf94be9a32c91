//! The JSON Schema of our own form of rules, for editors.

use serde_json::{Map, Value as Json, json};

use super::version_one::KEYS;
use crate::threshold::{Counted, Thresholds};

/// Returns the schema, which ends with a line feed.
pub fn json_schema() -> String {
    let properties: Map<String, Json> = KEYS
        .iter()
        .map(|(key, help)| {
            let mut schema = value(key);
            schema["description"] = format!("{help}.").into();
            ((*key).to_owned(), schema)
        })
        .collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules of Cleanbill's gate",
        "type": "object",
        "additionalProperties": false,
        "required": ["version"],
        "properties": properties,
        "patternProperties": {"^x-": {"description": "For anchors; means nothing."}},
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn value(key: &str) -> Json {
    let severity = json!({"enum": ["CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN",
        "critical", "high", "medium", "low", "unknown"]});
    match key {
        "version" => json!({"const": 1}),
        "thresholds" => json!({
            "type": "object",
            "additionalProperties": false,
            "properties": Thresholds::COUNTED
                .into_iter()
                .map(|counted| {
                    let schema = json!({
                        "type": "integer",
                        "minimum": 0,
                        "description": format!("Highest number of {} that passes.", words(counted)),
                    });
                    (counted.name().to_owned(), schema)
                })
                .collect::<Map<String, Json>>(),
        }),
        "severity" => json!({"anyOf": [
            {"type": "array", "items": severity, "minItems": 1},
            {"type": "string"},
        ]}),
        "epss" => json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["above"],
            "properties": {
                "above": {"type": "number", "minimum": 0, "maximum": 1,
                    "description": "Findings with a higher probability count."},
                "max": {"type": "integer", "minimum": 0, "default": 0,
                    "description": "How many of them pass."},
            },
        }),
        "deny_packages" => json!({
            "type": "array",
            "items": {"anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["package"],
                    "properties": {
                        "package": {"type": "string", "minLength": 1,
                            "description": "A name or package URL, with * and ?, and @VERSION."},
                        "reason": {"type": "string", "description": "Why."},
                    },
                },
            ]},
        }),
        "end_of_life" => json!({"enum": ["fail", "allow"], "default": "allow"}),
        "incomplete" => json!({"enum": ["fail", "allow"], "default": "fail"}),
        "max_db_age" => json!({"type": "string"}),
        "exit_code" => json!({"type": "integer", "minimum": 1, "maximum": 255, "default": 1,
            "not": {"enum": [2, 3, 4, 130]}}),
        // only_fixable, only_new
        _ => json!({"type": "boolean", "default": false}),
    }
}

fn words(counted: Counted) -> String {
    match counted {
        Counted::Severity(severity) => format!("findings of severity {severity}"),
        Counted::Total => "findings".to_owned(),
        Counted::KnownExploited => "findings that are known to be exploited".to_owned(),
    }
}
