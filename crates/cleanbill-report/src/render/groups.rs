//! Findings grouped by the package that a person would upgrade.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use cleanbill_core::package::LayerId;
use cleanbill_core::report::SeverityCounts;
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::Finding;

use super::{fix, words};

/// Holds the findings of one package version in one layer.
pub(super) struct Group<'a> {
    pub(super) name: &'a str,
    pub(super) installed: &'a str,
    pub(super) layer: Option<LayerId>,
    /// The files that it was found in, without duplicates.
    pub(super) paths: BTreeSet<&'a str>,
    /// The findings, worst first; several files make several findings of one id.
    pub(super) findings: Vec<&'a Finding>,
}

/// Splits findings into those with a fix and those without, and groups either by package. Groups
/// with the worst findings come first, of equal ones those with the most.
pub(super) fn group(findings: &[Finding]) -> (Vec<Group<'_>>, Vec<Group<'_>>) {
    let (fixable, others): (Vec<_>, Vec<_>) = findings
        .iter()
        .partition(|finding| !finding.fixed_version.is_empty());
    (by_package(fixable), by_package(others))
}

fn by_package(findings: Vec<&Finding>) -> Vec<Group<'_>> {
    let mut places: HashMap<(&str, &str, Option<LayerId>), usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for finding in findings {
        let name = finding.package_name.as_str();
        let installed = finding.installed_version.as_str();
        let place = *places
            .entry((name, installed, finding.layer))
            .or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group {
                name,
                installed,
                layer: finding.layer,
                paths: BTreeSet::new(),
                findings: Vec::new(),
            });
        }
        if let Some(group) = groups.get_mut(place) {
            group.findings.push(finding);
            group
                .paths
                .extend(Some(finding.package_path.as_str()).filter(|path| !path.is_empty()));
        }
    }
    for group in &mut groups {
        group.findings.sort_by(|a, b| {
            (Reverse(a.severity), &a.vulnerability_id)
                .cmp(&(Reverse(b.severity), &b.vulnerability_id))
        });
    }
    groups.sort_by_cached_key(|group| {
        let counts = group.counts();
        let counts = Severity::ALL.map(|severity| Reverse(counts.get(severity)));
        (counts, group.name.to_owned(), group.installed.to_owned())
    });
    groups
}

impl<'a> Group<'a> {
    pub(super) fn counts(&self) -> SeverityCounts {
        self.findings
            .iter()
            .map(|finding| finding.severity)
            .collect()
    }

    /// Iterates over one finding of each id, worst first.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'a Finding> {
        let mut last = None;
        self.findings.iter().copied().filter(move |finding| {
            last.replace(&finding.vulnerability_id) != Some(&finding.vulnerability_id)
        })
    }

    pub(super) fn fix(&self) -> String {
        fix::lowest_fix(self.installed, &self.findings)
    }

    /// Returns what the supplier says, in words, without duplicates.
    pub(super) fn statuses(&self) -> String {
        let statuses: BTreeSet<FixStatus> = self.findings.iter().map(|f| f.status).collect();
        let words: Vec<_> = statuses.into_iter().map(words::fix_status).collect();
        words.join(", ")
    }
}
