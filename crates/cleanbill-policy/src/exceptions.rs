//! Exceptions: accepted findings with a reason, an owner and an end, as our own `exceptions.yaml`
//! states them.
//!
//! They are read into the rules that ignore files are read into (see [`crate::ignore`]), so an
//! exception does the same wherever it is applied: in a scan, in `watch`, on a saved report. What
//! is different is that nothing of a file is passed over: a key that is not known, a date that is
//! none or an entry without a reason makes the whole file one that is not used, because half of a
//! condition would accept more than somebody decided.

mod date;
mod edit;
mod matching;
mod overlap;
mod parse;
mod renewal;
mod text;

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use cleanbill_core::report::{
    ExceptionOutcome, ExceptionReport, ExceptionTerms, ImageReport, ScanReport,
};

use crate::ignore::{self, IgnoreRules, IgnoreUsage, suppress};

pub use edit::{EditError, append, remove};
pub use matching::Matching;
pub use overlap::{Overlap, overlaps};
pub use parse::json_schema;
pub use renewal::{Doubt, DoubtfulException, EndedException, Renewal, doubtful, renew};
pub(crate) use text::is_form_of;

/// Holds the exceptions of one file.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    rules: IgnoreRules,
    list: Vec<Exception>,
}

/// Holds one exception as it is written, for people. Empty texts and lists were not stated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exception {
    /// The line, counted from 1.
    pub line: u64,
    /// The vulnerabilities; `*` alone for any.
    pub ids: Vec<String>,
    /// Patterns of images; any of them.
    pub images: Vec<String>,
    /// Names of packages, with `*`, or package URLs; any of them.
    pub packages: Vec<String>,
    /// The range of installed versions.
    pub version: String,
    /// Patterns of files; any of them.
    pub paths: Vec<String>,
    /// The kind of packages, `npm` or `debian`.
    pub ecosystem: String,
    /// Why the findings are accepted.
    pub reason: String,
    /// Who answers for it, and until when it holds.
    pub terms: ExceptionTerms,
    /// The day on which it was made.
    pub created: String,
    /// It ends for a finding as soon as a fix is available.
    pub until_fixed: bool,
    /// What ends it for a finding besides: `kev`, `epss>0.5`.
    pub unless: Vec<String>,
    /// The moment after which it does not count any more, as the file says it.
    pub expires_at: Option<SystemTime>,
}

/// Says what became of the exceptions of a file in one report, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionsUsage {
    /// One for each exception.
    pub reports: Vec<ExceptionReport>,
    /// Those that cover findings although nobody can tell whether they still hold.
    pub doubtful: Vec<DoubtfulException>,
}

/// Says everything that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", text::of_problems(problems))]
pub struct ExceptionsError {
    /// At least one, in the order of the file.
    pub problems: Vec<ExceptionsProblem>,
}

/// Says what is wrong at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExceptionsProblem {
    /// The line, counted from 1; 0 if it is not known.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
    /// What is wrong, and what to write instead.
    pub text: String,
}

impl Exceptions {
    /// Reads an `exceptions.yaml`: a list, or a mapping with the list below `exceptions`. `source`
    /// is the file's name as reports shall print it.
    ///
    /// # Errors
    ///
    /// Something is wrong anywhere in the file: then nothing of it counts.
    pub fn parse(text: &str, source: &str) -> Result<Self, ExceptionsError> {
        let (entries, list) = parse::parse(text)?.into_iter().unzip();
        Ok(Self {
            rules: IgnoreRules::of_exceptions(source, entries),
            list,
        })
    }

    /// Moves the findings that are covered to the suppressed ones, in every image, and says in the
    /// report what became of each exception. Findings that a file of the same name had covered are
    /// judged anew, so a report that was saved can be held against what the file says today.
    /// `now` decides which exceptions have expired.
    pub fn apply(&self, report: &mut ScanReport, now: SystemTime) -> ExceptionsUsage {
        let mut usage = IgnoreUsage::default();
        let files = std::slice::from_ref(&self.rules);
        for image in &mut report.images {
            self.restore(image, now, &mut usage);
            suppress(image, files, now, &mut usage);
        }
        let reports = ignore::report(files, &usage, now);
        report.exceptions.retain(|one| one.source != self.source());
        report.exceptions.extend(reports.iter().cloned());
        ExceptionsUsage {
            reports,
            doubtful: doubtful(files, &usage, report.database.as_ref()),
        }
    }

    /// Takes back what a file of this name had covered. Where a report does not name the source
    /// packages that an exception asks for, what it covered when they were known stays covered.
    fn restore(&self, image: &mut ImageReport, now: SystemTime, usage: &mut IgnoreUsage) {
        let names: Vec<String> = ignore::image_names(image)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for result in &mut image.results {
            let lacks_sources = ignore::lacks_sources(result);
            text::restore(result, self.source(), |one| {
                if !lacks_sources || !one.finding.source_name.is_empty() {
                    return false;
                }
                let Some((index, name)) = self.rules.unchanged(one, &names, now) else {
                    return false;
                };
                usage.count((0, index));
                one.source = name;
                true
            });
        }
    }

    /// Returns the name of the file.
    pub fn source(&self) -> &str {
        self.rules.source()
    }

    /// Returns the exceptions in the order of the file.
    pub fn list(&self) -> &[Exception] {
        &self.list
    }

    /// Says whether an exception, by its place in the list, is about an image with these names (see
    /// [`ignore::image_names`]).
    pub fn is_about(&self, index: usize, names: &[&str]) -> bool {
        self.rules.is_about(index, names)
    }

    /// Returns the same as rules, for a [`crate::Filter`].
    pub fn rules(&self) -> &IgnoreRules {
        &self.rules
    }

    pub(crate) fn into_rules(self) -> IgnoreRules {
        self.rules
    }

    /// Lists the exceptions that count now and end within a time, the first to end first.
    pub fn expiring(&self, now: SystemTime, within: Duration) -> Vec<&Exception> {
        let is_near = |one: &&Exception| {
            let left = one.expires_in(now);
            !one.has_expired(now) && left.is_some_and(|left| left <= within)
        };
        let mut found: Vec<&Exception> = self.list.iter().filter(is_near).collect();
        found.sort_by_key(|one| one.expires_at);
        found
    }
}

impl Exception {
    /// Says whether its time is over.
    pub fn has_expired(&self, now: SystemTime) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at < now)
    }

    /// Returns how long it counts from now on; zero if its time is over, `None` if it has no end.
    pub fn expires_in(&self, now: SystemTime) -> Option<Duration> {
        let expires_at = self.expires_at?;
        Some(expires_at.duration_since(now).unwrap_or_default())
    }

    /// Names it by its vulnerabilities: the first three, and how many more.
    pub fn title(&self) -> String {
        text::title(&self.ids)
    }

    /// Says in a few words what it is limited to: `package openssl, image ghcr.io/*`; empty if it
    /// is about every package of every image.
    pub fn scope(&self) -> String {
        text::scope(self)
    }
}

impl ExceptionsUsage {
    /// Counts the findings that are covered.
    pub fn covered(&self) -> u64 {
        let counts = self.reports.iter().map(|report| match report.outcome {
            ExceptionOutcome::Applied(count) => count,
            _ => 0,
        });
        counts.fold(0, u64::saturating_add)
    }

    /// Iterates over what has expired.
    pub fn expired(&self) -> impl Iterator<Item = &ExceptionReport> {
        let reports = self.reports.iter();
        reports.filter(|report| report.outcome == ExceptionOutcome::Expired)
    }
}
