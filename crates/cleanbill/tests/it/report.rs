//! Saved reports in other formats.

use cleanbill_report::FORMATS;
use serde_json::Value;

use crate::samples;
use crate::sandbox::Sandbox;

const EVERYTHING: &str = "--list-all-pkgs --show-suppressed";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write_image("web.tar", &samples::web())
        .write_image("mystery.tar", &samples::mystery())
        .write(".trivyignore", "CVE-2099-0002\n");
    sandbox
}

#[test]
fn a_saved_report_gives_what_the_scan_would_have_given() {
    let sandbox = sandbox();
    let outputs: Vec<String> = FORMATS
        .iter()
        .map(|info| format!("-o {0}=scan.{0}", info.name))
        .collect();
    sandbox
        .run(&format!(
            "scan --input web.tar {EVERYTHING} {}",
            outputs.join(" ")
        ))
        .exits(0);
    for info in FORMATS {
        let name = info.name;
        let outcome = sandbox
            .run(&format!(
                "report scan.json {EVERYTHING} -f {name} -o again.{name}"
            ))
            .exits(0)
            .warns_nothing();
        assert_eq!(outcome.stdout, "");
        let (scanned, again) = (
            sandbox.read(&format!("scan.{name}")),
            sandbox.read(&format!("again.{name}")),
        );
        assert!(scanned == again, "{name}\n{scanned}\n{again}");
    }
}

#[test]
fn several_reports_become_one() {
    let sandbox = sandbox();
    sandbox.run("scan --input web.tar -o json=a.json").exits(0);
    sandbox
        .run("scan --input mystery.tar -o json=b.json")
        .exits(3);
    let report = sandbox
        .run("report a.json --from b.json -f json")
        .exits(0)
        .json();
    assert_eq!(report["images"].as_array().unwrap().len(), 2);
    assert_eq!(report["status"], "partial");
    sandbox
        .run("report a.json b.json -f markdown")
        .exits(0)
        .prints(&["NOT ASSESSED COMPLETELY", "CVE-2099-0001"]);
    sandbox
        .run("report a.json b.json -f gitlab")
        .exits(2)
        .warns(&["gitlab", "one image", "-o gitlab=DIR/"]);
    sandbox.run("report a.json b.json -o html=pages/").exits(0);
    assert_eq!(sandbox.files("pages"), ["mystery.tar.html", "web.tar.html"]);
}

#[test]
fn reports_of_several_days_show_a_trend() {
    let sandbox = sandbox();
    sandbox.run("scan --input web.tar -o json=a.json").exits(0);
    let mut older = sandbox.read_json("a.json");
    older["created_at"] = "2026-01-02T03:04:05Z".into();
    let finding = older["images"][0]["results"][0]["findings"][0].clone();
    let findings = older["images"][0]["results"][0]["findings"].as_array_mut();
    findings.unwrap().push(finding);
    for place in [None, Some(0)] {
        let of = match place {
            None => &mut older,
            Some(image) => &mut older["images"][image],
        };
        of["total_vulnerabilities"] = 3.into();
        of["severity_summary"]["CRITICAL"] = 2.into();
    }
    sandbox.write("older.json", older.to_string());
    sandbox
        .run("report a.json older.json -o html=a.html -o markdown=a.md -o json=whole.json")
        .exits(0);
    let (html, markdown) = (sandbox.read("a.html"), sandbox.read("a.md"));
    assert!(html.contains("Trend of web.tar"), "{html}");
    assert!(markdown.contains("| 2026-01-02 03:04 UTC |"), "{markdown}");
    assert!(markdown.contains("| −1 |"), "{markdown}");
    // The pages are about the latest.
    assert_eq!(markdown.matches("\n## `web.tar`").count(), 1, "{markdown}");
    assert!(!markdown.contains("scanned 2026-01-02"), "{markdown}");
    let whole = sandbox.read_json("whole.json");
    assert_eq!(whole["images"].as_array().unwrap().len(), 2);
    // What is excepted counts in none of them.
    sandbox.write(
        "exceptions.yaml",
        "- {id: CVE-2099-0001, reason: accepted}\n- {id: CVE-2099-0002, reason: accepted}\n",
    );
    sandbox
        .run("report a.json older.json --exceptions exceptions.yaml -f markdown")
        .exits(0)
        .prints(&["| ±0 |"]);
}

#[test]
fn json_keeps_what_was_saved() {
    let sandbox = sandbox();
    sandbox
        .run(&format!(
            "scan --input web.tar --severity HIGH,CRITICAL {EVERYTHING} -o json=a.json"
        ))
        .exits(0);
    let report = sandbox.run("report a.json -f json").exits(0).json();
    assert_eq!(report, sandbox.read_json("a.json"));
    assert_eq!(report["selection"], "CRITICAL, HIGH");
    sandbox
        .run("report a.json -f html")
        .exits(0)
        .prints(&["Shown are only: CRITICAL, HIGH", "1 finding suppressed"]);
}

#[test]
fn a_report_of_trivys_is_read_too() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar -o trivy-json=t.json")
        .exits(0);
    sandbox
        .run("report t.json")
        .exits(0)
        .prints(&["web.tar", "CVE-2099-0001"]);
    sandbox
        .run("report t.json -f cyclonedx")
        .exits(0)
        .prints(&["\"bomFormat\": \"CycloneDX\""]);
}

#[test]
fn what_a_report_was_saved_without_is_not_made_up() {
    let sandbox = sandbox();
    sandbox.run("scan --input web.tar -o json=a.json").exits(0);
    for format in ["cyclonedx", "spdx"] {
        sandbox
            .run(&format!("report a.json -f {format}"))
            .exits(2)
            .warns(&["saved without", "--list-all-pkgs"]);
    }
    sandbox
        .run("report a.json -f openvex")
        .exits(2)
        .warns(&["saved without", "--show-suppressed"]);
    sandbox
        .run("report a.json -f trivy-json")
        .exits(0)
        .warns(&["--list-all-pkgs"]);
    sandbox
        .run("report a.json")
        .exits(0)
        .prints(&["3 packages"]);
}

#[test]
fn what_is_no_report_is_refused_with_its_reason() {
    let sandbox = sandbox();
    sandbox
        .write("new.json", r#"{"schema_version": "2.0"}"#)
        .write("old.json", r#"{"SchemaVersion": 1}"#)
        .write("other.json", "{}")
        .write(
            "counts.json",
            r#"{"image": "a:1", "total_vulnerabilities": 3, "severity_summary": {"CRITICAL": 3}}"#,
        )
        .write(
            "broken.json",
            "{\n  \"schema_version\": \"1.1\",\n  \"images\": [\n",
        );
    for (file, texts) in [
        (
            "new.json",
            ["schema_version 2.0 is not supported", "expected 1.x"],
        ),
        (
            "old.json",
            ["SchemaVersion 1 is not supported", "expected 2"],
        ),
        ("other.json", ["it is no report", "schema_version"]),
        (
            "counts.json",
            [
                "report of the older pipeline scripts",
                "scan the image again",
            ],
        ),
        ("broken.json", ["it is no JSON document", "line 4 column 0"]),
        ("absent.json", ["absent.json", "No such file"]),
    ] {
        sandbox
            .run(&format!("report --scan-results {file}"))
            .exits(2)
            .warns(&[file])
            .warns(&texts);
    }
    sandbox.run("report").exits(2);
    sandbox.run("report new.json -f xml").exits(2);
}

#[test]
fn hostile_names_are_harmless_in_every_format() {
    let sandbox = sandbox();
    sandbox.run("scan --input web.tar -o json=a.json").exits(0);
    let evil = "=1+1</td><script>alert(1)</script>\u{1b}[2J\u{202e}[x](javascript:alert(1))";
    let mut report: Value = sandbox.read_json("a.json");
    report["images"][0]["name"] = evil.into();
    let finding = &mut report["images"][0]["results"][0]["findings"][0];
    finding["package"]["name"] = evil.into();
    finding["title"] = "a\n::error::b ##[command]c ##vso[task.x]d".into();
    finding["description"] = "a\n::error::b\n\n ::warning::c ##[command]c ##vso[task.x]d".into();
    sandbox.write("evil.json", report.to_string());
    for format in [
        "table", "html", "csv", "markdown", "junit", "sarif", "gitlab", "json",
    ] {
        let outcome = sandbox
            .run(&format!("report evil.json -f {format}"))
            .exits(0);
        let printed = &outcome.stdout;
        assert!(!printed.contains(['\u{1b}', '\u{202e}']), "{format}");
        assert!(
            !printed.contains("##vso[") && !printed.contains("##["),
            "{format}"
        );
        let mut lines = printed.lines();
        assert!(
            !lines.any(|line| line.trim_start().starts_with("::")),
            "{format}"
        );
        if ["html", "junit"].contains(&format) {
            assert!(!printed.contains("<script>alert"), "{format}");
        }
        if format == "csv" {
            assert!(!printed.contains(",\"=1"), "{printed}");
        }
    }
}
