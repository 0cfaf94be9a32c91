//! What is remembered of images, and who has a vulnerability.

use std::collections::HashMap;

use cleanbill_core::change::{FindingKey, ImageState, KnownFinding};
use cleanbill_core::{Digest, Severity};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::de::DeserializeOwned;

use super::finding_record::FindingRecord;
use super::images::{containers, digest, status};
use super::packing::decompress;
use super::rows::{AffectedImage, Container};
use super::{StateReader, unreadable};
use crate::StoreError;

/// The columns that [`affected_row`] reads.
pub(super) const AFFECTED_ROW: &str = "\
    SELECT i.name, s.image_id, f.vulnerability_id, f.kind, f.package_name, f.package_path, \
           f.installed_version, f.fixed_version, f.severity, f.covered_by, f.first_seen_at, \
           i.image_id \
    FROM finding f JOIN image i ON i.id = f.image JOIN image_state s ON s.image = f.image";

impl StateReader {
    /// Returns what is remembered of an image, exactly as it was stored; `None` if nobody has
    /// looked at it.
    ///
    /// # Errors
    ///
    /// SQLite failed, or what is stored makes no sense. That is never taken for nothing: it would
    /// tell all findings anew.
    pub fn image_state(&self, name: &str) -> Result<Option<ImageState>, StoreError> {
        self.state_of(name, true)
    }

    /// Returns what is remembered of an image apart from its packages, as
    /// [`StateReader::image_state`] does: for whoever knows them to be the same.
    ///
    /// # Errors
    ///
    /// SQLite failed, or what is stored makes no sense.
    pub fn image_state_without_packages(
        &self,
        name: &str,
    ) -> Result<Option<ImageState>, StoreError> {
        self.state_of(name, false)
    }

    fn state_of(&self, name: &str, with_packages: bool) -> Result<Option<ImageState>, StoreError> {
        let row = self.query(|connection| packed_state(connection, name, with_packages))?;
        let Some((state, packages, findings)) = row else {
            return Ok(None);
        };
        // Outside the lock: decoding takes longer than reading.
        let packages = packages.map(|packages| decode("packages", name, &packages));
        let findings: Vec<FindingRecord> = decode("findings", name, &findings)?;
        Ok(Some(ImageState {
            packages: packages.transpose()?.unwrap_or_default(),
            findings: findings.into_iter().map(KnownFinding::from).collect(),
            ..state
        }))
    }

    /// Counts the vulnerabilities of an image that have a finding of one of these severities, each
    /// once. Findings that an exception covers do not count.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn vulnerability_count(
        &self,
        image: &str,
        severities: impl IntoIterator<Item = Severity>,
    ) -> Result<u64, StoreError> {
        let wanted = severities
            .into_iter()
            .fold(0_i64, |wanted, severity| wanted | 1 << severity.number());
        self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT count(DISTINCT vulnerability_id) FROM finding
                     WHERE image = (SELECT id FROM image WHERE name = ?1)
                       AND covered_by = '' AND (1 << severity) & ?2",
                )?
                .query_row(params![image, wanted], |row| row.get::<_, i64>(0))
        })
        .map(i64::unsigned_abs)
    }

    /// Lists who has a vulnerability, under any of its ids: watched images, by name. Findings that
    /// an exception covers are among them.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn affected(&self, vulnerability_ids: &[&str]) -> Result<Vec<AffectedImage>, StoreError> {
        self.affected_where("f.vulnerability_id = ?1", vulnerability_ids)
    }

    /// Lists the findings of a package, as [`StateReader::affected`] does.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn affected_by_package(
        &self,
        package_name: &str,
    ) -> Result<Vec<AffectedImage>, StoreError> {
        self.affected_where("f.package_name = ?1", &[package_name])
    }

    fn affected_where(
        &self,
        condition: &'static str,
        values: &[&str],
    ) -> Result<Vec<AffectedImage>, StoreError> {
        let mut affected = self.snapshot(|connection| {
            let users = Users(containers(connection).map_err(unreadable)?);
            let mut affected = Vec::new();
            for value in values {
                affected.extend(select(connection, condition, value, &users).map_err(unreadable)?);
            }
            Ok(affected)
        })?;
        affected.sort_by(|a, b| (&a.image, &a.key).cmp(&(&b.image, &b.key)));
        affected.dedup();
        Ok(affected)
    }
}

/// Makes the searchable findings of an image equal to a list. A finding that stays keeps the time
/// when it was seen first.
pub(super) fn replace(
    connection: &Connection,
    image: i64,
    findings: &[KnownFinding],
    now: i64,
) -> rusqlite::Result<()> {
    let Searchable { known, gone } = Searchable::read(connection, image, findings)?;
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO finding (image, vulnerability_id, kind, package_name, package_path,
             installed_version, fixed_version, severity, covered_by, first_seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (finding, known) in findings.iter().zip(known) {
        if known.is_some_and(|row| row.is_same) {
            continue;
        }
        insert.execute(params![
            image,
            finding.key.vulnerability_id,
            finding.key.kind,
            finding.key.package_name,
            finding.key.package_path,
            finding.installed_version,
            finding.fixed_version,
            finding.severity.number(),
            finding.covered_by,
            known.map_or(now, |row| row.first_seen_at),
        ])?;
    }
    let mut delete = connection.prepare_cached("DELETE FROM finding WHERE id = ?1")?;
    for id in gone {
        delete.execute([id])?;
    }
    Ok(())
}

/// Is what the rows of an image say beside a list of findings. Most rows are as the list has them,
/// so nothing of them is copied.
struct Searchable {
    /// In the order of the list; `None` if there is no row.
    known: Vec<Option<KnownRow>>,
    /// The rows that are not in the list.
    gone: Vec<i64>,
}

#[derive(Clone, Copy)]
struct KnownRow {
    first_seen_at: i64,
    /// It says what the list says.
    is_same: bool,
}

impl Searchable {
    fn read(
        connection: &Connection,
        image: i64,
        findings: &[KnownFinding],
    ) -> rusqlite::Result<Self> {
        let keys = findings.iter().map(|finding| key_of(&finding.key));
        let mut known = vec![None; findings.len()];
        let mut gone = Vec::new();
        let places: HashMap<[&str; 4], usize> = keys.zip(0..).collect();
        let mut statement = connection.prepare_cached(
            "SELECT id, vulnerability_id, kind, package_name, package_path, installed_version,
                    fixed_version, severity, covered_by, first_seen_at
             FROM finding WHERE image = ?1",
        )?;
        let mut rows = statement.query([image])?;
        while let Some(row) = rows.next()? {
            let text = |index| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_str()?);
            let key = [text(1)?, text(2)?, text(3)?, text(4)?];
            let place = places.get(&key).copied();
            let in_list = place.and_then(|at| Some((findings.get(at)?, known.get_mut(at)?)));
            let Some((finding, known)) = in_list else {
                gone.push(row.get(0)?);
                continue;
            };
            *known = Some(KnownRow {
                first_seen_at: row.get(9)?,
                is_same: text(5)? == finding.installed_version
                    && text(6)? == finding.fixed_version
                    && row.get::<_, i64>(7)? == i64::from(finding.severity.number())
                    && text(8)? == finding.covered_by,
            });
        }
        Ok(Self { known, gone })
    }
}

fn key_of(key: &FindingKey) -> [&str; 4] {
    [
        &key.vulnerability_id,
        &key.kind,
        &key.package_name,
        &key.package_path,
    ]
}

fn finding_key(row: &Row<'_>, first: usize) -> rusqlite::Result<FindingKey> {
    Ok(FindingKey {
        vulnerability_id: row.get(first)?,
        kind: row.get(first + 1)?,
        package_name: row.get(first + 2)?,
        package_path: row.get(first + 3)?,
    })
}

type PackedState = (ImageState, Option<Vec<u8>>, Vec<u8>);

fn packed_state(
    connection: &Connection,
    name: &str,
    with_packages: bool,
) -> rusqlite::Result<Option<PackedState>> {
    connection
        .prepare_cached(
            "SELECT image_id, distro, status, reason, database_updated_at, rules,
                    CASE WHEN ?2 THEN packages END, findings
             FROM image_state WHERE image = (SELECT id FROM image WHERE name = ?1)",
        )?
        .query_row(params![name, with_packages], |row| {
            let state = ImageState {
                name: name.to_owned(),
                image_id: digest(row, 0)?,
                distro: row.get(1)?,
                status: status(row, 2)?,
                reason: row.get(3)?,
                database_updated_at: row.get(4)?,
                rules: row.get(5)?,
                ..ImageState::default()
            };
            Ok((state, row.get(6)?, row.get(7)?))
        })
        .optional()
}

fn decode<T: DeserializeOwned>(
    what: &'static str,
    image: &str,
    bytes: &[u8],
) -> Result<T, StoreError> {
    decompress(bytes).ok_or_else(|| StoreError::DecodeState {
        what,
        of: image.to_owned(),
    })
}

fn select(
    connection: &Connection,
    condition: &'static str,
    value: &str,
    users: &Users,
) -> rusqlite::Result<Vec<AffectedImage>> {
    connection
        .prepare_cached(&format!(
            "{AFFECTED_ROW} WHERE {condition} AND i.gone_at IS NULL"
        ))?
        .query_map([value], |row| affected_row(row, users))?
        .collect()
}

fn affected_row(row: &Row<'_>, users: &Users) -> rusqlite::Result<AffectedImage> {
    let image: String = row.get(0)?;
    let image_id = digest(row, 1)?;
    Ok(AffectedImage {
        containers: users.of(&image, [image_id, digest(row, 11)?]),
        key: finding_key(row, 2)?,
        installed_version: row.get(6)?,
        fixed_version: row.get(7)?,
        severity: Severity::from_number(row.get(8)?),
        covered_by: row.get(9)?,
        first_seen_at: row.get(10)?,
        image,
        image_id,
    })
}

/// Knows which containers run an image. A container is of an image if it runs that very image, or
/// if it was started by its name and nobody knows what it runs.
struct Users(Vec<Container>);

impl Users {
    /// Returns the containers of an image, by name. An image has two ids: the one that was looked
    /// at, and the one by which the engine lists it, which need not be of the same kind.
    fn of(&self, image: &str, ids: [Option<Digest>; 2]) -> Vec<String> {
        let is_known = ids.iter().any(Option::is_some);
        let runs = |container: &&Container| match container.image_id {
            Some(_) if is_known => ids.contains(&container.image_id),
            _ => container.image_name == image,
        };
        let names = self.0.iter().filter(runs);
        names.map(|container| container.name.clone()).collect()
    }
}
