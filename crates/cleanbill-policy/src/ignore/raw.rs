//! The YAML form: what the binary's YAML reader fills in, and how it is checked.

use cleanbill_core::glob::{Pattern, PatternError};
use cleanbill_core::purl::PackageUrlError;
use serde::Deserialize;

use super::IgnoreRule;
use crate::time;

/// Mirrors an ignore file in its YAML form. Keys that are not known mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RawIgnoreFile {
    /// Accepted vulnerabilities.
    pub vulnerabilities: Option<Vec<RawIgnoreRule>>,
    /// Accepted misconfigurations: checked for form, without effect.
    pub misconfigurations: Option<Vec<RawIgnoreRule>>,
    /// Accepted secrets: checked for form, without effect.
    pub secrets: Option<Vec<RawIgnoreRule>>,
    /// Accepted licences: checked for form, without effect.
    pub licenses: Option<Vec<RawIgnoreRule>>,
}

/// Mirrors one entry of an ignore file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RawIgnoreRule {
    /// The id.
    pub id: Option<String>,
    /// Doublestar patterns of targets and package files.
    pub paths: Option<Vec<String>>,
    /// Package URLs.
    pub purls: Option<Vec<String>>,
    /// A date or a time.
    pub expired_at: Option<String>,
    /// The reason.
    pub statement: Option<String>,
}

/// Says which entry of an ignore file makes no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IgnoreFileError {
    /// A pattern is malformed.
    #[error("the entry '{id}' has a malformed path")]
    Path {
        /// The id of the entry.
        id: String,
        /// What is wrong.
        #[source]
        source: PatternError,
    },
    /// A package URL is malformed.
    #[error("the entry '{id}' has a malformed package URL")]
    Purl {
        /// The id of the entry.
        id: String,
        /// What is wrong.
        #[source]
        source: PackageUrlError,
    },
    /// A date is malformed.
    #[error("the entry '{id}' expires at '{date}', which is no date (expected YYYY-MM-DD)")]
    Date {
        /// The id of the entry.
        id: String,
        /// What was written.
        date: String,
    },
}

/// Checks every list and returns the rules for vulnerabilities.
pub(super) fn check(raw: RawIgnoreFile) -> Result<Vec<IgnoreRule>, IgnoreFileError> {
    for other in [raw.misconfigurations, raw.secrets, raw.licenses] {
        check_list(other)?;
    }
    check_list(raw.vulnerabilities)
}

fn check_list(list: Option<Vec<RawIgnoreRule>>) -> Result<Vec<IgnoreRule>, IgnoreFileError> {
    list.unwrap_or_default()
        .into_iter()
        .map(check_rule)
        .collect()
}

fn check_rule(raw: RawIgnoreRule) -> Result<IgnoreRule, IgnoreFileError> {
    let id = raw.id.unwrap_or_default();
    let mut paths = Vec::new();
    for path in raw.paths.unwrap_or_default() {
        paths.push(
            Pattern::parse(&path).map_err(|source| IgnoreFileError::Path {
                id: id.clone(),
                source,
            })?,
        );
    }
    let mut purls = Vec::new();
    for text in raw.purls.unwrap_or_default() {
        purls.push(text.parse().map_err(|source| IgnoreFileError::Purl {
            id: id.clone(),
            source,
        })?);
    }
    let expires_at = match raw.expired_at.filter(|date| !date.is_empty()) {
        Some(date) => match time::parse_yaml_time(&date) {
            Some(timestamp) => Some(timestamp),
            None => return Err(IgnoreFileError::Date { id, date }),
        },
        None => None,
    };
    Ok(IgnoreRule {
        id,
        paths,
        purls,
        expires_at,
        statement: raw.statement.unwrap_or_default(),
    })
}
