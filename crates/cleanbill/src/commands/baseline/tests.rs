use std::collections::BTreeSet;

use cleanbill_core::Severity;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_monitor::baseline_file::BaselineFile;
use cleanbill_policy::SeverityFilter;

use super::super::status::tests::{HOSTILE, now, prepared};
use super::Known;
use super::known::of_state;

fn known(names: &[&str], severities: &[Severity]) -> Vec<Known> {
    let directory = tempfile::tempdir().unwrap();
    let store = prepared(directory.path());
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let filter: SeverityFilter = severities.iter().copied().collect();
    of_state(store.read(), &names, filter).unwrap()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn what_the_filter_and_the_exceptions_leave_counts() {
    let known = known(&["shop/web:1"], &[Severity::Critical, Severity::Low]);
    let [web] = known.as_slice() else {
        panic!("{known:?}");
    };
    assert_eq!(web.passing, set(&["CVE-2026-1"]));
    let baseline = BaselineFile::new(
        "shop/web:1",
        now(),
        set(&[
            "CVE-2026-1",
            "CVE-2026-2",
            "CVE-2026-9",
            "GHSA-abcd-1234-efgh",
        ]),
    );
    let delta = web.compare(&baseline);
    assert_eq!(delta.new, set(&[]));
    assert_eq!(delta.resolved, set(&["CVE-2026-9"]));
    // Excepted the one, not severe enough the other.
    assert_eq!(
        delta.below_filter,
        set(&["CVE-2026-2", "GHSA-abcd-1234-efgh"])
    );
}

#[test]
fn images_that_could_not_be_assessed_are_known_as_such() {
    let known = known(&[], &Severity::ALL);
    let status: Vec<(&str, AssessmentStatus)> = known
        .iter()
        .map(|one| (one.image.as_str(), one.status))
        .collect();
    assert_eq!(
        status,
        [
            (HOSTILE, AssessmentStatus::Failed),
            ("shop/api:2", AssessmentStatus::Partial),
            ("shop/new:1", AssessmentStatus::Failed),
            ("shop/web:1", AssessmentStatus::Complete),
        ]
    );
}
