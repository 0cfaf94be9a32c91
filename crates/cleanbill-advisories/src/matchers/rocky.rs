//! Rocky Linux.

use super::OsPackages;
use super::rule::{NameRule, PrintedFix, Rule, bucket_name};
use crate::release;

/// Source: spec 02 section 6.6, Trivy `pkg/detector/ospkg/rocky`.
pub(super) static ROCKY: Rule = Rule {
    bucket,
    name: NameRule::Modular,
    is_by_architecture: true,
    printed_fix: PrintedFix::Normalised,
    ..Rule::COMMON
};

fn bucket(input: &OsPackages<'_>) -> String {
    bucket_name("rocky", release::major(&input.distro.release()))
}

#[cfg(test)]
mod tests {
    use cleanbill_core::package::Package;

    use crate::matchers::testing::{Case, by_arch, rpm, unfixed};

    #[test]
    fn modules_architectures_and_epochs_are_regarded() {
        let npm = Package {
            modularity_label: "nodejs:12:8030020201124152102:229f0a1c".to_owned(),
            ..rpm("npm", "1:6.14.10-1.module+el8")
        };
        let matched = Case::new("rocky", "8.5")
            .package(npm)
            .advisory(
                "rocky 8",
                "nodejs:12::npm",
                "CVE-1",
                by_arch(&[
                    ("0:9-9", &["aarch64"]),
                    ("1:6.14.11-1", &["x86_64", "noarch"]),
                ]),
            )
            .advisory("rocky 8", "nodejs:12::npm", "CVE-2", unfixed())
            .advisory(
                "rocky 8",
                "npm",
                "CVE-3",
                by_arch(&[("9:9-9", &["x86_64"])]),
            );
        assert_eq!(
            matched.found(),
            ["CVE-1 npm 1:6.14.10-1.module+el8 -> 1:6.14.11-1"]
        );
    }

    #[test]
    fn the_fix_is_printed_without_an_epoch_of_zero_and_without_errata() {
        let matched = Case::new("rocky", "8")
            .package(rpm("bash", "4.4-1"))
            .advisory(
                "rocky 8",
                "bash",
                "CVE-1",
                by_arch(&[("0:4.4-2", &["x86_64"])]),
            )
            .run();
        assert_eq!(matched.findings[0].fixed_version, "4.4-2");
        assert!(matched.findings[0].vendor_ids.is_empty());
        assert_eq!(matched.findings[0].evidence.constraint, "< 0:4.4-2");
        assert_eq!(matched.findings[0].evidence.scheme, "rpm");
    }

    #[test]
    fn a_bucket_without_a_source_yields_an_empty_one() {
        let matched = Case::new("rocky", "8")
            .package(rpm("bash", "4.4-1"))
            .advisory(
                "rocky 8",
                "bash",
                "CVE-1",
                by_arch(&[("4.4-2", &["x86_64"])]),
            )
            .run();
        assert_eq!(matched.findings[0].data_source, Some(Default::default()));
    }
}
