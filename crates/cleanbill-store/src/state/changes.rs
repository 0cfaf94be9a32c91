//! Changes that are still to be told, and the messages that tell of them.

use rusqlite::{Connection, params};

use super::rows::{ChangeId, MessageNumber, OutboxMessage, ScanId, UntoldChange};
use super::scans::{limit_of, parse_change};
use super::{StateReader, StateStore, failed};
use crate::StoreError;

impl StateStore {
    /// Marks changes as told and puts the messages that tell of them into the outbox, all or
    /// nothing. A change that no channel wants is marked all the same. Returns the numbers of the
    /// messages, in their order; a message whose key the channel has had already is not put there
    /// again and returns the number of the one that is.
    ///
    /// # Errors
    ///
    /// A change was told already: [`StoreError::AlreadyTold`]. SQLite failed.
    pub fn messages_commit(
        &self,
        changes: &[ChangeId],
        messages: &[OutboxMessage],
        now: i64,
    ) -> Result<Vec<MessageNumber>, StoreError> {
        self.write("write", |transaction| {
            for change in changes {
                mark_told(transaction, *change, now)?;
            }
            messages
                .iter()
                .map(|message| insert(transaction, message, now).map_err(failed))
                .collect()
        })
    }
}

impl StateReader {
    /// Lists the changes that no message tells of yet, in the order in which they were found. Those
    /// of images that are gone are not among them: they wait until the image comes back, or is
    /// forgotten.
    ///
    /// # Errors
    ///
    /// SQLite failed, or a row makes no sense.
    pub fn changes_untold(&self, limit: usize) -> Result<Vec<UntoldChange>, StoreError> {
        let rows: Vec<(ChangeId, i64, Option<i64>, String)> = self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, at, scan, change FROM change WHERE told_at IS NULL
                     AND EXISTS (SELECT 1 FROM image i
                                 WHERE i.id = change.image AND i.gone_at IS NULL)
                     ORDER BY id LIMIT ?1",
                )?
                .query_map([limit_of(limit)], |row| {
                    Ok((ChangeId(row.get(0)?), row.get(1)?, row.get(2)?, row.get(3)?))
                })?
                .collect()
        })?;
        rows.into_iter()
            .map(|(id, at, scan, json)| {
                let change = parse_change(&json).ok_or_else(|| StoreError::DecodeState {
                    what: "text",
                    of: format!("change {id}"),
                })?;
                Ok(UntoldChange {
                    id,
                    at,
                    scan: scan.map(ScanId),
                    change,
                })
            })
            .collect()
    }

    /// Returns the key of the latest message by which a channel was told that an image has a
    /// vulnerability: what a follow-up refers to. `None` if it was never told, or long ago.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn message_about(
        &self,
        channel: &str,
        image: &str,
        vulnerability_id: &str,
    ) -> Result<Option<String>, StoreError> {
        use rusqlite::OptionalExtension as _;
        self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT o.message_id FROM change c
                     JOIN outbox_change l ON l.change = c.id JOIN outbox o ON o.id = l.message
                     WHERE c.image = (SELECT id FROM image WHERE name = ?2)
                       AND c.vulnerability_id = ?3 AND o.channel = ?1
                     ORDER BY o.id DESC LIMIT 1",
                )?
                .query_row([channel, image, vulnerability_id], |row| row.get(0))
                .optional()
        })
    }
}

fn mark_told(connection: &Connection, change: ChangeId, now: i64) -> Result<(), StoreError> {
    let count = connection
        .prepare_cached("UPDATE change SET told_at = ?2 WHERE id = ?1 AND told_at IS NULL")
        .and_then(|mut statement| statement.execute(params![change.0, now]))
        .map_err(failed)?;
    if count == 0 {
        return Err(StoreError::AlreadyTold { change: change.0 });
    }
    Ok(())
}

fn insert(
    connection: &Connection,
    message: &OutboxMessage,
    now: i64,
) -> rusqlite::Result<MessageNumber> {
    let number: i64 = connection
        .prepare_cached(
            // The update changes nothing; it makes the row that is there answer.
            "INSERT INTO outbox (channel, message_id, thread_key, payload, created_at, state,
                 next_attempt_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6)
             ON CONFLICT (channel, message_id) DO UPDATE SET message_id = message_id
             RETURNING id",
        )?
        .query_row(
            params![
                message.channel,
                message.message_id,
                message.thread_key,
                message.payload,
                now,
                message.send_at,
            ],
            |row| row.get(0),
        )?;
    let mut link = connection
        .prepare_cached("INSERT OR IGNORE INTO outbox_change (message, change) VALUES (?1, ?2)")?;
    for change in &message.changes {
        link.execute(params![number, change.0])?;
    }
    Ok(MessageNumber(number))
}
