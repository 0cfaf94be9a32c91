//! The plain form: one id a line.

use std::fmt;

use super::IgnoreRule;
use crate::time;

/// Says which line of an ignore file was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreWarning {
    /// The line, counted from 1.
    pub line: usize,
    /// The date that makes no sense, without `exp:`.
    pub date: String,
}

impl fmt::Display for IgnoreWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, date } = self;
        write!(
            f,
            "line {line}: '{date}' is no date (expected exp:YYYY-MM-DD); the line is left out"
        )
    }
}

pub(super) fn parse(text: &str) -> (Vec<IgnoreRule>, Vec<IgnoreWarning>) {
    let mut rules = Vec::new();
    let mut warnings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match parse_line(line) {
            Ok(rule) => rules.extend(rule),
            Err(date) => warnings.push(IgnoreWarning {
                line: index + 1,
                date: date.to_owned(),
            }),
        }
    }
    (rules, warnings)
}

/// Reads `ID [exp:YYYY-MM-DD] [key:value]…`; other keys mean nothing.
fn parse_line(line: &str) -> Result<Option<IgnoreRule>, &str> {
    let line = line.trim();
    let Some(id) = line
        .split_whitespace()
        .next()
        .filter(|_| !line.starts_with('#'))
    else {
        return Ok(None);
    };
    let date = line
        .split_whitespace()
        .skip(1)
        .find_map(|field| field.strip_prefix("exp:"));
    let expires_at = match date {
        Some(date) => Some(time::parse_date(date).ok_or(date)?),
        None => None,
    };
    Ok(Some(IgnoreRule {
        id: id.to_owned(),
        paths: Vec::new(),
        purls: Vec::new(),
        expires_at,
        statement: String::new(),
    }))
}
