//! Debian.

use cleanbill_core::package::Package;
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::Finding;
use cleanbill_version::VersionScheme;

use super::OsPackages;
use super::rule::{Compared, NameRule, Rule, bucket_name};
use crate::{Advisory, release};

/// Source: spec 02 section 6.2, Trivy `pkg/detector/ospkg/debian`.
pub(super) static DEBIAN: Rule = Rule {
    bucket,
    name: NameRule::Source,
    compared: Compared::Source,
    scheme: VersionScheme::Deb,
    reports_unfixed: true,
    refine,
    ..Rule::COMMON
};

fn bucket(input: &OsPackages<'_>) -> String {
    bucket_name("debian", release::major(&input.distro.release()))
}

/// The tracker rates a vulnerability for each package apart, and says what is planned.
fn refine(finding: &mut Finding, _: &Package, advisory: &Advisory) {
    finding.vendor_ids.clone_from(&advisory.vendor_ids);
    finding.status = FixStatus::from_number(advisory.status);
    rate(finding, advisory.severity, "debian");
}

/// Sets the severity that an advisory states for its package, if it states one.
pub(super) fn rate(finding: &mut Finding, severity: i64, source: &str) {
    let severity = Severity::from_number(severity);
    if severity != Severity::Unknown {
        finding.severity = severity;
        finding.severity_source = source.to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matchers::testing::{Case, deb, fixed, unfixed};

    fn htpasswd() -> Package {
        Package {
            src_name: "apache2".to_owned(),
            src_version: "2.4.24".to_owned(),
            ..deb("htpasswd", "2.4.24")
        }
    }

    #[test]
    fn the_source_package_decides() {
        let found = Case::new("debian", "9.1")
            .package(htpasswd())
            .advisory("debian 9", "apache2", "CVE-2020-11985", fixed("2.4.25-1"))
            .advisory("debian 9", "apache2", "CVE-2021-31618", unfixed())
            .advisory("debian 9", "apache2", "CVE-1", fixed("2.4.24"))
            .advisory("debian 9", "apache2", "CVE-2", fixed("not-a-version"))
            .advisory("debian 9", "htpasswd", "CVE-3", unfixed())
            .advisory("debian 10", "apache2", "CVE-4", unfixed())
            .found();
        assert_eq!(
            found,
            [
                "CVE-2020-11985 htpasswd 2.4.24 -> 2.4.25-1",
                "CVE-2021-31618 htpasswd 2.4.24 -> ",
            ]
        );
    }

    #[test]
    fn the_tracker_rates_and_plans() {
        let planned = Advisory {
            status: 5,
            severity: 2,
            vendor_ids: vec!["DSA-4884-1".to_owned()],
            ..Advisory::default()
        };
        let matched = Case::new("debian", "9")
            .package(htpasswd())
            .advisory("debian 9", "apache2", "CVE-1", planned)
            .run();
        let finding = &matched.findings[0];
        assert_eq!(finding.status, FixStatus::WillNotFix);
        assert_eq!(finding.vendor_ids, ["DSA-4884-1"]);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.severity_source, "debian");
        assert_eq!(finding.evidence.bucket, "debian 9");
        assert_eq!(finding.evidence.looked_up_name, "apache2");
        assert_eq!(finding.evidence.compared_version, "2.4.24");
        assert_eq!(
            (
                finding.evidence.scheme,
                finding.evidence.constraint.as_str()
            ),
            ("", "")
        );
    }

    #[test]
    fn a_release_without_a_bucket_is_told() {
        let matched = Case::new("debian", "trixie/sid").package(htpasswd()).run();
        assert!(matched.findings.is_empty());
        assert_eq!(matched.problems.len(), 1);
        let problem = &matched.problems[0];
        assert!(problem.kind.is_gap());
        assert!(
            problem.message.contains("'debian trixie/sid'"),
            "{}",
            problem.message
        );
    }

    #[test]
    fn a_version_that_cannot_be_compared_is_told_if_it_matters() {
        let odd = |name| deb(name, "not a version");
        let matched = Case::new("debian", "9")
            .package(odd("apache2"))
            .package(odd("unheard-of"))
            .advisory("debian 9", "apache2", "CVE-1", fixed("1"))
            .run();
        assert!(matched.findings.is_empty());
        assert_eq!(matched.problems.len(), 1);
        assert!(matched.problems[0].kind.is_gap());
        assert!(
            matched.problems[0]
                .message
                .contains("apache2 not a version")
        );
    }
}
