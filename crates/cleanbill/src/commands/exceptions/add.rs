//! `exceptions add`: one more exception at the end of a file.

use std::time::SystemTime;

use cleanbill_policy::Exceptions;
use cleanbill_policy::exceptions::{Exception, append, overlaps};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::print;
use super::files;
use crate::cli::AddArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::parse_long_duration;

pub(super) fn run(arguments: &AddArgs) -> Result<Exit, CommandError> {
    let now = Timestamp::now();
    let file = arguments.exceptions.as_path();
    let before = match file.exists() {
        true => Some(files::text(file)?),
        false => None,
    };
    let exception = exception(arguments, now)?;
    let after = append(before.as_deref().unwrap_or_default(), &exception)
        .map_err(|error| refused(arguments, error))?;
    warn_of_overlap(&after, &files::source(file), SystemTime::from(now));
    if arguments.dry_run {
        return print(after.as_bytes());
    }
    files::replace(file, before.as_deref(), &after)?;
    let title = added_title(&after).unwrap_or_else(|| exception.title());
    let text = format!("Added {title} to {}.\n", file.display());
    print(text.as_bytes())
}

/// Names the last exception of a text, with its ids as they are written there.
fn added_title(text: &str) -> Option<String> {
    let exceptions = Exceptions::parse(text, "").ok()?;
    exceptions.list().last().map(Exception::title)
}

fn refused(arguments: &AddArgs, error: cleanbill_policy::exceptions::EditError) -> CommandError {
    let context = format!(
        "cannot add the exception to {}",
        arguments.exceptions.display()
    );
    CommandError::usage(anyhow::Error::new(error).context(context))
}

fn exception(arguments: &AddArgs, now: Timestamp) -> Result<Exception, CommandError> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut exception = Exception {
        ids: arguments.ids.clone(),
        images: arguments.image.clone(),
        packages: arguments.package.clone(),
        version: arguments.package_version.trim().to_owned(),
        paths: arguments.path.clone(),
        ecosystem: arguments.ecosystem.trim().to_owned(),
        reason: arguments.reason.clone(),
        created: today.to_string(),
        until_fixed: arguments.until.is_some(),
        unless: arguments.unless.clone(),
        ..Exception::default()
    };
    exception.terms.owner = arguments.owner.trim().to_owned();
    exception.terms.ticket = arguments.ticket.trim().to_owned();
    if let Some(text) = &arguments.expires {
        exception.terms.expires = last_day(text.trim(), now, today)?.to_string();
    }
    Ok(exception)
}

/// Returns the last day on which the exception counts.
fn last_day(text: &str, now: Timestamp, today: Date) -> Result<Date, CommandError> {
    let after = |duration| {
        let duration = SignedDuration::try_from(duration).ok()?;
        let end = now.checked_add(duration).ok()?;
        Some(end.to_zoned(TimeZone::UTC).date())
    };
    let day = text
        .parse::<Date>()
        .ok()
        .or_else(|| parse_long_duration(text).and_then(after))
        .ok_or_else(|| {
            CommandError::usage_text(format!(
                "--expires {text}: expected a date such as 2026-12-31, or a time such as 90d or 12w"
            ))
        })?;
    if day < today {
        return Err(CommandError::usage_text(format!(
            "--expires {text}: that is over, today is {today}"
        )));
    }
    Ok(day)
}

/// Says if the new exception, or one that it makes superfluous, says nothing more.
fn warn_of_overlap(text: &str, source: &str, now: SystemTime) {
    let Ok(exceptions) = Exceptions::parse(text, source) else {
        return;
    };
    let added = exceptions.list().len().saturating_sub(1);
    let files = [exceptions];
    for overlap in overlaps(&files, now) {
        let line = |(_, index): (usize, usize)| {
            let one = files.first().and_then(|file| file.list().get(index));
            one.map_or(0, |one| one.line)
        };
        let (redundant, by) = (overlap.redundant, overlap.by);
        if redundant.1 == added || by.1 == added {
            tracing::warn!(
                "{source}:{} covers {} as well, so {source}:{} says nothing more",
                line(by),
                overlap.id,
                line(redundant)
            );
        }
    }
}
