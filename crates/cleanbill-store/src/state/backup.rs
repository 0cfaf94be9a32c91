//! Copies of the state file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::opening::check;
use crate::StoreError;
use crate::sqlite::{self, Layout, suffixed};

/// Pages that are copied at a time. All at once: the copy is of one moment, and writers of this
/// process wait anyway.
const ALL_PAGES: i32 = -1;

/// Returns where the backup of a state file lies.
pub(super) fn path_of(state: &Path) -> PathBuf {
    suffixed(state, ".backup")
}

/// Returns when a backup was made, in Unix milliseconds; `None` if there is none.
pub(super) fn made_at(backup: &Path) -> Option<i64> {
    let metadata = std::fs::metadata(backup).ok()?;
    let age = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(age.as_millis()).ok()
}

/// Copies an open database to a file, which is replaced at once or not at all.
pub(super) fn write(
    connection: &Connection,
    target: &Path,
    layout: &Layout,
) -> Result<(), StoreError> {
    let partial = suffixed(target, ".part");
    remove(&partial, layout)?;
    let copied = copy(connection, &partial, layout).and_then(|()| sync(&partial, layout));
    if let Err(error) = copied {
        // What is left of it takes space that is short; the error that counts is the first.
        let _ = remove(&partial, layout);
        return Err(error);
    }
    replace(&partial, target, layout)
}

fn copy(connection: &Connection, target: &Path, layout: &Layout) -> Result<(), StoreError> {
    let failed = layout.file.failed("back up");
    let mut copy = Connection::open(target).map_err(failed)?;
    {
        let backup = Backup::new(connection, &mut copy).map_err(failed)?;
        let step = backup.step(ALL_PAGES).map_err(failed)?;
        if step != StepResult::Done {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            return Err(failed(rusqlite::Error::SqliteFailure(code, None)));
        }
    }
    // One file, nothing beside it: it is about to be renamed.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(failed)?;
    // A damaged copy must not take the place of a sound one.
    check(&copy, layout)?;
    copy.close().map_err(|(_, error)| failed(error))
}

/// Copies a backup to a place beside the state file, checks the copy and brings its schema up to
/// date. Returns where it lies.
pub(super) fn stage(backup: &Path, state: &Path, layout: &Layout) -> Result<PathBuf, StoreError> {
    let staged = suffixed(state, ".restoring");
    for suffix in ["", "-wal", "-shm"] {
        remove(&suffixed(&staged, suffix), layout)?;
    }
    std::fs::copy(backup, &staged).map_err(layout.file.failed_at("restore", backup))?;
    let prepared = prepare(&staged, layout).and_then(|()| sync(&staged, layout));
    if prepared.is_err() {
        let _ = remove(&staged, layout);
    }
    prepared.map(|()| staged)
}

fn prepare(staged: &Path, layout: &Layout) -> Result<(), StoreError> {
    let failed = layout.file.failed("restore");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(staged, flags).map_err(failed)?;
    connection
        .pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))
        .map_err(failed)?;
    check(&connection, layout)?;
    sqlite::migrate(&mut connection, staged, layout)?;
    connection.close().map_err(|(_, error)| failed(error))
}

fn sync(path: &Path, layout: &Layout) -> Result<(), StoreError> {
    let sync = || File::open(path)?.sync_all();
    sync().map_err(layout.file.failed_at("write", path))
}

/// Puts one file in the place of another, at once.
pub(super) fn replace(from: &Path, to: &Path, layout: &Layout) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(layout.file.failed_at("replace", to))?;
    // The rename itself must survive that the machine loses power.
    sync(to.parent().unwrap_or(Path::new(".")), layout)
}

fn remove(path: &Path, layout: &Layout) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(layout.file.failed_at("remove", path)(error))
        }
        _ => Ok(()),
    }
}
