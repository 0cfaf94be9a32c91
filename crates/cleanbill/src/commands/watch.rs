//! `cleanbill watch`: looks at the images of a host and tells what changed.

mod arguments;
mod host;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use cleanbill_core::change::ImageState;
use cleanbill_core::error_chain;
use cleanbill_core::report::{ImageReport, ResultSet, ScanReport};
use cleanbill_core::vulnerability::{Finding, KnownExploited};
use cleanbill_monitor::notify::RedeliveryPolicy;
use cleanbill_monitor::{
    Channels, Clock, Delivery, Event, Host as _, Monitor, MonitorError, MonitorObserver, Parts,
    PassOutcome,
};
use cleanbill_policy::Gate;
use cleanbill_store::state::{Opened, StateStore};
use cleanbill_web::{Limits, Live, MetricsServer, MetricsSettings};
use jiff::Timestamp;

use super::Setting;
use super::config;
use crate::channels;
use crate::cli::WatchArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::{Loader, Reloader, Schedule, WatchSettings};
use crate::{service_manager, stop};
use host::EngineHost;

/// The pause before events are followed again, when the connection was lost.
const RECONNECT_FIRST: Duration = Duration::from_secs(1);
/// It doubles with each failure, up to this.
const RECONNECT_MAX: Duration = Duration::from_secs(60);
/// How often a sleeping thread looks whether it is over.
const STOP_POLL: Duration = Duration::from_millis(100);
/// The longest sleep of who delivers: a clock that was set is noticed.
const DELIVERY_POLL: Duration = Duration::from_secs(60);

/// How often it is looked whether a file of settings is another.
const SETTINGS_POLL: Duration = Duration::from_secs(60);

/// The shortest time that a pass is given before its absence counts.
const HOUR_MS: i64 = 60 * 60 * 1000;

/// Says how a stretch of watching ended.
enum Ended {
    /// It is over.
    With(Exit),
    /// There are other settings.
    ForReload,
}

pub(crate) fn run(setting: &mut Setting, arguments: WatchArgs) -> Result<Exit, CommandError> {
    let loader = Loader::new(arguments.call, setting.environment.clone());
    let mut reloader = Reloader::new(loader).map_err(config::wrong)?;
    for warning in &reloader.current().warnings {
        tracing::warn!("{warning}");
    }
    loop {
        if let Ended::With(exit) = run_with(setting, &mut reloader)? {
            return Ok(exit);
        }
    }
}

/// Watches with the settings that are in force, until others are.
fn run_with(setting: &mut Setting, reloader: &mut Reloader) -> Result<Ended, CommandError> {
    let settings = reloader.current().settings.clone();
    setting.global.cache_dir = Some(settings.cache_directory.clone());
    let channels = channels::open(&settings, &setting.environment)?;
    if channels.is_empty() {
        tracing::warn!(
            "no channel is configured: what changes is written to the logs and the state only; \
             see docs/notifications.md"
        );
    }
    let store = open_state(&settings)?;
    let scan_arguments = arguments::scan_arguments(&settings);
    let monitor_settings = arguments::monitor_settings(&settings)?;
    let is_over = if settings.schedule.once {
        stop::flag()
    } else {
        Arc::default()
    };
    let host = EngineHost::new(setting, &settings, &scan_arguments, Arc::clone(&is_over))?;
    if settings.schedule.once {
        host.open_database()?;
    }
    let observer = Observer(Arc::new(Live::new(now())));
    observer.0.channels(channels.keys().cloned());
    let (wake, events) = channel();
    let (ready, messages) = channel();
    let parts = Parts {
        host: &host,
        store: &store,
        clock: &SystemClock,
        channels: &channels,
        events: &events,
        observer: &observer,
        // Nobody listens any more only at the end, when the next start sends what is left.
        messages_ready: Box::new(move || {
            let _ = ready.send(());
        }),
    };
    let monitor = Monitor::new(parts, monitor_settings);
    if settings.schedule.once {
        let exit = once(monitor, &store, &channels)?;
        let exit = exit.and(gate(&settings, &store)?).and(host.age_verdict());
        return Ok(Ended::With(exit));
    }
    stop::be_a_daemon();
    let _server = serve(&settings, &observer.0)?;
    let watching = Watching {
        host: &host,
        store: &store,
        channels: &channels,
        live: &observer.0,
        wake,
        is_over,
    };
    Ok(watching.run(monitor, messages, reloader))
}

/// Runs one pass, and delivers what it has to say.
fn once(
    mut monitor: Monitor<'_>,
    store: &StateStore,
    channels: &Channels,
) -> Result<Exit, CommandError> {
    let outcome = monitor.run_once().map_err(|error| match error {
        MonitorError::Host { .. } => {
            CommandError::with_exit(Exit::Incomplete, error).hint("check it with: cleanbill doctor")
        }
        MonitorError::Store(_) => CommandError::usage(error),
    })?;
    if stop::is_requested() {
        return Err(stop::error());
    }
    let delivery = delivery(store, channels);
    if let Err(error) = delivery.deliver_due(&stop::is_requested) {
        return Err(CommandError::usage(error));
    }
    let PassOutcome {
        images, incomplete, ..
    } = outcome;
    tracing::info!(images, incomplete, "one pass is over");
    Ok(if incomplete == 0 {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

/// Judges what is known now by the thresholds of the settings.
fn gate(settings: &WatchSettings, store: &StateStore) -> Result<Exit, CommandError> {
    let Some(thresholds) = &settings.schedule.fail_on else {
        return Ok(Exit::Clean);
    };
    let gate = Gate {
        thresholds: Some(thresholds.parse().map_err(CommandError::usage)?),
        ..Gate::default()
    };
    let mut report = ScanReport::default();
    for row in store.read().image_list().map_err(CommandError::usage)? {
        let state = store.read().image_state(&row.name);
        if let Some(state) = state.map_err(CommandError::usage)?
            && row.gone_at.is_none()
        {
            report.images.push(counted(&state, settings));
        }
    }
    let verdict = gate.verdict(&report);
    for reason in &verdict.reasons {
        tracing::error!("gate failed: {reason}");
    }
    Ok(if verdict.failed {
        Exit::GateFailed(verdict.exit_code)
    } else {
        Exit::Clean
    })
}

/// Returns as much of a report as thresholds look at.
fn counted(state: &ImageState, settings: &WatchSettings) -> ImageReport {
    let findings = state
        .findings
        .iter()
        .filter(|finding| finding.counts() && settings.scan.severities.contains(&finding.severity));
    let findings = findings.map(|finding| Finding {
        vulnerability_id: finding.key.vulnerability_id.clone(),
        severity: finding.severity,
        known_exploited: finding.is_known_exploited.then(KnownExploited::default),
        ..Finding::default()
    });
    ImageReport {
        artifact_name: state.name.clone(),
        results: vec![ResultSet {
            findings: findings.collect(),
            ..ResultSet::default()
        }],
        ..ImageReport::default()
    }
}

/// Everything that goes on at the same time.
struct Watching<'a> {
    host: &'a EngineHost<'a>,
    store: &'a StateStore,
    channels: &'a Channels,
    live: &'a Live,
    wake: Sender<Event>,
    /// Set when every thread is to end.
    is_over: Arc<AtomicBool>,
}

impl Watching<'_> {
    /// Watches until a signal comes or the settings are others.
    fn run(
        &self,
        mut monitor: Monitor<'_>,
        messages: Receiver<()>,
        reloader: &mut Reloader,
    ) -> Ended {
        std::thread::scope(|scope| {
            scope.spawn(|| self.follow());
            scope.spawn(move || self.deliver(&messages));
            let end = scope.spawn(|| self.wait_for_the_end(reloader));
            tracing::info!("watching {}", self.host.place());
            service_manager::ready();
            monitor.run();
            drop(monitor);
            end.join().unwrap_or(Ended::With(Exit::Clean))
        })
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Waits for a signal or other settings, and tells everybody.
    fn wait_for_the_end(&self, reloader: &mut Reloader) -> Ended {
        let mut looked = Instant::now();
        let ended = loop {
            if stop::is_requested() {
                service_manager::stopping();
                break Ended::With(Exit::Clean);
            }
            let is_wanted = stop::take_hangup();
            if is_wanted || looked.elapsed() >= SETTINGS_POLL {
                looked = Instant::now();
                if (is_wanted || reloader.has_changed_files()) && has_other_settings(reloader) {
                    break Ended::ForReload;
                }
            }
            std::thread::sleep(STOP_POLL);
        };
        // First the monitor is told, so that it does not take what is cut short for a failure.
        let _ = self.wake.send(Event::Stop);
        self.is_over.store(true, Ordering::Relaxed);
        ended
    }

    /// Follows the engine's events; after a loss, tells the monitor to compare the lists.
    fn follow(&self) {
        let mut pause = RECONNECT_FIRST;
        while !self.is_over() {
            self.live.events_connected();
            let mut happened = || {
                // The monitor may have ended by itself.
                let _ = self.wake.send(Event::HostChanged);
            };
            match self.host.follow(&mut happened) {
                Ok(()) => pause = RECONNECT_FIRST,
                Err(error) if self.is_over() => tracing::debug!("{error}"),
                Err(error) => {
                    self.live.events_lost(now());
                    tracing::warn!(
                        "cannot follow what happens: {error}; trying again in {} s",
                        pause.as_secs()
                    );
                    self.sleep(pause);
                    pause = (pause * 2).min(RECONNECT_MAX);
                }
            }
            // Whatever was missed shows in the list.
            let _ = self.wake.send(Event::HostChanged);
        }
    }

    fn sleep(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.is_over() && Instant::now() < until {
            std::thread::sleep(STOP_POLL);
        }
    }

    /// Delivers messages when there are some, and when it is time to try again.
    fn deliver(&self, messages: &Receiver<()>) {
        let delivery = delivery(self.store, self.channels);
        while !self.is_over() {
            let wait = match delivery.deliver_due(&|| self.is_over()) {
                Ok(_) => delivery
                    .next_in()
                    .ok()
                    .flatten()
                    .unwrap_or(DELIVERY_POLL)
                    .max(STOP_POLL),
                Err(error) => {
                    tracing::error!("{}", error_chain(&error));
                    DELIVERY_POLL
                }
            };
            let until = Instant::now() + wait.min(DELIVERY_POLL);
            loop {
                let left = until.saturating_duration_since(Instant::now());
                match messages.recv_timeout(left.min(STOP_POLL)) {
                    Ok(()) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) if left.is_zero() || self.is_over() => break,
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
        }
    }
}

/// Loads the settings again and says what is different. What is wrong is said, and the settings
/// stay.
fn has_other_settings(reloader: &mut Reloader) -> bool {
    match reloader.reload() {
        Ok(changes) => {
            for change in &changes {
                tracing::info!(
                    from = change.from,
                    to = change.to,
                    "setting {} changed{}",
                    change.key,
                    if change.needs_restart {
                        "; it takes effect when watch is started again"
                    } else {
                        ""
                    }
                );
            }
            !changes.is_empty()
        }
        Err(error) => {
            tracing::error!("the new settings are wrong, the old ones stay: {error}");
            false
        }
    }
}

fn delivery<'a>(store: &'a StateStore, channels: &'a Channels) -> Delivery<'a> {
    Delivery {
        store,
        channels,
        policy: RedeliveryPolicy::default(),
        clock: &SystemClock,
    }
}

/// Opens the state and says what had to be done for it.
fn open_state(settings: &WatchSettings) -> Result<StateStore, CommandError> {
    let now = Timestamp::now().as_millisecond();
    let (store, opened) =
        StateStore::open(&settings.state_directory, now).map_err(CommandError::usage)?;
    match opened {
        Opened::AsItWas { migrated_from } => {
            if let Some(schema) = migrated_from {
                tracing::info!(schema, "the state was brought up to date");
            }
        }
        Opened::Restored {
            set_aside,
            backup_made_at,
        } => tracing::error!(
            set_aside = ?set_aside,
            "the state was damaged; the backup of {} takes its place, and what happened since is \
             found and told again",
            Timestamp::from_millisecond(backup_made_at).unwrap_or(Timestamp::UNIX_EPOCH)
        ),
        Opened::Fresh { set_aside } => {
            if !set_aside.is_empty() {
                tracing::error!(
                    ?set_aside,
                    "the state and its backup were damaged and are set aside: everything counts \
                     as new"
                );
            }
        }
    }
    store.outbox_release().map_err(CommandError::usage)?;
    Ok(store)
}

/// Serves metrics and health, if the settings say where.
fn serve(
    settings: &WatchSettings,
    live: &Arc<Live>,
) -> Result<Option<MetricsServer>, CommandError> {
    let Some(address) = settings.metrics_listen else {
        return Ok(None);
    };
    let mut served = MetricsSettings::new(
        settings.state_directory.clone(),
        Arc::clone(live),
        Box::new(now),
    );
    served.cache_directory = Some(settings.cache_directory.clone());
    let token = settings.metrics_token.as_ref();
    served.token = token.map(|token| token.expose().to_owned());
    served.image_series_max = settings.metrics_images_max;
    served.limits = limits(settings);
    MetricsServer::bind(address, served)
        .map(Some)
        .map_err(|error| {
            CommandError::usage(error)
                .hint("choose another address with --metrics-listen, or off for none")
        })
}

/// Returns when something is not as it should be, for who wants to rely on silence.
fn limits(settings: &WatchSettings) -> Limits {
    let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let mut limits = Limits::default();
    if let Schedule::Every(pause) = settings.schedule.interval {
        // A pass over many images takes its time, however short the pause is.
        let pause = ms(pause.saturating_add(settings.schedule.jitter));
        limits.pass_gap_ms_max = pause.saturating_mul(2).max(HOUR_MS);
    }
    if let Some(age) = settings.database.age_max {
        limits.database_age_ms_max = ms(age);
    }
    limits
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Passes on how the monitor gets on.
struct Observer(Arc<Live>);

impl MonitorObserver for Observer {
    fn tick(&self, now: Timestamp) {
        self.0.tick(now.as_millisecond());
    }

    fn pass_begun(&self, now: Timestamp) {
        self.0.pass_begun(now.as_millisecond());
    }

    fn pass_ended(&self) {
        self.0.pass_ended();
    }

    fn pass_planned(&self, at: Timestamp) {
        self.0.pass_planned(Some(at.as_millisecond()));
    }

    fn database(&self, updated_at: Option<Timestamp>) {
        let updated_at = updated_at.map(Timestamp::as_millisecond);
        self.0.database(updated_at);
    }

    fn failed(&self) {
        self.0.loop_failed();
    }
}

/// The clock of this machine.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn chance(&self) -> f64 {
        let bytes = uuid::Uuid::now_v7().into_bytes();
        let random = bytes
            .iter()
            .skip(12)
            .fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
        f64::from(random) / f64::from(u32::MAX)
    }
}
