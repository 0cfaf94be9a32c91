//! `exceptions prune`: removes what does nothing any more.

use std::fmt::Write as _;
use std::time::SystemTime;

use cleanbill_policy::Exceptions;
use cleanbill_policy::exceptions::{Exception, remove};
use cleanbill_report::text::clean;
use jiff::Timestamp;

use super::super::{Setting, print};
use super::coverage::{Coverage, Use};
use super::files;
use crate::cli::{CoverageArgs, ExceptionsArgs};
use crate::error::CommandError;
use crate::exit::Exit;

pub(super) fn run(
    setting: &Setting,
    arguments: &ExceptionsArgs,
    coverage: CoverageArgs,
    is_dry_run: bool,
) -> Result<Exit, CommandError> {
    let now = SystemTime::from(Timestamp::now());
    let named = files::named(&arguments.exceptions);
    let mut texts = Vec::new();
    let mut exceptions = Vec::new();
    for file in &named {
        let text = files::text(file)?;
        let parsed = Exceptions::parse(&text, &files::source(file));
        exceptions.push(parsed.map_err(|error| files::failed(file, error))?);
        texts.push(text);
    }
    // What watch knows may be older than the file; only reports that are named decide.
    let is_held_against_reports = !coverage.scan_results.is_empty();
    let coverage = match is_held_against_reports {
        true => Some(Coverage::of(setting, &exceptions, coverage, now)?),
        false => None,
    };
    let mut said = String::new();
    for (number, ((file, text), parsed)) in named.iter().zip(&texts).zip(&exceptions).enumerate() {
        let used = |index: usize| {
            coverage
                .as_ref()
                .map(|coverage| coverage.get(number, index))
        };
        let gone: Vec<(&Exception, &'static str)> = parsed
            .list()
            .iter()
            .enumerate()
            .filter_map(|(index, one)| Some((one, why(one, used(index).as_ref(), now)?)))
            .collect();
        let lines: Vec<u64> = gone.iter().map(|(one, _)| one.line).collect();
        let after = remove(text, &lines).map_err(|error| {
            let context = format!("cannot remove exceptions from {}", file.display());
            CommandError::usage(anyhow::Error::new(error).context(context))
        })?;
        if !is_dry_run && !lines.is_empty() {
            files::replace(file, Some(text), &after)?;
        }
        let verb = if is_dry_run {
            "Would remove"
        } else {
            "Removed"
        };
        for (one, why) in gone {
            // Writing to a string does not fail.
            let _ = writeln!(
                said,
                "{verb} {}:{}: {} ({why}): {}",
                clean(parsed.source()),
                one.line,
                clean(&one.title()),
                clean(&one.reason)
            );
        }
    }
    if said.is_empty() {
        said.push_str("Nothing to remove.\n");
    }
    print(said.as_bytes())
}

/// Says why an exception can go; `None` if it cannot.
fn why(one: &Exception, used: Option<&Use>, now: SystemTime) -> Option<&'static str> {
    if one.has_expired(now) {
        Some("it has expired")
    } else if used.is_some_and(Use::has_ended) {
        Some("it has ended")
    } else if used.is_some_and(Use::is_unmatched) {
        Some("it matches nothing")
    } else {
        None
    }
}
