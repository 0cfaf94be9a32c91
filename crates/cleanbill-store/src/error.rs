//! Why a file of the store could not be used.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Names a file of the store in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFile {
    /// The cache of layer inventories.
    LayerCache,
    /// What `watch` knows.
    State,
}

impl fmt::Display for StoreFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreFile::LayerCache => "layer cache",
            StoreFile::State => "state",
        })
    }
}

impl StoreFile {
    /// Says how to come by another file than one that a newer version wrote.
    const fn way_out(self) -> &'static str {
        match self {
            StoreFile::LayerCache => "another --cache-dir",
            StoreFile::State => "another state directory",
        }
    }
}

/// Says what was attempted with a file of the store and failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory could not be made or written.
    #[error("cannot use the directory {path} of the {file}")]
    Directory {
        /// Whose directory it is.
        file: StoreFile,
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file was written by a newer version.
    #[error(
        "the {file} {path} was written by a newer version (schema {found}, known {known}): \
         use that version, or {}", .file.way_out()
    )]
    NewerSchema {
        /// Which file.
        file: StoreFile,
        /// Where it lies.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this version knows.
        known: i64,
    },
    /// The file was written by an older version, and only the process that owns it may bring it up
    /// to date.
    #[error(
        "the {file} {path} was written by an older version (schema {found}, known {known}): \
         start `cleanbill watch` of this version once"
    )]
    OlderSchema {
        /// Which file.
        file: StoreFile,
        /// Where it lies.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The schema that this version needs.
        known: i64,
    },
    /// There is no such file.
    #[error("there is no {file} {path}: nothing has been watched with this state directory yet")]
    Missing {
        /// Which file.
        file: StoreFile,
        /// Where it should lie.
        path: PathBuf,
    },
    /// Another process owns the file.
    #[error("the {file} {path} is in use by another `cleanbill watch`")]
    InUse {
        /// Which file.
        file: StoreFile,
        /// Where it lies.
        path: PathBuf,
    },
    /// There is no space left.
    #[error("cannot {operation} the {file}: the disk is full")]
    DiskFull {
        /// Which file.
        file: StoreFile,
        /// What was attempted.
        operation: &'static str,
        /// The cause.
        #[source]
        source: AnySource,
    },
    /// The file, its directory or its file system may not be written.
    #[error("cannot {operation} the {file}: its place may not be written")]
    ReadOnly {
        /// Which file.
        file: StoreFile,
        /// What was attempted.
        operation: &'static str,
        /// The cause.
        #[source]
        source: AnySource,
    },
    /// The file is damaged. Opened anew by its owner it is set aside.
    #[error("cannot {operation} the {file}: the file is damaged")]
    Damaged {
        /// Which file.
        file: StoreFile,
        /// What was attempted.
        operation: &'static str,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// SQLite failed.
    #[error("cannot {operation} the {file}")]
    Sqlite {
        /// Which file.
        file: StoreFile,
        /// What was attempted.
        operation: &'static str,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// A file beside could not be moved, copied or removed.
    #[error("cannot {operation} {path}")]
    Companion {
        /// What was attempted.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// An inventory could not be encoded.
    #[error("cannot encode the inventory of layer {diff_id}")]
    Encode {
        /// The layer.
        diff_id: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A value of the state could not be encoded.
    #[error("cannot encode {what}")]
    EncodeState {
        /// The value.
        what: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A value of the state makes no sense: somebody else wrote to the file.
    #[error("what the state holds as {what} of {of} makes no sense")]
    DecodeState {
        /// The value.
        what: &'static str,
        /// Whose it is.
        of: String,
    },
    /// A change was told already, so it must not be told by another message.
    #[error("change {change} has been told already")]
    AlreadyTold {
        /// The number of the change.
        change: i64,
    },
    /// There is no message of this number, or it is not in a state in which this can be done.
    #[error("there is no message {message} that could be {operation}")]
    NoSuchMessage {
        /// The number of the message.
        message: i64,
        /// What was to be done with it.
        operation: &'static str,
    },
}

pub(crate) type AnySource = Box<dyn std::error::Error + Send + Sync>;

/// No disk space for the shared memory of the journal.
const IOERR_SHMSIZE: std::ffi::c_int = 4874;

impl StoreFile {
    /// Turns an error of SQLite into one that says what was attempted, told apart by what can be
    /// done about it.
    pub(crate) fn failed(
        self,
        operation: &'static str,
    ) -> impl Fn(rusqlite::Error) -> StoreError + Copy {
        use rusqlite::ErrorCode as Code;
        move |source| {
            let file = self;
            let extended = source.sqlite_error().map(|error| error.extended_code);
            let is_full = matches!(source.sqlite_error_code(), Some(Code::DiskFull))
                || extended == Some(IOERR_SHMSIZE);
            match source.sqlite_error_code() {
                _ if is_full => self.disk_full(operation, source),
                Some(Code::ReadOnly | Code::PermissionDenied) => self.read_only(operation, source),
                Some(Code::DatabaseCorrupt | Code::NotADatabase) => StoreError::Damaged {
                    file,
                    operation,
                    source,
                },
                _ => StoreError::Sqlite {
                    file,
                    operation,
                    source,
                },
            }
        }
    }

    /// Turns an error of the operating system about a file beside into one that says what was
    /// attempted.
    pub(crate) fn failed_at(
        self,
        operation: &'static str,
        path: &Path,
    ) -> impl FnOnce(io::Error) -> StoreError + use<> {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                self.disk_full(operation, source)
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                self.read_only(operation, source)
            }
            _ => StoreError::Companion {
                operation,
                path,
                source,
            },
        }
    }

    fn disk_full(self, operation: &'static str, source: impl Into<AnySource>) -> StoreError {
        StoreError::DiskFull {
            file: self,
            operation,
            source: source.into(),
        }
    }

    pub(crate) fn read_only(
        self,
        operation: &'static str,
        source: impl Into<AnySource>,
    ) -> StoreError {
        StoreError::ReadOnly {
            file: self,
            operation,
            source: source.into(),
        }
    }
}
