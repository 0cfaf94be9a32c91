//! From a report to what is remembered of it.

use std::collections::{BTreeMap, HashMap};

use cleanbill_core::DiffId;
use cleanbill_core::change::{FindingKey, ImageState, KnownFinding, KnownPackage};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ResultClass, ResultSet};
use cleanbill_core::vulnerability::Finding;

/// Reasons that are named when an image was not assessed completely.
const REASONS_MAX: usize = 3;

/// Says under which circumstances a report was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The name that the image is watched by.
    pub name: String,
    /// When the advisory database was built, RFC 3339.
    pub database_updated_at: String,
    /// What determines the findings beside image and database.
    pub rules: String,
}

/// Reduces a report to what is remembered. It must hold the findings of every severity; those that
/// an exception covers are remembered as covered.
pub fn image_state(report: &ImageReport, circumstances: &Circumstances) -> ImageState {
    ImageState {
        packages: packages(report),
        ..state_without_packages(report, circumstances)
    }
}

/// Reduces a report as [`image_state`] does, where the packages are those of the look before.
pub(crate) fn state_without_packages(
    report: &ImageReport,
    circumstances: &Circumstances,
) -> ImageState {
    let is_judged = report.status != AssessmentStatus::Failed;
    let database_updated_at = is_judged.then(|| circumstances.database_updated_at.clone());
    ImageState {
        name: circumstances.name.clone(),
        image_id: report.metadata.image_id,
        distro: distro(report),
        status: report.status,
        reason: reason(report),
        database_updated_at: database_updated_at.unwrap_or_default(),
        rules: circumstances.rules.clone(),
        packages: Vec::new(),
        findings: findings(report),
    }
}

fn distro(report: &ImageReport) -> String {
    let named = report.distro.as_ref();
    named.map_or_else(String::new, |distro| {
        format!("{} {}", distro.family, distro.release())
    })
}

/// Says in one line why an image was not assessed completely.
fn reason(report: &ImageReport) -> String {
    let gaps: Vec<&str> = report
        .problems
        .iter()
        .filter(|problem| problem.kind.is_gap())
        .map(|problem| problem.message.as_str())
        .collect();
    let shown = gaps.iter().take(REASONS_MAX).copied();
    let mut reason = shown.collect::<Vec<_>>().join("; ");
    if let Some(more) = gaps.len().checked_sub(REASONS_MAX + 1) {
        reason.push_str(&format!("; and {} more", more + 1));
    }
    reason
}

fn packages(report: &ImageReport) -> Vec<KnownPackage> {
    let mut packages: Vec<KnownPackage> = report
        .results
        .iter()
        .flat_map(|result| {
            result.packages.iter().map(|package| KnownPackage {
                kind: result.kind.clone(),
                name: package.name.clone(),
                path: path_in(result, &package.file_path),
                version: package.installed_version(),
            })
        })
        .collect();
    packages.sort();
    packages.dedup();
    packages
}

fn findings(report: &ImageReport) -> Vec<KnownFinding> {
    let history: HashMap<DiffId, &str> = report
        .metadata
        .layers
        .iter()
        .map(|layer| (layer.id.diff_id, layer.created_by.as_str()))
        .collect();
    let mut known: BTreeMap<FindingKey, KnownFinding> = BTreeMap::new();
    for result in &report.results {
        let open = result.findings.iter().map(|finding| (finding, ""));
        let covered = result
            .suppressed
            .iter()
            .map(|suppressed| (&suppressed.finding, suppressed.source.as_str()));
        for (finding, covered_by) in open.chain(covered) {
            let found = known_finding(result, finding, covered_by, &history);
            known
                .entry(found.key.clone())
                .and_modify(|kept| {
                    if is_worse(&found, kept) {
                        kept.clone_from(&found);
                    }
                })
                .or_insert(found);
        }
    }
    known.into_values().collect()
}

fn known_finding(
    result: &ResultSet,
    finding: &Finding,
    covered_by: &str,
    history: &HashMap<DiffId, &str>,
) -> KnownFinding {
    let details = finding.details.as_deref();
    let created_by = finding
        .layer
        .and_then(|layer| history.get(&layer.diff_id).copied());
    KnownFinding {
        key: FindingKey {
            vulnerability_id: finding.vulnerability_id.clone(),
            kind: result.kind.clone(),
            package_name: finding.package_name.clone(),
            package_path: path_in(result, &finding.package_path),
        },
        installed_version: finding.installed_version.clone(),
        fixed_version: finding.fixed_version.clone(),
        fix_status: finding.status,
        severity: finding.severity,
        is_known_exploited: finding.known_exploited.is_some(),
        known_exploited_since: finding
            .known_exploited
            .as_ref()
            .map_or_else(String::new, |known| known.date_added.clone()),
        epss_score: finding.epss.as_ref().map(|epss| epss.score),
        title: details.map_or_else(String::new, |details| details.title.clone()),
        primary_url: finding.primary_url.clone(),
        advisory_source: finding
            .data_source
            .as_ref()
            .map_or_else(String::new, |source| source.id.clone()),
        published: details.map_or_else(String::new, |details| details.published.clone()),
        layer: finding.layer,
        created_by: created_by.unwrap_or_default().to_owned(),
        covered_by: covered_by.to_owned(),
        lapsed_exception: finding.lapsed_exception.to_string(),
    }
}

/// Returns the file that lists a package: its own, or the one that the result is about.
fn path_in(result: &ResultSet, file_path: &str) -> String {
    match result.class {
        ResultClass::OsPackages => String::new(),
        ResultClass::LanguagePackages if file_path.is_empty() => result.target.clone(),
        ResultClass::LanguagePackages => file_path.to_owned(),
    }
}

/// Says which of two findings with one key is kept: what counts before what is covered, then the
/// worse one, then the one without a fix.
fn is_worse(found: &KnownFinding, kept: &KnownFinding) -> bool {
    let rank = |finding: &KnownFinding| {
        (
            finding.counts(),
            finding.severity,
            finding.fixed_version.is_empty(),
        )
    };
    rank(found) > rank(kept)
}

#[cfg(test)]
mod tests;
