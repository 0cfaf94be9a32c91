//! `cleanbill status`: what is watched, what waits, and whether somebody has to do something.

mod facts;
mod text;
pub(super) mod words;

#[cfg(test)]
pub(super) mod tests;

pub(super) use facts::{Findings, SCHEMA_VERSION};
pub(super) use text::severity_counts;

use std::path::{Path, PathBuf};

use cleanbill_report::listing::terminal_json;
use cleanbill_store::StoreError;
use cleanbill_store::state::StateReader;
use jiff::Timestamp;
use serde::Serialize;

use super::{Setting, config, print};
use crate::cli::{ListFormat, StatusArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;
use crate::settings::{Call, Loader, WatchSettings};

pub(crate) fn run(setting: &Setting, arguments: StatusArgs) -> Result<Exit, CommandError> {
    let directory = state_directory(setting, arguments.settings.call)?;
    let state = open(&directory)?;
    let status = facts::gather(&state, &directory, Timestamp::now()).map_err(unreadable)?;
    let text = match arguments.format {
        ListFormat::Json => json(&status)?,
        ListFormat::Table => {
            let mut listing = output::listing(setting.global.color, &setting.environment);
            text::write(&status, &mut listing);
            listing.finish()
        }
    };
    let printed = print(text.as_bytes())?;
    let verdict = if status.problems.is_empty() {
        Exit::Clean
    } else {
        Exit::Incomplete
    };
    Ok(verdict.and(printed))
}

/// Loads the settings that say where the state is.
pub(super) fn settings(setting: &Setting, call: Call) -> Result<WatchSettings, CommandError> {
    let loader = Loader::new(call, setting.environment.clone());
    Ok(config::load(&loader)?.settings)
}

/// Returns where the state is, for those who need nothing else of the settings: that something
/// else in them is wrong is only said.
pub(super) fn state_directory(setting: &Setting, call: Call) -> Result<PathBuf, CommandError> {
    let loader = Loader::new(call, setting.environment.clone());
    let (directory, wrong) = loader.state_directory().map_err(config::wrong)?;
    if let Some(wrong) = wrong {
        tracing::warn!(
            "the settings are wrong, and the state in {} is read all the same: {wrong}",
            directory.display()
        );
    }
    Ok(directory)
}

/// Opens the state to read it, whether `watch` runs or not.
pub(super) fn open(directory: &Path) -> Result<StateReader, CommandError> {
    StateReader::open(directory).map_err(unreadable)
}

/// Says why the state cannot be read or written, and what to do.
pub(super) fn unreadable(error: StoreError) -> CommandError {
    let hint = match error {
        StoreError::Missing { .. } => {
            "start cleanbill watch, or name the directory of one that ran: --state-dir DIR"
        }
        StoreError::Damaged { .. } | StoreError::DecodeState { .. } => {
            "cleanbill watch sets a damaged state aside when it starts, and takes its backup \
             (state.db.backup); see docs/state.md"
        }
        StoreError::ReadOnly { .. } | StoreError::Sqlite { .. } => {
            "may this user read the state directory and its files?"
        }
        _ => return CommandError::usage(error),
    };
    CommandError::usage(error).hint(hint)
}

/// Writes a document for programs.
pub(super) fn json(document: &impl Serialize) -> Result<String, CommandError> {
    terminal_json(document).map_err(CommandError::usage)
}
