//! Reads the store when somebody asks.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cleanbill_store::state::{ActivityMark, ImageRow, StateReader, StatusSummary};
use cleanbill_store::{LayerCache, StoreError};

use crate::health::{Books, all_well_at, is_alive, readiness};
use crate::metrics::{self, DURATION_BOUNDS_MS, Moment, Totals};
use crate::settings::MetricsSettings;

/// What was read is not read again before this: many who ask at once cost one reading.
const REUSE_MS: i64 = 1_000;

/// Is what the store said at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) summary: StatusSummary,
    /// Empty unless images have series of their own.
    pub(crate) images: Vec<ImageRow>,
    pub(crate) pass_succeeded_at: Option<i64>,
    pub(crate) message_dead_at: Option<i64>,
}

/// Answers what is asked, over HTTP or by whoever pushes it.
#[derive(Debug)]
pub struct Scraper {
    settings: MetricsSettings,
    store: Mutex<Store>,
}

/// Is the connection to the store with what was read through it.
#[derive(Debug, Default)]
struct Store {
    reader: Option<StateReader>,
    mark: Option<ActivityMark>,
    totals: Totals,
    snapshot: Option<Snapshot>,
    asked_at: Option<i64>,
    readable_at: i64,
    /// The last failure was told already.
    is_failure_told: bool,
}

impl Scraper {
    /// Makes one, and begins to count.
    pub fn new(settings: MetricsSettings) -> Self {
        let now = (settings.clock)();
        let scraper = Self {
            settings,
            store: Mutex::new(Store {
                readable_at: now,
                ..Store::default()
            }),
        };
        drop(scraper.store_at(now));
        scraper
    }

    /// Returns the metrics, in Prometheus's text format 0.0.4.
    pub fn metrics(&self) -> String {
        let now = (self.settings.clock)();
        let facts = self.settings.live.now();
        let store = self.store_at(now);
        let snapshot = store.snapshot.as_ref();
        let summary = snapshot.map(|snapshot| &snapshot.summary);
        let finished = summary.and_then(|summary| summary.last_finished_pass.as_ref());
        let books = Books {
            readable_at: store.readable_at,
            pass_finished_at: finished.and_then(|pass| pass.finished_at),
            oldest_pending_at: summary.and_then(|summary| summary.oldest_pending_at),
            message_dead_at: snapshot.and_then(|snapshot| snapshot.message_dead_at),
        };
        metrics::text(&Moment {
            now,
            all_well_at: all_well_at(now, &facts, &books, &facts.limits),
            facts: &facts,
            snapshot,
            totals: &store.totals,
            cache_size_bytes: self
                .settings
                .cache_directory
                .as_deref()
                .and_then(LayerCache::size_bytes_in),
            image_series_max: self.settings.image_series_max,
        })
    }

    /// Returns the metrics as they are now, however lately somebody asked: for whoever knows that
    /// something has just changed.
    pub fn metrics_now(&self) -> String {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.asked_at = None;
        drop(store);
        self.metrics()
    }

    /// Says what is ready, each part in a word.
    pub(crate) fn readiness(&self) -> [(&'static str, bool); 4] {
        let facts = self.settings.live.now();
        let store = self.store_at((self.settings.clock)());
        readiness(&facts, store.snapshot.as_ref().map(|one| &one.summary))
    }

    /// Says whether the loop turns. Asks no file: a disk that hangs shows elsewhere.
    pub(crate) fn is_alive(&self) -> bool {
        let now = (self.settings.clock)();
        let facts = self.settings.live.now();
        is_alive(now, &facts, &facts.limits)
    }

    /// Returns the store as it is now, or was a moment ago.
    fn store_at(&self, now: i64) -> MutexGuard<'_, Store> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = store
            .asked_at
            .is_some_and(|asked_at| (0..REUSE_MS).contains(&now.saturating_sub(asked_at)));
        if !is_fresh {
            store.asked_at = Some(now);
            match store.read(&self.settings) {
                Ok(snapshot) => {
                    store.snapshot = Some(snapshot);
                    store.readable_at = now;
                    store.is_failure_told = false;
                }
                Err(error) => store.fail(&error),
            }
        }
        store
    }
}

impl Store {
    fn read(&mut self, settings: &MetricsSettings) -> Result<Snapshot, StoreError> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => StateReader::open(&settings.state_directory)?,
        };
        let mark = match self.mark {
            Some(mark) => mark,
            None => reader.activity_mark()?,
        };
        let activity = reader.activity_since(&mark, DURATION_BOUNDS_MS)?;
        let images = if settings.image_series_max > 0 {
            reader.image_list()?
        } else {
            Vec::new()
        };
        let snapshot = Snapshot {
            summary: reader.status_summary()?,
            images,
            pass_succeeded_at: activity.pass_succeeded_at,
            message_dead_at: activity.message_dead_at,
        };
        // Only now: what was read in vain is counted the next time.
        self.mark = Some(activity.mark);
        self.totals.add(activity);
        self.reader = Some(reader);
        Ok(snapshot)
    }

    /// Forgets what is not true any more. The connection is opened anew the next time.
    fn fail(&mut self, error: &StoreError) {
        self.snapshot = None;
        if !self.is_failure_told {
            let text = cleanbill_core::error_chain(error);
            tracing::warn!("metrics lack what the state holds: {text}");
            self.is_failure_told = true;
        }
    }
}

#[cfg(test)]
mod tests;
