//! `cleanbill metrics`: what saved reports say, for Prometheus where nobody can be scraped.

pub(crate) mod gateway;
mod push;
mod render;

use std::path::PathBuf;

use cleanbill_report::SavedReport;
use cleanbill_web::{Judged, ReportMetrics};

use super::judging::{hold, judge};
use super::{Setting, report};
use crate::cli::{JudgingArgs, MetricsCommand, SeriesArgs};
use crate::error::CommandError;
use crate::exit::Exit;

pub(crate) fn run(setting: &Setting, command: MetricsCommand) -> Result<Exit, CommandError> {
    match command {
        MetricsCommand::Push(arguments) => push::run(setting, &arguments),
        MetricsCommand::Render(arguments) => render::run(&arguments),
    }
}

/// Reads saved reports and makes metrics of them. Each keeps its own time and database; a gate
/// judges all of them together.
fn gather(
    files: &[PathBuf],
    judging: &JudgingArgs,
    series: &SeriesArgs,
) -> Result<ReportMetrics, CommandError> {
    let mut saved = report::read_each(files)?;
    let judgement = match saved.as_mut_slice() {
        [one] => judge(judging, one, None)?,
        several => {
            let mut whole = match judging.names_a_gate() {
                true => report::joined(report::latest(several.to_vec()).0),
                false => SavedReport::default(),
            };
            let judgement = judge(judging, &mut whole, None)?;
            for one in several {
                hold(judging, one)?;
            }
            judgement
        }
    };
    let failed_rules = judgement.map(|judgement| judgement.reasons.len() as u64);
    let judged: Vec<Judged<'_>> = saved
        .iter()
        .map(|saved| Judged {
            report: &saved.report,
            lists_suppressed: saved.lists_suppressed,
            failed_rules,
        })
        .collect();
    let metrics = ReportMetrics::of(&judged, series.images_max);
    if metrics.summed_up() > 0 {
        tracing::warn!(
            "{} images have no metrics of their own and are summed up (--images-max {})",
            metrics.summed_up(),
            series.images_max
        );
    }
    // A template that knows no name passes an empty one.
    let name = series
        .image_label
        .as_deref()
        .filter(|name| !name.is_empty());
    let Some(name) = name else {
        return Ok(metrics);
    };
    metrics.named(name).map_err(|images| {
        CommandError::usage_text(format!(
            "--image-label names one image, and the reports hold {images}"
        ))
        .hint("push the report of each image by itself")
    })
}
