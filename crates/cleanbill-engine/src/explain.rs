//! Why a vulnerability is reported for an image, and why not.
//!
//! The packages of a report are judged once more against the same database while somebody listens:
//! every row about the vulnerability that a matcher looks at either became a finding or was judged
//! not to apply. What neither is reported nor was looked at is not there.

use cleanbill_advisories::{
    AdvisorySource, ConsideredRow, LookupError, MatchError, OsPackages, Recorder,
    match_language_packages, match_os_packages,
};
use cleanbill_core::Package;
use cleanbill_core::package::LayerId;
use cleanbill_core::problem::Problem;
use cleanbill_core::report::{ImageReport, ResultClass, ResultSet, SuppressedFinding};
use cleanbill_core::vulnerability::{Finding, VulnerabilityDetails};
use jiff::Timestamp;

/// Answers why a vulnerability is reported for an image, or why not.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The image.
    pub image: String,
    /// What the database says about the vulnerability; `None` if it does not know it.
    pub details: Option<VulnerabilityDetails>,
    /// What is reported.
    pub reported: Vec<Reported>,
    /// What an exception or a VEX statement took out.
    pub suppressed: Vec<SuppressedFinding>,
    /// Findings that are there but are not shown, because a filter leaves them out.
    pub filtered: Vec<Reported>,
    /// Packages that the database has a row for which does not apply.
    pub not_affected: Vec<NotAffected>,
    /// What could not be assessed in the image: the answer is not complete.
    pub gaps: Vec<Problem>,
    /// The report lists no packages: what is not reported cannot be explained.
    pub lacks_packages: bool,
}

/// A finding with where it comes from.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    /// The finding.
    pub finding: Finding,
    /// Where in the image: the target of the result.
    pub target: String,
    /// Whether it is one of an OS package.
    pub class: ResultClass,
    /// The layer counted from the base, from 0 as in reports, and the step of the build that made it.
    pub layer: Option<(usize, String)>,
    /// The rows of the database that made it.
    pub rows: Vec<ConsideredRow>,
}

/// A package that is there, with a row that does not apply to it.
#[derive(Clone, Debug)]
pub struct NotAffected {
    /// The package's name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The file it was found in, or empty.
    pub path: String,
    /// The row.
    pub row: ConsideredRow,
}

/// Explains one vulnerability. `shown` is what the user sees; `all` is the same image before
/// severities and states were filtered. `id` is matched as it is and by the suppliers' ids.
///
/// # Errors
///
/// The database is corrupt.
pub fn explain(
    source: &dyn AdvisorySource,
    id: &str,
    shown: &ImageReport,
    all: &ImageReport,
    now: Timestamp,
) -> Result<Explanation, LookupError> {
    let is_about = |finding: &Finding| is_named(finding, id);
    let mut explanation = Explanation {
        image: shown.artifact_name.clone(),
        details: source.vulnerability(id)?,
        gaps: shown
            .problems
            .iter()
            .filter(|problem| problem.kind.is_gap())
            .cloned()
            .collect(),
        lacks_packages: shown.results.iter().any(|result| {
            result.unlisted_packages > 0
                || (result.packages.is_empty() && !result.findings.is_empty())
        }),
        ..Explanation::default()
    };
    for result in &shown.results {
        let suppressed = result.suppressed.iter();
        let suppressed = suppressed.filter(|suppressed| is_about(&suppressed.finding));
        explanation.suppressed.extend(suppressed.cloned());
    }
    for result in &all.results {
        let rows = considered(source, id, all, result, now)?;
        let findings = result.findings.iter();
        let findings: Vec<&Finding> = findings.filter(|finding| is_about(finding)).collect();
        for finding in &findings {
            let mut reported = reported(finding, all, result, &rows);
            if let Some(as_shown) = find(shown, finding) {
                reported.finding = as_shown.clone();
                explanation.reported.push(reported);
            } else if !is_suppressed(shown, finding) {
                explanation.filtered.push(reported);
            }
        }
        let has_finding = |package| findings.iter().any(|one| is_package_of(package, one));
        for (package, rows) in rows
            .into_iter()
            .filter(|(package, _)| !has_finding(package))
        {
            let not_affected = rows.into_iter().map(|row| NotAffected {
                package: package.name.clone(),
                version: package.installed_version(),
                path: package.file_path.clone(),
                row,
            });
            explanation.not_affected.extend(not_affected);
        }
    }
    Ok(explanation)
}

/// Says where a finding of a result comes from.
fn reported(
    finding: &Finding,
    image: &ImageReport,
    result: &ResultSet,
    rows: &[(&Package, Vec<ConsideredRow>)],
) -> Reported {
    let rows = rows
        .iter()
        .filter(|(package, _)| is_package_of(package, finding));
    Reported {
        finding: finding.clone(),
        target: result.target.clone(),
        class: result.class,
        layer: layer_of(image, finding.layer),
        rows: rows.flat_map(|(_, rows)| rows.iter().cloned()).collect(),
    }
}

/// Returns the rows about a vulnerability that are looked at for each package of a result; packages
/// without any are left out.
fn considered<'a>(
    source: &dyn AdvisorySource,
    id: &str,
    image: &ImageReport,
    result: &'a ResultSet,
    now: Timestamp,
) -> Result<Vec<(&'a Package, Vec<ConsideredRow>)>, LookupError> {
    let mut considered = Vec::new();
    for package in &result.packages {
        let recorder = Recorder::new(source, id);
        let packages = std::slice::from_ref(package);
        let failed = match (result.class, &image.distro) {
            (ResultClass::OsPackages, Some(distro)) => {
                let input = OsPackages {
                    distro,
                    repository_hint: image.repository_hint.as_ref(),
                    packages,
                    now,
                };
                match_os_packages(&recorder, &input).err()
            }
            (ResultClass::OsPackages, None) => None,
            (ResultClass::LanguagePackages, _) => {
                match_language_packages(&recorder, &result.kind, packages).err()
            }
        };
        // What cannot be judged for another reason is among the gaps of the image.
        if let Some(MatchError::LookupFailed(error)) = failed {
            return Err(error);
        }
        let rows = recorder.into_rows();
        if !rows.is_empty() {
            considered.push((package, rows));
        }
    }
    Ok(considered)
}

fn is_named(finding: &Finding, id: &str) -> bool {
    let names = std::iter::once(&finding.vulnerability_id).chain(&finding.vendor_ids);
    names.into_iter().any(|name| name.eq_ignore_ascii_case(id))
}

fn is_package_of(package: &Package, finding: &Finding) -> bool {
    package.name == finding.package_name
        && package.file_path == finding.package_path
        && (package.identifier.uid == finding.package_identifier.uid
            || package.installed_version() == finding.installed_version)
}

fn find<'a>(shown: &'a ImageReport, finding: &Finding) -> Option<&'a Finding> {
    shown.findings().find(|other| is_same(other, finding))
}

fn is_suppressed(shown: &ImageReport, finding: &Finding) -> bool {
    let suppressed = shown.results.iter().flat_map(|result| &result.suppressed);
    suppressed
        .into_iter()
        .any(|other| is_same(&other.finding, finding))
}

fn is_same(a: &Finding, b: &Finding) -> bool {
    identity(a) == identity(b)
}

/// Returns what tells findings of one image apart.
fn identity(finding: &Finding) -> [&str; 5] {
    [
        &finding.vulnerability_id,
        &finding.package_name,
        &finding.package_path,
        &finding.installed_version,
        &finding.package_identifier.uid,
    ]
}

/// Returns the place of a layer in the image, and the step that made it.
fn layer_of(image: &ImageReport, layer: Option<LayerId>) -> Option<(usize, String)> {
    let layer = layer?;
    let layers = &image.metadata.layers;
    let index = layers
        .iter()
        .position(|other| other.id.diff_id == layer.diff_id)?;
    let step = layers.get(index).map(|layer| layer.created_by.clone());
    Some((index, step.unwrap_or_default()))
}
