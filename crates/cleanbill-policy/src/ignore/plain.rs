//! Trivy's plain form: one id a line.

use super::rule::{Entry, Rule};
use crate::time;

pub(super) fn parse(text: &str) -> Vec<Entry> {
    (1..)
        .zip(text.lines())
        .filter_map(|(line, text)| parse_line(line, text))
        .collect()
}

/// Reads `ID [exp:YYYY-MM-DD] [key:value]…`; other keys mean nothing. A line with a malformed date
/// is left out, so that the finding shows.
fn parse_line(line: u64, text: &str) -> Option<Entry> {
    let mut fields = text.split_whitespace();
    let id = fields.next().filter(|id| !id.starts_with('#'))?;
    let date = fields.find_map(|field| field.strip_prefix("exp:"));
    let expires_at = date.map(|date| {
        time::parse_date(date)
            .ok_or_else(|| format!("'{date}' is no date (expected exp:YYYY-MM-DD)"))
    });
    Some(Entry {
        line,
        title: id.to_owned(),
        rule: expires_at.transpose().map(|expires_at| Rule {
            ids: vec![id.to_owned()],
            expires_at,
            ..Rule::default()
        }),
    })
}
