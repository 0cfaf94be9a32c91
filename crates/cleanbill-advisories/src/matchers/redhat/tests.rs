use super::*;
use crate::matchers::testing::{Case, rpm};
use crate::{AdvisoryEntry, EntryCve};

/// An entry: fixed version, vulnerabilities with severities, architectures, platforms, status.
fn entry(
    fixed: &str,
    cves: &[(&str, i64)],
    arches: &[&str],
    cpes: &[i64],
    status: i64,
) -> AdvisoryEntry {
    AdvisoryEntry {
        fixed_version: fixed.to_owned(),
        cves: cves
            .iter()
            .map(|(id, severity)| EntryCve {
                id: (*id).to_owned(),
                severity: *severity,
            })
            .collect(),
        arches: arches.iter().map(|&arch| arch.to_owned()).collect(),
        affected: cpes.to_vec(),
        status,
        ..AdvisoryEntry::default()
    }
}

fn of(entries: &[AdvisoryEntry]) -> Advisory {
    Advisory {
        entries: entries.to_vec(),
        ..Advisory::default()
    }
}

fn rhel(name: &str) -> Case {
    Case::new("redhat", name)
        .cpes("Repository rhel-7-server-rpms", &[0])
        .cpes("Repository rhel-8-for-x86_64-baseos-rpms", &[8])
        .cpes("Repository special", &[3])
        .cpes("Nvr ubi8-container-8.0-7-x86_64", &[4])
}

#[test]
fn the_greatest_fix_wins_over_no_fix_and_lesser_ones() {
    let cve = "CVE-2024-45490";
    let case = rhel("8.9")
        .package(rpm("expat", "2.2.5-16.el8_10"))
        .advisory(
            "Red Hat",
            "expat",
            cve,
            of(&[entry("", &[("", 2)], &[], &[8], 5)]),
        )
        .advisory(
            "Red Hat",
            "expat",
            "RHSA-2024:6989-2",
            of(&[entry("0:2.2.5-17.el8_10", &[(cve, 2)], &[], &[8], 0)]),
        )
        .advisory(
            "Red Hat",
            "expat",
            "RHSA-2024:6989-3",
            of(&[entry("0:2.2.5-18.el8_10", &[(cve, 2)], &[], &[8], 0)]),
        );
    assert_eq!(
        case.found(),
        ["CVE-2024-45490 expat 2.2.5-16.el8_10 -> 2.2.5-18.el8_10"]
    );
    let finding = &case.run().findings[0];
    assert_eq!(finding.vendor_ids, ["RHSA-2024:6989-3"]);
    assert_eq!(finding.severity, Severity::Medium);
    assert_eq!(finding.severity_source, "redhat");
    assert_eq!(finding.data_source, None);
    assert_eq!(finding.evidence.constraint, "< 0:2.2.5-18.el8_10");
}

#[test]
fn a_greatest_fix_that_is_installed_hides_all_others() {
    let found = rhel("8.9")
        .package(rpm("expat", "2.2.5-18.el8_10"))
        .advisory(
            "Red Hat",
            "expat",
            "CVE-1",
            of(&[entry("", &[("", 2)], &[], &[8], 5)]),
        )
        .advisory(
            "Red Hat",
            "expat",
            "RHSA-1",
            of(&[entry("0:2.2.5-18.el8_10", &[("CVE-1", 2)], &[], &[8], 0)]),
        )
        .found();
    assert!(found.is_empty());
}

#[test]
fn architectures_are_regarded_except_for_noarch() {
    let errata = |case: Case| {
        case.advisory(
            "Red Hat",
            "kernel-headers",
            "RHSA-1",
            of(&[
                entry("1-2", &[("CVE-1", 3)], &["x86_64"], &[8], 0),
                entry("1-3", &[("CVE-1", 3)], &["aarch64"], &[8], 0),
            ]),
        )
        .found()
    };
    let on = |arch: &str| {
        errata(rhel("8").package(Package {
            arch: arch.to_owned(),
            ..rpm("kernel-headers", "1-1")
        }))
    };
    assert_eq!(on("noarch"), ["CVE-1 kernel-headers 1-1 -> 1-3"]);
    assert_eq!(on("x86_64"), ["CVE-1 kernel-headers 1-1 -> 1-2"]);
    assert!(on("s390x").is_empty());
}

#[test]
fn of_two_errata_the_greater_fix_counts_even_if_it_is_older() {
    let found = rhel("7.6")
        .package(rpm("nss", "3.36.0-7.1.el7_6"))
        .advisory(
            "Red Hat",
            "nss",
            "RHSA-2021:0538",
            of(&[entry(
                "0:3.53.1-17.el7_3",
                &[("CVE-2020-12403", 2)],
                &[],
                &[0, 1],
                0,
            )]),
        )
        .advisory(
            "Red Hat",
            "nss",
            "RHSA-2021:0876",
            of(&[entry(
                "0:3.36.0-9.el7_6",
                &[("CVE-2020-12403", 2)],
                &[],
                &[0],
                0,
            )]),
        )
        .found();
    assert_eq!(
        found,
        ["CVE-2020-12403 nss 3.36.0-7.1.el7_6 -> 3.53.1-17.el7_3"]
    );
}

#[test]
fn of_equal_fixes_the_first_key_counts() {
    let erratum = || of(&[entry("0:2-1", &[("CVE-1", 2)], &[], &[0], 0)]);
    let matched = rhel("7")
        .package(rpm("a", "1-1"))
        .advisory("Red Hat", "a", "RHSA-2020:2", erratum())
        .advisory("Red Hat", "a", "RHSA-2020:10", erratum())
        .run();
    assert_eq!(matched.findings.len(), 1);
    assert_eq!(matched.findings[0].vendor_ids, ["RHSA-2020:10"]);
}

#[test]
fn unfixed_vulnerabilities_have_a_status_and_no_erratum() {
    let matched = rhel("7.6")
        .package(rpm("vim-minimal", "2:7.4.629-6.el7"))
        .advisory(
            "Red Hat",
            "vim-minimal",
            "CVE-2017-5953",
            of(&[entry("", &[("", 1)], &[], &[0], 5)]),
        )
        .run();
    let finding = &matched.findings[0];
    assert_eq!(finding.status, FixStatus::WillNotFix);
    assert_eq!(finding.severity, Severity::Low);
    assert_eq!(finding.fixed_version, "");
    assert!(finding.vendor_ids.is_empty());
    assert_eq!(finding.evidence.scheme, "");
}

#[test]
fn rows_for_other_platforms_do_not_count() {
    let found = rhel("7")
        .package(rpm("nss", "1-1"))
        .advisory(
            "Red Hat",
            "nss",
            "CVE-1",
            of(&[entry("", &[("", 1)], &[], &[2, 3], 5)]),
        )
        .advisory(
            "Red Hat",
            "nss",
            "CVE-2",
            of(&[entry("", &[("", 1)], &[], &[], 5)]),
        )
        .found();
    assert!(found.is_empty());
}

#[test]
fn build_information_replaces_the_repositories() {
    let built = |content_sets: &[&str], nvr: &str| {
        rhel("8")
            .package(Package {
                build_info: Some(BuildInfo {
                    content_sets: content_sets.iter().map(|&set| set.to_owned()).collect(),
                    nvr: nvr.to_owned(),
                    arch: "x86_64".to_owned(),
                }),
                ..rpm("nss", "1-1")
            })
            .advisory(
                "Red Hat",
                "nss",
                "CVE-3",
                of(&[entry("", &[("", 1)], &[], &[3], 5)]),
            )
            .advisory(
                "Red Hat",
                "nss",
                "CVE-4",
                of(&[entry("", &[("", 1)], &[], &[4], 5)]),
            )
            .advisory(
                "Red Hat",
                "nss",
                "CVE-8",
                of(&[entry("", &[("", 1)], &[], &[8], 5)]),
            )
    };
    let ids = |case: Case| {
        let findings = case.run().findings;
        findings
            .iter()
            .map(|f| f.vulnerability_id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(built(&["special__8"], "")), ["CVE-3"]);
    assert_eq!(ids(built(&[], "ubi8-container-8.0-7")), ["CVE-4"]);
    assert_eq!(
        ids(built(&["special"], "ubi8-container-8.0-7")),
        ["CVE-3", "CVE-4"]
    );
    let error = built(&["special__8_DOT_2"], "unknown")
        .try_run()
        .unwrap_err();
    assert!(
        matches!(&error, MatchError::NoCpeSet { package, .. } if package == "nss"),
        "{error}"
    );
    assert!(error.to_string().contains("special__8_DOT_2"), "{error}");
}

#[test]
fn an_unknown_platform_is_an_error_even_without_advisories() {
    let case = rhel("10").package(rpm("bash", "1-1"));
    assert!(matches!(case.try_run(), Err(MatchError::NoCpeSet { .. })));
    assert!(rhel("10").try_run().is_ok());
}

#[test]
fn centos_has_the_platforms_of_red_hat_and_modules_their_names() {
    let npm = Package {
        modularity_label: "nodejs:12:8030020201124152102:229f0a1c".to_owned(),
        ..rpm("npm", "1:6.14.8-1")
    };
    let mut case = rhel("8.2").package(npm).advisory(
        "Red Hat",
        "nodejs:12::npm",
        "RHSA-1",
        of(&[entry(
            "1:6.14.10-1",
            &[("CVE-1", 2), ("CVE-2", 0)],
            &["x86_64"],
            &[8],
            0,
        )]),
    );
    case.distro.family.0 = "centos".to_owned();
    assert_eq!(
        case.found(),
        [
            "CVE-1 npm 1:6.14.8-1 -> 1:6.14.10-1",
            "CVE-2 npm 1:6.14.8-1 -> 1:6.14.10-1",
        ]
    );
}

#[test]
fn suffixes_of_image_builds_are_cut_off() {
    for (content_set, expected) in [
        ("repo__8", "repo"),
        ("repo__10", "repo"),
        ("repo__9_DOT_2", "repo__9_DOT_2"),
        ("repo__", "repo__"),
        ("repo_8", "repo_8"),
        ("repo8", "repo8"),
        ("a__8__9", "a__8"),
        ("", ""),
    ] {
        assert_eq!(base_name(content_set), expected, "of '{content_set}'");
    }
}
