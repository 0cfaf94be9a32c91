//! Packages of language ecosystems.
//!
//! Source: spec 04 section 2, Trivy 0.74.0 `pkg/detector/library`. What the reference takes for "not
//! vulnerable" because a package has no version, or none that can be read, is so here too, but said:
//! see [`ProblemKind::UnjudgedPackages`]. A range that cannot be read affects nothing either; that is
//! a defect of the advisory, not of the image, and is not said.

mod ecosystem;
mod rows;
mod supplier;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use cleanbill_core::count;
use cleanbill_core::package::Package;
use cleanbill_core::problem::{Problem, ProblemKind};
use cleanbill_core::vulnerability::{Evidence, Finding};
use cleanbill_version::{Version, VersionScheme};

use super::session::{NO_VERSION, UNCOMPARABLE, finding, not_judged_message};
use super::{AdvisorySource, MatchError};
use crate::database::LookupError;
use ecosystem::Ecosystem;
use supplier::Supply;

pub use ecosystem::Shelf;
pub use rows::LanguageRow;

/// Holds what was found in the language packages of one application.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LanguageMatch {
    /// Advisories for the type exist. If not, its packages are only listed.
    pub is_supported: bool,
    /// The findings, without details, in the order of the packages.
    pub findings: Vec<Finding>,
    /// Packages that could not be judged.
    pub problems: Vec<Problem>,
}

/// Judges packages of one type, which is named as reports print it (`node-pkg`, `jar` …).
///
/// # Errors
/// The database is corrupt.
pub fn match_language_packages(
    source: &dyn AdvisorySource,
    kind: &str,
    packages: &[Package],
) -> Result<LanguageMatch, MatchError> {
    let Some(ecosystem) = ecosystem::of_kind(kind) else {
        return Ok(LanguageMatch {
            problems: unsupported(kind, packages).into_iter().collect(),
            ..LanguageMatch::default()
        });
    };
    let mut findings = Vec::new();
    let mut without_version = Vec::new();
    let mut uncomparable = Vec::new();
    for package in packages {
        let shelf = look_up(source, ecosystem, package)?;
        if shelf.rows.is_empty() {
            continue;
        }
        if package.version.is_empty() {
            without_version.push(package.name.clone());
            continue;
        }
        let version = Version::parse(shelf.scheme, &package.version);
        if version.is_none() && shelf.rows.iter().any(LanguageRow::needs_version) {
            uncomparable.push(format!("{} {}", package.name, package.version));
        }
        let affecting = shelf
            .rows
            .iter()
            .filter(|row| row.affects(version.as_ref()));
        findings.extend(affecting.map(|row| shelf.finding(package, row)));
    }
    Ok(LanguageMatch {
        is_supported: true,
        findings,
        problems: [(NO_VERSION, without_version), (UNCOMPARABLE, uncomparable)]
            .iter()
            .filter_map(|(reason, packages)| not_judged(reason, packages))
            .collect(),
    })
}

/// Says that packages of a type are listed and nothing more.
fn unsupported(kind: &str, packages: &[Package]) -> Option<Problem> {
    (!packages.is_empty()).then(|| {
        Problem::new(
            ProblemKind::UnjudgedPackages,
            format!(
                "nobody publishes advisories for packages of the type {kind}: {} listed but not \
                 judged",
                count(packages.len() as u64, "package")
            ),
        )
    })
}

fn not_judged(reason: &str, packages: &[String]) -> Option<Problem> {
    (!packages.is_empty()).then(|| {
        Problem::new(
            ProblemKind::UnjudgedPackages,
            not_judged_message(reason, packages),
        )
    })
}

/// Holds the rows that count for a package, and where they were found.
struct Found {
    name: String,
    scheme: VersionScheme,
    rows: Arc<[LanguageRow]>,
}

/// Looks up a package: in the supplier's advisories if it is his, else in the ecosystem's.
fn look_up(
    source: &dyn AdvisorySource,
    ecosystem: &'static Ecosystem,
    package: &Package,
) -> Result<Found, LookupError> {
    let name = ecosystem.looked_up_name(&package.name);
    let supply = supplier::supply(ecosystem, &name, &package.version);
    if let Some((shelf, supply)) = supply {
        let rows = source.language_rows(shelf, &name)?;
        if supply == Supply::Certain || !rows.is_empty() {
            return Ok(Found {
                name: name.into_owned(),
                scheme: shelf.scheme,
                rows,
            });
        }
    }
    let shelf = &ecosystem.shelf;
    Ok(Found {
        rows: source.language_rows(shelf, &name)?,
        name: name.into_owned(),
        scheme: shelf.scheme,
    })
}

impl Found {
    fn finding(&self, package: &Package, row: &LanguageRow) -> Finding {
        let advisory = row.advisory();
        let constraint = row.constraint();
        let is_compared = row.needs_version();
        Finding {
            vendor_ids: advisory.vendor_ids.clone(),
            package_path: package.file_path.clone(),
            installed_version: package.version.clone(),
            fixed_version: row.fixed_version(),
            evidence: Evidence {
                bucket: advisory.bucket.to_string(),
                looked_up_name: self.name.clone(),
                compared_version: package.version.clone(),
                scheme: if is_compared { self.scheme.name() } else { "" },
                constraint,
            },
            ..finding(
                package,
                &advisory.vulnerability_id,
                advisory.data_source.as_deref(),
            )
        }
    }
}
