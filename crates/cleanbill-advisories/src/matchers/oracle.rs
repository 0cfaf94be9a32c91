//! Oracle Linux.

use cleanbill_core::package::Package;
use cleanbill_version::Version;

use super::OsPackages;
use super::rule::{Row, Rule, bucket_name};
use crate::release;

/// Source: spec 02 section 6.5, Trivy `pkg/detector/ospkg/oracle`.
pub(super) static ORACLE: Rule = Rule {
    bucket,
    is_by_architecture: true,
    concerns: has_same_flavor,
    ..Rule::COMMON
};

fn bucket(input: &OsPackages<'_>) -> String {
    bucket_name("Oracle Linux", release::major(&input.distro.release()))
}

/// Some packages come in several builds whose versions must not be compared with each other.
#[derive(Debug, PartialEq)]
enum Flavor {
    Normal,
    Fips,
    Ksplice,
}

fn has_same_flavor(package: &Package, _: &Version, row: &Row) -> bool {
    flavor(&row.advisory.fixed_version) == flavor(&package.release)
}

fn flavor(version: &str) -> Flavor {
    let version = version.to_lowercase();
    if version.ends_with("_fips") {
        Flavor::Fips
    } else if version.split('.').any(|part| part.starts_with("ksplice")) {
        Flavor::Ksplice
    } else {
        Flavor::Normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Advisory;
    use crate::matchers::testing::{Case, by_arch, fixed, rpm};

    #[test]
    fn flavors_are_told_apart() {
        for (version, expected) in [
            ("2:2.17-156.ksplice1.el7", Flavor::Ksplice),
            ("157.KSPLICE1.el7_3.4", Flavor::Ksplice),
            ("317.0.1.el7", Flavor::Normal),
            ("10:3.6.16-4.0.1.el8_fips", Flavor::Fips),
            ("4.0.1.el8_FIPS", Flavor::Fips),
            ("1.noksplice", Flavor::Normal),
            ("", Flavor::Normal),
        ] {
            assert_eq!(flavor(version), expected, "of '{version}'");
        }
    }

    #[track_caller]
    fn check(package: Package, advisory: Advisory, expected: &[&str]) {
        let name = package.name.clone();
        let found = Case::new("oracle", "7.9")
            .package(package)
            .advisory("Oracle Linux 7", &name, "CVE-1", advisory)
            .found();
        assert_eq!(found, expected);
    }

    #[test]
    fn only_advisories_of_the_same_flavor_count() {
        let ksplice = || by_arch(&[("2:2.17-157.ksplice1.el7_3.4", &["x86_64"])]);
        check(
            rpm("glibc", "2:2.17-156.ksplice1.el7"),
            ksplice(),
            &["CVE-1 glibc 2:2.17-156.ksplice1.el7 -> 2:2.17-157.ksplice1.el7_3.4"],
        );
        check(rpm("glibc", "2.17-317.0.1.el7"), ksplice(), &[]);
        check(
            rpm("gnutls", "10:3.6.15-4.0.1.el8_fips"),
            by_arch(&[("10:3.6.16-4.0.1.el8_fips", &["x86_64"])]),
            &["CVE-1 gnutls 10:3.6.15-4.0.1.el8_fips -> 10:3.6.16-4.0.1.el8_fips"],
        );
    }

    #[test]
    fn each_architecture_has_its_fix() {
        let advisory = || {
            by_arch(&[
                ("8.24.0-57.0.1.el7_9.3", &["x86_64"]),
                ("8.24.0-57.0.4.el7_9.3", &["aarch64"]),
            ])
        };
        let rsyslog = |arch: &str| Package {
            arch: arch.to_owned(),
            ..rpm("rsyslog", "8.24.0-57.0.0.el7")
        };
        let found = |fix: &str| format!("CVE-1 rsyslog 8.24.0-57.0.0.el7 -> {fix}");
        check(
            rsyslog("x86_64"),
            advisory(),
            &[&found("8.24.0-57.0.1.el7_9.3")],
        );
        check(
            rsyslog("aarch64"),
            advisory(),
            &[&found("8.24.0-57.0.4.el7_9.3")],
        );
        check(rsyslog("noarch"), advisory(), &[]);
        check(rsyslog("None"), advisory(), &[]);
    }

    /// The outer version is for old readers; it must not count beside entries.
    #[test]
    fn the_outer_version_counts_only_without_entries() {
        let both = Advisory {
            fixed_version: "0:9-1".to_owned(),
            ..by_arch(&[("1-2", &["aarch64"])])
        };
        check(rpm("a", "1-1"), both, &[]);
        check(rpm("a", "1-1"), fixed("0:9-1"), &["CVE-1 a 1-1 -> 0:9-1"]);
    }
}
