//! Which of several equal findings counts, and in which order findings stand.

use cleanbill_core::vulnerability::Finding;

/// Keeps one finding per vulnerability and package, and sorts as reports list them.
///
/// Of findings that differ in the fixed version only, the one with the greater text is kept; that
/// is no version comparison, but what users of Trivy see. Filters by severity, status and
/// exceptions come first: they may remove the one that would have won. Source: spec 02 section 8
/// items 4 and 6.
pub fn deduplicate_and_sort(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| identity(a).cmp(&identity(b)));
    findings.dedup_by(|next, kept| {
        let is_same = identity(next) == identity(kept);
        if is_same && kept.fixed_version < next.fixed_version {
            std::mem::swap(next, kept);
        }
        is_same
    });
    findings.sort_by(Finding::cmp_as_reported);
    findings
}

fn identity(finding: &Finding) -> (&str, &str, &str, &str, &str) {
    (
        &finding.vulnerability_id,
        &finding.package_id,
        &finding.package_name,
        &finding.installed_version,
        &finding.package_path,
    )
}

#[cfg(test)]
mod tests {
    use cleanbill_core::severity::Severity;
    use proptest::prelude::*;

    use super::*;

    fn finding(package: &str, id: &str, severity: Severity, fixed: &str) -> Finding {
        Finding {
            vulnerability_id: id.to_owned(),
            package_name: package.to_owned(),
            package_id: format!("{package}@1"),
            installed_version: "1".to_owned(),
            fixed_version: fixed.to_owned(),
            severity,
            ..Finding::default()
        }
    }

    fn check(findings: Vec<Finding>, expected: &[(&str, &str, &str)]) {
        let sorted = deduplicate_and_sort(findings);
        let listed: Vec<_> = sorted
            .iter()
            .map(|f| {
                (
                    f.package_name.as_str(),
                    f.vulnerability_id.as_str(),
                    f.fixed_version.as_str(),
                )
            })
            .collect();
        assert_eq!(listed, expected);
    }

    #[test]
    fn the_worst_stands_first_and_ids_sort_as_text() {
        check(
            vec![
                finding("b", "CVE-2021-1", Severity::Critical, ""),
                finding("a", "CVE-2021-9999", Severity::High, ""),
                finding("a", "CVE-2021-2", Severity::Low, ""),
                finding("a", "CVE-2021-10000", Severity::High, ""),
                finding("a", "CVE-2021-3", Severity::Critical, ""),
            ],
            &[
                ("a", "CVE-2021-3", ""),
                ("a", "CVE-2021-10000", ""),
                ("a", "CVE-2021-9999", ""),
                ("a", "CVE-2021-2", ""),
                ("b", "CVE-2021-1", ""),
            ],
        );
    }

    #[test]
    fn the_greater_text_of_the_fixed_version_wins() {
        check(
            vec![
                finding("a", "CVE-1", Severity::Low, "1.10"),
                finding("a", "CVE-1", Severity::High, "1.9"),
                finding("a", "CVE-1", Severity::Low, ""),
            ],
            &[("a", "CVE-1", "1.9")],
        );
    }

    #[test]
    fn of_equals_the_first_is_kept() {
        let kept = deduplicate_and_sort(vec![
            finding("a", "CVE-1", Severity::Low, "2"),
            finding("a", "CVE-1", Severity::High, "2"),
        ]);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].severity, Severity::Low);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_second_pass_changes_nothing(
            parts in proptest::collection::vec((0..3u8, 0..3u8, 0..5i64, 0..3u8), 0..20)
        ) {
            let findings: Vec<_> = parts
                .into_iter()
                .map(|(package, id, severity, fixed)| {
                    finding(
                        &package.to_string(),
                        &id.to_string(),
                        Severity::from_number(severity),
                        &fixed.to_string(),
                    )
                })
                .collect();
            let once = deduplicate_and_sort(findings);
            prop_assert!(once.is_sorted_by(|a, b| a.cmp_as_reported(b).is_lt()));
            prop_assert_eq!(deduplicate_and_sort(once.clone()), once);
        }
    }
}
