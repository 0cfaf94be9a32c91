//! What settings hold when nobody says anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::resolve::Resolved;
use super::value::Value;
use crate::environment::Environment;
use crate::places;

/// The directory of logs in the layout of the older tool.
const OLDER_LOG_DIRECTORY: &str = "/var/log/security-scans";

/// Says what a setting holds when nobody says anything.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DefaultValue {
    /// Nothing.
    Unset,
    /// This text, written as in the configuration file.
    Text(&'static str),
    /// What the surroundings say.
    Found {
        /// Finds it out.
        find: fn(&Surroundings<'_>) -> Option<String>,
        /// Says it in words, for the documentation.
        words: &'static str,
    },
}

/// What defaults may depend on.
pub(crate) struct Surroundings<'a> {
    /// The environment.
    pub(crate) environment: &'a Environment,
    /// The settings further up in the table.
    pub(crate) resolved: &'a BTreeMap<&'static str, Resolved>,
}

impl Surroundings<'_> {
    fn path(&self, key: &str) -> Option<PathBuf> {
        match &self.resolved.get(key)?.value {
            Value::Path(path) => Some(path.clone()),
            _ => None,
        }
    }
}

pub(super) fn cache_directory(around: &Surroundings<'_>) -> Option<String> {
    text(&places::cache_directory(None, around.environment))
}

pub(super) fn state_directory(around: &Surroundings<'_>) -> Option<String> {
    text(&places::state_directory(around.environment))
}

pub(super) fn log_directory(around: &Surroundings<'_>) -> Option<String> {
    let older = Path::new(OLDER_LOG_DIRECTORY);
    if older.is_dir() {
        return text(older);
    }
    text(&around.path("state.directory")?.join("logs"))
}

pub(super) fn time_zone(around: &Surroundings<'_>) -> Option<String> {
    let named = around
        .environment
        .get("TZ")
        .map(|zone| zone.trim_start_matches(':').to_owned());
    named
        .filter(|zone| jiff::tz::TimeZone::get(zone).is_ok())
        .or_else(|| Some(jiff::tz::TimeZone::system().iana_name()?.to_owned()))
        .or_else(|| Some("UTC".to_owned()))
}

pub(super) fn host_name(around: &Surroundings<'_>) -> Option<String> {
    let of_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = of_kernel
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    name.or_else(|| around.environment.get("HOSTNAME"))
        .map(str::to_owned)
}

fn text(path: &Path) -> Option<String> {
    path.to_str().map(str::to_owned)
}
