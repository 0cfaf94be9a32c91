//! `--engine trivy` and `--compare-engines`, with programs in Trivy's place and with a real one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::samples;
use crate::sandbox::{Sandbox, wait_until};

/// Puts a script in Trivy's place. It prints a version when asked for one.
fn fake(sandbox: &Sandbox, body: &str) {
    let version = "if [ \"$1\" = --version ]; then echo '{\"Version\":\"0.74.0\"}'; exit 0; fi";
    script(sandbox, &format!("#!/bin/sh\n{version}\n{body}\n"));
}

/// Puts a program in Trivy's place and waits until it can be run: a process that another test is
/// just starting may hold the file open for a moment.
fn script(sandbox: &Sandbox, text: &str) {
    sandbox.write("trivy", text);
    let path = sandbox.path("trivy");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    wait_until("the script can be run", || {
        let started = Command::new(&path).arg("--version").output();
        !started.is_err_and(|error| error.kind() == std::io::ErrorKind::ExecutableFileBusy)
    });
}

/// A sandbox with an image and a script in Trivy's place.
fn sandbox(body: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    fake(&sandbox, body);
    sandbox
}

const CALL: &str = "scan --engine trivy --trivy-path ./trivy --skip-db-update --input web.tar";

/// What Trivy would say of the image.
fn report() -> Value {
    json!({
        "SchemaVersion": 2, "ArtifactName": "web.tar", "ArtifactType": "container_image",
        "Results": [
            {"Target": "web.tar (debian 12.5)", "Class": "os-pkgs", "Type": "debian",
             "Vulnerabilities": [
                {"VulnerabilityID": "CVE-2024-1", "PkgName": "libfoo", "InstalledVersion": "1.0",
                 "FixedVersion": "1.1", "Status": "fixed", "Severity": "HIGH", "Future": 7},
                {"VulnerabilityID": "CVE-2024-2", "PkgName": "libfoo", "InstalledVersion": "1.0",
                 "Severity": "LOW", "Status": "affected"}]},
            {"Target": "/id_rsa", "Class": "secret", "Secrets": [{"RuleID": "private-key"}]}]
    })
}

#[test]
fn its_report_passes_through_our_policy() {
    let sandbox =
        sandbox("echo \"$@\" > arguments 2>/dev/null; cat \"$(dirname \"$0\")/report.json\"");
    sandbox.write("report.json", report().to_string());
    let outcome = sandbox
        .run(&format!(
            "{CALL} --severity HIGH -f trivy-json --exit-code 7"
        ))
        .exits(7);
    let printed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let results = printed["Results"].as_array().unwrap();
    assert_eq!(results[0]["Vulnerabilities"].as_array().unwrap().len(), 1);
    assert_eq!(results[0]["Vulnerabilities"][0]["Future"], 7);
    assert_eq!(results[1]["Secrets"][0]["RuleID"], "private-key");
    sandbox
        .run(CALL)
        .exits(0)
        .prints(&["CVE-2024-1", "CVE-2024-2", "trivy-json"]);
}

#[test]
fn flags_are_passed_on_and_the_working_directory_has_no_say() {
    let sandbox = sandbox("pwd >&2; echo \"$@\" >&2; env >&2; exit 1");
    let mut command = sandbox.command(&format!(
        "{CALL} --skip-dirs usr/share --pkg-types os --skip-java-db-update \
         --java-db-repository mirror.example/java:1 --trivy-args --scanners=secret"
    ));
    command
        .env("TRIVY_FORMAT", "table")
        .env("TRIVY_USERNAME", "me");
    let outcome = sandbox.finish(command, CALL).exits(3);
    let told = &outcome.stderr;
    for text in [
        "image --cache-dir",
        "--format json",
        "--skip-dirs usr/share",
        "--pkg-types os",
        "--skip-java-db-update",
        "--java-db-repository mirror.example/java:1",
        "--scanners=secret",
        "--input /",
        "TRIVY_USERNAME=me",
    ] {
        assert!(told.contains(text), "no '{text}' in {told}");
    }
    assert!(!told.contains("TRIVY_FORMAT"), "{told}");
    assert!(!told.contains("--scanners vuln"), "{told}");
}

#[test]
fn one_authority_can_be_passed_on() {
    let sandbox = sandbox("echo \"$@\" >&2; exit 1");
    sandbox.write("a.pem", "").write("b.pem", "");
    let outcome = sandbox.run(&format!("{CALL} --ca-cert a.pem")).exits(3);
    let path = sandbox.path("a.pem");
    let expected = format!("--cacert {}", path.display());
    assert!(outcome.stderr.contains(&expected), "{outcome}");
    sandbox
        .run(&format!("{CALL} --ca-cert a.pem --ca-cert b.pem"))
        .exits(2)
        .warns(&["trivy takes one --ca-cert", "into one file"]);
}

#[test]
fn what_goes_wrong_is_named() {
    let check = |body: &str, expected: &str| {
        sandbox(body)
            .run(CALL)
            .exits(3)
            .prints(&["NOT ASSESSED", expected]);
    };
    check("echo nonsense", "this is no report of Trivy's");
    check("exit 0", "this is no report of Trivy's");
    check(
        "echo '{\"SchemaVersion\": 9}'",
        "SchemaVersion 9 is not supported",
    );
    check(
        "printf 'x\\tFATAL\\tFatal error\\trun error: no such image\\n' >&2; exit 1",
        "run error: no such image",
    );
    check("yes broken | head -n 100000 >&2; exit 5", "exit status: 5");
    check("kill -SEGV $$", "signal: 11");
}

#[test]
fn one_that_hangs_is_stopped() {
    let sandbox = sandbox("trap '' TERM; sleep 600");
    let begun = Instant::now();
    sandbox.run(&format!("{CALL} --timeout 1s")).exits(3);
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_trivy_that_cannot_be_used_is_an_error_of_the_call() {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    sandbox
        .run("scan --engine trivy --skip-db-update --input web.tar")
        .exits(2)
        .warns(&["no trivy on the search path", "--trivy-path"])
        .lacks(&["asks for Trivy"]);
    // Who asked for it is named, and the way out.
    sandbox.write("c.yaml", "version: 1\nscan:\n  trivy_args: [--debug]\n");
    let asked = [
        "scan.trivy_args (",
        "c.yaml:3:",
        "asks for Trivy",
        "the native engine",
    ];
    sandbox
        .run("watch --once --skip-db-update --state-dir state --config c.yaml")
        .exits(2)
        .warns(&["no trivy on the search path"])
        .warns(&asked);
    sandbox.run("config check c.yaml").exits(0).warns(&asked);
    fake(&sandbox, "");
    sandbox
        .run(&format!("{CALL} --trivy-args -ox"))
        .exits(2)
        .warns(&["-ox", "use -o of cleanbill"]);
    script(&sandbox, "#!/bin/sh\necho '{\"Version\":\"0.40.0\"}'\n");
    sandbox.run(CALL).exits(2).warns(&["too old"]);
}

#[test]
fn differences_are_told_with_their_reason() {
    let sandbox = sandbox("cat \"$(dirname \"$0\")/report.json\"");
    sandbox.write("report.json", report().to_string());
    let call = CALL.replace("--engine trivy", "--compare-engines");
    sandbox.run(&call).exits(1).prints(&[
        "web.tar: 0 findings and 0 packages are equal",
        "CVE-2024-1 in libfoo 1.0 (debian): only trivy: the native engine did not find the package",
        "only native: trivy did not find the package",
    ]);
}

/// Returns a real Trivy, if there is one.
fn real_trivy() -> Option<PathBuf> {
    let named = std::env::var_os("TRIVY_BIN").map(PathBuf::from);
    let found = named.or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|directory| directory.join("trivy"))
            .find(|path| path.is_file())
    });
    if found.is_none() {
        eprintln!("skipped: there is no trivy (TRIVY_BIN names one)");
    }
    found
}

#[test]
fn a_real_trivy_agrees() {
    let Some(trivy) = real_trivy() else { return };
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    let trivy = trivy.display();
    // Trivy, unlike us, writes temporary files.
    let temporary = sandbox.path("home").display().to_string();
    let run = |call: &str| {
        let call = format!("{call} --trivy-path {trivy} --skip-db-update");
        sandbox.run_with([("TMPDIR", temporary.as_str())], &call)
    };
    run("scan --compare-engines --input web.tar")
        .exits(0)
        .prints(&["web.tar: ", "nothing differs"]);
    let summary = |call: &str| {
        let outcome = run(call);
        serde_json::from_str::<Value>(&outcome.stdout).unwrap()["severity_summary"].clone()
    };
    assert_eq!(
        summary("scan --engine trivy --input web.tar -f json"),
        summary("scan --input web.tar -f json")
    );
    run("scan --engine trivy --input absent.tar")
        .exits(2)
        .prints(&["NOT ASSESSED", "absent.tar"]);
}
