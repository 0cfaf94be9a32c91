//! `baseline show`: which baselines there are, and what is in them.

use cleanbill_core::count;
use cleanbill_monitor::baseline_file::{BaselineDirectory, BaselineFile, ListedBaseline};
use cleanbill_report::listing::{Heading, Listing, Text, Tone};
use jiff::Timestamp;
use serde::Serialize;

use super::super::status::{SCHEMA_VERSION, json};
use super::super::{Setting, print};
use super::failed;
use crate::cli::ListFormat;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

/// Shows the baselines of images, or a line for each that there is. A file that is no baseline is
/// shown with the reason and makes the exit code 3.
pub(super) fn run(
    setting: &Setting,
    directory: &BaselineDirectory,
    images: &[String],
    format: ListFormat,
) -> Result<Exit, CommandError> {
    let listed = match images {
        [] => directory.list().map_err(failed)?,
        images => named(directory, images)?,
    };
    let text = match format {
        ListFormat::Json => json(&Shown::of(&listed))?,
        ListFormat::Table => {
            let mut listing = output::listing(setting.global.color, &setting.environment);
            match images {
                [] => write_all(&listed, &mut listing),
                _ => listed.iter().for_each(|one| write_one(one, &mut listing)),
            }
            listing.finish()
        }
    };
    let exit = match listed.iter().all(|one| one.baseline.is_ok()) {
        true => Exit::Clean,
        false => Exit::Incomplete,
    };
    print(text.as_bytes()).map(|printed| exit.and(printed))
}

fn named(
    directory: &BaselineDirectory,
    images: &[String],
) -> Result<Vec<ListedBaseline>, CommandError> {
    let mut listed = Vec::new();
    for image in images {
        let found = directory.read(image, Timestamp::now()).map_err(failed)?;
        let Some((path, baseline)) = found else {
            let error = CommandError::usage_text(format!("there is no baseline of {image}"));
            return Err(error.hint("the names are in: cleanbill baseline show"));
        };
        listed.push(ListedBaseline {
            path,
            baseline: Ok(baseline),
        });
    }
    Ok(listed)
}

/// What is printed for programs.
#[derive(Debug, Serialize)]
struct Shown {
    schema_version: u32,
    baselines: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    file: String,
    /// Empty if the file does not say.
    image: String,
    timestamp: String,
    vulnerabilities: Vec<String>,
    /// Why the file is no baseline; absent if it is one.
    problem: Option<String>,
}

impl Shown {
    fn of(listed: &[ListedBaseline]) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            baselines: listed.iter().map(Entry::of).collect(),
        }
    }
}

impl Entry {
    fn of(listed: &ListedBaseline) -> Self {
        let nothing = BaselineFile::default();
        let baseline = listed.baseline.as_ref().unwrap_or(&nothing);
        Self {
            file: listed.path.display().to_string(),
            image: baseline.image.clone(),
            timestamp: baseline.timestamp.clone(),
            vulnerabilities: baseline.vulnerabilities.iter().cloned().collect(),
            problem: listed.baseline.as_ref().err().cloned(),
        }
    }
}

fn write_all(listed: &[ListedBaseline], listing: &mut Listing) {
    if listed.is_empty() {
        listing.paragraph("", &Text::plain("There is no baseline yet."));
        return;
    }
    let rows: Vec<Vec<Text>> = listed.iter().map(row).collect();
    let headings = [
        Heading::text("IMAGE", 12, 60),
        Heading::text("WRITTEN", 10, 20),
        Heading::text("VULNERABILITIES", 15, 40),
        Heading::rest("FILE"),
    ];
    listing.table(&headings, &rows);
}

fn row(listed: &ListedBaseline) -> Vec<Text> {
    let file = Text::new(&listed.path.display().to_string(), Tone::Dim);
    match &listed.baseline {
        Ok(baseline) => vec![
            Text::plain(or_question(&baseline.image)),
            Text::plain(or_question(&baseline.timestamp)),
            Text::plain(&baseline.vulnerabilities.len().to_string()),
            file,
        ],
        Err(reason) => vec![
            Text::plain("?"),
            Text::plain("?"),
            Text::new(&format!("NO BASELINE: {reason}"), Tone::Alarm),
            file,
        ],
    }
}

fn or_question(text: &str) -> &str {
    if text.is_empty() { "?" } else { text }
}

fn write_one(listed: &ListedBaseline, listing: &mut Listing) {
    let Ok(baseline) = &listed.baseline else {
        return;
    };
    listing.title(or_question(&baseline.image));
    let file = format!(
        "{}, written {}",
        listed.path.display(),
        or_question(&baseline.timestamp)
    );
    listing.paragraph("", &Text::new(&file, Tone::Dim));
    let number = count(baseline.vulnerabilities.len() as u64, "vulnerability");
    listing.paragraph("", &Text::plain(&number));
    for id in &baseline.vulnerabilities {
        listing.paragraph("  ", &Text::plain(id));
    }
}
