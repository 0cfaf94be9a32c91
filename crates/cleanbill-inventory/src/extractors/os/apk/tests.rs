use cleanbill_core::Limits;
use proptest::prelude::*;

use super::*;
use crate::testing::{check_bounded, extract, extract_with_limits, little_room};

const PATH: &str = "lib/apk/db/installed";

const MUSL: &str = "C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=\nP:musl\nV:1.2.3-r4\nA:x86_64\nS:1\n\
    L:MIT AND (GPL2+ OR BSD) WITH x\no:musl-src\nm:T <t@x>\nD:!uclibc scanelf so:libz.so.1>=1 nothing\n\
    p:so:libc.musl-x86_64.so.1=1\nF:lib\nR:ld.so\na:0:0:755\nR:libc.so\nF:\nR:root\n";

fn packages(content: &str) -> Vec<Package> {
    let inventory = extract(&ApkInstalled, PATH, content.as_bytes());
    assert_eq!(inventory.package_databases.len(), 1);
    inventory.package_databases.packages().to_vec()
}

#[test]
fn a_package_has_its_fields() {
    let content = format!(
        "{MUSL}\nP:zlib\nV:1.2-r0\no:zlib\np:so:libz.so.1=1.2 scanelf\nD:so:libc.musl-x86_64.so.1 musl\n"
    );
    let found = packages(&content);
    let [musl, zlib] = found.as_slice() else {
        panic!("two packages");
    };
    assert_eq!(musl.id, "musl@1.2.3-r4");
    assert_eq!(
        (musl.version.as_str(), musl.release.as_str(), musl.epoch),
        ("1.2.3-r4", "", 0)
    );
    assert_eq!(
        (musl.src_name.as_str(), musl.src_version.as_str()),
        ("musl-src", "1.2.3-r4")
    );
    assert_eq!(musl.arch, "x86_64");
    assert_eq!(
        musl.licenses,
        ["MIT", "GPL-2.0-or-later", "BSD-3-Clause WITH x"]
    );
    assert_eq!(musl.maintainer, "T <t@x>");
    assert_eq!(musl.digest, "sha1:a8a719fa3db7c6cb005e681086438ef1d1e76d6c");
    assert_eq!(musl.depends_on, ["zlib@1.2-r0"]);
    assert_eq!(musl.installed_files, ["lib/ld.so", "lib/libc.so", "root"]);
    assert_eq!(musl.analyzed_by, "apk");
    assert_eq!(zlib.depends_on, ["musl@1.2.3-r4"]);
}

#[test]
fn a_package_needs_a_name_and_a_valid_version() {
    let content = "P:a\nV:1.2.3_foo\n\nV:1\n\nP:b\nV:1\n";
    let inventory = extract(&ApkInstalled, PATH, content.as_bytes());
    let names: Vec<_> = inventory
        .package_databases
        .iter()
        .flat_map(|database| database.packages)
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(names, ["b"]);
    assert_eq!(inventory.problems.len(), 1);
}

#[test]
fn of_one_name_the_first_counts() {
    let found = packages("P:a\nV:1\n\nP:a\nV:2\n\nP:b\nV:1\nD:a\n");
    let ids: Vec<_> = found.iter().map(|package| package.id.as_str()).collect();
    assert_eq!(ids, ["a@1", "b@1"]);
    // The name leads to the last that provides it.
    assert_eq!(
        found.last().map(|package| package.depends_on.clone()),
        Some(vec!["a@2".to_owned()])
    );
}

#[test]
fn an_origin_before_the_version_takes_the_version_before() {
    let found = packages("P:a\nV:1\n\nP:b\no:c\nV:2\n");
    assert_eq!(
        found.last().map(|package| package.src_version.as_str()),
        Some("1")
    );
}

#[test]
fn checksums_have_two_forms() {
    assert_eq!(digest("Q1AAE=").as_deref(), Some("sha1:0001"));
    assert_eq!(digest("AAE=").as_deref(), Some("md5:0001"));
    assert_eq!(digest("!"), None);
}

#[test]
fn an_empty_database_has_no_packages() {
    assert!(packages("").is_empty());
    assert!(packages("\n\n").is_empty());
}

#[test]
fn limits_are_told() {
    let limits = Limits {
        packages_per_layer_max: 1,
        ..Limits::default()
    };
    let content = b"P:a\nV:1\n\nP:b\nV:1\n\nP:c\nV:1\n";
    let inventory = extract_with_limits(&ApkInstalled, PATH, content, limits);
    assert_eq!(
        inventory
            .package_databases
            .iter()
            .map(|database| database.packages.len())
            .sum::<usize>(),
        1
    );
    assert!(!inventory.problems.is_empty());
}

#[test]
fn what_is_said_once_is_not_written_out_without_bound() {
    let long = "9".repeat(4_000);
    let others = |line: &str| {
        let other = |n| format!("P:p{n}\nV:1\n{line}\n\n");
        (0..100).map(other).collect::<String>()
    };
    let check = |content: String, package_count: usize| {
        let inventory = extract_with_limits(&ApkInstalled, PATH, content.as_bytes(), little_room());
        check_bounded(&inventory, package_count);
    };
    check(format!("P:a\nV:{long}\np:x\n\n{}", others("D:x")), 101);
    // A directory is stated once for any number of files.
    let files = "R:a\n".repeat(100);
    check(format!("P:a\nV:1\n\nP:b\nV:1\nF:{long}\n{files}"), 2);
}

#[test]
fn the_id_of_a_package_is_not_written_out_for_each_thing_it_provides() {
    // Half a gigabyte, if each had its own.
    let provided: String = (0..1_000).map(|n| format!(" so:{n}")).collect();
    let content = format!("P:{}\nV:1\np:{provided}\n\nP:b\nV:1\n", "a".repeat(1 << 19));
    let mut installed = Installed::new(&Limits::default());
    let limits = Limits::default();
    let mut file = FileInput {
        path: PATH,
        size_bytes: 0,
        body: &mut content.as_bytes(),
        limits: &limits,
    };
    assert!(installed.read(&mut file).is_ok());
    let ids: HashSet<*const str> = installed.provides.values().map(Rc::as_ptr).collect();
    assert_eq!((installed.provides.len(), ids.len()), (1_002, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_content_is_taken(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        extract(&ApkInstalled, PATH, &content);
    }

    #[test]
    fn damaged_content_is_taken(at in 0..MUSL.len(), byte: u8, cut in 0..MUSL.len()) {
        let mut content = MUSL.as_bytes().to_vec();
        content[at] = byte;
        content.truncate(cut);
        extract(&ApkInstalled, PATH, &content);
    }
}
