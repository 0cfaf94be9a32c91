//! How servers say that they want to be left alone.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap};

use super::super::{is_retryable, retry_after};

/// Headers that count the requests that are left, and those that say when there are more, in
/// seconds since 1970. Source: GitHub, "Rate limits for the REST API"; GitLab, "User and IP rate
/// limits".
const REMAINING: [&str; 2] = ["x-ratelimit-remaining", "ratelimit-remaining"];
const RESET: [&str; 2] = ["x-ratelimit-reset", "ratelimit-reset"];

/// Returns how long the server wants to be left alone, if it says so.
pub(super) fn pause_wanted(
    status: StatusCode,
    headers: &HeaderMap,
    now: Timestamp,
) -> Option<Duration> {
    if status.is_success() {
        return None;
    }
    if let Some(pause) = retry_after(headers) {
        return Some(pause);
    }
    if !matches!(status.as_u16(), 403 | 429) || number(headers, &REMAINING) != Some(0) {
        return None;
    }
    let reset = number(headers, &RESET)?;
    // Its clock counts, not ours.
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let its_now = date
        .and_then(|date| rfc2822::parse(date).ok())
        .map_or(now, |zoned| zoned.timestamp());
    let seconds = reset.saturating_sub(its_now.as_second());
    // One more, because the second that is named may not have begun.
    let seconds = u64::try_from(seconds).unwrap_or(0);
    Some(Duration::from_secs(seconds.saturating_add(1)))
}

/// Says whether the same request may succeed later. 403 alone is "you may not"; with a time it is
/// "not so many".
pub(super) fn is_worth_another(status: u16, pause_wanted: Option<Duration>) -> bool {
    let is_retryable = StatusCode::from_u16(status).is_ok_and(is_retryable);
    is_retryable || status == 425 || (status == 403 && pause_wanted.is_some())
}

/// Says whether a server that answers this has done nothing: what is not harmless to do twice may
/// be asked for again.
pub(super) fn is_refused_beforehand(status: u16) -> bool {
    matches!(status, 403 | 425 | 429)
}

fn number(headers: &HeaderMap, names: &[&str]) -> Option<i64> {
    let value = names.iter().find_map(|name| headers.get(*name))?;
    value.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, headers: &[(&'static str, &str)], expected_s: Option<u64>) {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                let name = reqwest::header::HeaderName::from_static(name);
                (name, value.parse().unwrap())
            })
            .collect();
        let now = Timestamp::from_second(1_000).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let wanted = pause_wanted(status, &headers, now);
        assert_eq!(wanted.map(|pause| pause.as_secs()), expected_s);
    }

    #[test]
    fn limits_of_rates_are_read() {
        let none_left = ("x-ratelimit-remaining", "0");
        check(429, &[("retry-after", "7")], Some(7));
        check(403, &[("retry-after", "7")], Some(7));
        check(403, &[none_left, ("x-ratelimit-reset", "1030")], Some(31));
        check(403, &[none_left, ("x-ratelimit-reset", "900")], Some(1));
        check(403, &[none_left], None);
        check(403, &[("x-ratelimit-reset", "1030")], None);
        let some_left = ("x-ratelimit-remaining", "9");
        check(403, &[some_left, ("x-ratelimit-reset", "1030")], None);
        let gitlab = [("ratelimit-remaining", "0"), ("ratelimit-reset", "1030")];
        check(429, &gitlab, Some(31));
        check(200, &gitlab, None);
        let date = ("date", "Thu, 01 Jan 1970 00:17:00 GMT");
        check(
            403,
            &[none_left, ("x-ratelimit-reset", "1030"), date],
            Some(11),
        );
        let far = ("x-ratelimit-reset", "9223372036854775807");
        check(403, &[none_left, far], Some(9_223_372_036_854_774_808));
    }

    #[test]
    fn only_a_limit_makes_a_prohibition_worth_another_attempt() {
        assert!(!is_worth_another(403, None));
        assert!(is_worth_another(403, Some(Duration::ZERO)));
        assert!(is_worth_another(429, None));
        assert!(is_worth_another(502, None));
        assert!(!is_worth_another(404, None));
    }
}
