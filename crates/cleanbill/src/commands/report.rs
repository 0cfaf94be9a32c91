//! `cleanbill report`: saved reports in another format. Nothing is scanned or judged again, so the
//! exit code says only whether the files could be read and written.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use cleanbill_report::{Format, SavedReport, read_report};

use super::Setting;
use crate::cli::ReportArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output::Outputs;

/// Bytes of a file. The report of 100,000 findings has a tenth of it.
const FILE_SIZE_BYTES_MAX: u64 = 4 << 30;

pub(crate) fn run(setting: &Setting, arguments: &ReportArgs) -> Result<Exit, CommandError> {
    let saved = read_all(arguments.files.iter().chain(&arguments.from))?;
    let outputs = Outputs::new(
        &arguments.output,
        saved.selection.clone(),
        setting.global.color,
        &setting.environment,
    )?
    .of_saved(&saved);
    outputs.check(saved.report.images.len())?;
    for format in outputs.formats() {
        check_content(format, &saved)?;
    }
    outputs.write(&saved.report, &saved.report_id)?;
    Ok(Exit::Clean)
}

/// Reads saved reports and makes one of them, in their order.
pub(super) fn read_all<'a>(
    files: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<SavedReport, CommandError> {
    let saved: Result<Vec<SavedReport>, CommandError> =
        files.into_iter().map(|file| read(file)).collect();
    Ok(joined(saved?))
}

/// Reads a saved report; `-` is standard input.
pub(super) fn read(file: &Path) -> Result<SavedReport, CommandError> {
    let name = if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    };
    let bytes = read_bytes(file);
    let saved = bytes.and_then(|bytes| Ok(read_report(&bytes)?));
    saved
        .with_context(|| format!("cannot read a report from {name}"))
        .map_err(CommandError::usage)
}

fn read_bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        let stdin = std::io::stdin().lock();
        stdin
            .take(FILE_SIZE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)?;
    } else {
        let opened = std::fs::File::open(file)?;
        opened
            .take(FILE_SIZE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)?;
    }
    ensure!(
        bytes.len() as u64 <= FILE_SIZE_BYTES_MAX,
        "it has more than {FILE_SIZE_BYTES_MAX} bytes"
    );
    Ok(bytes)
}

/// Makes one report of several, in their order. Where they differ about what a report says once,
/// the oldest counts: nothing may look newer than it is.
fn joined(mut all: Vec<SavedReport>) -> SavedReport {
    let Some(last) = all.pop() else {
        return SavedReport::default();
    };
    if all.is_empty() {
        return last;
    }
    all.push(last);
    let mut whole = SavedReport {
        report_id: uuid::Uuid::now_v7().to_string(),
        lists_packages: true,
        lists_suppressed: true,
        ..SavedReport::default()
    };
    let databases: Vec<_> = all.iter().map(|one| one.report.database.clone()).collect();
    if databases
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a != b))
    {
        tracing::warn!("the reports were made with different databases; the oldest is named");
    }
    let oldest = databases.into_iter().flatten();
    whole.report.database = oldest.min_by(|a, b| a.updated_at.cmp(&b.updated_at));
    let mut selections: Vec<String> = Vec::new();
    for one in all {
        let created_at = &mut whole.report.created_at;
        if created_at.is_empty() || one.report.created_at < *created_at {
            created_at.clone_from(&one.report.created_at);
        }
        if !one.selection.is_empty() && !selections.contains(&one.selection) {
            selections.push(one.selection);
        }
        whole.lists_packages &= one.lists_packages;
        whole.lists_suppressed &= one.lists_suppressed;
        whole.tool_version = one.tool_version.max(whole.tool_version);
        whole.report.images.extend(one.report.images);
        whole.report.exceptions.extend(one.report.exceptions);
    }
    whole.selection = selections.join("; ");
    whole
}

/// Refuses a format that would say less than it claims because the report was saved without it.
fn check_content(format: Format, saved: &SavedReport) -> Result<(), CommandError> {
    let mut results = saved.report.images.iter().flat_map(|image| &image.results);
    let lacks_packages = results.any(|result| result.unlisted_packages > 0);
    let lacking = |what: &str, flag: &str| {
        CommandError::usage_text(format!(
            "{format} needs {what}, which the report was saved without"
        ))
        .hint(format!("save it with: cleanbill scan … -f json {flag}"))
    };
    match format {
        Format::CycloneDx | Format::Spdx if lacks_packages => {
            Err(lacking("the packages", "--list-all-pkgs"))
        }
        Format::OpenVex if !saved.lists_suppressed => {
            Err(lacking("the suppressed findings", "--show-suppressed"))
        }
        Format::TrivyJson if lacks_packages => {
            tracing::warn!(
                "the report was saved without its packages, so {format} lists none; save it with: \
                 cleanbill scan … -f json --list-all-pkgs"
            );
            Ok(())
        }
        _ => Ok(()),
    }
}
