//! The Java index: which artifact an archive is, by its digest or by parts of its name.
//!
//! The file is Trivy's (SQLite, schema 1) and never written: it is opened as one that cannot
//! change, so that SQLite takes no lock and leaves no file beside it. A new index takes the place
//! of an old one by renaming; whoever has the old one open keeps it. Source: spec 01 section 6.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cleanbill_core::java::{JavaArtifact, JavaIndex, JavaLookupError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, Row};

use crate::sqlite::uri;

/// Pages of the index that are kept in memory, in KiB. A look-up touches a dozen.
const CACHE_SIZE_KIB: i64 = 4096;

/// Says why a file could not be opened as a Java index.
#[derive(Debug, thiserror::Error)]
pub enum JavaIndexError {
    /// There is no such file.
    #[error("there is no Java index {path}")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is not an index, or damaged.
    #[error("the Java index {path} cannot be used")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// It is a database of another kind.
    #[error("{path} is no Java index: it has no table {table}")]
    TableMissing {
        /// The file.
        path: PathBuf,
        /// What it should have.
        table: &'static str,
    },
    /// It opens, but holds nothing.
    #[error("the Java index {path} is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Is an open index. It may be shared between threads; they look up one at a time.
#[derive(Debug)]
pub struct JavaIndexFile {
    connection: Mutex<Connection>,
}

impl JavaIndexFile {
    /// Opens an index and checks that it has the tables that look-ups need.
    ///
    /// # Errors
    ///
    /// See [`JavaIndexError`].
    pub fn open(path: &Path) -> Result<Self, JavaIndexError> {
        if !path.is_file() {
            return Err(JavaIndexError::Missing {
                path: path.to_owned(),
            });
        }
        let unusable = |source| JavaIndexError::Unusable {
            path: path.to_owned(),
            source,
        };
        let connection = connect(path).map_err(unusable)?;
        for table in ["artifacts", "indices"] {
            if !has_table(&connection, table).map_err(unusable)? {
                return Err(JavaIndexError::TableMissing {
                    path: path.to_owned(),
                    table,
                });
            }
        }
        let index = Self {
            connection: Mutex::new(connection),
        };
        // Statements that cannot be prepared, or a first page that cannot be read, show here.
        match index.query(BY_SHA1, [&[0_u8; 20][..]], artifact) {
            Ok(_) => {}
            Err(source) => return Err(unusable(source)),
        }
        if index.is_empty().map_err(unusable)? {
            return Err(JavaIndexError::Empty {
                path: path.to_owned(),
            });
        }
        Ok(index)
    }

    fn is_empty(&self) -> rusqlite::Result<bool> {
        let found = self.query("SELECT 1 FROM indices LIMIT 1", [], |row| {
            row.get::<_, i64>(0)
        })?;
        Ok(found.is_none())
    }

    /// Returns the first row of a statement, which is prepared once.
    fn query<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row(parameters, read).optional()
    }

    /// Returns the groups that have a version of an artifact, each with its weight: every archive of
    /// the artifact counts as often as the artifact has the version, as in the reference
    /// implementation. Only the group that is the answer need be a text.
    fn weights(&self, name: &str, version: &str) -> rusqlite::Result<BTreeMap<Vec<u8>, i64>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(COUNTS_BY_GROUP)?;
        let mut rows = statement.query([name, version])?;
        let mut weights = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (of_version, of_all): (i64, i64) = (row.get(1)?, row.get(2)?);
            if of_version > 0 {
                let group = row.get_ref(0)?.as_bytes_or_null()?.unwrap_or_default();
                let weight = weights.entry(group.to_vec()).or_insert(0_i64);
                *weight = weight.saturating_add(of_version.saturating_mul(of_all));
            }
        }
        Ok(weights)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the group of most weight; of equals the one that sorts first.
fn heaviest(weights: BTreeMap<Vec<u8>, i64>) -> Option<Vec<u8>> {
    let groups = weights.into_iter().rev();
    groups
        .max_by_key(|(_, weight)| *weight)
        .map(|(group, _)| group)
}

const BY_NAME: &str = "\
    SELECT 1 FROM artifacts a JOIN indices i ON i.artifact_id = a.id \
    WHERE a.artifact_id = ?1 AND a.group_id = ?2 LIMIT 1";

const BY_SHA1: &str = "\
    SELECT a.group_id, a.artifact_id, i.version FROM indices i JOIN artifacts a \
    ON a.id = i.artifact_id WHERE i.sha1 = ?1";

/// How many archives of a version each artifact of a name has, and how many at all. SQLite could find
/// the right one itself, but takes 87 KB for each question then to sort what is mostly one row.
const COUNTS_BY_GROUP: &str = "\
    SELECT a.group_id, \
    (SELECT count(*) FROM indices v \
     WHERE v.artifact_id = a.id AND v.version = ?2 AND v.archive_type = 'jar'), \
    (SELECT count(*) FROM indices i WHERE i.artifact_id = a.id) \
    FROM artifacts a WHERE a.artifact_id = ?1";

impl JavaIndex for JavaIndexFile {
    fn has_artifact(&self, group: &str, name: &str) -> Result<bool, JavaLookupError> {
        let found = self.query(BY_NAME, [name, group], |row| row.get::<_, i64>(0));
        found.map(|row| row.is_some()).map_err(failed)
    }

    fn artifact_by_sha1(&self, sha1: &[u8; 20]) -> Result<Option<JavaArtifact>, JavaLookupError> {
        self.query(BY_SHA1, [&sha1[..]], artifact).map_err(failed)
    }

    fn group_of(&self, name: &str, version: &str) -> Result<Option<String>, JavaLookupError> {
        let weights = self.weights(name, version).map_err(failed)?;
        let group = heaviest(weights).map(String::from_utf8).transpose();
        group.map_err(|error| JavaLookupError(Box::new(error)))
    }
}

fn artifact(row: &Row<'_>) -> rusqlite::Result<JavaArtifact> {
    Ok(JavaArtifact {
        group: row.get(0)?,
        artifact: row.get(1)?,
        version: row.get(2)?,
    })
}

fn failed(source: rusqlite::Error) -> JavaLookupError {
    JavaLookupError(Box::new(source))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(path, "mode=ro&immutable=1"), flags)?;
    // What the file declares beside tables and indices is not run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cache_size", -CACHE_SIZE_KIB)?;
    Ok(connection)
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
    connection.prepare(sql)?.exists([name])
}
