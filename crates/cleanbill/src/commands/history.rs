//! `cleanbill history IMAGE`: the looks at an image, and what each found to be different.

use cleanbill_core::change::{Change, ChangeKind};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_monitor::notify::because;
use cleanbill_report::listing::{Listing, Text, Tone};
use cleanbill_store::state::{HistoryRow, ImageRow, StateReader};
use jiff::Timestamp;
use serde::Serialize;

use super::status::words::{duration, rfc3339, when};
use super::status::{
    Findings, SCHEMA_VERSION, json, open, severity_counts, state_directory, unreadable,
};
use super::{Setting, print};
use crate::cli::{HistoryArgs, ListFormat};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;
use crate::settings::nearest;

pub(crate) fn run(setting: &Setting, arguments: HistoryArgs) -> Result<Exit, CommandError> {
    let state = open(&state_directory(setting, arguments.settings.call)?)?;
    let image = find(&state, &arguments.image)?;
    let looks = state
        .history(&image.name, arguments.limit)
        .map_err(unreadable)?;
    let text = match arguments.format {
        ListFormat::Json => json(&History::of(&image, &looks))?,
        ListFormat::Table => {
            let mut listing = output::listing(setting.global.color, &setting.environment);
            write(&image, &looks, Timestamp::now(), &mut listing);
            listing.finish()
        }
    };
    print(text.as_bytes())
}

/// Finds an image by its name, with or without the tag `latest`.
pub(super) fn find(state: &StateReader, name: &str) -> Result<ImageRow, CommandError> {
    for name in [name.to_owned(), format!("{name}:latest")] {
        if let Some(row) = state.image_get(&name).map_err(unreadable)? {
            return Ok(row);
        }
    }
    let known = state.image_list().map_err(unreadable)?;
    let error = CommandError::usage_text(format!("no image is known as '{name}'"));
    Err(
        match nearest(name, known.iter().map(|row| row.name.as_str())) {
            Some(meant) => error.hint(format!("did you mean {meant}?")),
            None if known.is_empty() => error.hint("nothing has been watched yet"),
            None => error.hint("the names are in: cleanbill status --format json"),
        },
    )
}

/// What is printed for programs.
#[derive(Debug, Serialize)]
struct History {
    schema_version: u32,
    image: String,
    image_id: Option<String>,
    first_seen_at: String,
    last_seen_at: String,
    gone_at: Option<String>,
    looks: Vec<LookEntry>,
}

#[derive(Debug, Serialize)]
struct LookEntry {
    number: i64,
    triggered_by: String,
    started_at: String,
    duration_ms: u64,
    image_id: Option<String>,
    /// `complete`, `partial` or `failed`.
    status: &'static str,
    reason: String,
    database_updated_at: String,
    findings: Findings,
    changes: Vec<ChangeEntry>,
}

#[derive(Debug, Serialize)]
struct ChangeEntry {
    /// `new`, `resolved`, `severity_changed`, `fix_available`, `known_exploited`,
    /// `assessment_lost` or `assessment_regained`.
    kind: &'static str,
    /// `first_seen`, `image_changed`, `advisory_changed`, `catalogue_changed`,
    /// `exception_changed`, `exception_expired`, `rules_changed` or `assessment`.
    cause: &'static str,
    /// The cause in words.
    because: String,
    vulnerability_id: String,
    package: String,
    path: String,
    installed_version: String,
    fixed_version: String,
    severity: &'static str,
    severity_before: Option<&'static str>,
}

impl History {
    fn of(image: &ImageRow, looks: &[HistoryRow]) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            image: image.name.clone(),
            image_id: image.image_id.map(|id| id.to_string()),
            first_seen_at: rfc3339(image.first_seen_at),
            last_seen_at: rfc3339(image.last_seen_at),
            gone_at: image.gone_at.map(rfc3339),
            looks: looks.iter().map(LookEntry::of).collect(),
        }
    }
}

impl LookEntry {
    fn of(row: &HistoryRow) -> Self {
        let scan = &row.scan;
        Self {
            number: row.id.0,
            triggered_by: scan.triggered_by.clone(),
            started_at: rfc3339(scan.started_at),
            duration_ms: scan.duration_ms,
            image_id: scan.image_id.map(|id| id.to_string()),
            status: scan.status.name(),
            reason: scan.reason.clone(),
            database_updated_at: scan.database_updated_at.clone(),
            findings: scan.counts.into(),
            changes: row.changes.iter().map(ChangeEntry::of).collect(),
        }
    }
}

impl ChangeEntry {
    fn of(change: &Change) -> Self {
        let finding = change.finding.clone().unwrap_or_default();
        Self {
            kind: change.kind.name(),
            cause: change.cause.name(),
            because: cause(change),
            severity: match &change.finding {
                Some(finding) => finding.severity.name(),
                None => "",
            },
            vulnerability_id: finding.key.vulnerability_id,
            package: finding.key.package_name,
            path: finding.key.package_path,
            installed_version: finding.installed_version,
            fixed_version: finding.fixed_version,
            severity_before: match change.kind {
                ChangeKind::SeverityChanged { from } => Some(from.name()),
                _ => None,
            },
        }
    }
}

/// Says why something changed.
fn cause(change: &Change) -> String {
    match (&change.kind, &change.finding) {
        (ChangeKind::AssessmentLost { reason, .. }, _) if !reason.is_empty() => reason.clone(),
        (ChangeKind::AssessmentRegained, _) => "nothing is in the way any more".to_owned(),
        (ChangeKind::BaselineLost { reason, .. }, _) => reason.clone(),
        (_, Some(finding)) => because(change, finding),
        (_, None) => "the report does not say why".to_owned(),
    }
}

fn write(image: &ImageRow, looks: &[HistoryRow], now: Timestamp, listing: &mut Listing) {
    listing.title(&image.name);
    let seen = format!("first seen {}", when(image.first_seen_at, now));
    listing.paragraph("", &Text::new(&seen, Tone::Dim));
    if let Some(gone_at) = image.gone_at {
        let gone = format!("gone since {}", when(gone_at, now));
        listing.paragraph("", &Text::new(&gone, Tone::Notice));
    }
    if looks.is_empty() {
        listing.paragraph("", &Text::new("Nobody has looked at it yet.", Tone::Notice));
    }
    for look in looks {
        listing.gap();
        write_look(look, now, listing);
    }
}

fn write_look(look: &HistoryRow, now: Timestamp, listing: &mut Listing) {
    let scan = &look.scan;
    let started = when(scan.started_at, now);
    let (words, tone) = match scan.status {
        AssessmentStatus::Complete => ("assessed", Tone::Good),
        AssessmentStatus::Partial => ("PARTIAL", Tone::Alarm),
        AssessmentStatus::Failed => ("NOT ASSESSED", Tone::Alarm),
    };
    let mut head = Text::new(&started, Tone::Bold)
        .and(Text::plain(&format!("by {},", scan.triggered_by)))
        .and(Text::plain(&format!(
            "took {}:",
            duration(scan.duration_ms)
        )))
        .and(Text::new(words, tone));
    if scan.status != AssessmentStatus::Failed {
        head = head.and(severity_counts(scan.counts.into()));
    }
    listing.paragraph("", &head);
    if !scan.reason.is_empty() {
        listing.paragraph("  ", &Text::new(&scan.reason, Tone::Notice));
    }
    if look.changes.is_empty() {
        listing.paragraph("  ", &Text::new("nothing changed", Tone::Dim));
    }
    for change in &look.changes {
        listing.paragraph("  ", &words_of(change));
    }
}

/// Says what changed, and why.
fn words_of(change: &Change) -> Text {
    let (mark, words) = match &change.kind {
        ChangeKind::New => ("+", "new".to_owned()),
        ChangeKind::Resolved => ("-", "resolved".to_owned()),
        ChangeKind::Accepted => ("~", "accepted".to_owned()),
        ChangeKind::SeverityChanged { from } => ("~", format!("was {}", from.name())),
        ChangeKind::FixAvailable => ("~", "fix available".to_owned()),
        ChangeKind::KnownExploited => ("!", "now exploited".to_owned()),
        ChangeKind::AssessmentLost { status, .. } => (
            "!",
            match status {
                AssessmentStatus::Failed => "cannot be assessed any more".to_owned(),
                _ => "cannot be assessed completely any more".to_owned(),
            },
        ),
        ChangeKind::AssessmentRegained => ("+", "can be assessed again".to_owned()),
        ChangeKind::BaselineLost { is_beginning, .. } => (
            "!",
            match is_beginning {
                true => "its baseline could not be read, and what was found is the beginning",
                false => "its baseline could not be read",
            }
            .to_owned(),
        ),
    };
    let mut text = Text::plain(mark);
    if let Some(finding) = &change.finding {
        text = text
            .and(Text::new(&finding.key.vulnerability_id, Tone::Bold))
            .and(Text::severity(finding.severity))
            .and(Text::plain(&finding.key.package_name))
            .and(Text::plain(&finding.installed_version));
        if !finding.fixed_version.is_empty() {
            text = text.and(Text::plain(&format!("→ {}", finding.fixed_version)));
        }
    }
    text.and(Text::plain(&format!("{words}:")))
        .and(Text::new(&cause(change), Tone::Dim))
}

#[cfg(test)]
mod tests;
