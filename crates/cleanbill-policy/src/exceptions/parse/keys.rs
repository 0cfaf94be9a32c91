//! The keys of an exception: one table for reading, for suggestions and for the JSON Schema.

use serde_json::{Map, Value, json};

use crate::document::nearest;

/// A key of an exception.
pub(super) struct Key {
    pub(super) name: &'static str,
    kind: Kind,
    /// What it means.
    help: &'static str,
}

enum Kind {
    Text,
    Texts,
    Date,
    Fixed,
}

const fn key(name: &'static str, kind: Kind, help: &'static str) -> Key {
    Key { name, kind, help }
}

/// Every key, in the order of the documentation.
pub(super) const KEYS: &[Key] = &[
    key(
        "id",
        Kind::Texts,
        "Id of the vulnerability (CVE, GHSA, DSA …), or a list. '*' is any, only together with package or path.",
    ),
    key("cve", Kind::Texts, "The same as id."),
    key("ids", Kind::Texts, "The same as id."),
    key(
        "image",
        Kind::Texts,
        "Pattern of image names ('ghcr.io/team/*'), or a list [default: every image].",
    ),
    key(
        "package",
        Kind::Texts,
        "Name of the package or its source package, with '*', or a package URL, or a list [default: every package].",
    ),
    key(
        "version",
        Kind::Text,
        "Installed version, or bounds such as '>= 1.2, < 1.4' [default: every version].",
    ),
    key(
        "path",
        Kind::Texts,
        "Pattern of the file that lists the package, or of the target, or a list [default: every path].",
    ),
    key(
        "ecosystem",
        Kind::Text,
        "Kind of packages: npm, pypi, golang, maven, deb, debian, alpine … [default: every kind].",
    ),
    key("reason", Kind::Text, "Why the findings are accepted."),
    key("owner", Kind::Text, "Who answers for it."),
    key("ticket", Kind::Text, "Where it was discussed."),
    key("created", Kind::Date, "Day on which it was made."),
    key(
        "expires",
        Kind::Date,
        "Last day on which it counts (UTC), or a time.",
    ),
    key(
        "until",
        Kind::Fixed,
        "fixed: it ends for a finding as soon as a fix is available.",
    ),
    key(
        "unless",
        Kind::Texts,
        "It ends for a finding that is known to be exploited (kev) or has an EPSS score above a number (epss>0.5); one or a list.",
    ),
];

/// Keys of the document, where it is no list.
pub(super) const TOP_KEYS: &[&str] = &["exceptions", "version"];

/// What other tools call the same.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("vulnerability", "id"),
    ("vulnerability_id", "id"),
    ("cve_id", "id"),
    ("cves", "ids"),
    ("vulnerabilities", "ids"),
    ("justification", "reason"),
    ("statement", "reason"),
    ("comment", "reason"),
    ("description", "reason"),
    ("approved_by", "owner"),
    ("approver", "owner"),
    ("author", "owner"),
    ("expiry", "expires"),
    ("expiration", "expires"),
    ("expires_at", "expires"),
    ("expired_at", "expires"),
    ("expiration_date", "expires"),
    ("ignoreUntil", "expires"),
    ("purl", "package"),
    ("purls", "package"),
    ("issue", "ticket"),
    ("date", "created"),
];

/// Says that a key is not known, and which one was probably meant.
pub(super) fn unknown(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let known: Vec<&str> = known.collect();
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
    let meant = other
        .map(|(_, ours)| *ours)
        .filter(|ours| known.contains(ours))
        .or_else(|| nearest(name, known.iter().copied()));
    let shown: String = name.chars().take(64).collect();
    match meant {
        Some(meant) => format!("'{shown}' is not known; did you mean {meant}?"),
        None => format!("'{shown}' is not known ({})", known.join(", ")),
    }
}

/// Returns the JSON Schema of the file, for editors; it ends with a line feed.
pub fn json_schema() -> String {
    let mut properties = Map::new();
    for Key { name, kind, help } in KEYS {
        let mut schema = match kind {
            Kind::Text => json!({"type": ["string", "number"]}),
            Kind::Texts => json!({"anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
            ]}),
            Kind::Date => json!({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}"}),
            Kind::Fixed => json!({"const": "fixed"}),
        };
        if *name == "reason" {
            schema = json!({"type": "string", "minLength": 1});
        }
        schema["description"] = Value::from(*help);
        properties.insert((*name).to_owned(), schema);
    }
    let one_of = ["id", "cve", "ids"].map(|name| json!({"required": [name]}));
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Exceptions of Cleanbill",
        "anyOf": [
            {"$ref": "#/$defs/list"},
            {
                "type": ["object", "null"],
                "additionalProperties": false,
                "properties": {
                    "version": {"const": 1, "description": "Version of this form."},
                    "exceptions": {"$ref": "#/$defs/list"}
                }
            }
        ],
        "$defs": {
            "list": {"type": ["array", "null"], "items": {"$ref": "#/$defs/exception"}},
            "exception": {
                "type": "object",
                "additionalProperties": false,
                "required": ["reason"],
                "oneOf": one_of,
                "properties": Value::Object(properties)
            }
        }
    });
    format!("{root:#}\n")
}
