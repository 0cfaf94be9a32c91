//! The order in which policy is applied to an image.

use std::time::SystemTime;

use cleanbill_advisories::deduplicate_and_sort;
use cleanbill_core::report::ImageReport;
use cleanbill_policy::ignore::IgnoreUsage;
use cleanbill_policy::{Filter, Vex};

/// Applies filters and ignore rules, then drops duplicates and sorts, then applies VEX documents.
///
/// Source: spec 02 section 8; the order is Trivy's (`pkg/result/filter.go`).
pub fn apply_policy(
    image: &mut ImageReport,
    filter: &Filter,
    vex: &Vex,
    now: SystemTime,
    usage: &mut IgnoreUsage,
) {
    filter.apply(image, now, usage);
    for result in &mut image.results {
        result.findings = deduplicate_and_sort(std::mem::take(&mut result.findings));
    }
    vex.apply(image);
}
