//! The directory of the logs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::SummaryLine;
use crate::file_names::{distinct_stem, file_stem, timestamp_text};
use crate::replace_file::replace_file;

/// The summary's name.
pub const SUMMARY_FILE: &str = "scan-summary.log";

/// Looks at one image within one second that get files of their own.
const NUMBER_MAX: u32 = 1000;

/// Says what could not be done with a log.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {path}")]
pub struct ScanLogError {
    /// What was attempted.
    pub operation: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// The cause.
    #[source]
    pub source: io::Error,
}

/// Is the directory of the logs.
#[derive(Clone, Debug)]
pub struct ScanLogDirectory {
    directory: PathBuf,
}

/// Names the two files of a look. They are its own from the moment that they are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanFiles {
    /// The log.
    pub log: PathBuf,
    /// The report as JSON.
    pub json: PathBuf,
}

impl ScanLogDirectory {
    /// Names a directory, which need not be there yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Names the files of a look that begins, `scan-<timestamp>--<image>.log` and `.json`, and makes
    /// the log. Two images of one file name, and two looks within one second, get files of their
    /// own. The directory is made if needed.
    ///
    /// # Errors
    ///
    /// The directory cannot be written.
    pub fn begin(&self, image: &str, time: Timestamp) -> Result<ScanFiles, ScanLogError> {
        fs::create_dir_all(&self.directory).map_err(failed("make", &self.directory))?;
        let distinct = distinct_stem(image);
        let stems = [file_stem(image), distinct.clone()];
        let numbered = (2..NUMBER_MAX).map(|number| format!("{distinct}-{number}"));
        for stem in stems.into_iter().chain(numbered) {
            let name = format!("scan-{}--{stem}", timestamp_text(time));
            let files = ScanFiles {
                log: self.directory.join(format!("{name}.log")),
                json: self.directory.join(format!("{name}.json")),
            };
            match File::create_new(&files.log) {
                Ok(_) => return Ok(files),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("make", &files.log)(error)),
            }
        }
        let full = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(failed("find a free name in", &self.directory)(full))
    }

    /// Appends a line to the summary, whole or not at all.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn append(&self, line: &SummaryLine, time: Timestamp) -> Result<(), ScanLogError> {
        fs::create_dir_all(&self.directory).map_err(failed("make", &self.directory))?;
        let path = self.directory.join(SUMMARY_FILE);
        let append = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            // One call, so that lines of several processes do not mix.
            file.write_all(line.render(time).as_bytes())
        };
        append().map_err(failed("write", &path))
    }
}

impl ScanFiles {
    /// Writes the log, at once or not at all.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write_log(&self, text: &str) -> Result<(), ScanLogError> {
        replace_file(&self.log, text.as_bytes()).map_err(failed("write", &self.log))
    }

    /// Writes the report, at once or not at all.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write_json(&self, report: &[u8]) -> Result<(), ScanLogError> {
        replace_file(&self.json, report).map_err(failed("write", &self.json))
    }
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ScanLogError {
    let path = path.to_owned();
    move |source| ScanLogError {
        operation,
        path,
        source,
    }
}
