//! Dates of exceptions.

use jiff::{SignedDuration, Timestamp};

use crate::time;

/// What a date looks like, for errors.
pub(super) const EXPECTED: &str = "expected YYYY-MM-DD";

/// Reads the end of an exception: the last moment of a day (UTC), or a time, RFC 3339. An exception
/// that expires on a day holds on that day.
pub(super) fn end(text: &str) -> Option<Timestamp> {
    match time::parse_date(text) {
        Some(midnight) => {
            let last = SignedDuration::from_hours(24) - SignedDuration::from_nanos(1);
            midnight.checked_add(last).ok()
        }
        None => text.parse().ok(),
    }
}

/// Reads the day on which an exception was made, or the time.
pub(super) fn start(text: &str) -> Option<Timestamp> {
    time::parse_date(text).or_else(|| text.parse().ok())
}
