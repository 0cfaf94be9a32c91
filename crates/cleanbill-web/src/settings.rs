//! What the server is told when it starts.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::live::Live;

/// Says what is served, and how.
pub struct MetricsSettings {
    /// Where the state lies. It is read through a connection of its own; open it as its owner
    /// first.
    pub state_directory: PathBuf,
    /// Where the layer cache lies, to show its size; `None` shows none.
    pub cache_directory: Option<PathBuf>,
    /// What only the running process knows.
    pub live: Arc<Live>,
    /// Tells the time in Unix milliseconds.
    pub clock: Box<dyn Fn() -> i64 + Send + Sync>,
    /// Who asks for `/metrics` must show it (`Authorization: Bearer …`); `None` or empty lets
    /// everybody.
    pub token: Option<String>,
    /// Images that have series of their own; 0 is none.
    pub image_series_max: usize,
    /// What a client can use up.
    pub bounds: ServerBounds,
}

impl MetricsSettings {
    /// Makes settings with the defaults: no token, no series of single images.
    pub fn new(
        state_directory: PathBuf,
        live: Arc<Live>,
        clock: Box<dyn Fn() -> i64 + Send + Sync>,
    ) -> Self {
        Self {
            state_directory,
            cache_directory: None,
            live,
            clock,
            token: None,
            image_series_max: 0,
            bounds: ServerBounds::default(),
        }
    }
}

impl fmt::Debug for MetricsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsSettings")
            .field("state_directory", &self.state_directory)
            .field("cache_directory", &self.cache_directory)
            .field("has_token", &self.token.is_some())
            .field("image_series_max", &self.image_series_max)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

/// Says how long things may take before all is no longer well. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long the loop may be silent. While it looks at one image it is.
    pub silence_ms_max: i64,
    /// How long after the end of a pass the next one ends at the latest: twice the interval.
    pub pass_gap_ms_max: i64,
    /// How old the advisory database may be.
    pub database_age_ms_max: i64,
    /// How long a message may be on its way.
    pub pending_age_ms_max: i64,
    /// How long it counts that a message was given up.
    pub dead_age_ms_max: i64,
}

const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Default for Limits {
    /// A quarter of an hour for the loop (the largest images take minutes without a cache), two
    /// days for a pass (twice the default interval), three days for the database (it is built
    /// anew every six hours), two hours for a message (beyond the hour of the rate limit), a day
    /// for one that was given up.
    fn default() -> Self {
        Self {
            silence_ms_max: 15 * MINUTE_MS,
            pass_gap_ms_max: 2 * DAY_MS,
            database_age_ms_max: 3 * DAY_MS,
            pending_age_ms_max: 2 * HOUR_MS,
            dead_age_ms_max: DAY_MS,
        }
    }
}

/// Bounds what clients can use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerBounds {
    /// Connections that are served at a time; more wait to be accepted.
    pub connections_max: usize,
    /// How long a client may take for the head of its request.
    pub head_timeout: Duration,
    /// How long a connection lasts at most, the reading of the answer included.
    pub connection_timeout: Duration,
}

impl Default for ServerBounds {
    /// 64 connections, because a few scrapers and health checks never need more and each costs
    /// some 30 KB; 5 s and 15 s, because scrapers give up after 10 s.
    fn default() -> Self {
        Self {
            connections_max: 64,
            head_timeout: Duration::from_secs(5),
            connection_timeout: Duration::from_secs(15),
        }
    }
}
