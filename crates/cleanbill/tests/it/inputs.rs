//! Archives, layouts and root directories given by `--input` and `--rootfs`.

use cleanbill_testkit::{Compression, ImageBuilder, OciLayoutBuilder, docker_archive_of};

use crate::samples;
use crate::sandbox::{Sandbox, finding_ids};

/// Asserts how many findings each image of a scan has.
#[track_caller]
fn check(sandbox: &Sandbox, call: &str, expected: &[usize]) {
    let outcome = sandbox
        .run(&format!("scan -f json {call}"))
        .exits(0)
        .warns_nothing();
    let report = outcome.json();
    let counts: Vec<usize> = finding_ids(&report).iter().map(Vec::len).collect();
    assert_eq!(counts, expected, "{outcome}");
}

#[test]
fn an_image_is_the_same_in_every_form() {
    let sandbox = Sandbox::new();
    let image = samples::web();
    sandbox
        .write("plain.tar", image.docker_archive())
        .write("packed.tar.gz", image.docker_archive_gz())
        .write("packed.tar.zst", image.docker_archive_zst())
        .write("new.tar", image.docker_archive_oci());
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let image = samples::web().compression(compression);
        sandbox.write(
            &format!("layout-{compression:?}.tar"),
            image.oci_layout_tar(),
        );
        image
            .write_oci_layout(&sandbox.path(&format!("layout-{compression:?}")))
            .unwrap();
    }
    for name in [
        "plain.tar",
        "packed.tar.gz",
        "packed.tar.zst",
        "new.tar",
        "layout-None.tar",
        "layout-Gzip.tar",
        "layout-Zstd.tar",
        "layout-None",
        "layout-Gzip",
        "layout-Zstd",
    ] {
        // Each with a cache of its own, so that each is read.
        check(
            &sandbox,
            &format!("--cache-dir cache-{name} --db-path cache/db --input {name}"),
            &[3],
        );
    }
    // Whatever the form, the layers are the same: nothing new is read.
    check(&sandbox, "--input plain.tar", &[3]);
    check(&sandbox, "--input layout-Zstd --input new.tar", &[3, 3]);
    let info = sandbox.run("cache info --json").exits(0).json();
    assert_eq!(info["layers"], 2);
}

#[test]
fn one_image_of_several_is_picked_by_tag_or_digest() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "all.tar",
        docker_archive_of(&[&samples::web(), &samples::worker(), &samples::clean()]),
    );
    check(&sandbox, "--input all.tar", &[3, 1, 0]);
    check(&sandbox, "--input all.tar:shop/worker:2", &[1]);
    let outcome = sandbox.run("scan --input all.tar:shop/absent:1").exits(3);
    outcome.prints(&["shop/absent:1"]);

    let layout = OciLayoutBuilder::new()
        .image(&samples::web())
        .image(&samples::worker());
    layout.write(&sandbox.path("layout")).unwrap();
    let (manifest, _) = samples::worker().oci_manifest();
    check(&sandbox, "--input layout", &[3, 1]);
    check(&sandbox, "--input layout:shop/web:1", &[3]);
    check(
        &sandbox,
        &format!("--input layout@{}", manifest.digest),
        &[1],
    );
}

#[test]
fn the_platform_is_picked_from_an_index() {
    let sandbox = Sandbox::new();
    let arm = samples::worker().platform("linux", "arm64", "v8");
    let amd = samples::web().platform("linux", "amd64", "");
    let attestation = ImageBuilder::new().platform("unknown", "unknown", "");
    OciLayoutBuilder::new()
        .index("shop/app:1", &[&attestation, &amd, &arm])
        .write(&sandbox.path("layout"))
        .unwrap();
    check(&sandbox, "--input layout --platform linux/amd64", &[3]);
    check(&sandbox, "--input layout --platform linux/arm64", &[1]);
    sandbox
        .run("scan --input layout --platform linux/s390x")
        .exits(3)
        .prints(&["s390x"]);
}

#[test]
fn an_archive_for_another_platform_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write_image("arm.tar", &samples::web().platform("linux", "arm64", "v8"));
    check(&sandbox, "--input arm.tar --platform linux/arm64", &[3]);
    sandbox
        .run("scan --input arm.tar --platform linux/amd64")
        .exits(3)
        .prints(&["platform linux/amd64 not found in image", "linux/arm64/v8"]);
}

#[test]
fn a_root_directory_is_scanned_in_place() {
    let sandbox = Sandbox::new();
    sandbox.write("root/etc/debian_version", "12.5\n").write(
        "root/var/lib/dpkg/status",
        samples::dpkg_status(&[("openssl", "3.0.11-1")]),
    );
    std::os::unix::fs::symlink("/etc/passwd", sandbox.path("root/etc/os-release")).unwrap();
    let before = sandbox.files("root");
    check(&sandbox, "--rootfs root", &[2]);
    assert_eq!(sandbox.files("root"), before);
    let report = sandbox
        .run("scan --rootfs root -f trivy-json")
        .exits(0)
        .json();
    assert_eq!(report["ArtifactType"], "filesystem");
    assert!(!report.to_string().contains("DiffID"), "{report:#}");
}

#[test]
fn an_image_without_packages_is_not_called_clean_silently() {
    let sandbox = Sandbox::new();
    let program = || ImageBuilder::new().layer(|layer| layer.file("app", "a program"));
    sandbox.write_image("scratch.tar", &program());
    sandbox.write_image(
        "unknown.tar",
        &program().layer(|layer| layer.file("etc/os-release", "ID=unheard-of\nVERSION_ID=1\n")),
    );
    sandbox.write_image(
        "known.tar",
        &program().layer(|layer| layer.file("etc/debian_version", "12.5\n")),
    );
    for name in ["scratch.tar", "unknown.tar", "known.tar"] {
        sandbox
            .run(&format!("scan --input {name} --pkg-types os"))
            .prints(&["no-packages"]);
        sandbox
            .run(&format!("scan --input {name} -f table"))
            .prints(&["no-packages"]);
        let report = sandbox.run(&format!("scan --input {name} -f json")).json();
        let kinds: Vec<_> = report["images"][0]["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|problem| &problem["kind"])
            .collect();
        assert!(
            kinds.iter().any(|kind| *kind == "no-packages"),
            "{report:#}"
        );
        sandbox
            .run(&format!("scan --input {name} -f trivy-json"))
            .prints(&["no-packages"]);
    }
}
