//! `baseline save`: what is known now becomes what is accepted.

use std::fmt::Write as _;

use cleanbill_core::count;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_monitor::baseline_file::{BaselineDirectory, BaselineFile};
use cleanbill_report::text::clean;
use jiff::Timestamp;

use super::super::print;
use super::{Known, failed};
use crate::error::CommandError;
use crate::exit::Exit;

/// Writes the baselines of images. What could not be assessed must not become the accepted state:
/// it is left out, and the exit code says so.
pub(super) fn run(directory: &BaselineDirectory, known: &[Known]) -> Result<Exit, CommandError> {
    let now = Timestamp::now();
    let mut exit = Exit::Clean;
    let mut text = String::new();
    if known.is_empty() {
        return Err(CommandError::usage_text("there is no image to save a baseline of")
            .hint("cleanbill watch knows none yet: start it, or name saved reports with --scan-results"));
    }
    for image in known {
        if image.status != AssessmentStatus::Complete {
            tracing::warn!(
                "{} was not assessed completely: its baseline stays as it is",
                clean(&image.image)
            );
            exit = Exit::Incomplete;
            continue;
        }
        let baseline = BaselineFile::new(&image.image, now, image.passing.iter().cloned());
        let written = directory.write(&baseline, now).map_err(failed)?;
        if let Some(other) = &written.kept_apart_from {
            tracing::info!("kept apart from the baseline of {}", clean(other));
        }
        if let Some(aside) = &written.set_aside {
            tracing::warn!(
                "a file that was no baseline lies now at {}",
                aside.display()
            );
        }
        let number = count(image.passing.len() as u64, "vulnerability");
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{}: {number} in {}",
            clean(&image.image),
            clean(&written.path.display().to_string())
        );
    }
    print(text.as_bytes()).map(|printed| exit.and(printed))
}
