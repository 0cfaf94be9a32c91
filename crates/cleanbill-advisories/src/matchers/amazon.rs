//! Amazon Linux.

use cleanbill_version::VersionScheme;

use super::OsPackages;
use super::rule::{Rule, bucket_name};
use crate::release;

/// Packages are rpm, but the reference compares their versions by Debian's rules, and so do we;
/// what those cannot parse (a caret, a leading letter) is not compared. Extras have no bucket of
/// their own. Source: spec 02 section 6.4, Trivy `pkg/detector/ospkg/amazon`.
pub(super) static AMAZON: Rule = Rule {
    bucket,
    scheme: VersionScheme::Deb,
    ..Rule::COMMON
};

fn bucket(input: &OsPackages<'_>) -> String {
    bucket_name("amazon linux", release::amazon(&input.distro.release()))
}

#[cfg(test)]
mod tests {
    use crate::matchers::testing::{Case, fixed, rpm, unfixed};

    #[track_caller]
    fn check(installed: &str, advisory: &str, is_found: bool) {
        let found = Case::new("amazon", "2 (Karoo)")
            .package(rpm("curl", installed))
            .advisory("amazon linux 2", "curl", "CVE-1", fixed(advisory))
            .found();
        assert_eq!(
            found.len(),
            usize::from(is_found),
            "{installed} < {advisory}"
        );
    }

    #[test]
    fn versions_are_compared_by_the_rules_of_debian() {
        check("7.61.1-9.amzn2", "7.61.1-10.amzn2", true);
        check("7.61.1-10.amzn2", "7.61.1-9.amzn2", false);
        // By the rules of rpm these would be equal.
        check("1.0-1", "1_0-1", true);
        check("1.0^git1-1", "2.0-1", false);
        check("1.0-1", "2.0^git1-1", false);
        check("1.0-1", "", false);
    }

    #[test]
    fn releases_select_the_bucket() {
        for (name, bucket) in [
            ("AMI release 2018.03", "amazon linux 1"),
            ("2023.3.20240304 (Amazon Linux)", "amazon linux 2023"),
        ] {
            let found = Case::new("amazon", name)
                .package(rpm("curl", "1-1"))
                .advisory(bucket, "curl", "CVE-1", fixed("1-2"))
                .advisory(bucket, "curl", "CVE-2", unfixed())
                .found();
            assert_eq!(found, ["CVE-1 curl 1-1 -> 1-2"], "{name}");
        }
    }
}
