use std::io::Read;
use std::sync::Arc;

use cleanbill_core::inventory::{Alias, PathKind};
use cleanbill_core::layer::{EntryBody, EntryVisitor, LayerSummary};
use cleanbill_core::problem::ProblemKind;
use cleanbill_testkit::zip::ZipBuilder;
use proptest::prelude::*;

use super::*;
use crate::testing::FakeLayer;

const APK: &str = "lib/apk/db/installed";
const PACKAGE: &[u8] = b"P:a\nV:1\n";

fn with_limits(limits: Limits) -> ExtractOptions {
    ExtractOptions {
        limits: Arc::new(limits),
        ..ExtractOptions::default()
    }
}

fn package_count(inventory: &LayerInventory) -> usize {
    inventory
        .package_databases
        .iter()
        .map(|database| database.packages.len())
        .sum()
}

#[test]
fn a_layer_is_recorded_whole() {
    let inventory = FakeLayer::new()
        .file(APK, PACKAGE)
        .directory("var")
        .file("var/log/x", b"")
        .whiteout("b")
        .whiteout("a")
        .whiteout("a")
        .opaque("opt")
        .symlink("lib64", "lib")
        .symlink("usr/lib/apk", "../../lib/apk")
        .inventory();
    assert_eq!(package_count(&inventory), 1);
    assert!(inventory.whiteouts.has("a") && inventory.whiteouts.has("b"));
    assert!(!inventory.whiteouts.has("opt"));
    assert!(inventory.opaque_directories.has("opt") && !inventory.opaque_directories.has("a"));
    let links: Vec<_> = inventory
        .links
        .iter()
        .map(|link| (link.path.as_str(), link.target.as_str(), link.is_hard))
        .collect();
    assert_eq!(links, [("usr/lib/apk", "usr/lib/../../lib/apk", false)]);
    assert_eq!(inventory.paths.get("var/log"), Some(PathKind::Directory));
    assert_eq!(
        inventory.paths.get("usr/lib/apk"),
        Some(PathKind::NonDirectory)
    );
    assert_eq!(inventory.paths.get("a"), None);
    assert!(inventory.problems.is_empty());
}

#[test]
fn a_file_that_two_extractors_want_is_read_by_both() {
    let content = br#"{"spdxVersion":"SPDX-2.3","packages":[]}"#;
    let path = "usr/share/buildinfo/x.spdx.json";
    assert_eq!(interest::wanted(path, 1).len(), 2);
    FakeLayer::new().file(path, content).inventory();
    let mut layer = FakeLayer::new().file(path, content);
    let options = with_limits(Limits {
        file_size_bytes_max: 3,
        ..Limits::default()
    });
    let inventory = extract_layer(&mut layer, &options).unwrap();
    let kinds: Vec<_> = inventory
        .problems
        .iter()
        .map(|problem| problem.kind)
        .collect();
    assert_eq!(kinds, [ProblemKind::LimitExceeded]);
}

#[test]
fn paths_that_are_not_utf8_are_told_where_they_matter() {
    for (layer, count) in [
        (
            FakeLayer::new().file(
                "var/lib/dpkg/status.d/\u{fffd}",
                b"Package: a\nVersion: 1\n",
            ),
            1,
        ),
        (
            FakeLayer::new().whiteout("var/lib/dpkg/status.d/\u{fffd}"),
            1,
        ),
        (
            FakeLayer::new().symlink("var/lib/dpkg/status.d/\u{fffd}", "x"),
            1,
        ),
        (FakeLayer::new().file("usr/share/\u{fffd}", b""), 0),
        (FakeLayer::new().whiteout("usr/share/\u{fffd}"), 0),
        (FakeLayer::new().symlink("usr/share/\u{fffd}", "x"), 0),
    ] {
        let inventory = layer.lossy().inventory();
        assert_eq!(inventory.problems.len(), count, "{:?}", inventory.problems);
        assert!(inventory.whiteouts.is_empty() && inventory.links.is_empty());
    }
}

#[test]
fn skipped_files_are_not_read() {
    let skip = SkipRules::parse(&["lib/apk"], &["etc/*"]).unwrap();
    let options = ExtractOptions {
        skip,
        ..ExtractOptions::default()
    };
    let mut layer = FakeLayer::new()
        .directory("lib/apk")
        .file(APK, PACKAGE)
        .file("etc/alpine-release", b"3\n")
        .symlink("etc/os-release", "../x");
    let inventory = extract_layer(&mut layer, &options).unwrap();
    assert_eq!(package_count(&inventory), 0);
    assert!(inventory.distro_records.is_empty() && inventory.links.is_empty());
    assert!(inventory.paths.get(APK).is_some());
}

#[test]
fn markers_beyond_the_limit_are_counted() {
    let options = with_limits(Limits {
        markers_per_layer_max: 2,
        ..Limits::default()
    });
    let mut layer = FakeLayer::new()
        .whiteout("a")
        .opaque("b")
        .whiteout("c")
        .symlink("lib", "x");
    let inventory = extract_layer(&mut layer, &options).unwrap();
    let messages: Vec<_> = inventory
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(
        messages,
        ["2 whiteouts and links beyond 2 (markers_per_layer_max)"]
    );
}

#[test]
fn problems_beyond_the_limit_are_counted() {
    let options = with_limits(Limits {
        problems_per_layer_max: 2,
        ..Limits::default()
    });
    let mut layer = (0..5).fold(FakeLayer::new(), |layer, index| {
        layer.file(&format!("var/lib/dpkg/status.d/{index}"), b"no field\n")
    });
    let inventory = extract_layer(&mut layer, &options).unwrap();
    let messages: Vec<_> = inventory
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages.last(), Some(&"3 more problems in this layer"));
}

#[test]
fn too_many_directories_stop_the_walk() {
    let options = with_limits(Limits {
        entries_per_layer_max: 1000,
        ..Limits::default()
    });
    let deep = |index: usize| format!("{index}/{}", "a/".repeat(2000));
    let mut layer = (0..200).fold(FakeLayer::new(), |layer, index| {
        layer.file(&cleanbill_core::path::clean(&deep(index)), b"")
    });
    assert!(extract_layer(&mut layer, &options).is_err());
}

#[test]
fn an_error_of_reading_stops_the_walk() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("torn"))
        }
    }
    impl EntryBody for Broken {}
    impl LayerReader for Broken {
        fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
            let entry = EntryHeader {
                path: APK,
                path_is_lossy: false,
                kind: EntryKind::File,
                size_bytes: 9,
                mode: 0o644,
                link_target: "",
            };
            visitor
                .visit(&entry, &mut Broken)
                .map_err(|source| LayerError::Read {
                    what: "layer".to_owned(),
                    source,
                })?;
            Ok(LayerSummary::default())
        }
    }
    assert!(extract_layer(&mut Broken, &ExtractOptions::default()).is_err());
}

#[test]
fn aliases_show_files_elsewhere() {
    let mut layer = FakeLayer::new()
        .file("opt/db", PACKAGE)
        .file("opt/dpkg/status", b"Package: b\nVersion: 1\n")
        .file("opt/dpkg/status", b"Package: c\nVersion: 1\n")
        .symlink("opt/dpkg/status.d", "../x")
        .file("opt/dpkg/other", b"")
        .symlink("opt/link", "/y");
    let alias = |path: &str, target: &str| Alias {
        path: path.to_owned(),
        target: target.to_owned(),
    };
    let aliases = [
        alias(APK, "opt/db"),
        alias("usr/lib/apk/db/installed", "opt/db"),
        alias("var/lib/dpkg", "opt/dpkg"),
        alias(APK, "opt/link"),
    ];
    let found = extract_aliases(&mut layer, &aliases, &ExtractOptions::default()).unwrap();
    let [first, second, directory, link] = found.as_slice() else {
        panic!("one inventory per alias");
    };
    let ids = |inventory: &LayerInventory| -> Vec<String> {
        let databases = inventory.package_databases.iter();
        databases
            .flat_map(|database| {
                database
                    .packages
                    .iter()
                    .map(move |package| format!("{} {}", database.path, package.id))
            })
            .collect()
    };
    assert_eq!(ids(first), ["lib/apk/db/installed a@1"]);
    assert_eq!(ids(second), ["usr/lib/apk/db/installed a@1"]);
    assert_eq!(ids(directory), ["var/lib/dpkg/status c@1"]);
    let links = |inventory: &LayerInventory| -> Vec<String> {
        inventory
            .links
            .iter()
            .map(|link| format!("{} {}", link.path, link.target))
            .collect()
    };
    assert_eq!(links(directory), ["opt/dpkg/status.d opt/dpkg/../x"]);
    assert_eq!(links(link), ["opt/link y"]);
    assert!(link.paths.is_empty() && link.package_databases.is_empty());
}

#[test]
fn a_bomb_costs_as_much_behind_many_links_as_behind_one() {
    let text = format!("Name: a\nVersion: 1\n\n{}", " ".repeat(100_000));
    let egg = ZipBuilder::new().file("EGG-INFO/PKG-INFO", text).build();
    let mut layer = FakeLayer::new().file("bomb", &egg);
    let aliases: Vec<_> = (0..8)
        .map(|index| Alias {
            path: format!("{index}.egg"),
            target: "bomb".to_owned(),
        })
        .collect();
    let options = with_limits(Limits {
        archives_unpacked_from_bytes: 300_000,
        ..Limits::default()
    });
    let found = extract_aliases(&mut layer, &aliases, &options).unwrap();
    let named = found.iter().filter(|one| !one.applications.is_empty());
    assert_eq!(named.count(), 2);
    let told = found.iter().filter(|one| {
        let [problem] = one.problems.as_slice() else {
            return false;
        };
        problem.kind == ProblemKind::LimitExceeded
    });
    assert_eq!(told.count(), 6);
}

#[test]
fn many_aliases_cost_no_more_than_what_they_show() {
    let count = 1_000;
    let mut layer = FakeLayer::new();
    for index in 0..20 * count {
        layer = layer.file(&format!("o/{index}"), b"Package: a\nVersion: 1\n");
    }
    // What lies below a path goes when a file takes its place.
    layer = layer.file("gone/db", PACKAGE).file("gone", b"");
    let mut aliases: Vec<_> = (0..count)
        .map(|index| Alias {
            path: format!("var/lib/dpkg/status.d/{index}"),
            target: format!("o/{index}"),
        })
        .collect();
    aliases.push(Alias {
        path: APK.to_owned(),
        target: "gone/db".to_owned(),
    });
    let found = extract_aliases(&mut layer, &aliases, &ExtractOptions::default()).unwrap();
    let (gone, shown) = found.split_last().expect("one inventory per alias");
    assert!(shown.iter().all(|inventory| package_count(inventory) == 1));
    assert_eq!(package_count(gone), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The walk takes entries in any order, also again and again, and what it says about a path
    /// is what the last entry of that path says.
    #[test]
    fn the_last_entry_of_a_path_counts(
        entries in proptest::collection::vec((0..4usize, any::<bool>()), 1..12),
    ) {
        let names = ["etc/alpine-release", "etc/debian_version", "etc/os-release", "etc/lsb-release"];
        let mut layer = FakeLayer::new();
        for (at, (name, is_file)) in entries.iter().enumerate() {
            let content = format!("ID=alpine\nVERSION_ID={at}\n");
            layer = if *is_file {
                layer.file(names[*name], content.as_bytes())
            } else {
                layer.symlink(names[*name], "x")
            };
        }
        let inventory = layer.inventory();
        for (index, name) in names.iter().enumerate() {
            let last = entries.iter().rev().find(|(at, _)| *at == index);
            let is_link = inventory.links.iter().any(|link| link.path == *name);
            prop_assert_eq!(is_link, last.is_some_and(|(_, is_file)| !is_file));
            let records = inventory.distro_records.iter().filter(|record| record.path == *name).count();
            let may_have = last.is_some_and(|(_, is_file)| *is_file);
            prop_assert!(records <= usize::from(may_have));
        }
    }
}
