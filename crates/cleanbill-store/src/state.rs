//! What `watch` knows: images, what was found in them, what changed, and what is still to be told.
//!
//! Unlike the cache this file cannot be made anew. So: each use case is one transaction, one
//! process owns the file, a backup lies beside it, and opening says what condition it was in.
//! Others may read at any time, and write beside the owner what a person asks for.
//!
//! The chain that nothing may be lost from: a look at an image commits what to remember together
//! with the changes; messages are put into the outbox in the transaction that marks their changes
//! as told; a message leaves the outbox when somebody has acknowledged it. A process that is
//! killed between two links begins again at the earlier one. What was acknowledged is not sent
//! again; what was sent and not acknowledged is.
//!
//! Points in time are Unix milliseconds and always an argument.

mod activity;
mod backup;
mod changes;
mod finding_record;
mod findings;
mod images;
mod inventories;
mod meta;
mod opening;
mod outbox;
mod packing;
mod prune;
mod rows;
mod scans;
mod summary;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::StoreError;
use crate::error::StoreFile;
use crate::sqlite;

pub use activity::{Activity, ActivityMark, DeliveryActivity, ScanActivity};
pub use packing::PackedInventory;
pub use rows::*;
pub use scans::EncodedCommit;

use opening::LAYOUT;

/// Is the state, open for writing. It may be shared between threads; they write one at a time.
#[derive(Debug)]
pub struct StateStore {
    // Closed before the writer: the last one to close clears up the journal, if it may write.
    reader: StateReader,
    writer: Arc<Mutex<Connection>>,
    path: Option<PathBuf>,
    /// Held for as long as this process owns the state.
    _lock: Option<File>,
}

/// Is the state, open for reading. It may be shared between threads; they read one at a time.
#[derive(Debug)]
pub struct StateReader {
    connection: Arc<Mutex<Connection>>,
}

impl StateStore {
    /// The name of the file inside the state directory.
    pub const FILE_NAME: &'static str = "state.db";

    /// Opens or creates the state in a directory and becomes its owner. A damaged file is set
    /// aside, and the last backup takes its place; the answer says so.
    ///
    /// # Errors
    ///
    /// Another process owns it; it belongs to a newer version; the directory cannot be written or
    /// is full.
    pub fn open(directory: &Path, now: i64) -> Result<(Self, Opened), StoreError> {
        let path = directory.join(Self::FILE_NAME);
        sqlite::make_directory(&path, &LAYOUT)?;
        let lock = opening::lock(&path)?;
        let (connection, opened) = opening::open(&path, &LAYOUT, now)?;
        let store = Self {
            writer: Arc::new(Mutex::new(connection)),
            reader: StateReader::connect(&path)?,
            path: Some(path),
            _lock: Some(lock),
        };
        Ok((store, opened))
    }

    /// Opens the state beside its owner, if there is one, to write what a person asks for. It is
    /// neither created nor repaired.
    ///
    /// # Errors
    ///
    /// There is none; it is damaged; it belongs to another version.
    pub fn join(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(Self::FILE_NAME);
        let reader = StateReader::open(directory)?;
        let connection = sqlite::connect(&path, &LAYOUT)?;
        Ok(Self {
            writer: Arc::new(Mutex::new(connection)),
            reader,
            path: Some(path),
            _lock: None,
        })
    }

    /// Makes a state that ends with the process: for when no file can be had.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Arc::new(Mutex::new(sqlite::create_in_memory(&LAYOUT)?));
        Ok(Self {
            writer: Arc::clone(&connection),
            reader: StateReader { connection },
            path: None,
            _lock: None,
        })
    }

    /// Returns what reads. Readers see what is committed and do not wait for writers.
    pub fn read(&self) -> &StateReader {
        &self.reader
    }

    /// Copies the state to the backup beside it, which is replaced at once or not at all. Does
    /// nothing in memory. Writers wait meanwhile.
    ///
    /// # Errors
    ///
    /// The disk is full, or the state is damaged; the backup of before stays.
    pub fn back_up(&self) -> Result<(), StoreError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        backup::write(&lock(&self.writer), &backup::path_of(path), &LAYOUT)
    }

    /// Returns when the backup was made, in Unix milliseconds; `None` if there is none.
    pub fn backed_up_at(&self) -> Option<i64> {
        let path = self.path.as_ref()?;
        backup::made_at(&backup::path_of(path))
    }

    /// Runs a use case in one transaction: all of it is written, or nothing.
    fn write<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let failed = StoreFile::State.failed(operation);
        let mut connection = lock(&self.writer);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let value = work(&transaction)?;
        transaction.commit().map_err(failed)?;
        Ok(value)
    }

    /// Gives back the memory in which pages of the file are kept for speed, up to 4 MiB.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn forget_pages(&self) -> Result<(), StoreError> {
        for connection in [&self.writer, &self.reader.connection] {
            sqlite::forget_pages(&lock(connection)).map_err(unreadable)?;
        }
        Ok(())
    }
}

impl StateReader {
    /// Opens the state in a directory to read it, whether its owner runs or not. Nothing is
    /// created or changed.
    ///
    /// # Errors
    ///
    /// There is none; it is damaged; it belongs to another version.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(StateStore::FILE_NAME);
        if !path.exists() {
            return Err(StoreError::Missing {
                file: StoreFile::State,
                path,
            });
        }
        let reader = Self::connect(&path)?;
        reader.check_schema(&path)?;
        Ok(reader)
    }

    fn connect(path: &Path) -> Result<Self, StoreError> {
        let connection = sqlite::connect_to_read(path).map_err(StoreFile::State.failed("open"))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    fn check_schema(&self, path: &Path) -> Result<(), StoreError> {
        let found = sqlite::schema_version(&lock(&self.connection), &LAYOUT)?;
        let known = LAYOUT.known();
        let path = path.to_owned();
        let file = StoreFile::State;
        match found.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(StoreError::NewerSchema {
                file,
                path,
                found,
                known,
            }),
            std::cmp::Ordering::Less => Err(StoreError::OlderSchema {
                file,
                path,
                found,
                known,
            }),
        }
    }

    /// Runs a query. What it reads is of one moment only if it is one statement.
    fn query<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&lock(&self.connection)).map_err(unreadable)
    }

    /// Runs several queries that see the same moment.
    fn snapshot<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = lock(&self.connection);
        let transaction = connection.transaction().map_err(unreadable)?;
        work(&transaction)
    }
}

/// Turns errors of a statement that writes into ones of the state.
fn failed(source: rusqlite::Error) -> StoreError {
    StoreFile::State.failed("write")(source)
}

/// Turns errors of a statement that reads into ones of the state.
fn unreadable(source: rusqlite::Error) -> StoreError {
    StoreFile::State.failed("read")(source)
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    // A panic while the lock was held left no half-done transaction: SQLite rolled it back.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
