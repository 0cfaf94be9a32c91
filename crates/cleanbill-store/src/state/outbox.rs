//! Messages on their way.
//!
//! Whoever sends claims first: a claim is a lease, so a message whose sender died is claimed
//! again. A message is sent again until somebody says that it was acknowledged.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{DeliveryRow, MessageNumber, MessageState, OutboxRow};
use super::scans::limit_of;
use super::{StateReader, StateStore, failed};
use crate::StoreError;

/// The columns that [`outbox_row`] reads.
const OUTBOX_ROW: &str = "\
    id, channel, message_id, thread_key, payload, created_at, state, attempts, next_attempt_at, \
    lease_until, finished_at, last_error";

/// A time further ahead is no plan but comes from a clock that was wrong and has been set back.
const HORIZON_MS: i64 = 8 * 24 * 60 * 60 * 1000;

/// When the next attempt of message `o` was planned. If that is ahead, the clock was set back since,
/// and the plan is none.
const PLANNED_AT: &str = "\
    coalesce((SELECT d.at FROM delivery d WHERE d.message = o.id ORDER BY d.id DESC LIMIT 1), \
             o.created_at)";

/// A message that failed more often than this lets later ones of its channel pass: one that a
/// server refuses for a reason of its own must not silence the channel.
const BLOCKING_ATTEMPTS_MAX: i64 = 4;

impl StateStore {
    /// Claims messages to a channel (`None`: to any) whose time has come, the longest due first, and
    /// counts an attempt for each. Nobody else gets them before the lease is over. Of one channel
    /// only the earliest message is given: what happened first is told first.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn outbox_claim(
        &self,
        channel: Option<&str>,
        now: i64,
        lease_ms: i64,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.write("write", |transaction| {
            claim(transaction, channel, now, lease_ms, limit).map_err(failed)
        })
    }

    /// Gives back every claim: those of a process that is not there any more. Only the owner of
    /// the state may do this, before it sends. Returns how many there were.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn outbox_release(&self) -> Result<u64, StoreError> {
        self.write("write", |transaction| {
            transaction
                .execute(
                    "UPDATE outbox SET leased_at = NULL, lease_until = NULL
                     WHERE state = 'pending' AND lease_until IS NOT NULL",
                    [],
                )
                .map(|count| count as u64)
                .map_err(failed)
        })
    }

    /// Notes that a message was acknowledged; `text` is what the other side said. It is never sent
    /// again. To note it twice is no error.
    ///
    /// # Errors
    ///
    /// There is no such message. SQLite failed.
    pub fn outbox_delivered(
        &self,
        message: MessageNumber,
        now: i64,
        text: &str,
    ) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            let count = transaction
                .prepare_cached(
                    "UPDATE outbox SET state = 'delivered', finished_at = ?2, last_error = '',
                         leased_at = NULL, lease_until = NULL
                     WHERE id = ?1 AND state <> 'delivered'",
                )
                .and_then(|mut statement| statement.execute(params![message.0, now]))
                .map_err(failed)?;
            if count > 0 {
                return log(transaction, message, now, "delivered", text);
            }
            match state_of(transaction, message)? {
                Some(_) => Ok(()),
                None => Err(no_such(message, "delivered")),
            }
        })
    }

    /// Notes that an attempt failed, and when to try again.
    ///
    /// # Errors
    ///
    /// There is no such message to be sent. SQLite failed.
    pub fn outbox_retry(
        &self,
        message: MessageNumber,
        now: i64,
        error: &str,
        next_attempt_at: i64,
    ) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            let count = transaction
                .prepare_cached(
                    "UPDATE outbox SET next_attempt_at = ?2, last_error = ?3,
                         leased_at = NULL, lease_until = NULL
                     WHERE id = ?1 AND state = 'pending'",
                )
                .and_then(|mut statement| {
                    statement.execute(params![message.0, next_attempt_at, error])
                })
                .map_err(failed)?;
            if count == 0 {
                return Err(no_such(message, "tried again"));
            }
            log(transaction, message, now, "retry", error)
        })
    }

    /// Notes that a message is given up.
    ///
    /// # Errors
    ///
    /// There is no such message to be sent. SQLite failed.
    pub fn outbox_dead(
        &self,
        message: MessageNumber,
        now: i64,
        error: &str,
    ) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            let count = transaction
                .prepare_cached(
                    "UPDATE outbox SET state = 'dead', finished_at = ?2, last_error = ?3,
                         leased_at = NULL, lease_until = NULL
                     WHERE id = ?1 AND state = 'pending'",
                )
                .and_then(|mut statement| statement.execute(params![message.0, now, error]))
                .map_err(failed)?;
            if count == 0 {
                return Err(no_such(message, "given up"));
            }
            log(transaction, message, now, "dead", error)
        })
    }

    /// Sends a message that was given up once more, from the beginning.
    ///
    /// # Errors
    ///
    /// There is no such message that was given up. SQLite failed.
    pub fn outbox_requeue(&self, message: MessageNumber, now: i64) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            let count = transaction
                .execute(
                    "UPDATE outbox SET state = 'pending', attempts = 0, next_attempt_at = ?2,
                         finished_at = NULL
                     WHERE id = ?1 AND state = 'dead'",
                    params![message.0, now],
                )
                .map_err(failed)?;
            if count == 0 {
                return Err(no_such(message, "sent again"));
            }
            Ok(())
        })
    }
}

impl StateReader {
    /// Lists messages in a state (`None`: in any), the latest first.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn outbox_list(
        &self,
        state: Option<MessageState>,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = match state {
            Some(_) => format!(
                "SELECT {OUTBOX_ROW} FROM outbox WHERE state = ?2 ORDER BY id DESC LIMIT ?1"
            ),
            None => format!("SELECT {OUTBOX_ROW} FROM outbox ORDER BY id DESC LIMIT ?1"),
        };
        self.query(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let limit = limit_of(limit);
            match state {
                Some(state) => statement
                    .query_map(params![limit, state.name()], outbox_row)?
                    .collect(),
                None => statement.query_map([limit], outbox_row)?.collect(),
            }
        })
    }

    /// Returns a message.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn outbox_get(&self, message: MessageNumber) -> Result<Option<OutboxRow>, StoreError> {
        self.query(|connection| {
            connection
                .prepare_cached(&format!("SELECT {OUTBOX_ROW} FROM outbox WHERE id = ?1"))?
                .query_row([message.0], outbox_row)
                .optional()
        })
    }

    /// Lists the channels that messages wait for, those among them that are not in the settings any
    /// more.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn outbox_channels(&self) -> Result<Vec<String>, StoreError> {
        self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT DISTINCT channel FROM outbox WHERE state = 'pending' ORDER BY channel",
                )?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }

    /// Returns when the next message to a channel (`None`: to any) that nobody has claimed is due;
    /// `None` if there is none.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn outbox_next_at(&self, channel: Option<&str>) -> Result<Option<i64>, StoreError> {
        self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT min(max(next_attempt_at, coalesce(lease_until, next_attempt_at)))
                     FROM outbox o WHERE state = 'pending' AND (?2 IS NULL OR o.channel = ?2)
                       AND NOT EXISTS (
                         SELECT 1 FROM outbox e
                         WHERE e.state = 'pending' AND e.channel = o.channel AND e.id < o.id
                           AND e.attempts <= ?1)",
                )?
                .query_row(params![BLOCKING_ATTEMPTS_MAX, channel], |row| row.get(0))
        })
    }

    /// Lists the last attempts to deliver, the latest first.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn delivery_list(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT d.message, o.channel, d.at, d.outcome, d.text
                     FROM delivery d JOIN outbox o ON o.id = d.message
                     ORDER BY d.id DESC LIMIT ?1",
                )?
                .query_map([limit_of(limit)], |row| {
                    Ok(DeliveryRow {
                        message: MessageNumber(row.get(0)?),
                        channel: row.get(1)?,
                        at: row.get(2)?,
                        outcome: row.get(3)?,
                        text: row.get(4)?,
                    })
                })?
                .collect()
        })
    }
}

fn claim(
    connection: &Connection,
    channel: Option<&str>,
    now: i64,
    lease_ms: i64,
    limit: usize,
) -> rusqlite::Result<Vec<OutboxRow>> {
    let mut rows: Vec<OutboxRow> = connection
        .prepare_cached(&format!(
            "UPDATE outbox SET attempts = attempts + 1, leased_at = ?1, lease_until = ?2
             WHERE id IN (
                 SELECT id FROM outbox o WHERE state = 'pending'
                   AND (?6 IS NULL OR o.channel = ?6)
                   AND (next_attempt_at <= ?1 OR next_attempt_at > ?4 OR {PLANNED_AT} > ?1)
                   AND (lease_until IS NULL OR lease_until <= ?1 OR leased_at > ?1)
                   AND NOT EXISTS (
                       SELECT 1 FROM outbox e
                       WHERE e.state = 'pending' AND e.channel = o.channel AND e.id < o.id
                         AND e.attempts <= ?5)
                 ORDER BY next_attempt_at, id LIMIT ?3)
             RETURNING {OUTBOX_ROW}"
        ))?
        .query_map(
            params![
                now,
                now.saturating_add(lease_ms),
                limit_of(limit),
                now.saturating_add(HORIZON_MS),
                BLOCKING_ATTEMPTS_MAX,
                channel
            ],
            outbox_row,
        )?
        .collect::<Result<_, _>>()?;
    // RETURNING promises no order.
    rows.sort_by_key(|row| (row.next_attempt_at, row.number));
    Ok(rows)
}

fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let state: String = row.get(6)?;
    Ok(OutboxRow {
        number: MessageNumber(row.get(0)?),
        channel: row.get(1)?,
        message_id: row.get(2)?,
        thread_key: row.get(3)?,
        payload: row.get(4)?,
        created_at: row.get(5)?,
        state: MessageState::from_name(&state).unwrap_or(MessageState::Dead),
        attempts: u32::try_from(row.get::<_, i64>(7)?).unwrap_or(u32::MAX),
        next_attempt_at: row.get(8)?,
        lease_until: row.get(9)?,
        finished_at: row.get(10)?,
        last_error: row.get(11)?,
    })
}

fn state_of(connection: &Connection, message: MessageNumber) -> Result<Option<String>, StoreError> {
    connection
        .query_row(
            "SELECT state FROM outbox WHERE id = ?1",
            [message.0],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed)
}

fn log(
    connection: &Connection,
    message: MessageNumber,
    now: i64,
    outcome: &'static str,
    text: &str,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO delivery (message, at, outcome, text) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut statement| statement.execute(params![message.0, now, outcome, text]))
        .map(drop)
        .map_err(failed)
}

fn no_such(message: MessageNumber, operation: &'static str) -> StoreError {
    StoreError::NoSuchMessage {
        message: message.0,
        operation,
    }
}
