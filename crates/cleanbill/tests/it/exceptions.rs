//! Exceptions: in scans, in saved reports, in explanations; the commands about them.

use cleanbill_core::change::KnownFinding;
use cleanbill_core::problem::AssessmentStatus;
use serde_json::Value;

use crate::samples;
use crate::sandbox::{Outcome, Sandbox, finding_ids};
use crate::status::{finding, look_at_findings, state};

const CRITICAL: &str = "CVE-2099-0001";
const HIGH: &str = "CVE-2099-0002";
const LOW: &str = "CVE-2099-0003";

/// Accepts the critical finding, and says so in every member.
const ACCEPTED: &str = "\
# reviewed every quarter
- id: CVE-2099-0001
  image: shop/*
  package: openssl
  reason: not reachable from outside
  owner: payments
  ticket: SEC-1
  created: 2026-01-01
  expires: 2099-12-31
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write_image("web.tar", &samples::web())
        .write("exceptions.yaml", ACCEPTED);
    sandbox
}

fn ids(report: &Value) -> Vec<&str> {
    let mut ids = finding_ids(report).concat();
    ids.sort_unstable();
    ids
}

#[track_caller]
fn scan(sandbox: &Sandbox, flags: &str) -> Outcome {
    sandbox.run(&format!("scan --input web.tar -f json {flags}"))
}

#[test]
fn a_scan_leaves_out_what_is_excepted_and_says_why() {
    let sandbox = sandbox();
    for flags in [
        "--exceptions exceptions.yaml",
        "--ignorefile exceptions.yaml",
    ] {
        let outcome = scan(&sandbox, &format!("{flags} --show-suppressed")).exits(0);
        let report = outcome.json();
        assert_eq!(ids(&report), [HIGH, LOW], "{outcome}");
        let suppressed = &report["images"][0]["results"][0]["suppressed"][0];
        assert_eq!(suppressed["finding"]["id"], CRITICAL);
        assert_eq!(suppressed["statement"], "not reachable from outside");
        assert_eq!(suppressed["source"], "exceptions.yaml:2");
        assert_eq!(suppressed["owner"], "payments");
        assert_eq!(suppressed["ticket"], "SEC-1");
        assert_eq!(suppressed["expires"], "2099-12-31");
        let rule = &report["exceptions"][0];
        assert_eq!(
            (&rule["outcome"], &rule["findings"]),
            (&"applied".into(), &1.into())
        );
    }
    sandbox.write("accepted.yaml", ACCEPTED);
    let outcome = scan(&sandbox, "--ignorefile accepted.yaml").exits(0);
    assert_eq!(ids(&outcome.json()), [HIGH, LOW], "told by its content");
    let outcome = sandbox
        .run_with(
            [("CLEANBILL_EXCEPTIONS", "exceptions.yaml")],
            "scan --input web.tar -f json",
        )
        .exits(0);
    assert_eq!(ids(&outcome.json()), [HIGH, LOW]);
    scan(&sandbox, "--exceptions exceptions.yaml --fail-on critical").exits(0);
    scan(&sandbox, "--fail-on critical").exits(1);
}

#[test]
fn excepted_findings_stay_visible_in_every_format() {
    let sandbox = sandbox();
    for (format, parts) in [
        (
            "table",
            &["not reachable from outside", "owner payments"][..],
        ),
        (
            "trivy-json",
            &["not reachable from outside", "exceptions.yaml:2"],
        ),
        (
            "cyclonedx",
            &["not reachable from outside", "until 2099-12-31"],
        ),
        (
            "openvex",
            &[
                "the risk is accepted: not reachable from outside",
                "owner payments",
            ],
        ),
        ("sarif", &["not reachable from outside", "owner payments"]),
        ("gitlab", &["not reachable from outside", "owner payments"]),
        ("junit", &["not reachable from outside", "owner payments"]),
        ("csv", &["not reachable from outside", "owner payments"]),
        (
            "markdown",
            &["not reachable from outside", "owner payments"],
        ),
        ("html", &["not reachable from outside", "owner payments"]),
    ] {
        let call = format!(
            "scan --input web.tar --exceptions exceptions.yaml --show-suppressed -f {format}"
        );
        let outcome = sandbox.run(&call).exits(0);
        // Tables wrap.
        let words: Vec<&str> = outcome.stdout.split_whitespace().collect();
        let printed = words.join(" ");
        for part in parts {
            assert!(
                printed.contains(part),
                "{format}: no {part} in\n{}",
                outcome.stdout
            );
        }
    }
}

#[test]
fn what_has_expired_counts_again_and_what_expires_is_announced() {
    let sandbox = sandbox();
    sandbox.write(
        "old.yaml",
        "- {id: CVE-2099-0001, reason: r, expires: 2020-01-01}\n\
         - {id: CVE-2099-0002, reason: r, until: fixed}\n",
    );
    let outcome = scan(&sandbox, "--exceptions old.yaml").exits(0).warns(&[
        "old.yaml:1: the exception of CVE-2099-0001 has expired on 2020-01-01; 1 finding counts again",
        "old.yaml:2: the exception of CVE-2099-0002 has ended",
    ]);
    let report = outcome.json();
    assert_eq!(ids(&report), [CRITICAL, HIGH, LOW]);
    let findings = report["images"][0]["results"][0]["findings"]
        .as_array()
        .unwrap();
    let lapsed = |id: &str| {
        let found = findings.iter().find(|finding| finding["id"] == id);
        found.unwrap()["lapsed_exception"].clone()
    };
    assert_eq!(lapsed(CRITICAL), "old.yaml:1 has expired on 2020-01-01");
    assert_eq!(lapsed(HIGH), "old.yaml:2 has ended: a fix is available");
    assert_eq!(lapsed(LOW), Value::Null);
    assert_eq!(report["exceptions"][0]["outcome"], "expired");
    assert_eq!(report["exceptions"][0]["lapsed_findings"], 1);
    let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let day = tomorrow.strftime("%Y-%m-%d");
    sandbox.write(
        "soon.yaml",
        format!("- {{id: CVE-2099-0001, reason: r, owner: bob, expires: {day}}}\n"),
    );
    scan(&sandbox, "--exceptions soon.yaml")
        .exits(0)
        .warns(&[&format!(
            "soon.yaml:1: the exception of CVE-2099-0001 (owner bob) expires in 1 day, on {day}"
        )]);
    scan(&sandbox, "--exceptions soon.yaml --warn-before 1h")
        .exits(0)
        .lacks(&["expires in"]);
}

#[test]
fn a_file_with_an_error_is_not_used() {
    let sandbox = sandbox();
    sandbox.write("bad.yaml", "- id: CVE-2099-0001\n  resaon: typo\n");
    for call in [
        "scan --input web.tar --exceptions bad.yaml",
        "report saved.json --exceptions bad.yaml",
        "exceptions list --exceptions bad.yaml",
        "exceptions prune --exceptions bad.yaml",
        "exceptions add CVE-2099-0002 --reason r --exceptions bad.yaml",
    ] {
        scan(&sandbox, "-o saved.json").exits(0);
        sandbox.run(call).exits(2).warns(&[
            "line 2, column 3: 'resaon' is not known; did you mean reason?",
            "line 1, column 3: the exception has no reason",
        ]);
    }
    sandbox
        .run("scan --input web.tar --exceptions missing.yaml")
        .exits(2)
        .warns(&[
            "cannot read the exceptions in missing.yaml",
            "exceptions add",
        ]);
    assert_eq!(
        sandbox.read("bad.yaml"),
        "- id: CVE-2099-0001\n  resaon: typo\n"
    );
}

#[test]
fn saved_reports_are_held_against_exceptions_of_today() {
    let sandbox = sandbox();
    scan(&sandbox, "-o saved.json").exits(0);
    let report = sandbox
        .run("report saved.json --exceptions exceptions.yaml -f json --show-suppressed -o excepted.json")
        .exits(0);
    assert_eq!(report.stdout, "");
    assert_eq!(ids(&sandbox.read_json("excepted.json")), [HIGH, LOW]);
    sandbox.write("exceptions.yaml", "- {id: CVE-2099-0003, reason: r}\n");
    let outcome = sandbox
        .run("report excepted.json --exceptions exceptions.yaml -f json")
        .exits(0);
    assert_eq!(ids(&outcome.json()), [CRITICAL, HIGH]);
    sandbox
        .run("report saved.json --exceptions exceptions.yaml -f openvex")
        .exits(0)
        .prints(&[LOW]);
}

#[test]
fn what_has_expired_since_the_scan_is_not_shown_as_excepted() {
    let sandbox = sandbox();
    // What is excepted is in the report without being asked for.
    scan(&sandbox, "--exceptions exceptions.yaml -o held.json").exits(0);
    let excepted = sandbox.run("report held.json -f markdown").exits(0);
    excepted.prints(&["| excepted |", "not reachable from outside"]);
    let later = sandbox.read("held.json");
    sandbox.write("later.json", later.replace("2099-12-31", "2020-01-01"));
    for format in ["table", "markdown", "html"] {
        let shown = sandbox
            .run(&format!("report later.json -f {format}"))
            .exits(0)
            .warns(&[
                "the exception exceptions.yaml:2 for",
                "has expired (until 2020-01-01)",
            ]);
        let text = shown
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let said = "has expired on 2020-01-01: CVE-2099-0001 counts again";
        assert!(text.contains(said), "{format}: {shown}");
        assert!(!text.contains("not reachable from outside"), "{shown}");
    }
    // As the gate has it, and so for every format.
    let json = sandbox.run("report later.json -f json").exits(0).json();
    assert_eq!(ids(&json), [CRITICAL, HIGH, LOW]);
    // Given more time, it is excepted still.
    sandbox
        .run("report later.json --exceptions exceptions.yaml")
        .exits(0)
        .prints(&["1 excepted finding:", "not reachable from outside"]);
}

#[test]
fn whoever_tells_others_says_what_the_gate_says() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar -o json=web.json")
        .exits(0);
    for (exceptions, code) in [("", 1), ("--exceptions exceptions.yaml", 0)] {
        let is_excepted = code == 0;
        let flags = format!("--scan-results web.json --fail-on critical=0 {exceptions}");
        sandbox.run(&format!("gate {flags}")).exits(code);
        let comment = sandbox
            .run(&format!("comment --markdown --compare-to web.json {flags}"))
            .exits(0);
        let says_failed = comment.stdout.contains("the gate fails");
        assert_eq!(says_failed, !is_excepted, "{comment}");
        // What is accepted now is in neither of the two, and so was not fixed.
        let number = if is_excepted { 2 } else { 3 };
        let total = format!("| **Total** | **{number}** | **0** | **0** | **{number}** |");
        assert!(comment.stdout.contains(&total), "{comment}");
        let metrics = sandbox.run(&format!("metrics render {flags}")).exits(0);
        let passed = format!(
            "cleanbill_report_gate_passed{{image=\"web.tar\"}} {}",
            1 - code
        );
        assert!(metrics.stdout.contains(&passed), "{metrics}");
        let notified = sandbox
            .run(&format!("notify slack --dry-run --only-on failure {flags}"))
            .exits(0);
        let is_quiet = notified.stdout.contains("Nothing to tell.");
        assert_eq!(is_quiet, is_excepted, "{notified}");
    }
}

#[test]
fn explanations_name_the_exception() {
    let sandbox = sandbox();
    sandbox
        .run("explain CVE-2099-0001 --input web.tar --exceptions exceptions.yaml")
        .exits(0)
        .prints(&[
            "excepted: openssl 3.0.11-1: ignored by exceptions.yaml:2",
            "reason       not reachable from outside",
            "owner        payments",
            "ticket       SEC-1",
            "until        2099-12-31",
        ]);
    sandbox.write(
        "old.yaml",
        "- {id: CVE-2099-0001, reason: r, expires: 2020-01-01}\n",
    );
    let expired = "exception    old.yaml:1 has expired on 2020-01-01";
    sandbox
        .run("explain CVE-2099-0001 --input web.tar --exceptions old.yaml")
        .exits(0)
        .prints(&["reported: openssl", expired]);
    scan(&sandbox, "--list-all-pkgs -o saved.json").exits(0);
    sandbox
        .run("explain CVE-2099-0001 --report saved.json --exceptions old.yaml")
        .exits(0)
        .prints(&["reported: openssl", expired]);
    sandbox
        .run("explain CVE-2099-0001 --report saved.json --exceptions exceptions.yaml")
        .exits(0)
        .prints(&["excepted: openssl"]);
}

const MANY: &str = "\
- {id: CVE-2099-0001, reason: not reachable, owner: payments, expires: 2099-12-31}
- {id: CVE-2099-0002, reason: old, expires: 2020-01-01}
- {id: CVE-2099-0003, package: bash, reason: wrong package}
- {id: CVE-2099-0003, image: other/*, reason: another image}
- {id: CVE-2099-0001, package: openssl, reason: twice, expires: 2099-01-01}
";

#[test]
fn exceptions_are_listed_with_what_they_cover() {
    let sandbox = sandbox();
    sandbox.write("many.yaml", MANY);
    scan(&sandbox, "-o saved.json").exits(0);
    let list = "exceptions list --exceptions many.yaml";
    sandbox.run(list).exits(0).prints(&[
        "many.yaml:1",
        "payments",
        "2099-12-31",
        "EXPIRED",
        "Not held against anything",
    ]);
    sandbox
        .run(&format!("{list} --scan-results saved.json"))
        .exits(0)
        .prints(&[
            "1 finding",
            "EXPIRED",
            "NOTHING",
            "Held against 1 image of saved reports",
        ]);
    let listed = sandbox
        .run(&format!("{list} --scan-results saved.json -f json"))
        .exits(0)
        .json();
    let states: Vec<&str> = listed["exceptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(
        states,
        ["active", "expired", "unmatched", "active", "active"]
    );
    let first = &listed["exceptions"][0];
    assert_eq!((&first["covered"], &first["line"]), (&1.into(), &1.into()));
    assert_eq!(first["covered_images"][0], "web.tar");
    assert_eq!(
        listed["exceptions"][3]["covered"],
        Value::Null,
        "no such image"
    );
}

#[test]
fn what_watch_knows_is_asked_if_there_is_no_report() {
    let sandbox = sandbox();
    let store = state(&sandbox);
    let covered = KnownFinding {
        covered_by: "/etc/cleanbill/exceptions.yaml:2".to_owned(),
        ..finding(CRITICAL)
    };
    let open = finding(HIGH);
    look_at_findings(
        &store,
        "shop/web:1",
        vec![covered, open],
        AssessmentStatus::Complete,
    );
    let listed = sandbox.run("exceptions list -f json").exits(0).json();
    assert_eq!(listed["held_against"], "what watch knows of 1 images");
    assert_eq!(listed["exceptions"][0]["covered"], 1);
    assert_eq!(listed["exceptions"][0]["covered_images"][0], "shop/web:1");
    sandbox
        .run("exceptions check")
        .exits(0)
        .prints(&["1 exception, nothing to do."]);
}

#[test]
fn a_check_fails_if_something_must_be_done() {
    let sandbox = sandbox();
    scan(&sandbox, "-o saved.json").exits(0);
    sandbox
        .run("exceptions check")
        .exits(0)
        .prints(&["nothing to do"]);
    sandbox.write("many.yaml", MANY);
    let call = "exceptions check --exceptions many.yaml --scan-results saved.json";
    sandbox.run(call).exits(1).prints(&[
        "EXPIRED",
        "expired on 2020-01-01: 1 finding counts again",
        "MATCHES NOTHING",
        "covers nothing in 1 image of saved reports",
        "OVERLAPPING",
        "many.yaml:1 covers CVE-2099-0001 already",
    ]);
    let checked = sandbox.run(&format!("{call} -f json")).exits(1).json();
    let kinds: Vec<(u64, &str)> = checked["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["line"].as_u64().unwrap(),
                item["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [(2, "expired"), (3, "unmatched"), (5, "overlapping")]
    );
    sandbox
        .write(
            "path.yaml",
            "- {id: CVE-2099-0001, path: var/lib/dpkg/status, reason: r}\n",
        )
        .run("exceptions check --exceptions path.yaml --scan-results saved.json")
        .exits(1)
        .prints(&["their path is the target"]);
    sandbox.write("bad.yaml", "- {id: CVE-2099-0001}\n");
    sandbox
        .run("exceptions check --exceptions bad.yaml")
        .exits(1)
        .prints(&["bad.yaml:1:3", "ERROR", "no reason"]);
    let soon = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    sandbox.write(
        "soon.yaml",
        format!("- {{id: CVE-2099-0001, reason: r, expires: {soon}}}\n"),
    );
    let soon = "exceptions check --exceptions soon.yaml";
    sandbox.run(soon).exits(0).prints(&["EXPIRING"]);
    sandbox.run(&format!("{soon} --strict")).exits(1);
    sandbox
        .run("exceptions check --exceptions missing.yaml")
        .exits(2)
        .warns(&["cannot read the exceptions in missing.yaml"]);
}

#[test]
fn an_exception_is_added_and_the_file_stays_as_it_is() {
    let sandbox = sandbox();
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    sandbox
        .run("exceptions add cve-2099-0002 --reason accepted --owner bob --image shop/* --expires 2099-01-31")
        .exits(0)
        .prints(&["Added CVE-2099-0002 to exceptions.yaml."]);
    let expected = format!(
        "{ACCEPTED}- id: CVE-2099-0002\n  image: \"shop/*\"\n  reason: accepted\n  owner: bob\n  \
         created: {today}\n  expires: 2099-01-31\n"
    );
    assert_eq!(sandbox.read("exceptions.yaml"), expected);
    let outcome = scan(&sandbox, "--exceptions exceptions.yaml").exits(0);
    assert_eq!(ids(&outcome.json()), [LOW]);
    for (flags, error) in [
        (
            "CVE-2099-0003 --reason r --expires 2020-01-01",
            "that is over",
        ),
        ("CVE-2099-0003 --reason r --expires soon", "expected a date"),
        ("CVE-2099-0003 --reason=", "no reason"),
        ("CVE-20-3 --reason r", "is no CVE id"),
        ("* --reason r", "covers every vulnerability"),
        (
            "CVE-2099-0003 --reason r --ecosystem nmp",
            "did you mean npm?",
        ),
    ] {
        sandbox
            .run(&format!("exceptions add {flags}"))
            .exits(2)
            .warns(&[error]);
    }
    assert_eq!(sandbox.read("exceptions.yaml"), expected);
    sandbox
        .run("exceptions add CVE-2099-0001 --package openssl --image shop/* --reason again")
        .exits(0)
        .warns(&["says nothing more"]);
    sandbox
        .run("exceptions add CVE-2099-0001 --reason new --expires 90d --exceptions new.yaml")
        .exits(0);
    assert!(
        sandbox
            .read("new.yaml")
            .starts_with("- id: CVE-2099-0001\n  reason: new\n")
    );
    sandbox
        .run("exceptions add CVE-2099-0001 --reason new --dry-run --exceptions dry.yaml")
        .exits(0)
        .prints(&["- id: CVE-2099-0001"]);
    assert!(!sandbox.path("dry.yaml").exists());
}

#[test]
fn what_does_nothing_is_removed() {
    let sandbox = sandbox();
    scan(&sandbox, "-o saved.json").exits(0);
    sandbox.write("many.yaml", MANY);
    let prune = "exceptions prune --exceptions many.yaml";
    sandbox
        .run(&format!("{prune} --dry-run"))
        .exits(0)
        .prints(&["Would remove many.yaml:2: CVE-2099-0002 (it has expired): old"])
        .lacks(&["CVE-2099-0003"]);
    assert_eq!(sandbox.read("many.yaml"), MANY);
    sandbox
        .run(&format!("{prune} --scan-results saved.json"))
        .exits(0)
        .prints(&[
            "Removed many.yaml:2: CVE-2099-0002 (it has expired): old",
            "Removed many.yaml:3: CVE-2099-0003 (it matches nothing): wrong package",
        ]);
    let left: Vec<&str> = MANY.lines().collect();
    assert_eq!(
        sandbox.read("many.yaml"),
        format!("{}\n{}\n{}\n", left[0], left[3], left[4]),
        "another image was not looked at, and the last covers what the first takes out"
    );
    sandbox.run(prune).exits(0).prints(&["Nothing to remove."]);
}

#[test]
fn the_schema_accepts_what_is_accepted() {
    let sandbox = sandbox();
    let schema: Value =
        serde_json::from_str(&sandbox.run("reference exceptions-schema").exits(0).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let is_valid = |text: &str| {
        let document: Value = serde_saphyr::from_str(text).unwrap();
        validator.is_valid(&document)
    };
    assert!(is_valid(ACCEPTED) && is_valid(MANY));
    assert!(is_valid(
        "exceptions:\n  - {ids: [CVE-2099-0001], reason: r, unless: [kev]}\n"
    ));
    assert!(!is_valid("- {id: CVE-2099-0001}"));
    assert!(!is_valid("- {reason: r}"));
    assert!(!is_valid(
        "- {id: CVE-2099-0001, cve: CVE-2099-0001, reason: r}"
    ));
    assert!(!is_valid("- {id: CVE-2099-0001, reason: r, until: later}"));
    assert!(!is_valid("- {id: CVE-2099-0001, reason: r, resaon: typo}"));
}

/// An image with a package that is built from another one, which advisories name.
fn image_of_source() -> cleanbill_testkit::ImageBuilder {
    cleanbill_testkit::ImageBuilder::new()
        .tag("shop/web:1")
        .layer(|layer| {
            layer
                .file("etc/debian_version", "12.5\n")
                .file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
                .file(
                    "var/lib/dpkg/status",
                    "Package: libssl3\nStatus: install ok installed\nSource: openssl\n\
                     Architecture: amd64\nVersion: 3.0.11-1\n\n",
                )
        })
}

#[test]
fn an_exception_of_a_source_package_holds_for_saved_reports() {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &image_of_source()).write(
        "source.yaml",
        "- {id: CVE-2099-0001, package: openssl, reason: why}\n",
    );
    scan(&sandbox, "-o json=before.json").exits(0);
    scan(&sandbox, "--exceptions source.yaml -o json=web.json").exits(0);
    let gate = "--fail-on critical=0 --exceptions source.yaml";
    // Whether the scan knew of it or not, and without the list of packages.
    for report in ["before.json", "web.json"] {
        sandbox.run(&format!("gate {report} {gate}")).exits(0);
    }
    sandbox
        .run("gate before.json --fail-on critical=0")
        .exits(1);
    // What was saved before findings named their source packages.
    let mut older = sandbox.read_json("web.json");
    let suppressed = &mut older["images"][0]["results"][0]["suppressed"][0];
    assert_eq!(suppressed["finding"]["package"]["source_name"], "openssl");
    let package = &mut suppressed["finding"]["package"];
    package.as_object_mut().unwrap().remove("source_name");
    sandbox.write("older.json", older.to_string());
    sandbox.run(&format!("gate older.json {gate}")).exits(0);
    sandbox
        .write(
            "changed.yaml",
            "- {id: CVE-2099-0001, package: openssl, reason: another}\n",
        )
        .run("gate older.json --fail-on critical=0 --exceptions changed.yaml")
        .exits(0);
}

#[test]
fn what_works_is_not_removed() {
    let sandbox = sandbox();
    sandbox.write(
        "two.yaml",
        "- {id: CVE-2099-0001, reason: first, expires: 2099-12-01}\n\
         - {id: CVE-2099-0001, reason: second}\n",
    );
    scan(&sandbox, "--exceptions two.yaml -o json=web.json").exits(0);
    let nothing = ["Nothing to remove."];
    let prune = "exceptions prune --dry-run --scan-results web.json --exceptions two.yaml";
    sandbox.run(prune).exits(0).prints(&nothing);
    sandbox
        .run("exceptions check --scan-results web.json --exceptions two.yaml")
        .exits(1)
        .prints(&["OVERLAPPING", "two.yaml:2 covers CVE-2099-0001 already"])
        .lacks(&["MATCHES NOTHING", "two.yaml:1 covers"]);
    // A report that says what an exception covered, and does not list it.
    let mut older = sandbox.read_json("web.json");
    let result = &mut older["images"][0]["results"][0];
    for member in ["suppressed", "suppressed_count"] {
        result.as_object_mut().unwrap().remove(member);
    }
    sandbox
        .write("web.json", older.to_string())
        .write(
            "two.yaml",
            "# it has moved\n- {id: CVE-2099-0001, reason: first, expires: 2099-12-01}\n",
        )
        .run(prune)
        .exits(0)
        .prints(&nothing);
    sandbox
        .run("exceptions check --scan-results web.json --exceptions two.yaml")
        .exits(0)
        .lacks(&["MATCHES NOTHING"]);
}
