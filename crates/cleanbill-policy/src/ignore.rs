//! Ignore files: `.trivyignore` and its YAML form.
//!
//! Both forms are read into the same rules. Source: spec 03 section 8; Trivy
//! `pkg/result/ignore.go`.

mod plain;
mod raw;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::SystemTime;

use cleanbill_core::glob::Pattern;
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::vulnerability::Finding;
use jiff::Timestamp;

pub use plain::IgnoreWarning;
pub use raw::{IgnoreFileError, RawIgnoreFile, RawIgnoreRule};

use crate::time;

/// Holds the exceptions of one ignore file. Empty by default.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    source: String,
    rules: Vec<IgnoreRule>,
}

/// Accepts one vulnerability, perhaps only in some files or packages.
#[derive(Clone, Debug)]
pub(crate) struct IgnoreRule {
    pub(crate) id: String,
    pub(crate) paths: Vec<Pattern>,
    pub(crate) purls: Vec<PackageUrl>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) statement: String,
}

/// Counts how many findings each rule covered, over any number of images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreUsage {
    counts: Vec<u64>,
}

/// Says what became of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleReport {
    /// The vulnerability id that the rule names.
    pub id: String,
    /// The reason that the rule gives; may be empty.
    pub statement: String,
    /// What became of it.
    pub outcome: RuleOutcome,
}

/// Tells rules apart that do something from those that can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOutcome {
    /// It covered this many findings.
    Applied(u64),
    /// Its time is over; it covers nothing.
    Expired,
    /// It covered nothing.
    Unmatched,
}

/// Holds the rules that have not expired, found by id.
pub(crate) struct ActiveRules<'a> {
    by_id: HashMap<&'a str, Vec<(usize, &'a IgnoreRule)>>,
}

impl IgnoreRules {
    /// Reads the plain form. A line with a malformed date is left out and warned of, so that the
    /// finding shows.
    ///
    /// `source` is the file's name as the report shall print it, cleaned by
    /// [`cleanbill_core::path::clean_lexical`].
    pub fn parse_plain(text: &str, source: &str) -> (Self, Vec<IgnoreWarning>) {
        let (rules, warnings) = plain::parse(text);
        let source = source.to_owned();
        (Self { source, rules }, warnings)
    }

    /// Takes the YAML form over, checked.
    ///
    /// # Errors
    /// When a pattern, a package URL or a date is malformed.
    pub fn from_raw(raw: RawIgnoreFile, source: &str) -> Result<Self, IgnoreFileError> {
        let rules = raw::check(raw)?;
        let source = source.to_owned();
        Ok(Self { source, rules })
    }

    /// Returns the name of the file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Says what became of each rule, in the order of the file.
    pub fn report(&self, usage: &IgnoreUsage, now: SystemTime) -> Vec<RuleReport> {
        let now = time::timestamp(now);
        self.rules
            .iter()
            .enumerate()
            .map(|(index, rule)| RuleReport {
                id: rule.id.clone(),
                statement: rule.statement.clone(),
                outcome: match usage.counts.get(index) {
                    _ if rule.has_expired(now) => RuleOutcome::Expired,
                    None | Some(0) => RuleOutcome::Unmatched,
                    Some(count) => RuleOutcome::Applied(*count),
                },
            })
            .collect()
    }

    pub(crate) fn active(&self, now: SystemTime) -> ActiveRules<'_> {
        let now = time::timestamp(now);
        let mut by_id: HashMap<&str, Vec<_>> = HashMap::new();
        for (index, rule) in self.rules.iter().enumerate() {
            if !rule.has_expired(now) {
                by_id.entry(&rule.id).or_default().push((index, rule));
            }
        }
        ActiveRules { by_id }
    }
}

impl IgnoreUsage {
    pub(crate) fn count(&mut self, rule: usize) {
        if self.counts.len() <= rule {
            self.counts.resize(rule + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(rule) {
            *count += 1;
        }
    }
}

impl ActiveRules<'_> {
    /// Finds the rule that covers a finding: the first for the target, else the first for the
    /// package's own path (which is empty for OS packages, and `**` matches that too).
    pub(crate) fn find(&self, target: &str, finding: &Finding) -> Option<(usize, &IgnoreRule)> {
        let rules = self.by_id.get(finding.vulnerability_id.as_str())?;
        let package = finding.package_identifier.purl.as_ref();
        [target, &finding.package_path]
            .into_iter()
            .find_map(|path| {
                rules
                    .iter()
                    .copied()
                    .find(|(_, rule)| rule.covers(path, package))
            })
    }
}

impl IgnoreRule {
    fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at < now)
    }

    fn covers(&self, path: &str, package: Option<&PackageUrl>) -> bool {
        let path_fits = self.paths.is_empty() || self.paths.iter().any(|p| p.matches(path));
        let package_fits = self.purls.is_empty()
            || package.is_none_or(|package| self.purls.iter().any(|p| package.is_covered_by(p)));
        path_fits && package_fits
    }
}

/// Says whether a file is read in the YAML form, by its name.
pub fn is_yaml(path: &str) -> bool {
    path.ends_with(".yml") || path.ends_with(".yaml")
}
