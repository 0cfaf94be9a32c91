//! Photon OS.

use super::OsPackages;
use super::rule::{NameRule, Rule, bucket_name};

/// The name is that of the source, the version is that of the package. Source: spec 02 section 6,
/// Trivy `pkg/detector/ospkg/photon`.
pub(super) static PHOTON: Rule = Rule {
    bucket,
    name: NameRule::Source,
    ..Rule::COMMON
};

fn bucket(input: &OsPackages<'_>) -> String {
    bucket_name("Photon OS", &input.distro.release())
}

#[cfg(test)]
mod tests {
    use cleanbill_core::package::Package;

    use crate::matchers::testing::{Case, fixed, rpm};

    #[test]
    fn the_source_name_has_no_substitute() {
        let with_source = |src_name: &str| Package {
            src_name: src_name.to_owned(),
            src_version: "1".to_owned(),
            src_release: "9.ph4".to_owned(),
            ..rpm("curl-libs", "7.86-1.ph4")
        };
        let found = |src_name| {
            Case::new("photon", "4.0")
                .package(with_source(src_name))
                .advisory("Photon OS 4.0", "curl", "CVE-1", fixed("7.86-2.ph4"))
                .advisory("Photon OS 4.0", "curl-libs", "CVE-2", fixed("7.86-2.ph4"))
                .found()
        };
        assert_eq!(found("curl"), ["CVE-1 curl-libs 7.86-1.ph4 -> 7.86-2.ph4"]);
        assert!(found("").is_empty());
    }
}
