//! The package databases of rpm: SQLite, NDB and Berkeley DB.
//!
//! Whatever the file is called, its content decides the format. A database is read whole, under a
//! limit of its own, because the blobs of a package lie scattered; its headers are parsed one by
//! one.
//!
//! Source: spec 02 section 2.3. Where the reference silently ignores a damaged database, so do
//! the packages here, but the file is reported as unreadable.

mod bdb;
mod budget;
mod bytes;
mod error;
mod files;
mod header;
mod ndb;
mod package;
pub(super) mod source_rpm;
mod sqlite;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Limits, Package, Problem};

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput};
use cleanbill_core::error_chain;
use error::DatabaseError;
use package::PackageList;

/// Finds the packages of an rpm database.
pub(crate) struct RpmDatabase;

/// Reports write-ahead logs that hold changes: they are not merged into the database.
pub(crate) struct RpmWriteAheadLog;

const DATABASES: &[&str] = &[
    "usr/lib/sysimage/rpm/Packages",
    "var/lib/rpm/Packages",
    "usr/lib/sysimage/rpm/Packages.db",
    "var/lib/rpm/Packages.db",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "var/lib/rpm/rpmdb.sqlite",
    "usr/share/rpm/rpmdb.sqlite",
];

const WRITE_AHEAD_LOGS: &[&str] = &[
    "usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
    "var/lib/rpm/rpmdb.sqlite-wal",
    "usr/share/rpm/rpmdb.sqlite-wal",
];

impl Extractor for RpmDatabase {
    fn name(&self) -> &'static str {
        "rpm"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        DATABASES.contains(&path)
    }

    fn places(&self) -> &'static [&'static str] {
        DATABASES
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        if file.size_bytes == 0 {
            // An image builder's placeholder: there is nothing that could be missed.
            return Err(ExtractError::Ignored);
        }
        let max = file.limits.rpm_database_size_bytes_max;
        if file.size_bytes > max {
            return Err(ExtractError::LimitExceeded(format!(
                "more than {max} bytes (rpm_database_size_bytes_max)"
            )));
        }
        let reading = read(file.body, file.size_bytes, file.limits)?;
        if let Some(error) = &reading.error {
            let kind = if error.is_limit() {
                ProblemKind::LimitExceeded
            } else {
                ProblemKind::UnreadableFile
            };
            draft.add_problem(Problem::at(kind, file.path, error_chain(error)));
        }
        if let Some(packages) = reading.packages {
            draft.add_database(file.path, packages);
        }
        Ok(())
    }
}

impl Extractor for RpmWriteAheadLog {
    fn name(&self) -> &'static str {
        "rpm-wal"
    }

    fn wants(&self, path: &str, size_bytes: u64) -> bool {
        size_bytes > 0 && WRITE_AHEAD_LOGS.contains(&path)
    }

    fn places(&self) -> &'static [&'static str] {
        WRITE_AHEAD_LOGS
    }

    fn extract(&self, _: &mut FileInput<'_>, _: &mut LayerDraft) -> Result<(), ExtractError> {
        Err(ExtractError::Unsupported(
            "packages that stand only in the write-ahead log of the rpm database are not listed"
                .to_owned(),
        ))
    }
}

/// What a database gave.
#[derive(Debug)]
struct Reading {
    /// The packages; `None` if the file counts as no database at all.
    packages: Option<Vec<Package>>,
    /// Why the packages are missing or not all there.
    error: Option<DatabaseError>,
}

/// Reads a database of `size_bytes` bytes.
///
/// # Errors
///
/// Only those of `content`; what is wrong with the database is part of the result.
fn read(content: &mut dyn Read, size_bytes: u64, limits: &Limits) -> io::Result<Reading> {
    let mut packages = PackageList::new(limits);
    let result = visit_headers(content, size_bytes, &mut |blob| packages.add(blob))?;
    let interruption = match result {
        Ok(()) => None,
        Err(error) if error.keeps_packages() => Some(error),
        Err(error) => return Ok(Reading::failed(error)),
    };
    Ok(match packages.finish() {
        Ok(packages) => Reading {
            packages: Some(packages),
            error: interruption,
        },
        Err(error) => Reading::failed(error),
    })
}

impl Reading {
    fn failed(error: DatabaseError) -> Self {
        Self {
            packages: None,
            error: Some(error),
        }
    }
}

fn visit_headers(
    content: &mut dyn Read,
    size_bytes: u64,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), DatabaseError>,
) -> io::Result<Result<(), DatabaseError>> {
    let mut bytes = Vec::new();
    content
        .take(sqlite::HEADER_SIZE as u64)
        .read_to_end(&mut bytes)?;
    if bytes.starts_with(sqlite::MAGIC) {
        let mut rest = Watched::new(content);
        let result = sqlite::for_each_header(&bytes, &mut rest, size_bytes, visit);
        return rest.error.map_or(Ok(result), Err);
    }
    bytes.reserve_exact(
        usize::try_from(size_bytes)
            .unwrap_or(0)
            .saturating_sub(bytes.len()),
    );
    content
        .take(size_bytes.saturating_sub(bytes.len() as u64))
        .read_to_end(&mut bytes)?;
    Ok(if bytes.starts_with(ndb::MAGIC) {
        ndb::for_each_header(&bytes, visit)
    } else {
        bdb::for_each_header(&bytes, visit)
    })
}

/// Remembers the error of a reader that is handed to SQLite, which would turn it into text.
struct Watched<'a> {
    inner: &'a mut dyn Read,
    error: Option<io::Error>,
}

impl<'a> Watched<'a> {
    fn new(inner: &'a mut dyn Read) -> Self {
        Self { inner, error: None }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let copy = io::Error::new(error.kind(), "the layer could not be read");
            if error.kind() != io::ErrorKind::Interrupted {
                self.error = Some(error);
            }
            copy
        })
    }
}
