//! Wrong calls, help, and the flags that users bring from Trivy.

use crate::samples;
use crate::sandbox::Sandbox;

#[test]
fn a_wrong_flag_or_value_is_named_with_what_is_accepted() {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    for (call, named) in [
        ("scan --sevrity HIGH a", &["--sevrity", "--severity"][..]),
        (
            "scan --severity SEVERE a",
            &["SEVERE", "--severity", "CRITICAL"],
        ),
        (
            "scan --format yaml --input web.tar",
            &["--format", "yaml", "trivy-json"],
        ),
        (
            "scan --ignore-status maybe a",
            &["--ignore-status", "maybe", "will_not_fix"],
        ),
        ("scan --pkg-types rpm a", &["--pkg-types", "rpm", "library"]),
        (
            "scan --fail-on severe=1 --input web.tar",
            &["--fail-on", "severe=1", "CRITICAL"],
        ),
        (
            "scan --fail-on critical=many --input web.tar",
            &["--fail-on", "critical=many", "number"],
        ),
        ("scan --exit-code 300 a", &["--exit-code", "300", "255"]),
        (
            "scan --source flickr a",
            &["--source", "flickr", "docker, podman, containerd, registry"],
        ),
        ("scan --platform linux a", &["--platform", "linux"]),
        (
            "scan --distro debian --input web.tar",
            &["--distro", "debian", "debian/12"],
        ),
        (
            "scan --distro foo/1 --input web.tar",
            &["--distro", "foo/1", "debian/12"],
        ),
        (
            "scan --docker-host foo://x a",
            &["--docker-host", "foo", "unix:///path"],
        ),
        ("scan --parallel 257 a", &["--parallel", "257", "256"]),
        (
            "scan --trivy-args --quiet --input web.tar",
            &["--trivy-args", "--engine trivy"],
        ),
        (
            "scan --helm-set a=b --input web.tar",
            &["--helm-set", "misconfiguration"],
        ),
        ("scan --timeout soon a", &["--timeout", "soon", "90s"]),
        ("scan --max-db-age old a", &["--max-db-age", "old"]),
        (
            "scan --vuln-severity-source wikipedia --input web.tar",
            &["--vuln-severity-source", "wikipedia"],
        ),
        (
            "scan --detection-priority fast a",
            &["--detection-priority", "fast", "precise"],
        ),
        ("scan --color maybe a", &["--color", "maybe", "never"]),
        ("scan --offline=perhaps a", &["--offline", "perhaps"]),
        ("scan UPPER:1", &["UPPER:1"]),
        ("scan ./web.tar", &["./web.tar", "--input ./web.tar"]),
        (
            "scan --include-dangling --input web.tar",
            &["--include-dangling", "--all"],
        ),
        (
            "scan --registry-username me --input web.tar",
            &["--registry-username", "CLEANBILL_REGISTRY_PASSWORD"],
        ),
        (
            "scan --vex repo --input web.tar",
            &["--vex", "repo", "FILE"],
        ),
        (
            "cache prune --max-size plenty",
            &["--max-size", "plenty", "GiB"],
        ),
        ("cache prune --unused-days few", &["--unused-days", "few"]),
        ("skan web", &["skan", "scan"]),
        ("db upgrade", &["upgrade", "update"]),
    ] {
        let outcome = sandbox.run(call).exits(2).warns(named);
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
}

#[test]
fn empty_variables_count_as_unset_and_wrong_ones_are_named() {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    let call = "scan --input web.tar";
    let empty = [
        ("CLEANBILL_SEVERITY", ""),
        ("CLEANBILL_EXIT_CODE", ""),
        ("CLEANBILL_OFFLINE", ""),
        ("CLEANBILL_COLOR", ""),
    ];
    sandbox.run_with(empty, call).exits(0);
    for (variable, flag) in [
        ("CLEANBILL_EXIT_CODE", "--exit-code"),
        ("CLEANBILL_SEVERITY", "--severity"),
        ("CLEANBILL_OFFLINE", "--offline"),
    ] {
        let told = format!("the value is that of the variable {variable}");
        sandbox
            .run_with([(variable, "wrong")], call)
            .exits(2)
            .warns(&[flag, &told]);
        sandbox
            .run_with([(variable, "wrong")], &format!("{call} {flag}=wrong"))
            .exits(2)
            .lacks(&[&told]);
    }
}

#[test]
fn places_that_cannot_be_used_are_refused_before_anything_is_done() {
    let sandbox = Sandbox::without_database();
    sandbox.write_image("web.tar", &samples::web());
    std::fs::create_dir(sandbox.path("directory")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        sandbox.path("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    for (call, texts) in [
        (
            "scan --input web.tar -o directory",
            &[
                "--output directory: it is a directory",
                "-o FORMAT=directory/",
            ][..],
        ),
        (
            "scan --input web.tar -o json=nowhere/x.json",
            &["--output nowhere/x.json: there is no directory nowhere"],
        ),
        ("db import pipe", &["cannot open pipe", "no regular file"]),
        (
            "db status --db-path pipe",
            &["--db-path pipe: expected a directory"],
        ),
    ] {
        sandbox.run(call).exits(2).warns(texts);
    }
    let mut command = sandbox.command("scan --skip-db-update");
    command.args(["--input", ""]);
    sandbox
        .finish(command, "scan --input ''")
        .exits(2)
        .warns(&["--input"]);
}

#[test]
fn a_command_takes_no_flag_that_means_nothing_to_it() {
    let sandbox = Sandbox::new();
    for (call, flag) in [
        ("doctor --all", "--all"),
        ("doctor --input web.tar", "--input"),
        ("doctor --platform linux/arm64", "--platform"),
        ("doctor --skip-db-update", "--skip-db-update"),
        ("doctor --registry-token x", "--registry-token"),
        ("db update --skip-db-update", "--skip-db-update"),
        ("db update --max-db-age 1h", "--max-db-age"),
        ("db update --registry-username me", "--registry-username"),
        ("db status --offline", "--offline"),
        ("db status --db-repository a/b", "--db-repository"),
        ("db import f --epss-url http://x", "--epss-url"),
        ("db import f --registry-token x", "--registry-token"),
        ("db export f --ca-cert x", "--ca-cert"),
        ("login --registry-token x", "--registry-token"),
        ("scan --kev-url http://x a", "--kev-url"),
        ("explain CVE-1 --sort risk a", "--sort"),
        ("explain CVE-1 --max-db-age 1h a", "--max-db-age"),
        ("report --severity HIGH x.json", "--severity"),
        ("cache info --db-path x", "--db-path"),
    ] {
        let unexpected = format!("unexpected argument '{flag}'");
        let owners = format!("{flag} is a flag of: cleanbill ");
        let outcome = sandbox.run(call).exits(2).warns(&[&unexpected, &owners]);
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
    sandbox
        .run("doctor --all")
        .warns(&["--all is a flag of: cleanbill scan, cleanbill cache clear, cleanbill explain\n"]);
}

#[test]
fn a_scan_of_nothing_says_what_can_be_scanned() {
    Sandbox::new().run("scan").exits(2).warns(&[
        "nothing to scan",
        "hint:",
        "--all",
        "--input FILE",
        "--rootfs DIR",
        "--container NAME",
    ]);
}

#[test]
fn flags_can_be_set_by_the_environment() {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    let call = "scan --input web.tar";
    sandbox
        .run_with([("CLEANBILL_EXIT_CODE", "9")], call)
        .exits(9);
    sandbox
        .run_with([("CLEANBILL_FORMAT", "json")], call)
        .exits(0)
        .prints(&["schema_version"]);
    sandbox
        .run_with([("CLEANBILL_SEVERITY", "LOW")], call)
        .exits(0)
        .prints(&["CVE-2099-0003"])
        .lacks(&["CVE-2099-0001"]);
    sandbox
        .run_with(
            [("CLEANBILL_FORMAT", "json")],
            "scan --input web.tar -f table",
        )
        .exits(0)
        .prints(&["FIXED IN"]);
    sandbox
        .run_with([("CLEANBILL_SEVERITY", "SEVERE")], call)
        .exits(2)
        .warns(&["SEVERE"]);
    // Settings of a project's directory must not alter a gate.
    sandbox.write(".env", "CLEANBILL_EXIT_CODE=9\nCLEANBILL_SEVERITY=LOW\n");
    sandbox.run(call).exits(0).prints(&["CVE-2099-0001"]);
}

#[test]
fn flags_of_trivys_work_are_aliases_or_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    for call in [
        "image --scanners vuln --input web.tar",
        "scan --scanners=vuln --input web.tar --offline-scan --skip-java-db-update --skip-version-check",
        "scan --vuln-type os --input web.tar --cache-backend fs --table-mode summary",
        "--cache-dir cache image --input web.tar --scanners vuln --disable-telemetry",
        "scan --image-src docker,remote --input web.tar --skip-db-update",
        "scan --list-all-pkgs --input web.tar --dependency-tree=false",
    ] {
        sandbox.run(call).exits(0).prints(&["CVE-2099-0001"]);
    }
    for (call, named) in [
        (
            "scan --scanners vuln,secret --input web.tar",
            &["--scanners vuln,secret", "vuln"][..],
        ),
        (
            "scan --insecure --input web.tar",
            &["--insecure", "--insecure-registry HOST"],
        ),
        (
            "scan --template @x --input web.tar",
            &["--template", "--format json"],
        ),
        ("scan --server http://x --input web.tar", &["--server"]),
        (
            "scan --ignore-policy x --input web.tar",
            &["--ignore-policy", "--vex"],
        ),
        ("scan --exit-on-eol 1 --input web.tar", &["--exit-on-eol"]),
        (
            "scan --download-db-only",
            &["--download-db-only", "cleanbill db update"],
        ),
        (
            "scan --input web.tar --scanners",
            &["--scanners", "value is missing"],
        ),
    ] {
        sandbox.run(call).exits(2).warns(named);
    }
}

#[test]
fn the_table_of_trivys_flags_is_the_documented_one() {
    let documented = include_str!("../../../../docs/reference/trivy-flags.md");
    let outcome = Sandbox::without_database()
        .run("reference trivy-flags")
        .exits(0);
    assert_eq!(outcome.stdout, documented, "run: cargo xtask gen");
    let documented = include_str!("../../../../docs/reference/command-line.md");
    let outcome = Sandbox::without_database().run("reference flags").exits(0);
    assert_eq!(outcome.stdout, documented, "run: cargo xtask gen");
}

#[test]
fn help_version_completions_and_manual_page_are_printed() {
    let sandbox = Sandbox::without_database();
    let version = format!("cleanbill {}\n", env!("CARGO_PKG_VERSION"));
    for call in ["version", "--version", "-V"] {
        assert_eq!(
            sandbox.run(call).exits(0).warns_nothing().stdout,
            version,
            "{call}"
        );
    }
    sandbox
        .run("--help")
        .exits(0)
        .warns_nothing()
        .prints(&["scan", "demo", "Exit codes"]);
    sandbox
        .run("scan --help")
        .exits(0)
        .warns_nothing()
        .prints(&["--severity", "--fail-on"]);
    sandbox.run("").exits(2).warns(&["Usage"]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        sandbox
            .run(&format!("completions {shell}"))
            .exits(0)
            .warns_nothing()
            .prints(&["cleanbill"]);
    }
    sandbox
        .run("completions csh")
        .exits(2)
        .warns(&["csh", "bash"]);
    sandbox
        .run("man")
        .exits(0)
        .warns_nothing()
        .prints(&[".TH cleanbill 1"]);
    assert_eq!(
        sandbox.files("cache"),
        Vec::<String>::new(),
        "nothing was written"
    );
}
