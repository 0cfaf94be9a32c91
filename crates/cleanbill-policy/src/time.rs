//! Times in policy files. The API speaks of [`SystemTime`] only.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Converts the clock's time; beyond the years that can be written, it is the nearest that can.
pub(crate) fn timestamp(now: SystemTime) -> Timestamp {
    Timestamp::try_from(now).unwrap_or(if now < SystemTime::UNIX_EPOCH {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Reads `YYYY-MM-DD`, all digits present, as midnight UTC.
///
/// Source: Go `time.Parse("2006-01-02", …)`.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4..=4)?;
    let month = digits(parts.next()?, 2..=2)?;
    let day = digits(parts.next()?, 2..=2)?;
    if parts.next().is_some() {
        return None;
    }
    midnight(year, month, day)
}

/// Reads a date or a time as YAML writes them: `2026-1-2`, `2026-01-02 10:00:00` (UTC),
/// RFC 3339 with `T` or `t`.
///
/// Source: gopkg.in/yaml.v3 `resolve.go` (`allowedTimestampFormats`).
pub(crate) fn parse_yaml_time(text: &str) -> Option<Timestamp> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    if let Some((date, time)) = text.split_once(' ') {
        let time = format!("{date}T{time}").parse::<DateTime>().ok()?;
        return TimeZone::UTC.to_timestamp(time).ok();
    }
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4..=4)?;
    let month = digits(parts.next()?, 1..=2)?;
    let day = digits(parts.next()?, 1..=2)?;
    if parts.next().is_some() {
        return None;
    }
    midnight(year, month, day)
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i16> {
    let is_number = length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn midnight(year: i16, month: i16, day: i16) -> Option<Timestamp> {
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    TimeZone::UTC
        .to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_dates_have_all_digits() {
        assert_eq!(
            parse_date("2026-01-02").unwrap().to_string(),
            "2026-01-02T00:00:00Z"
        );
        for text in [
            "",
            "2026-1-2",
            "20260102",
            "2026-13-01",
            "2026-02-30",
            "tomorrow",
            "2026-01-02x",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn yaml_times_have_several_forms() {
        for (text, expected) in [
            ("2026-1-2", "2026-01-02T00:00:00Z"),
            ("2026-01-02T10:00:00+02:00", "2026-01-02T08:00:00Z"),
            ("2026-01-02t10:00:00.5Z", "2026-01-02T10:00:00.5Z"),
            ("2026-01-02 10:00:00", "2026-01-02T10:00:00Z"),
        ] {
            assert_eq!(parse_yaml_time(text).unwrap().to_string(), expected);
        }
        assert_eq!(parse_yaml_time("soon"), None);
        assert_eq!(parse_yaml_time("2026-01-02 noon"), None);
    }
}
