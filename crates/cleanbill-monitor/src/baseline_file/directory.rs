//! The directory of baseline files.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::BaselineFile;
use crate::file_names::{distinct_stem, file_stem, timestamp_text};
use crate::replace_file::replace_file;

/// Bytes of a baseline file. A hundred thousand ids have less.
const SIZE_BYTES_MAX: u64 = 16 << 20;

const EXTENSION: &str = "json";

/// Says why a baseline could not be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum BaselineFileError {
    /// A file is no baseline. It is not taken for an empty one.
    #[error("the baseline {path} makes no sense ({reason}){}", kept_as(.aside.as_deref()))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// Where it lies now; `None` if it could not be moved.
        aside: Option<PathBuf>,
    },
    /// A file or the directory could not be read or written.
    #[error("cannot {operation} {path}")]
    Io {
        /// What was attempted.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

fn kept_as(aside: Option<&Path>) -> String {
    match aside {
        Some(aside) => format!(" and is kept as {}", aside.display()),
        None => String::new(),
    }
}

/// Is a directory of baseline files.
#[derive(Clone, Debug)]
pub struct BaselineDirectory {
    directory: PathBuf,
}

/// Says where a baseline was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenBaseline {
    /// The file.
    pub path: PathBuf,
    /// The image whose file has the name that this one should have; `None` in most cases.
    pub kept_apart_from: Option<String>,
    /// Where a file lies now that was in the way and no baseline.
    pub set_aside: Option<PathBuf>,
}

/// Is a file of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBaseline {
    /// The file.
    pub path: PathBuf,
    /// What it says, or why it is no baseline.
    pub baseline: Result<BaselineFile, String>,
}

impl BaselineDirectory {
    /// Names a directory, which need not be there yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Returns the file that an image's baseline is or would be written to, for people to read.
    pub fn path_of(&self, image: &str) -> PathBuf {
        let distinct = self.path(&distinct_stem(image));
        if distinct.exists() {
            distinct
        } else {
            self.path(&file_stem(image))
        }
    }

    /// Reads the baseline of an image with the file that it is from; `None` if it has none. A file
    /// that makes no sense is set aside under a name that `now` is part of.
    ///
    /// # Errors
    ///
    /// See [`BaselineFileError`].
    pub fn read(
        &self,
        image: &str,
        now: Timestamp,
    ) -> Result<Option<(PathBuf, BaselineFile)>, BaselineFileError> {
        for stem in [distinct_stem(image), file_stem(image)] {
            let path = self.path(&stem);
            let Some(parsed) = parse_file(&path)? else {
                continue;
            };
            match parsed {
                Ok(baseline) if is_of(&baseline, image) => return Ok(Some((path, baseline))),
                Ok(_) => {}
                Err(reason) => {
                    let aside = set_aside(&path, now).ok();
                    return Err(BaselineFileError::Corrupt {
                        path,
                        reason,
                        aside,
                    });
                }
            }
        }
        Ok(None)
    }

    /// Writes a baseline, at once or not at all. The directory is made if needed.
    ///
    /// # Errors
    ///
    /// [`BaselineFileError::Io`].
    pub fn write(
        &self,
        baseline: &BaselineFile,
        now: Timestamp,
    ) -> Result<WrittenBaseline, BaselineFileError> {
        fs::create_dir_all(&self.directory).map_err(failed("make", &self.directory))?;
        let mut written = WrittenBaseline {
            path: self.path(&file_stem(&baseline.image)),
            kept_apart_from: None,
            set_aside: None,
        };
        match parse_file(&written.path)? {
            Some(Ok(other)) if !is_of(&other, &baseline.image) => {
                written.kept_apart_from = Some(other.image);
            }
            Some(Err(_)) => {
                let aside = set_aside(&written.path, now);
                written.set_aside = Some(aside.map_err(failed("set aside", &written.path))?);
            }
            Some(Ok(_)) | None => {}
        }
        let distinct = self.path(&distinct_stem(&baseline.image));
        // Once kept apart, always: reading looks there first.
        if written.kept_apart_from.is_some() || distinct.exists() {
            written.path = distinct;
        }
        replace_file(&written.path, baseline.to_json().as_bytes())
            .map_err(failed("write", &written.path))?;
        Ok(written)
    }

    /// Removes the baseline of an image. Returns whether there was one. A file that makes no sense
    /// stays.
    ///
    /// # Errors
    ///
    /// [`BaselineFileError::Io`].
    pub fn remove(&self, image: &str) -> Result<bool, BaselineFileError> {
        let mut was_there = false;
        for stem in [distinct_stem(image), file_stem(image)] {
            let path = self.path(&stem);
            if let Some(Ok(baseline)) = parse_file(&path)?
                && is_of(&baseline, image)
            {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
                was_there = true;
            }
        }
        Ok(was_there)
    }

    /// Lists the files of the directory by name; none if there is no directory.
    ///
    /// # Errors
    ///
    /// [`BaselineFileError::Io`].
    pub fn list(&self) -> Result<Vec<ListedBaseline>, BaselineFileError> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("list", &self.directory))?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("list", &self.directory))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == EXTENSION)
            {
                paths.push(path);
            }
        }
        paths.sort();
        let mut listed = Vec::new();
        for path in paths {
            if let Some(baseline) = parse_file(&path)? {
                listed.push(ListedBaseline { path, baseline });
            }
        }
        Ok(listed)
    }

    fn path(&self, stem: &str) -> PathBuf {
        self.directory.join(format!("{stem}.{EXTENSION}"))
    }
}

/// Says whether a file is an image's. One that names none is whose its name says.
fn is_of(baseline: &BaselineFile, image: &str) -> bool {
    baseline.image.is_empty() || baseline.image == image
}

/// Reads a file; `None` if there is none.
fn parse_file(path: &Path) -> Result<Option<Result<BaselineFile, String>>, BaselineFileError> {
    let metadata = match fs::metadata(path) {
        // Where a file lies in place of the directory there is no baseline either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        metadata => metadata.map_err(failed("read", path))?,
    };
    // A pipe would be waited for.
    if !metadata.is_file() {
        return Ok(Some(Err("it is no file".to_owned())));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(SIZE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(failed("read", path))?;
    if bytes.len() as u64 > SIZE_BYTES_MAX {
        let reason = format!("it has more than {SIZE_BYTES_MAX} bytes");
        return Ok(Some(Err(reason)));
    }
    Ok(Some(BaselineFile::parse(&bytes)))
}

/// Moves a file out of the way. What was set aside before stays.
fn set_aside(path: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".corrupt-{}", timestamp_text(now)));
    let first = PathBuf::from(&name);
    let numbered = (2..100).map(|number| {
        let mut name = name.clone();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    });
    let aside = std::iter::once(first.clone())
        .chain(numbered)
        .find(|aside| !aside.exists())
        .unwrap_or(first);
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BaselineFileError {
    let path = path.to_owned();
    move |source| BaselineFileError::Io {
        operation,
        path,
        source,
    }
}
