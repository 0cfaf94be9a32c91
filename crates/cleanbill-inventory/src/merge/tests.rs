use cleanbill_core::package::LayerId;
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{DiffId, Digest};
use proptest::prelude::*;

use super::*;
use crate::testing::FakeLayer;

mod applications;
mod distro;
mod links;

const APK: &str = "lib/apk/db/installed";
const STATUS: &str = "var/lib/dpkg/status";

/// Merges layers as the engine does. Returns the inventory and how often layers were read again.
fn merge_all(layers: &[FakeLayer], options: &MergeOptions) -> (ImageInventory, usize) {
    let inventories: Vec<_> = layers
        .iter()
        .map(|layer| layer.clone().inventory())
        .collect();
    let inputs: Vec<_> = inventories
        .iter()
        .enumerate()
        .map(|(index, inventory)| LayerInput::new(id(index), inventory))
        .collect();
    let mut grown = Vec::new();
    loop {
        let merged = merge(&inputs, &grown, options);
        assert_eq!(wanted(&inputs, &grown, &options.limits), merged.wanted);
        if merged.wanted.is_empty() {
            let count = grown.len();
            check_owned(&inputs, grown, options, &merged);
            return (merged.inventory, count);
        }
        for request in merged.wanted {
            let layer = layers
                .get(request.layer_index)
                .expect("a layer of the image")
                .clone();
            let inventory = Arc::new(layer.alias_inventory(&request.alias));
            grown.push(GrownLayer {
                layer_index: request.layer_index,
                alias: request.alias,
                inventory,
            });
        }
    }
}

/// Packages that are taken out of the layers are those that would be copied, whether somebody else
/// holds the layers or not.
fn check_owned(
    inputs: &[LayerInput<'_>],
    grown: Vec<GrownLayer>,
    options: &MergeOptions,
    expected: &Merged,
) {
    let layers: Vec<_> = inputs
        .iter()
        .map(|input| OwnedLayer {
            id: input.id,
            inventory: Arc::new(input.inventory.clone()),
            archives: input.archives.cloned().map(Arc::new),
        })
        .collect();
    let (held, held_grown) = (layers.clone(), grown.clone());
    let shared = merge_owned(held, held_grown, options);
    assert_eq!(&shared, expected);
    assert_eq!(&merge_owned(layers, grown, options), expected);
}

fn id(index: usize) -> LayerId {
    LayerId {
        digest: None,
        diff_id: DiffId(Digest::of(&[u8::try_from(index).expect("few layers")])),
    }
}

/// Lists `name@version/layer`.
fn list(inventory: &ImageInventory) -> Vec<String> {
    inventory
        .packages
        .iter()
        .map(|package| {
            let layer = (0..9).find(|index| package.layer == Some(id(*index)));
            format!("{}/{}", package.id, layer.expect("a layer"))
        })
        .collect()
}

#[track_caller]
fn check(layers: &[FakeLayer], expected: &[&str], readings: usize) -> ImageInventory {
    let (inventory, count) = merge_all(layers, &MergeOptions::default());
    assert_eq!(list(&inventory), expected);
    assert_eq!(count, readings, "readings");
    inventory
}

fn apk(packages: &[&str]) -> Vec<u8> {
    let records = packages
        .iter()
        .filter_map(|package| package.split_once('@'));
    records
        .map(|(name, version)| format!("P:{name}\nV:{version}\n\n"))
        .collect::<String>()
        .into()
}

fn dpkg(packages: &[&str]) -> Vec<u8> {
    let records = packages
        .iter()
        .filter_map(|package| package.split_once('@'));
    let text: String = records
        .map(|(name, version)| format!("Package: {name}\nVersion: {version}\n\n"))
        .collect();
    text.into()
}

fn base() -> FakeLayer {
    FakeLayer::new()
        .file("etc/alpine-release", b"3.18.1\n")
        .file(APK, &apk(&["a@1", "b@1"]))
}

fn problem_kinds(inventory: &ImageInventory) -> Vec<ProblemKind> {
    inventory
        .problems
        .iter()
        .map(|problem| problem.kind)
        .collect()
}

#[test]
fn an_upper_database_replaces_a_lower_one() {
    let layers = [
        base(),
        FakeLayer::new().file(APK, &apk(&["a@1", "c@1"])),
        FakeLayer::new().file(APK, &apk(&["a@1", "c@2"])),
    ];
    check(&layers, &["a@1/0", "c@2/2"], 0);
}

#[test]
fn whiteouts_and_opaque_directories_delete() {
    check(&[base(), FakeLayer::new().whiteout(APK)], &[], 0);
    check(&[base(), FakeLayer::new().whiteout("lib")], &[], 0);
    check(&[base(), FakeLayer::new().opaque("lib/apk")], &[], 0);
    check(
        &[base(), FakeLayer::new().opaque("")],
        &["a@1/0", "b@1/0"],
        0,
    );
    check(
        &[base(), FakeLayer::new().whiteout("li").whiteout("")],
        &["a@1/0", "b@1/0"],
        0,
    );
    let again = FakeLayer::new().file(APK, &apk(&["b@1", "d@1"]));
    check(&[base(), again.whiteout("lib")], &["b@1/0", "d@1/1"], 0);
    check(
        &[
            base(),
            FakeLayer::new().opaque("lib").file(APK, &apk(&["d@1"])),
        ],
        &["d@1/1"],
        0,
    );
}

#[test]
fn packages_of_distroless_images_come_from_several_layers() {
    let layers = [
        FakeLayer::new()
            .file("etc/debian_version", b"12.1\n")
            .file("var/lib/dpkg/status.d/a", &dpkg(&["a@1"]))
            .file("var/lib/dpkg/status.d/b", &dpkg(&["b@1"])),
        FakeLayer::new()
            .file("var/lib/dpkg/status.d/c", &dpkg(&["c@1"]))
            .file(STATUS, &dpkg(&["a@1"]))
            .whiteout("var/lib/dpkg/status.d/b"),
    ];
    check(&layers, &["a@1/0", "c@1/1"], 0);
}

#[test]
fn a_path_that_changes_its_kind_takes_what_was_there_along() {
    for upper in [
        FakeLayer::new().file("lib/apk", b""),
        FakeLayer::new().entry("lib", cleanbill_core::layer::EntryKind::Other, b"", ""),
        FakeLayer::new().directory(APK),
        FakeLayer::new().file("lib/apk/db/installed/x", b""),
    ] {
        check(&[base(), upper], &[], 0);
    }
    check(
        &[base(), FakeLayer::new().file("lib/apk/db/lock", b"")],
        &["a@1/0", "b@1/0"],
        0,
    );
    check(
        &[base(), FakeLayer::new().directory("lib/apk/db")],
        &["a@1/0", "b@1/0"],
        0,
    );
}

#[test]
fn within_a_layer_the_later_entry_counts() {
    let layer = base().file(APK, &apk(&["c@1"]));
    check(&[layer], &["c@1/0"], 0);
    check(&[base().symlink("lib", "nowhere")], &[], 0);
    check(
        &[base().symlink(APK, "/nowhere").file(APK, &apk(&["c@1"]))],
        &["c@1/0"],
        0,
    );
}

#[test]
fn of_a_package_in_two_databases_that_of_the_first_path_counts_whatever_its_layer() {
    let of = |maintainer: &str| {
        format!(
            "Package: x\nVersion: 1\nMaintainer: {maintainer}\n\n\
             Package: {maintainer}\nVersion: 1\n\n"
        )
    };
    let layer = |path: &str, maintainer| FakeLayer::new().file(path, of(maintainer).as_bytes());
    let (a, b) = ("var/lib/dpkg/status.d/a", "var/lib/dpkg/status.d/b");
    for layers in [
        [layer(a, "first"), layer(b, "second")],
        [layer(b, "second"), layer(a, "first")],
    ] {
        let (inventory, _) = merge_all(&layers, &MergeOptions::default());
        let packages = inventory.packages.iter();
        let shown = packages.map(|one| (one.name.as_str(), one.maintainer.as_str()));
        let expected = [("first", ""), ("second", ""), ("x", "first")];
        assert!(shown.eq(expected), "{:?}", inventory.packages);
    }
}

#[test]
fn licences_are_those_of_the_files_that_are_left() {
    let copyright = |name: &str, license: &str| {
        let path = format!("usr/share/doc/{name}/copyright");
        FakeLayer::new().file(&path, format!("License: {license}\n").as_bytes())
    };
    let status = FakeLayer::new().file(STATUS, &dpkg(&["a@1", "b@1", "c@1"]));
    let layers = [
        copyright("a", "MIT"),
        copyright("b", "MIT"),
        copyright("unknown", "MIT"),
        status,
        copyright("a", "Zlib"),
        FakeLayer::new().whiteout("usr/share/doc/b/copyright"),
    ];
    let (inventory, _) = merge_all(&layers, &MergeOptions::default());
    let licenses: Vec<_> = inventory
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.licenses.join(",")))
        .collect();
    let text = str::to_owned;
    assert_eq!(
        licenses,
        [("a", text("Zlib")), ("b", text("")), ("c", text(""))]
    );
}

#[test]
fn what_was_not_read_is_a_problem() {
    let layer = FakeLayer::new()
        .symlink(APK, "/opt/db")
        .file("opt/db", &apk(&["c@1"]));
    let inventory = layer.inventory();
    let inputs = [LayerInput::new(id(0), &inventory)];
    let merged = merge(&inputs, &[], &MergeOptions::default());
    assert_eq!(merged.wanted.len(), 1);
    assert_eq!(
        problem_kinds(&merged.inventory),
        [ProblemKind::DanglingLink]
    );
}

#[test]
fn problems_of_files_that_are_gone_are_gone() {
    let broken = FakeLayer::new()
        .file("etc/debian_version", b"12\n")
        .file(STATUS, b"no field\n");
    let (inventory, _) = merge_all(std::slice::from_ref(&broken), &MergeOptions::default());
    assert_eq!(problem_kinds(&inventory), [ProblemKind::UnreadableFile]);
    for upper in [
        FakeLayer::new().whiteout("var/lib"),
        FakeLayer::new().file(STATUS, &dpkg(&["a@1"])),
    ] {
        let (inventory, _) = merge_all(&[broken.clone(), upper], &MergeOptions::default());
        assert!(inventory.problems.is_empty());
    }
}

#[test]
fn os_packages_can_be_left_out() {
    let options = MergeOptions {
        includes_os_packages: false,
        ..MergeOptions::default()
    };
    let (inventory, _) = merge_all(&[FakeLayer::new().file(APK, &apk(&["a@1"]))], &options);
    assert!(inventory.packages.is_empty() && inventory.problems.is_empty());
}

#[test]
fn build_information_is_shared_between_layers() {
    let rpms = |names: &str| {
        FakeLayer::new().file(
            "var/lib/rpmmanifest/container-manifest-2",
            &rpm_manifest(names),
        )
    };
    let sets = br#"{"content_sets":["s"]}"#;
    let layers = [
        rpms("a").file(
            "etc/redhat-release",
            b"Red Hat Enterprise Linux release 8.4\n",
        ),
        rpms("a b").file("root/buildinfo/content_manifests/x.json", sets),
        rpms("a b c"),
    ];
    let (inventory, _) = merge_all(&layers, &MergeOptions::default());
    assert_eq!(inventory.packages.len(), 3);
    for package in &inventory.packages {
        let info = package.build_info.as_ref().expect("build information");
        assert_eq!(info.content_sets, ["s"], "{}", package.name);
    }
}

fn rpm_manifest(names: &str) -> Vec<u8> {
    names
        .split(' ')
        .map(|name| format!("{name}\t1-1\t0\t0\tv\t(none)\t0\tx86_64\t0\t{name}-1-1.src.rpm\n"))
        .collect::<String>()
        .into()
}

#[test]
fn licenses_are_given_by_package_name() {
    let layers = [FakeLayer::new()
        .file("etc/debian_version", b"12\n")
        .file(STATUS, &dpkg(&["a@1"]))
        .file("usr/share/doc/a/copyright", b"License: MIT\n")];
    let (inventory, _) = merge_all(&layers, &MergeOptions::default());
    let licenses: Vec<_> = inventory
        .packages
        .iter()
        .map(|package| package.licenses.clone())
        .collect();
    assert_eq!(licenses, [["MIT"]]);
}

#[derive(Clone, Debug)]
enum Entry {
    File(usize),
    Directory(usize),
    Symlink(usize, usize),
    HardLink(usize, usize),
    Whiteout(usize),
    Opaque(usize),
}

/// Paths that meet each other in every way.
const PATHS: &[&str] = &[
    "lib",
    "lib/apk",
    "lib/apk/db",
    "lib/apk/db/installed",
    "usr",
    "usr/lib",
    "usr/lib/apk",
    "usr/lib/apk/db/installed",
    "x",
    "x/apk/db/installed",
    "x/installed",
    "y",
    "y/z",
];

fn entry() -> impl Strategy<Value = Entry> {
    let path = || 0..PATHS.len();
    prop_oneof![
        path().prop_map(Entry::File),
        path().prop_map(Entry::Directory),
        (path(), path()).prop_map(|(path, target)| Entry::Symlink(path, target)),
        (path(), path()).prop_map(|(path, target)| Entry::HardLink(path, target)),
        path().prop_map(Entry::Whiteout),
        path().prop_map(Entry::Opaque),
    ]
}

fn build(entries: &[Entry]) -> FakeLayer {
    entries
        .iter()
        .fold(FakeLayer::new(), |layer, entry| match *entry {
            Entry::File(path) => layer.file(PATHS[path], &apk(&["a@1"])),
            Entry::Directory(path) => layer.directory(PATHS[path]),
            Entry::Symlink(path, target) => {
                layer.symlink(PATHS[path], &format!("/{}", PATHS[target]))
            }
            Entry::HardLink(path, target) => layer.hard_link(PATHS[path], PATHS[target]),
            Entry::Whiteout(path) => layer.whiteout(PATHS[path]),
            Entry::Opaque(path) => layer.opaque(PATHS[path]),
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_layers_can_be_merged(
        layers in proptest::collection::vec(proptest::collection::vec(entry(), 0..6), 0..5),
    ) {
        let layers: Vec<_> = layers.iter().map(|entries| build(entries)).collect();
        let (inventory, readings) = merge_all(&layers, &MergeOptions::default());
        prop_assert!(readings <= 64, "{readings}");
        prop_assert!(inventory.packages.len() <= 1);
    }
}
