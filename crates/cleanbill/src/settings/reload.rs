//! Loading again while the program runs.

use std::path::PathBuf;
use std::time::SystemTime;

use super::ignore_list;
use super::loader::{Loaded, LoadedChannel, Loader};
use super::problem::{Problem, SettingsError};
use super::table::SETTINGS;
use super::watch_settings::WatchSettings;

/// Keeps the settings that are in force, and takes new ones when they are right.
pub(crate) struct Reloader {
    loader: Loader,
    current: Loaded,
    /// What was in force before.
    previous: Option<Loaded>,
    stamps: Vec<(PathBuf, Option<Stamp>)>,
}

/// One setting that is another than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The key, or `notify.channels` or `notify.routes`; `watch.ignore_list` if the path is the
    /// same and the file says something else.
    pub(crate) key: &'static str,
    /// What it was, secrets redacted; empty for channels and routes.
    pub(crate) from: String,
    /// What it is.
    pub(crate) to: String,
    /// It takes effect only when the program is started again.
    pub(crate) needs_restart: bool,
}

/// Says why settings were not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReloadError {
    /// They are wrong.
    #[error(transparent)]
    Wrong(#[from] SettingsError),
    /// They are right, and cannot be used here and now.
    #[error("{0}")]
    Unusable(String),
}

/// Tells a file from the one that was there before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    size_bytes: u64,
    inode: u64,
}

impl Reloader {
    /// Loads for the first time.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub(crate) fn new(loader: Loader) -> Result<Self, SettingsError> {
        let current = load(&loader)?;
        let stamps = stamps(&current.files);
        Ok(Self {
            loader,
            current,
            previous: None,
            stamps,
        })
    }

    /// Returns what is in force.
    pub(crate) fn current(&self) -> &Loaded {
        &self.current
    }

    /// Says whether a file that was read, or looked for, is another than when it was last read.
    pub(crate) fn has_changed_files(&self) -> bool {
        self.stamps.iter().any(|(path, old)| stamp(path) != *old)
    }

    /// Loads again and says what is different. `try_out` is asked whether new settings can be used.
    /// After an error the old ones stay in force, and the same files are not reported as changed
    /// again. What takes effect only after a restart stays as it was, too.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, or what `try_out` found.
    pub(crate) fn reload(
        &mut self,
        try_out: impl FnOnce(&WatchSettings) -> Result<(), String>,
    ) -> Result<Vec<Changed>, ReloadError> {
        // Taken before reading: a file that changes meanwhile counts as changed.
        let paths: Vec<PathBuf> = self.stamps.iter().map(|(path, _)| path.clone()).collect();
        self.stamps = stamps(&paths);
        let mut new = load(&self.loader)?;
        let known = |path: &&PathBuf| !paths.contains(path);
        let more: Vec<PathBuf> = new.files.iter().filter(known).cloned().collect();
        self.stamps.extend(stamps(&more));
        let changed = changes(&self.current, &new);
        new.settings
            .keep_what_needs_a_restart(&self.current.settings);
        if !changed.is_empty() {
            try_out(&new.settings).map_err(ReloadError::Unusable)?;
        }
        self.previous = Some(std::mem::replace(&mut self.current, new));
        Ok(changed)
    }

    /// Puts the settings in force again that were before the last reload. Returns whether there
    /// are any.
    pub(crate) fn go_back(&mut self) -> bool {
        let Some(previous) = self.previous.take() else {
            return false;
        };
        self.current = previous;
        true
    }
}

/// Loads settings with the ignore list that they name.
fn load(loader: &Loader) -> Result<Loaded, SettingsError> {
    let mut loaded = loader.load()?;
    let images = &mut loaded.settings.images;
    let listed = ignore_list::read(&images.ignore_list).map_err(|text| SettingsError {
        problems: vec![Problem::new("watch.ignore_list", text)],
    })?;
    loaded.files.push(images.ignore_list.clone());
    if let Some(listed) = listed {
        images.ignored = listed;
    }
    Ok(loaded)
}

/// Says what is different, in the order of the table.
pub(crate) fn changes(old: &Loaded, new: &Loaded) -> Vec<Changed> {
    let mut changed = Vec::new();
    for setting in SETTINGS {
        let (Some(before), Some(after)) =
            (old.resolved.get(setting.key), new.resolved.get(setting.key))
        else {
            continue;
        };
        if !before.value.is_same(&after.value) {
            changed.push(Changed {
                key: setting.key,
                from: before.value.to_string(),
                to: after.value.to_string(),
                needs_restart: setting.needs_restart,
            });
        }
    }
    let images = |loaded: &Loaded| loaded.settings.images.clone();
    let (before, after) = (images(old), images(new));
    let is_said = ["watch.ignore_list", "watch.ignore_images"]
        .iter()
        .any(|key| changed.iter().any(|change: &Changed| change.key == *key));
    let mut note = |key, is_changed: bool| {
        if is_changed {
            changed.push(Changed {
                key,
                from: String::new(),
                to: String::new(),
                needs_restart: false,
            });
        }
    };
    note(
        "watch.ignore_list",
        before.ignored != after.ignored && !is_said,
    );
    note(
        "notify.channels",
        !same_channels(&old.channels, &new.channels),
    );
    note(
        "notify.routes",
        old.settings.notify.routes != new.settings.notify.routes,
    );
    changed
}

fn same_channels(old: &[LoadedChannel], new: &[LoadedChannel]) -> bool {
    let named = |channels: &[LoadedChannel]| -> Vec<LoadedChannel> {
        channels
            .iter()
            .filter(|channel| channel.is_named)
            .cloned()
            .collect()
    };
    let (old, new) = (named(old), named(new));
    old.len() == new.len()
        && old.iter().zip(&new).all(|(old, new)| {
            let fields = old.values.values().zip(new.values.values());
            (&old.name, old.kind) == (&new.name, new.kind)
                && fields.into_iter().all(|(a, b)| a.value.is_same(&b.value))
        })
}

fn stamps(paths: &[PathBuf]) -> Vec<(PathBuf, Option<Stamp>)> {
    paths
        .iter()
        .map(|path| (path.clone(), stamp(path)))
        .collect()
}

fn stamp(path: &std::path::Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp {
        modified: metadata.modified().ok(),
        size_bytes: metadata.len(),
        inode: metadata.ino(),
    })
}
