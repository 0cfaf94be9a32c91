use cleanbill_core::digest::{DiffId, Digest};
use cleanbill_core::package::{LayerId, PackageIdentifier};

use super::testing::{Case, deb, fixed, ranged, rpm};
use super::*;

#[test]
fn families_are_listed_once() {
    for (index, (family, _)) in MATCHERS.iter().enumerate() {
        assert!(is_supported(&Family::new(family)));
        assert!(
            MATCHERS
                .iter()
                .skip(index + 1)
                .all(|(other, _)| other != family),
            "{family}"
        );
    }
    for family in [
        "fedora",
        "centos-stream",
        "opensuse",
        "none",
        "activestate",
        "",
    ] {
        assert!(!is_supported(&Family::new(family)), "{family}");
    }
}

#[test]
fn a_family_without_advisories_has_no_result() {
    let matched = Case::new("fedora", "38").package(rpm("bash", "1-1")).run();
    assert!(!matched.is_supported);
    assert!(matched.findings.is_empty());
    assert!(matched.problems.is_empty());
}

#[test]
fn keys_and_third_parties_are_left_out() {
    let third_party = Package {
        repository_class: RepositoryClass::ThirdParty,
        ..deb("docker-ce", "1")
    };
    let found = Case::new("debian", "12")
        .package(third_party)
        .package(deb("gpg-pubkey", "1"))
        .package(deb("bash", "1"))
        .advisory("debian 12", "docker-ce", "CVE-1", fixed("2"))
        .advisory("debian 12", "gpg-pubkey", "CVE-2", fixed("2"))
        .advisory("debian 12", "bash", "CVE-3", fixed("2"))
        .found();
    assert_eq!(found, ["CVE-3 bash 1 -> 2"]);
}

#[test]
fn a_finding_says_which_package_it_is_about_and_why() {
    let layer = LayerId {
        digest: None,
        diff_id: DiffId(Digest::of(b"layer")),
    };
    let package = Package {
        identifier: PackageIdentifier {
            uid: "1234".to_owned(),
            ..PackageIdentifier::default()
        },
        layer: Some(layer),
        ..deb("bash", "1:5.2-1")
    };
    let matched = Case::new("debian", "12")
        .package(package.clone())
        .advisory("debian 12", "bash", "CVE-1", fixed("1:5.2-2"))
        .source("debian 12", "debian", "")
        .run();
    let finding = &matched.findings[0];
    assert_eq!(finding.package_id, "bash@1:5.2-1");
    assert_eq!(finding.package_identifier, package.identifier);
    assert_eq!(finding.layer, Some(layer));
    assert_eq!(finding.data_source.as_ref().unwrap().id, "debian");
    let evidence = &finding.evidence;
    assert_eq!(evidence.bucket, "debian 12");
    assert_eq!(evidence.looked_up_name, "bash");
    assert_eq!(evidence.compared_version, "1:5.2-1");
    assert_eq!(evidence.scheme, "deb");
    assert_eq!(evidence.constraint, "< 1:5.2-2");
}

#[test]
fn binaries_of_one_source_share_a_look_up() {
    let mut case = Case::new("debian", "12");
    for name in ["libc6", "libc-bin", "locales"] {
        case = case.package(Package {
            src_name: "glibc".to_owned(),
            ..deb(name, "2.36-1")
        });
    }
    let case = case.advisory("debian 12", "glibc", "CVE-1", fixed("2.36-2"));
    assert_eq!(case.found().len(), 3);
    assert_eq!(case.database.asked.take(), ["debian 12/glibc"]);
}

#[test]
fn suppliers_come_before_the_family() {
    let marked = || Case::new("ubuntu", "22.04").package(deb("seal-wget", "1.root.io.2"));
    let mut curated = marked();
    curated.distro.supplier = "rapidfort".to_owned();
    let patched = |case: Case| {
        case.advisory(
            "rapidfort ubuntu 22.04",
            "seal-wget",
            "CVE-1",
            ranged(&["<9"], &["rapidfort"]),
        )
        .advisory(
            "root.io ubuntu 22.04",
            "seal-wget",
            "CVE-1",
            ranged(&["<9"], &["rootio"]),
        )
        .advisory(
            "seal debian",
            "seal-wget",
            "CVE-1",
            ranged(&["<9"], &["seal"]),
        )
        .advisory("ubuntu 22.04", "seal-wget", "CVE-2", fixed("9"))
        .found()
    };
    assert_eq!(
        patched(curated),
        ["CVE-1 seal-wget 1.root.io.2 -> rapidfort"]
    );
    assert_eq!(
        patched(marked()),
        [
            "CVE-1 seal-wget 1.root.io.2 -> rootio",
            "CVE-2 seal-wget 1.root.io.2 -> 9",
        ]
    );
    let sealed = Case::new("ubuntu", "22.04").package(deb("seal-wget", "1"));
    assert_eq!(patched(sealed), ["CVE-1 seal-wget 1 -> seal"]);
}

/// The choice looks at all packages, also at those that are left out of matching.
#[test]
fn a_supplier_is_recognised_by_packages_that_are_left_out() {
    let third_party = Package {
        repository_class: RepositoryClass::ThirdParty,
        ..deb("a", "1.root.io.1")
    };
    let matched = Case::new("debian", "7.1")
        .package(third_party)
        .package(deb("b", "1"))
        .advisory("root.io debian 7", "b", "CVE-1", ranged(&["<2"], &["2"]))
        .run();
    assert_eq!(matched.support, Support::Supported);
    assert_eq!(matched.findings.len(), 1);
}

#[test]
fn the_end_of_life_is_told() {
    assert!(Case::new("debian", "9").run().support.is_over());
    assert!(!Case::new("debian", "13").run().support.is_over());
    assert!(!Case::new("wolfi", "1").run().support.is_over());
}

#[test]
fn long_lists_are_counted() {
    let mut case = Case::new("debian", "12");
    for number in 0..8 {
        case = case.package(deb(&format!("p{number}"), "odd")).advisory(
            "debian 12",
            &format!("p{number}"),
            "CVE-1",
            fixed("1"),
        );
    }
    let problems = case.run().problems;
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].message,
        "packages could not be judged because their versions cannot be compared: \
         p0 odd, p1 odd, p2 odd, p3 odd, p4 odd and 3 more"
    );
}
