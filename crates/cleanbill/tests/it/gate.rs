//! Saved reports judged by rules.

use crate::samples;
use crate::sandbox::Sandbox;

const RULES: &str = "version: 1\nthresholds:\n  critical: 0\n  high: 5\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write_image("web.tar", &samples::web())
        .write_image("base.tar", &samples::debian("shop/web:0"))
        .write_image("clean.tar", &samples::clean())
        .write_image("mystery.tar", &samples::mystery())
        .write("gate.yaml", RULES);
    sandbox
        .run("scan --input web.tar -o json=web.json")
        .exits(0);
    sandbox
}

#[test]
fn the_calls_of_older_pipelines_work() {
    let sandbox = sandbox();
    sandbox.write(
        "config/trivy-config.yaml",
        "thresholds: {critical: 0, high: 5}\nseverity: HIGH,CRITICAL\n",
    );
    sandbox
        .run("scan --input web.tar --output-format json --output-file scan-results.json")
        .exits(0);
    let report = sandbox.read_json("scan-results.json");
    assert_eq!(report["total_vulnerabilities"], 3);
    assert_eq!(report["severity_summary"]["CRITICAL"], 1);
    sandbox
        .run("gate --scan-results scan-results.json --config config/trivy-config.yaml")
        .exits(1)
        .prints(&[
            "Gate failed: 1 of 3 rules, exit code 1",
            "thresholds.critical",
            "CVE-2099-0001",
        ]);
    sandbox
        .run("scan --image registry:localhost:1/a:1 --offline -o json=none.json")
        .exits(3);
}

#[test]
fn a_failed_gate_says_what_failed_and_what_would_make_it_pass() {
    let sandbox = sandbox();
    let outcome = sandbox.run("gate web.json --config gate.yaml").exits(1);
    outcome
        .prints(&[
            "Gate failed: 1 of 3 rules, exit code 1",
            "FAILED thresholds.critical: 1 finding of severity CRITICAL, none allowed (gate.yaml:3)",
            "- CRITICAL CVE-2099-0001 in openssl 3.0.11-1, fixed in 3.0.13-1",
            "passed thresholds.high: 1 finding of severity HIGH, 5 allowed",
            "To pass, upgrade 1 package; fewer will not do",
            "upgrade openssl from 3.0.11-1 to 3.0.13-1: 1 finding, CRITICAL",
        ])
        .warns_nothing();
    sandbox
        .run("gate web.json --config gate.yaml --exit-code 9 -f json")
        .exits(9)
        .prints(&["\"exit_code\": 9"]);
    sandbox
        .run("gate web.json --fail-on critical=1,total=3")
        .exits(0);
    sandbox.run("gate web.json --fail-on total=2").exits(1);
}

#[test]
fn every_format_goes_where_it_is_asked_for() {
    let sandbox = sandbox();
    sandbox
        .run_with(
            [("GITHUB_STEP_SUMMARY", "summary.md")],
            "gate web.json --config gate.yaml -o junit=gate.xml -o json=gate.json -o text=- -o github=- --step-summary",
        )
        .exits(1)
        .prints(&["Gate failed: 1 of 3 rules", "::error file=gate.yaml,line=3,title=Gate%3A thresholds.critical::"]);
    assert!(sandbox.read("gate.xml").contains("failures=\"1\""));
    assert_eq!(sandbox.read_json("gate.json")["verdict"], "failed");
    assert!(sandbox.read("summary.md").starts_with("## ❌ Gate failed"));
    sandbox
        .run("gate web.json --config gate.yaml --step-summary")
        .exits(2)
        .warns(&["GITHUB_STEP_SUMMARY is not set"]);
    sandbox
        .run("gate web.json --config gate.yaml -f xml")
        .exits(2)
        .warns(&["no format of a verdict"]);
}

fn in_days(days: i64) -> String {
    let day = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    day.strftime("%Y-%m-%d").to_string()
}

#[test]
fn exceptions_are_applied_and_expired_ones_are_named() {
    let sandbox = sandbox();
    let exceptions = |expires: &str| {
        format!(
            "- id: CVE-2099-0001\n  reason: not reachable\n  owner: payments\n  expires: {expires}\n"
        )
    };
    sandbox
        .write("exceptions.yaml", exceptions("2999-01-01"))
        .write("soon.yaml", exceptions(&in_days(3)))
        .write("expired.yaml", exceptions("2020-01-01"));
    sandbox
        .run("gate web.json --config gate.yaml --exceptions exceptions.yaml")
        .exits(0)
        .prints(&[
            "Gate passed",
            "1 finding excepted",
            "CVE-2099-0001 in openssl",
            "not reachable (owner payments, until 2999-01-01)",
        ])
        .lacks(&["expires"]);
    for format in ["text", "markdown"] {
        sandbox
            .run(&format!(
                "gate web.json --config gate.yaml --exceptions soon.yaml -f {format}"
            ))
            .exits(0)
            .prints(&["soon.yaml:1", "(owner payments) expires in 3 days"]);
    }
    sandbox
        .run("gate web.json --config gate.yaml --exceptions expired.yaml")
        .exits(1)
        .prints(&[
            "note: the exception expired.yaml:1 for CVE-2099-0001 has expired",
            "payments",
        ]);
    sandbox.write("wrong.yaml", "- id: CVE-2099-0001\n");
    sandbox
        .run("gate web.json --config gate.yaml --exceptions wrong.yaml")
        .exits(2)
        .warns(&["reason"]);
}

#[test]
fn what_has_expired_since_the_scan_counts_again() {
    let sandbox = sandbox();
    sandbox.write(
        "exceptions.yaml",
        "- id: CVE-2099-0001\n  reason: not reachable\n  owner: payments\n  expires: 2999-01-01\n",
    );
    let scan = "scan --input web.tar --exceptions exceptions.yaml";
    sandbox
        .run(&format!("{scan} --show-suppressed -o json=held.json"))
        .exits(0);
    sandbox.run(&format!("{scan} -o json=bare.json")).exits(0);
    // As versions before 1.3 of the schema left out what was excepted.
    let mut old = sandbox.read_json("bare.json");
    let result = old["images"][0]["results"][0].as_object_mut().unwrap();
    result.retain(|key, _| !key.starts_with("suppressed"));
    sandbox.write("old.json", old.to_string());
    for report in ["held.json", "bare.json", "old.json"] {
        sandbox
            .run(&format!("gate {report} --config gate.yaml"))
            .exits(0);
        let later = sandbox.read(report).replace("2999-01-01", "2020-01-01");
        sandbox.write(report, later);
    }
    for report in ["held.json", "bare.json"] {
        sandbox
            .run(&format!("gate {report} --config gate.yaml"))
            .exits(1)
            .prints(&[
                "1 finding of severity CRITICAL, none allowed",
                "note: the exception exceptions.yaml:1 for CVE-2099-0001 has expired (until \
                 2020-01-01), owner payments: 1 finding",
            ]);
    }
    sandbox
        .run("gate old.json --config gate.yaml")
        .exits(2)
        .prints(&["exceptions.yaml:1", "--show-suppressed"]);
    sandbox
        .run("gate held.json --config gate.yaml --exceptions exceptions.yaml")
        .exits(0)
        .lacks(&["has expired"]);
}

#[test]
fn what_a_report_cannot_answer_does_not_pass() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar --severity CRITICAL -o json=critical.json")
        .exits(0);
    sandbox
        .run("gate critical.json --fail-on high=5")
        .exits(2)
        .prints(&[
            "thresholds.high cannot be judged: the report leaves out findings of severity HIGH",
        ]);
    sandbox
        .run("gate critical.json --fail-on critical=1")
        .exits(0);
    sandbox
        .run("scan --input web.tar --severity CRITICAL --policy gate.yaml")
        .exits(2);

    sandbox.write("deny.yaml", "version: 1\ndeny_packages: [event-stream]\n");
    sandbox
        .run("scan --input web.tar -o trivy-json=trivy.json --list-all-pkgs=false")
        .exits(0);
    for report in ["trivy.json", "web.json"] {
        sandbox
            .run(&format!("gate {report} --config deny.yaml"))
            .exits(2)
            .prints(&["deny_packages cannot be judged", "--list-all-pkgs"]);
    }
    sandbox
        .run("scan --input web.tar -o trivy-json=listed.json --list-all-pkgs")
        .exits(0);
    sandbox.run("gate listed.json --config deny.yaml").exits(0);

    sandbox.write(
        "unless.yaml",
        "- {id: CVE-2099-0001, reason: r, unless: [kev]}\n",
    );
    sandbox
        .run("gate web.json --config gate.yaml --exceptions unless.yaml")
        .exits(2)
        .prints(&["unless.yaml:1", "db update --with kev"]);
    sandbox
        .run("scan --input web.tar --policy gate.yaml --exceptions unless.yaml")
        .exits(2)
        .warns(&["unless.yaml:1"]);
}

#[test]
fn only_what_a_change_brings_fails() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input base.tar -o json=base.json")
        .exits(0);
    sandbox
        .write(
            "baseline.json",
            r#"{"image": "web.tar", "timestamp": "", "vulnerabilities": ["CVE-2099-0001"]}"#,
        )
        .write(
            "high.yaml",
            "version: 1\nonly_new: true\nthresholds: {critical: 0, high: 0}\n",
        );
    for flag in [
        "--baseline base.json",
        "--compare-to base.json",
        "--baseline baseline.json",
    ] {
        sandbox
            .run(&format!("gate web.json --config gate.yaml {flag}"))
            .exits(0);
        sandbox
            .run(&format!("gate web.json --config high.yaml {flag}"))
            .exits(1)
            .prints(&[
                "1 new finding of severity HIGH, none allowed",
                "CVE-2099-0002",
            ])
            .lacks(&["CVE-2099-0001"]);
    }
    sandbox
        .run("gate web.json --policy high.yaml --compare-to missing.json")
        .exits(2)
        .warns(&["--compare-to missing.json: it cannot be read"]);
    sandbox
        .run("scan --input web.tar --policy high.yaml --compare-to base.json")
        .exits(1)
        .warns(&[
            "gate failed: 1 new finding of severity HIGH, none allowed",
            "to pass: upgrade curl",
        ]);
    sandbox
        .run("gate web.json --config high.yaml")
        .exits(2)
        .warns(&["nothing is named to compare with", "--baseline"]);
    sandbox
        .run("gate web.json --config gate.yaml --baseline gate.yaml")
        .exits(2)
        .warns(&["neither a saved report nor a baseline"]);
    sandbox
        .run("gate web.json --config gate.yaml --baseline gone.json")
        .exits(2)
        .warns(&["gone.json: it cannot be read", "No such file"])
        .lacks(&["neither"]);
    let other = sandbox.read("baseline.json").replace("web.tar", "other");
    sandbox
        .write("other.json", other)
        .run("gate web.json --config gate.yaml --baseline other.json")
        .exits(0)
        .prints(&["web.tar was compared with other, the only image"]);
    sandbox
        .run("gate web.json --config gate.yaml --compare-to registry:localhost:1/a:1 --offline")
        .exits(2);
}

#[test]
fn the_same_rules_hold_in_one_step() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar --policy gate.yaml")
        .exits(1)
        .warns(&[
            "gate failed: 1 finding of severity CRITICAL, none allowed",
            "to pass: upgrade openssl",
        ]);
    sandbox
        .run("scan --input clean.tar --policy gate.yaml")
        .exits(0);
    sandbox
        .run("scan --input web.tar --policy gate.yaml --fail-on critical=1")
        .exits(0);
    sandbox.write("old.yaml", "version: 1\nmax_db_age: 48h\n");
    sandbox
        .run("scan --input clean.tar --policy old.yaml")
        .exits(4)
        .warns(&["48 h allowed"]);
    sandbox
        .run("scan --input clean.tar --policy absent.yaml")
        .exits(2)
        .warns(&["absent.yaml"]);
}

#[test]
fn what_was_not_assessed_fails_unless_it_is_allowed() {
    let sandbox = sandbox();
    sandbox
        .write("strict.yaml", "version: 1\n")
        .write("lax.yaml", "version: 1\nincomplete: allow\n");
    sandbox
        .run("scan --input mystery.tar -o json=mystery.json")
        .exits(3);
    for (rules, code) in [("strict.yaml", 3), ("lax.yaml", 0)] {
        sandbox
            .run(&format!("gate mystery.json --config {rules}"))
            .exits(code);
        sandbox
            .run(&format!("scan --input mystery.tar --policy {rules}"))
            .exits(code);
    }
    // Flags alone do not excuse it either.
    sandbox.run("gate mystery.json --fail-on critical").exits(3);
    sandbox
        .run("scan --offline registry:localhost:1/a:1 --policy lax.yaml")
        .exits(3);
}

#[test]
fn rules_that_make_no_sense_are_refused_with_their_place() {
    let sandbox = sandbox();
    sandbox.write(
        "wrong.yaml",
        "version: 1\nthresholds:\n  critcal: 0\n  high: -1\n",
    );
    for call in [
        "gate web.json --config wrong.yaml",
        "scan --input web.tar --policy wrong.yaml",
    ] {
        sandbox.run(call).exits(2).warns(&[
            "wrong.yaml:3:3: thresholds: 'critcal' is not known; did you mean 'critical'?",
            "wrong.yaml:4:9: thresholds.high: -1 is negative",
        ]);
    }
    sandbox
        .run("gate web.json")
        .exits(2)
        .warns(&["no rules are given", "--config"]);
    sandbox.run("gate --config gate.yaml").exits(2);
}

#[test]
fn reports_that_are_none_are_refused() {
    let sandbox = sandbox();
    let report = sandbox.read("web.json");
    sandbox
        .write("cut.json", &report[..report.len() / 2])
        .write(
            "other.json",
            report.replacen("\"schema_version\": \"1.", "\"schema_version\": \"9.", 1),
        )
        .write("none.json", "{}");
    for (file, words) in [
        ("cut.json", "no JSON document"),
        ("other.json", "schema_version 9."),
        ("none.json", "it is no report"),
        ("absent.json", "cannot read a report from absent.json"),
    ] {
        sandbox
            .run(&format!("gate {file} --config gate.yaml"))
            .exits(2)
            .warns(&[words]);
    }
    let huge = std::fs::File::create(sandbox.path("huge.json")).unwrap();
    huge.set_len(600 << 20).unwrap();
    sandbox
        .run("gate huge.json --config gate.yaml")
        .exits(2)
        .warns(&["more than the 512 MiB that are read"]);
}

#[test]
fn nothing_of_the_working_directory_changes_the_gate() {
    let sandbox = sandbox();
    sandbox
        .write(
            ".env",
            "CLEANBILL_FAIL_ON=critical=99\nFAIL_ON=critical=99\nCLEANBILL_EXIT_CODE=0\n",
        )
        .write("config.yaml", "version: 1\n")
        .write(
            "exceptions.yaml",
            "- {id: CVE-2099-0001, reason: sneaked in}\n",
        )
        .write(".trivyignore", "CVE-2099-0001\n");
    sandbox
        .run_with(
            [
                ("FAIL_ON", "critical=99"),
                ("TRIVY_EXIT_CODE", "0"),
                ("EXIT_CODE", "0"),
            ],
            "gate web.json --config gate.yaml",
        )
        .exits(1);
    for flag in ["--policy gate.yaml", "--fail-on critical=0"] {
        sandbox
            .run(&format!("scan --input web.tar {flag}"))
            .exits(1)
            .warns(&[".trivyignore is not read unless it is named"]);
    }
    sandbox
        .run("scan --input web.tar --fail-on critical=0 --ignorefile .trivyignore")
        .exits(0);
}

#[test]
fn a_report_that_was_cut_does_not_pass() {
    let sandbox = sandbox();
    let mut report = sandbox.read_json("web.json");
    report["images"][0]["results"] = serde_json::json!([]);
    sandbox
        .write("cut.json", report.to_string())
        .run("gate cut.json --fail-on critical=0")
        .exits(2)
        .warns(&["CRITICAL findings of web.tar: 1 stated, 0 listed"]);
}

#[test]
fn an_image_in_several_reports_counts_once() {
    let sandbox = sandbox();
    sandbox
        .run("gate web.json web.json --fail-on critical=1,total=3")
        .exits(0)
        .prints(&["note: web.tar is in several reports: the latest counts"]);
    sandbox
        .run("scan --input clean.tar -o json=clean.json")
        .exits(0);
    sandbox
        .run("gate web.json clean.json --fail-on critical=1,total=3")
        .exits(0)
        .lacks(&["several reports"]);
}

#[test]
fn the_gate_names_what_has_ended_before_its_time() {
    let sandbox = sandbox();
    sandbox
        .write(
            "until.yaml",
            "- {id: CVE-2099-0001, until: fixed, reason: waiting}\n",
        )
        .run("gate web.json --fail-on critical=0 --exceptions until.yaml")
        .exits(1)
        .prints(&[
            "note: the exception until.yaml:1 has ended: a fix is available; CVE-2099-0001 counts",
        ]);
    sandbox
        .run("scan --input web.tar --exceptions until.yaml -o json=ended.json")
        .exits(0);
    sandbox
        .run("gate ended.json --fail-on critical=0 -f json")
        .exits(1)
        .prints(&["until.yaml:1 has ended: a fix is available"]);
}

#[test]
fn an_exit_code_that_means_something_else_is_refused() {
    let sandbox = sandbox();
    for code in ["2", "3", "4", "130", "0"] {
        sandbox
            .run(&format!("gate web.json --fail-on low --exit-code {code}"))
            .exits(2)
            .warns(&["--exit-code"]);
    }
    sandbox
        .run("gate web.json --fail-on low --exit-code 3")
        .warns(&["3 means something else; expected 1, or 5 to 255"]);
    sandbox
        .run("gate web.json --fail-on low --exit-code 5")
        .exits(5);
    // Whoever comes from Trivy brings theirs.
    sandbox
        .run("scan --input web.tar --fail-on low --exit-code 3")
        .exits(3);
}

#[test]
fn only_what_may_help_is_tried_again() {
    let sandbox = sandbox();
    sandbox
        .run_with(
            [("DOCKER_HOST", "tcp://127.0.0.1:1")],
            "scan web:1 --source docker --retries 2 --retry-delay 0",
        )
        .exits(3)
        .warns(&[
            "web:1: attempt 1 of 3 failed: ",
            "; trying again in 0 s",
            "attempt 3 of 3 failed: ",
        ]);
    let outcome = sandbox
        .run("scan --input absent.tar --retries 2 --retry-delay 0")
        .exits(2);
    assert!(!outcome.stderr.contains("attempt"), "{outcome}");
}
