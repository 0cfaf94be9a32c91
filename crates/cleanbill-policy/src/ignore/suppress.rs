//! Moves what rules cover to the suppressed findings.

use std::collections::HashMap;
use std::time::SystemTime;

use cleanbill_core::package::Package;
use cleanbill_core::report::{ImageReport, ResultClass, ResultSet, SuppressedFinding};
use cleanbill_core::vulnerability::Finding;

use super::active::ActiveRules;
use super::rule::Candidate;
use super::{IgnoreRules, IgnoreUsage, RulePlace};

/// Moves the findings of an image that a rule covers to the suppressed ones, keeping the order, and
/// marks those that an exception covered whose time is over.
pub(crate) fn suppress(
    image: &mut ImageReport,
    files: &[IgnoreRules],
    now: SystemTime,
    usage: &mut IgnoreUsage,
) {
    if files.iter().all(|file| file.entries.is_empty()) {
        return;
    }
    let active = ActiveRules::of(files, image, now);
    for result in &mut image.results {
        suppress_in(result, &active, usage);
    }
}

fn suppress_in(result: &mut ResultSet, active: &ActiveRules<'_>, usage: &mut IgnoreUsage) {
    let source_names = match active.ask_for_source_packages() {
        true => source_names(&result.packages),
        false => HashMap::new(),
    };
    result.findings.retain_mut(|finding| {
        let candidate = Candidate {
            target: &result.target,
            finding,
            source_name: source_name(finding, &source_names),
        };
        if let Some(cover) = active.find(&candidate) {
            usage.count(cover.place);
            result.suppressed.push(SuppressedFinding {
                status: "ignored".to_owned(),
                statement: cover.statement.to_owned(),
                source: cover.source,
                terms: cover.terms.clone(),
                finding: std::mem::take(finding),
            });
            return false;
        }
        if let Some(lapse) = active.find_lapsed(&candidate) {
            usage.count_lapsed(lapse.place);
            finding.lapsed_exception = lapse.words.into();
        }
        true
    });
}

/// Says which rules cover a finding, each by itself: what counts and what an exception has taken out.
/// Several may cover the same; only the first of them takes it out.
pub(crate) fn each_cover(
    image: &ImageReport,
    files: &[IgnoreRules],
    now: SystemTime,
    mut found: impl FnMut(&[RulePlace]),
) {
    let active = ActiveRules::of(files, image, now);
    for result in &image.results {
        let source_names = source_names(&result.packages);
        let excepted = result.suppressed.iter().filter(|one| one.is_excepted());
        let findings = result
            .findings
            .iter()
            .chain(excepted.map(|one| &one.finding));
        for finding in findings {
            let places = active.find_all(&Candidate {
                target: &result.target,
                finding,
                source_name: source_name(finding, &source_names),
            });
            if !places.is_empty() {
                found(&places);
            }
        }
    }
}

/// Returns the source package of a finding as the list of packages names it, else as the finding
/// does: reports are saved without the list.
fn source_name<'a>(finding: &'a Finding, listed: &HashMap<&'a str, &'a str>) -> &'a str {
    let uid = finding.package_identifier.uid.as_str();
    let listed = listed.get(uid).copied();
    listed.unwrap_or(&finding.source_name)
}

/// Says whether only findings themselves can name their source packages. Those of reports before 1.4
/// and of Trivy's do not: there the list of packages names them.
pub(crate) fn lacks_sources(result: &ResultSet) -> bool {
    result.class == ResultClass::OsPackages && result.packages.is_empty()
}

/// Returns the names of the source packages by UID.
fn source_names(packages: &[Package]) -> HashMap<&str, &str> {
    packages
        .iter()
        .map(|package| (package.identifier.uid.as_str(), package.src_name.as_str()))
        .collect()
}
