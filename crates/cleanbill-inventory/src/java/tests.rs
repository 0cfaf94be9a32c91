//! Archives and indices made by hand.

use std::sync::Arc;

use cleanbill_core::inventory::{Application, ApplicationGroup, Applications, PackagesByPath};
use cleanbill_core::java::{JavaArchive, JavaArchives, JavaArtifact, JavaIndex, JavaLookupError};
use cleanbill_core::package::LayerId;
use cleanbill_core::{DiffId, Digest};

use super::*;
use crate::testing::FakeLayer;
use crate::{LayerInput, MergeOptions, MergePlan, Merged, OwnedLayer, merge, merge_owned};

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
        Some(index) => found_in(archive, &|clues| identify(clues, index)).unwrap(),
        None => {
            let Ok(found) = found_in(archive, &ask_nobody);
            found
        }
    };
    let unidentified = found.unidentified.iter().map(|path| format!("{path} ?"));
    let found: Vec<String> = found
        .packages
        .iter()
        .map(|package| {
            let licenses = package.licenses.join(",");
            format!(
                "{} {} {} {licenses}",
                package.file_path, package.name, package.version
            )
        })
        .map(|line| line.trim_end().to_owned())
        .chain(unidentified)
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
        &["a g:x 1", "a/b.jar g:b 1", "a g:y 1", "a/b.jar ?", "a ?"],
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
    assert!(found_in(&asked, &|clues| identify(clues, &FakeIndex)).is_err());
}

#[test]
fn what_archives_are_is_an_addition_to_their_layer() {
    let layer = LayerInventory {
        applications: Applications {
            alone: vec![Application {
                kind: "cargo".to_owned(),
                path: "c".to_owned(),
                packages: Vec::new(),
            }],
            ..Applications::default()
        },
        ..layer_of(&[
            archive("a", ask(None, 0, None), Vec::new()),
            archive("b", ask(None, 1, None), Vec::new()),
        ])
    };
    let resolved = resolve(&layer, &FakeIndex).unwrap().unwrap();
    let applications: Vec<_> = resolved.group().iter().collect();
    let [application] = applications.as_slice() else {
        panic!("one archive is known");
    };
    assert_eq!((application.kind, application.path), ("jar", "b"));
    let package = application.packages.first().unwrap();
    assert_eq!(package.analyzed_by, "jar");
    assert!(!package.identifier.uid.is_empty());
    assert_eq!(
        resolve(&LayerInventory::default(), &FakeIndex).unwrap(),
        None
    );
}

/// Resolves and merges layers that hold these archives. Lists the names of what is found.
fn names_in(layers: &[LayerInventory]) -> Vec<String> {
    let merged = merged(layers, |layer| resolve(layer, &FakeIndex).unwrap());
    assert_eq!(merged.unidentified, None);
    names(merged)
}

fn names(merged: Merged) -> Vec<String> {
    let applications = merged.inventory.applications.into_iter();
    let packages = applications.flat_map(|application| application.packages);
    packages.map(|package| package.name).collect()
}

fn layer_id() -> LayerId {
    LayerId {
        digest: None,
        diff_id: DiffId(Digest::of(b"")),
    }
}

fn merged(
    layers: &[LayerInventory],
    resolve: impl Fn(&LayerInventory) -> Option<ResolvedArchives>,
) -> Merged {
    let id = layer_id();
    let resolved: Vec<_> = layers.iter().map(resolve).collect();
    let inputs: Vec<_> = layers
        .iter()
        .zip(&resolved)
        .map(|(inventory, archives)| LayerInput {
            id,
            inventory,
            archives: archives.as_ref(),
        })
        .collect();
    let owned = |held: &LayerInput<'_>| OwnedLayer {
        id,
        inventory: Arc::new(held.inventory.clone()),
        archives: held.archives.cloned().map(Arc::new),
    };
    let owned: Vec<_> = inputs.iter().map(owned).collect();
    let merged = merge(&inputs, &[], &MergeOptions::default());
    // Whether packages are taken or copied makes no difference.
    for layers in [owned.clone(), owned] {
        let plan = MergePlan::of_owned(&layers, &[], &MergeOptions::default());
        assert_eq!(plan.unidentified(), merged.unidentified.as_ref());
        let again = plan.carry_out(layers, Vec::new(), &MergeOptions::default());
        assert_eq!(again, merged);
    }
    merged
}

fn layer_of(archives: &[JavaArchive]) -> LayerInventory {
    let mut packed = JavaArchives::default();
    for archive in archives {
        packed.push(archive).unwrap();
    }
    LayerInventory {
        java_archives: packed,
        ..LayerInventory::default()
    }
}

#[test]
fn an_archive_that_nobody_can_name_leaves_what_a_lower_layer_had_there() {
    let lower = || layer_of(&[archive("a.jar", ask(None, 1, None), Vec::new())]);
    let unknown = |items| layer_of(&[archive("a.jar", ask(None, 0, None), items)]);
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
        layer_of(&[archive("a.jar", by_manifest, Vec::new())]),
    ] {
        assert_eq!(names_in(&[lower(), upper]), ["known:by-digest"]);
    }
    let upper = unknown(vec![listed("g", "x", "1")]);
    assert_eq!(names_in(&[lower(), upper]), ["g:x"]);
    let hiding = FakeLayer::new().whiteout("a.jar").inventory();
    assert!(names_in(&[lower(), hiding]).is_empty());
}

#[test]
fn without_an_index_what_stayed_unidentified_is_told() {
    let nested = archive("b/d.jar", ask(None, 1, None), Vec::new());
    let layer = layer_of(&[
        archive("a", ask(None, 1, None), Vec::new()),
        archive(
            "b",
            ask(None, 1, None),
            vec![listed("g", "x", "1"), inner(nested)],
        ),
        archive("c", ask(None, 1, None), Vec::new()),
    ]);
    let image = merged(std::slice::from_ref(&layer), resolve_without_index);
    let unidentified = |count, example: &str| {
        Some(UnidentifiedArchives {
            count,
            example: example.to_owned(),
        })
    };
    assert_eq!(image.unidentified, unidentified(4, "a"));
    assert_eq!(names(image), ["g:x"]);

    // Those that the image does not have do not count.
    let hiding = FakeLayer::new().whiteout("a").whiteout("c").inventory();
    let image = merged(&[layer.clone(), hiding], resolve_without_index);
    assert_eq!(image.unidentified, unidentified(2, "b"));
    let hiding = ["a", "b", "c"].into_iter();
    let hiding = hiding.fold(FakeLayer::new(), FakeLayer::whiteout);
    let image = merged(&[layer, hiding.inventory()], resolve_without_index);
    assert_eq!(image.unidentified, None);
}

#[test]
fn an_unidentified_archive_hides_what_a_lower_layer_had_there() {
    let lower = layer_of(&[archive(
        "a.jar",
        ask(None, 1, None),
        vec![listed("g", "x", "1")],
    )]);
    let upper = layer_of(&[archive("a.jar", ask(None, 1, None), Vec::new())]);
    let image = merged(&[lower, upper], resolve_without_index);
    assert_eq!(image.unidentified.as_ref().map(|one| one.count), Some(1));
    assert!(names(image).is_empty());
}

/// Has an archive that needs no index.
fn with_known(path: &str, name: &str) -> LayerInventory {
    let known = archive(path, JavaIdentity::Known, vec![listed("g", name, "1")]);
    let mut packages = PackagesByPath::default();
    packages.push(path, packages_of_known(&known));
    LayerInventory {
        applications: Applications {
            groups: vec![ApplicationGroup::new(KIND, packages)],
            ..Applications::default()
        },
        ..LayerInventory::default()
    }
}

fn packages_of_known(known: &JavaArchive) -> Vec<Package> {
    let mut packages = packages(known);
    complete_packages(&known.path, &mut packages);
    packages
}

#[test]
fn archives_that_need_the_index_and_those_that_do_not_replace_each_other() {
    let asked = || layer_of(&[archive("a.jar", ask(None, 1, None), Vec::new())]);
    let known = || with_known("a.jar", "known");
    assert_eq!(names_in(&[known(), asked()]), ["known:by-digest"]);
    assert_eq!(names_in(&[asked(), known()]), ["g:known"]);
    let unidentified = |layers: &[LayerInventory]| {
        let merged = merged(layers, resolve_without_index);
        (merged.unidentified.is_some(), names(merged))
    };
    assert_eq!(unidentified(&[known(), asked()]), (true, Vec::new()));
    let named = vec!["g:known".to_owned()];
    assert_eq!(unidentified(&[asked(), known()]), (false, named));
}

#[test]
fn archives_of_both_kinds_lie_in_one_list_by_path() {
    let asked = layer_of(&[
        archive("a.jar", ask(None, 1, None), Vec::new()),
        archive("c.jar", ask(None, 1, None), Vec::new()),
    ]);
    let layer = LayerInventory {
        applications: with_known("b.jar", "b").applications,
        ..asked
    };
    let found = merged(std::slice::from_ref(&layer), |layer| {
        resolve(layer, &FakeIndex).unwrap()
    });
    let paths: Vec<_> = found.inventory.applications[0]
        .packages
        .iter()
        .map(|package| package.file_path.as_str())
        .collect();
    assert_eq!(
        paths,
        ["b.jar", "a.jar", "c.jar"],
        "sorted by name, then path"
    );
}

#[test]
fn a_layer_that_an_image_has_twice_is_copied() {
    let layer = Arc::new(layer_of(&[archive(
        "a.jar",
        ask(None, 1, None),
        Vec::new(),
    )]));
    let archives = resolve(&layer, &FakeIndex).unwrap().map(Arc::new);
    let owned = || OwnedLayer {
        archives: archives.clone(),
        ..OwnedLayer::new(layer_id(), Arc::clone(&layer))
    };
    let options = MergeOptions::default();
    let merged = merge_owned(vec![owned(), owned()], Vec::new(), &options);
    assert_eq!(names(merged), ["known:by-digest"]);
}

#[test]
fn an_archive_that_the_distribution_owns_is_its_own() {
    let owning = |path: &str| LayerInventory {
        package_databases: PackagesByPath::new(
            [("var/lib/dpkg/status", 1)],
            vec![Package {
                name: "owner".to_owned(),
                installed_files: [format!("/{path}")].into_iter().collect(),
                ..Package::default()
            }],
        ),
        ..layer_of(&[archive(
            "a.jar",
            ask(None, 1, None),
            vec![inner(archive(
                "a.jar/b.jar",
                ask(None, 1, None),
                Vec::new(),
            ))],
        )])
    };
    for (path, count) in [("a.jar", None), ("a.jar/b.jar", Some(1)), ("c", Some(2))] {
        let image = merged(&[owning(path)], resolve_without_index);
        let unidentified = image.unidentified.map(|one| one.count);
        assert_eq!(unidentified, count, "{path}");
    }
}
