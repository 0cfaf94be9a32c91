//! Trivy's YAML form. An entry that makes no sense makes the whole file one, as there.

use cleanbill_core::glob::Pattern;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::IgnoreFileError;
use super::rule::{Entry, Rule};
use crate::time;

/// Keys that are not known mean nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawFile {
    vulnerabilities: Option<Vec<Spanned<RawRule>>>,
    /// These are checked for form, without effect.
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

pub(super) fn parse(text: &str) -> Result<Vec<Entry>, IgnoreFileError> {
    let raw: Option<RawFile> =
        serde_saphyr::from_str(text).map_err(|error| IgnoreFileError::Syntax {
            form: "YAML",
            source: Box::new(error),
        })?;
    let raw = raw.unwrap_or_default();
    for other in [raw.misconfigurations, raw.secrets, raw.licenses] {
        check_list(other)?;
    }
    check_list(raw.vulnerabilities)
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
