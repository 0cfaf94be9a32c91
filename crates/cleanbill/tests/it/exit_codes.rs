//! The contract with pipelines: which exit code, and which of several.

use crate::samples;
use crate::sandbox::{Sandbox, finding_ids};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write_image("web.tar", &samples::web())
        .write_image("clean.tar", &samples::clean())
        .write_image("mystery.tar", &samples::mystery())
        .write_image("retired.tar", &samples::retired())
        .write("broken.tar", "this is no archive");
    sandbox
}

#[test]
fn the_first_of_two_four_one_three_counts() {
    let sandbox = sandbox();
    for (expected, call) in [
        (0, "scan --input web.tar"),
        (0, "scan --input clean.tar --exit-code 1 --fail-on low"),
        // An end of life is no failure.
        (0, "scan --input retired.tar --exit-code 1"),
        (1, "scan --input web.tar --fail-on critical"),
        (1, "scan --input web.tar --fail-on critical=0"),
        (0, "scan --input web.tar --fail-on critical=1,high=1"),
        (1, "scan --input web.tar --fail-on medium"),
        (1, "scan --input web.tar --exit-code 1"),
        (7, "scan --input web.tar --exit-code 7"),
        (7, "scan --input web.tar --exit-code 7 --fail-on critical"),
        (0, "scan --input web.tar --exit-code 0"),
        (0, "scan --input web.tar --exit-code 1 --severity MEDIUM"),
        (2, "scan"),
        (2, "scan --input absent.tar"),
        (2, "scan --rootfs absent"),
        (2, "scan --input web.tar --ignorefile absent"),
        (2, "scan --input web.tar --vex absent"),
        (2, "scan --input web.tar -o absent/file"),
        (3, "scan --input broken.tar"),
        (3, "scan --input mystery.tar"),
        (3, "scan --offline registry:localhost:1/a:1"),
        (4, "scan --input web.tar --max-db-age 48h"),
        (4, "scan --input web.tar --db-path empty --offline"),
        // Two at a time, the one that counts first.
        (
            2,
            "scan --input absent.tar --input web.tar --max-db-age 48h",
        ),
        (2, "scan --input absent.tar --input web.tar --exit-code 7"),
        (2, "scan --input absent.tar --input broken.tar"),
        (4, "scan --input web.tar --max-db-age 48h --exit-code 7"),
        (
            4,
            "scan --input web.tar --max-db-age 48h --input broken.tar",
        ),
        (7, "scan --input web.tar --exit-code 7 --input broken.tar"),
        (7, "scan --input web.tar --exit-code 7 --input mystery.tar"),
        (
            1,
            "scan --input web.tar --fail-on critical --input broken.tar",
        ),
        // All at once.
        (
            2,
            "scan --input absent.tar --max-db-age 1h --exit-code 7 --input web.tar --input broken.tar",
        ),
    ] {
        sandbox.run(call).exits(expected);
    }
}

#[test]
fn the_report_still_shows_the_rest() {
    let sandbox = sandbox();
    let outcome = sandbox
        .run("scan -f json --max-db-age 1h --fail-on critical --input absent.tar --input web.tar --input broken.tar")
        .exits(2)
        .warns(&["gate failed", "--max-db-age"]);
    let report = outcome.json();
    let status: Vec<_> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["status"].as_str().unwrap())
        .collect();
    assert_eq!(status, ["failed", "complete", "failed"]);
    assert_eq!(finding_ids(&report)[1].len(), 3);
    for index in [0, 2] {
        assert_eq!(
            report["images"][index]["problems"][0]["kind"], "image-failed",
            "{report:#}"
        );
    }
    let message = report["images"][0]["problems"][0]["message"]
        .as_str()
        .unwrap();
    assert!(message.contains("absent.tar"), "{message}");
}

#[test]
fn a_failed_gate_says_why() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar --fail-on critical=0,high=5")
        .exits(1)
        .warns(&["gate failed", "CRITICAL", "1"]);
    sandbox
        .run("scan --input web.tar --exit-code 5")
        .exits(5)
        .warns(&["gate failed"]);
}

#[test]
fn what_was_not_assessed_is_never_clean() {
    let sandbox = sandbox();
    for (file, kind, mark) in [
        ("mystery.tar", "unknown-distro", "NOT ASSESSED"),
        ("broken.tar", "image-failed", "NOT ASSESSED"),
    ] {
        let table = sandbox.run(&format!("scan --input {file}")).exits(3);
        table
            .clone()
            .prints(&[kind])
            .lacks(&["no known vulnerabilities"]);
        assert!(table.stdout.to_uppercase().contains(mark), "{table}");
        let report = sandbox
            .run(&format!("scan --input {file} -f json"))
            .exits(3)
            .json();
        assert_ne!(report["status"], "complete");
        assert!(
            report["images"][0]["problems"].to_string().contains(kind),
            "{report:#}"
        );
        let report = sandbox
            .run(&format!("scan --input {file} -f trivy-json"))
            .exits(3)
            .json();
        assert!(
            report["Cleanbill"]["Problems"].to_string().contains(kind),
            "{report:#}"
        );
    }
    let retired = sandbox.run("scan --input retired.tar").exits(0);
    retired.prints(&["end of life", "end-of-life"]);
}

#[test]
fn an_unreadable_file_of_the_users_is_exit_2() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may read every file");
        return;
    }
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = sandbox();
    std::fs::set_permissions(
        sandbox.path("web.tar"),
        std::fs::Permissions::from_mode(0o000),
    )
    .unwrap();
    sandbox
        .run("scan --input web.tar")
        .exits(2)
        .warns(&["web.tar"]);
}
