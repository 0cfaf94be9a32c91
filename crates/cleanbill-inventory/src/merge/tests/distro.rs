//! What names the distribution.

use super::*;

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
