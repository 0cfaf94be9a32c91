use cleanbill_core::package::RepositoryClass;

use super::*;
use crate::end_of_life::Support;
use crate::matchers::testing::{Case, apk, deb, fixed, ranged, rpm, unfixed};

fn curated(family: &str, name: &str) -> Case {
    let mut case = Case::new(family, name);
    case.distro.supplier = "rapidfort".to_owned();
    case
}

#[test]
fn three_families_are_curated() {
    for (family, is_curated) in [
        ("ubuntu", true),
        ("alpine", true),
        ("redhat", true),
        ("debian", false),
        ("centos", false),
    ] {
        assert_eq!(
            curated(family, "1").with_input(is_present),
            is_curated,
            "{family}"
        );
    }
    assert!(!Case::new("ubuntu", "22.04").with_input(is_present));
}

#[test]
fn the_version_selects_the_bucket() {
    for (family, release, version, expected) in [
        (
            "ubuntu",
            "22.04.1",
            "0:2.46-3ubuntu2",
            "rapidfort ubuntu 22.04",
        ),
        ("ubuntu", "22.04", "0:2.46-5rfubu", "rapidfort ubuntu"),
        (
            "ubuntu",
            "22.04",
            "0:2.5.2-1build1+rf.1",
            "rapidfort ubuntu",
        ),
        ("alpine", "3.17.2", "1.2-r0", "rapidfort alpine 3.17"),
        ("redhat", "9.2", "7.76.1-26.el9_3.3", "rapidfort Red Hat 9"),
        ("redhat", "9.2", "7.76.1-26.el8", "rapidfort Red Hat 8"),
        ("redhat", "9.2", "7.76.1-26.fc43", "rapidfort fedora 43"),
        ("redhat", "9.2", "7.76.1-26.rf1", "rapidfort Red Hat"),
        ("redhat", "9.2", "7.76.1-26", "rapidfort Red Hat 9"),
        ("redhat", "9.2", "1-1.rfc3339.el8", "rapidfort Red Hat 8"),
        ("redhat", "9.2", "1-1.el8.rfc3339", "rapidfort Red Hat"),
        ("redhat", "9.2", "1-1.el", "rapidfort Red Hat"),
        ("redhat", "9.2", "1-1.fc", "rapidfort fedora"),
        ("redhat", "9.2", "label-el8", "rapidfort Red Hat 9"),
    ] {
        let bucket = Base::of(family, release).bucket(version);
        assert_eq!(bucket, expected, "{family} {release} {version}");
    }
}

#[test]
fn ranges_are_compared_and_broken_ones_skipped() {
    let found = |version: &str, ranges: &[&str]| {
        curated("ubuntu", "22.04")
            .package(deb("rf-binutils", version))
            .advisory(
                "rapidfort ubuntu",
                "rf-binutils",
                "CVE-1",
                ranged(ranges, &["0:2.46-10rfubu"]),
            )
            .found()
    };
    let expected = ["CVE-1 rf-binutils 0:2.46-5rfubu -> 0:2.46-10rfubu"];
    assert_eq!(found("0:2.46-5rfubu", &["<0:2.46-10rfubu"]), expected);
    assert_eq!(
        found("0:2.46-5rfubu", &["broken!", "<0:2.46-10rfubu"]),
        expected
    );
    assert!(found("0:2.46-3ubuntu2", &["<9"]).is_empty());
    assert_eq!(found("0:2.46-5rfubu", &[]).len(), 1);
}

#[test]
fn advisories_of_the_source_come_before_those_of_the_binary() {
    let package = Package {
        src_name: "openssl".to_owned(),
        ..apk("libssl3", "3.0-r1")
    };
    let found = curated("alpine", "3.17.2")
        .package(package)
        .advisory(
            "rapidfort alpine 3.17",
            "openssl",
            "CVE-1",
            ranged(&["<3.0-r2"], &["3.0-r2"]),
        )
        .advisory(
            "rapidfort alpine 3.17",
            "libssl3",
            "CVE-1",
            ranged(&["<9"], &["9"]),
        )
        .advisory(
            "rapidfort alpine 3.17",
            "libssl3",
            "CVE-2",
            ranged(&["<3.0-r3"], &["3.0-r3"]),
        )
        .found();
    assert_eq!(
        found,
        [
            "CVE-1 libssl3 3.0-r1 -> 3.0-r2",
            "CVE-2 libssl3 3.0-r1 -> 3.0-r3"
        ]
    );
}

#[test]
fn without_a_source_the_package_itself_is_judged() {
    let package = Package {
        src_name: String::new(),
        src_version: String::new(),
        src_release: String::new(),
        repository_class: RepositoryClass::ThirdParty,
        ..rpm("elasticsearch", "5.6.16-1.el7")
    };
    let matched = curated("redhat", "6.9")
        .package(package)
        .advisory(
            "rapidfort Red Hat 7",
            "elasticsearch",
            "CVE-1",
            ranged(&["<6"], &["6"]),
        )
        .advisory("Red Hat", "elasticsearch", "CVE-2", fixed("9"))
        .run();
    assert_eq!(matched.findings.len(), 1);
    assert_eq!(matched.findings[0].fixed_version, "6");
    assert_eq!(matched.support, Support::Supported);
}

#[test]
fn a_package_without_a_version_is_not_judged() {
    let matched = curated("ubuntu", "22.04")
        .package(deb("a", ""))
        .advisory("rapidfort ubuntu 22.04", "a", "CVE-1", unfixed())
        .advisory(
            "rapidfort ubuntu 22.04",
            "a",
            "CVE-2",
            ranged(&["<9"], &["9"]),
        )
        .run();
    assert!(matched.findings.is_empty());
    assert_eq!(matched.problems.len(), 1);
}

#[test]
fn a_severity_is_its_own() {
    let advisory = Advisory {
        severity: 4,
        ..ranged(&["<2"], &["2"])
    };
    let matched = curated("ubuntu", "22.04")
        .package(deb("a", "1"))
        .advisory("rapidfort ubuntu 22.04", "a", "CVE-1", advisory)
        .source("rapidfort ubuntu 22.04", "rapidfort", "ubuntu")
        .run();
    assert_eq!(matched.findings[0].severity_source, "rapidfort");
}
