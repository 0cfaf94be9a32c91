//! Rolling distributions of apk packages: one bucket each, no releases.

use cleanbill_version::VersionScheme;

use super::rule::{NameRule, Rule};

/// Wolfi. Source: spec 02 section 6, Trivy `pkg/detector/ospkg/wolfi`.
pub(super) static WOLFI: Rule = Rule {
    bucket: |_| "wolfi".to_owned(),
    ..ROLLING
};

/// Chainguard. Source: as Wolfi.
pub(super) static CHAINGUARD: Rule = Rule {
    bucket: |_| "chainguard".to_owned(),
    ..ROLLING
};

/// MinimOS. Source: as Wolfi.
pub(super) static MINIMOS: Rule = Rule {
    bucket: |_| "minimos".to_owned(),
    ..ROLLING
};

const ROLLING: Rule = Rule {
    name: NameRule::SourceOrBinary,
    scheme: VersionScheme::Apk,
    ..Rule::COMMON
};

#[cfg(test)]
mod tests {
    use cleanbill_core::package::Package;

    use crate::matchers::testing::{Case, apk, fixed, unfixed};

    #[test]
    fn the_source_is_looked_up_but_the_installed_version_is_compared() {
        for family in ["wolfi", "chainguard", "minimos"] {
            let library = Package {
                src_name: "openssl".to_owned(),
                src_version: "3.0-r9".to_owned(),
                ..apk("libssl3", "3.0-r1")
            };
            let found = Case::new(family, "20230201")
                .package(library)
                .advisory(family, "openssl", "CVE-1", fixed("3.0-r2"))
                .advisory(family, "openssl", "CVE-2", fixed("3.0-r1"))
                .advisory(family, "openssl", "CVE-3", unfixed())
                .found();
            assert_eq!(found, ["CVE-1 libssl3 3.0-r1 -> 3.0-r2"], "{family}");
        }
    }
}
