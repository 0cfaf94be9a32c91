//! Files of exceptions: reading them, and replacing one.

use std::path::{Path, PathBuf};

use cleanbill_core::path::clean_lexical;
use cleanbill_policy::Exceptions;

use crate::bounded_file;
use crate::error::CommandError;

/// The file that is meant if none is named.
pub(super) const DEFAULT_FILE: &str = "exceptions.yaml";

/// Files larger than this are not written by people.
const FILE_SIZE_BYTES_MAX: u64 = 64 << 20;

/// Reads a file of exceptions.
///
/// # Errors
///
/// It cannot be read, or something in it is wrong.
pub(in crate::commands) fn read(file: &Path) -> Result<Exceptions, CommandError> {
    let text = text(file)?;
    Exceptions::parse(&text, &source(file)).map_err(|error| failed(file, error))
}

/// Says that something in a file is wrong.
pub(in crate::commands) fn failed(file: &Path, error: impl Into<anyhow::Error>) -> CommandError {
    let context = format!("the exceptions in {} cannot be used", file.display());
    CommandError::usage(error.into().context(context)).hint(format!(
        "nothing of the file counts until it is mended; see everything with: cleanbill exceptions \
         check --exceptions {}",
        file.display()
    ))
}

/// Returns the name of a file as reports print it.
pub(super) fn source(file: &Path) -> String {
    clean_lexical(&file.to_string_lossy())
}

/// Returns the files that are named, else the default one.
pub(super) fn named(files: &[PathBuf]) -> Vec<PathBuf> {
    match files {
        [] => vec![PathBuf::from(DEFAULT_FILE)],
        files => files.to_vec(),
    }
}

/// Reads the text of a file.
pub(super) fn text(file: &Path) -> Result<String, CommandError> {
    bounded_file::text(file, FILE_SIZE_BYTES_MAX).map_err(|error| {
        let context = format!("cannot read the exceptions in {}", file.display());
        let error = CommandError::usage(error.context(context));
        match file.exists() {
            true => error,
            false => error.hint(
                "name the file with --exceptions FILE, or make one with: cleanbill exceptions add ID \
                 --reason WHY",
            ),
        }
    })
}

/// Replaces the text of a file, at once or not at all, if it is still what it was.
pub(super) fn replace(file: &Path, before: Option<&str>, after: &str) -> Result<(), CommandError> {
    let replace = || -> anyhow::Result<()> {
        // The file that a link means is replaced, not the link.
        let target = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
        let now = match target.exists() {
            true => Some(bounded_file::text(&target, FILE_SIZE_BYTES_MAX)?),
            false => None,
        };
        anyhow::ensure!(
            now.as_deref() == before,
            "somebody else has changed it meanwhile; try again"
        );
        Ok(cleanbill_monitor::replace_file(&target, after.as_bytes())?)
    };
    replace().map_err(|error| {
        CommandError::usage(error.context(format!("cannot write {}", file.display())))
    })
}
