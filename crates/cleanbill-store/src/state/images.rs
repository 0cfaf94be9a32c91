//! Images and containers, as the engine lists them.

use std::collections::BTreeMap;

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::SeverityCounts;
use cleanbill_core::{Digest, Severity};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{Assessment, Container, ImageRow, SeenImage};
use super::{StateReader, StateStore, failed};
use crate::StoreError;

/// The columns that [`image_row`] reads.
const IMAGE_ROW: &str = "\
    SELECT i.name, i.image_id, i.first_seen_at, i.last_seen_at, i.gone_at, i.labels, \
           s.image, s.image_id, s.status, s.reason, s.database_updated_at, s.rules, \
           s.critical, s.high, s.medium, s.low, s.unknown \
    FROM image i LEFT JOIN image_state s ON s.image = i.id";

impl StateStore {
    /// Notes that images are there.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn image_seen(&self, images: &[SeenImage], now: i64) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            images
                .iter()
                .try_for_each(|image| image_upsert(transaction, image, now))
        })
    }

    /// Notes that these images are there and no others. Returns the names of those that went,
    /// sorted.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn image_reconcile(
        &self,
        images: &[SeenImage],
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.write("write", |transaction| {
            let there: std::collections::BTreeSet<&str> =
                images.iter().map(|image| image.name.as_str()).collect();
            let mut gone: Vec<String> = names_there(transaction)
                .map_err(failed)?
                .into_iter()
                .filter(|name| !there.contains(name.as_str()))
                .collect();
            gone.sort();
            for name in &gone {
                mark_gone(transaction, name, now).map_err(failed)?;
            }
            for image in images {
                image_upsert(transaction, image, now)?;
            }
            Ok(gone)
        })
    }

    /// Notes that an image is not there any more. What is known of it stays for a while: it may
    /// come back. Returns whether it was there.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn image_gone(&self, name: &str, now: i64) -> Result<bool, StoreError> {
        self.write("write", |transaction| {
            mark_gone(transaction, name, now).map_err(failed)
        })
    }

    /// Forgets an image, with its history and the changes that were not told. Returns whether it
    /// was known.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn image_forget(&self, name: &str) -> Result<bool, StoreError> {
        self.write("write", |transaction| {
            transaction
                .execute("DELETE FROM image WHERE name = ?1", [name])
                .map(|count| count > 0)
                .map_err(failed)
        })
    }

    /// Replaces the containers that run.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn container_replace(&self, containers: &[Container]) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            transaction
                .execute("DELETE FROM container", [])
                .map_err(failed)?;
            for container in containers {
                insert_container(transaction, container).map_err(failed)?;
            }
            Ok(())
        })
    }
}

impl StateReader {
    /// Lists every image that is or was watched, by name.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn image_list(&self) -> Result<Vec<ImageRow>, StoreError> {
        self.query(|connection| {
            let mut statement =
                connection.prepare_cached(&format!("{IMAGE_ROW} ORDER BY i.name"))?;
            let rows = statement.query_map([], image_row)?;
            rows.collect()
        })
    }

    /// Returns one image.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn image_get(&self, name: &str) -> Result<Option<ImageRow>, StoreError> {
        self.query(|connection| {
            connection
                .prepare_cached(&format!("{IMAGE_ROW} WHERE i.name = ?1"))?
                .query_row([name], image_row)
                .optional()
        })
    }

    /// Lists the containers that run, by name.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn container_list(&self) -> Result<Vec<Container>, StoreError> {
        self.query(containers)
    }
}

/// Returns the key of an image's row, which is made if there is none.
pub(super) fn image_key(connection: &Connection, name: &str, now: i64) -> rusqlite::Result<i64> {
    let found = connection
        .prepare_cached("SELECT id FROM image WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    if let Some(key) = found {
        return Ok(key);
    }
    connection
        .prepare_cached(
            "INSERT INTO image (name, first_seen_at, last_seen_at, labels)
             VALUES (?1, ?2, ?2, '{}') RETURNING id",
        )?
        .query_row(params![name, now], |row| row.get(0))
}

/// Lists the containers that run, by name.
pub(super) fn containers(connection: &Connection) -> rusqlite::Result<Vec<Container>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, image_name, image_id, running_since FROM container ORDER BY name, id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Container {
            id: row.get(0)?,
            name: row.get(1)?,
            image_name: row.get(2)?,
            image_id: digest(row, 3)?,
            running_since: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// Reads a digest that may be absent. One of another length counts as absent.
pub(super) fn digest(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Digest>> {
    Ok(match row.get_ref(index)? {
        ValueRef::Blob(bytes) => bytes.try_into().ok().map(Digest::from_bytes),
        _ => None,
    })
}

/// Reads five counts, worst severity first, from a column on.
pub(super) fn counts(row: &Row<'_>, first: usize) -> rusqlite::Result<SeverityCounts> {
    let count = |offset: usize| -> rusqlite::Result<u64> {
        Ok(row.get::<_, i64>(first + offset)?.unsigned_abs())
    };
    let mut counts = SeverityCounts::default();
    for (offset, severity) in Severity::ALL.into_iter().enumerate() {
        counts.set(severity, count(offset)?);
    }
    Ok(counts)
}

/// Reads a status. A word that a newer version wrote is no sign that all is well.
pub(super) fn status(row: &Row<'_>, index: usize) -> rusqlite::Result<AssessmentStatus> {
    let name: String = row.get(index)?;
    Ok(AssessmentStatus::from_name(&name).unwrap_or(AssessmentStatus::Failed))
}

fn image_row(row: &Row<'_>) -> rusqlite::Result<ImageRow> {
    let labels: String = row.get(5)?;
    let assessment = match row.get_ref(6)? {
        ValueRef::Null => None,
        _ => Some(Assessment {
            image_id: digest(row, 7)?,
            status: status(row, 8)?,
            reason: row.get(9)?,
            database_updated_at: row.get(10)?,
            rules: row.get(11)?,
            counts: counts(row, 12)?,
        }),
    };
    Ok(ImageRow {
        name: row.get(0)?,
        image_id: digest(row, 1)?,
        first_seen_at: row.get(2)?,
        last_seen_at: row.get(3)?,
        gone_at: row.get(4)?,
        labels: serde_json::from_str(&labels).unwrap_or_default(),
        assessment,
    })
}

fn image_upsert(connection: &Connection, image: &SeenImage, now: i64) -> Result<(), StoreError> {
    let labels = labels_json(&image.labels)?;
    connection
        .prepare_cached(
            "INSERT INTO image (name, image_id, first_seen_at, last_seen_at, labels)
             VALUES (?1, ?2, ?3, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET
             image_id = coalesce(excluded.image_id, image_id), last_seen_at = excluded.last_seen_at,
             gone_at = NULL, labels = excluded.labels",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                image.name,
                image.image_id.as_ref().map(Digest::as_bytes),
                now,
                labels
            ])
        })
        .map(drop)
        .map_err(failed)
}

fn labels_json(labels: &BTreeMap<String, String>) -> Result<String, StoreError> {
    serde_json::to_string(labels).map_err(|source| StoreError::EncodeState {
        what: "the labels of an image",
        source: source.into(),
    })
}

fn names_there(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT name FROM image WHERE gone_at IS NULL")?
        .query_map([], |row| row.get(0))?
        .collect()
}

fn mark_gone(connection: &Connection, name: &str, now: i64) -> rusqlite::Result<bool> {
    let mut statement = connection
        .prepare_cached("UPDATE image SET gone_at = ?2 WHERE name = ?1 AND gone_at IS NULL")?;
    Ok(statement.execute(params![name, now])? > 0)
}

fn insert_container(connection: &Connection, container: &Container) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO container (id, name, image_name, image_id, running_since)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            container.id,
            container.name,
            container.image_name,
            container.image_id.as_ref().map(Digest::as_bytes),
            container.running_since,
        ])
        .map(drop)
}
