//! Ignore files: accepted findings, as Trivy, Grype and OSV-Scanner write them down.
//!
//! All forms are read into the same rules. A rule that cannot be honoured whole is not honoured at
//! all, and reported: half of its conditions would hide more than it says. Source: spec 03 section
//! 8 and Trivy `pkg/result/ignore.go`; Grype `grype/match/ignore.go`; OSV-Scanner
//! `internal/config/config.go`.

mod ecosystem;
mod grype;
mod osv;
mod plain;
pub(crate) mod rule;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::SystemTime;

use cleanbill_core::report::{ExceptionOutcome, ExceptionReport};
use cleanbill_core::vulnerability::Finding;

use crate::time;
use rule::{Candidate, Entry, Rule};

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
}

/// Holds the rules of one ignore file. Empty by default.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    source: String,
    entries: Vec<Entry>,
}

/// Counts how many findings each rule covered, over any number of images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreUsage {
    counts: HashMap<RulePlace, u64>,
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
}

impl IgnoreFileKind {
    /// Tells the form by the file's name.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        let stem = name.trim_end_matches(".yml").trim_end_matches(".yaml");
        if is_yaml && (stem == "grype" || stem.ends_with(".grype")) {
            Self::Grype
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
        };
        Ok(Self {
            source: source.to_owned(),
            entries,
        })
    }

    /// Returns the name of the file.
    pub fn source(&self) -> &str {
        &self.source
    }
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
                outcome: outcome((file, index), entry),
            });
        }
    }
    reports
}

impl IgnoreUsage {
    pub(crate) fn count(&mut self, place: RulePlace) {
        *self.counts.entry(place).or_default() += 1;
    }
}

/// Holds the rules of all files that have not expired. Those that name a vulnerability are found by
/// it.
pub(crate) struct ActiveRules<'a> {
    files: Vec<ActiveFile<'a>>,
}

#[derive(Default)]
struct ActiveFile<'a> {
    source: &'a str,
    by_id: HashMap<&'a str, Vec<(usize, &'a Rule)>>,
    for_any_id: Vec<(usize, &'a Rule)>,
}

/// The rule that covers a finding.
pub(crate) struct Cover<'a> {
    pub(crate) place: RulePlace,
    pub(crate) statement: &'a str,
    pub(crate) source: &'a str,
}

impl<'a> ActiveRules<'a> {
    pub(crate) fn of(files: &'a [IgnoreRules], now: SystemTime) -> Self {
        let now = time::timestamp(now);
        let files = files.iter().map(|rules| {
            let mut file = ActiveFile {
                source: &rules.source,
                ..ActiveFile::default()
            };
            for (index, entry) in rules.entries.iter().enumerate() {
                let Ok(rule) = &entry.rule else { continue };
                if rule.has_expired(now) {
                    continue;
                }
                match &rule.id {
                    Some(id) => file.by_id.entry(id).or_default().push((index, rule)),
                    None => file.for_any_id.push((index, rule)),
                }
            }
            file
        });
        Self {
            files: files.collect(),
        }
    }

    /// Says whether some rule asks for the source packages of findings.
    pub(crate) fn ask_for_source_packages(&self) -> bool {
        let rules = |file: &ActiveFile<'a>| {
            let named = file.by_id.values().flatten();
            named
                .chain(&file.for_any_id)
                .any(|(_, rule)| rule.asks_for_source_package())
        };
        self.files.iter().any(rules)
    }

    /// Finds what covers a finding: the first file that has such a rule, and in it the first rule
    /// for the target, else the first for the package's own path (which is empty for OS packages,
    /// and `**` matches that too).
    pub(crate) fn find(&self, candidate: &Candidate<'_>) -> Option<Cover<'_>> {
        self.files.iter().enumerate().find_map(|(number, file)| {
            let (index, rule) = file.find(candidate)?;
            Some(Cover {
                place: (number, index),
                statement: &rule.statement,
                source: file.source,
            })
        })
    }
}

impl<'a> ActiveFile<'a> {
    fn find(&self, candidate: &Candidate<'_>) -> Option<(usize, &'a Rule)> {
        let finding = candidate.finding;
        let rules = self.rules_for(finding);
        [candidate.target, &finding.package_path]
            .into_iter()
            .find_map(|path| {
                rules
                    .iter()
                    .copied()
                    .find(|(_, rule)| rule.covers(path, candidate))
            })
    }

    /// Collects, in the order of the file, the rules for a finding's vulnerability. Only some rules
    /// know it by the supplier's ids too.
    fn rules_for(&self, finding: &Finding) -> Vec<(usize, &'a Rule)> {
        let of_id = |id: &str| self.by_id.get(id).into_iter().flatten().copied();
        let mut rules: Vec<(usize, &'a Rule)> = of_id(&finding.vulnerability_id).collect();
        let aliases = finding.vendor_ids.iter().flat_map(|id| of_id(id));
        rules.extend(aliases.filter(|(_, rule)| rule.knows_aliases));
        rules.extend(&self.for_any_id);
        rules.sort_by_key(|(index, _)| *index);
        rules
    }
}
