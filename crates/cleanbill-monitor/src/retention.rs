//! How long logs and reports are kept.
//!
//! What goes is decided by a pure function over names, times and sizes; a thin part reads the
//! directory and removes. Only files whose names are those of scan logs are ever touched.

mod files;

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

pub use files::{Retained, RetentionError, apply_retention, rotate_summary};

/// Says what is kept. `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionBudgets {
    /// How old logs may be.
    pub age_max: Option<SignedDuration>,
    /// Looks whose logs and reports are kept.
    pub looks_max: Option<usize>,
    /// Bytes of all logs and reports.
    pub size_bytes_max: Option<u64>,
    /// Bytes of the summary before another one is begun.
    pub summary_size_bytes_max: u64,
}

impl Default for RetentionBudgets {
    /// A quarter, 10,000 looks, 1 GiB; summaries of 10 MiB.
    fn default() -> Self {
        Self {
            age_max: Some(SignedDuration::from_hours(90 * 24)),
            looks_max: Some(10_000),
            size_bytes_max: Some(1 << 30),
            summary_size_bytes_max: 10 << 20,
        }
    }
}

/// Describes the files of one look, or one summary of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// When the look began.
    pub time: Timestamp,
    /// The image as the names have it; empty for a summary.
    pub image: String,
    /// The files.
    pub paths: Vec<PathBuf>,
    /// Bytes of the files.
    pub size_bytes: u64,
}

/// Returns the places of the groups that have to go. The oldest go first; but while there are too
/// many or too large ones, those that a later look at the same image supersedes go before any that
/// is the last word on its image.
pub fn expired(groups: &[LogGroup], budgets: &RetentionBudgets, now: Timestamp) -> Vec<usize> {
    let is_old = |group: &LogGroup| {
        budgets
            .age_max
            .is_some_and(|age_max| now.duration_since(group.time) > age_max)
    };
    let (mut gone, kept): (Vec<usize>, Vec<usize>) =
        (0..groups.len()).partition(|place| groups.get(*place).is_some_and(is_old));
    let mut count = kept.len();
    let sizes = kept.iter().filter_map(|place| groups.get(*place));
    let mut size_bytes: u64 = sizes.map(|group| group.size_bytes).sum();
    for place in least_wanted_first(groups, kept) {
        let fits = budgets.looks_max.is_none_or(|max| count <= max)
            && budgets.size_bytes_max.is_none_or(|max| size_bytes <= max);
        if fits {
            break;
        }
        count -= 1;
        size_bytes -= groups.get(place).map_or(0, |group| group.size_bytes);
        gone.push(place);
    }
    gone.sort_unstable();
    gone
}

fn least_wanted_first(groups: &[LogGroup], mut kept: Vec<usize>) -> Vec<usize> {
    let time = |place: &usize| groups.get(*place).map(|group| group.time);
    kept.sort_by_key(|place| std::cmp::Reverse(time(place)));
    let mut images = HashSet::new();
    // Latest first, so the first of an image is the last word on it.
    let (last_words, mut superseded): (Vec<usize>, Vec<usize>) =
        kept.into_iter().partition(|place| {
            groups
                .get(*place)
                .is_some_and(|group| images.insert(&group.image))
        });
    superseded.reverse();
    superseded.extend(last_words.into_iter().rev());
    superseded
}

/// Is the name of a file that is a log of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LogName {
    time: Timestamp,
    /// Empty for a summary.
    image: String,
}

const TIMESTAMP_LENGTH: usize = "2026-11-22T06-30-00Z".len();

impl LogName {
    /// Reads `scan-<timestamp>--<image>.log`, `….json` or `scan-summary-<timestamp>.log`.
    fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("scan-")?;
        if let Some(summary) = rest.strip_prefix("summary-") {
            let text = summary.strip_suffix(".log")?;
            return Some(Self {
                time: parse_timestamp(text)?,
                image: String::new(),
            });
        }
        let (timestamp, rest) = rest.split_at_checked(TIMESTAMP_LENGTH)?;
        let image = rest.strip_prefix("--")?;
        let image = image
            .strip_suffix(".log")
            .or_else(|| image.strip_suffix(".json"))?;
        Some(Self {
            time: parse_timestamp(timestamp)?,
            image: image.to_owned(),
        })
    }
}

fn parse_timestamp(text: &str) -> Option<Timestamp> {
    if text.len() != TIMESTAMP_LENGTH {
        return None;
    }
    let time = civil::DateTime::strptime("%Y-%m-%dT%H-%M-%SZ", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests;
