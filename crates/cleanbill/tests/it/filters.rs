//! Which findings count: severities, states, ignore files, VEX, thresholds.

use serde_json::json;

use crate::samples;
use crate::sandbox::{Sandbox, finding_ids};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    sandbox
}

/// Asserts which findings a scan of `web.tar` leaves.
#[track_caller]
fn check(sandbox: &Sandbox, flags: &str, expected: &[&str]) {
    let outcome = sandbox
        .run(&format!("scan --input web.tar -f json {flags}"))
        .exits(0);
    let report = outcome.json();
    let mut found = finding_ids(&report).concat();
    found.sort_unstable();
    assert_eq!(found, expected, "{outcome}");
}

const CRITICAL: &str = "CVE-2099-0001";
const HIGH: &str = "CVE-2099-0002";
const LOW: &str = "CVE-2099-0003";

#[test]
fn severities_and_states_are_filtered() {
    let sandbox = sandbox();
    check(&sandbox, "", &[CRITICAL, HIGH, LOW]);
    check(&sandbox, "--severity CRITICAL", &[CRITICAL]);
    check(&sandbox, "-s low,high", &[HIGH, LOW]);
    check(&sandbox, "--severity HIGH --severity LOW", &[HIGH, LOW]);
    check(&sandbox, "--ignore-unfixed", &[CRITICAL, HIGH]);
    check(&sandbox, "--ignore-unfixed=false", &[CRITICAL, HIGH, LOW]);
    check(&sandbox, "--ignore-status will_not_fix", &[CRITICAL, HIGH]);
    check(&sandbox, "--ignore-status fixed,affected", &[LOW]);
    check(&sandbox, "--pkg-types library", &[]);
    check(&sandbox, "--distro alpine/3.22", &[]);
}

#[test]
fn paths_can_be_skipped() {
    let sandbox = sandbox();
    let report = sandbox
        .run("scan --input web.tar -f json --skip-files var/lib/dpkg/status")
        .json();
    assert_eq!(finding_ids(&report).concat(), Vec::<&str>::new());
    // The cache must not give what was read without the rule, nor the other way round.
    check(&sandbox, "", &[CRITICAL, HIGH, LOW]);
}

#[test]
fn the_plain_ignore_file_is_found_or_named() {
    let sandbox = sandbox();
    sandbox.write(
        "accepted.txt",
        "# reviewed\nCVE-2099-0001\n\nCVE-2099-0003 exp:2001-01-01\n",
    );
    check(&sandbox, "--ignorefile accepted.txt", &[HIGH, LOW]);
    check(&sandbox, "", &[CRITICAL, HIGH, LOW]);
    sandbox.write(".trivyignore", "CVE-2099-0002\n");
    check(&sandbox, "", &[CRITICAL, LOW]);
    check(&sandbox, "--ignorefile accepted.txt", &[HIGH, LOW]);
}

#[test]
fn the_yaml_ignore_file_knows_paths_and_dates() {
    let sandbox = sandbox();
    sandbox.write(
        "accepted.yaml",
        "vulnerabilities:\n  - id: CVE-2099-0001\n    statement: not reachable\n    purls: [pkg:deb/debian/openssl]\n  \
         - id: CVE-2099-0002\n    expired_at: 2001-01-01\n  - id: CVE-2099-0003\n    purls: [pkg:deb/debian/bash]\n",
    );
    check(&sandbox, "--ignorefile accepted.yaml", &[HIGH, LOW]);
    sandbox.write("broken.yaml", "vulnerabilities: [");
    sandbox
        .run("scan --input web.tar --ignorefile broken.yaml")
        .exits(2)
        .warns(&["broken.yaml"]);
    sandbox
        .run("scan --input web.tar --ignorefile absent.yaml")
        .exits(2)
        .warns(&["absent.yaml"]);
}

#[test]
fn suppressed_findings_are_shown_with_their_reason() {
    let sandbox = sandbox();
    sandbox.write(
        "accepted.yaml",
        "vulnerabilities:\n  - id: CVE-2099-0001\n    statement: not reachable here\n",
    );
    let call = "scan --input web.tar --ignorefile accepted.yaml";
    sandbox.run(call).exits(0).lacks(&["CVE-2099-0001"]);
    sandbox
        .run(&format!("{call} --show-suppressed"))
        .exits(0)
        .prints(&["CVE-2099-0001", "not reachable here", "accepted.yaml"]);
    let report = sandbox
        .run(&format!("{call} --show-suppressed -f json"))
        .exits(0)
        .json();
    assert!(
        report.to_string().contains("not reachable here"),
        "{report:#}"
    );
    // What was accepted does not fail a gate.
    sandbox
        .run(&format!("{call} --fail-on critical --show-suppressed"))
        .exits(0);
}

#[test]
fn a_vex_document_takes_findings_out() {
    let sandbox = sandbox();
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex-1",
        "author": "A",
        "timestamp": "2026-11-01T00:00:00Z",
        "version": 1,
        "statements": [{
            "vulnerability": {"name": "CVE-2099-0002"},
            "products": [{"@id": "pkg:deb/debian/curl"}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        }, {
            "vulnerability": {"name": "CVE-2099-0001"},
            "products": [{"@id": "pkg:deb/debian/openssl"}],
            "status": "affected",
        }],
    });
    sandbox.write("vex.json", document.to_string());
    check(&sandbox, "--vex vex.json", &[CRITICAL, LOW]);
    sandbox
        .run("scan --input web.tar --vex vex.json --show-suppressed")
        .exits(0)
        .prints(&["CVE-2099-0002", "vulnerable code not in execute path"]);
    sandbox.write("broken.json", "{}");
    sandbox
        .run("scan --input web.tar --vex broken.json")
        .exits(2)
        .warns(&["broken.json"]);
}

#[test]
fn rules_that_make_no_sense_are_warned_about() {
    let sandbox = sandbox();
    sandbox.write(".trivyignore", "CVE-2099-0001 exp:tomorrow\n");
    sandbox
        .run("scan --input web.tar")
        .exits(0)
        .warns(&[".trivyignore", "tomorrow"]);
}

#[test]
fn ignore_files_of_other_tools_are_understood() {
    let sandbox = sandbox();
    sandbox.write("accepted.txt", "CVE-2099-0001\n");
    sandbox.write(
        ".grype.yaml",
        "only-fixed: true\nignore:\n  - package: {name: cu.*, type: deb}\n    reason: behind a proxy\n  \
         - vulnerability: CVE-2099-0003\n    namespace: nvd:cpe\n",
    );
    sandbox.write(
        "osv-scanner.toml",
        "[[IgnoredVulns]]\nid = \"CVE-2099-0003\"\nignoreUntil = 2001-01-01\n",
    );
    let flags = "--ignorefile accepted.txt --ignorefile .grype.yaml --ignorefile osv-scanner.toml";
    check(&sandbox, flags, &[LOW]);
    let outcome = sandbox
        .run(&format!("scan --input web.tar -f json {flags}"))
        .exits(0)
        .warns(&[
            "accepted.txt: 1 rule, 1 applied to 1 finding\n",
            ".grype.yaml: 3 rules, 1 applied to 1 finding, 2 not understood",
            ".grype.yaml:1: only-fixed: not understood: this setting is not read; use --ignore-unfixed",
            ".grype.yaml:5: CVE-2099-0003: not understood: the condition 'namespace'",
            "osv-scanner.toml: 1 rule, 0 applied to 0 findings, 1 expired",
        ]);
    let report = outcome.json();
    let outcomes: Vec<_> = report["exceptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (rule["outcome"].as_str().unwrap(), rule["line"].as_u64()))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("applied", Some(1)),
            ("not_understood", Some(1)),
            ("applied", Some(3)),
            ("not_understood", Some(5)),
            ("expired", Some(1)),
        ]
    );
    sandbox.write("osv-scanner.toml", "[[IgnoredVulns]\n");
    sandbox
        .run("scan --input web.tar --ignorefile osv-scanner.toml")
        .exits(2)
        .warns(&["osv-scanner.toml", "not valid TOML", "line 1"]);
}

#[test]
fn what_exceptions_say_can_be_handed_on_as_vex() {
    let sandbox = sandbox();
    sandbox.write(
        "accepted.yaml",
        "vulnerabilities:\n  - id: CVE-2099-0001\n    statement: 'component_not_present: removed'\n  \
         - id: CVE-2099-0003\n    statement: only on the build host\n",
    );
    let call = "scan --input web.tar --ignorefile accepted.yaml --show-suppressed";
    sandbox
        .run(&format!("{call} -o openvex=vex.json -o cyclonedx=bom.json"))
        .exits(0);
    let statuses: Vec<_> = sandbox.read_json("vex.json")["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|statement| statement["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(statuses, ["not_affected", "affected"]);
    // An accepted risk is none that others need not know of.
    check(&sandbox, "--vex vex.json", &[HIGH, LOW]);
    // Nor does the bill of materials claim that it does no harm.
    check(&sandbox, "--vex bom.json", &[CRITICAL, HIGH, LOW]);
}

#[test]
fn a_cyclonedx_document_takes_findings_out() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar -o cyclonedx=bom.json")
        .exits(0);
    let mut document = sandbox.read_json("bom.json");
    for vulnerability in document["vulnerabilities"].as_array_mut().unwrap() {
        if vulnerability["id"] == HIGH {
            vulnerability["analysis"] =
                json!({"state": "not_affected", "justification": "code_not_reachable"});
        }
    }
    sandbox.write("vex.json", document.to_string());
    check(&sandbox, "--vex vex.json", &[CRITICAL, LOW]);
    sandbox
        .run("scan --input web.tar --vex vex.json --show-suppressed")
        .exits(0)
        .prints(&[HIGH, "CycloneDX VEX"]);
}
