//! The advisory database on disk: whether it is due, and how a new one takes its place.
//!
//! A new database is written beside the one in use, opened and checked, and then renamed over it;
//! whoever has the old one mapped keeps it. Whatever fails on the way, the last good one stays.

mod archive;
mod due;
mod error;
mod kind;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cleanbill_advisories::{Database, METADATA_FILE, Metadata, OpenError};
use cleanbill_core::Limits;
use cleanbill_core::report::DatabaseInfo;
use jiff::Timestamp;
use tempfile::TempDir;

pub use archive::archive_kind;
pub use due::{Due, due, java_index_due};
pub use error::AdvisoryStoreError;
pub use kind::{ADVISORIES, DatabaseKind, JAVA_INDEX};

/// Begins the names of directories that are being filled; what a killed process left behind is found
/// by it.
const UNFINISHED_PREFIX: &str = ".unfinished-";

/// Keeps the advisory database, or the Java index, in one directory.
#[derive(Clone, Debug)]
pub struct AdvisoryStore {
    directory: PathBuf,
    kind: &'static DatabaseKind,
}

/// Holds the lock under which a database is replaced; readers need none.
#[derive(Debug)]
pub struct UpdateLock {
    file: File,
    path: PathBuf,
    /// Directories that were made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl UpdateLock {
    /// Leaves no directory behind that was made in vain.
    fn remove_what_is_empty(&self) {
        let Some(directory) = self.made.first() else {
            return;
        };
        let entries = std::fs::read_dir(directory).map(Iterator::count);
        if entries.is_ok_and(|count| count == 1) && std::fs::remove_file(&self.path).is_ok() {
            // The first that holds something else ends it.
            let _ = self.made.iter().try_for_each(std::fs::remove_dir);
        }
    }
}

impl Drop for UpdateLock {
    fn drop(&mut self) {
        self.remove_what_is_empty();
        // Closing the file releases the lock anyway.
        let _ = self.file.unlock();
    }
}

impl AdvisoryStore {
    /// Names the directory of the advisory database; it need not exist.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            kind: &ADVISORIES,
        }
    }

    /// Names the directory of the Java index; it need not exist.
    pub fn java_index(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            kind: &JAVA_INDEX,
        }
    }

    /// Says which of the two it keeps.
    pub fn kind(&self) -> &'static DatabaseKind {
        self.kind
    }

    /// Returns the file that holds the database.
    pub fn file(&self) -> PathBuf {
        self.directory.join(self.kind.file)
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Opens the advisory database.
    ///
    /// # Errors
    ///
    /// There is none, or it is damaged or of another schema.
    pub fn open(&self) -> Result<Database, OpenError> {
        Database::open(&self.directory)
    }

    /// Opens the database, whichever it is, and returns what it says about itself.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be used.
    pub fn check(&self) -> Result<Metadata, AdvisoryStoreError> {
        (self.kind.check)(&self.directory)?;
        self.read_metadata(&self.directory)
    }

    fn read_metadata(&self, directory: &Path) -> Result<Metadata, AdvisoryStoreError> {
        let path = directory.join(METADATA_FILE);
        let bytes = std::fs::read(&path).map_err(|source| self.failed("read", &path, source))?;
        Metadata::parse(&bytes).map_err(AdvisoryStoreError::Metadata)
    }

    /// Waits for other processes that replace the database, and keeps them out.
    ///
    /// # Errors
    ///
    /// The directory cannot be written.
    pub fn lock(&self) -> Result<UpdateLock, AdvisoryStoreError> {
        let path = self.directory.join(".lock");
        loop {
            let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
            let made = self.directory.ancestors().take_while(missing);
            let made = made.map(Path::to_owned).collect();
            std::fs::create_dir_all(&self.directory)
                .map_err(|source| self.failed("create", &self.directory, source))?;
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path);
            let file = match file {
                Ok(file) => file,
                // Who held it has just removed the directory.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(self.failed("create", &path, source)),
            };
            file.lock()
                .map_err(|source| self.failed("lock", &path, source))?;
            // Who held it may have removed it.
            if is_at(&file, &path) {
                return Ok(UpdateLock { file, path, made });
            }
        }
    }

    /// Replaces the database by the one in an archive (`db.tar.gz`). `downloaded_at` is noted in
    /// its metadata.
    ///
    /// # Errors
    ///
    /// The archive cannot be read or holds no usable database; the old one stays.
    pub fn install_archive(
        &self,
        _lock: &UpdateLock,
        archive: &mut (dyn Read + Send),
        limits: &Limits,
        downloaded_at: Timestamp,
    ) -> Result<Metadata, AdvisoryStoreError> {
        let unfinished = self.unfinished()?;
        let path = unfinished.path().join(self.kind.file);
        let mut database =
            File::create(&path).map_err(|source| self.failed("create", &path, source))?;
        let metadata = archive::unpack(archive, self.kind, limits, &mut database)?;
        self.install(&unfinished, &database, &metadata, downloaded_at)
    }

    /// Replaces the database by the one in a directory.
    ///
    /// # Errors
    ///
    /// The directory holds no usable database; the old one stays.
    pub fn install_directory(
        &self,
        _lock: &UpdateLock,
        source: &Path,
        downloaded_at: Timestamp,
    ) -> Result<Metadata, AdvisoryStoreError> {
        let unfinished = self.unfinished()?;
        let path = source.join(METADATA_FILE);
        let metadata = std::fs::read(&path).map_err(|source| self.failed("read", &path, source))?;
        let path = source.join(self.kind.file);
        let mut from = File::open(&path).map_err(|source| self.failed("read", &path, source))?;
        let copy = unfinished.path().join(self.kind.file);
        let database = File::create(&copy).and_then(|mut database| {
            io::copy(&mut from, &mut database)?;
            Ok(database)
        });
        let database = database.map_err(|source| self.failed("write", &copy, source))?;
        self.install(&unfinished, &database, &metadata, downloaded_at)
    }

    /// Writes the database in use as an archive that [`Self::install_archive`] and Trivy read.
    ///
    /// # Errors
    ///
    /// There is no database, or the archive cannot be written.
    pub fn export(&self, out: &mut dyn Write) -> Result<Metadata, AdvisoryStoreError> {
        let metadata = self.check()?;
        let path = self.file();
        let mut file = File::open(&path).map_err(|source| self.failed("read", &path, source))?;
        archive::pack(&metadata, self.kind, &mut file, out)?;
        Ok(metadata)
    }

    /// Checks a new database and renames it over the old one, the big file first: a metadata file
    /// that is older than its database only makes the next update come early.
    fn install(
        &self,
        unfinished: &TempDir,
        database: &File,
        metadata: &[u8],
        downloaded_at: Timestamp,
    ) -> Result<Metadata, AdvisoryStoreError> {
        let mut metadata = Metadata::parse(metadata).map_err(AdvisoryStoreError::Metadata)?;
        metadata.downloaded_at = downloaded_at;
        let path = unfinished.path().join(METADATA_FILE);
        File::create(&path)
            .and_then(|mut file| {
                file.write_all(metadata.to_json().as_bytes())?;
                file.sync_all()?;
                database.sync_all()
            })
            .map_err(|source| self.failed("write", &path, source))?;
        (self.kind.check)(unfinished.path())?;
        for name in [self.kind.file, METADATA_FILE] {
            let path = self.directory.join(name);
            std::fs::rename(unfinished.path().join(name), &path)
                .map_err(|source| self.failed("replace", &path, source))?;
        }
        Ok(metadata)
    }

    /// Makes a directory for a database that is not whole yet, after removing those that killed
    /// processes left behind. Only called under the lock.
    fn unfinished(&self) -> Result<TempDir, AdvisoryStoreError> {
        self.remove_unfinished();
        tempfile::Builder::new()
            .prefix(UNFINISHED_PREFIX)
            .tempdir_in(&self.directory)
            .map_err(|source| self.failed("create a directory in", &self.directory, source))
    }

    /// Removes databases that are not whole yet. Only for whoever holds the lock: they are his own,
    /// or of a killed process.
    pub fn remove_unfinished(&self) {
        for entry in std::fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry
                .file_name()
                .to_string_lossy()
                .starts_with(UNFINISHED_PREFIX)
            {
                tracing::debug!(path = %entry.path().display(), "removing an unfinished download");
                // It is tried again next time.
                let path = entry.path();
                let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
            }
        }
    }

    fn failed(
        &self,
        operation: &'static str,
        path: &Path,
        source: io::Error,
    ) -> AdvisoryStoreError {
        AdvisoryStoreError::File {
            operation,
            path: path.to_owned(),
            source,
        }
    }
}

/// Says whether an open file is the one that a path names.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let own = file.metadata().map(identity);
    let named = std::fs::metadata(path).map(identity);
    matches!((own, named), (Ok(own), Ok(named)) if own == named)
}

/// Describes a database for the report.
pub fn database_info(metadata: &Metadata, now: Timestamp) -> DatabaseInfo {
    let text = |time: Timestamp| {
        if time == Metadata::ZERO_TIME {
            String::new()
        } else {
            time.to_string()
        }
    };
    DatabaseInfo {
        schema_version: metadata.version,
        updated_at: text(metadata.updated_at),
        next_update: text(metadata.next_update),
        downloaded_at: text(metadata.downloaded_at),
        age_hours: now.duration_since(metadata.updated_at).as_hours().max(0),
        ..DatabaseInfo::default()
    }
}

#[cfg(test)]
mod tests;
