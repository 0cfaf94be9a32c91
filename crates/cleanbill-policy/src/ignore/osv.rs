//! `IgnoredVulns` and `PackageOverrides` of OSV-Scanner's configuration.
//!
//! Source: OSV-Scanner `internal/config/config.go`. A vulnerability is known by its aliases there,
//! so it is here.

use toml::de::{DeTable, DeValue};

use super::IgnoreFileError;
use super::ecosystem;
use super::rule::{Condition, Entry, Rule};
use crate::time;

/// Reads one entry of a list.
type Reader = fn(&DeTable<'_>) -> Result<Rule, String>;

pub(super) fn parse(text: &str) -> Result<Vec<Entry>, IgnoreFileError> {
    let document = DeTable::parse(text).map_err(|error| IgnoreFileError::Syntax {
        form: "TOML",
        source: Box::new(error),
    })?;
    let breaks: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let line = |offset: usize| 1 + breaks.partition_point(|at| *at < offset) as u64;
    let mut entries = Vec::new();
    for (key, value) in document.get_ref() {
        let name = key.get_ref().as_ref();
        let (read, names): (Reader, &[&str]) = match name {
            "IgnoredVulns" => (ignored_vulnerability, &["id"]),
            "PackageOverrides" => (package_override, &["name", "version", "ecosystem"]),
            _ => {
                entries.push(Entry {
                    line: line(key.span().start),
                    title: name.to_owned(),
                    rule: Err("this setting is not read".to_owned()),
                });
                continue;
            }
        };
        let DeValue::Array(items) = value.get_ref() else {
            entries.push(Entry {
                line: line(value.span().start),
                title: name.to_owned(),
                rule: Err(format!("{name} is no list of tables")),
            });
            continue;
        };
        for item in items.iter() {
            let (title, rule) = match item.get_ref() {
                DeValue::Table(table) => (title(table, names), read(table)),
                _ => (name.to_owned(), Err("the entry is no table".to_owned())),
            };
            entries.push(Entry {
                line: line(item.span().start),
                title,
                rule,
            });
        }
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

/// Names an entry by what it is about.
fn title(table: &DeTable<'_>, names: &[&str]) -> String {
    let stated = names.iter().filter_map(|name| table.get(*name));
    let stated = stated.filter_map(|value| text("", value.get_ref()).ok());
    stated.collect::<Vec<_>>().join(" ")
}

fn ignored_vulnerability(table: &DeTable<'_>) -> Result<Rule, String> {
    let mut rule = Rule {
        knows_aliases: true,
        ..Rule::default()
    };
    for (key, value) in table {
        let value = value.get_ref();
        match key.get_ref().as_ref() {
            "id" => rule.ids = vec![text("id", value)?],
            "ignoreUntil" => rule.expires_at = Some(date("ignoreUntil", value)?),
            "reason" => rule.statement = text("reason", value)?,
            other => return Err(format!("'{other}' is not known")),
        }
    }
    match rule.ids.as_slice() {
        [id] if !id.is_empty() => Ok(rule),
        _ => Err("the entry has no id".to_owned()),
    }
}

/// Reads an override. One that only changes licences is none of ours.
fn package_override(table: &DeTable<'_>) -> Result<Rule, String> {
    let mut name = (String::new(), false);
    let mut rule = Rule::default();
    let mut ignores = false;
    for (key, value) in table {
        let value = value.get_ref();
        let key = key.get_ref().as_ref();
        match key {
            "name" => name.0 = text(key, value)?,
            "nameIsRegex" => name.1 = boolean(key, value)?,
            "version" => rule
                .conditions
                .push(Condition::VersionIs(text(key, value)?)),
            "ecosystem" => {
                let ecosystem = text(key, value)?;
                let condition = ecosystem::osv_ecosystem(&ecosystem);
                rule.conditions.push(condition.ok_or_else(|| {
                    format!("no package found here is of the ecosystem '{ecosystem}'")
                })?);
            }
            "ignore" => ignores |= boolean(key, value)?,
            "vulnerability" => ignores |= ignores_vulnerabilities(value)?,
            "license" => {}
            "effectiveUntil" => rule.expires_at = Some(date(key, value)?),
            "reason" => rule.statement = text(key, value)?,
            "group" => return Err("groups of dependencies are not known here".to_owned()),
            other => return Err(format!("'{other}' is not known")),
        }
    }
    if !ignores {
        return Err("the override does not ignore vulnerabilities".to_owned());
    }
    rule.conditions.extend(name_condition(&name)?);
    Ok(rule)
}

fn name_condition((name, is_regex): &(String, bool)) -> Result<Option<Condition>, String> {
    match (name.as_str(), is_regex) {
        ("", _) => Ok(None),
        (name, false) => Ok(Some(Condition::NameIs(name.to_owned()))),
        (name, true) => Condition::name_fits(name)
            .map(Some)
            .ok_or_else(|| format!("name '{name}' is no regular expression")),
    }
}

fn ignores_vulnerabilities(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Table(table) => match table.get("ignore") {
            Some(ignore) => boolean("vulnerability.ignore", ignore.get_ref()),
            None => Ok(false),
        },
        _ => Err("vulnerability is no table".to_owned()),
    }
}

fn text(key: &str, value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err(format!("{key} is no text")),
    }
}

fn boolean(key: &str, value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(value) => Ok(*value),
        _ => Err(format!("{key} is neither true nor false")),
    }
}

/// Takes a date or a time; without a zone it is UTC, where OSV-Scanner takes the host's.
fn date(key: &str, value: &DeValue<'_>) -> Result<jiff::Timestamp, String> {
    let written = match value {
        DeValue::Datetime(date) => date.to_string(),
        DeValue::String(text) => text.to_string(),
        _ => return Err(format!("{key} is no date")),
    };
    time::parse_yaml_time(&written)
        .or_else(|| time::parse_yaml_time(&written.replace('T', " ")))
        .ok_or_else(|| format!("{key} '{written}' is no date"))
}
