use cleanbill_core::inventory::LayerInventory;
use cleanbill_core::problem::ProblemKind;
use proptest::prelude::*;

use super::*;
use crate::testing::{self, FakeLayer, applications_of};

const METADATA: &str = "usr/lib/python3/site-packages/a-1.dist-info/METADATA";

fn extract(text: &str) -> LayerInventory {
    testing::extract(&PythonPackage, METADATA, text.as_bytes())
}

#[test]
fn files_are_told_by_their_paths() {
    for (path, expected) in [
        ("lib/a-1.dist-info/METADATA", Some(Role::Metadata)),
        ("lib/a-1.dist-info/any/dir/METADATA", Some(Role::Metadata)),
        ("lib/a-1.egg-info", Some(Role::Metadata)),
        ("lib/a-1.egg-info/PKG-INFO", Some(Role::Metadata)),
        ("lib/a-1.egg-info/METADATA", Some(Role::Metadata)),
        ("lib/a-1.egg/EGG-INFO/PKG-INFO", Some(Role::Metadata)),
        ("lib/xEGG-INFO/PKG-INFO", Some(Role::Metadata)),
        ("lib/a-1.dist-info/LICENSE", Some(Role::License)),
        ("lib/a-1.dist-info/MIT.txt", Some(Role::License)),
        ("lib/a-1.dist-info/licenses/LICENSE", None),
        ("lib/a-1.dist-info/RECORD", None),
        ("random/PKG-INFO", None),
        ("random/METADATA", None),
        ("lib/a-1.egg-info/SOURCES.txt", None),
        ("lib/a.py", None),
    ] {
        assert_eq!(role_of(path), expected, "{path}");
    }
}

#[test]
fn metadata_makes_a_package() {
    let inventory = extract(
        "Metadata-Version: 2.1\nName: My_Package.x\nVersion: 1.0.post1\nLicense: MIT\n\
         Classifier: Programming Language :: Python\n\nName: not this\n",
    );
    assert_eq!(inventory.problems, []);
    let application = &applications_of(&inventory)[0];
    assert_eq!((application.kind, application.path), (KIND, METADATA));
    let package = &application.packages[0];
    assert_eq!(
        (&*package.name, &*package.version),
        ("My_Package.x", "1.0.post1")
    );
    assert_eq!((&*package.id, &*package.file_path), ("", METADATA));
    assert_eq!(package.licenses, ["MIT"]);
    assert_eq!(package.analyzed_by, "python-pkg");
}

#[test]
fn licenses_are_taken_from_the_best_field() {
    for (fields, expected) in [
        (
            "License-Expression: MIT OR ISC\nLicense: BSD\n",
            &["MIT OR ISC"][..],
        ),
        (
            "License: as is\nClassifier: License :: OSI Approved\n\
             Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: Public Domain\n",
            &["MIT", "Public Domain"],
        ),
        ("License: UNKNOWN\n", &["UNKNOWN"]),
        ("License: Apache 2.0 and MIT\n", &["Apache-2.0", "MIT"]),
        (
            "License: Copyright (c) 2020\n  All rights\n",
            &["text://Copyright (c) 2020 All rights"],
        ),
        ("License-File: LICENSE\n", &[]),
        ("", &[]),
    ] {
        let inventory = extract(&format!("Name: a\nVersion: 1\n{fields}"));
        assert_eq!(
            applications_of(&inventory)[0].packages[0].licenses,
            expected,
            "{fields}"
        );
    }
}

#[test]
fn a_license_file_of_the_same_layer_is_read() {
    let text = b"Name: a\nVersion: 1\nLicense-File: licenses/COPYING\nLicense-File: other\n";
    let mpl = b"Mozilla Public License Version 2.0\n\n1. Definitions";
    let beside = "usr/lib/python3/site-packages/a-1.dist-info/COPYING";
    let licenses = |layer: FakeLayer| {
        let inventory = layer.inventory();
        assert_eq!(inventory.problems, []);
        applications_of(&inventory)[0].packages[0].licenses.clone()
    };
    let layer = || FakeLayer::new().file(METADATA, text);
    assert_eq!(licenses(layer().file(beside, mpl)), ["MPL-2.0"]);
    assert_eq!(
        licenses(FakeLayer::new().file(beside, mpl).file(METADATA, text)),
        ["MPL-2.0"]
    );
    assert!(licenses(layer()).is_empty());
    assert!(licenses(layer().file(beside, mpl).file(beside, b"other")).is_empty());
    let elsewhere = "usr/lib/python3/site-packages/b-1.dist-info/COPYING";
    assert!(licenses(layer().file(elsewhere, mpl)).is_empty());
}

#[test]
fn metadata_without_name_or_version_is_counted() {
    for text in [
        "",
        "Name: a\n",
        "Version: 1\n",
        "Name: a\nbroken\nVersion: 1\n",
        "\n\n",
    ] {
        let inventory = extract(text);
        assert_eq!(applications_of(&inventory), [], "{text}");
        assert_eq!(
            inventory.problems[0].kind,
            ProblemKind::IgnoredFile,
            "{text}"
        );
    }
}

#[test]
fn what_stands_before_a_malformed_line_counts() {
    let inventory = extract("Name: a\nVersion: 1\nSummary: bell \u{7}\nLicense: MIT\n");
    assert_eq!(applications_of(&inventory)[0].packages.len(), 1);
    assert!(
        applications_of(&inventory)[0].packages[0]
            .licenses
            .is_empty()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_a_package_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let inventory = testing::extract(&PythonPackage, METADATA, &bytes);
        prop_assert_eq!(applications_of(&inventory).len() + inventory.problems.len(), 1);
    }
}
