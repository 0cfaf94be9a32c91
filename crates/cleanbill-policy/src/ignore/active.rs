//! The rules that count for one image, found by the vulnerability that they name.

use std::collections::HashMap;
use std::time::SystemTime;

use cleanbill_core::report::{ExceptionTerms, ImageReport};
use cleanbill_core::vulnerability::Finding;
use jiff::Timestamp;

use super::rule::{Candidate, Entry, Rule};
use super::{IgnoreRules, RulePlace, expired_words, image_names};
use crate::time;

/// Holds the rules of all files that are about an image. Those that name vulnerabilities are found
/// by them.
pub(crate) struct ActiveRules<'a> {
    files: Vec<ActiveFile<'a>>,
}

/// The rules of one file.
struct ActiveFile<'a> {
    rules: &'a IgnoreRules,
    now: Timestamp,
    by_id: HashMap<&'a str, Vec<usize>>,
    for_any_id: Vec<usize>,
}

/// The rule that covers a finding.
pub(crate) struct Cover<'a> {
    pub(crate) place: RulePlace,
    pub(crate) statement: &'a str,
    /// The file; with the line if it is an `exceptions.yaml`.
    pub(crate) source: String,
    pub(crate) terms: &'a ExceptionTerms,
}

/// A rule that would cover a finding, had its time not come.
pub(crate) struct Lapse {
    pub(crate) place: RulePlace,
    /// `exceptions.yaml:3 has expired on 2026-11-30`.
    pub(crate) words: String,
}

impl<'a> ActiveRules<'a> {
    pub(crate) fn of(files: &'a [IgnoreRules], image: &ImageReport, now: SystemTime) -> Self {
        let now = time::timestamp(now);
        let names = image_names(image);
        let files = files.iter().map(|file| ActiveFile::of(file, &names, now));
        Self {
            files: files.collect(),
        }
    }

    /// Says whether some rule asks for the source packages of findings.
    pub(crate) fn ask_for_source_packages(&self) -> bool {
        self.files.iter().any(|file| {
            let mut rules = file
                .rules
                .entries
                .iter()
                .filter_map(|entry| entry.rule.as_ref().ok());
            rules.any(Rule::asks_for_source_package)
        })
    }

    /// Finds what covers a finding: the first file that has such a rule, and in it the first rule
    /// for the target, else the first for the package's own path (which is empty for OS packages,
    /// and `**` matches that too).
    pub(crate) fn find(&self, candidate: &Candidate<'_>) -> Option<Cover<'a>> {
        self.files.iter().enumerate().find_map(|(number, file)| {
            let is_in_force =
                |rule: &Rule| !rule.has_expired(file.now) && rule.end(candidate.finding).is_none();
            let (index, entry, rule) = file.find(candidate, is_in_force)?;
            Some(Cover {
                place: (number, index),
                statement: &rule.statement,
                source: file.rules.name_of(entry),
                terms: &rule.terms,
            })
        })
    }

    /// Lists every rule that covers a finding, also behind the one that takes it out.
    pub(crate) fn find_all(&self, candidate: &Candidate<'_>) -> Vec<RulePlace> {
        let files = self.files.iter().enumerate();
        let places = files.flat_map(|(number, file)| {
            let covering = file.covering(candidate);
            covering.map(move |index| (number, index))
        });
        places.collect()
    }

    /// Finds the exception that would cover a finding which none covers.
    pub(crate) fn find_lapsed(&self, candidate: &Candidate<'_>) -> Option<Lapse> {
        self.files.iter().enumerate().find_map(|(number, file)| {
            if !file.rules.is_exceptions {
                return None;
            }
            let (index, entry, rule) = file.find(candidate, |_| true)?;
            let name = file.rules.name_of(entry);
            let words = match rule.end(candidate.finding) {
                _ if rule.has_expired(file.now) => expired_words(&name, &rule.terms.expires),
                Some(end) => format!("{name} has ended: {end}"),
                None => return None,
            };
            Some(Lapse {
                place: (number, index),
                words,
            })
        })
    }
}

impl<'a> ActiveFile<'a> {
    fn of(rules: &'a IgnoreRules, names: &[&str], now: Timestamp) -> Self {
        let mut file = Self {
            rules,
            now,
            by_id: HashMap::new(),
            for_any_id: Vec::new(),
        };
        for (index, entry) in rules.entries.iter().enumerate() {
            let Ok(rule) = &entry.rule else { continue };
            if !rule.is_about(names) || (rule.has_expired(now) && !rules.is_exceptions) {
                continue;
            }
            for id in &rule.ids {
                file.by_id.entry(id).or_default().push(index);
            }
            if rule.ids.is_empty() {
                file.for_any_id.push(index);
            }
        }
        file
    }

    fn find(
        &self,
        candidate: &Candidate<'_>,
        is_wanted: impl Fn(&Rule) -> bool,
    ) -> Option<(usize, &'a Entry, &'a Rule)> {
        let rules = self.rules_for(candidate.finding);
        if rules.is_empty() {
            return None;
        }
        [candidate.target, &candidate.finding.package_path]
            .into_iter()
            .find_map(|path| {
                rules
                    .iter()
                    .copied()
                    .find(|(_, _, rule)| rule.covers(path, candidate) && is_wanted(rule))
            })
    }

    fn covering(&self, candidate: &Candidate<'_>) -> impl Iterator<Item = usize> {
        let paths = [candidate.target, candidate.finding.package_path.as_str()];
        let rules = self.rules_for(candidate.finding).into_iter();
        let covering = rules.filter(move |(_, _, rule)| {
            !rule.has_expired(self.now)
                && rule.end(candidate.finding).is_none()
                && paths.iter().any(|path| rule.covers(path, candidate))
        });
        covering.map(|(index, _, _)| index)
    }

    /// Collects, in the order of the file, the rules for a finding's vulnerability. Only some rules
    /// know it by the supplier's ids too.
    fn rules_for(&self, finding: &Finding) -> Vec<(usize, &'a Entry, &'a Rule)> {
        let rule = |index: &usize| {
            let entry = self.rules.entries.get(*index)?;
            Some((*index, entry, entry.rule.as_ref().ok()?))
        };
        let of_id = |id: &str| self.by_id.get(id).into_iter().flatten().filter_map(rule);
        let mut rules: Vec<_> = of_id(&finding.vulnerability_id).collect();
        for id in &finding.vendor_ids {
            rules.extend(of_id(id).filter(|(_, _, rule)| rule.knows_aliases));
            if let Some(id) = without_revision(id) {
                rules.extend(of_id(id).filter(|(_, _, rule)| rule.knows_aliases));
            }
        }
        rules.extend(self.for_any_id.iter().filter_map(rule));
        rules.sort_by_key(|(index, _, _)| *index);
        rules.dedup_by_key(|(index, _, _)| *index);
        rules
    }
}

/// Debian numbers the revisions of an advisory (`DSA-5514-2`); people name the advisory alone.
fn without_revision(id: &str) -> Option<&str> {
    let is_debian = id.starts_with("DSA-") || id.starts_with("DLA-");
    let (advisory, _) = id.rsplit_once('-').filter(|_| is_debian)?;
    (advisory.len() > "DSA-".len()).then_some(advisory)
}
