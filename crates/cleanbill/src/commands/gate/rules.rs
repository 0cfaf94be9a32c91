//! The rules, from flags and their file.

use std::path::Path;

use anyhow::Context as _;
use cleanbill_policy::gate_file::{self, GateFile, SIZE_BYTES_MAX};
use cleanbill_policy::{Gate, Thresholds};

use crate::bounded_file;
use crate::error::CommandError;

/// Reads what decides whether a scan passes.
///
/// # Errors
///
/// The file cannot be read, or something in it or in a flag makes no sense.
pub(in crate::commands) fn read(
    policy: Option<&Path>,
    fail_on: Option<&str>,
    exit_code: Option<u8>,
) -> Result<Gate, CommandError> {
    let thresholds = fail_on.map(thresholds).transpose()?;
    let rules = policy.map(file).transpose()?;
    Ok(Gate {
        thresholds,
        exit_code,
        rules: rules.map(|file| file.rules),
        known: None,
    })
}

fn thresholds(text: &str) -> Result<Thresholds, CommandError> {
    text.parse().map_err(|error| {
        CommandError::usage(anyhow::Error::new(error).context(format!("--fail-on {text}")))
    })
}

fn file(path: &Path) -> Result<GateFile, CommandError> {
    let name = path.display().to_string();
    let text = bounded_file::text(path, SIZE_BYTES_MAX)
        .with_context(|| format!("cannot read the rules of the gate from {name}"))
        .map_err(CommandError::usage)?;
    let file = gate_file::parse(&text, &name).map_err(|error| {
        CommandError::usage(anyhow::Error::new(error).context("the rules of the gate are wrong"))
            .hint("the rules are described in docs/gate.md")
    })?;
    for note in &file.notes {
        tracing::warn!("{name}: {note}");
    }
    Ok(file)
}
