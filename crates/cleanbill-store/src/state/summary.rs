//! The state at a glance.

use rusqlite::{Connection, OptionalExtension as _};

use super::images::counts;
use super::rows::{PassRow, StatusSummary};
use super::scans::{PASS_ROW, pass_row};
use super::{StateReader, unreadable};
use crate::StoreError;

impl StateReader {
    /// Sums up the state; all figures are of the same moment.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn status_summary(&self) -> Result<StatusSummary, StoreError> {
        self.snapshot(|connection| summary(connection).map_err(unreadable))
    }
}

fn summary(connection: &Connection) -> rusqlite::Result<StatusSummary> {
    let mut summary = StatusSummary::default();
    images(connection, &mut summary)?;
    outbox(connection, &mut summary)?;
    summary.containers = count(connection, "SELECT count(*) FROM container")?;
    summary.changes_untold = count(
        connection,
        "SELECT count(*) FROM change c JOIN image i ON i.id = c.image
         WHERE c.told_at IS NULL AND i.gone_at IS NULL",
    )?;
    summary.inventories = count(connection, "SELECT count(*) FROM inventory")?;
    summary.last_pass = pass(connection, "")?;
    summary.last_finished_pass = pass(connection, "WHERE finished_at IS NOT NULL")?;
    summary.size_bytes = size_bytes(connection)?;
    Ok(summary)
}

/// Returns the bytes of the file, without its journal and without the pages that are free.
pub(super) fn size_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    count(
        connection,
        "SELECT (page_count - freelist_count) * page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    )
}

fn images(connection: &Connection, summary: &mut StatusSummary) -> rusqlite::Result<()> {
    connection.query_row(
        "SELECT count(*) FILTER (WHERE i.gone_at IS NULL),
                count(*) FILTER (WHERE i.gone_at IS NULL AND s.image IS NULL),
                count(*) FILTER (WHERE i.gone_at IS NULL AND s.status = 'complete'),
                count(*) FILTER (WHERE i.gone_at IS NULL AND s.status = 'partial'),
                count(*) FILTER (WHERE i.gone_at IS NULL AND s.status = 'failed'),
                count(*) FILTER (WHERE i.gone_at IS NOT NULL),
                coalesce(sum(s.critical) FILTER (WHERE i.gone_at IS NULL), 0),
                coalesce(sum(s.high) FILTER (WHERE i.gone_at IS NULL), 0),
                coalesce(sum(s.medium) FILTER (WHERE i.gone_at IS NULL), 0),
                coalesce(sum(s.low) FILTER (WHERE i.gone_at IS NULL), 0),
                coalesce(sum(s.unknown) FILTER (WHERE i.gone_at IS NULL), 0)
         FROM image i LEFT JOIN image_state s ON s.image = i.id",
        [],
        |row| {
            let number =
                |index| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(index)?.unsigned_abs()) };
            summary.images = number(0)?;
            summary.images_not_assessed = number(1)?;
            summary.images_complete = number(2)?;
            summary.images_partial = number(3)?;
            summary.images_failed = number(4)?;
            summary.images_gone = number(5)?;
            summary.findings = counts(row, 6)?;
            Ok(())
        },
    )
}

fn outbox(connection: &Connection, summary: &mut StatusSummary) -> rusqlite::Result<()> {
    summary.messages_pending = count(
        connection,
        "SELECT count(*) FROM outbox WHERE state = 'pending'",
    )?;
    summary.oldest_pending_at = connection.query_row(
        "SELECT min(created_at) FROM outbox WHERE state = 'pending'",
        [],
        |row| row.get(0),
    )?;
    summary.messages_dead = count(
        connection,
        "SELECT count(*) FROM outbox WHERE state = 'dead'",
    )?;
    summary.last_delivered_at = connection.query_row(
        "SELECT max(finished_at) FROM outbox WHERE state = 'delivered'",
        [],
        |row| row.get(0),
    )?;
    Ok(())
}

fn pass(connection: &Connection, condition: &str) -> rusqlite::Result<Option<PassRow>> {
    connection
        .query_row(
            &format!("{PASS_ROW} {condition} ORDER BY id DESC LIMIT 1"),
            [],
            pass_row,
        )
        .optional()
}

fn count(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    connection.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))
}
