//! Where a verdict goes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cleanbill_report::listing::Listing;

use super::super::{Setting, print_verbatim};
use super::render::{VerdictFormat, View};
use crate::cli::GateArgs;
use crate::error::CommandError;
use crate::output;

/// The variable that names the file of a job's summary.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Holds every place that a verdict goes to, checked before anything is judged.
pub(super) struct Outputs<'a> {
    setting: &'a Setting,
    /// Formats that are printed, one after the other: annotations may follow a text.
    stdout: Vec<VerdictFormat>,
    files: Vec<(VerdictFormat, PathBuf)>,
    step_summary: Option<PathBuf>,
}

impl<'a> Outputs<'a> {
    /// Reads the flags. With any `--output` standard output stays silent.
    ///
    /// # Errors
    ///
    /// A format is not known, or there is no summary to append to.
    pub(super) fn new(setting: &'a Setting, arguments: &GateArgs) -> Result<Self, CommandError> {
        let format = match &arguments.format {
            Some(name) => name
                .parse()
                .map_err(|error| CommandError::usage_text(format!("--format: {error}")))?,
            None => VerdictFormat::default(),
        };
        let mut outputs = Self {
            setting,
            stdout: Vec::new(),
            files: Vec::new(),
            step_summary: None,
        };
        for text in &arguments.output {
            let (format, path) = destination(text, format);
            match path {
                "-" => outputs.stdout.push(format),
                path => outputs.files.push((format, PathBuf::from(path))),
            }
        }
        if arguments.output.is_empty() {
            outputs.stdout.push(format);
        }
        if arguments.step_summary {
            let file = setting.environment.get(STEP_SUMMARY);
            let file = file.filter(|file| !file.is_empty()).ok_or_else(|| {
                CommandError::usage_text(format!("--step-summary: {STEP_SUMMARY} is not set"))
                    .hint("GitHub's runner sets it; elsewhere use -o markdown=FILE")
            })?;
            outputs.step_summary = Some(PathBuf::from(file));
        }
        Ok(outputs)
    }

    /// Writes the verdict everywhere it goes.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub(super) fn write(&self, view: &View<'_>) -> Result<(), CommandError> {
        for (format, path) in &self.files {
            let text = format.render(view, Listing::new(None, false))?;
            output::write_bytes(path, text.as_bytes())
                .with_context(|| format!("cannot write the verdict to {}", path.display()))
                .map_err(CommandError::usage)?;
        }
        if let Some(path) = &self.step_summary {
            let text = VerdictFormat::Markdown.render(view, Listing::new(None, false))?;
            append(path, &text)
                .with_context(|| format!("cannot append the verdict to {}", path.display()))
                .map_err(CommandError::usage)?;
        }
        for format in &self.stdout {
            let color = self.setting.global.color;
            let listing = output::listing(color, &self.setting.environment);
            // Some are commands, in the others are none.
            print_verbatim(format.render(view, listing)?.as_bytes())?;
        }
        Ok(())
    }
}

/// Splits `FORMAT=FILE`; a prefix counts as a format only if it is one.
fn destination(text: &str, default: VerdictFormat) -> (VerdictFormat, &str) {
    match text.split_once('=') {
        Some((prefix, path)) => match prefix.parse() {
            Ok(format) => (format, path),
            Err(_) => (default, text),
        },
        None => (default, text),
    }
}

fn append(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
