use std::collections::HashSet;

use cleanbill_core::package::PackageIdentifier;

use super::*;
use crate::sample;

fn package(uid: &str, purl: &str, depends_on: &[&str]) -> Package {
    Package {
        id: uid.to_owned(),
        name: "n".to_owned(),
        version: "1".to_owned(),
        identifier: PackageIdentifier {
            uid: uid.to_owned(),
            purl: purl.parse().ok(),
            bom_ref: String::new(),
        },
        depends_on: depends_on.iter().map(|id| (*id).to_owned()).collect(),
        ..Package::default()
    }
}

fn image(kind: &str, packages: Vec<Package>) -> ImageReport {
    ImageReport {
        results: vec![ResultSet {
            target: "app/lock".to_owned(),
            class: ResultClass::LanguagePackages,
            kind: kind.to_owned(),
            packages,
            ..ResultSet::default()
        }],
        ..ImageReport::default()
    }
}

/// Lists what lies under what, by reference.
fn tree(image: &ImageReport) -> Vec<(String, Vec<String>)> {
    let bom = Bom::of(image);
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    bom.components()
        .iter()
        .map(|c| (c.reference.clone(), owned(bom.children(c).collect())))
        .collect()
}

#[track_caller]
fn check(image: &ImageReport, expected: &[(&str, &[&str])]) {
    let actual = tree(image);
    let actual: Vec<(&str, Vec<&str>)> = actual
        .iter()
        .map(|(reference, below)| {
            (
                reference.as_str(),
                below.iter().map(String::as_str).collect(),
            )
        })
        .collect();
    let expected: Vec<(&str, Vec<&str>)> = expected
        .iter()
        .map(|(r, below)| (*r, below.to_vec()))
        .collect();
    assert_eq!(actual, expected);
}

#[test]
fn packages_lie_under_the_image_or_their_application() {
    let packages = || vec![package("a", "pkg:npm/a@1", &["b"]), package("b", "", &[])];
    check(
        &image("node-pkg", packages()),
        &[
            ("container_image", &["pkg:npm/a@1"]),
            ("pkg:npm/a@1", &["b"]),
            ("b", &[]),
        ],
    );
    check(
        &image("npm", packages()),
        &[
            ("container_image", &["npm:app/lock"]),
            ("npm:app/lock", &["pkg:npm/a@1"]),
            ("pkg:npm/a@1", &["b"]),
            ("b", &[]),
        ],
    );
}

#[test]
fn packages_that_only_need_each_other_are_reached() {
    let circle = vec![package("a", "", &["b"]), package("b", "", &["a"])];
    check(
        &image("npm", circle),
        &[
            ("container_image", &["npm:app/lock"]),
            ("npm:app/lock", &["a"]),
            ("a", &["b"]),
            ("b", &["a"]),
        ],
    );
}

#[test]
fn references_are_unique() {
    let mut twins = vec![
        package("a", "pkg:npm/a@1", &[]),
        package("b", "pkg:npm/a@1", &[]),
        package("b", "pkg:npm/a@1", &[]),
        package("c", "", &[]),
        package("d", "", &[]),
        package("e", "", &[]),
    ];
    for index in [3, 4] {
        twins[index].identifier.bom_ref = "same".to_owned();
    }
    twins[5].identifier.bom_ref = "same 2".to_owned();
    let references: Vec<String> = tree(&image("node-pkg", twins))
        .into_iter()
        .map(|(reference, _)| reference)
        .collect();
    let expected = ["container_image", "a", "b", "same", "same 2", "same 2 2"];
    assert_eq!(references, expected);
}

#[test]
fn a_package_that_only_a_finding_names_is_a_component() {
    let mut image = sample::findings();
    for set in &mut image.results {
        set.packages.clear();
    }
    let bom = Bom::of(&image);
    for (index, set) in image.results.iter().enumerate() {
        for finding in &set.findings {
            let component = bom.package_of(index, finding).unwrap();
            let (_, package) = bom.components()[component].part.package().unwrap();
            assert_eq!(package.name, finding.package_name);
        }
    }
}

#[test]
fn documents_are_told_apart_by_what_names_them() {
    let report = sample::report(vec![sample::clean()]);
    let uuid = |format, image: &ImageReport, id: &str| {
        let options = RenderOptions {
            report_id: id.to_owned(),
            ..RenderOptions::default()
        };
        document_uuid(format, &report, image, &options)
    };
    let clean = sample::clean();
    let first = uuid("spdx", &clean, "1");
    assert_eq!(first, uuid("spdx", &clean, "1"));
    assert_ne!(first, uuid("spdx", &clean, "2"));
    assert_ne!(first, uuid("cyclonedx", &clean, "1"));
    assert_ne!(first, uuid("spdx", &sample::findings(), "1"));
    let shape: String = first
        .chars()
        .map(|c| if c == '-' { '-' } else { 'x' })
        .collect();
    assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
    assert_eq!(&first[14..15], "8");
}

/// Every report that the reference wrote: all findings have a component, and each component is
/// reached once from the image.
#[test]
fn the_images_of_the_oracle_have_whole_trees() {
    let directory = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/oracle/expected"
    );
    let Ok(entries) = std::fs::read_dir(directory) else {
        eprintln!("skipped: {directory} is not there");
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let report = crate::read_trivy_report(&std::fs::read(&path).unwrap()).unwrap();
        let image = &report.images[0];
        let bom = Bom::of(image);
        for (index, set) in image.results.iter().enumerate() {
            for finding in &set.findings {
                assert!(bom.package_of(index, finding).is_some(), "{path:?}");
            }
        }
        let mut reached = HashSet::from([ROOT]);
        let mut pending = vec![ROOT];
        while let Some(index) = pending.pop() {
            for &child in &bom.components()[index].children {
                if reached.insert(child) {
                    pending.push(child);
                }
            }
        }
        assert_eq!(reached.len(), bom.components().len(), "{path:?}");
    }
}
