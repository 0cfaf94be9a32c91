//! `exceptions check`: what somebody has to do about exceptions.

use std::path::Path;
use std::time::{Duration, SystemTime};

use cleanbill_core::count;
use cleanbill_policy::Exceptions;
use cleanbill_policy::exceptions::{ExceptionsProblem, overlaps};
use cleanbill_report::listing::{Heading, Text, Tone};
use jiff::Timestamp;
use serde::Serialize;

use super::super::status::{SCHEMA_VERSION, json};
use super::super::{Setting, print};
use super::coverage::Coverage;
use super::{counting_again, files};
use crate::cli::{CoverageArgs, ExceptionsArgs, ListFormat};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

pub(super) fn run(
    setting: &Setting,
    arguments: &ExceptionsArgs,
    coverage: CoverageArgs,
    is_strict: bool,
    format: ListFormat,
) -> Result<Exit, CommandError> {
    let now = SystemTime::from(Timestamp::now());
    let mut files = Vec::new();
    let mut items = Vec::new();
    for file in files::named(&arguments.exceptions) {
        match parse(&file)? {
            Ok(exceptions) => files.push(exceptions),
            Err(problems) => items.extend(problems.iter().map(|one| Item::error(&file, one))),
        }
    }
    let coverage = Coverage::of(setting, &files, coverage, now)?;
    items.extend(things_to_do(&files, &coverage, now, arguments.warn_before));
    items.sort_by(|a, b| (&a.source, a.line, a.kind).cmp(&(&b.source, b.line, b.kind)));
    let must = items.iter().any(|item| item.kind.must_be_done(is_strict));
    let total: usize = files.iter().map(|file| file.list().len()).sum();
    let text = match format {
        ListFormat::Json => json(&Checked {
            schema_version: SCHEMA_VERSION,
            exceptions: total as u64,
            held_against: &coverage.of,
            items: &items,
        })?,
        ListFormat::Table => text(setting, &items, total as u64, &coverage.of),
    };
    let verdict = match must {
        true => Exit::GateFailed(1),
        false => Exit::Clean,
    };
    print(text.as_bytes()).map(|printed| verdict.and(printed))
}

/// Reads a file; what is wrong in it is for the list.
fn parse(file: &Path) -> Result<Result<Exceptions, Vec<ExceptionsProblem>>, CommandError> {
    let text = files::text(file)?;
    let parsed = Exceptions::parse(&text, &files::source(file));
    Ok(parsed.map_err(|error| error.problems))
}

/// What is printed for programs.
#[derive(Debug, Serialize)]
struct Checked<'a> {
    schema_version: u32,
    /// How many there are in the files without errors.
    exceptions: u64,
    held_against: &'a str,
    items: &'a [Item],
}

/// Something about an exception.
#[derive(Debug, Serialize)]
struct Item {
    source: String,
    line: u64,
    /// 0 where the whole exception is meant.
    column: u64,
    kind: Kind,
    /// The exception; empty for an error.
    rule: String,
    text: String,
}

/// What is the matter, the most serious first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Error,
    Expired,
    Ended,
    Unmatched,
    Overlapping,
    Expiring,
    /// It is about every vulnerability of something, and has no end.
    Open,
}

impl Kind {
    fn must_be_done(self, is_strict: bool) -> bool {
        match self {
            Kind::Error | Kind::Expired | Kind::Ended | Kind::Unmatched | Kind::Overlapping => true,
            Kind::Expiring => is_strict,
            Kind::Open => false,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Kind::Error => "ERROR",
            Kind::Expired => "EXPIRED",
            Kind::Ended => "ENDED",
            Kind::Unmatched => "MATCHES NOTHING",
            Kind::Overlapping => "OVERLAPPING",
            Kind::Expiring => "EXPIRING",
            Kind::Open => "NO END",
        }
    }
}

impl Item {
    fn error(file: &Path, problem: &ExceptionsProblem) -> Self {
        Self {
            source: files::source(file),
            line: problem.line,
            column: problem.column,
            kind: Kind::Error,
            rule: String::new(),
            text: problem.text.clone(),
        }
    }
}

fn things_to_do(
    files: &[Exceptions],
    coverage: &Coverage,
    now: SystemTime,
    warn_before: Duration,
) -> Vec<Item> {
    let mut items = Vec::new();
    for (number, file) in files.iter().enumerate() {
        for (index, one) in file.list().iter().enumerate() {
            let mut add = |kind: Kind, text: String| {
                items.push(Item {
                    source: file.source().to_owned(),
                    line: one.line,
                    column: 0,
                    kind,
                    rule: one.title(),
                    text,
                });
            };
            let used = coverage.get(number, index);
            let counting = |text: &str| match used.lapsed {
                0 => text.to_owned(),
                lapsed => format!("{text}: {}", counting_again(lapsed)),
            };
            if one.has_expired(now) {
                add(
                    Kind::Expired,
                    counting(&format!("expired on {}", one.terms.expires)),
                );
                continue;
            }
            if used.has_ended() {
                add(
                    Kind::Ended,
                    counting("a fix is available, or 'unless' has come true"),
                );
            } else if used.is_unmatched() {
                let mut text = format!("covers nothing in {}", coverage.of);
                if !one.paths.is_empty() {
                    text.push_str(
                        "; packages of the distribution have no file: their path is the target",
                    );
                }
                add(Kind::Unmatched, text);
            }
            let left = one.expires_in(now);
            if left.is_some_and(|left| left <= warn_before) {
                add(Kind::Expiring, format!("expires on {}", one.terms.expires));
            }
            if one.ids.iter().any(|id| id == "*") && left.is_none() {
                add(
                    Kind::Open,
                    "covers every vulnerability, also those that nobody knows yet, and does not expire"
                        .to_owned(),
                );
            }
        }
    }
    items.extend(overlapping(files, coverage, now));
    items
}

fn overlapping(files: &[Exceptions], coverage: &Coverage, now: SystemTime) -> Vec<Item> {
    let find = |(file, index): (usize, usize)| {
        let file = files.get(file)?;
        Some((file.source(), file.list().get(index)?))
    };
    let item = |overlap: &cleanbill_policy::exceptions::Overlap| {
        let (source, one) = find(overlap.redundant)?;
        let (by, other) = find(overlap.by)?;
        Some(Item {
            source: source.to_owned(),
            line: one.line,
            column: 0,
            kind: Kind::Overlapping,
            rule: one.title(),
            text: format!("{}:{} covers {} already", by, other.line, overlap.id),
        })
    };
    let named_alike = overlaps(files, now);
    let all = named_alike.iter().chain(&coverage.overlaps);
    all.filter_map(item).collect()
}

fn text(setting: &Setting, items: &[Item], total: u64, held_against: &str) -> String {
    let mut listing = output::listing(setting.global.color, &setting.environment);
    if items.is_empty() {
        let text = format!("{}, nothing to do.", count(total, "exception"));
        listing.paragraph("", &Text::plain(&text));
    } else {
        let rows: Vec<Vec<Text>> = items.iter().map(row).collect();
        let headings = [
            Heading::text("WHERE", 10, 40),
            Heading::text("WHAT", 8, 20),
            Heading::text("EXCEPTION", 10, 40),
            Heading::rest("WHY"),
        ];
        listing.table(&headings, &rows);
    }
    if !held_against.is_empty() {
        listing.gap();
        let text = format!("Held against {held_against}.");
        listing.paragraph("", &Text::new(&text, Tone::Dim));
    }
    listing.finish()
}

fn row(item: &Item) -> Vec<Text> {
    let place = match (item.line, item.column) {
        (0, _) => item.source.clone(),
        (line, 0) => format!("{}:{line}", item.source),
        (line, column) => format!("{}:{line}:{column}", item.source),
    };
    let tone = match item.kind.must_be_done(false) {
        true => Tone::Alarm,
        false => Tone::Plain,
    };
    vec![
        Text::plain(&place),
        Text::new(item.kind.word(), tone),
        Text::plain(&item.rule),
        Text::plain(&item.text),
    ]
}
