//! The JSON Schema of the configuration file, for editors.

use serde_json::{Map, Value as Json, json};

use super::channels::{self, CHANNEL_KINDS};
use super::default::DefaultValue;
use super::file::FILE_SUFFIX;
use super::kind::Kind;
use super::table::{SETTINGS, Setting};

/// Severities, for lists of them.
const SEVERITIES: &[&str] = &["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"];

/// Returns the schema, which ends with a line feed.
pub(crate) fn json_schema() -> String {
    let mut root = group("");
    let properties = root["properties"].as_object_mut();
    let properties = properties.expect("a group has properties");
    properties.insert(
        "version".to_owned(),
        json!({"const": 1, "description": "Version of this form."}),
    );
    if let Some(notify) = properties.get_mut("notify") {
        notify["properties"]["channels"] = channel_map();
        notify["properties"]["routes"] = route_list();
    }
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("Settings of Cleanbill");
    root["required"] = json!(["version"]);
    root["patternProperties"] = json!({"^x-": {"description": "For anchors; means nothing."}});
    format!("{root:#}\n")
}

/// Returns the schema of a mapping; the prefix is empty or ends with a dot.
fn group(prefix: &str) -> Json {
    let mut properties = Map::new();
    for setting in SETTINGS {
        let Some(rest) = setting.key.strip_prefix(prefix) else {
            continue;
        };
        match rest.split_once('.') {
            Some((name, _)) if !properties.contains_key(name) => {
                properties.insert(name.to_owned(), group(&format!("{prefix}{name}.")));
            }
            Some(_) => {}
            None => add_setting(&mut properties, setting),
        }
    }
    json!({"type": ["object", "null"], "additionalProperties": false, "properties": properties})
}

fn add_setting(properties: &mut Map<String, Json>, setting: &Setting) {
    let mut schema = value(setting.kind);
    schema["description"] = format!("{}.", setting.help).into();
    if let DefaultValue::Text(text) = setting.default {
        schema["default"] = default(setting.kind, text);
    }
    let name = setting.last_name();
    properties.insert(name.to_owned(), schema);
    if setting.can_lie_in_file() {
        properties.insert(
            format!("{name}{FILE_SUFFIX}"),
            json!({
                "type": "string",
                "description": format!("File that holds it: {}.", setting.help),
            }),
        );
    }
}

fn value(kind: Kind) -> Json {
    match kind {
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Number { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Size | Kind::Duration | Kind::Schedule | Kind::Period => {
            json!({"type": ["string", "number"]})
        }
        Kind::Listen => json!({"type": ["string", "integer"]}),
        Kind::Choice(choices) => json!({"enum": choices}),
        Kind::Choices(choices) => list(&json!({"enum": choices})),
        Kind::Severities => list(&json!({"enum": SEVERITIES})),
        Kind::Arguments => list(&json!({"type": ["string", "number"]})),
        kind if kind.is_list() => list(&json!({"type": "string"})),
        _ => json!({"type": "string"}),
    }
}

/// A list, or a text with commas.
fn list(item: &Json) -> Json {
    json!({"anyOf": [{"type": "array", "items": item}, {"type": "string"}]})
}

fn default(kind: Kind, text: &str) -> Json {
    match kind {
        Kind::Boolean => (text == "true").into(),
        Kind::Number { .. } => text.parse::<u64>().map_or(Json::Null, Json::from),
        kind if kind.is_list() => text.split(',').collect::<Vec<_>>().into(),
        _ => text.into(),
    }
}

fn channel_map() -> Json {
    let kinds: Vec<Json> = CHANNEL_KINDS
        .iter()
        .map(|(kind, required)| {
            let mut properties = Map::new();
            properties.insert("kind".to_owned(), json!({"const": kind}));
            for setting in channels::fields(kind) {
                add_setting(&mut properties, setting);
            }
            let needs: Vec<Json> = required.iter().map(|field| need(kind, field)).collect();
            json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["kind"],
                "properties": properties,
                "allOf": needs,
            })
        })
        .collect();
    json!({
        "type": ["object", "null"],
        "description": "Channels by their names; several may be of one kind.",
        "propertyNames": {"pattern": "^[^\\s,]+$"},
        "additionalProperties": {"oneOf": kinds},
    })
}

/// Says that a field, or the file of a secret, must be there, unless it has a default.
fn need(kind: &str, field: &str) -> Json {
    let setting = channels::fields(kind).find(|setting| setting.last_name() == field);
    match setting {
        Some(setting) if setting.can_lie_in_file() => json!({"anyOf": [
            {"required": [field]},
            {"required": [format!("{field}{FILE_SUFFIX}")]},
        ]}),
        _ => json!({"required": [field]}),
    }
}

fn route_list() -> Json {
    json!({
        "type": ["array", "null"],
        "description": "What goes where; without routes everything goes to every channel.",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["to"],
            "properties": {
                "severity": list(&json!({"enum": SEVERITIES})),
                "images": list(&json!({"type": "string"})),
                "labels": {
                    "type": ["object", "null"],
                    "additionalProperties": {"type": ["string", "number", "boolean"]},
                },
                "to": list(&json!({"type": "string"})),
            },
        },
    })
}
