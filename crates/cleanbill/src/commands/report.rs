//! `cleanbill report`: saved reports in another format. Nothing is scanned again, so the exit code
//! says only whether the files could be read and written. What exceptions say is held against today,
//! as the gate does it: what has expired since the scan counts again.

mod history;
mod latest;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use cleanbill_core::report::DatabaseInfo;
use cleanbill_policy::Exceptions;
use cleanbill_policy::exceptions::{Doubt, renew};
use cleanbill_report::{
    Format, SavedReport, SavedReportError, Trend, read_report, read_report_outline,
};
use jiff::Timestamp;

use super::gate::expired_sentence;
use super::{Setting, exceptions};
use crate::bounded_file;
use crate::cli::ReportArgs;
use crate::error::{CommandError, printable};
use crate::exit::Exit;
use crate::output::Outputs;
use history::History;
pub(super) use latest::latest;

/// Bytes of a file. The report of 100,000 findings has less than half of it.
const FILE_SIZE_BYTES_MAX: u64 = 1 << 30;

pub(crate) fn run(setting: &Setting, arguments: &ReportArgs) -> Result<Exit, CommandError> {
    let all = read_each(arguments.files.iter().chain(&arguments.from))?;
    let work = Work {
        setting,
        arguments,
        exceptions: read_exceptions(&arguments.exceptions.exceptions)?,
        now: SystemTime::from(Timestamp::now()),
    };
    work.announce();
    let history = History::of(&all);
    if history.is_empty() {
        let notes = work.write(joined(all), |_| true, Vec::new())?;
        warn(notes);
        return Ok(Exit::Clean);
    }
    // Pages are about what is, and show what was as a trend; other formats say everything.
    let mut each = all.clone();
    for saved in &mut each {
        work.hold(saved);
    }
    let trends = history.trends(&each);
    drop(each);
    let tells_all = |format| !history::is_shown_by(format);
    if work
        .outputs(&SavedReport::default())?
        .formats()
        .any(tells_all)
    {
        work.write(joined(all.clone()), tells_all, Vec::new())?;
    }
    let latest = joined(history.latest(all));
    let notes = work.write(latest, history::is_shown_by, trends)?;
    warn(notes);
    Ok(Exit::Clean)
}

fn warn(notes: Vec<String>) {
    for note in notes {
        tracing::warn!("{}", printable(&note));
    }
}

/// Reads files of exceptions.
fn read_exceptions(files: &[PathBuf]) -> Result<Vec<Exceptions>, CommandError> {
    files.iter().map(|file| exceptions::read(file)).collect()
}

/// What is done with reports that were read.
struct Work<'a> {
    setting: &'a Setting,
    arguments: &'a ReportArgs,
    exceptions: Vec<Exceptions>,
    now: SystemTime,
}

impl Work<'_> {
    /// Says which exceptions expire soon.
    fn announce(&self) {
        let warn_before = self.arguments.exceptions.warn_before;
        for one in exceptions::announcements(&self.exceptions, self.now, warn_before) {
            tracing::warn!("{}", one.sentence());
        }
    }

    /// Holds a report against the exceptions and the time. Returns what has expired.
    fn hold(&self, saved: &mut SavedReport) -> Vec<String> {
        let renewal = renew(&mut saved.report, &self.exceptions, self.now);
        saved.lists_suppressed |= !self.exceptions.is_empty();
        let hidden = renewal.doubtful.iter();
        let hidden = hidden.filter(|one| one.doubt == Doubt::Hidden).map(|one| {
            format!(
                "the exception {} has expired, and the report does not hold what it covered: scan again",
                one.name
            )
        });
        let expired = renewal.expired.iter().map(expired_sentence);
        expired.chain(hidden).collect()
    }

    fn outputs(&self, saved: &SavedReport) -> Result<Outputs, CommandError> {
        Outputs::new(
            &self.arguments.output,
            saved.selection.clone(),
            self.setting.global.color,
            &self.setting.environment,
        )
    }

    /// Writes a report in those of the formats that are wanted. Returns what has expired.
    fn write(
        &self,
        mut saved: SavedReport,
        is_wanted: impl Fn(Format) -> bool,
        trends: Vec<Trend>,
    ) -> Result<Vec<String>, CommandError> {
        let notes = self.hold(&mut saved);
        let outputs = self
            .outputs(&saved)?
            .only(is_wanted)
            .of_saved(&saved)
            .with_trends(trends);
        outputs.check(saved.report.images.len())?;
        for format in outputs.formats() {
            check_content(format, &saved)?;
        }
        outputs.write(&saved.report, &saved.report_id)?;
        Ok(notes)
    }
}

/// Reads saved reports and makes one of them, in their order. Of several on one image the latest
/// counts.
pub(super) fn read_all<'a>(
    files: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<SavedReport, CommandError> {
    let (each, notes) = latest(read_each(files)?);
    for note in notes {
        tracing::warn!("{}", printable(&note));
    }
    Ok(joined(each))
}

/// Reads saved reports, in their order.
pub(super) fn read_each<'a>(
    files: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<Vec<SavedReport>, CommandError> {
    files.into_iter().map(|file| read(file)).collect()
}

/// The same without what only people read (see [`read_report_outline`]), of files of at most so
/// many bytes each; and says, in sentences without a final stop, what does not count.
pub(super) fn read_outlines<'a>(
    files: impl IntoIterator<Item = &'a PathBuf>,
    size_bytes_max: u64,
) -> Result<(SavedReport, Vec<String>), CommandError> {
    let files = files.into_iter();
    let read = |file: &'a PathBuf| read_with(file, size_bytes_max, read_report_outline);
    let saved: Result<Vec<SavedReport>, CommandError> = files.map(read).collect();
    let (each, notes) = latest(saved?);
    Ok((joined(each), notes))
}

/// Reads a saved report; `-` is standard input.
pub(super) fn read(file: &Path) -> Result<SavedReport, CommandError> {
    read_with(file, FILE_SIZE_BYTES_MAX, read_report)
}

fn read_with(
    file: &Path,
    size_bytes_max: u64,
    parse: fn(&[u8]) -> Result<SavedReport, SavedReportError>,
) -> Result<SavedReport, CommandError> {
    let name = if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    };
    let bytes = bounded_file::bytes_or_stdin(file, size_bytes_max);
    let saved = bytes.and_then(|bytes| Ok(parse(&bytes)?));
    saved
        .with_context(|| format!("cannot read a report from {name}"))
        .map_err(CommandError::usage)
}

/// Makes one report of several, in their order. Where they differ about what a report says once,
/// the oldest counts, and what one of them does not know is not known: nothing may look newer or
/// better known than it is.
pub(super) fn joined(mut all: Vec<SavedReport>) -> SavedReport {
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
    whole.report.database = common_database(databases);
    let mut selections: Vec<String> = Vec::new();
    for one in all {
        let created_at = &mut whole.report.created_at;
        if created_at.is_empty() || one.report.created_at < *created_at {
            created_at.clone_from(&one.report.created_at);
        }
        if !one.selection.is_empty() && !selections.contains(&one.selection) {
            selections.push(one.selection);
        }
        for severity in one.report.left_out_severities {
            let left_out = &mut whole.report.left_out_severities;
            if !left_out.contains(&severity) {
                left_out.push(severity);
            }
        }
        whole.lacks_packages |= one.lacks_packages;
        whole.lists_packages &= one.lists_packages;
        whole.lists_suppressed &= one.lists_suppressed;
        whole.tool_version = one.tool_version.max(whole.tool_version);
        whole.report.images.extend(one.report.images);
        whole.report.exceptions.extend(one.report.exceptions);
    }
    whole.selection = selections.join("; ");
    whole
}

/// Returns what all databases of several reports come to: the oldest, with the lists that all have;
/// `None` if one report does not name its database.
fn common_database(databases: Vec<Option<DatabaseInfo>>) -> Option<DatabaseInfo> {
    let databases = databases.into_iter().collect::<Option<Vec<_>>>()?;
    let lacks_epss = databases.iter().any(|one| one.epss_date.is_empty());
    let lacks_kev = databases.iter().any(|one| one.kev_release.is_empty());
    let built = |one: &DatabaseInfo| one.updated_at.parse::<jiff::Timestamp>().ok();
    let mut oldest = databases.into_iter().min_by_key(built)?;
    if lacks_epss {
        oldest.epss_date.clear();
    }
    if lacks_kev {
        oldest.kev_release.clear();
    }
    Some(oldest)
}

/// Refuses a format that would say less than it claims because the report was saved without it.
fn check_content(format: Format, saved: &SavedReport) -> Result<(), CommandError> {
    let lacks_packages = saved.lacks_packages;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn report(updated_at: &str, kev_release: &str) -> SavedReport {
        let mut saved = SavedReport::default();
        saved.report.database = Some(DatabaseInfo {
            updated_at: updated_at.to_owned(),
            epss_date: "2026-11-20".to_owned(),
            kev_release: kev_release.to_owned(),
            ..DatabaseInfo::default()
        });
        saved
    }

    #[test]
    fn several_reports_know_what_each_of_them_knows() {
        let newer = report("2026-11-21T06:00:00Z", "");
        let older = report("2026-11-20T23:00:00-08:00", "2026.11.19");
        let database = joined(vec![newer.clone(), older]).report.database;
        let database = database.unwrap();
        // Later by its clock, and earlier as a text.
        assert_eq!(database.updated_at, "2026-11-21T06:00:00Z");
        assert_eq!(database.epss_date, "2026-11-20");
        assert_eq!(database.kev_release, "");
        let unknown = SavedReport::default();
        assert_eq!(joined(vec![newer, unknown]).report.database, None);
    }
}
