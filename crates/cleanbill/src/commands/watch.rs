//! `cleanbill watch`: looks at the images of a host and tells what changed.

mod address;
mod arguments;
mod delivering;
mod host;
mod last_deliveries;
mod pushing;
mod reload;
mod watching;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use cleanbill_core::change::ImageState;
use cleanbill_core::error_chain;
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_core::vulnerability::Finding;
use cleanbill_monitor::notes;
use cleanbill_monitor::notify::RedeliveryPolicy;
use cleanbill_monitor::{
    Channels, Clock, Delivery, Monitor, MonitorError, MonitorObserver, Parts, PassOutcome, Wakes,
};
use cleanbill_policy::Gate;
use cleanbill_store::state::{Opened, StateStore};
use cleanbill_web::{Limits, Live, MetricsServer, MetricsSettings};
use jiff::Timestamp;

use super::{Setting, config, print};
use crate::channels;
use crate::cli::WatchArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::{Loader, Reloader, Schedule, WatchSettings};
use crate::{memory, stop};
use address::AddressFile;
pub(super) use address::left_in as address_left_in;
use delivering::lanes;
use host::EngineHost;
use pushing::{News, Pusher, Target};
pub(super) use reload::check_addresses;
use watching::Watching;

/// The shortest time that a pass is given before its absence counts.
const HOUR_MS: i64 = 60 * 60 * 1000;

/// Says how a stretch of watching ended.
enum Ended {
    /// It is over.
    With(Exit),
    /// There are other settings.
    ForReload,
}

/// Lets a panic of any thread end the process. The others would go on, and look alive, without
/// what it did; who started the process starts it anew, and the state knows where it was.
fn end_with_any_thread() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        std::process::abort();
    }));
}

pub(crate) fn run(setting: &mut Setting, arguments: WatchArgs) -> Result<Exit, CommandError> {
    let loader = Loader::new(arguments.call, setting.environment.clone());
    let mut reloader = Reloader::new(loader).map_err(config::wrong)?;
    for warning in &reloader.current().warnings {
        tracing::warn!("{warning}");
    }
    let settings = reloader.current().settings.clone();
    setting.global.cache_dir = Some(settings.cache_directory.clone());
    reload::try_out(setting, &settings)?;
    let store = open_state(&settings)?;
    let live = Arc::new(Live::new(now()));
    let target = Target::of(setting, &settings)?;
    let pusher = target.map(|target| Pusher::new(target, served(&settings, &live)));
    if settings.schedule.once {
        let observer = Observer {
            live,
            pusher: None,
            prints_summary: !setting.global.quiet,
        };
        let exit = once(setting, &settings, &store, &observer);
        pusher.iter().for_each(Pusher::push);
        return exit;
    }
    end_with_any_thread();
    memory::share_between_threads();
    stop::be_a_daemon();
    let server = serve(&settings, &live)?;
    let observer = Observer {
        live,
        pusher: pusher.map(pushes),
        prints_summary: false,
    };
    let address = server.as_ref().map(MetricsServer::address);
    let _address_file = AddressFile::leave(&settings.state_directory, address);
    reload::note_refusal(&store, None);
    forget_engine(&store);
    loop {
        let settings = reloader.current().settings.clone();
        match watch(setting, &settings, &store, &observer, &mut reloader) {
            // Whatever the old settings needed is freed: who reloads often would never rest.
            Ok(Ended::ForReload) => memory::give_back(),
            Ok(Ended::With(exit)) => {
                forget_engine(&store);
                return Ok(exit);
            }
            // What could be used a moment ago cannot any more.
            Err(error) if reloader.go_back() => reload::refuse(&store, &error.one_line()),
            Err(error) => return Err(error),
        }
    }
}

/// Removes the note of an engine that does not answer: who is not watching does not know, and what
/// a process that was killed left says nothing about the next one.
fn forget_engine(store: &StateStore) {
    if let Err(error) = notes::set_engine_away(store, None) {
        tracing::warn!("{}", error_chain(&error));
    }
}

/// Watches with these settings, until it is over or there are others.
fn watch(
    setting: &Setting,
    settings: &WatchSettings,
    store: &StateStore,
    observer: &Observer,
    reloader: &mut Reloader,
) -> Result<Ended, CommandError> {
    let cut_off = Arc::default();
    let channels = open_channels(setting, settings, &cut_off)?;
    let scan_arguments = arguments::scan_arguments(settings);
    let monitor_settings = arguments::monitor_settings(settings, &setting.environment)?;
    let is_over = Arc::default();
    let host = EngineHost::new(setting, settings, &scan_arguments, Arc::clone(&is_over))?;
    observer.live.channels(channels.keys().cloned());
    observer.live.limits(limits(settings));
    if let Some(target) = Target::of(setting, settings)? {
        observer.tell_pusher(News::Target(target));
    }
    let wakes = Wakes::default();
    let (lanes, wakers) = lanes(&channels);
    let parts = Parts {
        host: &host,
        store,
        clock: &SystemClock,
        channels: &channels,
        wakes: &wakes,
        observer,
        // Who was woken and has not looked yet will see it. Nobody listens any more only at the end,
        // when the next start sends what is left.
        messages_ready: Box::new(move || {
            for waker in &wakers {
                let _ = waker.try_send(());
            }
        }),
    };
    let monitor = Monitor::new(parts, monitor_settings);
    let watching = Watching {
        setting,
        host: &host,
        store,
        channels: &channels,
        live: &observer.live,
        wakes: &wakes,
        is_over,
        cut_off,
    };
    Ok(watching.run(monitor, lanes, reloader))
}

fn open_channels(
    setting: &Setting,
    settings: &WatchSettings,
    cut_off: &Arc<AtomicBool>,
) -> Result<Channels, CommandError> {
    let channels = channels::open(settings, &setting.environment, cut_off)?;
    if channels.is_empty() {
        tracing::warn!(
            "no channel is configured: what changes is written to the logs and the state only; \
             see docs/notifications.md"
        );
    }
    Ok(channels)
}

/// Runs one pass, delivers what it has to say, and judges what is known then.
fn once(
    setting: &Setting,
    settings: &WatchSettings,
    store: &StateStore,
    observer: &Observer,
) -> Result<Exit, CommandError> {
    let cut_off = Arc::default();
    let channels = open_channels(setting, settings, &cut_off)?;
    let scan_arguments = arguments::scan_arguments(settings);
    let monitor_settings = arguments::monitor_settings(settings, &setting.environment)?;
    let host = EngineHost::new(setting, settings, &scan_arguments, stop::flag())?;
    host.open_database()?;
    let wakes = Wakes::default();
    let parts = Parts {
        host: &host,
        store,
        clock: &SystemClock,
        channels: &channels,
        wakes: &wakes,
        observer,
        messages_ready: Box::new(|| ()),
    };
    let monitor = Monitor::new(parts, monitor_settings);
    let exit = one_pass(monitor, store, &channels, &cut_off)?;
    Ok(exit
        .and(gate(settings, store)?)
        .and(host.age_verdict())
        .and(written(&observer.live)))
}

fn one_pass(
    mut monitor: Monitor<'_>,
    store: &StateStore,
    channels: &Channels,
    cut_off: &AtomicBool,
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
    let delivered = last_deliveries::run(&delivery(store, channels), cut_off)?;
    monitor
        .upkeep_after_one_pass()
        .map_err(CommandError::usage)?;
    let PassOutcome {
        images, incomplete, ..
    } = outcome;
    tracing::info!(images, incomplete, "one pass is over");
    let assessed = if incomplete == 0 {
        Exit::Clean
    } else {
        Exit::Incomplete
    };
    Ok(assessed.and(delivered))
}

/// Says whether everything was written that was asked for: each failure has its line in the log.
fn written(live: &Live) -> Exit {
    match live.log_errors() {
        0 => Exit::Clean,
        looks => {
            tracing::error!(
                looks,
                "logs, reports or baselines of some images could not be written"
            );
            Exit::Incomplete
        }
    }
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
        known_exploited: finding.is_known_exploited.then(Box::default),
        ..Finding::default()
    });
    ImageReport::of_findings(state.name.clone(), findings.collect())
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
                    "the state was damaged and is set aside, and there is no sound backup: everything \
                     counts as new"
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
    MetricsServer::bind(address, served(settings, live))
        .map(Some)
        .map_err(|error| {
            CommandError::usage(error)
                .hint("choose another address with --metrics-listen, or off for none")
        })
}

/// Returns what metrics are made of.
fn served(settings: &WatchSettings, live: &Arc<Live>) -> MetricsSettings {
    let mut served = MetricsSettings::new(
        settings.state_directory.clone(),
        Arc::clone(live),
        Box::new(now),
    );
    served.cache_directory = Some(settings.cache_directory.clone());
    let token = settings.metrics_token.as_ref();
    served.token = token.map(|token| token.expose().to_owned());
    served.image_series_max = settings.metrics_images_max;
    served
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

/// Starts a thread that pushes metrics; returns whom to tell the news.
fn pushes(pusher: Pusher) -> Sender<News> {
    let (sender, news) = channel();
    // It ends with the process: a push that is under way then is not waited for.
    std::thread::spawn(move || pusher.run(&news));
    sender
}

/// Passes on how the monitor gets on.
struct Observer {
    live: Arc<Live>,
    /// Who pushes metrics when a pass is over.
    pusher: Option<Sender<News>>,
    /// The lines of the summary are printed too, as the older script did.
    prints_summary: bool,
}

impl Observer {
    fn tell_pusher(&self, news: News) {
        if let Some(pusher) = &self.pusher {
            // Nobody listens any more only if the thread died, which it said itself.
            let _ = pusher.send(news);
        }
    }
}

impl MonitorObserver for Observer {
    fn tick(&self, now: Timestamp) {
        self.live.tick(now.as_millisecond());
    }

    fn pass_begun(&self, now: Timestamp) {
        self.live.pass_begun(now.as_millisecond());
    }

    fn pass_ended(&self) {
        self.live.pass_ended();
        self.tell_pusher(News::PassOver);
    }

    fn at_rest(&self) {
        memory::give_back();
    }

    fn pass_planned(&self, at: Timestamp) {
        self.live.pass_planned(Some(at.as_millisecond()));
    }

    fn database(&self, updated_at: Option<Timestamp>) {
        let updated_at = updated_at.map(Timestamp::as_millisecond);
        self.live.database(updated_at);
    }

    fn engine_answered(&self) {
        self.live.engine_answered();
    }

    fn engine_lost(&self, now: Timestamp) {
        self.live.engine_lost(now.as_millisecond());
    }

    fn failed(&self) {
        self.live.loop_failed();
    }

    fn summarised(&self, line: &str) {
        if self.prints_summary
            && let Err(error) = print(line.as_bytes())
        {
            tracing::warn!("{}", error.one_line());
        }
    }

    fn log_failed(&self) {
        self.live.log_failed();
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
