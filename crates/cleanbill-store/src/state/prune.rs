//! Keeps the state small.

use rusqlite::{Connection, Params, Transaction, params};

use super::rows::{PruneBudgets, Pruned};
use super::summary::size_bytes;
use super::{StateStore, failed, lock};
use crate::StoreError;
use crate::error::StoreFile;

/// Rows of history that go at a time while the file is too large.
const STEP: i64 = 1000;

/// Changes that are not told, and those of messages that are not delivered, are nobody's to
/// remove.
const IS_TOLD: &str = "\
    told_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM outbox_change l JOIN outbox o \
    ON o.id = l.message WHERE l.change = change.id AND o.state = 'pending')";

/// The last look at each image stays, and those with changes that stay.
const IS_PAST: &str = "\
    id <> (SELECT max(l.id) FROM scan l WHERE l.image = scan.image) \
    AND NOT EXISTS (SELECT 1 FROM change c WHERE c.scan = scan.id)";

impl StateStore {
    /// Removes what is older than the budgets say, and then the oldest until the file is small
    /// enough. What is to be told or sent stays; of an image that has been gone for long nothing is
    /// to be told any more.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn prune(&self, now: i64, budgets: &PruneBudgets) -> Result<Pruned, StoreError> {
        let mut pruned = self.write("prune", |transaction| by_age(transaction, now, budgets))?;
        loop {
            pruned.size_bytes = self.vacuum()?;
            if pruned.size_bytes <= budgets.size_bytes_max {
                return Ok(pruned);
            }
            let removed = self.write("prune", by_size)?;
            let Some(removed) = removed else {
                return Ok(pruned);
            };
            pruned.add(&removed);
        }
    }

    /// Gives free pages back to the file system. Returns the bytes of the file.
    fn vacuum(&self) -> Result<u64, StoreError> {
        let connection = lock(&self.writer);
        vacuum(&connection).map_err(StoreFile::State.failed("compact"))
    }
}

impl Pruned {
    fn add(&mut self, other: &Pruned) {
        self.scans += other.scans;
        self.passes += other.passes;
        self.changes += other.changes;
        self.messages += other.messages;
        self.images += other.images;
        self.inventories += other.inventories;
    }
}

fn vacuum(connection: &Connection) -> rusqlite::Result<u64> {
    // Each step gives one page back, so all have to be taken.
    let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = statement.query([])?;
    while pages.next()?.is_some() {}
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    size_bytes(connection)
}

fn by_age(
    transaction: &Transaction<'_>,
    now: i64,
    budgets: &PruneBudgets,
) -> Result<Pruned, StoreError> {
    let before = |age_ms: i64| now.saturating_sub(age_ms);
    let history = before(budgets.history_age_ms_max);
    let messages = messages_before(
        transaction,
        before(budgets.delivered_age_ms_max),
        before(budgets.dead_age_ms_max),
    )?;
    // Changes before scans: a scan goes when its changes are gone.
    let changes = remove(
        transaction,
        &format!("DELETE FROM change WHERE told_at < ?1 AND {IS_TOLD}"),
        [history],
    )?;
    let scans = remove(
        transaction,
        &format!("DELETE FROM scan WHERE started_at < ?1 AND {IS_PAST}"),
        [history],
    )?;
    let passes = remove(
        transaction,
        "DELETE FROM pass WHERE started_at < ?1
         AND id NOT IN (SELECT pass FROM scan WHERE pass IS NOT NULL)
         AND id <> (SELECT max(id) FROM pass)",
        [history],
    )?;
    let images = gone_before(transaction, before(budgets.gone_age_ms_max))?;
    let inventories = inventories_before(transaction, before(budgets.inventory_age_ms_max))?;
    Ok(Pruned {
        scans,
        passes,
        changes,
        messages,
        images,
        inventories,
        size_bytes: 0,
    })
}

/// Removes the oldest; `None` if nothing is left that may go.
fn by_size(transaction: &Transaction<'_>) -> Result<Option<Pruned>, StoreError> {
    let messages = remove(
        transaction,
        "DELETE FROM outbox WHERE id IN
         (SELECT id FROM outbox WHERE state = 'delivered' ORDER BY id LIMIT ?1)",
        [STEP],
    )?;
    let changes = remove(
        transaction,
        &format!(
            "DELETE FROM change WHERE id IN
             (SELECT id FROM change WHERE {IS_TOLD} ORDER BY id LIMIT ?1)"
        ),
        [STEP],
    )?;
    let scans = remove(
        transaction,
        &format!(
            "DELETE FROM scan WHERE id IN
             (SELECT id FROM scan WHERE {IS_PAST} ORDER BY id LIMIT ?1)"
        ),
        [STEP],
    )?;
    let inventories = match messages + changes + scans {
        0 => inventories_before(transaction, i64::MAX)?,
        _ => 0,
    };
    let pruned = Pruned {
        scans,
        changes,
        messages,
        inventories,
        ..Pruned::default()
    };
    Ok((pruned != Pruned::default()).then_some(pruned))
}

fn messages_before(connection: &Connection, delivered: i64, dead: i64) -> Result<u64, StoreError> {
    remove(
        connection,
        "DELETE FROM outbox WHERE (state = 'delivered' AND finished_at < ?1)
         OR (state = 'dead' AND finished_at < ?2)",
        params![delivered, dead],
    )
}

/// Forgets images that have been gone for long and of which every message is sent. What nobody was
/// told of by then is not told any more.
fn gone_before(connection: &Connection, before: i64) -> Result<u64, StoreError> {
    remove(
        connection,
        "DELETE FROM image WHERE gone_at < ?1 AND NOT EXISTS (
             SELECT 1 FROM change c JOIN outbox_change l ON l.change = c.id
             JOIN outbox o ON o.id = l.message
             WHERE c.image = image.id AND o.state = 'pending')",
        [before],
    )
}

/// Removes inventories that no watched image needs.
fn inventories_before(connection: &Connection, before: i64) -> Result<u64, StoreError> {
    remove(
        connection,
        "DELETE FROM inventory WHERE used_at < ?1 AND image_id NOT IN (
             SELECT s.image_id FROM image_state s JOIN image i ON i.id = s.image
             WHERE i.gone_at IS NULL AND s.image_id IS NOT NULL)",
        [before],
    )
}

fn remove(connection: &Connection, sql: &str, parameters: impl Params) -> Result<u64, StoreError> {
    connection
        .execute(sql, parameters)
        .map(|count| count as u64)
        .map_err(failed)
}
