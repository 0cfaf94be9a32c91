//! Everything that goes on at the same time while images are watched.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use cleanbill_monitor::{Channels, Event, Host as _, HostError, Monitor, Wakes};
use cleanbill_store::state::StateStore;
use cleanbill_web::Live;

use super::delivering::Lane;
use super::host::EngineHost;
use super::{Ended, delivery, now, reload};
use crate::commands::Setting;
use crate::exit::Exit;
use crate::settings::Reloader;
use crate::{service_manager, stop};

/// The pause before events are followed again, when the connection was lost.
const RECONNECT_FIRST: Duration = Duration::from_secs(1);
/// It doubles with each failure, up to this.
const RECONNECT_MAX: Duration = Duration::from_secs(60);
/// How often a thread that waits for the engine looks whether it is over.
const STOP_POLL: Duration = Duration::from_millis(100);
/// How long deliveries that are under way may take to end.
const FINISH_MAX: Duration = Duration::from_secs(3);
/// How often it is looked whether a file of settings is another.
const SETTINGS_POLL: Duration = Duration::from_secs(60);
/// How often it is looked whether a look gets further. A signal ends the sleep.
const PROGRESS_POLL: Duration = Duration::from_secs(5);

/// Everything that goes on at the same time.
pub(super) struct Watching<'a> {
    pub(super) setting: &'a Setting,
    pub(super) host: &'a EngineHost<'a>,
    pub(super) store: &'a StateStore,
    pub(super) channels: &'a Channels,
    pub(super) live: &'a Live,
    pub(super) wakes: &'a Wakes,
    /// Set when every thread is to end.
    pub(super) is_over: Arc<AtomicBool>,
    /// Set when deliveries that are under way are to end.
    pub(super) cut_off: Arc<AtomicBool>,
}

impl Watching<'_> {
    /// Watches until a signal comes or the settings are others.
    pub(super) fn run(
        &self,
        mut monitor: Monitor<'_>,
        lanes: Vec<Lane<'_>>,
        reloader: &mut Reloader,
    ) -> Ended {
        std::thread::scope(|scope| {
            scope.spawn(|| self.follow());
            let deliver = |lane: Lane<'_>| {
                let delivery = delivery(self.store, self.channels);
                lane.run(&delivery, &|| self.is_over());
            };
            let workers: Vec<_> = lanes
                .into_iter()
                .map(|lane| scope.spawn(move || deliver(lane)))
                .collect();
            let end = scope.spawn(|| self.wait_for_the_end(reloader));
            tracing::info!("watching {}", self.host.place());
            service_manager::ready();
            monitor.run();
            drop(monitor);
            self.end_deliveries(&workers);
            end.join().unwrap_or(Ended::With(Exit::Clean))
        })
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Waits for a signal or other settings, and tells everybody.
    fn wait_for_the_end(&self, reloader: &mut Reloader) -> Ended {
        let mut looked = Instant::now();
        let mut progress = 0;
        let ended = loop {
            self.note_progress(&mut progress);
            if stop::is_requested() {
                service_manager::stopping();
                break Ended::With(Exit::Clean);
            }
            let is_wanted = stop::take_hangup();
            if is_wanted || looked.elapsed() >= SETTINGS_POLL {
                looked = Instant::now();
                let is_due = is_wanted || reloader.has_changed_files();
                if is_due && reload::takes_other_settings(self.setting, self.store, reloader) {
                    break Ended::ForReload;
                }
                if is_wanted || self.host.has_other_database() {
                    self.wakes.wake(Event::RefreshWanted);
                }
            }
            stop::await_signal(PROGRESS_POLL);
        };
        // First the monitor is told, so that it does not take what is cut short for a failure.
        self.wakes.wake(Event::Stop);
        self.is_over.store(true, Ordering::Relaxed);
        ended
    }

    /// A look that takes long is alive for as long as it gets further.
    fn note_progress(&self, before: &mut u64) {
        let progress = self.host.progress();
        if progress != *before {
            *before = progress;
            self.live.tick(now());
        }
    }

    /// Follows the engine's events; whenever it begins to, the monitor compares the lists.
    fn follow(&self) {
        let mut pause = RECONNECT_FIRST;
        while !self.is_over() {
            let mut is_connected = false;
            // First it is told that whatever happens will be told: what was missed shows in the list.
            let mut happened = || {
                if !std::mem::replace(&mut is_connected, true) {
                    self.live.events_connected();
                }
                self.wakes.wake(Event::HostChanged);
            };
            let outcome = self.host.follow(&mut happened);
            if is_connected {
                pause = RECONNECT_FIRST;
            }
            match outcome {
                // One that ends it at once must not be asked without a pause.
                Ok(()) => self.sleep(RECONNECT_FIRST),
                Err(error) if self.is_over() => tracing::debug!("{error}"),
                Err(error) => {
                    self.live.events_lost(now());
                    self.tell_lost(&error, pause);
                    self.sleep(pause);
                    pause = (pause * 2).min(RECONNECT_MAX);
                    // There are places that tell of nothing: the list shows it.
                    self.wakes.wake(Event::HostChanged);
                }
            }
        }
    }

    /// Says that events do not arrive. Of an engine that answers nothing at all the monitor says it,
    /// once for each attempt.
    fn tell_lost(&self, error: &HostError, pause: Duration) {
        let text = "cannot follow what happens";
        let seconds = pause.as_secs();
        if self.live.does_engine_answer() {
            tracing::warn!("{text}: {error}; trying again in {seconds} s");
        } else {
            tracing::debug!("{text}: {error}; trying again in {seconds} s");
        }
    }

    fn sleep(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.is_over() && Instant::now() < until {
            std::thread::sleep(STOP_POLL);
        }
    }

    /// Gives deliveries that are under way a while to end, and cuts off the others: a service that
    /// does not answer must not keep other settings from taking effect. What was cut off is sent
    /// again.
    fn end_deliveries(&self, workers: &[ScopedJoinHandle<'_, ()>]) {
        let until = Instant::now() + FINISH_MAX;
        while Instant::now() < until && !workers.iter().all(ScopedJoinHandle::is_finished) {
            std::thread::sleep(STOP_POLL);
        }
        self.cut_off.store(true, Ordering::Relaxed);
    }
}
