//! Builds Java indices with just the rows that a test needs.

use std::io;
use std::path::Path;

use rusqlite::Connection;

use crate::image::gzip;
use crate::tar::{RawHeader, RawTar};

/// Builds a Java index: `trivy-java.db` and `metadata.json`.
#[derive(Clone, Debug)]
pub struct JavaIndexBuilder {
    rows: Vec<Row>,
    metadata: String,
    is_write_ahead: bool,
    has_archive_types: bool,
}

#[derive(Clone, Debug)]
struct Row {
    group: String,
    artifact: String,
    version: String,
    sha1: [u8; 20],
    kind: String,
}

impl Default for JavaIndexBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl JavaIndexBuilder {
    /// Starts with an empty index of schema version 1, built on 21 November 2026 and good for
    /// three days.
    pub fn new() -> Self {
        Self {
            rows: Vec::new(),
            metadata: concat!(
                r#"{"Version":1,"NextUpdate":"2026-11-24T06:00:00Z","#,
                r#""UpdatedAt":"2026-11-21T06:00:00Z","DownloadedAt":"2026-11-21T09:00:00Z"}"#,
                "\n"
            )
            .to_owned(),
            is_write_ahead: false,
            has_archive_types: true,
        }
    }

    /// Adds a published jar.
    #[must_use]
    pub fn jar(self, group: &str, artifact: &str, version: &str, sha1: &[u8; 20]) -> Self {
        self.row(group, artifact, version, sha1, "jar")
    }

    /// Adds a published archive of any type.
    #[must_use]
    pub fn row(
        mut self,
        group: &str,
        artifact: &str,
        version: &str,
        sha1: &[u8; 20],
        kind: &str,
    ) -> Self {
        self.rows.push(Row {
            group: group.to_owned(),
            artifact: artifact.to_owned(),
            version: version.to_owned(),
            sha1: *sha1,
            kind: kind.to_owned(),
        });
        self
    }

    /// Replaces `metadata.json`.
    #[must_use]
    pub fn metadata(mut self, json: &str) -> Self {
        json.clone_into(&mut self.metadata);
        self
    }

    /// Marks the file as one whose changes are written ahead.
    #[must_use]
    pub fn write_ahead(mut self) -> Self {
        self.is_write_ahead = true;
        self
    }

    /// Leaves the types of archives out: it can be opened, and cannot be asked for names.
    #[must_use]
    pub fn without_archive_types(mut self) -> Self {
        self.has_archive_types = false;
        self
    }

    /// Writes both files into a directory.
    ///
    /// # Errors
    ///
    /// The directory cannot be written.
    pub fn write_to(&self, directory: &Path) -> io::Result<()> {
        std::fs::write(directory.join("trivy-java.db"), self.database())?;
        std::fs::write(directory.join("metadata.json"), &self.metadata)
    }

    /// Packs both files as they are published (`javadb.tar.gz`).
    pub fn archive(&self) -> Vec<u8> {
        let mut tar = RawTar::default();
        let database = self.database();
        for (name, content) in [
            ("trivy-java.db", database.as_slice()),
            ("metadata.json", self.metadata.as_bytes()),
        ] {
            tar = tar.entry(&RawHeader::file(name, content.len() as u64), content);
        }
        gzip(&tar.finish())
    }

    /// Builds the database.
    pub fn database(&self) -> Vec<u8> {
        let mut connection = Connection::open_in_memory().expect("memory can be had");
        self.fill(&connection).expect("the statements are right");
        let mut bytes = connection
            .serialize("main")
            .expect("a database in memory can be copied")
            .to_vec();
        if self.is_write_ahead {
            bytes[18..20].copy_from_slice(&[2, 2]);
        }
        bytes
    }

    fn fill(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(
            "CREATE TABLE artifacts(id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT);
             CREATE TABLE indices(artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT,
                 FOREIGN KEY (artifact_id) REFERENCES artifacts(id));
             CREATE UNIQUE INDEX artifacts_idx ON artifacts(artifact_id, group_id);
             CREATE INDEX indices_artifact_idx ON indices(artifact_id);
             CREATE UNIQUE INDEX indices_sha1_idx ON indices(sha1);",
        )?;
        for row in &self.rows {
            connection.execute(
                "INSERT OR IGNORE INTO artifacts(group_id, artifact_id) VALUES (?1, ?2)",
                [&row.group, &row.artifact],
            )?;
            connection.execute(
                "INSERT INTO indices SELECT id, ?3, ?4, ?5 FROM artifacts
                 WHERE group_id = ?1 AND artifact_id = ?2",
                rusqlite::params![
                    row.group,
                    row.artifact,
                    row.version,
                    &row.sha1[..],
                    row.kind
                ],
            )?;
        }
        if !self.has_archive_types {
            connection.execute_batch("ALTER TABLE indices DROP COLUMN archive_type")?;
        }
        Ok(())
    }
}
