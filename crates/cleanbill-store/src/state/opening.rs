//! Opens the state, whatever condition it is in.
//!
//! What the file holds cannot be found again by looking at images: that a change was told, and
//! since when a finding is there. So a damaged file is never begun anew in silence.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::backup;
use super::rows::Opened;
use crate::StoreError;
use crate::error::StoreFile;
use crate::sqlite::{self, Layout, suffixed};

/// The schema, step by step. Released steps are never edited.
pub(super) const LAYOUT: Layout = Layout {
    file: StoreFile::State,
    migrations: &[include_str!("migrations/0001_state.sql")],
    is_durable: true,
};

/// Opens the state and says what happened. `now` names what is set aside.
pub(super) fn open(
    path: &Path,
    layout: &Layout,
    now: i64,
) -> Result<(Connection, Opened), StoreError> {
    if is_there(path) {
        match open_sound(path, layout) {
            Err(StoreError::Damaged { source, .. }) => {
                tracing::error!(path = %path.display(), error = %source, "the state is damaged");
            }
            other => return other,
        }
    }
    let backup = backup::path_of(path);
    let made_at = backup::made_at(&backup);
    // The backup is tried before anything is moved.
    let restored = match made_at {
        Some(_) => backup::stage(&backup, path, layout).map(Some),
        None => Ok(None),
    };
    let is_backup_damaged = matches!(restored, Err(StoreError::Damaged { .. }));
    let staged = match restored {
        Err(StoreError::Damaged { .. }) => None,
        other => other?,
    };
    let mut set_aside: Vec<PathBuf> = set_aside_if_there(path, layout, now)?.into_iter().collect();
    match (staged, made_at) {
        (Some(staged), Some(backup_made_at)) => {
            backup::replace(&staged, path, layout)?;
            let (connection, _) = open_sound(path, layout)?;
            let opened = Opened::Restored {
                set_aside: set_aside.pop(),
                backup_made_at,
            };
            Ok((connection, opened))
        }
        _ => {
            if is_backup_damaged {
                set_aside.extend(set_aside_if_there(&backup, layout, now)?);
            }
            let mut connection = sqlite::connect(path, layout)?;
            sqlite::migrate(&mut connection, path, layout)?;
            Ok((connection, Opened::Fresh { set_aside }))
        }
    }
}

/// Says whether there is something to open. An empty file is what a full disk leaves behind; to
/// SQLite it would be a new one.
fn is_there(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0)
}

fn open_sound(path: &Path, layout: &Layout) -> Result<(Connection, Opened), StoreError> {
    let mut connection = sqlite::connect(path, layout)?;
    let found = sqlite::schema_version(&connection, layout)?;
    check(&connection, layout)?;
    let migrated_from = (0 < found && found < layout.known()).then_some(found);
    if migrated_from.is_some() {
        backup::write(
            &connection,
            &suffixed(path, &format!(".before-{}", layout.known())),
            layout,
        )?;
    }
    sqlite::migrate(&mut connection, path, layout)?;
    Ok((connection, Opened::AsItWas { migrated_from }))
}

/// Reads the file through once; a part that is missing or torn shows here and not in a year.
pub(super) fn check(connection: &Connection, layout: &Layout) -> Result<(), StoreError> {
    let failed = layout.file.failed("check");
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(failed)?;
    if verdict == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(failed(rusqlite::Error::SqliteFailure(code, Some(verdict))))
}

/// Moves a file and its journal out of the way; returns where to, or `None` if there is none.
fn set_aside_if_there(
    path: &Path,
    layout: &Layout,
    now: i64,
) -> Result<Option<PathBuf>, StoreError> {
    let aside = free_name(path, now);
    let rename = |from: &Path, to: &Path| {
        std::fs::rename(from, to).map_err(layout.file.failed_at("set aside", from))
    };
    // The journal goes first: left behind, it would be applied to the file that comes instead.
    let journal = suffixed(path, "-wal");
    if journal.exists() {
        rename(&journal, &suffixed(&aside, "-wal"))?;
    }
    // An index of the journal; made anew when needed.
    let _ = std::fs::remove_file(suffixed(path, "-shm"));
    if !path.exists() {
        return Ok(None);
    }
    rename(path, &aside)?;
    Ok(Some(aside))
}

fn free_name(path: &Path, now: i64) -> PathBuf {
    let seconds = now.div_euclid(1000);
    let first = suffixed(path, &format!(".corrupt-{seconds}"));
    let is_free = |name: &PathBuf| !name.exists() && !suffixed(name, "-wal").exists();
    std::iter::once(first.clone())
        .chain((2..1000).map(|number| suffixed(&first, &format!("-{number}"))))
        .find(is_free)
        .unwrap_or(first)
}

/// How long to wait for an owner that is about to end, or that was killed while it began another
/// process: that one holds the lock until it has become another program.
const LOCK_ATTEMPTS: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// Makes sure that one process at a time owns the state. The lock ends with the process, however
/// it ends.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let lock_path = suffixed(path, ".lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(StoreFile::State.failed_at("lock", &lock_path))?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => {
                // Some network file systems have no locks. Two owners would tell things twice,
                // which is less bad than telling nothing.
                tracing::warn!(path = %lock_path.display(), %error, "cannot lock the state");
                return Ok(file);
            }
        }
    }
    Err(StoreError::InUse {
        file: StoreFile::State,
        path: path.to_owned(),
    })
}
