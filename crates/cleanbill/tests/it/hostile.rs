//! Images that mean harm: none may crash the program, hang it, or speak to the terminal.

use cleanbill_testkit::{Compression, ImageBuilder, OciLayoutBuilder};
use serde_json::json;

use crate::samples;
use crate::sandbox::{Outcome, Sandbox};

/// Clears the screen, changes the title, turns text around, begins a new line.
const HARM: &str = "evil\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m##vso[task.x]\r";

/// Asserts that nothing on a stream can steer a terminal or the runner of a pipeline. Trivy's JSON is followed byte by byte:
/// it escapes the first control characters only.
#[track_caller]
fn is_harmless(outcome: &Outcome) {
    let is_trivy_json = outcome.stdout.contains("\"SchemaVersion\": 2");
    let steers = |c: char| match c {
        '\n' | '\t' => false,
        '\u{202a}'..='\u{202e}' | '\u{7f}'..='\u{9f}' => !is_trivy_json,
        c => c.is_control(),
    };
    for stream in [&outcome.stdout, &outcome.stderr] {
        let bad = stream.chars().find(|c| steers(*c));
        assert_eq!(bad, None, "{outcome}");
        assert!(!stream.contains("##vso["), "{outcome}");
    }
}

#[test]
fn names_of_an_image_do_not_reach_the_terminal_raw() {
    let sandbox = Sandbox::new();
    let status = samples::dpkg_status(&[("openssl", "3.0.11-1")])
        + &format!(
            "Package: {HARM}\nStatus: install ok installed\nVersion: 1-1\nArchitecture: amd64\n\n"
        );
    let image = ImageBuilder::new()
        .tag(&format!("shop/{HARM}:1"))
        .layer(|layer| {
            layer
                .file("etc/debian_version", "12.5\n")
                .file("var/lib/dpkg/status", status)
                .file(&format!("opt/{HARM}/x.spdx.json"), "{")
        })
        .created_by(&format!("RUN {HARM}"))
        .layer(|layer| {
            layer.file(
                "etc/os-release",
                format!("ID={HARM}\nPRETTY_NAME=\"{HARM}\"\n"),
            )
        });
    sandbox.write_image("evil.tar", &image);
    for call in [
        "scan --input evil.tar --list-all-pkgs",
        "scan --input evil.tar --list-all-pkgs --debug",
        "scan --input evil.tar -f json --list-all-pkgs",
        "scan --input evil.tar -f trivy-json",
        "scan --input evil.tar -o trivy-json=reports/",
    ] {
        let outcome = sandbox.run(call);
        assert!(matches!(outcome.code, Some(0 | 3)), "{outcome}");
        is_harmless(&outcome);
    }
    let table = sandbox.run("scan --input evil.tar --list-all-pkgs");
    table.prints(&["evil", "CVE-2099-0001"]);
    for name in sandbox.files("reports") {
        assert!(
            !name.contains('/') && !name.chars().any(char::is_control),
            "{name:?}"
        );
    }
    is_harmless(&sandbox.run(&format!("scan --input {}", HARM.trim())));
    is_harmless(&sandbox.run(&format!("scan {}", HARM.trim())));
    sandbox.write(".trivyignore", format!("CVE-1 exp:{HARM}\n"));
    is_harmless(&sandbox.run("scan --input evil.tar"));
}

#[test]
fn a_malformed_archive_is_exit_3_and_no_crash() {
    let sandbox = Sandbox::new();
    let good = samples::web().docker_archive();
    let layout = samples::web()
        .compression(Compression::Gzip)
        .oci_layout_tar();
    let lying = || samples::web().compression(Compression::Gzip);
    let zeros = format!("sha256:{}", "0".repeat(64));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("text", b"hello".to_vec()),
        ("zeros", vec![0; 4096]),
        ("half", good[..good.len() / 2].to_vec()),
        ("half-layout", layout[..layout.len() / 2].to_vec()),
        ("half-gzip", cleanbill_testkit::gzip(&good)[..200].to_vec()),
        ("no-image", cleanbill_testkit::docker_archive_of(&[])),
        ("lying-diff-id", samples::web().lying_diff_id(&zeros).docker_archive()),
        ("lying-digest", lying().lying_digest(&zeros).oci_layout_tar()),
        ("lying-size", lying().lying_size(7).oci_layout_tar()),
        ("no-gzip", lying().layer_stored_as(b"no gzip".to_vec()).oci_layout_tar()),
        ("cut-layer", samples::web().layer_stored_as(vec![1; 700]).docker_archive()),
        (
            "cycle",
            OciLayoutBuilder::new()
                .entry(
                    json!({"mediaType": "application/vnd.oci.image.index.v1+json", "digest": zeros, "size": 2}),
                    cleanbill_testkit::Blob::new("application/vnd.oci.image.index.v1+json", b"{}".to_vec()),
                )
                .tar(),
        ),
    ];
    for (name, bytes) in cases {
        sandbox.write(name, bytes);
        let outcome = sandbox
            .run(&format!("scan --input {name} -f json"))
            .exits(3);
        assert!(!outcome.stderr.contains("panicked"), "{outcome}");
        let report = outcome.json();
        assert_ne!(report["status"], "complete", "{name}: {report:#}");
        let problems = report["images"][0]["problems"].as_array().unwrap();
        assert!(!problems.is_empty(), "{name}: {report:#}");
    }
}

#[test]
fn a_digest_that_does_not_match_names_both() {
    let sandbox = Sandbox::new();
    let stated = format!("sha256:{}", "ab".repeat(32));
    let image = samples::web();
    let actual = image.diff_ids().pop().unwrap();
    sandbox.write_image("lying.tar", &image.lying_diff_id(&stated));
    let report = sandbox
        .run("scan --input lying.tar -f json")
        .exits(3)
        .json();
    let problems = report["images"][0]["problems"].to_string();
    assert!(
        problems.contains(&stated) && problems.contains(&actual),
        "{problems}"
    );
}

#[test]
fn what_can_be_read_is_reported_beside_what_cannot() {
    let sandbox = Sandbox::new();
    let image = samples::debian("part:1").layer(|layer| {
        layer
            .file("var/lib/rpm/rpmdb.sqlite", "no database")
            .link_loop("usr/lib/os-release")
            .file("../../../etc/escaped", "x")
            .file("/etc/absolute", "x")
            .symlink("etc/away", "../../../../../../etc/passwd")
    });
    sandbox.write_image("part.tar", &image);
    let outcome = sandbox.run("scan --input part.tar -f json").exits(3);
    let report = outcome.json();
    assert_eq!(report["images"][0]["status"], "partial");
    assert_eq!(report["total_vulnerabilities"], 2, "{report:#}");
    assert!(
        report["images"][0]["problems"]
            .to_string()
            .contains("rpmdb.sqlite"),
        "{report:#}"
    );
    assert!(!sandbox.path("../etc/escaped").exists());
}
