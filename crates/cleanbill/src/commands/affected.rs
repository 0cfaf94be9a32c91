//! `cleanbill affected`: which images and containers have a vulnerability, or a package that has
//! some.

mod text;

#[cfg(test)]
mod tests;

use cleanbill_core::count;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_store::StoreError;
use cleanbill_store::state::{AffectedImage, ImageRow, StateReader};
use jiff::Timestamp;
use serde::Serialize;

use super::status::words::{minute, rfc3339};
use super::status::{SCHEMA_VERSION, json, open, state_directory, unreadable};
use super::{Setting, print};
use crate::cli::{AffectedArgs, ListFormat};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

/// Hours after which an answer may say less than it seems to: passes come daily unless told
/// otherwise, and databases every six hours.
const AGE_HOURS_MAX: i64 = 48;

pub(crate) fn run(setting: &Setting, arguments: AffectedArgs) -> Result<Exit, CommandError> {
    let state = open(&state_directory(setting, arguments.settings.call)?)?;
    let answer = answer(&state, &arguments.names, Timestamp::now()).map_err(unreadable)?;
    let text = match arguments.format {
        ListFormat::Json => json(&answer)?,
        ListFormat::Table => {
            let mut listing = output::listing(setting.global.color, &setting.environment);
            text::write(&answer, &mut listing);
            listing.finish()
        }
    };
    print(text.as_bytes())
}

/// What is printed for programs.
#[derive(Debug, Serialize)]
struct Answer {
    schema_version: u32,
    time: String,
    /// Images that the answer is about.
    images: u64,
    /// What limits the answer; empty if nothing does.
    notes: Vec<String>,
    queries: Vec<Query>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize)]
struct Query {
    /// What was asked for.
    name: String,
    hits: Vec<Hit>,
}

#[derive(Debug, Serialize)]
struct Hit {
    image: String,
    image_id: Option<String>,
    /// The containers that run it, by name.
    containers: Vec<String>,
    vulnerability_id: String,
    severity: &'static str,
    /// The family (`debian`) or the language type (`npm`).
    kind: String,
    package: String,
    path: String,
    installed_version: String,
    /// Empty if there is no fix.
    fixed_version: String,
    /// Since when it is known here, without interruption.
    since: String,
    /// The exception that covers it; empty if it counts.
    covered_by: String,
    #[serde(skip)]
    row: AffectedImage,
}

impl From<AffectedImage> for Hit {
    fn from(row: AffectedImage) -> Self {
        Self {
            image: row.image.clone(),
            image_id: row.image_id.map(|id| id.to_string()),
            containers: row.containers.clone(),
            vulnerability_id: row.key.vulnerability_id.clone(),
            severity: row.severity.name(),
            kind: row.key.kind.clone(),
            package: row.key.package_name.clone(),
            path: row.key.package_path.clone(),
            installed_version: row.installed_version.clone(),
            fixed_version: row.fixed_version.clone(),
            since: rfc3339(row.first_seen_at),
            covered_by: row.covered_by.clone(),
            row,
        }
    }
}

fn answer(state: &StateReader, names: &[String], now: Timestamp) -> Result<Answer, StoreError> {
    let mut images = state.image_list()?;
    images.retain(|row| row.gone_at.is_none());
    let queries = names.iter().map(|name| query(state, name));
    Ok(Answer {
        schema_version: SCHEMA_VERSION,
        time: now.to_string(),
        images: images.len() as u64,
        notes: notes(state, &images, now)?,
        queries: queries.collect::<Result<_, _>>()?,
        now,
    })
}

/// Looks a name up as a vulnerability in any case, and as a package.
fn query(state: &StateReader, name: &str) -> Result<Query, StoreError> {
    let name = name.trim();
    let spellings = spellings(name);
    let spellings: Vec<&str> = spellings.iter().map(String::as_str).collect();
    let mut rows = state.affected(&spellings)?;
    rows.extend(state.affected_by_package(name)?);
    rows.sort_by(|a, b| {
        let key =
            |row: &AffectedImage| (std::cmp::Reverse(row.severity), !row.covered_by.is_empty());
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.image, &a.key).cmp(&(&b.image, &b.key)))
    });
    rows.dedup();
    Ok(Query {
        name: name.to_owned(),
        hits: rows.into_iter().map(Hit::from).collect(),
    })
}

/// Returns the ways in which an id may stand in the state: as given, in capitals, and as GitHub
/// writes its own.
fn spellings(id: &str) -> Vec<String> {
    let mut spellings = vec![id.to_owned(), id.to_ascii_uppercase()];
    if let Some(rest) = spellings.get(1).and_then(|id| id.strip_prefix("GHSA-")) {
        spellings.push(format!("GHSA-{}", rest.to_ascii_lowercase()));
    }
    spellings.sort();
    spellings.dedup();
    spellings
}

/// Says what the answer does not know. Silence must not look like a clean bill.
fn notes(
    state: &StateReader,
    images: &[ImageRow],
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    if images.is_empty() {
        return Ok(vec![
            "no image is watched: this says nothing about any".to_owned(),
        ]);
    }
    let with = |is_counted: fn(&ImageRow) -> bool| {
        images.iter().filter(|row| is_counted(row)).count() as u64
    };
    let unseen = with(|row| row.assessment.is_none());
    let failed = with(|row| status(row) == Some(AssessmentStatus::Failed));
    let partial = with(|row| status(row) == Some(AssessmentStatus::Partial));
    let mut notes = Vec::new();
    let mut note = |number: u64, words: &str| {
        if number > 0 {
            notes.push(format!("{} {words}", count(number, "image")));
        }
    };
    note(unseen, "not looked at yet, about which nothing can be said");
    note(
        failed,
        "not assessed at the last look, of which only what was found before is known",
    );
    note(partial, "assessed in part only, which may have more");
    notes.extend(age_of_passes(state, now)?);
    notes.extend(age_of_database(images, now));
    Ok(notes)
}

fn status(row: &ImageRow) -> Option<AssessmentStatus> {
    row.assessment.as_ref().map(|assessment| assessment.status)
}

fn age_of_passes(state: &StateReader, now: Timestamp) -> Result<Option<String>, StoreError> {
    let summary = state.status_summary()?;
    let finished_at = summary.last_finished_pass.and_then(|pass| pass.finished_at);
    let Some(finished_at) = finished_at else {
        return Ok(Some("no pass over the images was finished yet".to_owned()));
    };
    let is_old = hours_since(finished_at, now) > AGE_HOURS_MAX;
    Ok(is_old.then(|| {
        format!(
            "the last pass over the images was finished {}: what is here may be out of date",
            minute(finished_at)
        )
    }))
}

fn age_of_database(images: &[ImageRow], now: Timestamp) -> Option<String> {
    let built = images.iter().filter_map(|row| {
        let assessment = row.assessment.as_ref()?;
        assessment.database_updated_at.parse::<Timestamp>().ok()
    });
    let oldest = built.min()?.as_millisecond();
    (hours_since(oldest, now) > AGE_HOURS_MAX).then(|| {
        format!(
            "an advisory database built {} was used: later advisories are not known",
            minute(oldest)
        )
    })
}

fn hours_since(at_ms: i64, now: Timestamp) -> i64 {
    now.as_millisecond().saturating_sub(at_ms) / 3_600_000
}
