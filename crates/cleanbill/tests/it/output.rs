//! Formats, and where reports go.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use crate::samples;
use crate::sandbox::{Sandbox, finding_ids};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write_image("web.tar", &samples::web())
        .write_image("worker.tar", &samples::worker())
        .write_image("clean.tar", &samples::clean());
    sandbox
}

#[test]
fn the_default_is_a_table_on_standard_output() {
    let outcome = sandbox()
        .run("scan --input web.tar --input clean.tar")
        .exits(0)
        .warns_nothing();
    outcome
        .prints(&[
            "web.tar",
            "debian 12.5",
            "CVE-2099-0001",
            "3.0.13-1",
            "no known vulnerabilities",
        ])
        .lacks(&["\u{1b}["]);
}

#[test]
fn every_finding_carries_the_layer_and_the_history_line_of_its_package() {
    let sandbox = sandbox();
    let table = sandbox.run("scan --input web.tar").exits(0);
    table.prints(&[
        "LAYER",
        "#0   ADD rootfs.tar.xz /",
        "#1   RUN apt-get install -y curl",
    ]);
    let report = sandbox.run("scan --input web.tar -f json").exits(0).json();
    for finding in report["images"][0]["results"][0]["findings"]
        .as_array()
        .unwrap()
    {
        // The base has openssl already; curl came with the second layer.
        let (index, step) = match finding["package"]["name"].as_str() {
            Some("openssl") => (0, "ADD rootfs.tar.xz /"),
            _ => (1, "RUN apt-get install -y curl"),
        };
        let diff_id = &samples::web().diff_ids()[index];
        assert_eq!(finding["layer"]["index"], index, "{finding}");
        assert_eq!(finding["layer"]["diff_id"], diff_id.as_str(), "{finding}");
        assert_eq!(finding["layer"]["created_by"], step, "{finding}");
    }
}

#[test]
fn our_json_keeps_to_its_schema() {
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/schema/report.schema.json"
    );
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let sandbox = sandbox();
    sandbox
        .write_image("mystery.tar", &samples::mystery())
        .write_image("retired.tar", &samples::retired())
        .write("broken.tar", "no archive");
    for (call, code) in [
        ("--input web.tar", 0),
        ("--input web.tar --list-all-pkgs", 0),
        ("--input clean.tar", 0),
        ("--input retired.tar", 0),
        ("--input mystery.tar", 3),
        ("--input broken.tar", 3),
        (
            "--input web.tar --input absent.tar --input worker.tar --show-suppressed",
            2,
        ),
    ] {
        let report = sandbox
            .run(&format!("scan -f json {call}"))
            .exits(code)
            .json();
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{call}: {errors:?}\n{report:#}");
    }
}

#[test]
fn several_images_are_one_report() {
    let sandbox = sandbox();
    let one = sandbox.run("scan --input web.tar -f json").exits(0).json();
    assert_eq!(one["image"], "web.tar");
    assert_eq!(one["total_vulnerabilities"], 3);
    let all = sandbox
        .run("scan --input web.tar --input worker.tar --input clean.tar -f json")
        .exits(0)
        .json();
    assert_eq!(all.get("image"), None);
    assert_eq!(all["total_vulnerabilities"], 4);
    assert_eq!(all["severity_summary"]["CRITICAL"], 1);
    assert_eq!(all["severity_summary"]["MEDIUM"], 1);
    assert_eq!(
        finding_ids(&all),
        [
            vec!["CVE-2099-0002", "CVE-2099-0001", "CVE-2099-0003"],
            vec!["CVE-2099-0004"],
            vec![]
        ]
    );
}

#[test]
fn with_an_output_standard_output_is_silent() {
    let sandbox = sandbox();
    let outcome = sandbox.run(
        "scan --input web.tar -f json -o default.out -o table=a.txt -o json=b.json -o trivy-json=c.json -o other=d",
    );
    assert_eq!(outcome.exits(0).warns_nothing().stdout, "");
    assert_eq!(sandbox.read_json("default.out")["image"], "web.tar");
    assert!(sandbox.read("a.txt").contains("CVE-2099-0001"));
    assert_eq!(sandbox.read_json("b.json")["total_vulnerabilities"], 3);
    assert_eq!(sandbox.read_json("c.json")["SchemaVersion"], 2);
    assert_eq!(
        sandbox.read_json("other=d")["image"],
        "web.tar",
        "no format, so a file name"
    );
    assert_eq!(
        sandbox
            .files("")
            .iter()
            .filter(|name| name.contains("cleanbill-report"))
            .count(),
        0,
        "temporary files are left"
    );
}

#[test]
fn a_dash_is_standard_output() {
    let sandbox = sandbox();
    let outcome = sandbox
        .run("scan --input web.tar -o json=- -o table=a.txt")
        .exits(0);
    assert_eq!(outcome.json()["image"], "web.tar");
    assert!(sandbox.read("a.txt").contains("web.tar"));
}

#[test]
fn an_output_replaces_the_file_that_was_there() {
    let sandbox = sandbox();
    sandbox.write("a.json", "x".repeat(1 << 20));
    sandbox
        .run("scan --input clean.tar -o json=a.json")
        .exits(0);
    assert_eq!(sandbox.read_json("a.json")["total_vulnerabilities"], 0);
}

#[test]
fn what_is_no_file_is_written_in_place() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar -o json=/dev/null")
        .exits(0);
    let outcome = sandbox
        .run("scan --input web.tar -o json=/dev/stdout")
        .exits(0);
    assert_eq!(outcome.json()["image"], "web.tar");
}

#[test]
fn trivy_json_holds_one_image_or_one_per_file() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar --input worker.tar -f trivy-json")
        .exits(2)
        .warns(&["trivy-json", "one image", "-o trivy-json=DIR/"]);
    sandbox
        .run("scan --input web.tar --input worker.tar -o trivy-json=reports/")
        .exits(0);
    assert_eq!(
        sandbox.files("reports"),
        ["web.tar.json", "worker.tar.json"]
    );
    assert_eq!(
        sandbox.read_json("reports/web.tar.json")["ArtifactName"],
        "web.tar"
    );
    let report = sandbox
        .run("scan --input worker.tar -f trivy-json")
        .exits(0)
        .json();
    assert_eq!(
        report["Results"][0]["Vulnerabilities"][0]["VulnerabilityID"],
        "CVE-2099-0004"
    );
}

#[test]
fn an_archive_of_several_images_is_refused_where_one_is_held() {
    let sandbox = sandbox();
    let archive = cleanbill_testkit::docker_archive_of(&[
        &samples::web(),
        &samples::worker(),
        &samples::clean(),
    ]);
    sandbox.write("all.tar", archive);
    sandbox
        .run("scan --input all.tar -f trivy-json")
        .exits(2)
        .warns(&["one image", "3"]);
    let report = sandbox.run("scan --input all.tar -f json").exits(0).json();
    assert_eq!(report["images"].as_array().unwrap().len(), 3);
    let report = sandbox
        .run("scan --input all.tar:shop/worker:2 -f trivy-json")
        .exits(0)
        .json();
    assert_eq!(report["ArtifactName"], "all.tar:shop/worker:2");
}

#[test]
fn packages_are_listed_where_asked_for() {
    let sandbox = sandbox();
    let count = |call: &str| {
        let report = sandbox
            .run(&format!("scan --input worker.tar {call}"))
            .exits(0)
            .json();
        let ours = report["images"][0]["results"][0]["packages"]
            .as_array()
            .map_or(0, Vec::len);
        ours + report["Results"][0]["Packages"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!(count("-f json"), 0);
    assert_eq!(count("-f json --list-all-pkgs"), 2);
    assert_eq!(count("-f trivy-json"), 2);
    assert_eq!(count("-f trivy-json --list-all-pkgs=false"), 0);
}

#[test]
fn a_place_that_cannot_be_written_is_exit_2() {
    let sandbox = sandbox();
    sandbox.write("file", "");
    for place in [
        "json=absent/dir/a.json",
        "json=file/a.json",
        "trivy-json=file/dir/",
    ] {
        sandbox
            .run(&format!("scan --input web.tar -o {place}"))
            .exits(2)
            .warns(&[
                "error:",
                place.split_once('=').unwrap().1.trim_end_matches('/'),
            ]);
    }
}

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    let sandbox = sandbox();
    let call = "scan --input web.tar";
    sandbox.run(call).lacks(&["\u{1b}["]);
    sandbox
        .run(&format!("{call} --color always"))
        .exits(0)
        .prints(&["\u{1b}["]);
    sandbox
        .run_with([("NO_COLOR", "1")], call)
        .exits(0)
        .lacks(&["\u{1b}["]);
    sandbox
        .run(&format!("{call} --color never"))
        .lacks(&["\u{1b}["]);
    sandbox
        .run(&format!("{call} --color always -o a.txt"))
        .exits(0);
    assert!(
        !sandbox.read("a.txt").contains('\u{1b}'),
        "a file has no colour"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = sandbox();
    // More than a pipe holds.
    let packages: Vec<(String, &str)> = (0..3000)
        .map(|n| (format!("package-with-a-long-name-{n}"), "1.0-1"))
        .collect();
    let packages: Vec<(&str, &str)> = packages
        .iter()
        .map(|(name, v)| (name.as_str(), *v))
        .collect();
    sandbox.write_image("many.tar", &samples::alpine("many:1", &packages));
    for format in ["table", "json", "trivy-json"] {
        let call = format!("scan --input many.tar --list-all-pkgs --full -f {format}");
        let mut child = sandbox.command(&call).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(!line.is_empty());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
        assert_eq!(output.status.code(), Some(0), "{format}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let sandbox = sandbox();
    for format in ["table", "json", "trivy-json"] {
        let call = |cache: &str| {
            let call =
                format!("--cache-dir {cache} scan --db-path cache/db --input web.tar -f {format}");
            redacted(&sandbox.run(&call).exits(0).stdout)
        };
        let first = call("one");
        assert_eq!(first, call("two"), "{format}: another cold cache");
        assert_eq!(first, call("two"), "{format}: a warm cache");
        assert!(first.contains("CVE-2099-0001"));
    }
}

/// Takes out the fields that may differ between two runs.
fn redacted(report: &str) -> String {
    const VOLATILE: [&str; 6] = [
        "report_id",
        "created_at",
        "duration_ms",
        "age_hours",
        "ReportID",
        "CreatedAt",
    ];
    let keep = |line: &&str| {
        !VOLATILE
            .iter()
            .any(|name| line.contains(&format!("\"{name}\"")))
    };
    report.lines().filter(keep).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_quiet_run_prints_the_report_and_errors_only() {
    let sandbox = sandbox();
    sandbox.write(".trivyignore", "CVE-1 exp:whenever\n");
    let loud = sandbox.run("scan --input web.tar").exits(0);
    assert!(
        loud.stderr.contains("exp:") || loud.stderr.contains("whenever"),
        "{loud}"
    );
    sandbox
        .run("scan --input web.tar -q")
        .exits(0)
        .warns_nothing()
        .prints(&["CVE-2099-0001"]);
    sandbox.run("scan --input absent.tar -q").exits(2);
}

#[test]
fn debug_and_json_logs_go_to_standard_error() {
    let sandbox = sandbox();
    let outcome = sandbox
        .run("scan --input web.tar -f json --debug --log-format json")
        .exits(0);
    assert_eq!(outcome.json()["image"], "web.tar");
    assert!(outcome.stderr.lines().count() > 0, "{outcome}");
    for line in outcome.stderr.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}
