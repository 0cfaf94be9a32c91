//! What exceptions cover now: in saved reports, or in what `watch` knows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use cleanbill_core::count;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ExceptionOutcome, ExceptionReport, ImageReport, ScanReport};
use cleanbill_policy::Exceptions;
use cleanbill_policy::exceptions::{Matching, Overlap, overlaps};
use cleanbill_policy::ignore::image_names;
use cleanbill_store::StoreError;
use cleanbill_store::state::StateReader;

use super::super::{Setting, report};
use crate::cli::CoverageArgs;
use crate::commands::status::{state_directory, unreadable};
use crate::error::CommandError;

/// What is known of the use of exceptions, in the order of files and of their lists.
#[derive(Debug)]
pub(super) struct Coverage {
    /// Where that is known from, in words; empty if nothing is.
    pub(super) of: String,
    uses: Vec<Vec<Use>>,
    /// Exceptions that say nothing more than another one which names the vulnerability otherwise.
    pub(super) overlaps: Vec<Overlap>,
}

/// What one exception is used for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// Images that it could be about were looked at.
    pub(super) is_known: bool,
    /// Findings that it covers.
    pub(super) covered: u64,
    /// Findings that it would cover were there no other exception, if that is known.
    pub(super) matching: u64,
    /// Findings that it would cover, had it not expired or ended for them.
    pub(super) lapsed: u64,
    /// The images with those that it covers.
    pub(super) images: BTreeSet<String>,
}

impl Use {
    /// Says whether it is known that the exception covers nothing, and has nothing left to cover.
    pub(super) fn is_unmatched(&self) -> bool {
        self.is_known && self.covered == 0 && self.matching == 0 && self.lapsed == 0
    }

    /// Says whether it has ended for everything that it was for.
    pub(super) fn has_ended(&self) -> bool {
        self.covered == 0 && self.matching == 0 && self.lapsed > 0
    }
}

impl Coverage {
    /// Holds exceptions against saved reports, or against the state of `watch` if there is one.
    pub(super) fn of(
        setting: &Setting,
        files: &[Exceptions],
        arguments: CoverageArgs,
        now: SystemTime,
    ) -> Result<Self, CommandError> {
        if !arguments.scan_results.is_empty() {
            let report = report::read_all(&arguments.scan_results)?.report;
            return Ok(Self::of_report(files, report, now));
        }
        match StateReader::open(&state_directory(setting, arguments.settings.call)?) {
            Ok(state) => Self::of_state(files, &state, now),
            Err(StoreError::Missing { .. }) => Ok(Self::unknown(files)),
            Err(error) => Err(unreadable(error)),
        }
    }

    /// Returns what an exception is used for.
    pub(super) fn get(&self, file: usize, index: usize) -> Use {
        let of_file = self.uses.get(file);
        of_file
            .and_then(|uses| uses.get(index))
            .cloned()
            .unwrap_or_default()
    }

    fn unknown(files: &[Exceptions]) -> Self {
        Self {
            of: String::new(),
            uses: files
                .iter()
                .map(|file| vec![Use::default(); file.list().len()])
                .collect(),
            overlaps: Vec::new(),
        }
    }

    pub(super) fn of_report(files: &[Exceptions], mut report: ScanReport, now: SystemTime) -> Self {
        let mut coverage = Self::unknown(files);
        let images = report.images.len();
        coverage.of = count(images as u64, "image") + " of saved reports";
        let matching = Matching::of(files, &report, now);
        coverage.overlaps = matching.overlaps(files);
        let unlisted = Unlisted::of(&report);
        for (number, (file, uses)) in files.iter().zip(&mut coverage.uses).enumerate() {
            let applied = file.apply(&mut report, now);
            let images: Vec<_> = report.images.iter().map(NamedImage::of).collect();
            let list = file.list().iter().zip(uses).zip(&applied.reports);
            for (index, ((one, used), outcome)) in list.enumerate() {
                used.is_known = is_about_any(file, index, &images);
                used.lapsed = outcome.lapsed_findings;
                used.covered = covered(outcome).saturating_add(unlisted.count(outcome));
                used.matching = matching.count(number, index);
                if used.covered > 0 {
                    let place = format!("{}:{}", file.source(), one.line);
                    used.images = images_with(&report, &place);
                }
            }
        }
        coverage
    }

    /// Takes what `watch` found to be covered when it looked last.
    fn of_state(
        files: &[Exceptions],
        state: &StateReader,
        now: SystemTime,
    ) -> Result<Self, CommandError> {
        let mut coverage = Self::unknown(files);
        let mut watched = 0_u64;
        for row in state.image_list().map_err(unreadable)? {
            let image = state.image_state(&row.name).map_err(unreadable)?;
            let Some(image) = image.filter(|_| row.gone_at.is_none()) else {
                continue;
            };
            watched += 1;
            for (file, uses) in files.iter().zip(&mut coverage.uses) {
                for (index, used) in uses.iter_mut().enumerate() {
                    used.is_known |= file.is_about(index, &[row.name.as_str()]);
                }
            }
            for finding in &image.findings {
                let id = &finding.key.vulnerability_id;
                if let Some(used) = coverage.find(files, &finding.covered_by, id) {
                    used.covered += 1;
                    used.images.insert(row.name.clone());
                }
            }
        }
        coverage.of = format!("what watch knows of {watched} images");
        coverage.share_overlaps(files, now);
        Ok(coverage)
    }

    /// Counts for both of two exceptions that overlap what one of them is known to cover: `watch`
    /// names only the first that does.
    fn share_overlaps(&mut self, files: &[Exceptions], now: SystemTime) {
        for Overlap { redundant, by, .. } in overlaps(files, now) {
            let covered = |(file, index): (usize, usize)| self.get(file, index).covered;
            let known = covered(redundant).max(covered(by));
            for (file, index) in [redundant, by] {
                let uses = self.uses.get_mut(file);
                if let Some(used) = uses.and_then(|uses| uses.get_mut(index)) {
                    used.matching = used.matching.max(known);
                }
            }
        }
    }

    /// Finds the exception that `watch` has named. Lines move when a file is changed: one that is
    /// not about the vulnerability is not meant.
    fn find(&mut self, files: &[Exceptions], covered_by: &str, id: &str) -> Option<&mut Use> {
        let (source, line) = covered_by.rsplit_once(':')?;
        let line: u64 = line.parse().ok()?;
        let file = files
            .iter()
            .position(|file| file_name(file.source()) == file_name(source))?;
        let list = files.get(file)?.list();
        let index = list.iter().position(|one| one.line == line)?;
        let is_meant = |known: &String| known == id || known == "*" || !known.starts_with("CVE-");
        list.get(index).filter(|one| one.ids.iter().any(is_meant))?;
        self.uses.get_mut(file)?.get_mut(index)
    }
}

/// Counts the findings that exceptions cover by the word of a report which does not list them: it was
/// saved without `--show-suppressed` by an older version.
struct Unlisted(BTreeMap<(String, String, String), u64>);

impl Unlisted {
    fn of(report: &ScanReport) -> Self {
        let mut listed: BTreeMap<&str, u64> = BTreeMap::new();
        let results = report.images.iter().flat_map(|image| &image.results);
        for suppressed in results.flat_map(|result| &result.suppressed) {
            *listed.entry(&suppressed.source).or_default() += 1;
        }
        let mut unlisted: BTreeMap<(String, String, String), u64> = BTreeMap::new();
        for record in &report.exceptions {
            let place = format!("{}:{}", record.source, record.line);
            let count = covered(record);
            // Reports that were joined have a record each.
            let known = listed.get_mut(place.as_str());
            let rest = match known {
                None => count,
                Some(known) => {
                    let rest = count.saturating_sub(*known);
                    *known = known.saturating_sub(count);
                    rest
                }
            };
            *unlisted.entry(Self::key(record)).or_default() += rest;
        }
        Self(unlisted)
    }

    /// Lines move when a file is changed: what an exception says is what it is known by.
    fn key(record: &ExceptionReport) -> (String, String, String) {
        let file = file_name(&record.source).to_owned();
        (file, record.rule.clone(), record.statement.clone())
    }

    fn count(&self, record: &ExceptionReport) -> u64 {
        self.0.get(&Self::key(record)).copied().unwrap_or(0)
    }
}

fn covered(outcome: &ExceptionReport) -> u64 {
    match outcome.outcome {
        ExceptionOutcome::Applied(count) => count,
        _ => 0,
    }
}

fn images_with(report: &ScanReport, place: &str) -> BTreeSet<String> {
    let is_there = |image: &&ImageReport| {
        let suppressed = image.results.iter().flat_map(|result| &result.suppressed);
        suppressed.into_iter().any(|one| one.source == place)
    };
    let images = report.images.iter().filter(is_there);
    images.map(|image| image.artifact_name.clone()).collect()
}

/// Says whether the report would show what an exception covers: of the images that it is about
/// there is one, and all of them were assessed completely.
fn is_about_any(file: &Exceptions, index: usize, images: &[NamedImage<'_>]) -> bool {
    let is_meant = |image: &&NamedImage<'_>| file.is_about(index, &image.names);
    let mut meant = images.iter().filter(is_meant).peekable();
    meant.peek().is_some() && meant.all(|image| image.status == AssessmentStatus::Complete)
}

/// What exceptions tell images by.
struct NamedImage<'a> {
    names: Vec<&'a str>,
    status: AssessmentStatus,
}

impl<'a> NamedImage<'a> {
    fn of(image: &'a ImageReport) -> Self {
        Self {
            names: image_names(image),
            status: image.status,
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
