//! Red Hat Enterprise Linux and CentOS.
//!
//! One bucket serves every release: its rows are bound to platforms (CPEs), and the repositories
//! that an image was built from say which platforms it is.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use cleanbill_core::package::{BuildInfo, Package};
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::Finding;
use cleanbill_version::{VersionScheme, rpm};

use super::rule::Place;
use super::session::{Session, Shelf, finding};
use super::{AdvisorySource, MatchError, Matcher, OsPackages, modular};
use crate::Advisory;
use crate::database::{CpeKey, LookupError, RowForm};
use crate::release;

const BUCKET: &str = "Red Hat";

/// The repositories of images that carry no build information, by major release.
const DEFAULT_CONTENT_SETS: &[(&str, [&str; 2])] = &[
    ("6", ["rhel-6-server-rpms", "rhel-6-server-extras-rpms"]),
    ("7", ["rhel-7-server-rpms", "rhel-7-server-extras-rpms"]),
    (
        "8",
        [
            "rhel-8-for-x86_64-baseos-rpms",
            "rhel-8-for-x86_64-appstream-rpms",
        ],
    ),
    (
        "9",
        [
            "rhel-9-for-x86_64-baseos-rpms",
            "rhel-9-for-x86_64-appstream-rpms",
        ],
    ),
];

/// Source: spec 01 sections 4.5 and 4.6, spec 02 section 6.8, Trivy `pkg/detector/ospkg/redhat`.
pub(super) struct RedHat;

impl Matcher for RedHat {
    fn judge(
        &self,
        input: &OsPackages<'_>,
        packages: &[&Package],
        session: &mut Session<'_>,
    ) -> Result<(), MatchError> {
        let stated = input.distro.release();
        let mut platforms = Platforms::new(release::major(&stated));
        let mut shelf = Shelf::new();
        for &package in packages {
            let cpes = platforms.of(package, session.source)?;
            let name = modular::name(package);
            let rows = shelf.shared_rows(session, RowForm::RedHat, BUCKET, &name, flatten)?;
            if rows.is_empty() {
                continue;
            }
            let text = package.installed_version();
            let installed = rpm::Version::parse(&text);
            let place = Place {
                bucket: BUCKET,
                name: &name,
                version: &text,
            };
            for row in greatest_fixes(package, &cpes, &rows).into_values() {
                if row.fixed_version.is_empty() || installed < row.fixed {
                    session.report(row.finding(package, place));
                }
            }
        }
        Ok(())
    }
}

/// What an erratum, or a row about an unfixed vulnerability, says about one vulnerability.
struct Row {
    vulnerability_id: String,
    /// The erratum; `None` for an unfixed vulnerability.
    erratum: Option<String>,
    severity: i64,
    status: i64,
    fixed_version: String,
    fixed: rpm::Version,
    entry: Arc<Scope>,
}

/// Where an entry holds.
struct Scope {
    /// The architectures; empty means all.
    arches: Vec<String>,
    /// The platforms.
    cpes: Vec<i64>,
}

impl Row {
    fn holds_for(&self, package: &Package, cpes: &BTreeSet<i64>) -> bool {
        let arches = &self.entry.arches;
        let is_for_arch =
            arches.is_empty() || package.arch == "noarch" || arches.contains(&package.arch);
        is_for_arch && self.entry.cpes.iter().any(|cpe| cpes.contains(cpe))
    }

    /// The severity is always that of the row, even if unknown, and no data source is named.
    fn finding(&self, package: &Package, place: Place<'_>) -> Finding {
        Finding {
            vendor_ids: self.erratum.iter().cloned().collect(),
            fixed_version: self.fixed.to_string(),
            status: FixStatus::from_number(self.status),
            severity: Severity::from_number(self.severity),
            severity_source: "redhat".to_owned(),
            evidence: place.evidence(VersionScheme::Rpm, &self.fixed_version),
            ..finding(package, &self.vulnerability_id, None)
        }
    }
}

/// Turns the rows of a package, keyed by erratum or vulnerability, into one per vulnerability.
fn flatten(advisories: Vec<Advisory>) -> Vec<Row> {
    let mut rows = Vec::new();
    for advisory in advisories {
        let key = advisory.vulnerability_id;
        let is_unfixed = key.starts_with("CVE-");
        for entry in advisory.entries {
            let scope = Arc::new(Scope {
                arches: entry.arches,
                cpes: entry.affected,
            });
            rows.extend(entry.cves.into_iter().map(|cve| Row {
                vulnerability_id: if is_unfixed { key.clone() } else { cve.id },
                erratum: (!is_unfixed).then(|| key.clone()),
                severity: cve.severity,
                status: entry.status,
                fixed: rpm::Version::parse(&entry.fixed_version),
                fixed_version: entry.fixed_version.clone(),
                entry: Arc::clone(&scope),
            }));
        }
    }
    rows
}

/// Chooses one row per vulnerability: that with the greatest fix, the first of equals. So a row
/// about an unfixed vulnerability gives way to any fix on the same platforms. The reference picks
/// one of equals at random.
fn greatest_fixes<'a>(
    package: &Package,
    cpes: &BTreeSet<i64>,
    rows: &'a [Row],
) -> BTreeMap<&'a str, &'a Row> {
    let mut chosen: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.holds_for(package, cpes)) {
        let kept = chosen.entry(&row.vulnerability_id).or_insert(row);
        if kept.fixed < row.fixed {
            *kept = row;
        }
    }
    chosen
}

/// Looks up the platforms of packages; most packages of an image have the same.
struct Platforms<'a> {
    major: &'a str,
    known: Vec<(Option<&'a BuildInfo>, Rc<BTreeSet<i64>>)>,
}

impl<'a> Platforms<'a> {
    fn new(major: &'a str) -> Self {
        Self {
            major,
            known: Vec::new(),
        }
    }

    fn of(
        &mut self,
        package: &'a Package,
        source: &dyn AdvisorySource,
    ) -> Result<Rc<BTreeSet<i64>>, MatchError> {
        let build_info = package.build_info.as_ref();
        if let Some((_, cpes)) = self.known.iter().find(|(known, _)| *known == build_info) {
            return Ok(Rc::clone(cpes));
        }
        let content_sets = match build_info {
            Some(build_info) => build_info
                .content_sets
                .iter()
                .map(|set| base_name(set))
                .collect(),
            None => default_content_sets(self.major),
        };
        let cpes = Rc::new(look_up(source, &content_sets, build_info)?);
        if cpes.is_empty() {
            return Err(MatchError::NoCpeSet {
                package: package.name.clone(),
                repositories: match content_sets.as_slice() {
                    [] => "none".to_owned(),
                    sets => sets.join(", "),
                },
            });
        }
        self.known.push((build_info, Rc::clone(&cpes)));
        Ok(cpes)
    }
}

fn look_up(
    source: &dyn AdvisorySource,
    content_sets: &[&str],
    build_info: Option<&BuildInfo>,
) -> Result<BTreeSet<i64>, LookupError> {
    let mut cpes = BTreeSet::new();
    for content_set in content_sets {
        cpes.extend(source.cpe_indices(CpeKey::Repository, content_set)?);
    }
    if let Some(build_info) = build_info {
        let image = format!("{}-{}", build_info.nvr, build_info.arch);
        cpes.extend(source.cpe_indices(CpeKey::Nvr, &image)?);
    }
    Ok(cpes)
}

fn default_content_sets(major: &str) -> Vec<&'static str> {
    DEFAULT_CONTENT_SETS
        .iter()
        .find(|(release, _)| *release == major)
        .map(|(_, sets)| sets.to_vec())
        .unwrap_or_default()
}

/// Cuts off `__8`, which image builds append; `__9_DOT_2` names an extended release and stays.
fn base_name(content_set: &str) -> &str {
    let name = content_set.trim_end_matches(|c: char| c.is_ascii_digit());
    match name.strip_suffix("__") {
        Some(base) if name.len() < content_set.len() => base,
        _ => content_set,
    }
}

#[cfg(test)]
mod tests;
