//! The settings of `watch` as the arguments of a scan: both go the same way from there.

use cleanbill_monitor::baseline_file::BaselineDirectory;
use cleanbill_monitor::notify::ComposeSettings;
use cleanbill_monitor::retention::RetentionBudgets;
use cleanbill_monitor::scan_log::ScanLogDirectory;
use cleanbill_monitor::{JournalSettings, MonitorSettings, Schedule, WatchRules};
use cleanbill_store::state::PruneBudgets;
use jiff::SignedDuration;

use crate::channels;
use crate::cli::{
    DatabaseArgs, DatabasePlaceArgs, DetectionArgs, DockerHostArgs, EngineArgs, ExceptionsArgs,
    FilterArgs, NetworkArgs, RegistryArgs, RepositoryArgs, ScanArgs, SourceArgs, VerdictArgs,
};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::places;
use crate::settings::{self, WatchSettings};

/// How often a newer advisory database is asked for: it is built every six hours, and asking
/// whether one is due costs nothing.
const REFRESH_EVERY: SignedDuration = SignedDuration::from_mins(30);

/// Who is watched: the first that answers.
const SOURCES: [&str; 2] = ["docker", "podman"];

/// Returns how images are scanned. Findings of every severity are kept: which of them are told is
/// decided later.
pub(super) fn scan_arguments(settings: &WatchSettings) -> ScanArgs {
    let scan = &settings.scan;
    let database = &settings.database;
    ScanArgs {
        source: SourceArgs {
            engine: DockerHostArgs {
                docker_host: settings.docker_host.clone(),
            },
            // Who is asked must not depend on who happens to be up: the store of containerd lies
            // beside every Docker engine.
            source: SOURCES.map(str::to_owned).to_vec(),
            docker_access: "auto".to_owned(),
            ..SourceArgs::default()
        },
        registry: RegistryArgs {
            network: NetworkArgs {
                insecure_registry: settings.insecure_registries.clone(),
                ca_cert: settings.ca_certs.clone(),
                offline: database.is_offline,
            },
            ..RegistryArgs::default()
        },
        database: DatabaseArgs {
            place: DatabasePlaceArgs {
                db_path: database.path.clone(),
            },
            repositories: RepositoryArgs {
                db_repository: database.repositories.clone(),
                java_db_repository: database.java_repositories.clone(),
            },
            skip_db_update: database.skips_update,
            skip_java_db_update: database.skips_java_update,
        },
        engine: EngineArgs {
            engine: if scan.trivy.is_some() {
                "trivy"
            } else {
                "native"
            }
            .to_owned(),
            trivy_path: scan.trivy.as_ref().and_then(|trivy| trivy.path.clone()),
            trivy_asked_by: scan.trivy.as_ref().map(|trivy| trivy.asked_by.clone()),
            trivy_args: scan.trivy.as_ref().and_then(|trivy| {
                let words = trivy.arguments.iter().map(String::as_str);
                shlex::try_join(words).ok()
            }),
            ..EngineArgs::default()
        },
        detection: DetectionArgs {
            pkg_types: scan.package_types.clone(),
            vuln_severity_source: scan.severity_sources.clone(),
            detection_priority: if scan.is_comprehensive {
                "comprehensive"
            } else {
                "precise"
            }
            .to_owned(),
            skip_dirs: scan.skip_dirs.clone(),
            skip_files: scan.skip_files.clone(),
            parallel: scan.parallel,
            timeout: scan.timeout,
            ..DetectionArgs::default()
        },
        filter: FilterArgs {
            ignore_unfixed: scan.ignore_unfixed,
            ignore_status: scan.ignored_statuses.clone(),
            exceptions: ExceptionsArgs {
                exceptions: scan.exceptions.clone(),
                warn_before: scan.warn_before,
            },
            ignorefile: scan.ignore_files.clone(),
            vex: scan
                .vex
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            ..FilterArgs::default()
        },
        verdict: VerdictArgs {
            max_db_age: database.age_max,
            ..VerdictArgs::default()
        },
        sort: "package".to_owned(),
        ..ScanArgs::default()
    }
}

/// Returns how the host is watched.
///
/// # Errors
///
/// The schedule or a pattern makes no sense.
pub(super) fn monitor_settings(
    settings: &WatchSettings,
    environment: &Environment,
) -> Result<MonitorSettings, CommandError> {
    let duration = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    let schedule = match &settings.schedule.interval {
        settings::Schedule::Every(interval) => Schedule::every(duration(*interval)),
        settings::Schedule::Cron(expression) => {
            let zone = settings.schedule.time_zone.iana_name().unwrap_or("UTC");
            Schedule::cron(expression, zone)
        }
    }
    .map_err(CommandError::usage)?
    .with_jitter(duration(settings.schedule.jitter));
    let retention = &settings.retention;
    let history_ms = i64::try_from(retention.history_age.as_millis()).unwrap_or(i64::MAX);
    Ok(MonitorSettings {
        schedule,
        rules: WatchRules {
            only: channels::patterns(&settings.images.names)?,
            ignored: channels::patterns(&settings.images.ignored)?,
            running_only: settings.images.running_only,
        },
        severities: settings.scan.severities.iter().copied().collect(),
        routes: channels::routes(settings)?,
        timing: channels::timing(settings),
        messages_per_hour: usize::try_from(settings.notify.messages_per_hour).unwrap_or(usize::MAX),
        compose: composing(settings, environment),
        heartbeat_every: settings.notify.heartbeat.map(duration),
        refresh_every: REFRESH_EVERY,
        subject_prefixes: channels::subject_prefixes(settings),
        journal: JournalSettings {
            logs: Some(ScanLogDirectory::new(&settings.log_directory)),
            retention: RetentionBudgets {
                age_max: Some(duration(retention.logs_age)),
                size_bytes_max: Some(retention.logs_size_bytes),
                ..RetentionBudgets::default()
            },
            baselines: Some(BaselineDirectory::new(&settings.baseline.directory)),
            writes_baselines: settings.baseline.write,
        },
        budgets: PruneBudgets {
            history_age_ms_max: history_ms,
            size_bytes_max: retention.history_size_bytes,
            ..PruneBudgets::default()
        },
    })
}

/// Returns how messages are composed. The commands in them are typed into a shell of somebody who has
/// not the settings of a service: they name the database unless it lies where they look anyway.
fn composing(settings: &WatchSettings, environment: &Environment) -> ComposeSettings {
    let mut composing = channels::composing(settings);
    let cache = &settings.cache_directory;
    if composing.database.is_empty() && *cache != places::cache_directory_in_a_shell(environment) {
        let path = std::path::absolute(cache).unwrap_or_else(|_| cache.clone());
        composing.database = path.display().to_string();
    }
    composing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::status::tests::settings;

    #[test]
    fn commands_of_messages_name_a_database_that_they_would_not_find() {
        let check = |cache: &str, path: Option<&str>, environment: Environment, expected: &str| {
            let mut settings = settings();
            settings.cache_directory = cache.into();
            settings.database.path = path.map(Into::into);
            assert_eq!(composing(&settings, &environment).database, expected);
        };
        let home = || Environment::from([("HOME", "/home/me")]);
        check("/home/me/.cache/cleanbill", None, home(), "");
        check("/data/cache", None, home(), "/data/cache");
        check("/data/cache", Some("/data/db"), home(), "/data/db");
        // A service has a directory that its reader's shell does not know of.
        let unit = [
            ("HOME", "/home/me"),
            ("CACHE_DIRECTORY", "/var/cache/cleanbill"),
        ];
        check(
            "/var/cache/cleanbill",
            None,
            unit.into(),
            "/var/cache/cleanbill",
        );
        check("/var/cache/cleanbill", None, Environment::default(), "");
    }
}
