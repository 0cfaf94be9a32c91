//! Opens SQLite files the way every part of Cleanbill uses them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::StoreError;
use crate::error::StoreFile;

/// How long a writer waits for another process before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);

/// Says what is particular about a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// How messages call it.
    pub(crate) file: StoreFile,
    /// The schema, step by step; the number of a schema is the number of steps.
    pub(crate) migrations: &'static [&'static str],
    /// A commit survives that the machine loses power, at the price of waiting for the disk.
    pub(crate) is_durable: bool,
}

impl Layout {
    /// The number of the newest schema.
    pub(crate) fn known(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }
}

/// Opens (and if needed creates) the layer cache and brings its schema up to date. A damaged file
/// is set aside.
pub(crate) fn open(
    path: &Path,
    migrations: &'static [&'static str],
) -> Result<Connection, StoreError> {
    let layout = cache_layout(migrations);
    make_directory(path, &layout)?;
    match open_existing(path, &layout) {
        Err(StoreError::Damaged { .. }) => {
            set_cache_aside(path);
            open_existing(path, &layout)
        }
        other => other,
    }
}

/// Opens a layer cache in memory: for when no file can be had.
pub(crate) fn open_in_memory(
    migrations: &'static [&'static str],
) -> Result<Connection, StoreError> {
    create_in_memory(&cache_layout(migrations))
}

fn cache_layout(migrations: &'static [&'static str]) -> Layout {
    Layout {
        file: StoreFile::LayerCache,
        migrations,
        is_durable: false,
    }
}

/// Turns an error of SQLite into one of the layer cache.
pub(crate) fn failed(operation: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    StoreFile::LayerCache.failed(operation)
}

/// Makes the directory that a file is to lie in.
pub(crate) fn make_directory(path: &Path, layout: &Layout) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).map_err(|source| StoreError::Directory {
        file: layout.file,
        path: directory.to_owned(),
        source,
    })
}

/// Creates a database that ends with the process.
pub(crate) fn create_in_memory(layout: &Layout) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory().map_err(layout.file.failed("open"))?;
    set_up(&connection, "MEMORY", layout).map_err(layout.file.failed("open"))?;
    migrate(&mut connection, Path::new(":memory:"), layout)?;
    Ok(connection)
}

fn open_existing(path: &Path, layout: &Layout) -> Result<Connection, StoreError> {
    let mut connection = connect(path, layout)?;
    migrate(&mut connection, path, layout)?;
    Ok(connection)
}

/// Opens or creates a file for writing. Its schema is left as it is.
pub(crate) fn connect(path: &Path, layout: &Layout) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // WAL needs shared memory, which network file systems do not have.
        let journal = if is_on_network(path) {
            "TRUNCATE"
        } else {
            "WAL"
        };
        set_up(&connection, journal, layout)?;
        Ok(connection)
    };
    connect().map_err(|error: rusqlite::Error| {
        let directory = path.parent().unwrap_or(Path::new("."));
        // To SQLite a place that may not be written is one that cannot be opened.
        let is_closed = cannot_open(&error)
            && rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).is_err();
        match is_closed {
            true => layout.file.read_only("open", error),
            false => layout.file.failed("open")(error),
        }
    })
}

fn set_up(connection: &Connection, journal: &str, layout: &Layout) -> rusqlite::Result<()> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if layout.is_durable && pages == 0 {
        // Counts only before the first table: space is given back page by page, not by a copy.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update_and_check(None, "journal_mode", journal, |_| Ok(()))?;
    let synchronous = if layout.is_durable { "FULL" } else { "NORMAL" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The cache of pages counts against the memory cap: 2 MiB.
    connection.pragma_update(None, "cache_size", -2048)
}

/// Opens a file to read it. It is neither created nor changed.
pub(crate) fn connect_to_read(path: &Path) -> rusqlite::Result<Connection> {
    match connect_and_read(path, "mode=ro") {
        // Readers of a file with a write-ahead log need a file beside it. Who may not make one can
        // read all the same if nobody has the file open to write: then there is no log.
        Err(error) if cannot_open(&error) && !suffixed(path, "-wal").exists() => {
            connect_and_read(path, "mode=ro&immutable=1")
        }
        other => other,
    }
}

fn connect_and_read(path: &Path, parameters: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(path, parameters), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -2048)?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Ok(connection)
}

/// Gives back the pages of a file that a connection keeps. They are read again when they are needed.
pub(crate) fn forget_pages(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA shrink_memory")
}

fn cannot_open(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    matches!(
        error.sqlite_error_code(),
        Some(Code::CannotOpen | Code::ReadOnly)
    )
}

/// Writes a path with parameters as a URI, in which `?`, `#` and `%` mean something.
pub(crate) fn uri(path: &Path, parameters: &str) -> PathBuf {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    let mut uri = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'?' | b'#' | b'%' => uri.extend(format!("%{byte:02X}").into_bytes()),
            byte => uri.push(*byte),
        }
    }
    uri.push(b'?');
    uri.extend(parameters.as_bytes());
    PathBuf::from(std::ffi::OsString::from_vec(uri))
}

/// Brings the schema up to date, in one transaction.
pub(crate) fn migrate(
    connection: &mut Connection,
    path: &Path,
    layout: &Layout,
) -> Result<(), StoreError> {
    let known = layout.known();
    if schema_version(connection, layout)? == known {
        return Ok(());
    }
    let failed = layout.file.failed("migrate");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    // Another process may have migrated while this one waited.
    let found = schema_version(&transaction, layout)?;
    if found > known {
        return Err(StoreError::NewerSchema {
            file: layout.file,
            path: path.to_owned(),
            found,
            known,
        });
    }
    let done = usize::try_from(found).unwrap_or(0);
    for migration in layout.migrations.iter().skip(done) {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction
        .pragma_update(None, "user_version", known)
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Returns the number of the schema; 0 of a new file.
pub(crate) fn schema_version(connection: &Connection, layout: &Layout) -> Result<i64, StoreError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(layout.file.failed("read"))
}

/// Moves a damaged cache out of the way; what it held is found again by reading layers.
fn set_cache_aside(path: &Path) {
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

/// Appends to the name of a file.
pub(crate) fn suffixed(path: &Path, suffix: &str) -> PathBuf {
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
