//! AlmaLinux.

use cleanbill_core::package::Package;

use super::OsPackages;
use super::rule::{NameRule, PrintedFix, Rule, bucket_name};
use crate::release;

/// Source: spec 02 sections 3 item 8 and 6.6, Trivy `pkg/detector/ospkg/alma`.
pub(super) static ALMA: Rule = Rule {
    bucket,
    name: NameRule::Modular,
    printed_fix: PrintedFix::Normalised,
    obstacle,
    ..Rule::COMMON
};

fn bucket(input: &OsPackages<'_>) -> String {
    bucket_name("alma", release::major(&input.distro.release()))
}

/// Some builds of modular packages lost their label (AlmaLinux bug 173): which stream they belong
/// to, and so which advisories apply, cannot be told.
fn obstacle(package: &Package) -> Option<&'static str> {
    (package.release.contains(".module_el") && package.modularity_label.is_empty())
        .then_some("they belong to a module but do not say to which")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matchers::testing::{Case, fixed, rpm, unfixed};

    #[test]
    fn rows_hold_for_every_architecture() {
        let package = Package {
            arch: "s390x".to_owned(),
            ..rpm("bash", "4.4-1.el8")
        };
        let found = Case::new("alma", "8.6")
            .package(package)
            .advisory("alma 8", "bash", "CVE-1", fixed("0:4.4-2.el8"))
            .advisory("alma 8", "bash", "CVE-2", unfixed())
            .found();
        assert_eq!(found, ["CVE-1 bash 4.4-1.el8 -> 4.4-2.el8"]);
    }

    #[test]
    fn a_version_that_begins_with_a_tilde_is_before_none() {
        let found = Case::new("alma", "8.6")
            .package(rpm("bash", "~1-1.el8"))
            .advisory("alma 8", "bash", "CVE-1", unfixed())
            .found();
        assert_eq!(found, ["CVE-1 bash ~1-1.el8 -> "]);
    }

    #[test]
    fn modular_packages_without_a_label_are_told() {
        let matched = Case::new("alma", "8.6")
            .package(rpm("nginx", "1:1.14.1-9.module_el8.0.0+184+e34fea82"))
            .advisory("alma 8", "nginx", "CVE-1", fixed("9:9-9"))
            .run();
        assert!(matched.findings.is_empty());
        assert_eq!(matched.problems.len(), 1);
        assert!(
            matched.problems[0]
                .message
                .contains("nginx 1:1.14.1-9.module_el8")
        );
    }
}
