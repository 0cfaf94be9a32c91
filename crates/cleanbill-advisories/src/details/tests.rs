use cleanbill_core::severity::Severity;

use super::*;
use crate::matchers::testing::Fake;

fn record(severity: Severity, rated: &[(&str, i64)]) -> VulnerabilityDetails {
    VulnerabilityDetails {
        title: "a title".to_owned(),
        severity,
        vendor_severity: rated
            .iter()
            .map(|(source, n)| ((*source).to_owned(), *n))
            .collect(),
        ..VulnerabilityDetails::default()
    }
}

fn finding(id: &str, source: &str, base: &str) -> Finding {
    Finding {
        vulnerability_id: id.to_owned(),
        data_source: Some(DataSource {
            id: source.to_owned(),
            base_id: base.to_owned(),
            ..DataSource::default()
        }),
        ..Finding::default()
    }
}

fn filled(finding: Finding, record: Option<VulnerabilityDetails>, sources: &str) -> Finding {
    let mut fake = Fake::default();
    if let Some(record) = record {
        fake.records
            .insert(finding.vulnerability_id.clone(), record);
    }
    let mut findings = [finding];
    fill_details(&fake, &mut findings, &sources.parse().unwrap()).unwrap();
    let [finding] = findings;
    finding
}

#[track_caller]
fn check(
    sources: &str,
    finding: Finding,
    record: VulnerabilityDetails,
    severity: Severity,
    source: &str,
) {
    let filled = filled(finding, Some(record), sources);
    assert_eq!(
        (filled.severity, filled.severity_source.as_str()),
        (severity, source)
    );
}

#[test]
fn the_automatic_choice_follows_the_specification() {
    let auto = |finding, rated: &[(&str, i64)], severity, source| {
        check(
            "auto",
            finding,
            record(Severity::Medium, rated),
            severity,
            source,
        );
    };
    let cve = || finding("CVE-1", "osv", "");
    let ghsa = || finding("GHSA-1", "osv", "");
    auto(cve(), &[], Severity::Medium, "");
    auto(cve(), &[("nvd", 1)], Severity::Low, "nvd");
    auto(ghsa(), &[("nvd", 1), ("ghsa", 3)], Severity::High, "ghsa");
    auto(cve(), &[("nvd", 1), ("ghsa", 3)], Severity::Low, "nvd");
    auto(ghsa(), &[("nvd", 1)], Severity::Low, "nvd");
    auto(cve(), &[("osv", 4), ("nvd", 1)], Severity::Critical, "osv");
    auto(
        finding("CVE-1", "rootio", "alpine"),
        &[("nvd", 1), ("alpine", 2), ("ubuntu", 3)],
        Severity::Medium,
        "alpine",
    );
    // A rating of "unknown" counts if it is the publisher's, else the merged one is taken.
    auto(cve(), &[("osv", 0), ("nvd", 1)], Severity::Unknown, "osv");
    auto(ghsa(), &[("ghsa", 0), ("nvd", 1)], Severity::Medium, "");
}

#[test]
fn concrete_sources_are_asked_in_order() {
    let asked = |sources, severity, source| {
        let record = record(Severity::Critical, &[("nvd", 1), ("ghsa", 3)]);
        check(
            sources,
            finding("CVE-1", "osv", ""),
            record,
            severity,
            source,
        );
    };
    asked("alma,alpine", Severity::Unknown, "");
    asked("ghsa,nvd", Severity::High, "ghsa");
    asked("nvd, ghsa", Severity::Low, "nvd");
    asked("alma,auto", Severity::Low, "nvd");
    asked("auto,ghsa", Severity::Low, "nvd");
}

#[test]
fn nothing_known_is_unknown() {
    check(
        "auto",
        finding("CVE-1", "", ""),
        record(Severity::Unknown, &[]),
        Severity::Unknown,
        "",
    );
}

#[test]
fn the_rating_of_the_package_wins_and_is_added() {
    let rated = Finding {
        severity: Severity::Low,
        severity_source: "debian".to_owned(),
        ..finding("CVE-1", "debian", "")
    };
    let filled = filled(
        rated,
        Some(record(Severity::High, &[("debian", 3), ("nvd", 4)])),
        "nvd",
    );
    assert_eq!(
        (filled.severity, filled.severity_source.as_str()),
        (Severity::Low, "debian")
    );
    assert_eq!(filled.vendor_severity["debian"], 1);
    assert_eq!(filled.vendor_severity["nvd"], 4);
}

/// Red Hat's rating is printed even if it is "unknown".
#[test]
fn an_unknown_rating_of_the_package_is_added_too() {
    let rated = Finding {
        severity_source: "redhat".to_owned(),
        data_source: None,
        ..finding("CVE-1", "", "")
    };
    let filled = filled(rated, Some(record(Severity::High, &[])), "auto");
    assert_eq!(
        (filled.severity, filled.severity_source.as_str()),
        (Severity::Unknown, "redhat")
    );
    assert_eq!(filled.vendor_severity["redhat"], 0);
}

#[test]
fn without_a_record_the_advisory_is_all_there_is() {
    let rated = Finding {
        severity: Severity::High,
        severity_source: "debian".to_owned(),
        ..finding("CVE-1", "debian", "")
    };
    let filled = filled(rated, None, "auto");
    assert_eq!(
        (filled.severity, filled.severity_source.as_str()),
        (Severity::High, "debian")
    );
    assert_eq!(filled.primary_url, "");
    assert!(filled.details.is_none());
    assert_eq!(filled.status, FixStatus::Affected);
}

#[test]
fn the_status_follows_the_fix() {
    for (fixed, stated, expected) in [
        ("1.2", FixStatus::WillNotFix, FixStatus::Fixed),
        ("", FixStatus::WillNotFix, FixStatus::WillNotFix),
        ("", FixStatus::Unknown, FixStatus::Affected),
    ] {
        let finding = Finding {
            fixed_version: fixed.to_owned(),
            status: stated,
            ..finding("CVE-1", "", "")
        };
        assert_eq!(filled(finding, None, "auto").status, expected);
    }
}

#[test]
fn the_primary_url_depends_on_id_and_source() {
    let references = [
        "https://lists.opensuse.org/b",
        "http://lists.opensuse.org/a",
        "https://www.debian.org/security/1",
    ];
    for (id, source, base, expected) in [
        (
            "CVE-2024-1",
            "debian",
            "",
            "https://avd.aquasec.com/nvd/cve-2024-1",
        ),
        (
            "RUSTSEC-1",
            "",
            "",
            "https://osv.dev/vulnerability/RUSTSEC-1",
        ),
        ("GHSA-ab", "", "", "https://github.com/advisories/GHSA-ab"),
        (
            "TEMP-1",
            "",
            "",
            "https://security-tracker.debian.org/tracker/TEMP-1",
        ),
        ("SUSE-SU-1", "suse-cvrf", "", "http://lists.opensuse.org/a"),
        ("DSA-1", "debian", "", "https://www.debian.org/security/1"),
        ("DSA-1", "rootio", "debian", ""),
        ("DSA-1", "", "", ""),
        ("ELSA-1", "oracle-oval", "", ""),
    ] {
        let record = VulnerabilityDetails {
            references: references.map(str::to_owned).to_vec(),
            ..VulnerabilityDetails::default()
        };
        let filled = filled(finding(id, source, base), Some(record), "auto");
        assert_eq!(filled.primary_url, expected, "{id} of '{source}'");
    }
}

#[test]
fn findings_of_one_vulnerability_share_its_record() {
    let mut fake = Fake::default();
    fake.records
        .insert("CVE-1".to_owned(), record(Severity::Low, &[]));
    let mut findings = vec![finding("CVE-1", "", ""), finding("CVE-1", "", "")];
    fill_details(&fake, &mut findings, &SeveritySources::default()).unwrap();
    assert_eq!(fake.asked.take(), ["CVE-1"]);
    let details: Vec<_> = findings
        .iter()
        .map(|f| f.details.clone().unwrap())
        .collect();
    assert!(Arc::ptr_eq(&details[0], &details[1]));
}

#[test]
fn unknown_sources_are_refused_by_name() {
    let error = "nvd,github".parse::<SeveritySources>().unwrap_err();
    assert_eq!(error, SeveritySourcesError("github".to_owned()));
    let message = error.to_string();
    assert!(message.starts_with("'github' is no severity source: accepted are nvd, redhat,"));
    assert!(message.ends_with(", rapidfort, auto"), "{message}");
    assert!("".parse::<SeveritySources>().is_err());
    assert!("NVD".parse::<SeveritySources>().is_err());
    assert_eq!("auto".parse(), Ok(SeveritySources::default()));
}
