//! When a delivery that failed is tried again.

use std::time::Duration;

use super::channel::DeliveryError;

/// Says how often and how patiently deliveries are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedeliveryPolicy {
    /// Attempts in all, the first included.
    pub attempts_max: u32,
    /// The longest pause before the second attempt; it doubles with each further one.
    pub delay_first: Duration,
    /// The longest pause of all.
    pub delay_max: Duration,
    /// A service that wants to be left alone for longer is asked again after this time all the
    /// same.
    pub retry_after_max: Duration,
}

impl Default for RedeliveryPolicy {
    /// The pauses sum up to between two and four days: a mail server that is down from Friday
    /// evening to Monday morning loses nothing.
    fn default() -> Self {
        Self {
            attempts_max: 32,
            delay_first: Duration::from_secs(10),
            delay_max: Duration::from_secs(4 * 3_600),
            retry_after_max: Duration::from_secs(24 * 3_600),
        }
    }
}

/// Says what to do after a delivery failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redelivery {
    /// Try again after this time.
    After(Duration),
    /// Give up: it is a dead letter, which a person may send again.
    Dead,
}

impl RedeliveryPolicy {
    /// Decides after failed attempt number `attempt` (from 1). `jitter`, at least 0 and at most 1,
    /// spreads the attempts of many hosts: half of the pause is fixed, half is chance.
    pub fn decide(&self, attempt: u32, error: &DeliveryError, jitter: f64) -> Redelivery {
        if error.is_permanent || attempt >= self.attempts_max {
            return Redelivery::Dead;
        }
        let doublings = attempt.saturating_sub(1).min(20);
        let ceiling = self
            .delay_first
            .saturating_mul(1 << doublings)
            .min(self.delay_max);
        let jitter = if jitter.is_finite() {
            jitter.clamp(0.0, 1.0)
        } else {
            1.0
        };
        let pause = ceiling.mul_f64(0.5 + 0.5 * jitter);
        let wanted = error.retry_after.unwrap_or_default();
        Redelivery::After(pause.max(wanted.min(self.retry_after_max)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(is_permanent: bool, retry_after_s: Option<u64>) -> DeliveryError {
        DeliveryError {
            is_permanent,
            retry_after: retry_after_s.map(Duration::from_secs),
            text: String::new(),
        }
    }

    #[track_caller]
    fn check(attempt: u32, error: &DeliveryError, jitter: f64, expected_s: Option<u64>) {
        let expected = expected_s.map_or(Redelivery::Dead, |seconds| {
            Redelivery::After(Duration::from_secs(seconds))
        });
        let policy = RedeliveryPolicy::default();
        assert_eq!(policy.decide(attempt, error, jitter), expected);
    }

    #[test]
    fn pauses_double_up_to_a_cap_and_obey_the_service() {
        let temporary = error(false, None);
        check(1, &temporary, 1.0, Some(10));
        check(1, &temporary, 0.0, Some(5));
        check(3, &temporary, 1.0, Some(40));
        check(31, &temporary, 1.0, Some(4 * 3_600));
        check(32, &temporary, 1.0, None);
        check(1, &temporary, f64::NAN, Some(10));
        check(1, &error(false, Some(120)), 1.0, Some(120));
        check(1, &error(false, Some(1)), 1.0, Some(10));
        check(1, &error(false, Some(u64::MAX)), 1.0, Some(24 * 3_600));
        check(1, &error(true, None), 1.0, None);
    }

    #[test]
    fn a_weekend_without_a_server_is_survived() {
        let policy = RedeliveryPolicy::default();
        let total: Duration = (1..policy.attempts_max)
            .map(
                |attempt| match policy.decide(attempt, &error(false, None), 0.0) {
                    Redelivery::After(pause) => pause,
                    Redelivery::Dead => Duration::ZERO,
                },
            )
            .sum();
        assert!(total > Duration::from_secs(36 * 3_600), "{total:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn pauses_are_bounded_and_wait_as_asked(
            attempt in 1..40_u32,
            wanted_s in proptest::option::of(0..200_000_u64),
            jitter in 0.0..1.0_f64,
        ) {
            let policy = RedeliveryPolicy::default();
            match policy.decide(attempt, &error(false, wanted_s), jitter) {
                Redelivery::Dead => prop_assert!(attempt >= policy.attempts_max),
                Redelivery::After(pause) => {
                    prop_assert!(pause >= Duration::from_secs(5) && pause <= policy.retry_after_max);
                    let wanted = Duration::from_secs(wanted_s.unwrap_or(0));
                    prop_assert!(pause >= wanted.min(policy.retry_after_max));
                }
            }
        }
    }
}
