//! When a request is repeated, and after how long.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::ReadContext;
use crate::runtime::block_on;

/// A server that wants to be left alone for longer is taken at its word: the request fails.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// Says how often and how patiently requests are repeated. Only GET and HEAD ever are.
#[derive(Clone)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts_max: u32,
    /// The longest pause before the second attempt; it doubles with each further one.
    pub delay_first: Duration,
    /// The longest pause of all.
    pub delay_max: Duration,
    /// Waits and throws dice.
    pub pause: Arc<dyn Pause>,
}

/// Waits between attempts. A trait so that tests neither wait nor depend on chance.
pub trait Pause: Send + Sync {
    /// Returns a number of at least 0 and below 1 that spreads the attempts of many clients.
    fn jitter(&self) -> f64;

    /// Waits.
    ///
    /// # Errors
    ///
    /// The scan was stopped while waiting.
    fn wait(&self, duration: Duration, context: &ReadContext) -> io::Result<()>;
}

impl Default for RetryPolicy {
    /// Four attempts within about four seconds: long enough for a restart of a proxy, short
    /// enough for somebody who waits.
    fn default() -> Self {
        Self {
            attempts_max: 4,
            delay_first: Duration::from_millis(500),
            delay_max: Duration::from_secs(10),
            pause: Arc::new(RealPause),
        }
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("attempts_max", &self.attempts_max)
            .field("delay_first", &self.delay_first)
            .field("delay_max", &self.delay_max)
            .finish_non_exhaustive()
    }
}

impl RetryPolicy {
    /// Returns a policy that never repeats.
    pub fn never() -> Self {
        Self {
            attempts_max: 1,
            ..Self::default()
        }
    }

    /// Returns the pause after failed attempt number `attempt` (from 1), or `None` to give up.
    /// Half of the pause is fixed, half is chance.
    pub(crate) fn delay(&self, attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempt >= self.attempts_max {
            return None;
        }
        if let Some(wanted) = retry_after {
            return (wanted <= RETRY_AFTER_MAX).then_some(wanted);
        }
        let doublings = attempt.saturating_sub(1).min(20);
        let ceiling = self
            .delay_first
            .saturating_mul(1 << doublings)
            .min(self.delay_max);
        Some(ceiling.mul_f64(0.5 + 0.5 * self.pause.jitter().clamp(0.0, 1.0)))
    }
}

/// Says whether the same request may succeed later.
pub(crate) fn is_retryable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// Reads how long a server wants to be left alone: seconds, or a date, which is compared with the
/// server's own clock.
///
/// Source: RFC 9110 section 10.2.3.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| rfc2822::parse(text).ok();
    let now = date(headers.get(DATE)?.to_str().ok()?)?;
    Some(
        now.duration_until(&date(value)?)
            .try_into()
            .unwrap_or(Duration::ZERO),
    )
}

struct RealPause;

impl Pause for RealPause {
    fn jitter(&self) -> f64 {
        // A hasher is seeded at random; that is all the chance that is needed here.
        let bits = RandomState::new().hash_one(0) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }

    fn wait(&self, duration: Duration, context: &ReadContext) -> io::Result<()> {
        // The sleep is made inside, where there is a runtime to make it on.
        block_on(context, async { tokio::time::sleep(duration).await })
    }
}

/// Notes pauses instead of making them.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct NotedPauses(pub(crate) std::sync::Mutex<Vec<Duration>>);

#[cfg(test)]
impl Pause for NotedPauses {
    fn jitter(&self) -> f64 {
        1.0
    }

    fn wait(&self, duration: Duration, context: &ReadContext) -> io::Result<()> {
        self.0.lock().unwrap().push(duration);
        context.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(f64);

    impl Pause for Fixed {
        fn jitter(&self) -> f64 {
            self.0
        }

        fn wait(&self, _: Duration, _: &ReadContext) -> io::Result<()> {
            Ok(())
        }
    }

    #[track_caller]
    fn check(jitter: f64, attempt: u32, retry_after_s: Option<u64>, expected_ms: Option<u64>) {
        let policy = RetryPolicy {
            attempts_max: 10,
            delay_first: Duration::from_millis(500),
            delay_max: Duration::from_secs(10),
            pause: Arc::new(Fixed(jitter)),
        };
        let delay = policy.delay(attempt, retry_after_s.map(Duration::from_secs));
        assert_eq!(delay, expected_ms.map(Duration::from_millis));
    }

    #[test]
    fn pauses_double_up_to_a_cap_and_obey_the_server() {
        check(1.0, 1, None, Some(500));
        check(0.0, 1, None, Some(250));
        check(1.0, 3, None, Some(2_000));
        check(1.0, 9, None, Some(10_000));
        check(1.0, 10, None, None);
        check(1.0, 1, Some(7), Some(7_000));
        check(1.0, 1, Some(0), Some(0));
        check(1.0, 1, Some(61), None);
        assert_eq!(RetryPolicy::never().delay(1, None), None);
    }

    #[test]
    fn chance_stays_in_its_bounds() {
        for _ in 0..100 {
            assert!((0.0..1.0).contains(&RealPause.jitter()));
        }
    }

    #[track_caller]
    fn check_header(retry_after_text: &str, date: Option<&str>, expected_s: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_text.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        assert_eq!(retry_after(&headers), expected_s.map(Duration::from_secs));
    }

    #[test]
    fn both_forms_of_the_header_are_read() {
        let now = Some("Wed, 21 Oct 2026 07:28:00 GMT");
        check_header("120", None, Some(120));
        check_header("Wed, 21 Oct 2026 07:28:30 GMT", now, Some(30));
        check_header("Wed, 21 Oct 2026 07:27:30 GMT", now, Some(0));
        check_header("Wed, 21 Oct 2026 07:28:30 GMT", None, None);
        check_header("soon", now, None);
        check_header("-1", now, None);
    }
}
