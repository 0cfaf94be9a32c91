//! Azure Linux and its predecessor CBL-Mariner.

use super::rule::{Compared, NameRule, PrintedFix, Rule, bucket_name};
use crate::release;

/// Azure Linux. Source: spec 02 section 6.7, Trivy `pkg/detector/ospkg/azure`.
pub(super) static AZURE_LINUX: Rule = Rule {
    bucket: |input| bucket_name("Azure Linux", release::minor(&input.distro.release())),
    ..BY_SOURCE
};

/// CBL-Mariner. Source: as Azure Linux.
pub(super) static CBL_MARINER: Rule = Rule {
    bucket: |input| bucket_name("CBL-Mariner", release::minor(&input.distro.release())),
    ..BY_SOURCE
};

const BY_SOURCE: Rule = Rule {
    name: NameRule::Source,
    compared: Compared::Source,
    reports_unfixed: true,
    printed_fix: PrintedFix::Normalised,
    // The reference leaves the id of the package out, and reports are compared with its.
    refine: |finding, _, _| finding.package_id.clear(),
    ..Rule::COMMON
};

#[cfg(test)]
mod tests {
    use crate::matchers::testing::{Case, fixed, rpm, unfixed};

    #[test]
    fn source_packages_are_judged_and_ids_are_left_out() {
        for (family, name, bucket) in [
            ("azurelinux", "3.0.20240727", "Azure Linux 3.0"),
            ("cbl-mariner", "2.0", "CBL-Mariner 2.0"),
        ] {
            let case = Case::new(family, name)
                .package(rpm("vim", "9.0-1.cm2"))
                .advisory(bucket, "vim", "CVE-1", fixed("0:9.0-2.cm2"))
                .advisory(bucket, "vim", "CVE-2", unfixed())
                .advisory(bucket, "vim", "CVE-3", fixed("9.0-1.cm2"));
            let found = case.found();
            assert_eq!(
                found,
                [
                    "CVE-1 vim 9.0-1.cm2 -> 9.0-2.cm2",
                    "CVE-2 vim 9.0-1.cm2 -> "
                ],
                "{family}"
            );
            assert!(case.run().findings.iter().all(|f| f.package_id.is_empty()));
        }
    }
}
