//! Compares what two engines found in the same image.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cleanbill_core::report::{ImageReport, ResultClass, ResultSet};
use cleanbill_core::vulnerability::Finding;

/// Says how far two engines agree about one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Findings that both have, with the same particulars.
    pub findings_equal: usize,
    /// Packages that both have.
    pub packages_equal: usize,
    /// Everything else, sorted.
    pub differences: Vec<Difference>,
}

/// States one thing about which engines differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The package.
    pub package: PackageKey,
    /// The vulnerability; empty where the package itself is the difference.
    pub vulnerability_id: String,
    /// What differs.
    pub kind: DifferenceKind,
    /// The likely cause, in words.
    pub reason: String,
}

/// Tells kinds of differences apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Only the native engine has it.
    OnlyNative,
    /// Only Trivy has it.
    OnlyTrivy,
    /// Both have it, but a particular differs.
    Field {
        /// The name of the particular.
        field: &'static str,
        /// What the native engine says.
        native: String,
        /// What Trivy says.
        trivy: String,
    },
}

/// Identifies a package of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageKey {
    /// The family or language type.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The version as reports print it.
    pub version: String,
    /// The file, for language packages.
    pub path: String,
}

impl fmt::Display for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({}", self.name, self.version, self.kind)?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        f.write_str(")")
    }
}

impl Agreement {
    /// Says whether nothing differs.
    pub fn is_complete(&self) -> bool {
        self.differences.is_empty()
    }

    /// Compares two reports about the same image.
    pub fn of(native: &ImageReport, trivy: &ImageReport) -> Self {
        let (ours, theirs) = (Found::new(native), Found::new(trivy));
        let mut agreement = Self::default();
        agreement.compare_packages(&ours, &theirs, native);
        agreement.compare_findings(&ours, &theirs, native);
        agreement.differences.sort();
        agreement
    }

    fn compare_packages(&mut self, ours: &Found<'_>, theirs: &Found<'_>, native: &ImageReport) {
        self.packages_equal = ours.packages.intersection(&theirs.packages).count();
        for package in ours.packages.difference(&theirs.packages) {
            self.add(
                package,
                "",
                DifferenceKind::OnlyNative,
                "trivy did not find the package; docs/trivy-differences.md lists where it looks \
                 at other files"
                    .to_owned(),
            );
        }
        for package in theirs.packages.difference(&ours.packages) {
            let reason = missing_here(native);
            self.add(package, "", DifferenceKind::OnlyTrivy, reason);
        }
    }

    fn compare_findings(&mut self, ours: &Found<'_>, theirs: &Found<'_>, native: &ImageReport) {
        let keys: BTreeSet<_> = ours.findings.keys().chain(theirs.findings.keys()).collect();
        for key in keys {
            let (package, id) = key;
            let none = Vec::new();
            let left = ours.findings.get(key).unwrap_or(&none);
            let right = theirs.findings.get(key).unwrap_or(&none);
            for (left, right) in left.iter().zip(right) {
                self.compare_finding(package, left, right);
            }
            for finding in left.iter().skip(right.len()) {
                let reason = if theirs.packages.contains(package) {
                    format!("judged otherwise: {}", evidence(finding))
                } else {
                    "trivy did not find the package".to_owned()
                };
                self.add(package, id, DifferenceKind::OnlyNative, reason);
            }
            for finding in right.iter().skip(left.len()) {
                let reason = if ours.packages.contains(package) {
                    format!(
                        "judged otherwise: trivy names the source '{}'",
                        source(finding)
                    )
                } else {
                    missing_here(native)
                };
                self.add(package, id, DifferenceKind::OnlyTrivy, reason);
            }
        }
    }

    fn compare_finding(&mut self, package: &PackageKey, native: &Finding, trivy: &Finding) {
        let before = self.differences.len();
        for (field, of) in FIELDS {
            let (native_value, trivy_value) = (of(native), of(trivy));
            if native_value != trivy_value {
                let kind = DifferenceKind::Field {
                    field,
                    native: native_value,
                    trivy: trivy_value,
                };
                let reason = format!("both found it; compared was {}", evidence(native));
                self.add(package, &native.vulnerability_id, kind, reason);
            }
        }
        self.findings_equal += usize::from(self.differences.len() == before);
    }

    fn add(&mut self, package: &PackageKey, id: &str, kind: DifferenceKind, reason: String) {
        self.differences.push(Difference {
            package: package.clone(),
            vulnerability_id: id.to_owned(),
            kind,
            reason,
        });
    }
}

/// Returns a particular of a finding.
type Particular = fn(&Finding) -> String;

/// The particulars of a finding that must be equal.
const FIELDS: [(&str, Particular); 6] = [
    ("fixed version", |finding| finding.fixed_version.clone()),
    ("status", |finding| finding.status.name().to_owned()),
    ("severity", |finding| finding.severity.to_string()),
    ("severity source", |finding| finding.severity_source.clone()),
    ("layer", |finding| {
        let layer = finding.layer.map(|layer| layer.diff_id.to_string());
        layer.unwrap_or_default()
    }),
    ("data source", source),
];

/// What one engine found, by what identifies it.
struct Found<'a> {
    packages: BTreeSet<PackageKey>,
    /// By package and vulnerability; a package may be listed twice.
    findings: BTreeMap<(PackageKey, &'a str), Vec<&'a Finding>>,
}

impl<'a> Found<'a> {
    fn new(report: &'a ImageReport) -> Self {
        let mut found = Self {
            packages: BTreeSet::new(),
            findings: BTreeMap::new(),
        };
        for result in &report.results {
            found.add(result);
        }
        found
    }

    fn add(&mut self, result: &'a ResultSet) {
        // Where packages have no path of their own, that of the result tells them apart.
        let own_path = |path: &str| {
            let is_file = result.target.contains('/');
            if path.is_empty() && is_file && result.class == ResultClass::LanguagePackages {
                result.target.clone()
            } else {
                path.to_owned()
            }
        };
        self.packages
            .extend(result.packages.iter().map(|package| PackageKey {
                kind: result.kind.clone(),
                name: package.name.clone(),
                version: package.installed_version(),
                path: own_path(&package.file_path),
            }));
        for finding in &result.findings {
            let package = PackageKey {
                kind: result.kind.clone(),
                name: finding.package_name.clone(),
                version: finding.installed_version.clone(),
                path: own_path(&finding.package_path),
            };
            let key = (package, finding.vulnerability_id.as_str());
            self.findings.entry(key).or_default().push(finding);
        }
    }
}

fn source(finding: &Finding) -> String {
    let source = finding.data_source.as_ref();
    source.map(|source| source.id.clone()).unwrap_or_default()
}

/// Says what was compared.
fn evidence(finding: &Finding) -> String {
    let evidence = &finding.evidence;
    let constraint = if evidence.constraint.is_empty() {
        "every version"
    } else {
        &evidence.constraint
    };
    format!(
        "{} with {constraint} of '{}' in '{}'",
        evidence.compared_version, evidence.looked_up_name, evidence.bucket
    )
}

/// Says why the native engine may lack a package.
fn missing_here(native: &ImageReport) -> String {
    match native.problems.iter().find(|problem| problem.kind.is_gap()) {
        Some(problem) => format!(
            "the native engine did not find the package, and says: {}: {}",
            problem.kind, problem.message
        ),
        None => "the native engine did not find the package".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::Package;

    use super::*;

    fn report(packages: &[&str], findings: &[(&str, &str, &str)]) -> ImageReport {
        let result = ResultSet {
            target: "app/lock".to_owned(),
            class: ResultClass::LanguagePackages,
            kind: "cargo".to_owned(),
            packages: packages
                .iter()
                .map(|name| Package {
                    name: (*name).to_owned(),
                    version: "1".to_owned(),
                    ..Package::default()
                })
                .collect(),
            findings: findings
                .iter()
                .map(|(name, id, fixed)| Finding {
                    package_name: (*name).to_owned(),
                    installed_version: "1".to_owned(),
                    vulnerability_id: (*id).to_owned(),
                    fixed_version: (*fixed).to_owned(),
                    ..Finding::default()
                })
                .collect(),
            ..ResultSet::default()
        };
        ImageReport {
            results: vec![result],
            ..ImageReport::default()
        }
    }

    #[test]
    fn equal_reports_agree() {
        let report = report(&["a", "b"], &[("a", "CVE-1", "2"), ("b", "CVE-1", "")]);
        let agreement = Agreement::of(&report, &report);
        assert!(agreement.is_complete());
        assert_eq!((agreement.packages_equal, agreement.findings_equal), (2, 2));
    }

    #[test]
    fn every_difference_has_a_reason() {
        let ours = report(
            &["a", "b"],
            &[("a", "CVE-1", "2"), ("a", "CVE-2", ""), ("b", "CVE-3", "")],
        );
        let theirs = report(&["a", "c"], &[("a", "CVE-1", "3"), ("c", "CVE-4", "")]);
        let agreement = Agreement::of(&ours, &theirs);
        let told: Vec<String> = agreement
            .differences
            .iter()
            .map(|difference| {
                let Difference {
                    package,
                    vulnerability_id,
                    kind,
                    reason,
                } = difference;
                let kind = match kind {
                    DifferenceKind::OnlyNative => "native".to_owned(),
                    DifferenceKind::OnlyTrivy => "trivy".to_owned(),
                    DifferenceKind::Field {
                        field,
                        native,
                        trivy,
                    } => format!("{field} {native}/{trivy}"),
                };
                let cause = reason.split([':', ';']).next().unwrap_or_default();
                format!("{} {vulnerability_id} {kind}: {cause}", package.name)
            })
            .collect();
        assert_eq!(
            told,
            [
                "a CVE-1 fixed version 2/3: both found it",
                "a CVE-2 native: judged otherwise",
                "b  native: trivy did not find the package",
                "b CVE-3 native: trivy did not find the package",
                "c  trivy: the native engine did not find the package",
                "c CVE-4 trivy: the native engine did not find the package",
            ]
        );
        assert_eq!((agreement.packages_equal, agreement.findings_equal), (1, 0));
    }
}
