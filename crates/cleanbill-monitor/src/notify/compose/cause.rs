//! Causes in words.

use cleanbill_core::Digest;
use cleanbill_core::change::{Cause, Change, ChangeKind, KnownFinding};

/// Says why a finding changed.
pub fn because(change: &Change, finding: &KnownFinding) -> String {
    match &change.cause {
        // What was never seen can only be resolved against a baseline.
        Cause::FirstSeen if change.kind == ChangeKind::Resolved => {
            "the baseline accepts it, and it is not found".to_owned()
        }
        Cause::FirstSeen => "the image is looked at for the first time".to_owned(),
        Cause::ImageChanged { from, to } => image_changed(from.as_ref(), to.as_ref()),
        Cause::AdvisoryChanged { from, to } => advisory_changed(from, to, finding),
        Cause::CatalogueChanged { since } => catalogue_changed(since),
        Cause::ExceptionChanged { exception } => match change.kind {
            ChangeKind::Accepted | ChangeKind::Resolved => {
                format!("an exception covers it now: {exception}")
            }
            _ => format!("no exception covers it any more: {exception}"),
        },
        Cause::ExceptionExpired { exception } => {
            format!("the exception that covered it is over: {exception}")
        }
        Cause::RulesChanged => "the settings changed".to_owned(),
        Cause::Assessment => "the image could not be read or judged, or can be again".to_owned(),
    }
}

fn image_changed(from: Option<&Digest>, to: Option<&Digest>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => {
            format!("the image changed from {} to {}", short(from), short(to))
        }
        (None, Some(to)) => format!("the image is {} now", short(to)),
        (Some(from), None) => format!("the image is no longer {}", short(from)),
        (None, None) => "the image changed".to_owned(),
    }
}

fn advisory_changed(from: &str, to: &str, finding: &KnownFinding) -> String {
    let mut text = "the advisory database changed".to_owned();
    if !from.is_empty() && !to.is_empty() {
        text = format!("{text} (built {}, before {})", minute(to), minute(from));
    }
    let source = finding.advisory_source.as_str();
    let day = finding.published.get(..10).unwrap_or_default();
    match (source.is_empty(), day.is_empty()) {
        (false, false) => format!("{text}: advisory of {source}, published {day}"),
        (false, true) => format!("{text}: advisory of {source}"),
        (true, false) => format!("{text}: advisory published {day}"),
        (true, true) => text,
    }
}

fn catalogue_changed(since: &str) -> String {
    let text = "the KEV catalogue of CISA lists it as exploited";
    match since {
        "" => text.to_owned(),
        since => format!("{text}, since {since}"),
    }
}

/// Shortens a digest as the engine does: `sha256:0123456789ab`.
fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(19).collect()
}

/// Shortens a time of RFC 3339 to the minute.
fn minute(time: &str) -> String {
    match time.get(..16) {
        Some(start) => start.replace('T', " ") + " UTC",
        None => time.to_owned(),
    }
}
