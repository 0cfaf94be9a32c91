//! The databases of the corpus against the reports of the oracle.

use std::path::PathBuf;

use cleanbill_core::uid;
use serde_json::Value;

use super::*;

fn shared(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(path)
}

/// Every rpm database of the corpus, with the oracle's image that holds it.
const CORPUS: [(&str, &str); 8] = [
    ("amazon-2023", "var/lib/rpm/rpmdb.sqlite"),
    ("cbl-mariner-2.0", "var/lib/rpm/rpmdb.sqlite"),
    ("centos-7-image", "var/lib/rpm/Packages"),
    ("el8-one-package", "var/lib/rpm/Packages"),
    ("el9-one-package", "var/lib/rpm/rpmdb.sqlite"),
    ("fedora-26", "var/lib/rpm/Packages"),
    ("sle-15-bci", "usr/lib/sysimage/rpm/Packages.db"),
    ("ubi8-libuuid", "var/lib/rpm/Packages"),
];

#[test]
fn databases_of_the_corpus_hold_the_packages_that_the_oracle_lists() {
    if !shared("corpus").is_dir() {
        eprintln!("skipped: no corpus beside the project");
        return;
    }
    for (name, path) in CORPUS {
        let database = shared(&format!("corpus/os/{name}/rootfs/{path}"));
        let reading = parse(&std::fs::read(database).unwrap());
        assert!(reading.error.is_none(), "{name}: {:?}", reading.error);
        let mut packages = reading.packages.unwrap();
        let report = match name {
            // The family of this one has no result of its own.
            "fedora-26" => "swap-bottlerocket".to_owned(),
            name => format!("os-{name}"),
        };
        let report = std::fs::read(shared(&format!("oracle/expected/{report}.json"))).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        let expected = report["Results"][0]["Packages"].as_array().unwrap();
        assert_eq!(packages.len(), expected.len(), "{name}");
        cleanbill_core::package::sort(&mut packages);
        for (package, expected) in packages.iter_mut().zip(expected) {
            package.analyzed_by = "rpm".to_owned();
            compare(name, package, expected);
        }
    }
}

#[track_caller]
fn compare(name: &str, package: &Package, expected: &Value) {
    let list = |key: &str| -> Vec<&str> {
        let items = expected[key]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        items.iter().map(|item| item.as_str().unwrap()).collect()
    };
    let text = |key: &str| expected[key].as_str().unwrap_or_default();
    let number = |key: &str| expected[key].as_i64().unwrap_or_default();
    let id = &package.id;
    assert_eq!(id, text("ID"), "{name}");
    assert_eq!(package.name, text("Name"), "{name} {id}");
    assert_eq!(package.version, text("Version"), "{name} {id}");
    assert_eq!(package.release, text("Release"), "{name} {id}");
    assert_eq!(package.epoch, number("Epoch"), "{name} {id}");
    assert_eq!(package.arch, text("Arch"), "{name} {id}");
    assert_eq!(package.src_name, text("SrcName"), "{name} {id}");
    assert_eq!(package.src_version, text("SrcVersion"), "{name} {id}");
    assert_eq!(package.src_release, text("SrcRelease"), "{name} {id}");
    assert_eq!(package.src_epoch, number("SrcEpoch"), "{name} {id}");
    assert_eq!(package.maintainer, text("Maintainer"), "{name} {id}");
    assert_eq!(
        package.modularity_label,
        text("Modularitylabel"),
        "{name} {id}"
    );
    assert_eq!(package.digest, text("Digest"), "{name} {id}");
    let class = expected["Repository"]["Class"].as_str().unwrap_or_default();
    assert_eq!(package.repository_class.name(), class, "{name} {id}");
    assert_eq!(package.licenses, list("Licenses"), "{name} {id}");
    assert_eq!(package.depends_on, list("DependsOn"), "{name} {id}");
    assert_eq!(
        package.installed_files,
        list("InstalledFiles"),
        "{name} {id}"
    );
    let uid = expected["Identifier"]["UID"].as_str().unwrap_or_default();
    assert_eq!(uid::package_uid("", package), uid, "{name} {id}");
}
