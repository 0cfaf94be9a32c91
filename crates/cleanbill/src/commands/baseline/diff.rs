//! `baseline diff`: what is different from what was accepted.

use std::collections::BTreeSet;

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_monitor::baseline_file::BaselineDirectory;
use cleanbill_report::listing::{Listing, Text, Tone};
use jiff::Timestamp;
use serde::Serialize;

use super::super::status::{SCHEMA_VERSION, json};
use super::super::{Setting, print};
use super::{Known, failed};
use crate::cli::ListFormat;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

/// Compares images with their baselines. Of images that nobody named, those without one are left
/// out.
pub(super) fn run(
    setting: &Setting,
    directory: &BaselineDirectory,
    known: &[Known],
    images: &[String],
    format: ListFormat,
) -> Result<Exit, CommandError> {
    let mut diff = Diff {
        schema_version: SCHEMA_VERSION,
        images: Vec::new(),
    };
    let mut exit = Exit::Clean;
    for image in known {
        match compare(directory, image) {
            Ok(entry) if entry.file.is_none() && images.is_empty() => {}
            Ok(entry) => {
                if entry.status != AssessmentStatus::Complete.name() {
                    exit = exit.and(Exit::Incomplete);
                }
                diff.images.push(entry);
            }
            // One damaged file does not hide what the others say.
            Err(error) => {
                error.print();
                exit = exit.and(error.exit());
            }
        }
    }
    let text = match format {
        ListFormat::Json => json(&diff)?,
        ListFormat::Table => {
            let mut listing = output::listing(setting.global.color, &setting.environment);
            write(&diff, &mut listing);
            listing.finish()
        }
    };
    print(text.as_bytes()).map(|printed| exit.and(printed))
}

/// What is printed for programs.
#[derive(Debug, Serialize)]
pub(super) struct Diff {
    schema_version: u32,
    images: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    image: String,
    /// `complete`, `partial` or `failed`: how far it could be assessed. Nothing is resolved unless
    /// it is `complete`.
    status: &'static str,
    /// The baseline; absent if there is none, and then everything counts as new.
    file: Option<String>,
    timestamp: String,
    new: BTreeSet<String>,
    resolved: BTreeSet<String>,
    /// In the baseline and still found, but not let through by the filter, or excepted.
    below_filter: BTreeSet<String>,
    /// How many are in both.
    unchanged: usize,
}

fn compare(directory: &BaselineDirectory, known: &Known) -> Result<Entry, CommandError> {
    let found = directory
        .read(&known.image, Timestamp::now())
        .map_err(failed)?;
    let file = found.as_ref().map(|(path, _)| path.display().to_string());
    let baseline = found.map(|(_, baseline)| baseline).unwrap_or_default();
    let mut delta = known.compare(&baseline);
    // A failed look resolves nothing.
    if known.status != AssessmentStatus::Complete {
        delta.resolved.clear();
    }
    Ok(Entry {
        image: known.image.clone(),
        status: known.status.name(),
        file,
        unchanged: known
            .passing
            .intersection(&baseline.vulnerabilities)
            .count(),
        timestamp: baseline.timestamp,
        new: delta.new,
        resolved: delta.resolved,
        below_filter: delta.below_filter,
    })
}

fn write(diff: &Diff, listing: &mut Listing) {
    if diff.images.is_empty() {
        listing.paragraph("", &Text::plain("No image that is known has a baseline."));
    }
    for (index, entry) in diff.images.iter().enumerate() {
        if index > 0 {
            listing.gap();
        }
        write_entry(entry, listing);
    }
}

fn write_entry(entry: &Entry, listing: &mut Listing) {
    listing.title(&entry.image);
    let against = match (&entry.file, entry.timestamp.as_str()) {
        (None, _) => "it has no baseline: everything counts as new".to_owned(),
        (Some(file), "") => format!("against {file}"),
        (Some(file), written) => format!("against {file}, written {written}"),
    };
    listing.paragraph("", &Text::new(&against, Tone::Dim));
    if entry.status != AssessmentStatus::Complete.name() {
        let text = Text::new(
            "NOT ASSESSED COMPLETELY: what was not found need not be resolved",
            Tone::Alarm,
        );
        listing.paragraph("  ", &text);
    }
    let groups = [
        ("+", "new", Tone::Alarm, &entry.new),
        ("-", "resolved", Tone::Good, &entry.resolved),
        (
            "~",
            "below the filter now, or excepted",
            Tone::Notice,
            &entry.below_filter,
        ),
    ];
    let is_same = groups.iter().all(|(_, _, _, ids)| ids.is_empty());
    for (mark, words, tone, ids) in groups {
        for id in ids {
            let text = Text::new(mark, tone)
                .and(Text::plain(id))
                .and(Text::new(words, tone));
            listing.paragraph("  ", &text);
        }
    }
    let unchanged = match (is_same, entry.unchanged) {
        (true, number) => format!("no difference: {number} in both"),
        (false, number) => format!("{number} in both"),
    };
    listing.paragraph("  ", &Text::new(&unchanged, Tone::Dim));
}
