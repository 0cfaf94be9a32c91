//! Single values: the settings' digest, the last heartbeat, where the engine's events were left.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StateReader, StateStore, failed};
use crate::StoreError;

impl StateStore {
    /// Keeps a value under a key, in place of an older one.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn meta_set(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.write("write", |transaction| set(transaction, key, value))
    }

    /// Keeps several values in one transaction.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn meta_set_all(&self, values: &[(&str, &str)]) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            values
                .iter()
                .try_for_each(|(key, value)| set(transaction, key, value))
        })
    }
}

impl StateReader {
    /// Returns the value of a key.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn meta_get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.query(|connection| get(connection, key))
    }

    /// Returns a random text of 32 hexadecimal digits that was made with the file. It tells
    /// installations apart and says nothing about them.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn install_id(&self) -> Result<String, StoreError> {
        Ok(self.meta_get("install_id")?.unwrap_or_default())
    }
}

fn set(connection: &Connection, key: &str, value: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO meta (key, value) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .and_then(|mut statement| statement.execute(params![key, value]))
        .map(drop)
        .map_err(failed)
}

fn get(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}
