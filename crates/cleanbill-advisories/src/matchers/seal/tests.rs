use super::*;
use crate::end_of_life::Support;
use crate::matchers::testing::{Case, apk, deb, fixed, ranged, rpm};

#[test]
fn the_release_of_an_rpm_is_in_its_version() {
    for (release, expected) in [
        ("9.el10_0.1", "10"),
        ("10.el6", "6"),
        ("3.el8+sp1", "8"),
        ("1.fc38", ""),
        ("", ""),
        ("el", ""),
    ] {
        assert_eq!(enterprise_release(release), expected, "of '{release}'");
    }
}

#[test]
fn families_and_names_select_it() {
    for (family, name, is_selected) in [
        ("alpine", "seal-zlib", true),
        ("cbl-mariner", "SEAL-zlib", true),
        ("oracle", "seal-zlib", true),
        ("rocky", "seal-zlib", false),
        ("debian", "sealed", false),
    ] {
        let case = Case::new(family, "1").package(deb(name, "1"));
        assert_eq!(case.with_input(is_present), is_selected, "{family} {name}");
    }
    let by_source = Package {
        src_name: "seal-zlib".to_owned(),
        ..deb("zlib1g", "1")
    };
    assert!(
        Case::new("debian", "12")
            .package(by_source)
            .with_input(is_present)
    );
}

#[test]
fn patched_packages_have_buckets_of_their_own() {
    for (family, package, bucket, expected) in [
        (
            "redhat",
            rpm("seal-wget", "1.12-10.el6"),
            "seal Red Hat 6",
            true,
        ),
        ("centos", rpm("seal-wget", "1.12-10"), "seal Red Hat", true),
        ("debian", deb("seal-wget", "1.12-10"), "seal debian", true),
        ("ubuntu", deb("seal-wget", "1.12-10"), "seal debian", true),
        ("ubuntu", deb("seal-wget", "1.12-10"), "seal ubuntu", false),
    ] {
        let found = Case::new(family, "6")
            .package(package)
            .advisory(
                bucket,
                "seal-wget",
                "CVE-1",
                ranged(&["<1.12-10.el6+sp999"], &["1.12-10.el6+sp999"]),
            )
            .found();
        assert_eq!(found.len(), usize::from(expected), "{family} {bucket}");
    }
    let found = Case::new("alpine", "3.15.1")
        .package(apk("seal-zlib", "1.2.8-r2"))
        .advisory(
            "seal alpine",
            "seal-zlib",
            "CVE-1",
            ranged(&["<1.2.8-r25341999"], &["1.2.8-r25341999"]),
        )
        .found();
    assert_eq!(found, ["CVE-1 seal-zlib 1.2.8-r2 -> 1.2.8-r25341999"]);
}

#[test]
fn the_rest_is_judged_by_the_distribution_without_its_repositories() {
    let third_party = |name| Package {
        repository_class: RepositoryClass::ThirdParty,
        ..apk(name, "1-r0")
    };
    let mut case = Case::new("alpine", "3.9.1")
        .package(third_party("seal-zlib"))
        .package(third_party("foreign"))
        .package(apk("jq", "1.6-r0"))
        .advisory(
            "seal alpine",
            "seal-zlib",
            "CVE-1",
            ranged(&["<2-r0"], &["2-r0"]),
        )
        .advisory("alpine 3.9", "jq", "CVE-2", fixed("1.6-r1"))
        .advisory("alpine 3.9", "foreign", "CVE-3", fixed("9"))
        .advisory("alpine 3.9", "seal-zlib", "CVE-4", fixed("9"))
        .advisory("alpine edge", "jq", "CVE-5", fixed("9"));
    case.hint = Some(cleanbill_core::distro::RepositoryHint {
        family: case.distro.family.clone(),
        release: "edge".to_owned(),
    });
    assert_eq!(
        case.found(),
        ["CVE-2 jq 1.6-r0 -> 1.6-r1", "CVE-1 seal-zlib 1-r0 -> 2-r0"]
    );
    assert_eq!(case.run().support, Support::Supported);
}

#[test]
fn several_ranges_are_several_advisories() {
    let found = |installed: &str, advisory: Advisory| {
        Case::new("debian", "12")
            .package(deb("seal-a", installed))
            .advisory("seal debian", "seal-a", "CVE-1", advisory)
            .found()
    };
    let two = || ranged(&[">=1.0, <1.5", ">=2.0, <2.5"], &["1.5", "2.5"]);
    assert_eq!(found("1.1", two()), ["CVE-1 seal-a 1.1 -> 1.5"]);
    assert_eq!(found("2.1", two()), ["CVE-1 seal-a 2.1 -> 2.5"]);
    assert!(found("1.7", two()).is_empty());
    // One range keeps all patched versions; none at all says nothing.
    assert_eq!(
        found("1", ranged(&["<2"], &["2", "3"])),
        ["CVE-1 seal-a 1 -> 2, 3"]
    );
    assert!(found("1", ranged(&[], &["2"])).is_empty());
}

#[test]
fn ranges_without_their_patch_are_told() {
    for patched in [&["1.5", "9"][..], &["1.5"][..]] {
        let matched = Case::new("debian", "12")
            .package(deb("seal-a", "1.1"))
            .advisory(
                "seal debian",
                "seal-a",
                "CVE-1",
                ranged(&["<1.5", "<2.5"], patched),
            )
            .advisory("debian 12", "x", "CVE-2", fixed("1"))
            .run();
        assert_eq!(matched.findings.len(), 1);
        assert_eq!(matched.problems.len(), 1);
        assert!(matched.problems[0].message.contains("'CVE-1'"));
    }
}

#[test]
fn a_severity_is_that_of_the_base() {
    let advisory = Advisory {
        severity: 3,
        ..ranged(&["<2"], &["2"])
    };
    let matched = Case::new("debian", "12")
        .package(deb("seal-a", "1"))
        .advisory("seal debian", "seal-a", "CVE-1", advisory)
        .source("seal debian", "seal", "debian")
        .run();
    assert_eq!(matched.findings[0].severity_source, "debian");
}
