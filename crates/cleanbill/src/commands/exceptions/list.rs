//! `exceptions list`: what each exception covers now, who answers for it, when it expires.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use cleanbill_core::count;
use cleanbill_policy::Exceptions;
use cleanbill_policy::exceptions::Exception;
use cleanbill_report::listing::{Heading, Listing, Text, Tone};
use jiff::Timestamp;
use serde::Serialize;

use super::super::status::{SCHEMA_VERSION, json};
use super::super::{Setting, print};
use super::coverage::{Coverage, Use};
use super::files;
use crate::cli::{CoverageArgs, ExceptionsArgs, ListFormat};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

pub(super) fn run(
    setting: &Setting,
    arguments: &ExceptionsArgs,
    coverage: CoverageArgs,
    format: ListFormat,
) -> Result<Exit, CommandError> {
    let now = SystemTime::from(Timestamp::now());
    let named = files::named(&arguments.exceptions);
    let files: Vec<Exceptions> = named
        .iter()
        .map(|file| files::read(file))
        .collect::<Result<_, _>>()?;
    let coverage = Coverage::of(setting, &files, coverage, now)?;
    let shown = Shown::of(&files, &coverage, now, arguments.warn_before);
    let text = match format {
        ListFormat::Json => json(&shown)?,
        ListFormat::Table => {
            let mut listing = output::listing(setting.global.color, &setting.environment);
            shown.write(&mut listing);
            listing.finish()
        }
    };
    print(text.as_bytes())
}

/// What is printed for programs.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    schema_version: u32,
    /// What they are held against, in words; empty if against nothing.
    held_against: &'a str,
    exceptions: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    source: &'a str,
    line: u64,
    state: State,
    ids: &'a [String],
    images: &'a [String],
    packages: &'a [String],
    version: &'a str,
    paths: &'a [String],
    ecosystem: &'a str,
    reason: &'a str,
    owner: &'a str,
    ticket: &'a str,
    created: &'a str,
    /// Empty if it does not expire.
    expires: &'a str,
    /// Absent if it does not expire.
    days_left: Option<u64>,
    until_fixed: bool,
    unless: &'a [String],
    /// Findings that it covers; absent if that is not known.
    covered: Option<u64>,
    /// Findings that it would cover, had it not expired or ended for them; absent if that is not
    /// known.
    lapsed: Option<u64>,
    covered_images: BTreeSet<String>,
    #[serde(skip)]
    exception: &'a Exception,
}

/// Whether an exception counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Active,
    Expiring,
    Expired,
    /// It has ended for everything that it was for.
    Ended,
    /// It covers nothing.
    Unmatched,
}

impl<'a> Shown<'a> {
    fn of(
        files: &'a [Exceptions],
        coverage: &'a Coverage,
        now: SystemTime,
        warn_before: Duration,
    ) -> Self {
        let mut exceptions = Vec::new();
        for (number, file) in files.iter().enumerate() {
            for (index, one) in file.list().iter().enumerate() {
                let used = coverage.get(number, index);
                exceptions.push(Entry::of(file, one, used, now, warn_before));
            }
        }
        Self {
            schema_version: SCHEMA_VERSION,
            held_against: &coverage.of,
            exceptions,
        }
    }

    fn write(&self, listing: &mut Listing) {
        if self.exceptions.is_empty() {
            listing.paragraph("", &Text::plain("There is no exception."));
            return;
        }
        let rows: Vec<Vec<Text>> = self.exceptions.iter().map(Entry::row).collect();
        let headings = [
            Heading::text("WHERE", 10, 40),
            Heading::text("VULNERABILITY", 14, 40),
            Heading::text("LIMITED TO", 10, 40),
            Heading::text("COVERS", 6, 24),
            Heading::text("OWNER", 5, 20),
            Heading::text("UNTIL", 10, 28),
            Heading::rest("REASON"),
        ];
        listing.table(&headings, &rows);
        listing.gap();
        let held = match self.held_against {
            "" => {
                "Not held against anything: name saved reports with --scan-results FILE.".to_owned()
            }
            against => format!("Held against {against}."),
        };
        listing.paragraph("", &Text::new(&held, Tone::Dim));
    }
}

impl<'a> Entry<'a> {
    fn of(
        file: &'a Exceptions,
        one: &'a Exception,
        used: Use,
        now: SystemTime,
        warn_before: Duration,
    ) -> Self {
        let left = one.expires_in(now);
        let state = if one.has_expired(now) {
            State::Expired
        } else if used.has_ended() {
            State::Ended
        } else if used.is_unmatched() {
            State::Unmatched
        } else if left.is_some_and(|left| left <= warn_before) {
            State::Expiring
        } else {
            State::Active
        };
        Self {
            source: file.source(),
            line: one.line,
            state,
            ids: &one.ids,
            images: &one.images,
            packages: &one.packages,
            version: &one.version,
            paths: &one.paths,
            ecosystem: &one.ecosystem,
            reason: &one.reason,
            owner: &one.terms.owner,
            ticket: &one.terms.ticket,
            created: &one.created,
            expires: &one.terms.expires,
            days_left: left.map(|left| left.as_secs() / 86_400),
            until_fixed: one.until_fixed,
            unless: &one.unless,
            covered: used.is_known.then_some(used.covered),
            lapsed: used.is_known.then_some(used.lapsed),
            covered_images: used.images,
            exception: one,
        }
    }

    fn row(&self) -> Vec<Text> {
        let covers = match (self.state, self.covered) {
            (State::Expired, _) => Text::new("EXPIRED", Tone::Alarm),
            (State::Ended, _) => Text::new("ENDED", Tone::Alarm),
            (State::Unmatched, _) => Text::new("NOTHING", Tone::Alarm),
            (_, None) => Text::new("?", Tone::Dim),
            (_, Some(covered)) => {
                let images = self.covered_images.len();
                let text = match (covered, images) {
                    (2.., 2..) => format!("{covered} in {images} images"),
                    _ => count(covered, "finding"),
                };
                Text::plain(&text)
            }
        };
        let until = match (self.expires, self.until_fixed) {
            ("", true) => "fixed".to_owned(),
            ("", false) => "no end".to_owned(),
            (day, true) => format!("{day} or fixed"),
            (day, false) => day.to_owned(),
        };
        let until = match self.state {
            State::Expiring => Text::new(&format!("{until} (soon)"), Tone::Alarm),
            _ => Text::plain(&until),
        };
        vec![
            Text::new(&format!("{}:{}", self.source, self.line), Tone::Dim),
            Text::plain(&self.exception.title()),
            Text::plain(&self.exception.scope()),
            covers,
            Text::plain(self.owner),
            until,
            Text::plain(self.reason),
        ]
    }
}
