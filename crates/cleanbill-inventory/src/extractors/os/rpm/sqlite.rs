//! SQLite: the file `rpmdb.sqlite` of rpm from 4.16 on.
//!
//! The header blobs are the column `blob` of the table `Packages`. The file is given to SQLite in
//! memory. Its schema is the image's and so hostile: views, generated columns and functions are
//! kept out, sizes and steps are bounded.
//!
//! Source: rpm 4.16 `lib/backend/sqlite.c`, SQLite file format section 1.3, spec 02 section 2.3.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::bytes::{Endian, u16_at, u32_at};
use super::error::DatabaseError;

/// The first sixteen bytes of the file.
pub(super) const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Bytes of the file's header.
pub(super) const HEADER_SIZE: usize = 100;

/// Where the header states the versions of the journal that writer and reader need.
const JOURNAL_VERSIONS: std::ops::Range<usize> = 18..20;
/// Steps of SQLite's machine between two looks at the budget.
const STEPS_PER_LOOK: std::ffi::c_int = 10_000;
/// Looks until the read is given up. A package takes some ten steps, so this is enough for a
/// hundred million of them.
const LOOKS_MAX: u64 = 100_000;

/// Hands every header blob of the table to `visit`, in the order of the table. `prefix` holds the
/// bytes of the file's header, `rest` the others, `size_bytes` counts both.
///
/// # Errors
///
/// The file is no readable database of rpm, or `visit` failed.
/// [`DatabaseError::Interrupted`] if the table cannot be read to its end.
pub(super) fn for_each_header(
    prefix: &[u8],
    rest: &mut dyn Read,
    size_bytes: u64,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), DatabaseError>,
) -> Result<(), DatabaseError> {
    require_whole_pages(prefix, size_bytes)?;
    let connection = load(prefix, rest, size_bytes)?;
    require_plain_table(&connection)?;
    let mut statement = connection
        .prepare("SELECT blob FROM Packages")
        .map_err(failed_to("read the table Packages"))?;
    let mut rows = statement
        .query([])
        .map_err(failed_to("read the table Packages"))?;
    // The blobs lie in the file: together they cannot be larger.
    let mut bytes_left = size_bytes;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            Err(source) => return Err(DatabaseError::Interrupted { source }),
        };
        let value = row
            .get_ref(0)
            .map_err(failed_to("read the table Packages"))?;
        let (ValueRef::Blob(blob) | ValueRef::Text(blob)) = value else {
            return Err(DatabaseError::malformed(
                "the table Packages",
                "a row has no blob",
            ));
        };
        bytes_left = bytes_left.checked_sub(blob.len() as u64).ok_or_else(|| {
            DatabaseError::malformed("the table Packages", "it is larger than the file")
        })?;
        visit(blob)?;
    }
}

fn load(prefix: &[u8], rest: &mut dyn Read, size_bytes: u64) -> Result<Connection, DatabaseError> {
    let mut header = prefix.to_vec();
    // A database in write-ahead mode cannot be opened from memory. What the log beside it would
    // add is reported by the extractor of that file.
    if let Some(versions) = header.get_mut(JOURNAL_VERSIONS) {
        versions.fill(1);
    }
    let size = usize::try_from(size_bytes).unwrap_or(usize::MAX);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = move || -> rusqlite::Result<Connection> {
        let mut connection = Connection::open_in_memory_with_flags(flags)?;
        connection.deserialize_read_exact(
            "main",
            io::Cursor::new(header).chain(rest),
            size,
            true,
        )?;
        restrict(&mut connection, size_bytes)?;
        Ok(connection)
    };
    open().map_err(failed_to("open the database"))
}

/// Keeps the schema from doing anything but naming tables.
fn restrict(connection: &mut Connection, size_bytes: u64) -> rusqlite::Result<()> {
    let size = i32::try_from(size_bytes).unwrap_or(i32::MAX);
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, size),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 64 * 1024),
        (Limit::SQLITE_LIMIT_COLUMN, 100),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 20),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 2),
        (Limit::SQLITE_LIMIT_VDBE_OP, 10_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 8),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Limit::SQLITE_LIMIT_SCHEMA, 200),
    ] {
        connection.set_limit(limit, value)?;
    }
    let looks = AtomicU64::new(0);
    let is_over_budget = move || looks.fetch_add(1, Ordering::Relaxed) >= LOOKS_MAX;
    connection.progress_handler(STEPS_PER_LOOK, Some(is_over_budget))?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA query_only = ON; \
         PRAGMA cache_size = -256;",
    )
}

/// Refuses views, virtual tables and computed columns: rpm makes none.
fn require_plain_table(connection: &Connection) -> Result<(), DatabaseError> {
    let tables = "SELECT count(*) FROM sqlite_schema \
        WHERE name = 'Packages' COLLATE NOCASE AND type = 'table' AND rootpage > 0";
    let look = || -> rusqlite::Result<bool> {
        let is_table = connection.query_row(tables, [], |row| row.get::<_, i64>(0))? == 1;
        let mut columns = connection.prepare("PRAGMA table_xinfo(Packages)")?;
        let mut hidden = columns.query_map([], |row| row.get::<_, i64>("hidden"))?;
        let has_computed = hidden.any(|hidden| !matches!(hidden, Ok(0)));
        Ok(is_table && !has_computed)
    };
    if look().map_err(failed_to("read the schema"))? {
        return Ok(());
    }
    Err(DatabaseError::malformed(
        "the table Packages",
        "it is not the plain table that rpm makes",
    ))
}

/// Notices a cut inside the last page, which SQLite may not: it takes what is missing for zeros.
fn require_whole_pages(prefix: &[u8], size_bytes: u64) -> Result<(), DatabaseError> {
    // The header says 1 for 65,536.
    let page_size = match u16_at(prefix, 16, Endian::Big) {
        Some(1) => 65_536,
        size => u64::from(size.unwrap_or(0)),
    };
    let field = |offset| u32_at(prefix, offset, Endian::Big).unwrap_or(0);
    let pages = u64::from(field(28));
    // The number of pages counts if it was written with the last change (SQLite 3.7 and later).
    if field(24) == field(92) && pages * page_size > size_bytes {
        return Err(DatabaseError::malformed(
            "the SQLite header",
            format!("{pages} pages of {page_size} bytes are more than the file has"),
        ));
    }
    Ok(())
}

fn failed_to(action: &'static str) -> impl Fn(rusqlite::Error) -> DatabaseError {
    move |source| DatabaseError::Sqlite { action, source }
}
