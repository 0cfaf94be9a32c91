//! `cleanbill exceptions`: accepted findings, each with a reason, an owner and an end.

mod add;
mod announce;
mod check;
mod coverage;
mod files;
mod list;
mod prune;

pub(super) use announce::{Announcement, announcements};
pub(super) use files::{failed, read};

use cleanbill_core::count;

use super::Setting;
use crate::cli::ExceptionsCommand;
use crate::error::CommandError;
use crate::exit::Exit;

/// Writes `1 finding counts again`, `2 findings count again`.
pub(super) fn counting_again(findings: u64) -> String {
    let verb = if findings == 1 { "counts" } else { "count" };
    format!("{} {verb} again", count(findings, "finding"))
}

pub(crate) fn run(setting: &Setting, command: ExceptionsCommand) -> Result<Exit, CommandError> {
    match command {
        ExceptionsCommand::List {
            files,
            coverage,
            format,
        } => list::run(setting, &files, *coverage, format),
        ExceptionsCommand::Check {
            files,
            coverage,
            strict,
            format,
        } => check::run(setting, &files, *coverage, strict, format),
        ExceptionsCommand::Add(arguments) => add::run(&arguments),
        ExceptionsCommand::Prune {
            files,
            coverage,
            dry_run,
        } => prune::run(setting, &files, *coverage, dry_run),
    }
}
