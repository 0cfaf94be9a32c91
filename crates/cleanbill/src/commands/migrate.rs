//! `cleanbill migrate`: from the directory of the older host scanner to a configuration file.
//!
//! Nothing of the directory is changed, and no secret is copied: the new file names the files that
//! hold them. Baselines and the list of images to leave out are used where they lie.

mod calls;
mod compose;
mod older;
#[cfg(test)]
mod tests;
mod write;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::print;
use crate::cli::MigrateArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::Loader;

pub(crate) fn run(arguments: &MigrateArgs) -> Result<Exit, CommandError> {
    let directory = std::fs::canonicalize(&arguments.directory)
        .with_context(|| format!("cannot open {}", arguments.directory.display()))
        .map_err(CommandError::usage)?;
    let older = older::read(&directory)?;
    let text = write::configuration(&older);
    let output = match &arguments.output {
        Some(path) => path.clone(),
        None => directory.join("cleanbill.yaml"),
    };
    if arguments.dry_run {
        // The file alone on standard output, so that it can be kept.
        eprint(&older.report());
        return print(text.as_bytes());
    }
    write_file(&output, &text, arguments.force)?;
    let loaded = Loader::of_file(output.clone())
        .load()
        .map_err(CommandError::usage)?;
    let mut report = older.report();
    report.push_str(&format!("\nWrote {}.\n", output.display()));
    for warning in &loaded.warnings {
        report.push_str(&format!("  Note: {warning}\n"));
    }
    report.push_str(&calls::report(&output));
    print(report.as_bytes())
}

fn eprint(text: &str) {
    // Nothing is left to be done when the terminal is gone.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Writes the file beside its place and renames it there.
fn write_file(path: &Path, text: &str, replaces: bool) -> Result<(), CommandError> {
    let cannot = |error: std::io::Error| {
        CommandError::usage(
            anyhow::Error::new(error).context(format!("cannot write {}", path.display())),
        )
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".cleanbill-settings-")
        .permissions(crate::output::permissions())
        .tempfile_in(directory)
        .map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    let persisted = if replaces {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(CommandError::usage_text(format!(
                "{} is there already, and was not replaced",
                path.display()
            ))
            .hint("choose another file with --output, look with --dry-run, or replace it with --force"))
        }
        Err(error) => Err(cannot(error.error)),
    }
}
