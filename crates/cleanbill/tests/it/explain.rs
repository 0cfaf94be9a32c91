//! `cleanbill explain`.

use crate::samples;
use crate::sandbox::Sandbox;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    sandbox.write_image("clean.tar", &samples::clean());
    sandbox
}

#[test]
fn what_is_reported_is_explained() {
    sandbox()
        .run("explain CVE-2099-0001 --input web.tar")
        .exits(0)
        .warns_nothing()
        .prints(&[
            "CVE-2099-0001: openssl: crafted certificates run code",
            "web.tar",
            "reported: openssl 3.0.11-1 in ",
            "layer        #0 ADD rootfs.tar.xz /",
            "advisory     CVE-2099-0001 for 'openssl' in 'debian 12': fixed in 3.0.13-1",
            "compared     3.0.11-1 with < 3.0.13-1 (deb)",
            "severity     CRITICAL by nvd",
            "what to do   upgrade openssl to 3.0.13-1",
        ]);
}

#[test]
fn what_is_not_reported_is_explained() {
    let sandbox = sandbox();
    let check = |call: &str, expected: &str| {
        sandbox.run(call).exits(0).prints(&[expected]);
    };
    // The version is not affected any more.
    check(
        "explain CVE-2099-0004 --input clean.tar",
        "not affected: busybox 1.36.1-r29",
    );
    // Nothing in the image has to do with it.
    check(
        "explain CVE-2099-0001 --input clean.tar",
        "the database knows it, but has nothing about any package of this image",
    );
    check(
        "explain CVE-1999-9999 --input clean.tar",
        "the advisory database does not know CVE-1999-9999",
    );
    // Filters and exceptions.
    check(
        "explain CVE-2099-0003 --input web.tar --severity HIGH",
        "not shown: --severity leaves it out: openssl",
    );
    check(
        "explain CVE-2099-0003 --input web.tar --severity HIGH --pkg-types library",
        "not shown: --pkg-types, --severity leaves it out: openssl",
    );
    check(
        "explain CVE-2099-0004 --input web.tar --skip-dirs usr",
        "(what --skip-dirs and --skip-files name was not looked at)",
    );
    sandbox.write(".trivyignore", "CVE-2099-0003\n");
    check(
        "explain cve-2099-0003 --input web.tar",
        "excepted: openssl 3.0.11-1: ignored by .trivyignore",
    );
}

#[test]
fn the_release_of_the_repositories_counts_as_in_a_scan() {
    let sandbox = Sandbox::new();
    let image = samples::alpine("a:1", &[("busybox", "1.36.1-r28")]).layer(|layer| {
        layer.file("etc/alpine-release", "3.20.1\n").file(
            "etc/apk/repositories",
            "https://dl-cdn.alpinelinux.org/alpine/v3.22/main\n",
        )
    });
    sandbox.write_image("a.tar", &image);
    sandbox
        .run("explain CVE-2099-0004 --input a.tar")
        .exits(0)
        .prints(&[
            "reported: busybox 1.36.1-r28",
            "advisory     CVE-2099-0004 for 'busybox' in 'alpine 3.22'",
        ]);
}

#[test]
fn what_was_not_assessed_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write_image("mystery.tar", &samples::mystery());
    sandbox
        .run("explain CVE-2099-0001 --input mystery.tar")
        .exits(3)
        .prints(&["✗ not assessed: "]);
}

#[test]
fn saved_reports_are_explained() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar -o json=packages.json --list-all-pkgs")
        .exits(0);
    sandbox
        .run("explain CVE-2099-0002 --report packages.json")
        .exits(0)
        .prints(&["reported: curl 7.88.1-10", "'curl' in 'debian 12'"]);
    sandbox
        .run("explain CVE-2099-0004 --report packages.json")
        .exits(0)
        .prints(&["nothing about any package of this image"]);
    sandbox
        .run("scan --input web.tar -o json=short.json")
        .exits(0);
    sandbox
        .run("explain CVE-2099-0004 --report short.json")
        .exits(0)
        .prints(&["the report lists no packages"]);
    sandbox.write("broken.json", "{");
    sandbox
        .run("explain CVE-2099-0004 --report broken.json")
        .exits(2)
        .warns(&["broken.json"]);
}

#[test]
fn reports_in_trivys_form_are_explained_as_far_as_they_say() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar -f trivy-json -o trivy.json")
        .exits(0);
    sandbox
        .run("explain CVE-2099-0001 --report trivy.json")
        .exits(0)
        .prints(&["reported: openssl 3.0.11-1 in ", "layer        #0"])
        .lacks(&["compared", "every version is affected"]);
}

#[test]
fn without_a_database_is_said_what_to_do() {
    let sandbox = Sandbox::without_database();
    sandbox.write("r.json", "{}");
    sandbox
        .run("explain CVE-2099-0001 --report r.json")
        .exits(4)
        .warns(&["no usable advisory database", "cleanbill db update"]);
}

#[test]
fn a_call_without_an_image_is_an_error() {
    sandbox()
        .run("explain CVE-2099-0001")
        .exits(2)
        .warns(&["no image is named", "cleanbill explain CVE-2099-0001"]);
}
