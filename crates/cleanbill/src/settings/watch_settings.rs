//! What `watch` works with: plain values that were checked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::Severity;
use cleanbill_core::severity::FixStatus;
use cleanbill_image::Secret;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::channels::{ChannelSettings, Route};
use super::origin::Origin;
use super::resolve::{Resolved, Values};
use super::value::{QuietHours, Schedule, Value};

/// The longest random delay before a pass, unless told otherwise.
const JITTER_MAX: Duration = Duration::from_secs(300);

/// Which part of the pause that delay is.
const JITTER_DIVISOR: u32 = 20;

/// Every setting of `watch`.
#[derive(Clone, Debug)]
pub(crate) struct WatchSettings {
    pub(crate) schedule: ScheduleSettings,
    pub(crate) images: ImageSettings,
    pub(crate) baseline: BaselineSettings,
    pub(crate) scan: ScanSettings,
    /// The engine's address; `None` is the current Docker context, else the first that answers.
    pub(crate) docker_host: Option<String>,
    /// Certificates of authorities to trust besides the system's.
    pub(crate) ca_certs: Vec<PathBuf>,
    /// Registries that may be reached without a verified certificate.
    pub(crate) insecure_registries: Vec<String>,
    pub(crate) database: DatabaseSettings,
    pub(crate) cache_directory: PathBuf,
    pub(crate) state_directory: PathBuf,
    /// Where the log and the report of each scan are written. Absolute: messages name it to people
    /// who do not know where the process was started.
    pub(crate) log_directory: PathBuf,
    pub(crate) retention: RetentionSettings,
    /// Where metrics and health are served; `None` is nowhere.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// What has to be shown to read metrics; `None` is nothing.
    pub(crate) metrics_token: Option<Secret>,
    /// Images that have metrics of their own.
    pub(crate) metrics_images_max: usize,
    /// Where metrics are pushed to.
    pub(crate) pushgateway: Option<String>,
    pub(crate) notify: NotifySettings,
    /// Where each value came from, by key.
    #[expect(dead_code, reason = "doctor does not show them yet")]
    pub(crate) origins: BTreeMap<&'static str, Origin>,
}

/// When passes are made.
#[derive(Clone, Debug)]
pub(crate) struct ScheduleSettings {
    pub(crate) interval: Schedule,
    /// The zone of cron expressions, digests and quiet hours.
    pub(crate) time_zone: TimeZone,
    /// The longest random delay before a pass.
    pub(crate) jitter: Duration,
    /// One pass, then the end.
    pub(crate) once: bool,
    /// Thresholds of the verdict of that one pass, known to be well formed.
    pub(crate) fail_on: Option<String>,
}

/// Which images are watched.
#[derive(Clone, Debug)]
pub(crate) struct ImageSettings {
    /// Only these; every tagged image if empty.
    pub(crate) names: Vec<String>,
    /// The file of images to leave out.
    pub(crate) ignore_list: PathBuf,
    /// Names and patterns of images to leave out. Of [`Loader`](super::Loader) what the settings
    /// say; of [`Reloader`](super::Reloader) what that file says, if it is there.
    pub(crate) ignored: Vec<String>,
    pub(crate) running_only: bool,
}

/// Where baselines lie.
#[derive(Clone, Debug)]
pub(crate) struct BaselineSettings {
    pub(crate) directory: PathBuf,
    /// They are written after each pass.
    pub(crate) write: bool,
}

/// How images are scanned, and what counts.
#[derive(Clone, Debug)]
pub(crate) struct ScanSettings {
    /// Never empty.
    pub(crate) severities: Vec<Severity>,
    pub(crate) ignore_unfixed: bool,
    pub(crate) ignored_statuses: Vec<FixStatus>,
    pub(crate) exceptions: Vec<PathBuf>,
    /// Exceptions are announced so long before they expire.
    pub(crate) warn_before: Duration,
    pub(crate) ignore_files: Vec<PathBuf>,
    pub(crate) vex: Vec<PathBuf>,
    /// `os`, `library` or both.
    pub(crate) package_types: Vec<String>,
    /// Known to be well formed.
    pub(crate) severity_sources: String,
    /// Files that OS packages own are reported again as language packages.
    pub(crate) is_comprehensive: bool,
    pub(crate) skip_dirs: Vec<String>,
    pub(crate) skip_files: Vec<String>,
    /// `None` is the number of processors.
    pub(crate) parallel: Option<usize>,
    /// For one image.
    pub(crate) timeout: Option<Duration>,
    /// The Trivy engine; `None` is the native one.
    pub(crate) trivy: Option<TrivySettings>,
}

/// How an installed Trivy is run.
#[derive(Clone, Debug)]
pub(crate) struct TrivySettings {
    /// `None` is the one on the search path.
    pub(crate) path: Option<PathBuf>,
    /// More flags, each a word; none takes the report from us.
    pub(crate) arguments: Vec<String>,
    /// The setting that asks for Trivy, and where it stands.
    pub(crate) asked_by: String,
}

/// Where the advisory database comes from.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseSettings {
    /// `None` is inside the cache directory.
    pub(crate) path: Option<PathBuf>,
    pub(crate) repositories: Vec<String>,
    pub(crate) java_repositories: Vec<String>,
    pub(crate) fetches_epss: bool,
    pub(crate) fetches_kev: bool,
    pub(crate) epss_url: Option<String>,
    pub(crate) kev_url: Option<String>,
    pub(crate) skips_update: bool,
    pub(crate) skips_java_update: bool,
    pub(crate) age_max: Option<Duration>,
    pub(crate) is_offline: bool,
}

/// How long things are kept, and how large they may get.
#[derive(Clone, Debug)]
pub(crate) struct RetentionSettings {
    pub(crate) logs_age: Duration,
    pub(crate) logs_size_bytes: u64,
    pub(crate) history_age: Duration,
    pub(crate) history_size_bytes: u64,
    pub(crate) cache_age: Duration,
    pub(crate) cache_size_bytes: u64,
}

/// Who is told, and when.
#[derive(Clone, Debug)]
pub(crate) struct NotifySettings {
    /// The time of day of the digest; `None` tells at once.
    pub(crate) digest_at: Option<Time>,
    pub(crate) quiet_hours: Option<QuietHours>,
    /// How often a message says that all is quiet; `None` is never.
    pub(crate) heartbeat: Option<Duration>,
    /// Messages an hour for a channel.
    pub(crate) messages_per_hour: u64,
    /// Vulnerabilities that a message lists.
    pub(crate) list_max: usize,
    /// Where the full report is; `None` is the log's path.
    pub(crate) report_url: Option<String>,
    pub(crate) host_name: String,
    /// Each with a name of its own.
    pub(crate) channels: Vec<ChannelSettings>,
    /// They name channels that exist; none means everything to every channel.
    pub(crate) routes: Vec<Route>,
}

impl WatchSettings {
    /// Takes the values apart. All are there: what could not be resolved ended the loading.
    pub(super) fn new(
        resolved: &BTreeMap<&'static str, Resolved>,
        channels: Vec<ChannelSettings>,
        routes: Vec<Route>,
    ) -> Self {
        let values = Values(resolved);
        let directory = |key: &str| values.path(key).unwrap_or_default();
        Self {
            schedule: schedule(&values),
            images: ImageSettings {
                names: values.list("watch.images"),
                ignore_list: directory("watch.ignore_list"),
                ignored: values.list("watch.ignore_images"),
                running_only: values.boolean("watch.running_only"),
            },
            baseline: BaselineSettings {
                directory: directory("baseline.directory"),
                write: values.boolean("baseline.write"),
            },
            scan: scan(&values),
            docker_host: values.text("docker.host"),
            ca_certs: values.paths("network.ca_cert"),
            insecure_registries: values.list("network.insecure_registries"),
            database: database(&values),
            cache_directory: directory("cache.directory"),
            state_directory: directory("state.directory"),
            log_directory: absolute(directory("log.directory")),
            retention: retention(&values),
            metrics_listen: match values.raw("metrics.listen") {
                Value::Listen(address) => Some(*address),
                _ => None,
            },
            metrics_token: values.secret("metrics.token"),
            metrics_images_max: values
                .number("metrics.images_max")
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(0),
            pushgateway: values.text("metrics.pushgateway"),
            notify: notify(&values, channels, routes),
            origins: resolved
                .iter()
                .map(|(key, one)| (*key, one.origin.clone()))
                .collect(),
        }
    }

    /// Keeps what is settled when the program starts: the settings whose row says `restart`.
    pub(super) fn keep_what_needs_a_restart(&mut self, old: &Self) {
        self.schedule.once = old.schedule.once;
        self.docker_host.clone_from(&old.docker_host);
        self.cache_directory.clone_from(&old.cache_directory);
        self.state_directory.clone_from(&old.state_directory);
        self.metrics_listen = old.metrics_listen;
        self.metrics_token.clone_from(&old.metrics_token);
        self.metrics_images_max = old.metrics_images_max;
        self.pushgateway.clone_from(&old.pushgateway);
    }
}

fn schedule(values: &Values<'_>) -> ScheduleSettings {
    let interval = match values.raw("watch.interval") {
        Value::Schedule(schedule) => schedule.clone(),
        _ => Schedule::Every(Duration::from_secs(86_400)),
    };
    let usual = match &interval {
        Schedule::Every(pause) => JITTER_MAX.min(*pause / JITTER_DIVISOR),
        // The next moment may be near: who writes a time of day means about that time.
        Schedule::Cron(_) => Duration::from_secs(30),
    };
    let zone = values.text("watch.time_zone").unwrap_or_default();
    ScheduleSettings {
        interval,
        time_zone: TimeZone::get(&zone).unwrap_or(TimeZone::UTC),
        jitter: values.duration("watch.jitter").unwrap_or(usual),
        once: values.boolean("watch.once"),
        fail_on: values.text("watch.fail_on"),
    }
}

fn scan(values: &Values<'_>) -> ScanSettings {
    let severities = values.severities("scan.severity");
    let runs_trivy = values.text("scan.engine").as_deref() == Some("trivy");
    ScanSettings {
        severities: if severities.is_empty() {
            Severity::ALL.to_vec()
        } else {
            severities
        },
        ignore_unfixed: values.boolean("scan.ignore_unfixed"),
        ignored_statuses: values.statuses("scan.ignore_status"),
        exceptions: values.paths("scan.exceptions"),
        warn_before: values.duration("scan.warn_before").unwrap_or_default(),
        ignore_files: values.paths("scan.ignore_files"),
        vex: values.paths("scan.vex"),
        package_types: values.list("scan.package_types"),
        severity_sources: values.text("scan.severity_source").unwrap_or_default(),
        is_comprehensive: values.text("scan.detection_priority").as_deref()
            == Some("comprehensive"),
        skip_dirs: values.list("scan.skip_dirs"),
        skip_files: values.list("scan.skip_files"),
        parallel: values
            .number("scan.parallel")
            .and_then(|threads| usize::try_from(threads).ok()),
        timeout: values.duration("scan.timeout"),
        trivy: runs_trivy.then(|| TrivySettings {
            path: values.path("scan.trivy_path"),
            arguments: values.list("scan.trivy_args"),
            asked_by: asked_for_trivy(values),
        }),
    }
}

/// Says which setting asks for Trivy: `scan.trivy_args (/etc/cleanbill/config.yaml:7:3)`.
fn asked_for_trivy(values: &Values<'_>) -> String {
    let origin = |key: &str| values.0.get(key).map(|resolved| &resolved.origin);
    let key = match origin("scan.engine") {
        Some(Origin::Implied { by }) => by,
        _ => "scan.engine",
    };
    match origin(key) {
        Some(origin) => format!("{key} ({origin})"),
        None => key.to_owned(),
    }
}

fn database(values: &Values<'_>) -> DatabaseSettings {
    let extras = values.list("database.extras");
    let fetches = |what: &str| extras.iter().any(|extra| extra == what);
    DatabaseSettings {
        path: values.path("database.path"),
        repositories: values.list("database.repositories"),
        java_repositories: values.list("database.java_repositories"),
        fetches_epss: fetches("epss"),
        fetches_kev: fetches("kev"),
        epss_url: values.text("database.epss_url"),
        kev_url: values.text("database.kev_url"),
        skips_update: values.boolean("database.skip_update"),
        skips_java_update: values.boolean("database.skip_java_update"),
        age_max: values.duration("database.max_age"),
        is_offline: values.boolean("database.offline"),
    }
}

fn retention(values: &Values<'_>) -> RetentionSettings {
    let age = |key: &str| values.duration(key).unwrap_or(Duration::MAX);
    let size = |key: &str| values.number(key).unwrap_or(u64::MAX);
    RetentionSettings {
        logs_age: age("retention.logs_age"),
        logs_size_bytes: size("retention.logs_size"),
        history_age: age("retention.history_age"),
        history_size_bytes: size("retention.history_size"),
        cache_age: age("retention.cache_age"),
        cache_size_bytes: size("retention.cache_size"),
    }
}

/// The current directory is unknown where it was removed; then the path says what was given.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn notify(
    values: &Values<'_>,
    channels: Vec<ChannelSettings>,
    routes: Vec<Route>,
) -> NotifySettings {
    let is_daily = values.text("notify.digest").as_deref() == Some("daily");
    NotifySettings {
        digest_at: match values.raw("notify.digest_at") {
            Value::Time(time) if is_daily => Some(*time),
            _ => None,
        },
        quiet_hours: match values.raw("notify.quiet_hours") {
            Value::Hours(hours) => Some(*hours),
            _ => None,
        },
        heartbeat: values.duration("notify.heartbeat"),
        messages_per_hour: values
            .number("notify.messages_per_hour")
            .unwrap_or(u64::MAX),
        list_max: values
            .number("notify.list_max")
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(usize::MAX),
        report_url: values.text("notify.report_url"),
        host_name: values.text("notify.host_name").unwrap_or_default(),
        channels,
        routes,
    }
}
