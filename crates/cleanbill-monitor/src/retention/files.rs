//! The directory of the logs, tidied.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::{LogGroup, LogName, RetentionBudgets, expired};
use crate::file_names::timestamp_text;
use crate::replace_file::PART;
use crate::scan_log::SUMMARY_FILE;

/// After so long nobody writes a file any more that was begun.
const PART_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Says what could not be done with the directory or a file of it.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {path}")]
pub struct RetentionError {
    /// What was attempted.
    pub operation: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// The cause.
    #[source]
    pub source: io::Error,
}

/// Says what tidying did.
#[derive(Debug, Default)]
pub struct Retained {
    /// Files removed.
    pub removed: Vec<PathBuf>,
    /// Bytes of those that are left.
    pub size_bytes: u64,
    /// Files that should have been removed and could not be.
    pub errors: Vec<RetentionError>,
}

/// Begins another summary if the one that is there is large enough. Returns where the old one lies
/// now.
///
/// # Errors
///
/// The file cannot be read or renamed.
pub fn rotate_summary(
    directory: &Path,
    budgets: &RetentionBudgets,
    now: Timestamp,
) -> Result<Option<PathBuf>, RetentionError> {
    let path = directory.join(SUMMARY_FILE);
    let size = match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(failed("read", &path))?.len(),
    };
    if size < budgets.summary_size_bytes_max {
        return Ok(None);
    }
    let rotated = directory.join(format!("scan-summary-{}.log", timestamp_text(now)));
    if rotated.exists() {
        // The second within one second can wait.
        return Ok(None);
    }
    fs::rename(&path, &rotated).map_err(failed("rename", &path))?;
    Ok(Some(rotated))
}

/// Removes logs and reports that the budgets do not allow. A file that cannot be removed does not
/// keep the others.
///
/// # Errors
///
/// The directory cannot be read.
pub fn apply_retention(
    directory: &Path,
    budgets: &RetentionBudgets,
    now: Timestamp,
) -> Result<Retained, RetentionError> {
    let (groups, parts) = read(directory, now)?;
    let gone = expired(&groups, budgets, now);
    let whole: u64 = groups.iter().map(|group| group.size_bytes).sum();
    let mut retained = Retained {
        size_bytes: whole,
        ..Retained::default()
    };
    for group in gone.iter().filter_map(|place| groups.get(*place)) {
        retained.size_bytes -= group.size_bytes;
        group.paths.iter().for_each(|path| retained.remove(path));
    }
    parts.iter().for_each(|path| retained.remove(path));
    Ok(retained)
}

impl Retained {
    fn remove(&mut self, path: &Path) {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.errors.push(failed("remove", path)(error));
            }
            _ => self.removed.push(path.to_owned()),
        }
    }
}

/// Reads the logs of a directory, by time, and the files that nobody finished.
fn read(directory: &Path, now: Timestamp) -> Result<(Vec<LogGroup>, Vec<PathBuf>), RetentionError> {
    let mut groups: BTreeMap<(Timestamp, String), LogGroup> = BTreeMap::new();
    let mut parts = Vec::new();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((vec![], parts)),
        entries => entries.map_err(failed("list", directory))?,
    };
    for entry in entries {
        let entry = entry.map_err(failed("list", directory))?;
        // Of links and directories none is ours; one that went meanwhile is no loss.
        let Some(metadata) = entry.metadata().ok().filter(fs::Metadata::is_file) else {
            continue;
        };
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            continue;
        };
        if let Some(log) = LogName::parse(name) {
            let group = groups
                .entry((log.time, log.image.clone()))
                .or_insert_with(|| LogGroup {
                    time: log.time,
                    image: log.image,
                    paths: Vec::new(),
                    size_bytes: 0,
                });
            group.size_bytes += metadata.len();
            group.paths.push(entry.path());
        } else if is_left_over(name, &metadata, now) {
            parts.push(entry.path());
        }
    }
    let mut groups: Vec<LogGroup> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| group.paths.sort());
    Ok((groups, parts))
}

fn is_left_over(name: &str, metadata: &fs::Metadata, now: Timestamp) -> bool {
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
    name.starts_with(".scan-")
        && name.contains(PART)
        && modified.is_some_and(|time| now.duration_since(time) > PART_AGE_MAX)
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RetentionError {
    let path = path.to_owned();
    move |source| RetentionError {
        operation,
        path,
        source,
    }
}
