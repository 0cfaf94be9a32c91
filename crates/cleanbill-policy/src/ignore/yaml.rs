//! Trivy's YAML form. An entry that makes no sense makes the whole file one, as there.

use cleanbill_core::glob::Pattern;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::IgnoreFileError;
use super::rule::{Entry, Rule};
use crate::document::{self, Content, Place, nearest};
use crate::time;

/// Keys that are not known mean nothing, as there; they are reported.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawFile {
    vulnerabilities: Option<Vec<Spanned<RawRule>>>,
    /// These are checked for form, without effect, and reported.
    misconfigurations: Option<Vec<Spanned<RawRule>>>,
    secrets: Option<Vec<Spanned<RawRule>>>,
    licenses: Option<Vec<Spanned<RawRule>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawRule {
    id: Option<String>,
    paths: Option<Vec<String>>,
    purls: Option<Vec<String>>,
    expired_at: Option<String>,
    statement: Option<String>,
}

const LISTS: [&str; 4] = [
    "vulnerabilities",
    "misconfigurations",
    "secrets",
    "licenses",
];
const KEYS: [&str; 5] = ["id", "paths", "purls", "expired_at", "statement"];

pub(super) fn parse(text: &str) -> Result<Vec<Entry>, IgnoreFileError> {
    let raw: Option<RawFile> =
        serde_saphyr::from_str(text).map_err(|error| IgnoreFileError::Syntax {
            form: "YAML",
            source: Box::new(error),
        })?;
    let raw = raw.unwrap_or_default();
    let mut entries = check_list(raw.vulnerabilities)?;
    let others = [raw.misconfigurations, raw.secrets, raw.licenses];
    for (name, list) in LISTS.into_iter().skip(1).zip(others) {
        entries.extend(check_list(list)?.into_iter().map(|entry| Entry {
            rule: Err(format!("it is one of the {name}, which are not looked for")),
            ..entry
        }));
    }
    entries.extend(unknown_keys(text));
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

/// Reports the keys that mean nothing, of the file and of its rules.
fn unknown_keys(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let document = document::parse(text).map(|node| node.content);
    let Ok(Content::Mapping(lists)) = document else {
        return entries;
    };
    for (name, place, list) in lists {
        if !LISTS.contains(&name.as_str()) {
            entries.push(unknown_key(name, place, &LISTS));
        }
        let Content::Sequence(rules) = list.content else {
            continue;
        };
        for rule in rules {
            if let Content::Mapping(members) = rule.content {
                let unknown = members
                    .into_iter()
                    .filter(|(key, _, _)| !KEYS.contains(&&**key));
                entries.extend(unknown.map(|(key, place, _)| unknown_key(key, place, &KEYS)));
            }
        }
    }
    entries
}

fn unknown_key(key: String, place: Place, known: &[&str]) -> Entry {
    let meant = nearest(&key, known.iter().copied());
    let meant = meant.map(|meant| format!("; is it '{meant}'?"));
    Entry {
        line: place.line,
        rule: Err(format!(
            "the key means nothing{}",
            meant.unwrap_or_default()
        )),
        title: key,
    }
}

fn check_list(list: Option<Vec<Spanned<RawRule>>>) -> Result<Vec<Entry>, IgnoreFileError> {
    list.unwrap_or_default()
        .into_iter()
        .map(|spanned| {
            let place = spanned.referenced;
            let id = spanned.value.id.clone().unwrap_or_default();
            match check_rule(spanned.value) {
                Ok(rule) => Ok(Entry {
                    line: place.line(),
                    title: id,
                    rule: Ok(rule),
                }),
                Err(reason) => Err(IgnoreFileError::Entry {
                    line: place.line(),
                    column: place.column(),
                    id,
                    reason,
                }),
            }
        })
        .collect()
}

fn check_rule(raw: RawRule) -> Result<Rule, String> {
    let mut paths = Vec::new();
    for path in raw.paths.unwrap_or_default() {
        let pattern = Pattern::parse(&path);
        paths.push(pattern.map_err(|error| format!("has a malformed path: {error}"))?);
    }
    let mut purls = Vec::new();
    for text in raw.purls.unwrap_or_default() {
        let purl = text.parse();
        purls.push(purl.map_err(|error| format!("has a malformed package URL: {error}"))?);
    }
    let date = raw.expired_at.filter(|date| !date.is_empty());
    let expires_at = date
        .map(|date| {
            time::parse_yaml_time(&date).ok_or_else(|| {
                format!("expires at '{date}', which is no date (expected YYYY-MM-DD)")
            })
        })
        .transpose()?;
    Ok(Rule {
        ids: vec![raw.id.unwrap_or_default()],
        paths,
        purls,
        expires_at,
        statement: raw.statement.unwrap_or_default(),
        ..Rule::default()
    })
}
