//! Links between files and layers.

use super::*;

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
