//! Looks at images, and passes over all of them.

use std::borrow::Cow;

use cleanbill_core::change::{Change, ImageState};
use cleanbill_core::report::SeverityCounts;
use cleanbill_core::{Digest, Severity};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use super::images::{counts, digest, image_key, status};
use super::packing::{PackedJson, pack_json};
use super::rows::{ChangeId, Committed, HistoryRow, PassId, PassRow, Scan, ScanCommit, ScanId};
use super::{StateReader, StateStore, failed, findings, inventories, unreadable};
use crate::StoreError;

/// The columns that [`pass_row`] reads.
pub(super) const PASS_ROW: &str =
    "SELECT id, triggered_by, started_at, finished_at, images, failed FROM pass";

impl StateStore {
    /// Stores what one look at an image found, all or nothing.
    ///
    /// # Errors
    ///
    /// SQLite failed, or a value cannot be encoded.
    pub fn scan_commit(&self, commit: &ScanCommit) -> Result<Committed, StoreError> {
        let encoded = self.read().encode(commit)?;
        self.write("write", |transaction| {
            commit_one(transaction, commit, &encoded)
        })
    }

    /// Stores what judging several images again found, all or nothing: waiting for the disk once.
    ///
    /// # Errors
    ///
    /// SQLite failed, or a value cannot be encoded.
    pub fn scan_commit_all(&self, commits: &[EncodedCommit]) -> Result<Vec<Committed>, StoreError> {
        self.write("write", |transaction| {
            commits
                .iter()
                .map(|encoded| commit_one(transaction, &encoded.commit, &encoded.state))
                .collect()
        })
    }

    /// Notes that a pass begins.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn pass_begin(&self, triggered_by: &str, now: i64) -> Result<PassId, StoreError> {
        self.write("write", |transaction| {
            transaction
                .query_row(
                    "INSERT INTO pass (triggered_by, started_at) VALUES (?1, ?2) RETURNING id",
                    params![triggered_by, now],
                    |row| row.get(0).map(PassId),
                )
                .map_err(failed)
        })
    }

    /// Notes that a pass is over, and how many images it looked at and could not assess.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn pass_finish(
        &self,
        pass: PassId,
        now: i64,
        images: u64,
        failed_images: u64,
    ) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            transaction
                .execute(
                    "UPDATE pass SET finished_at = ?2, images = ?3, failed = ?4 WHERE id = ?1",
                    params![pass.0, now, number(images), number(failed_images)],
                )
                .map(drop)
                .map_err(failed)
        })
    }
}

/// Is what judging an image again leaves behind, encoded: that takes longer than writing it, and
/// needs no lock.
#[derive(Debug)]
pub struct EncodedCommit {
    commit: ScanCommit,
    state: Encoded,
}

impl EncodedCommit {
    /// Returns what it was made of.
    pub fn commit(&self) -> &ScanCommit {
        &self.commit
    }
}

/// Holds the encoded parts of what is remembered.
#[derive(Debug)]
struct Encoded {
    /// `None` leaves those of before.
    packages: Option<PackedJson>,
    findings: PackedJson,
}

/// The columns of [`Encoded`].
const PACKAGES: &str = "packages";
const FINDINGS: &str = "findings";

impl StateReader {
    /// Encodes what judging an image again found. Its packages are those that were looked at before:
    /// they stay as they are stored, whatever the state says.
    ///
    /// # Errors
    ///
    /// SQLite failed, or a value cannot be encoded.
    pub fn scan_encode_judged(&self, commit: ScanCommit) -> Result<EncodedCommit, StoreError> {
        let (_, findings) = self.stored_digests(&commit.scan.image)?;
        Ok(EncodedCommit {
            state: Encoded {
                packages: None,
                findings: PackedJson::new(FINDINGS, &commit.state.findings, findings)?,
            },
            commit,
        })
    }

    /// Encodes what one look found.
    fn encode(&self, commit: &ScanCommit) -> Result<Encoded, StoreError> {
        let (packages, findings) = self.stored_digests(&commit.scan.image)?;
        let state = &commit.state;
        Ok(Encoded {
            packages: Some(PackedJson::new(PACKAGES, &state.packages, packages)?),
            findings: PackedJson::new(FINDINGS, &state.findings, findings)?,
        })
    }

    fn stored_digests(&self, image: &str) -> Result<Digests, StoreError> {
        self.query(|connection| {
            let image = image_key_of(connection, image)?;
            image.map_or(Ok(Digests::default()), |image| {
                digests_of(connection, image)
            })
        })
    }

    /// Lists the last passes, the latest first.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn pass_list(&self, limit: usize) -> Result<Vec<PassRow>, StoreError> {
        self.query(|connection| {
            connection
                .prepare_cached(&format!("{PASS_ROW} ORDER BY id DESC LIMIT ?1"))?
                .query_map([limit_of(limit)], pass_row)?
                .collect()
        })
    }

    /// Lists the last looks at an image with what they found to be different, the latest first.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn history(&self, image: &str, limit: usize) -> Result<Vec<HistoryRow>, StoreError> {
        self.snapshot(|connection| {
            let scans = scans_of(connection, image, limit).map_err(unreadable)?;
            scans
                .into_iter()
                .map(|(id, scan)| {
                    let changes = changes_of(connection, id)?;
                    Ok(HistoryRow { id, scan, changes })
                })
                .collect()
        })
    }
}

/// Reads what [`PASS_ROW`] selects.
pub(super) fn pass_row(row: &Row<'_>) -> rusqlite::Result<PassRow> {
    Ok(PassRow {
        id: PassId(row.get(0)?),
        triggered_by: row.get(1)?,
        started_at: row.get(2)?,
        finished_at: row.get(3)?,
        images: row.get::<_, i64>(4)?.unsigned_abs(),
        failed: row.get::<_, i64>(5)?.unsigned_abs(),
    })
}

/// Converts a count or size for SQLite, whose numbers have a sign.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Converts a maximum of rows.
pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Decodes a change; `None` if the row makes no sense.
pub(super) fn parse_change(json: &str) -> Option<Change> {
    serde_json::from_str(json).ok()
}

fn commit_one(
    connection: &Connection,
    commit: &ScanCommit,
    encoded: &Encoded,
) -> Result<Committed, StoreError> {
    let ScanCommit {
        scan,
        state,
        changes,
        inventory,
    } = commit;
    let image = image_key(connection, &scan.image, scan.started_at).map_err(failed)?;
    let id = insert_scan(connection, image, scan).map_err(failed)?;
    put_state(connection, image, state, encoded, scan.started_at)?;
    let changes = changes
        .iter()
        .map(|change| insert_change(connection, image, id, scan.started_at, change))
        .collect::<Result<_, _>>()?;
    if let Some(inventory) = inventory {
        inventories::put(connection, inventory, scan.started_at).map_err(failed)?;
    }
    Ok(Committed { scan: id, changes })
}

fn insert_scan(connection: &Connection, image: i64, scan: &Scan) -> rusqlite::Result<ScanId> {
    connection
        .prepare_cached(
            "INSERT INTO scan (image, pass, image_id, triggered_by, started_at, duration_ms, status,
                 reason, database_updated_at, critical, high, medium, low, unknown)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) RETURNING id",
        )?
        .query_row(
            params![
                image,
                scan.pass.map(|pass| pass.0),
                scan.image_id.as_ref().map(Digest::as_bytes),
                scan.triggered_by,
                scan.started_at,
                number(scan.duration_ms),
                scan.status.name(),
                scan.reason,
                scan.database_updated_at,
                number(scan.counts.get(Severity::Critical)),
                number(scan.counts.get(Severity::High)),
                number(scan.counts.get(Severity::Medium)),
                number(scan.counts.get(Severity::Low)),
                number(scan.counts.get(Severity::Unknown)),
            ],
            |row| row.get(0).map(ScanId),
        )
}

/// Replaces what is remembered of an image. Most looks find what the look before found, so what
/// is the same is not written again.
fn put_state(
    connection: &Connection,
    image: i64,
    state: &ImageState,
    encoded: &Encoded,
    now: i64,
) -> Result<(), StoreError> {
    let (old_packages, old_findings) = digests_of(connection, image).map_err(failed)?;
    put_header(connection, image, state).map_err(failed)?;
    match &encoded.packages {
        Some(new) => put_packed(
            connection,
            PACKAGES,
            image,
            old_packages,
            new,
            &state.packages,
        )?,
        None if old_packages.is_some() => false,
        // The image was forgotten meanwhile.
        None => {
            let new = PackedJson::new(PACKAGES, &state.packages, None)?;
            put_packed(connection, PACKAGES, image, None, &new, &state.packages)?
        }
    };
    let (new, findings) = (&encoded.findings, &state.findings);
    if put_packed(connection, FINDINGS, image, old_findings, new, findings)? {
        findings::replace(connection, image, findings, now).map_err(failed)?;
    }
    Ok(())
}

fn image_key_of(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM image WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// The digests of the packages and findings that are stored.
type Digests = (Option<Digest>, Option<Digest>);

fn digests_of(connection: &Connection, image: i64) -> rusqlite::Result<Digests> {
    let row = connection
        .prepare_cached(
            "SELECT packages_digest, findings_digest FROM image_state WHERE image = ?1",
        )?
        .query_row([image], |row| Ok((digest(row, 0)?, digest(row, 1)?)))
        .optional()?;
    Ok(row.unwrap_or_default())
}

fn put_header(connection: &Connection, image: i64, state: &ImageState) -> rusqlite::Result<()> {
    let counting = state.findings.iter().filter(|finding| finding.counts());
    let counts: SeverityCounts = counting.map(|finding| finding.severity).collect();
    connection
        .prepare_cached(
            "INSERT INTO image_state (image, image_id, distro, status, reason, database_updated_at,
                 rules, critical, high, medium, low, unknown,
                 packages_digest, packages, findings_digest, findings)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, x'', x'', x'', x'')
             ON CONFLICT (image) DO UPDATE SET image_id = excluded.image_id,
                 distro = excluded.distro, status = excluded.status, reason = excluded.reason,
                 database_updated_at = excluded.database_updated_at, rules = excluded.rules,
                 critical = excluded.critical, high = excluded.high, medium = excluded.medium,
                 low = excluded.low, unknown = excluded.unknown",
        )?
        .execute(params![
            image,
            state.image_id.as_ref().map(Digest::as_bytes),
            state.distro,
            state.status.name(),
            state.reason,
            state.database_updated_at,
            state.rules,
            number(counts.get(Severity::Critical)),
            number(counts.get(Severity::High)),
            number(counts.get(Severity::Medium)),
            number(counts.get(Severity::Low)),
            number(counts.get(Severity::Unknown)),
        ])
        .map(drop)
}

/// Puts a value into its column, unless it is there. Returns whether it is another one.
fn put_packed(
    connection: &Connection,
    column: &'static str,
    image: i64,
    old: Option<Digest>,
    new: &PackedJson,
    value: &impl Serialize,
) -> Result<bool, StoreError> {
    if old == Some(new.digest) {
        return Ok(false);
    }
    let bytes = match &new.bytes {
        Some(bytes) => Cow::Borrowed(bytes),
        // It was there when it was encoded.
        None => Cow::Owned(pack_json(column, value)?),
    };
    connection
        .prepare_cached(&format!(
            "UPDATE image_state SET {column}_digest = ?2, {column} = ?3 WHERE image = ?1"
        ))
        .and_then(|mut statement| statement.execute(params![image, new.digest.as_bytes(), *bytes]))
        .map_err(failed)?;
    Ok(true)
}

fn insert_change(
    connection: &Connection,
    image: i64,
    scan: ScanId,
    at: i64,
    change: &Change,
) -> Result<ChangeId, StoreError> {
    let json = serde_json::to_string(change).map_err(|source| StoreError::EncodeState {
        what: "a change",
        source: source.into(),
    })?;
    let vulnerability_id = change
        .finding
        .as_ref()
        .map_or("", |finding| finding.key.vulnerability_id.as_str());
    connection
        .prepare_cached(
            "INSERT INTO change (image, scan, at, kind, vulnerability_id, change)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
        )
        .and_then(|mut statement| {
            statement.query_row(
                params![
                    image,
                    scan.0,
                    at,
                    change.kind.name(),
                    vulnerability_id,
                    json
                ],
                |row| row.get(0).map(ChangeId),
            )
        })
        .map_err(failed)
}

fn scans_of(
    connection: &Connection,
    image: &str,
    limit: usize,
) -> rusqlite::Result<Vec<(ScanId, Scan)>> {
    connection
        .prepare_cached(
            "SELECT s.id, s.pass, s.image_id, s.triggered_by, s.started_at, s.duration_ms, s.status,
                    s.reason, s.database_updated_at, s.critical, s.high, s.medium, s.low, s.unknown
             FROM scan s WHERE s.image = (SELECT id FROM image WHERE name = ?1)
             ORDER BY s.id DESC LIMIT ?2",
        )?
        .query_map(params![image, limit_of(limit)], |row| {
            let scan = Scan {
                pass: row.get::<_, Option<i64>>(1)?.map(PassId),
                image: image.to_owned(),
                image_id: digest(row, 2)?,
                triggered_by: row.get(3)?,
                started_at: row.get(4)?,
                duration_ms: row.get::<_, i64>(5)?.unsigned_abs(),
                status: status(row, 6)?,
                reason: row.get(7)?,
                database_updated_at: row.get(8)?,
                counts: counts(row, 9)?,
            };
            Ok((ScanId(row.get(0)?), scan))
        })?
        .collect()
}

fn changes_of(connection: &Connection, scan: ScanId) -> Result<Vec<Change>, StoreError> {
    let rows: Vec<String> = connection
        .prepare_cached("SELECT change FROM change WHERE scan = ?1 ORDER BY id")
        .and_then(|mut statement| {
            let rows = statement.query_map([scan.0], |row| row.get(0))?;
            rows.collect()
        })
        .map_err(unreadable)?;
    rows.iter()
        .map(|json| {
            parse_change(json).ok_or_else(|| StoreError::DecodeState {
                what: "change",
                of: format!("scan {scan}"),
            })
        })
        .collect()
}
