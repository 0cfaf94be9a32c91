//! The `ignore` rules of Grype's configuration.
//!
//! Source: Grype `grype/match/ignore.go`. Of the other keys those are reported that would change
//! what is found or whether the run fails.

use std::collections::BTreeMap;

use cleanbill_core::glob::Pattern;
use cleanbill_core::severity::FixStatus;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::IgnoreFileError;
use super::ecosystem;
use super::rule::{Condition, Entry, Rule};

/// Keys beside `ignore` that decide what counts, and what says the same here.
const OTHER_KEYS: &[(&str, &str)] = &[
    ("fail-on-severity", "--fail-on"),
    ("only-fixed", "--ignore-unfixed"),
    ("only-notfixed", "--ignore-status fixed"),
    ("ignore-wontfix", "--ignore-status will_not_fix"),
    ("ignore-states", "--ignore-status"),
    ("vex-documents", "--vex"),
    ("vex-add", "--vex"),
    ("exclude", "--skip-dirs and --skip-files"),
    ("platform", "--platform"),
    ("distro", "--distro"),
];

type Object = Map<String, Value>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawFile {
    ignore: Option<Vec<Spanned<Object>>>,
}

pub(super) fn parse(text: &str) -> Result<Vec<Entry>, IgnoreFileError> {
    let malformed = |error: serde_saphyr::Error| IgnoreFileError::Syntax {
        form: "YAML",
        source: Box::new(error),
    };
    let raw: Option<RawFile> = serde_saphyr::from_str(text).map_err(malformed)?;
    let keys: Option<BTreeMap<String, Spanned<Value>>> =
        serde_saphyr::from_str(text).map_err(malformed)?;
    let rules = raw.unwrap_or_default().ignore.unwrap_or_default();
    let mut entries: Vec<Entry> = rules
        .into_iter()
        .map(|spanned| Entry {
            line: spanned.referenced.line(),
            title: title(&spanned.value),
            rule: rule(&spanned.value),
        })
        .collect();
    for (key, value) in keys.unwrap_or_default() {
        entries.extend(other_key(&key, &value));
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn other_key(key: &str, value: &Spanned<Value>) -> Option<Entry> {
    let (_, flag) = OTHER_KEYS.iter().find(|(known, _)| *known == key)?;
    let is_set = match &value.value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    is_set.then(|| Entry {
        line: value.referenced.line(),
        title: key.to_owned(),
        rule: Err(format!("this setting is not read; use {flag}")),
    })
}

/// Names a rule by its vulnerability, else by its conditions.
fn title(rule: &Object) -> String {
    match rule.get("vulnerability").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => {
            let conditions = rule.iter().filter(|(key, _)| *key != "reason");
            let conditions = conditions.map(|(key, value)| match value {
                Value::String(text) => format!("{key}: {text}"),
                other => format!("{key}: {other}"),
            });
            conditions.collect::<Vec<_>>().join(", ")
        }
    }
}

fn rule(raw: &Object) -> Result<Rule, String> {
    let mut rule = Rule::default();
    let mut has_condition = false;
    for (key, value) in raw {
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            ("include-aliases", Value::Bool(known)) => rule.knows_aliases = *known,
            ("package", Value::Object(package)) => {
                for (key, value) in package {
                    let text = text(&format!("package.{key}"), value)?;
                    if !text.is_empty() {
                        rule.conditions.push(package_condition(key, &text)?);
                    }
                }
            }
            ("reason", value) => rule.statement = text(key, value)?,
            (key, value) => {
                let text = text(key, value)?;
                match key {
                    _ if text.is_empty() => {}
                    "vulnerability" => rule.ids = vec![text],
                    "fix-state" => rule.conditions.push(fix_state(&text)?),
                    _ => return Err(not_understood(key)),
                }
            }
        }
        has_condition |= !rule.ids.is_empty() || !rule.conditions.is_empty();
    }
    if has_condition {
        Ok(rule)
    } else {
        Err("the rule has no condition, so it covers nothing".to_owned())
    }
}

fn text(key: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("{key} is no text")),
    }
}

fn not_understood(key: &str) -> String {
    match key {
        "namespace" | "match-type" => {
            format!("the condition '{key}' is about Grype's own database")
        }
        "vex-status" | "vex-justification" => format!(
            "the condition '{key}' is not supported; --vex applies what documents call \
             not_affected or fixed"
        ),
        _ => format!("the condition '{key}' is not known"),
    }
}

fn package_condition(key: &str, text: &str) -> Result<Condition, String> {
    let unknown = || format!("no package found here has the {key} '{text}'");
    match key {
        "name" => Condition::name_fits(text)
            .ok_or_else(|| format!("package.name '{text}' is no regular expression")),
        "version" => Ok(Condition::VersionIs(text.to_owned())),
        "upstream-name" => Ok(Condition::SourceNameIs(text.to_owned())),
        "type" => ecosystem::grype_type(text).ok_or_else(unknown),
        "language" => ecosystem::grype_language(text).ok_or_else(unknown),
        "location" => Pattern::parse(text.trim_start_matches('/'))
            .map(Condition::Location)
            .map_err(|error| format!("package.location: {error}")),
        _ => Err(not_understood(&format!("package.{key}"))),
    }
}

fn fix_state(text: &str) -> Result<Condition, String> {
    use FixStatus::{
        Affected, EndOfLife, FixDeferred, Fixed, UnderInvestigation, Unknown, WillNotFix,
    };
    let statuses: &'static [FixStatus] = match text {
        "fixed" => &[Fixed],
        "not-fixed" => &[Affected, UnderInvestigation, FixDeferred],
        "wont-fix" => &[WillNotFix, EndOfLife],
        "unknown" => &[Unknown],
        _ => {
            return Err(format!(
                "fix-state '{text}' is not known (fixed, not-fixed, wont-fix, unknown)"
            ));
        }
    };
    Ok(Condition::Statuses(statuses))
}
