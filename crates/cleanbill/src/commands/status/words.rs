//! Times and counts in words.

use jiff::Timestamp;

/// Writes a point in time for programs.
pub(in crate::commands) fn rfc3339(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

/// Writes a point in time for people, and how far it is away.
pub(in crate::commands) fn when(at_ms: i64, now: Timestamp) -> String {
    format!("{} ({})", minute(at_ms), distance(at_ms, now))
}

/// Writes a point in time to the minute.
pub(in crate::commands) fn minute(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms)
        .map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}

/// Says how long ago something was, or how soon it will be.
pub(in crate::commands) fn distance(at_ms: i64, now: Timestamp) -> String {
    let past_ms = now.as_millisecond().saturating_sub(at_ms);
    let words = duration(past_ms.unsigned_abs());
    match past_ms {
        0.. => format!("{words} ago"),
        _ => format!("in {words}"),
    }
}

/// Writes a duration in its largest fitting unit.
pub(in crate::commands) fn duration(ms: u64) -> String {
    match ms / 1000 {
        0 => format!("{ms} ms"),
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let now = Timestamp::from_millisecond(1_000_000_000).unwrap();
        let check = |before_ms: i64, expected: &str| {
            assert_eq!(distance(1_000_000_000 - before_ms, now), expected);
        };
        check(0, "0 ms ago");
        check(119_999, "119 s ago");
        check(120_000, "2 min ago");
        check(7_200_000, "2 h ago");
        check(172_800_000, "2 days ago");
        check(-60_000, "in 60 s");
        assert_eq!(when(1_000_000_000, now), "1970-01-12 13:46 UTC (0 ms ago)");
        // A clock that was wrong is no reason to end.
        assert_eq!(minute(i64::MAX), "");
        assert_eq!(rfc3339(i64::MIN), "");
    }
}
