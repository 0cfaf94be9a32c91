//! Moves what rules cover to the suppressed findings.

use std::collections::HashMap;
use std::time::SystemTime;

use cleanbill_core::package::Package;
use cleanbill_core::report::{ImageReport, ResultSet, SuppressedFinding};

use super::active::ActiveRules;
use super::rule::Candidate;
use super::{IgnoreRules, IgnoreUsage};

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
        let uid = finding.package_identifier.uid.as_str();
        let candidate = Candidate {
            target: &result.target,
            finding,
            source_name: source_names.get(uid).copied().unwrap_or_default(),
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

/// Returns the names of the source packages by UID.
fn source_names(packages: &[Package]) -> HashMap<&str, &str> {
    packages
        .iter()
        .map(|package| (package.identifier.uid.as_str(), package.src_name.as_str()))
        .collect()
}
