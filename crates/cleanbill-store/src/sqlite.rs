//! Opens SQLite files the way every part of Cleanbill uses them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::StoreError;

/// How long a writer waits for another process before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);

/// Opens (and if needed creates) a database file and brings its schema up to date.
pub(crate) fn open(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).map_err(|source| StoreError::Directory {
        path: directory.to_owned(),
        source,
    })?;
    match open_existing(path, migrations) {
        Err(StoreError::Sqlite { source, .. }) if is_corrupt(&source) => {
            set_aside(path);
            open_existing(path, migrations)
        }
        other => other,
    }
}

/// Opens a database in memory: for when no file can be had.
pub(crate) fn open_in_memory(migrations: &[&str]) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory().map_err(failed("open"))?;
    migrate(&mut connection, migrations, Path::new(":memory:"))?;
    Ok(connection)
}

pub(crate) fn failed(operation: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| StoreError::Sqlite { operation, source }
}

fn open_existing(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed("open"))?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .map_err(failed("open"))?;
    // WAL needs shared memory, which network file systems do not have.
    let journal = if is_on_network(path) {
        "TRUNCATE"
    } else {
        "WAL"
    };
    connection
        .pragma_update_and_check(None, "journal_mode", journal, |_| Ok(()))
        .map_err(failed("open"))?;
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(failed("open"))?;
    // The cache of pages counts against the memory cap: 2 MiB.
    connection
        .pragma_update(None, "cache_size", -2048)
        .map_err(failed("open"))?;
    migrate(&mut connection, migrations, path)?;
    Ok(connection)
}

fn migrate(
    connection: &mut Connection,
    migrations: &[&str],
    path: &Path,
) -> Result<(), StoreError> {
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if schema_version(connection)? == known {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed("migrate"))?;
    // Another process may have migrated while this one waited.
    let found = schema_version(&transaction)?;
    if found > known {
        return Err(StoreError::NewerSchema {
            path: path.to_owned(),
            found,
            known,
        });
    }
    for migration in migrations.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction
            .execute_batch(migration)
            .map_err(failed("migrate"))?;
    }
    transaction
        .pragma_update(None, "user_version", known)
        .map_err(failed("migrate"))?;
    transaction.commit().map_err(failed("migrate"))
}

fn schema_version(connection: &Connection) -> Result<i64, StoreError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failed("read"))
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    )
}

/// Moves a damaged cache out of the way; what it held is found again by reading layers.
fn set_aside(path: &Path) {
    let aside = suffixed(path, ".corrupt");
    tracing::warn!(
        path = %path.display(), aside = %aside.display(),
        "the layer cache is damaged; it is set aside and layers are read again"
    );
    if std::fs::rename(path, &aside).is_err() {
        // The next attempt to open reports the error.
        return;
    }
    for companion in ["-wal", "-shm"] {
        // They belong to the damaged file; that they are absent is fine.
        let _ = std::fs::remove_file(suffixed(path, companion));
    }
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(target_os = "linux")]
fn is_on_network(path: &Path) -> bool {
    const NFS: u64 = 0x6969;
    const SMB: u64 = 0x517b;
    const CIFS: u64 = 0xff53_4d42;
    const SMB2: u64 = 0xfe53_4d42;
    const AFS: u64 = 0x5346_414f;
    const CEPH: u64 = 0x00c3_6400;
    let directory = path.parent().unwrap_or(Path::new("."));
    rustix::fs::statfs(directory)
        .is_ok_and(|stat| [NFS, SMB, CIFS, SMB2, AFS, CEPH].contains(&(stat.f_type as u64)))
}

#[cfg(not(target_os = "linux"))]
fn is_on_network(_: &Path) -> bool {
    false
}
