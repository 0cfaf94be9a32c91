//! Durations, schedules and times of day, as people write them.
//!
//! A function that fails says what it expected; the caller knows what it was given, and whether
//! that may be quoted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr as _;
use std::time::Duration;

use jiff::civil::Time;

use super::value::{QuietHours, Schedule};

/// No pause, age or period is longer: what is meant by more is never.
pub(crate) const DURATION_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Units of durations, in milliseconds.
const UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

pub(crate) const EXPECTED_DURATION: &str = "expected a form such as 90s, 30m, 24h or 1h30m";
pub(crate) const EXPECTED_SECONDS: &str = "expected a number of seconds, such as 86400";
pub(crate) const EXPECTED_SCHEDULE: &str = "expected a pause such as 24h, a number of seconds, or \
     a cron expression such as '0 6 * * *'";

/// Reads `90m`, `1h30m`, `7d`, `1.5h`, or a number of seconds.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    if let Some(duration) = parse_seconds(text) {
        return Some(duration);
    }
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    let mut smaller_than = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let end = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
        // 30m1h is a slip of the pen rather than a duration.
        if *millis >= smaller_than {
            return None;
        }
        smaller_than = *millis;
        let seconds = number.parse::<f64>().ok()? * (*millis as f64) / 1_000.0;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = after.trim_start();
    }
    (!text.trim().is_empty() && total <= DURATION_MAX).then_some(total)
}

/// Reads a number of seconds, whole or not.
pub(crate) fn parse_seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let seconds = is_number.then(|| text.parse::<f64>().ok()).flatten()?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| *duration <= DURATION_MAX)
}

/// Prints a duration as it can be given.
pub(crate) fn print_duration(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    // Weeks and days are printed only alone: 36h is what people write for a day and a half.
    for (unit, millis) in UNITS.iter().rev() {
        let is_long = *millis > 3_600_000;
        if left < *millis || is_long && (!left.is_multiple_of(*millis) || left == *millis) {
            continue;
        }
        text.push_str(&format!("{}{unit}", left / millis));
        left %= millis;
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// Reads a pause or a cron expression.
///
/// # Errors
///
/// It is neither, or an expression that never comes true; the text says which.
pub(crate) fn parse_schedule(text: &str) -> Result<Schedule, String> {
    if let Some(pause) = parse_duration(text) {
        return if pause.is_zero() {
            Err("the pause must be longer than nothing".to_owned())
        } else {
            Ok(Schedule::Every(pause))
        };
    }
    let expression = text.trim();
    let fields = expression.split_whitespace().count();
    if !(5..=6).contains(&fields) && !expression.starts_with('@') {
        return Err(EXPECTED_SCHEDULE.to_owned());
    }
    let cron = croner::Cron::from_str(expression)
        .map_err(|error| format!("as a cron expression it is wrong: {error}"))?;
    let start = jiff::civil::date(2024, 1, 1).to_zoned(jiff::tz::TimeZone::UTC);
    let comes_true = start.is_ok_and(|start| cron.find_next_occurrence(&start, false).is_ok());
    if comes_true {
        Ok(Schedule::Cron(expression.to_owned()))
    } else {
        Err("the cron expression never comes true".to_owned())
    }
}

/// Reads `07:30`.
pub(crate) fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| {
        let is_plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        is_plain.then(|| text.parse::<i8>().ok()).flatten()
    };
    if minute.len() != 2 {
        return None;
    }
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

/// Reads `22:00-07:00`.
pub(crate) fn parse_quiet_hours(text: &str) -> Option<QuietHours> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (parse_time(from)?, parse_time(to)?);
    (from != to).then_some(QuietHours { from, to })
}

/// Reads `PORT` (of this host only) or `ADDRESS:PORT`.
pub(crate) fn parse_listen(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    if let Ok(port) = text.parse::<u16>() {
        return Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    match text.strip_prefix("localhost:") {
        Some(port) => Some(SocketAddr::new(
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            port.parse().ok()?,
        )),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_printed() {
        let check = |text: &str, seconds: f64, printed: &str| {
            let duration = parse_duration(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(duration.as_secs_f64(), seconds, "{text}");
            assert_eq!(print_duration(duration), printed, "{text}");
            assert_eq!(parse_duration(printed), Some(duration), "{text}");
        };
        check("86400", 86_400.0, "24h");
        check("0.5", 0.5, "500ms");
        check("24h", 86_400.0, "24h");
        check("90m", 5_400.0, "1h30m");
        check("1h 30m", 5_400.0, "1h30m");
        check("1.5h", 5_400.0, "1h30m");
        check("5m0s", 300.0, "5m");
        check("7d", 604_800.0, "7d");
        check("36h", 129_600.0, "36h");
        check("90d", 7_776_000.0, "90d");
        check("2w", 1_209_600.0, "2w");
        check("0", 0.0, "0s");
        check("250ms", 0.25, "250ms");
        for text in [
            "",
            " ",
            "soon",
            "-5",
            "-5m",
            "5x",
            "m",
            "1h1h",
            "30m1h",
            "1..5h",
            "inf",
            "nan",
            "1e400",
            "99999999999999999999d",
            "100000w",
            "5m soon",
            "५m",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn schedules_are_pauses_or_cron_expressions() {
        let hour = Duration::from_secs(3_600);
        assert_eq!(parse_schedule("1h"), Ok(Schedule::Every(hour)));
        assert_eq!(parse_schedule("3600"), Ok(Schedule::Every(hour)));
        for text in ["0 6 * * *", "*/15 * * * *", "0 6 * * MON-FRI", "@daily"] {
            assert_eq!(parse_schedule(text), Ok(Schedule::Cron(text.to_owned())));
        }
        for (text, part) in [
            ("soon", "expected a pause"),
            ("0", "longer than nothing"),
            ("61 * * * *", "cron expression"),
            ("a b c d e", "cron expression"),
            ("0 0 30 2 *", "never comes true"),
            ("* * *", "expected a pause"),
        ] {
            let error = parse_schedule(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn times_of_day_are_read() {
        let time = |text: &str| parse_time(text).map(|t| (t.hour(), t.minute()));
        assert_eq!(time("07:30"), Some((7, 30)));
        assert_eq!(time("7:30"), Some((7, 30)));
        for text in ["24:00", "7", "7:3", "07:60", "+7:30", "seven", ""] {
            assert_eq!(time(text), None, "{text}");
        }
        let hours = parse_quiet_hours("22:00-07:00").unwrap();
        assert_eq!((hours.from.hour(), hours.to.hour()), (22, 7));
        assert_eq!(parse_quiet_hours("22:00-22:00"), None);
        assert_eq!(parse_quiet_hours("22:00"), None);
    }

    #[test]
    fn a_port_alone_is_of_this_host_only() {
        let check = |text: &str, expected: Option<&str>| {
            let address = parse_listen(text).map(|address| address.to_string());
            assert_eq!(address.as_deref(), expected, "{text}");
        };
        check("9871", Some("127.0.0.1:9871"));
        check("localhost:9871", Some("127.0.0.1:9871"));
        check("0.0.0.0:9871", Some("0.0.0.0:9871"));
        check("[::1]:9871", Some("[::1]:9871"));
        check(":9871", None);
        check("example.com:80", None);
        check("70000", None);
    }
}
