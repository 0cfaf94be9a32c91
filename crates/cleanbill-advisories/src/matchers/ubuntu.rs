//! Ubuntu.

use cleanbill_version::VersionScheme;

use super::OsPackages;
use super::rule::{Compared, NameRule, Rule, bucket_name};
use crate::release;

/// Source: spec 02 section 6.3, Trivy `pkg/detector/ospkg/ubuntu`.
pub(super) static UBUNTU: Rule = Rule {
    bucket,
    name: NameRule::Source,
    compared: Compared::Source,
    scheme: VersionScheme::Deb,
    reports_unfixed: true,
    ..Rule::COMMON
};

fn bucket(input: &OsPackages<'_>) -> String {
    bucket_name(
        "ubuntu",
        release::ubuntu(&input.distro.release(), input.now),
    )
}

#[cfg(test)]
mod tests {
    use crate::Advisory;
    use crate::matchers::testing::{Case, deb, fixed, unfixed};

    #[track_caller]
    fn check(name: &str, extended: bool, expected: &str) {
        let mut case = Case::new("ubuntu", name).package(deb("wpa", "1.0-1"));
        case.distro.extended = extended;
        let found = case
            .advisory(expected, "wpa", "CVE-1", fixed("1.0-2"))
            .found();
        assert_eq!(found, ["CVE-1 wpa 1.0-1 -> 1.0-2"], "{name} {extended}");
    }

    #[test]
    fn extended_maintenance_has_its_own_advisories_once_it_has_begun() {
        check("22.04", false, "ubuntu 22.04");
        check("22.04", true, "ubuntu 22.04");
        check("18.04", true, "ubuntu 18.04-ESM");
        check("18.04", false, "ubuntu 18.04");
        check("19.04", true, "ubuntu 19.04-ESM");
    }

    #[test]
    fn the_tracker_states_no_plans() {
        let rated = Advisory {
            status: 5,
            severity: 3,
            vendor_ids: vec!["USN-1".to_owned()],
            ..unfixed()
        };
        let matched = Case::new("ubuntu", "22.04")
            .package(deb("wpa", "1.0-1"))
            .advisory("ubuntu 22.04", "wpa", "CVE-1", rated)
            .run();
        let finding = &matched.findings[0];
        assert_eq!(finding.status, Default::default());
        assert_eq!(finding.severity_source, "");
        assert!(finding.vendor_ids.is_empty());
    }
}
