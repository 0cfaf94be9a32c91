use cleanbill_core::package::LayerId;
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{DiffId, Digest};
use proptest::prelude::*;

use super::*;
use crate::testing::FakeLayer;

mod applications;

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
fn deleted_release_files_still_count() {
    let inventory = check(
        &[base(), FakeLayer::new().whiteout("etc/alpine-release")],
        &["a@1/0", "b@1/0"],
        0,
    );
    assert_eq!(
        inventory.distro.map(|distro| distro.name).as_deref(),
        Some("3.18.1")
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
fn a_database_behind_a_symbolic_link_is_read() {
    let target = FakeLayer::new().file("opt/db", &apk(&["c@1"]));
    let link = FakeLayer::new().symlink(APK, "../../../opt/db");
    check(&[base(), target.clone(), link.clone()], &["c@1/1"], 1);
    check(&[base(), link, target], &["c@1/2"], 1);
}

#[test]
fn the_target_may_be_replaced_and_deleted() {
    let target = FakeLayer::new()
        .symlink(APK, "/opt/db")
        .file("opt/db", &apk(&["c@1"]));
    let newer = FakeLayer::new().file("opt/db", &apk(&["c@1", "d@1"]));
    let gone = FakeLayer::new().whiteout("opt");
    check(
        &[base(), target.clone(), newer.clone()],
        &["c@1/2", "d@1/2"],
        1,
    );
    let (inventory, _) = merge_all(&[base(), target, newer, gone], &MergeOptions::default());
    assert!(inventory.packages.is_empty());
    assert_eq!(problem_kinds(&inventory), [ProblemKind::DanglingLink]);
}

#[test]
fn a_directory_behind_a_link_is_merged_from_all_layers() {
    let layers = [
        FakeLayer::new()
            .file("etc/debian_version", b"12.1\n")
            .file("opt/dpkg/status", &dpkg(&["a@1"]))
            .file("opt/dpkg/info/a.md5sums", b"x  usr/a\n")
            .file("opt/dpkg/status.d/x", &dpkg(&["x@1"]))
            .file("opt/dpkg/status.d/y", &dpkg(&["y@1"])),
        FakeLayer::new().symlink("var/lib/dpkg", "/opt/dpkg"),
        FakeLayer::new()
            .file("opt/dpkg/status", &dpkg(&["a@1", "b@1"]))
            .whiteout("opt/dpkg/status.d/y"),
    ];
    let inventory = check(&layers, &["a@1/0", "b@1/2", "x@1/0"], 2);
    let files = inventory
        .packages
        .first()
        .map(|package| package.installed_files.clone());
    assert_eq!(files, Some(vec!["/usr/a".to_owned()].into()));
}

#[test]
fn merged_usr_costs_no_second_reading() {
    let layers = [FakeLayer::new()
        .file("etc/alpine-release", b"3.18.1\n")
        .symlink("lib", "usr/lib")
        .symlink("etc/os-release", "../usr/lib/os-release")
        .file("usr/lib/os-release", b"ID=alpine\nVERSION_ID=3.18.1\n")
        .file("usr/lib/apk/db/installed", &apk(&["a@1"]))];
    let inventory = check(&layers, &["a@1/0"], 0);
    assert!(inventory.problems.is_empty());
}

#[test]
fn chains_of_links_are_followed() {
    let layers = [
        base(),
        FakeLayer::new()
            .symlink(APK, "/one")
            .symlink("one", "two/db"),
        FakeLayer::new()
            .symlink("two", "three")
            .file("three/db", &apk(&["c@1"])),
    ];
    let (inventory, _) = merge_all(&layers, &MergeOptions::default());
    assert_eq!(list(&inventory), ["c@1/2"]);
    assert!(inventory.problems.is_empty());
}

#[test]
fn links_in_circles_and_into_nothing_are_problems() {
    for upper in [
        FakeLayer::new().symlink(APK, "installed"),
        FakeLayer::new().symlink(APK, "/missing"),
        FakeLayer::new().symlink(APK, "/etc/alpine-release/x"),
        FakeLayer::new().hard_link(APK, "missing"),
        FakeLayer::new()
            .symlink(APK, "/loop/x")
            .symlink("loop", "/pool")
            .symlink("pool", "loop"),
    ] {
        let (inventory, _) = merge_all(&[base(), upper], &MergeOptions::default());
        assert!(inventory.packages.is_empty());
        assert_eq!(problem_kinds(&inventory), [ProblemKind::DanglingLink]);
    }
}

#[test]
fn harmless_links_may_dangle() {
    let layers = [base()
        .symlink("etc/os-release", "../missing")
        .symlink("lib64", "missing")
        .symlink("usr/share/doc/a", "missing")
        .symlink("var/run", "missing")
        .symlink("root", "missing")];
    let inventory = check(&layers, &["a@1/0", "b@1/0"], 0);
    assert!(inventory.problems.is_empty());
}

#[test]
fn links_do_not_leave_the_root() {
    let layers = [FakeLayer::new()
        .symlink(APK, "../../../../../../opt/db")
        .file("opt/db", &apk(&["c@1"]))
        .file("etc/alpine-release", b"3\n")];
    check(&layers, &["c@1/0"], 1);
}

#[test]
fn a_hard_link_is_a_name_of_its_own() {
    let lower = FakeLayer::new()
        .file("etc/alpine-release", b"3\n")
        .file("var/x", &apk(&["c@1"]));
    let link = FakeLayer::new().hard_link(APK, "var/x");
    check(&[lower.clone(), link.clone()], &["c@1/1"], 1);
    check(
        &[
            lower.clone(),
            link.clone(),
            FakeLayer::new().whiteout("var/x"),
        ],
        &["c@1/1"],
        1,
    );
    let newer = FakeLayer::new().file("var/x", &apk(&["d@1"]));
    check(&[lower.clone(), link.clone(), newer], &["c@1/1"], 1);
    check(
        &[lower.clone(), link, FakeLayer::new().whiteout("lib")],
        &[],
        0,
    );
    let chain = FakeLayer::new().hard_link(APK, "y").symlink("y", "/var/x");
    check(&[lower, chain], &["c@1/0"], 2);
}

#[test]
fn a_hard_link_to_a_database_counts_once() {
    let other = "usr/lib/apk/db/installed";
    check(&[base().hard_link(other, APK)], &["a@1/0", "b@1/0"], 0);
    let layers = [base().hard_link(other, APK), FakeLayer::new().whiteout(APK)];
    check(&layers, &["a@1/0", "b@1/0"], 1);
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

#[track_caller]
fn check_distro(files: &[(&str, &str)], expected: &str) {
    let one = files
        .iter()
        .fold(FakeLayer::new(), |layer, (path, content)| {
            layer.file(path, content.as_bytes())
        });
    let several: Vec<_> = files
        .iter()
        .map(|(path, content)| FakeLayer::new().file(path, content.as_bytes()))
        .collect();
    for layers in [vec![one], several] {
        let (inventory, _) = merge_all(&layers, &MergeOptions::default());
        let distro = inventory.distro.unwrap_or_default();
        let found = format!("{} {} {}", distro.family, distro.release(), distro.supplier);
        assert_eq!(found.trim(), expected);
    }
}

#[test]
fn release_files_are_merged_in_order() {
    let esm = r#"{"services":[{"name":"esm-infra","status":"enabled"}]}"#;
    let lsb = "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=16.04\n";
    check_distro(
        &[
            ("etc/debian_version", "stretch/sid"),
            ("etc/lsb-release", lsb),
            ("var/lib/ubuntu-advantage/status.json", esm),
        ],
        "ubuntu 16.04-ESM",
    );
    check_distro(
        &[
            ("etc/centos-release", "CentOS Linux release 7.6.1810 (Core)"),
            ("etc/os-release", "ID=centos\nVERSION_ID=7"),
        ],
        "centos 7.6.1810",
    );
    check_distro(
        &[
            ("etc/redhat-release", "Red Hat Enterprise Linux release 8.4"),
            ("etc/os-release", "ID=ol\nVERSION_ID=8.5"),
        ],
        "oracle 8.5",
    );
    check_distro(
        &[
            ("etc/alpine-release", "3.18.1"),
            ("usr/share/rapidfort/curated.json", ""),
            ("etc/os-release", "ID=alpine\nVERSION_ID=3.19"),
        ],
        "alpine 3.18.1 rapidfort",
    );
}

#[test]
fn extended_maintenance_may_come_before_the_release() {
    let esm = r#"{"services":[{"name":"esm-infra","status":"enabled"}]}"#;
    let layers = [
        FakeLayer::new().file("var/lib/ubuntu-advantage/status.json", esm.as_bytes()),
        FakeLayer::new().file(
            "etc/lsb-release",
            b"DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=16.04\n",
        ),
    ];
    let (inventory, _) = merge_all(&layers, &MergeOptions::default());
    assert_eq!(
        inventory.distro.map(|distro| distro.release()).as_deref(),
        Some("16.04-ESM")
    );
}

#[test]
fn os_release_alone_names_some_distributions() {
    check_distro(
        &[("etc/os-release", "ID=debian\nVERSION_ID=11")],
        "debian 11",
    );
    check_distro(
        &[
            ("etc/os-release", "ID=debian\nVERSION_ID=11"),
            ("usr/lib/os-release", "ID=debian\nVERSION_ID=12"),
        ],
        "debian 11",
    );
    check_distro(
        &[
            ("etc/os-release", "ID=debian\nVERSION_ID=11"),
            ("etc/debian_version", "11.3"),
        ],
        "debian 11.3",
    );
    let esm = r#"{"services":[{"name":"esm-infra","status":"enabled"}]}"#;
    check_distro(
        &[
            ("etc/os-release", "ID=ubuntu\nVERSION_ID=22.04"),
            ("var/lib/ubuntu-advantage/status.json", esm),
        ],
        "ubuntu 22.04-ESM",
    );
}

#[test]
fn parents_in_link_targets_are_those_of_the_real_path() {
    let debian = || FakeLayer::new().file("etc/debian_version", b"12.1\n");
    for layer in [
        debian()
            .symlink("x", "/opt/sub")
            .directory("opt/sub")
            .file("opt/real", &dpkg(&["a@1"]))
            .file("real", &dpkg(&["decoy@1"]))
            .symlink(STATUS, "/x/../real"),
        debian()
            .symlink("x", "opt/sub")
            .directory("opt/sub")
            .file("opt/dpkg/status", &dpkg(&["a@1"]))
            .file("dpkg/status", &dpkg(&["decoy@1"]))
            .symlink("var/lib/dpkg", "/x/../dpkg"),
        debian()
            .symlink("opt/a", "/srv/b/c")
            .directory("srv/b/c")
            .file("srv/b/real", &dpkg(&["a@1"]))
            .file("opt/real", &dpkg(&["decoy@1"]))
            .symlink(STATUS, "../../../opt/a/../real"),
    ] {
        let (inventory, _) = merge_all(&[layer], &MergeOptions::default());
        assert_eq!(list(&inventory), ["a@1/0"]);
        assert!(inventory.problems.is_empty(), "{:?}", inventory.problems);
    }
}

#[test]
fn links_to_the_root_are_followed() {
    let debian = || FakeLayer::new().file("etc/debian_version", b"12.1\n");
    let status = "lib/dpkg/status";
    for link in [
        debian().symlink("var", "/"),
        debian().symlink("var", "."),
        debian().symlink("var", "../.."),
        debian().symlink("q", "/").hard_link("var", "q"),
    ] {
        let target = FakeLayer::new().file(status, &dpkg(&["a@1"]));
        let both = link.clone().file(status, &dpkg(&["a@1"]));
        let (inventory, _) = merge_all(&[both], &MergeOptions::default());
        assert_eq!(list(&inventory), ["a@1/0"]);
        let (inventory, _) = merge_all(&[target, link], &MergeOptions::default());
        assert_eq!(list(&inventory), ["a@1/0"]);
        assert!(inventory.problems.is_empty(), "{:?}", inventory.problems);
    }
    let layer = base().file("apk/db/installed", &apk(&["c@1"]));
    check(
        &[layer, FakeLayer::new().symlink("lib", "/")],
        &["c@1/0"],
        2,
    );
}

#[test]
fn links_beyond_the_limit_are_counted() {
    let mut layer = FakeLayer::new().file("etc/debian_version", b"12.1\n");
    for index in 0..5 {
        layer = layer
            .file(&format!("o/{index}"), &dpkg(&[&format!("p{index}@1")]))
            .symlink(
                &format!("var/lib/dpkg/status.d/{index}"),
                &format!("/o/{index}"),
            );
    }
    let options = MergeOptions {
        limits: Arc::new(Limits {
            aliases_per_image_max: 2,
            ..Limits::default()
        }),
        ..MergeOptions::default()
    };
    let (inventory, readings) = merge_all(&[layer], &options);
    assert_eq!((list(&inventory).len(), readings), (2, 2));
    let messages: Vec<_> = inventory
        .problems
        .iter()
        .map(|problem| (problem.kind, problem.message.as_str()))
        .collect();
    let expected = "3 files behind links beyond 2 (aliases_per_image_max)";
    assert_eq!(messages, [(ProblemKind::LimitExceeded, expected)]);
}

#[test]
fn dangling_links_above_a_database_are_problems() {
    for (link, target) in [
        ("var/lib/rpm", "/nowhere"),
        ("var/lib/rpm", "/elsewhere/x"),
        ("var/lib/rpm", "/etc/alpine-release"),
        ("var/lib/dpkg", "/var/lib/dpkg"),
        ("var/lib/dpkg/status.d", "x"),
        ("var/lib", "/nowhere"),
    ] {
        let (inventory, _) = merge_all(&[base().symlink(link, target)], &MergeOptions::default());
        let problems: Vec<_> = inventory
            .problems
            .iter()
            .map(|problem| (problem.kind, problem.path.as_str()))
            .collect();
        assert_eq!(problems, [(ProblemKind::DanglingLink, link)], "{target}");
    }
}

#[test]
fn names_that_are_not_utf8_are_told_behind_links() {
    let layer = || FakeLayer::new().file("etc/debian_version", b"12.1\n");
    let (a, b) = (dpkg(&["a@1"]), dpkg(&["b@1"]));
    for (layer, packages) in [
        (
            layer()
                .file("opt/\u{fffd}", &a)
                .lossy()
                .file("opt/\u{fffd}", &b)
                .lossy()
                .symlink(STATUS, "/opt/\u{fffd}"),
            0,
        ),
        (
            layer()
                .file("opt/\u{fffd}/status", &a)
                .lossy()
                .symlink("var/lib/dpkg", "/opt/\u{fffd}"),
            0,
        ),
        (
            layer()
                .file("opt/\u{fffd}", &a)
                .lossy()
                .hard_link(STATUS, "opt/\u{fffd}"),
            0,
        ),
        (
            layer()
                .file("opt/\u{fffd}", &a)
                .lossy()
                .symlink("var/lib/dpkg/status.d", "/opt"),
            1,
        ),
    ] {
        let (inventory, _) = merge_all(&[layer], &MergeOptions::default());
        assert_eq!(inventory.packages.len(), packages);
        let kinds = problem_kinds(&inventory);
        assert!(!kinds.is_empty());
        assert!(
            kinds
                .iter()
                .all(|kind| *kind == ProblemKind::UnreadableFile)
        );
    }
}

#[test]
fn what_another_extractor_read_is_read_again_behind_a_link() {
    let debian = || FakeLayer::new().file("etc/debian_version", b"12.1\n");
    for target in [
        APK,
        "etc/lsb-release",
        "opt/x.spdx.json",
        "usr/share/doc/a/copyright",
    ] {
        let layer = debian().file(target, &dpkg(&["a@1"]));
        for layer in [
            layer.clone().symlink(STATUS, &format!("/{target}")),
            layer
                .clone()
                .symlink(STATUS, "/k")
                .symlink("k", &format!("/{target}")),
            layer.hard_link(STATUS, target),
        ] {
            let (inventory, _) = merge_all(&[layer], &MergeOptions::default());
            assert_eq!(list(&inventory), ["a@1/0"], "{target}");
        }
    }
    for (directory, file) in [("usr/share/doc", "a"), ("usr/share/buildinfo", "a")] {
        let layer = debian()
            .file(&format!("{directory}/{file}"), &dpkg(&["a@1"]))
            .symlink("var/lib/dpkg/status.d", &format!("/{directory}"));
        check(&[layer], &["a@1/0"], 1);
    }
}

#[test]
fn a_release_file_behind_a_link_is_read() {
    let layers = [FakeLayer::new()
        .symlink("etc/os-release", "/opt/release")
        .file("opt/release", b"ID=alpine\nVERSION_ID=3.18\n")
        .file(APK, &apk(&["a@1"]))];
    let inventory = check(&layers, &["a@1/0"], 1);
    assert_eq!(inventory.family().as_str(), "alpine");
}

#[test]
fn packages_without_a_distribution_are_a_problem() {
    let layers = [FakeLayer::new().file(APK, &apk(&["a@1"]))];
    let inventory = check(&layers, &["a@1/0"], 0);
    assert_eq!(inventory.family().as_str(), "none");
    assert_eq!(problem_kinds(&inventory), [ProblemKind::UnknownDistro]);
    let (inventory, _) = merge_all(&[FakeLayer::new()], &MergeOptions::default());
    assert_eq!(inventory, ImageInventory::default());
}

#[test]
fn the_repositories_stand_in_for_a_release_file() {
    let layers = [FakeLayer::new()
        .file("etc/apk/repositories", b"https://x/alpine/v3.18/main\n")
        .file(APK, &apk(&["a@1"]))];
    let inventory = check(&layers, &["a@1/0"], 0);
    let distro = inventory.distro.expect("a distribution");
    assert_eq!(
        (distro.family.as_str(), distro.name.as_str()),
        ("alpine", "3.18")
    );
    assert!(inventory.repository_hint.is_some());
    assert!(inventory.problems.is_empty());
}

#[test]
fn a_named_distribution_replaces_the_detected_one() {
    let options = MergeOptions {
        distro: Some(Distro {
            family: cleanbill_core::distro::Family::new("wolfi"),
            name: "20230201".to_owned(),
            ..Distro::default()
        }),
        ..MergeOptions::default()
    };
    let layer = base().file("etc/apk/repositories", b"https://x/alpine/v3.18/main\n");
    let (inventory, _) = merge_all(&[layer], &options);
    assert_eq!(inventory.family().as_str(), "wolfi");
    assert!(inventory.repository_hint.is_none());
    let purl = inventory
        .packages
        .first()
        .and_then(|package| package.identifier.purl.clone());
    assert_eq!(
        purl.map(|purl| purl.to_string()).as_deref(),
        Some("pkg:apk/wolfi/a@1?distro=20230201")
    );
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
