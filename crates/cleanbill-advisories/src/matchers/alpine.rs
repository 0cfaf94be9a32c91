//! Alpine Linux.

use cleanbill_core::distro::RepositoryHint;
use cleanbill_core::package::Package;
use cleanbill_version::{Version, VersionScheme};

use super::OsPackages;
use super::rule::{Compared, NameRule, Row, Rule, bucket_name};
use crate::release;

/// Source: spec 02 section 6.1, Trivy `pkg/detector/ospkg/alpine`.
pub(super) static ALPINE: Rule = Rule {
    bucket,
    name: NameRule::SourceOrBinary,
    compared: Compared::Source,
    scheme: VersionScheme::Apk,
    reports_unfixed: true,
    concerns: has_the_defect_already,
    ..Rule::COMMON
};

/// The repositories say better than the release file which packages an image was built from.
fn bucket(input: &OsPackages<'_>) -> String {
    let stated = input.distro.release();
    let release = match input.repository_hint.map(hinted_release) {
        Some(hinted) if !hinted.is_empty() => hinted,
        _ => release::minor(&stated),
    };
    bucket_name("alpine", release)
}

fn hinted_release(hint: &RepositoryHint) -> &str {
    match hint.release.rsplit_once('.') {
        Some((release, _)) if release.contains('.') => release,
        _ => &hint.release,
    }
}

/// Versions before the first affected one do not have the defect yet.
fn has_the_defect_already(_: &Package, installed: &Version, row: &Row) -> bool {
    let first = row.advisory.affected_version.as_str();
    first.is_empty()
        || Version::parse(VersionScheme::Apk, first)
            .is_some_and(|first| !installed.is_before(&first))
}

#[cfg(test)]
mod tests {
    use cleanbill_core::distro::Family;

    use super::*;
    use crate::Advisory;
    use crate::matchers::testing::{Case, apk, fixed};

    fn hint(release: &str) -> RepositoryHint {
        RepositoryHint {
            family: Family::new("alpine"),
            release: release.to_owned(),
        }
    }

    #[track_caller]
    fn check_bucket(name: &str, hinted: Option<&str>, expected: &str) {
        let mut case = Case::new("alpine", name).package(apk("jq", "1.6-r0"));
        case.hint = hinted.map(hint);
        let case = case.advisory(expected, "jq", "CVE-1", fixed("1.6-r1"));
        assert_eq!(
            case.found(),
            ["CVE-1 jq 1.6-r0 -> 1.6-r1"],
            "{name} {hinted:?}"
        );
    }

    #[test]
    fn the_repository_decides_over_the_release_file() {
        check_bucket("3.9.3", None, "alpine 3.9");
        check_bucket("3.9.3", Some("3.9"), "alpine 3.9");
        check_bucket("3.9.3", Some("3.10"), "alpine 3.10");
        check_bucket("3.9.3", Some("3.10.2"), "alpine 3.10");
        check_bucket("3.9.3", Some(""), "alpine 3.9");
        check_bucket("3.21.0_alpha20240807", Some("edge"), "alpine edge");
        check_bucket("edge", None, "alpine edge");
    }

    #[track_caller]
    fn check(installed: &str, advisory: &Advisory, is_found: bool) {
        let found = Case::new("alpine", "3.10")
            .package(apk("jq", installed))
            .advisory("alpine 3.10", "jq", "CVE-1", advisory.clone())
            .found();
        assert_eq!(
            found.len(),
            usize::from(is_found),
            "{installed} against {advisory:?}"
        );
    }

    #[test]
    fn versions_are_compared() {
        let from = |affected: &str, fixed: &str| Advisory {
            affected_version: affected.to_owned(),
            fixed_version: fixed.to_owned(),
            ..Advisory::default()
        };
        check("1.6-r0", &from("", "1.6-r1"), true);
        check("1.6-r1", &from("", "1.6-r1"), false);
        check("1.6-r0", &from("", ""), true);
        check("1.6-r0", &from("", "none-at-all"), false);
        check("1.6-r0", &from("1.6-r0", ""), true);
        check("1.6-r0", &from("1.6-r1", ""), false);
        check("1.6-r0", &from("1.6-r1", "1.7"), false);
        check("1.6-r0", &from("not a version", ""), false);
    }

    #[test]
    fn the_source_is_looked_up_and_compared() {
        let library = Package {
            src_name: "openssl".to_owned(),
            src_version: "1.1.1-r2".to_owned(),
            ..apk("libssl1.1", "1.1.1-r0")
        };
        let found = Case::new("alpine", "3.10")
            .package(library)
            .advisory("alpine 3.10", "openssl", "CVE-1", fixed("1.1.1-r2"))
            .advisory("alpine 3.10", "openssl", "CVE-2", fixed("1.1.1-r3"))
            .advisory("alpine 3.10", "libssl1.1", "CVE-3", fixed("9"))
            .found();
        assert_eq!(found, ["CVE-2 libssl1.1 1.1.1-r0 -> 1.1.1-r3"]);
    }

    /// A record without `o:` has no source version; the empty version is the smallest.
    #[test]
    fn without_a_source_the_empty_version_is_compared() {
        let package = Package {
            src_name: String::new(),
            src_version: String::new(),
            ..apk("jq", "9-r0")
        };
        let found = Case::new("alpine", "3.10")
            .package(package)
            .advisory("alpine 3.10", "jq", "CVE-1", fixed("1.6-r1"))
            .found();
        assert_eq!(found, ["CVE-1 jq 9-r0 -> 1.6-r1"]);
    }
}
