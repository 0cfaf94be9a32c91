use cleanbill_core::package::RepositoryClass;
use cleanbill_core::{Limits, Package};
use proptest::prelude::*;

use super::*;
use crate::testing::{FakeLayer, check_bounded, extract, extract_with_limits, little_room};

const LIBC: &str = "Package: libc6\nStatus: install ok installed\nMaintainer: D <d@debian.org>\n\
    Architecture: amd64\nSource: glibc (2.31-13)\nVersion: 2.31-13+b1\n\
    Depends: libgcc-s1, libcrypt1 (>= 1:4.4) | libc6:any, libgcc-s1\nDescription: x\n y\n";

fn packages(content: &str) -> Vec<Package> {
    let inventory = extract(&DpkgStatus, STATUS, content.as_bytes());
    let databases: Vec<_> = inventory.package_databases.iter().collect();
    let [database] = databases.as_slice() else {
        panic!("one database");
    };
    assert_eq!(database.path, STATUS);
    database.packages.to_vec()
}

#[test]
fn a_package_has_its_fields() {
    let content =
        format!("{LIBC}\nPackage: libgcc-s1\nVersion: 1:10-1\n\nPackage: libcrypt1\nVersion: 1\n");
    let found = packages(&content);
    let ids: Vec<_> = found.iter().map(|package| package.id.as_str()).collect();
    assert_eq!(ids, ["libc6@2.31-13+b1", "libcrypt1@1", "libgcc-s1@1:10-1"]);
    let [libc, libcrypt, libgcc] = found.as_slice() else {
        panic!("three packages");
    };
    assert_eq!(
        (libc.version.as_str(), libc.release.as_str(), libc.epoch),
        ("2.31", "13+b1", 0)
    );
    assert_eq!(
        (
            libc.src_name.as_str(),
            libc.src_version.as_str(),
            libc.src_release.as_str()
        ),
        ("glibc", "2.31", "13")
    );
    assert_eq!(
        (libc.arch.as_str(), libc.maintainer.as_str()),
        ("amd64", "D <d@debian.org>")
    );
    assert_eq!(libc.depends_on, ["libcrypt1@1", "libgcc-s1@1:10-1"]);
    assert_eq!(libc.repository_class, RepositoryClass::Official);
    assert_eq!(libc.analyzed_by, "dpkg");
    assert!(!libc.identifier.uid.is_empty());
    assert_eq!(
        (libgcc.epoch, libgcc.src_epoch, libgcc.src_name.as_str()),
        (1, 1, "libgcc-s1")
    );
    assert_eq!(
        (libcrypt.version.as_str(), libcrypt.release.as_str()),
        ("1", "")
    );
}

#[test]
fn removed_packages_are_left_out() {
    for status in ["deinstall ok config-files", "purge ok not-installed"] {
        assert!(packages(&format!("Package: a\nStatus: {status}\nVersion: 1\n")).is_empty());
    }
    for status in ["hold ok installed", "install reinstreq half-installed", ""] {
        assert_eq!(
            packages(&format!("Package: a\nStatus: {status}\nVersion: 1\n")).len(),
            1
        );
    }
    assert!(packages("Package: a\n\nVersion: 1\n").is_empty());
}

#[test]
fn a_file_that_ends_within_a_paragraph_is_told() {
    let problems = |content: &str| {
        let inventory = extract(&DpkgStatus, STATUS, content.as_bytes());
        let packages = inventory
            .package_databases
            .iter()
            .map(|one| one.packages.len());
        (packages.sum::<usize>(), inventory.problems.len())
    };
    let whole = "Package: a\nStatus: install ok installed\nVersion: 1\n";
    for cut in [
        "Package:",
        "Package: b",
        "Package: b\n",
        "Package: b\nStatus: install ok inst",
        "Package: b\nStatus: install ok installed\nPriority: optional\n",
        "Package: b\nStatus: unknown ok not-inst",
        "Package: b\nVersion:",
    ] {
        assert_eq!(problems(&format!("{whole}\n{cut}")), (1, 1), "{cut}");
    }
    // These say all that there is to say.
    for end in [
        "",
        "\n",
        "\n\n",
        "\nPackage: b\nStatus: deinstall ok config-files\n",
        "\nPackage: b\nStatus: purge ok not-installed",
        "\nPackage: b\nStatus: unknown ok not-installed\nPriority: extra\n",
        "\nPackage: b\nStatus: install ok installed\n\n",
    ] {
        assert_eq!(problems(&format!("{whole}{end}")), (1, 0), "{end:?}");
    }
    assert_eq!(problems(whole.trim_end()), (1, 0));
}

#[test]
fn of_one_name_and_version_the_last_counts() {
    let found = packages(
        "Package: a\nVersion: 1\nArchitecture: amd64\n\nPackage: a\nVersion: 1\nArchitecture: i386\n",
    );
    let architectures: Vec<_> = found.iter().map(|package| package.arch.as_str()).collect();
    assert_eq!(architectures, ["i386"]);
}

#[test]
fn what_makes_no_sense_is_left_out_and_told() {
    let content = format!(
        "Package: a\nVersion: x\n\nno field\n\nPackage: b\nVersion: 1\nSource: c (y)\n\n{LIBC}"
    );
    let inventory = extract(&DpkgStatus, STATUS, content.as_bytes());
    assert_eq!(
        inventory
            .package_databases
            .iter()
            .map(|database| database.packages.len())
            .sum::<usize>(),
        1
    );
    let [problem] = inventory.problems.as_slice() else {
        panic!("one problem");
    };
    assert_eq!(problem.message, "3 malformed entries were left out or cut");
}

#[test]
fn packages_of_others_are_told_apart() {
    let content = "Package: docker-ce\nVersion: 5:20.10.7~3-0~debian-buster\n\
        Maintainer: Docker <support@docker.com>\n\nPackage: gh\nVersion: 1\nMaintainer: GitHub\n\n\
        Package: x\nVersion: 1\nMaintainer: GitHub Inc\n";
    let found = packages(content);
    let classes: Vec<_> = found
        .iter()
        .map(|package| package.repository_class)
        .collect();
    use RepositoryClass::{Official, ThirdParty};
    assert_eq!(classes, [ThirdParty, ThirdParty, Official]);
    let docker = found.first().expect("three packages");
    assert_eq!(docker.id, "docker-ce@5:20.10.7~3-0~debian-buster");
    assert_eq!(
        (
            docker.epoch,
            docker.version.as_str(),
            docker.release.as_str()
        ),
        (5, "20.10.7~3-0~debian", "buster")
    );
}

#[test]
fn side_files_complete_packages_whatever_their_order() {
    let md5sums = (
        "var/lib/dpkg/info/libc6:amd64.md5sums",
        "b  usr/b\na  etc/a b\n",
    );
    let available = (
        AVAILABLE,
        "Package: libc6\nVersion: 2.31-13+b1\nSHA256: 0a\n",
    );
    let status = (STATUS, LIBC);
    for files in [[status, md5sums, available], [md5sums, available, status]] {
        let layer = files
            .iter()
            .fold(FakeLayer::new(), |layer, (path, content)| {
                layer.file(path, content.as_bytes())
            });
        let inventory = layer.inventory();
        let package = inventory
            .package_databases
            .iter()
            .flat_map(|database| database.packages)
            .next();
        let package = package.expect("a package");
        assert_eq!(package.installed_files, ["/etc/a b", "/usr/b"]);
        assert_eq!(package.digest, "sha256:0a");
        assert!(inventory.problems.is_empty());
    }
}

#[test]
fn files_of_packages_of_others_are_not_theirs() {
    let inventory = FakeLayer::new()
        .file(
            STATUS,
            b"Package: gh\nVersion: 1\nMaintainer: GitHub\n\nPackage: x\nVersion: 1\n",
        )
        .file("var/lib/dpkg/info/gh.md5sums", b"a  usr/a\n")
        .file("var/lib/dpkg/info/x.md5sums", b"not such a line\n")
        .inventory();
    assert!(
        inventory
            .package_databases
            .iter()
            .flat_map(|database| database.packages)
            .all(|package| package.installed_files.is_empty())
    );
    assert!(inventory.problems.is_empty());
}

#[test]
fn copyright_files_name_licenses() {
    let content = b"License: GPL-2+ or Artistic\n\
        License: The MIT License (MIT)\n\
        License: MIT license\n\
        see /usr/share/common-licenses/LGPL-2.1.\n\
        x License: no\n";
    let inventory = extract(&DpkgCopyright, "usr/share/doc/a/copyright", content);
    let files: Vec<_> = inventory.license_files.iter().collect();
    let [file] = files.as_slice() else {
        panic!("one file");
    };
    assert_eq!(file.package_name, "a");
    assert_eq!(
        file.licenses,
        ["GPL-2.0-or-later", "Artistic-2.0", "MIT", "LGPL-2.1-only"]
    );
    assert!(
        extract(&DpkgCopyright, "usr/share/doc/a/copyright", b"x")
            .license_files
            .is_empty()
    );
}

#[test]
fn wanted_paths() {
    for (path, is_wanted) in [
        ("var/lib/dpkg/status", true),
        ("var/lib/dpkg/status.d/base", true),
        ("var/lib/dpkg/status.d/base.md5sums", false),
        ("var/lib/dpkg/status.d/a/b", false),
        ("var/lib/dpkg/status-old", false),
    ] {
        assert_eq!(DpkgStatus.wants(path, 1), is_wanted, "{path}");
    }
    assert!(DpkgSideFiles.wants("var/lib/dpkg/status.d/base.md5sums", 1));
    assert!(!DpkgSideFiles.wants("var/lib/dpkg/info/base.list", 1));
    assert!(DpkgCopyright.wants("usr/share/doc/a/copyright", 1));
    assert!(!DpkgCopyright.wants("usr/share/doc/a/b/copyright", 1));
}

#[test]
fn limits_are_told() {
    let limits = Limits {
        packages_per_layer_max: 1,
        ..Limits::default()
    };
    let content = b"Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n";
    let inventory = extract_with_limits(&DpkgStatus, STATUS, content, limits);
    assert_eq!(
        inventory
            .package_databases
            .iter()
            .map(|database| database.packages.len())
            .sum::<usize>(),
        1
    );
    assert_eq!(inventory.problems.len(), 1);
}

#[test]
fn what_is_said_once_is_not_written_out_without_bound() {
    let long = "9".repeat(4_000);
    let other = |n| format!("Package: p{n}\nVersion: 1\nDepends: long\n\n");
    let others: String = (0..100).map(other).collect();
    let content = format!("Package: long\nVersion: {long}\n\n{others}");
    let inventory = extract_with_limits(&DpkgStatus, STATUS, content.as_bytes(), little_room());
    check_bounded(&inventory, 101);
    // Nor are the files of a name, of which there are many packages.
    let files = format!("{}  {long}\n", "0".repeat(32)).repeat(20);
    let same = |n| format!("Package: a\nVersion: {n}\nMaintainer: D <d@debian.org>\n\n");
    let same: String = (0..100).map(same).collect();
    let inventory = FakeLayer::new()
        .file("var/lib/dpkg/info/a.md5sums", files.as_bytes())
        .file(STATUS, same.as_bytes())
        .inventory_within(little_room());
    check_bounded(&inventory, 100);
}

#[test]
fn packages_and_what_lies_beside_them_are_bounded() {
    let long = "m".repeat(5_000);
    let package = |n| format!("Package: p{n}\nVersion: 1\nMaintainer: {long}\nSHA256: {long}\n\n");
    let content: String = (0..100).map(package).collect();
    let files = format!("{}  {long}\n", "0".repeat(32)).repeat(100);
    for (extractor, path, content) in [
        (&DpkgStatus as &dyn Extractor, STATUS, &content),
        (&DpkgSideFiles, AVAILABLE, &content),
        (&DpkgSideFiles, "var/lib/dpkg/info/a.md5sums", &files),
    ] {
        let inventory = extract_with_limits(extractor, path, content.as_bytes(), little_room());
        assert!(inventory.packages_size_bytes() < 400_000);
        let [problem] = inventory.problems.as_slice() else {
            panic!("{path}: {:?}", inventory.problems);
        };
        assert!(
            problem.message.contains("packages_size_bytes_max"),
            "{problem:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_content_is_taken(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        for path in [STATUS, "var/lib/dpkg/status.d/a"] {
            extract(&DpkgStatus, path, &content);
        }
        for path in [AVAILABLE, "var/lib/dpkg/info/a.md5sums"] {
            extract(&DpkgSideFiles, path, &content);
        }
        extract(&DpkgCopyright, "usr/share/doc/a/copyright", &content);
    }

    #[test]
    fn damaged_content_is_taken(at in 0..LIBC.len(), byte: u8, cut in 0..LIBC.len()) {
        let mut content = LIBC.as_bytes().to_vec();
        content[at] = byte;
        content.truncate(cut);
        extract(&DpkgStatus, STATUS, &content);
    }
}
