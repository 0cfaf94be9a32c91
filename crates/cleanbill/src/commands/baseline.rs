//! `cleanbill baseline`: the vulnerabilities of each image that are known and accepted, in the
//! files of the older script.

mod diff;
mod known;
mod save;
mod show;

#[cfg(test)]
mod tests;

use known::Known;

use std::fmt::Write as _;
use std::path::PathBuf;

use cleanbill_monitor::baseline_file::{BaselineDirectory, BaselineFileError};
use cleanbill_report::text::clean;

use super::status::{open, settings};
use super::{Setting, print, report};
use crate::cli::BaselineCommand;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::WatchSettings;

pub(crate) fn run(setting: &Setting, command: BaselineCommand) -> Result<Exit, CommandError> {
    match command {
        BaselineCommand::Save {
            images,
            scan_results,
            settings: flags,
        } => {
            let settings = settings(setting, flags.call)?;
            let known = known(&settings, &scan_results, &images)?;
            save::run(&directory(&settings), &known)
        }
        BaselineCommand::Show {
            images,
            format,
            settings: flags,
        } => {
            let settings = settings(setting, flags.call)?;
            show::run(setting, &directory(&settings), &images, format)
        }
        BaselineCommand::Diff {
            images,
            scan_results,
            format,
            settings: flags,
        } => {
            let settings = settings(setting, flags.call)?;
            let known = known(&settings, &scan_results, &images)?;
            diff::run(setting, &directory(&settings), &known, &images, format)
        }
        BaselineCommand::Rm {
            images,
            settings: flags,
        } => remove(&directory(&settings(setting, flags.call)?), &images),
    }
}

fn directory(settings: &WatchSettings) -> BaselineDirectory {
    BaselineDirectory::new(&settings.baseline.directory)
}

/// Collects what is known of images: of those that are named, else of all.
fn known(
    settings: &WatchSettings,
    scan_results: &[PathBuf],
    images: &[String],
) -> Result<Vec<Known>, CommandError> {
    let filter = settings.scan.severities.iter().copied().collect();
    if scan_results.is_empty() {
        return known::of_state(&open(&settings.state_directory)?, images, filter);
    }
    let report = report::read_all(scan_results)?.report;
    known::of_reports(&report, images, filter)
}

/// Says why a baseline cannot be had or kept.
fn failed(error: BaselineFileError) -> CommandError {
    let hint = match &error {
        BaselineFileError::Corrupt { .. } => {
            "mend it and put it back, or accept what is known now: cleanbill baseline save IMAGE"
        }
        BaselineFileError::Io { .. } => "another directory is named by --snapshot-dir DIR",
    };
    CommandError::usage(error).hint(hint)
}

fn remove(directory: &BaselineDirectory, images: &[String]) -> Result<Exit, CommandError> {
    let mut text = String::new();
    let mut missing = Vec::new();
    for image in images {
        if directory.remove(image).map_err(failed)? {
            // Writing to a string does not fail.
            let _ = writeln!(text, "Removed the baseline of {}.", clean(image));
        } else {
            missing.push(image.as_str());
        }
    }
    print(text.as_bytes())?;
    match missing.as_slice() {
        [] => Ok(Exit::Clean),
        missing => Err(CommandError::usage_text(format!(
            "there is no baseline of {}",
            missing.join(", ")
        ))
        .hint("the names are in: cleanbill baseline show")),
    }
}
