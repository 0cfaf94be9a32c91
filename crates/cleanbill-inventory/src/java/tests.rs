//! Archives and indices made by hand.

use cleanbill_core::inventory::{Application, Applications, LayerInput};
use cleanbill_core::java::{JavaArchive, JavaArtifact, JavaIndex, JavaLookupError};
use cleanbill_core::package::LayerId;
use cleanbill_core::{DiffId, Digest};

use super::*;
use crate::testing::{FakeLayer, applications_of};

/// Knows `known:by-manifest`, the digest of ones, and `by-name` 1.0 of the group `known`.
struct FakeIndex;

impl JavaIndex for FakeIndex {
    fn has_artifact(&self, group: &str, artifact: &str) -> Result<bool, JavaLookupError> {
        match group {
            "broken" => Err(JavaLookupError("disk".into())),
            _ => Ok((group, artifact) == ("known", "by-manifest")),
        }
    }

    fn artifact_by_sha1(&self, sha1: &[u8; 20]) -> Result<Option<JavaArtifact>, JavaLookupError> {
        Ok((*sha1 == [1; 20]).then(|| artifact("known", "by-digest", "3")))
    }

    fn group_of(&self, artifact: &str, version: &str) -> Result<Option<String>, JavaLookupError> {
        Ok(((artifact, version) == ("by-name", "1.0")).then(|| "known".to_owned()))
    }
}

fn artifact(group: &str, artifact: &str, version: &str) -> JavaArtifact {
    JavaArtifact {
        group: group.to_owned(),
        artifact: artifact.to_owned(),
        version: version.to_owned(),
    }
}

fn archive(path: &str, identity: JavaIdentity, items: Vec<JavaItem>) -> JavaArchive {
    JavaArchive {
        path: path.to_owned(),
        items,
        identity,
        ..JavaArchive::default()
    }
}

fn ask(manifest: Option<JavaArtifact>, sha1: u8, name: Option<(&str, &str)>) -> JavaIdentity {
    JavaIdentity::Ask(JavaClues {
        manifest,
        sha1: [sha1; 20],
        file_name: name.map(|(name, version)| (name.to_owned(), version.to_owned())),
    })
}

fn inner(archive: JavaArchive) -> JavaItem {
    JavaItem::Archive(Box::new(archive))
}

fn listed(group: &str, name: &str, version: &str) -> JavaItem {
    JavaItem::Artifact(artifact(group, name, version))
}

/// Resolves an archive, and shows its packages as `path name version licences`.
#[track_caller]
fn check(archive: &JavaArchive, index: Option<&dyn JavaIndex>, expected: &[&str]) {
    let found = match index {
        Some(index) => packages_with(archive, &|clues| identify(clues, index)).unwrap(),
        None => packages(archive),
    };
    let found: Vec<String> = found
        .iter()
        .map(|package| {
            let licenses = package.licenses.join(",");
            format!(
                "{} {} {} {licenses}",
                package.file_path, package.name, package.version
            )
        })
        .map(|line| line.trim_end().to_owned())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_index_is_asked_in_the_order_of_the_clues() {
    let manifest = Some(artifact("known", "by-manifest", "2"));
    let unknown = Some(artifact("unknown", "by-manifest", "2"));
    let name = Some(("by-name", "1.0"));
    for (identity, expected) in [
        (ask(manifest, 1, name), &["a known:by-manifest 2"][..]),
        (ask(unknown.clone(), 1, name), &["a known:by-digest 3"]),
        (ask(unknown, 0, name), &["a known:by-name 1.0"]),
        (ask(None, 0, Some(("by-name", "2"))), &[]),
        (ask(None, 0, None), &[]),
        (JavaIdentity::Known, &[]),
    ] {
        check(
            &archive("a", identity, Vec::new()),
            Some(&FakeIndex),
            expected,
        );
    }
}

#[test]
fn what_an_archive_holds_comes_before_itself() {
    let nested = archive("a/b.jar", ask(None, 1, None), vec![listed("g", "b", "1")]);
    let outer = archive(
        "a",
        ask(None, 0, Some(("by-name", "1.0"))),
        vec![listed("g", "x", "1"), inner(nested), listed("g", "y", "1")],
    );
    check(
        &outer,
        Some(&FakeIndex),
        &[
            "a g:x 1",
            "a/b.jar g:b 1",
            "a/b.jar known:by-digest 3",
            "a g:y 1",
            "a known:by-name 1.0",
        ],
    );
    check(
        &outer,
        None,
        &["a g:x 1", "a/b.jar g:b 1", "a/b.jar", "a g:y 1", "a"],
    );
}

#[test]
fn equal_versions_of_one_path_count_once() {
    let nested = archive(
        "a/b.jar",
        JavaIdentity::Known,
        vec![listed("g", "x", "2.17.0")],
    );
    let outer = archive(
        "a",
        JavaIdentity::Known,
        vec![
            listed("g", "x", "2.17"),
            listed("g", "x", "2.17.0"),
            listed("g", "x", "2.18"),
            listed("g", "x", "2.17"),
            inner(nested),
        ],
    );
    check(
        &outer,
        None,
        &["a g:x 2.17", "a g:x 2.18", "a/b.jar g:x 2.17.0"],
    );
}

#[test]
fn a_hundred_thousand_versions_of_one_package_are_compared_quickly() {
    // Of equal ones, as 7 and 7.0, the first counts.
    let texts = (0..100_000).map(|n| {
        if n % 2 == 0 {
            format!("{n}")
        } else {
            format!("{}.0", n - 1)
        }
    });
    let ascending: Vec<_> = texts.map(|text| listed("g", "x", &text)).collect();
    let descending = ascending.iter().rev().cloned().collect();
    for items in [ascending, descending] {
        let outer = archive("a", JavaIdentity::Known, items);
        assert_eq!(packages(&outer).len(), 50_000);
    }
}

#[test]
fn licences_come_from_the_pom_else_from_the_archive_itself() {
    let licensed = |identity, items| JavaArchive {
        own_licenses: vec!["own".to_owned()],
        ..archive("a", identity, items)
    };
    check(
        &licensed(JavaIdentity::Known, vec![listed("g", "x", "1")]),
        None,
        &["a g:x 1 own"],
    );
    let two = vec![listed("g", "x", "1"), listed("g", "y", "1")];
    check(
        &licensed(JavaIdentity::Known, two),
        None,
        &["a g:x 1", "a g:y 1"],
    );
    // Whether the package is the only one may depend on the index.
    let asked = licensed(ask(None, 1, None), vec![listed("g", "x", "1")]);
    check(
        &asked,
        Some(&FakeIndex),
        &["a g:x 1", "a known:by-digest 3"],
    );
    check(
        &licensed(ask(None, 1, None), Vec::new()),
        Some(&FakeIndex),
        &["a known:by-digest 3 own"],
    );

    // The outer pom.xml speaks of inner archives that were identified, too, but not of itself.
    let outer = JavaArchive {
        pom_licenses: vec![("known:by-digest".to_owned(), vec!["pom".to_owned()])],
        ..archive(
            "a",
            ask(None, 1, None),
            vec![inner(archive("a/b", ask(None, 1, None), Vec::new()))],
        )
    };
    check(
        &outer,
        Some(&FakeIndex),
        &["a/b known:by-digest 3 pom", "a known:by-digest 3"],
    );
}

#[test]
fn an_index_that_fails_is_an_error() {
    let asked = archive(
        "a",
        ask(Some(artifact("broken", "x", "1")), 0, None),
        Vec::new(),
    );
    assert!(packages_with(&asked, &|clues| identify(clues, &FakeIndex)).is_err());
}

#[test]
fn a_layer_is_resolved_as_if_its_archives_had_been_known() {
    let layer = LayerInventory {
        java_archives: vec![archive("b", ask(None, 1, None), Vec::new())],
        applications: Applications {
            alone: vec![Application {
                kind: "cargo".to_owned(),
                path: "c".to_owned(),
                packages: Vec::new(),
            }],
            ..Applications::default()
        },
        ..LayerInventory::default()
    };
    let resolved = resolve(&layer, &FakeIndex).unwrap().unwrap();
    assert!(resolved.java_archives.is_empty());
    let applications = applications_of(&resolved);
    let names: Vec<_> = applications
        .iter()
        .map(|one| (one.kind, one.path))
        .collect();
    assert_eq!(names, [("jar", "b"), ("cargo", "c")]);
    let application = applications.first().unwrap();
    let package = application.packages.first().unwrap();
    assert_eq!(package.analyzed_by, "jar");
    assert!(!package.identifier.uid.is_empty());
    assert_eq!(resolve(&resolved, &FakeIndex).unwrap(), None);
}

/// Resolves and merges layers that hold these archives. Lists the names of what is found.
fn found_in(layers: Vec<LayerInventory>) -> Vec<String> {
    let resolve = |layer: LayerInventory| resolve(&layer, &FakeIndex).unwrap().unwrap_or(layer);
    let layers: Vec<_> = layers.into_iter().map(resolve).collect();
    let applications = merged(&layers).applications.into_iter();
    let packages = applications.flat_map(|application| application.packages);
    packages.map(|package| package.name).collect()
}

fn merged(layers: &[LayerInventory]) -> ImageInventory {
    let id = LayerId {
        digest: None,
        diff_id: DiffId(Digest::of(b"")),
    };
    let inputs: Vec<_> = layers
        .iter()
        .map(|inventory| LayerInput { id, inventory })
        .collect();
    crate::merge(&inputs, &[], &crate::MergeOptions::default()).inventory
}

fn layer_of(archives: Vec<JavaArchive>) -> LayerInventory {
    LayerInventory {
        java_archives: archives,
        ..LayerInventory::default()
    }
}

#[test]
fn an_archive_that_nobody_can_name_leaves_what_a_lower_layer_had_there() {
    let lower = || layer_of(vec![archive("a.jar", ask(None, 1, None), Vec::new())]);
    let unknown = |items| layer_of(vec![archive("a.jar", ask(None, 0, None), items)]);
    // Neither itself nor what is inside it; or by a manifest of which the index knows nothing.
    let nothing_inside = vec![inner(archive(
        "a.jar/b.jar",
        ask(None, 0, None),
        Vec::new(),
    ))];
    let by_manifest = ask(Some(artifact("com.acme", "app", "1")), 0, None);
    for upper in [
        unknown(Vec::new()),
        unknown(nothing_inside),
        layer_of(vec![archive("a.jar", by_manifest, Vec::new())]),
    ] {
        assert_eq!(found_in(vec![lower(), upper]), ["known:by-digest"]);
    }
    let upper = unknown(vec![listed("g", "x", "1")]);
    assert_eq!(found_in(vec![lower(), upper]), ["g:x"]);
    let hiding = FakeLayer::new().whiteout("a.jar").inventory();
    assert!(found_in(vec![lower(), hiding]).is_empty());
}

#[test]
fn without_an_index_what_stayed_unidentified_is_told() {
    let layer = LayerInventory {
        java_archives: vec![
            archive("b", ask(None, 1, None), vec![listed("g", "x", "1")]),
            archive("c", ask(None, 1, None), Vec::new()),
        ],
        ..LayerInventory::default()
    };
    let resolved = resolve_without_index(&layer).unwrap();
    let mut image = merged(&[resolved]);
    assert_eq!(take_unidentified(&mut image), ["b", "c"]);
    let names: Vec<_> = image
        .applications
        .iter()
        .flat_map(|a| &a.packages)
        .map(|p| &p.name)
        .collect();
    assert_eq!(names, ["g:x"]);
    assert_eq!(image.applications.len(), 1);
}
