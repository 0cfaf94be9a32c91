//! `--retries`: what failed because of the network or an engine is tried again.

use std::time::Duration;

use crate::cli::RetryArgs;
use crate::error::{CommandError, printable};
use crate::stop;

/// The pause before the first retry, unless the flags name one.
const DELAY_FIRST: Duration = Duration::from_secs(2);

/// The longest pause.
const DELAY_MAX: Duration = Duration::from_secs(60);

/// Says how often is tried again, and after how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retries {
    retries: u32,
    delay_first: Duration,
}

impl Retries {
    pub(super) fn new(arguments: &RetryArgs) -> Self {
        Self {
            retries: arguments.retries,
            delay_first: arguments.retry_delay.unwrap_or(DELAY_FIRST),
        }
    }

    /// Logs an attempt that failed, counted from 1, and waits for the next. Returns whether there
    /// is one.
    pub(super) fn wait(&self, what: &str, attempt: u32, reason: &str) -> bool {
        if self.retries == 0 {
            return false;
        }
        let (what, reason) = (printable(what), printable(reason));
        let attempts = self.retries + 1;
        let failed = format!("{what}: attempt {attempt} of {attempts} failed: {reason}");
        if attempt >= attempts {
            tracing::warn!("{failed}");
            return false;
        }
        let pause = self.pause(attempt);
        tracing::warn!("{failed}; trying again in {} s", pause.as_secs_f64());
        stop::sleep(pause)
    }

    /// Says of an attempt that failed that trying again cannot help.
    pub(super) fn give_up(&self, what: &str, attempt: u32) {
        if self.retries > 0 {
            tracing::debug!("{}: attempt {attempt} failed for good", printable(what));
        }
    }

    /// Runs something until it succeeds, or fails for good.
    ///
    /// # Errors
    ///
    /// That of the last attempt.
    pub(super) fn run<T>(
        &self,
        what: &str,
        mut work: impl FnMut() -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let mut attempt = 1;
        loop {
            let error = match work() {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if !error.is_temporary() {
                self.give_up(what, attempt);
                return Err(error);
            }
            if !self.wait(what, attempt, &error.one_line()) {
                return Err(error);
            }
            attempt += 1;
        }
    }

    fn pause(&self, attempt: u32) -> Duration {
        let factor = 1_u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.delay_first.saturating_mul(factor).min(DELAY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let retries = Retries::new(&RetryArgs {
            retries: 20,
            retry_delay: None,
        });
        let seconds: Vec<u64> = (1..9)
            .map(|attempt| retries.pause(attempt).as_secs())
            .collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(retries.pause(u32::MAX), DELAY_MAX);
    }
}
