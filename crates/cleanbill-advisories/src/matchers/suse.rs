//! SUSE Linux Enterprise and openSUSE. Their vulnerability ids are those of advisories.

use super::OsPackages;
use super::rule::{Rule, bucket_name};

/// SUSE Linux Enterprise Server. Source: spec 02 section 6, Trivy `pkg/detector/ospkg/suse`.
pub(super) static SLES: Rule = Rule {
    bucket: |input| of_release("SUSE Linux Enterprise", input),
    ..Rule::COMMON
};

/// SUSE Linux Enterprise Micro and SUSE Linux Micro. Source: as the server.
pub(super) static SLE_MICRO: Rule = Rule {
    bucket: |input| of_release("SUSE Linux Enterprise Micro", input),
    ..Rule::COMMON
};

/// openSUSE Leap. Source: as the server.
pub(super) static LEAP: Rule = Rule {
    bucket: |input| of_release("openSUSE Leap", input),
    ..Rule::COMMON
};

/// openSUSE Tumbleweed, which has no releases. Source: as the server.
pub(super) static TUMBLEWEED: Rule = Rule {
    bucket: |_| "openSUSE Tumbleweed".to_owned(),
    ..Rule::COMMON
};

fn of_release(prefix: &str, input: &OsPackages<'_>) -> String {
    bucket_name(prefix, &input.distro.release())
}

#[cfg(test)]
mod tests {
    use crate::matchers::testing::{Case, fixed, rpm, unfixed};

    #[test]
    fn each_product_has_its_buckets() {
        for (family, name, bucket) in [
            ("sles", "15.6", "SUSE Linux Enterprise 15.6"),
            ("slem", "5.4", "SUSE Linux Enterprise Micro 5.4"),
            ("opensuse-leap", "15.5", "openSUSE Leap 15.5"),
            ("opensuse-tumbleweed", "20240607", "openSUSE Tumbleweed"),
        ] {
            let found = Case::new(family, name)
                .package(rpm("curl", "8.0.1-150400.5.20.1"))
                .advisory(bucket, "curl", "SUSE-SU-1", fixed("8.0.1-150400.5.23.1"))
                .advisory(bucket, "curl", "SUSE-SU-2", fixed("8.0.1-150400.5.20.1"))
                .advisory(bucket, "curl", "SUSE-SU-3", unfixed())
                .found();
            assert_eq!(
                found,
                ["SUSE-SU-1 curl 8.0.1-150400.5.20.1 -> 8.0.1-150400.5.23.1"],
                "{family}"
            );
        }
    }
}
