//! What was done since somebody looked last: what counters of a process are made of.
//!
//! Tables are pruned, so that the number of their rows does not only grow. Their numbers are never
//! given twice; whoever keeps the last one sees each row once.

use cleanbill_core::problem::AssessmentStatus;
use rusqlite::{Connection, params};

use super::images::status;
use super::{StateReader, unreadable};
use crate::StoreError;

/// Says up to where activity was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivityMark {
    scan: i64,
    pass: i64,
    delivery: i64,
}

/// Sums up what was done since a mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Up to where: the mark to ask with the next time.
    pub mark: ActivityMark,
    /// Passes that ended and assessed every image completely.
    pub passes_complete: u64,
    /// Passes that ended and did not.
    pub passes_incomplete: u64,
    /// Looks at images.
    pub scans: Vec<ScanActivity>,
    /// Attempts to deliver.
    pub deliveries: Vec<DeliveryActivity>,
    /// When the last pass ended that assessed every image completely; since ever, not since the
    /// mark.
    pub pass_succeeded_at: Option<i64>,
    /// When the last message was given up that still is; since ever, not since the mark.
    pub message_dead_at: Option<i64>,
}

/// Sums up looks of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanActivity {
    /// What caused them.
    pub triggered_by: String,
    /// How far the images could be assessed.
    pub status: AssessmentStatus,
    /// How many.
    pub count: u64,
    /// How long they took together.
    pub duration_ms: u64,
    /// How many were not longer than each of the bounds that were asked for.
    pub within: Vec<u64>,
}

/// Sums up attempts of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryActivity {
    /// The channel.
    pub channel: String,
    /// What came of them: `delivered`, `retry`, `dead`.
    pub outcome: String,
    /// How many.
    pub count: u64,
}

impl StateReader {
    /// Returns the mark after which nothing has happened yet.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn activity_mark(&self) -> Result<ActivityMark, StoreError> {
        let nothing = ActivityMark::default();
        self.snapshot(|connection| mark(connection, &nothing).map_err(unreadable))
    }

    /// Sums up what was done since a mark; all figures are of the same moment. `bounds_ms` sort
    /// looks by their duration.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn activity_since(
        &self,
        since: &ActivityMark,
        bounds_ms: &[u64],
    ) -> Result<Activity, StoreError> {
        self.snapshot(|connection| activity(connection, since, bounds_ms).map_err(unreadable))
    }
}

/// Returns the mark of this moment. Where everything was pruned, the old one stays.
fn mark(connection: &Connection, since: &ActivityMark) -> rusqlite::Result<ActivityMark> {
    let last = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let scan = last("SELECT coalesce(max(id), 0) FROM scan")?;
    // Passes come one after the other: none that is still to end has a smaller number.
    let pass = last("SELECT coalesce(max(id), 0) FROM pass WHERE finished_at IS NOT NULL")?;
    let delivery = last("SELECT coalesce(max(id), 0) FROM delivery")?;
    Ok(ActivityMark {
        scan: scan.max(since.scan),
        pass: pass.max(since.pass),
        delivery: delivery.max(since.delivery),
    })
}

fn activity(
    connection: &Connection,
    since: &ActivityMark,
    bounds_ms: &[u64],
) -> rusqlite::Result<Activity> {
    let time = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
    let (passes_complete, passes_incomplete) = passes(connection, since)?;
    Ok(Activity {
        mark: mark(connection, since)?,
        passes_complete,
        passes_incomplete,
        scans: scans(connection, since, bounds_ms)?,
        deliveries: deliveries(connection, since)?,
        pass_succeeded_at: time("SELECT max(finished_at) FROM pass WHERE failed = 0")?,
        message_dead_at: time("SELECT max(finished_at) FROM outbox WHERE state = 'dead'")?,
    })
}

fn passes(connection: &Connection, since: &ActivityMark) -> rusqlite::Result<(u64, u64)> {
    connection.query_row(
        "SELECT count(*) FILTER (WHERE failed = 0), count(*) FILTER (WHERE failed <> 0)
         FROM pass WHERE id > ?1 AND finished_at IS NOT NULL",
        [since.pass],
        |row| {
            let number = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
            Ok((number(0)?, number(1)?))
        },
    )
}

fn scans(
    connection: &Connection,
    since: &ActivityMark,
    bounds_ms: &[u64],
) -> rusqlite::Result<Vec<ScanActivity>> {
    let within: String = bounds_ms
        .iter()
        .map(|bound| format!(", count(*) FILTER (WHERE duration_ms <= {bound})"))
        .collect();
    connection
        // A sum of whole numbers fails when it is too large.
        .prepare_cached(&format!(
            "SELECT triggered_by, status, count(*), total(duration_ms){within}
             FROM scan WHERE id > ?1 GROUP BY triggered_by, status ORDER BY triggered_by, status"
        ))?
        .query_map([since.scan], |row| {
            let number = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
            let within = (4..4 + bounds_ms.len()).map(number);
            Ok(ScanActivity {
                triggered_by: row.get(0)?,
                status: status(row, 1)?,
                count: number(2)?,
                duration_ms: row.get::<_, f64>(3)? as u64,
                within: within.collect::<rusqlite::Result<_>>()?,
            })
        })?
        .collect()
}

fn deliveries(
    connection: &Connection,
    since: &ActivityMark,
) -> rusqlite::Result<Vec<DeliveryActivity>> {
    connection
        .prepare_cached(
            "SELECT o.channel, d.outcome, count(*)
             FROM delivery d JOIN outbox o ON o.id = d.message
             WHERE d.id > ?1 GROUP BY o.channel, d.outcome ORDER BY o.channel, d.outcome",
        )?
        .query_map(params![since.delivery], |row| {
            Ok(DeliveryActivity {
                channel: row.get(0)?,
                outcome: row.get(1)?,
                count: row.get::<_, i64>(2)?.unsigned_abs(),
            })
        })?
        .collect()
}
