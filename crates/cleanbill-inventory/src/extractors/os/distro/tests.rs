use proptest::prelude::*;

use super::*;
use crate::testing::extract;

#[track_caller]
fn check(path: &str, content: &str, expected: Option<(&str, &str)>) {
    let inventory = extract(&DistroRelease, path, content.as_bytes());
    let found = inventory.distro_records.first().map(|record| {
        assert!(!record.is_fallback);
        (record.distro.family.as_str(), record.distro.name.as_str())
    });
    assert_eq!(found, expected, "{path}: {content}");
    assert!(inventory.problems.is_empty());
}

#[test]
fn release_files_of_one_distribution() {
    check(
        "etc/alpine-release",
        "3.18.4\nmore\n",
        Some(("alpine", "3.18.4")),
    );
    check("etc/alpine-release", "", None);
    check(
        "etc/debian_version",
        "trixie/sid\r\n",
        Some(("debian", "trixie/sid")),
    );
    check(
        "etc/lsb-release",
        "DISTRIB_ID=Ubuntu\nX=1\nDISTRIB_RELEASE= 22.04 \n",
        Some(("ubuntu", "22.04")),
    );
    check(
        "etc/lsb-release",
        "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=\"22.04\"\n",
        Some(("ubuntu", "\"22.04\"")),
    );
    check(
        "etc/lsb-release",
        "DISTRIB_RELEASE=22.04\nDISTRIB_ID=Ubuntu\n",
        None,
    );
    check(
        "etc/lsb-release",
        "DISTRIB_ID=\"Ubuntu\"\nDISTRIB_RELEASE=22.04\n",
        None,
    );
}

#[test]
fn system_release_of_amazon() {
    let path = "etc/system-release";
    check(
        path,
        "Amazon Linux release 2 (Karoo)\n",
        Some(("amazon", "2 (Karoo)")),
    );
    check(
        path,
        "Amazon Linux AMI release 2018.03\n",
        Some(("amazon", "AMI release 2018.03")),
    );
    check(
        "usr/lib/system-release",
        "Amazon Linux release 2023.3.20240304  (Amazon Linux)\n",
        Some(("amazon", "2023.3.20240304 (Amazon Linux)")),
    );
    check(
        path,
        "Amazon Linux release 2\nAmazon Linux 2022\n",
        Some(("amazon", "2022")),
    );
    check(path, "Amazon Linux release 2\n", None);
    check(path, "CentOS\n", None);
}

#[test]
fn release_files_of_red_hats_family() {
    let path = "etc/redhat-release";
    check(
        path,
        "CentOS Linux release 7.6.1810 (Core) \n",
        Some(("centos", "7.6.1810")),
    );
    check(
        path,
        "Rocky Linux release 8.4 (Green Obsidian)",
        Some(("rocky", "8.4")),
    );
    check(path, "AlmaLinux release 9.1", Some(("alma", "9.1")));
    check(
        path,
        "Oracle Linux Server release 8.4",
        Some(("oracle", "8.4")),
    );
    check(
        path,
        "Fedora release 26 (Twenty Six)",
        Some(("fedora", "26")),
    );
    check(path, "CentOS Stream release 9", Some(("redhat", "9")));
    check(
        path,
        "A release 1 release 2 release x",
        Some(("redhat", "2")),
    );
    check(path, "release 7", None);
    check(path, "\nCentOS Linux release 7", None);
    check("etc/centos-release", "CentOS Stream release 9\n", None);
    check(
        "etc/centos-release",
        "X release 1\nCentOS release 6.5\n",
        Some(("centos", "6.5")),
    );
    check("etc/centos-release", "X\nCentOS release 6.5\n", None);
    check(
        "etc/rocky-release",
        "Rocky Linux release 9.0\n",
        Some(("rocky", "9.0")),
    );
    check(
        "etc/almalinux-release",
        "Alma Linux release 9.0\n",
        Some(("alma", "9.0")),
    );
    check(
        "usr/lib/fedora-release",
        "Fedora Linux release 38\n",
        Some(("fedora", "38")),
    );
    check(
        "etc/oracle-release",
        "Anything release 7.\n",
        Some(("oracle", "7.")),
    );
}

#[test]
fn os_release_of_many() {
    let path = "usr/lib/os-release";
    check(
        path,
        "ID=sle-micro-rancher\nVERSION_ID=\"5.4\"",
        Some(("slem", "5.4")),
    );
    check(
        path,
        "ID=\"opensuse\"\nVERSION_ID='42.3'",
        Some(("opensuse-leap", "42.3")),
    );
    check(
        path,
        " ID = mariner \nVERSION_ID=2.0",
        Some(("cbl-mariner", "2.0")),
    );
    check(
        path,
        "NAME=\"CentOS Stream\"\nID=centos\nVERSION_ID=9",
        Some(("centos-stream", "9")),
    );
    check(path, "ID=centos\nVERSION_ID=7", Some(("centos", "7")));
    check(path, "ID=alpine\n", None);
    check(path, "VERSION_ID=3\n", None);
    check(path, "ID=arch\nVERSION_ID=1", None);
}

#[test]
fn os_release_of_some_is_a_fallback() {
    for (id, family) in [
        ("debian", "debian"),
        ("ubuntu", "ubuntu"),
        ("amzn", "amazon"),
    ] {
        let content = format!("ID={id}\nVERSION_ID=\"11\"\n");
        let inventory = extract(&DistroRelease, "etc/os-release", content.as_bytes());
        let [record] = inventory.distro_records.as_slice() else {
            panic!("one record");
        };
        assert!(record.is_fallback);
        assert_eq!(record.distro.family.as_str(), family);
        assert_eq!(record.distro.name, "11");
    }
}

#[test]
fn extended_maintenance_is_a_record_without_a_release() {
    let path = "var/lib/ubuntu-advantage/status.json";
    let content = br#"{"services":[{"name":"x"},{"name":"esm-infra","status":"enabled"}]}"#;
    let inventory = extract(&DistroRelease, path, content);
    let [record] = inventory.distro_records.as_slice() else {
        panic!("one record");
    };
    assert!(record.distro.extended && record.distro.name.is_empty());
    let content = br#"{"services":[{"name":"esm-infra","status":"disabled"}]}"#;
    assert!(
        extract(&DistroRelease, path, content)
            .distro_records
            .is_empty()
    );
    assert!(
        extract(&DistroRelease, path, b"{}")
            .distro_records
            .is_empty()
    );
    assert_eq!(extract(&DistroRelease, path, b"{").problems.len(), 1);
}

#[test]
fn the_mark_of_a_supplier_needs_no_content() {
    let inventory = extract(&DistroRelease, "usr/share/rapidfort/curated.json", b"");
    let supplier = &inventory
        .distro_records
        .first()
        .expect("one record")
        .distro
        .supplier;
    assert_eq!(supplier, "rapidfort");
}

#[test]
fn the_repositories_name_a_release() {
    for (content, expected) in [
        (
            "http://a/alpine/v3.1/main\nhttp://a/alpine/v3.10/main\n",
            Some("3.10"),
        ),
        (
            "http://a/alpine/v3.10/main\nhttp://a/alpine/v3.9/main\n",
            Some("3.10"),
        ),
        (
            "https://a/alpine/v3.10/main\n#ftp://a/alpine/edge/main\n",
            Some("edge"),
        ),
        (
            "https://a/alpine/edge/main\nhttps://a/alpine/v3.10/main\n",
            Some("edge"),
        ),
        (
            "https://distfiles.adelielinux.org/adelie/1.0-beta4/system/\n",
            None,
        ),
        ("https://a/alpine//edge/main\n", None),
        (
            "https://a/alpine/v3.1/main\nhttps://a/adelie/1.0/main\n",
            None,
        ),
        (
            "https://a/alpine/latest-stable/main\nhttps://a/alpine/v3.1/main\n",
            Some("latest-stable"),
        ),
        (
            "https://a/alpine/v3.2-rc1/main\nhttps://a/alpine/v3.2/main\n",
            Some("3.2"),
        ),
        ("", None),
    ] {
        let inventory = extract(&ApkRepositories, "etc/apk/repositories", content.as_bytes());
        let release = inventory.repository_hint.map(|hint| hint.release);
        assert_eq!(release.as_deref(), expected, "{content}");
        assert!(inventory.problems.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_content_is_taken(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        for place in PLACES {
            extract(&DistroRelease, place, &content);
        }
        extract(&ApkRepositories, "etc/apk/repositories", &content);
    }
}
