//! Findings that one upgrade mends together.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use cleanbill_core::base_image::Origin;
use cleanbill_core::report::{ResultClass, ResultSet, ScanReport};
use cleanbill_core::vulnerability::Finding;
use cleanbill_version::lowest_fix;

use super::Upgrade;
use crate::gate::{FindingPlace, PackagePlace};

/// Names a group: image, kind of packages, name, version.
type Key<'a> = (usize, &'a str, &'a str, &'a str);

/// Holds the groups of findings that have a fix.
pub(super) struct Groups<'a> {
    groups: Vec<Group<'a>>,
    of_finding: HashMap<FindingPlace, usize>,
}

struct Group<'a> {
    key: Key<'a>,
    findings: Vec<(FindingPlace, &'a Finding)>,
}

impl<'a> Groups<'a> {
    /// Groups findings, in the order in which they come; one that comes twice counts once.
    pub(super) fn of<'p>(
        report: &'a ScanReport,
        places: impl Iterator<Item = &'p FindingPlace>,
    ) -> Self {
        let mut numbers: HashMap<Key<'a>, usize> = HashMap::new();
        let mut groups = Self {
            groups: Vec::new(),
            of_finding: HashMap::new(),
        };
        for place in places {
            let Some((_, result, finding)) = place.find(report) else {
                continue;
            };
            if finding.fixed_version.is_empty() || groups.of_finding.contains_key(place) {
                continue;
            }
            let key = key(place.image, result, finding);
            let number = *numbers.entry(key).or_insert(groups.groups.len());
            if number == groups.groups.len() {
                groups.groups.push(Group {
                    key,
                    findings: Vec::new(),
                });
            }
            groups.of_finding.insert(*place, number);
            if let Some(group) = groups.groups.get_mut(number) {
                group.findings.push((*place, finding));
            }
        }
        groups
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Returns how many findings of each demand each group mends.
    pub(super) fn weights(&self, demands: &[&[FindingPlace]]) -> Vec<Vec<u64>> {
        let mut weights = vec![vec![0; demands.len()]; self.groups.len()];
        for (number, places) in demands.iter().enumerate() {
            for group in places.iter().filter_map(|place| self.of_finding.get(place)) {
                let weight = weights.get_mut(*group).and_then(|row| row.get_mut(number));
                if let Some(weight) = weight {
                    *weight += 1;
                }
            }
        }
        weights
    }

    /// Says whose layers a group's packages belong to; `None` if that is not known or differs.
    pub(super) fn origin(&self, group: usize) -> Option<Origin> {
        let findings = &self.groups.get(group)?.findings;
        let mut origins = findings.iter().map(|(_, finding)| finding.origin);
        let first = origins.next()??;
        origins.all(|origin| origin == Some(first)).then_some(first)
    }

    /// Describes groups as upgrades: those that mend the worst first, then the most.
    pub(super) fn upgrades(&self, report: &ScanReport, chosen: &[usize]) -> Vec<Upgrade> {
        let chosen = chosen.iter().filter_map(|number| self.groups.get(*number));
        let mut upgrades: Vec<Upgrade> = chosen.map(|group| group.upgrade(report)).collect();
        upgrades.sort_by(|a, b| a.rank().cmp(&b.rank()));
        upgrades
    }
}

impl Upgrade {
    fn rank(&self) -> impl Ord + '_ {
        let weight = (Reverse(self.severity), Reverse(self.findings));
        (self.image, weight, &self.name, &self.kind, &self.installed)
    }
}

impl Group<'_> {
    fn upgrade(&self, report: &ScanReport) -> Upgrade {
        let (image, kind, name, _) = self.key;
        debug_assert!(image < report.images.len());
        let findings = self.findings.iter().map(|(_, finding)| *finding);
        let installed = findings
            .clone()
            .map(|finding| finding.installed_version.as_str());
        let installed = installed.min().unwrap_or_default();
        let fixes = findings
            .clone()
            .map(|finding| (finding.fixed_version.as_str(), finding.evidence.scheme));
        let packages: BTreeSet<String> = findings
            .clone()
            .map(|one| one.package_name.clone())
            .collect();
        Upgrade {
            image,
            kind: kind.to_owned(),
            name: name.to_owned(),
            packages,
            installed: installed.to_owned(),
            fixed: lowest_fix(installed, fixes),
            findings: self.findings.len() as u64,
            severity: findings
                .map(|finding| finding.severity)
                .max()
                .unwrap_or_default(),
        }
    }
}

/// Packages of a distribution that come from one source are upgraded together: advisories are
/// looked up under its name.
fn key<'a>(image: usize, result: &'a ResultSet, finding: &'a Finding) -> Key<'a> {
    let evidence = &finding.evidence;
    let is_from_source =
        result.class == ResultClass::OsPackages && !evidence.looked_up_name.is_empty();
    match is_from_source {
        true => (
            image,
            &result.kind,
            &evidence.looked_up_name,
            &evidence.compared_version,
        ),
        false => (
            image,
            &result.kind,
            &finding.package_name,
            &finding.installed_version,
        ),
    }
}

/// Returns the findings of packages that are removed.
pub(super) fn removed_findings(
    report: &ScanReport,
    removed: &HashSet<PackagePlace>,
) -> HashSet<FindingPlace> {
    let mut findings = HashSet::new();
    for place in removed {
        let Some((_, result, package)) = place.find(report) else {
            continue;
        };
        let installed = package.installed_version();
        let of_package = |finding: &Finding| {
            finding.package_name == package.name
                && finding.package_path == package.file_path
                && finding.installed_version == installed
        };
        let numbers = result.findings.iter().enumerate();
        findings.extend(
            numbers
                .filter(|(_, finding)| of_package(finding))
                .map(|(finding, _)| FindingPlace {
                    image: place.image,
                    result: place.result,
                    finding,
                }),
        );
    }
    findings
}
