//! Ignore files: accepted findings, as Trivy, Grype and OSV-Scanner write them down, and our own
//! `exceptions.yaml` (see [`crate::exceptions`]).
//!
//! All forms are read into the same rules. A rule that cannot be honoured whole is not honoured at
//! all, and reported: half of its conditions would hide more than it says. Source: spec 03 section
//! 8 and Trivy `pkg/result/ignore.go`; Grype `grype/match/ignore.go`; OSV-Scanner
//! `internal/config/config.go`.

mod active;
pub(crate) mod ecosystem;
mod grype;
pub(crate) mod name_pattern;
mod osv;
mod plain;
pub(crate) mod rule;
mod suppress;
pub(crate) mod version_range;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::SystemTime;

use cleanbill_core::report::{
    ExceptionOutcome, ExceptionReport, ExceptionTerms, ImageReport, SuppressedFinding,
};

use crate::exceptions::{self, ExceptionsError};
use crate::time;
use rule::{Entry, Rule};

pub(crate) use suppress::{each_cover, lacks_sources, suppress};

/// Tells the forms of ignore files apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IgnoreFileKind {
    /// `.trivyignore`: one id a line.
    Plain,
    /// Trivy's YAML form.
    Yaml,
    /// The configuration of Grype, `.grype.yaml`.
    Grype,
    /// The configuration of OSV-Scanner, `osv-scanner.toml`.
    Osv,
    /// Our own form, `exceptions.yaml`.
    Exceptions,
}

/// Holds the rules of one ignore file. Empty by default.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    source: String,
    entries: Vec<Entry>,
    /// What has expired is looked for too, so that people are told whose time is over; and who is
    /// told of a rule is told its line.
    is_exceptions: bool,
}

/// Counts how many findings each rule covered, over any number of images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreUsage {
    counts: HashMap<RulePlace, u64>,
    lapsed: HashMap<RulePlace, u64>,
}

/// The number of the file and that of the rule in it.
pub(crate) type RulePlace = (usize, usize);

/// Says why an ignore file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IgnoreFileError {
    /// It is not in the form that its name promises.
    #[error("it is not valid {form}")]
    Syntax {
        /// `YAML` or `TOML`.
        form: &'static str,
        /// What is wrong, and where.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An entry of Trivy's YAML form makes no sense.
    #[error("line {line}, column {column}: the entry '{id}' {reason}")]
    Entry {
        /// The line of the entry, counted from 1.
        line: u64,
        /// Its column, counted from 1.
        column: u64,
        /// What it is about.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is an `exceptions.yaml` with errors.
    #[error(transparent)]
    Exceptions(#[from] ExceptionsError),
}

impl IgnoreFileKind {
    /// Tells the form by the file's name, and YAML that is called anything by what it begins with.
    pub fn of(path: &str, text: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        let stem = name.trim_end_matches(".yml").trim_end_matches(".yaml");
        if is_yaml && (stem == "grype" || stem.ends_with(".grype")) {
            Self::Grype
        } else if is_yaml && (stem == "exceptions" || exceptions::is_form_of(text)) {
            Self::Exceptions
        } else if is_yaml {
            Self::Yaml
        } else if name.ends_with(".toml") {
            Self::Osv
        } else {
            Self::Plain
        }
    }
}

impl IgnoreRules {
    /// Reads an ignore file. `source` is the file's name as the report shall print it, cleaned by
    /// [`cleanbill_core::path::clean_lexical`].
    ///
    /// # Errors
    /// When the text is not in the form, or an entry of Trivy's YAML form makes no sense. In the
    /// other forms such an entry is left out and reported.
    pub fn parse(kind: IgnoreFileKind, text: &str, source: &str) -> Result<Self, IgnoreFileError> {
        let entries = match kind {
            IgnoreFileKind::Plain => plain::parse(text),
            IgnoreFileKind::Yaml => yaml::parse(text)?,
            IgnoreFileKind::Grype => grype::parse(text)?,
            IgnoreFileKind::Osv => osv::parse(text)?,
            IgnoreFileKind::Exceptions => {
                return Ok(exceptions::Exceptions::parse(text, source)?.into_rules());
            }
        };
        Ok(Self {
            source: source.to_owned(),
            entries,
            is_exceptions: false,
        })
    }

    pub(crate) fn of_exceptions(source: &str, entries: Vec<Entry>) -> Self {
        Self {
            source: source.to_owned(),
            entries,
            is_exceptions: true,
        }
    }

    /// Returns the name of the file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the name that findings are given for an entry: the file, for exceptions with the
    /// line.
    fn name_of(&self, entry: &Entry) -> String {
        match self.is_exceptions {
            true => format!("{}:{}", self.source, entry.line),
            false => self.source.clone(),
        }
    }

    /// Says whether a rule, counted from 0, is about an image with these names.
    pub(crate) fn is_about(&self, index: usize, names: &[&str]) -> bool {
        let rule = self.entries.get(index).map(|entry| &entry.rule);
        rule.is_some_and(|rule| rule.as_ref().is_ok_and(|rule| rule.is_about(names)))
    }
}

impl IgnoreRules {
    /// Finds the rule that had covered a finding if it still says the same: of one reason and the same
    /// terms, about the finding's vulnerability, and not ended. Only a rule that asks for the source
    /// package is looked for: what the others ask for is known.
    pub(crate) fn unchanged(
        &self,
        suppressed: &SuppressedFinding,
        names: &[&str],
        now: SystemTime,
    ) -> Option<(usize, String)> {
        let now = time::timestamp(now);
        let finding = &suppressed.finding;
        let is_about = |rule: &Rule| {
            let mut ids = finding.vendor_ids.iter().chain([&finding.vulnerability_id]);
            rule.ids.is_empty() || ids.any(|id| rule.ids.contains(id))
        };
        let holds = |rule: &Rule| {
            rule.asks_for_source_package()
                && rule.statement == suppressed.statement
                && rule.terms == suppressed.terms
                && is_about(rule)
                && rule.is_about(names)
                && !rule.has_expired(now)
                && rule.end(finding).is_none()
        };
        let mut entries = self.entries.iter().enumerate();
        entries.find_map(|(index, entry)| {
            let rule = entry.rule.as_ref().ok();
            rule.filter(|rule| holds(rule))
                .map(|_| (index, self.name_of(entry)))
        })
    }
}

/// Returns the names that an image is known by.
pub fn image_names(image: &ImageReport) -> Vec<&str> {
    let metadata = &image.metadata;
    std::iter::once(&image.artifact_name)
        .chain(&metadata.repo_tags)
        .chain(&metadata.repo_digests)
        .map(String::as_str)
        .collect()
}

/// Says what became of each rule of several files, in their order.
pub fn report(files: &[IgnoreRules], usage: &IgnoreUsage, now: SystemTime) -> Vec<ExceptionReport> {
    let now = time::timestamp(now);
    let outcome = |place: RulePlace, entry: &Entry| match &entry.rule {
        Err(reason) => ExceptionOutcome::NotUnderstood(reason.clone()),
        Ok(rule) if rule.has_expired(now) => ExceptionOutcome::Expired,
        Ok(_) => match usage.counts.get(&place) {
            None => ExceptionOutcome::Unmatched,
            Some(count) => ExceptionOutcome::Applied(*count),
        },
    };
    let mut reports = Vec::new();
    for (file, rules) in files.iter().enumerate() {
        for (index, entry) in rules.entries.iter().enumerate() {
            reports.push(ExceptionReport {
                source: rules.source.clone(),
                line: entry.line,
                rule: entry.title.clone(),
                statement: match &entry.rule {
                    Ok(rule) => rule.statement.clone(),
                    Err(_) => String::new(),
                },
                terms: match &entry.rule {
                    Ok(rule) => rule.terms.clone(),
                    Err(_) => ExceptionTerms::default(),
                },
                lapsed_findings: usage.lapsed((file, index)),
                outcome: outcome((file, index), entry),
            });
        }
    }
    reports
}

/// Says that an exception does not count any more.
pub(crate) fn expired_words(name: &str, expires: &str) -> String {
    format!("{name} has expired on {expires}")
}

impl IgnoreUsage {
    /// Iterates over the rules that covered something, in the order of the files, with their names.
    pub(crate) fn applied<'a>(
        &self,
        files: &'a [IgnoreRules],
    ) -> impl Iterator<Item = (String, &'a Rule)> {
        let entries = files.iter().enumerate().flat_map(|(number, file)| {
            let entries = file.entries.iter().enumerate();
            entries.map(move |(index, entry)| ((number, index), file, entry))
        });
        entries.filter_map(|(place, file, entry)| {
            let rule = entry.rule.as_ref().ok()?;
            let covers = self.counts.contains_key(&place);
            covers.then(|| (file.name_of(entry), rule))
        })
    }

    pub(crate) fn count(&mut self, place: RulePlace) {
        *self.counts.entry(place).or_default() += 1;
    }

    pub(crate) fn count_lapsed(&mut self, place: RulePlace) {
        *self.lapsed.entry(place).or_default() += 1;
    }

    /// Returns how many findings a rule would cover whose time has come.
    pub(crate) fn lapsed(&self, place: RulePlace) -> u64 {
        self.lapsed.get(&place).copied().unwrap_or(0)
    }
}
