//! The advisory database on disk: places, ages, import and export.

use cleanbill_testkit::AdvisoryDatabaseBuilder;

use crate::samples;
use crate::sandbox::Sandbox;

fn without_database() -> Sandbox {
    let sandbox = Sandbox::without_database();
    sandbox.write_image("web.tar", &samples::web());
    sandbox
}

fn write_database(sandbox: &Sandbox, directory: &str, database: &AdvisoryDatabaseBuilder) {
    std::fs::create_dir_all(sandbox.path(directory)).unwrap();
    database.write_to(&sandbox.path(directory)).unwrap();
}

#[test]
fn without_a_usable_database_a_scan_exits_4_and_says_what_to_do() {
    let sandbox = without_database();
    for flag in ["--offline", "--skip-db-update"] {
        let outcome = sandbox
            .run(&format!("scan --input web.tar {flag}"))
            .exits(4)
            .warns(&[
                "no usable advisory database",
                flag,
                "cache/db",
                "cleanbill db update",
                "cleanbill db import",
            ]);
        assert_eq!(outcome.stdout, "");
    }
    sandbox
        .run("db status")
        .exits(4)
        .warns(&["cleanbill db update"]);
    sandbox.run("db export db.tar.gz").exits(4);
    assert!(!sandbox.path("db.tar.gz").exists());
    sandbox
        .write("cache/db/trivy.db", "no database")
        .write("cache/db/metadata.json", "{}");
    sandbox
        .run("scan --input web.tar --offline")
        .exits(4)
        .warns(&["no usable advisory database"]);
}

#[test]
fn a_database_of_another_schema_is_refused() {
    let sandbox = without_database();
    for (version, word) in [(1, "older"), (3, "newer")] {
        sandbox.install_database(&samples::database().metadata(format!(
            r#"{{"Version":{version},"NextUpdate":"2125-01-01T00:00:00Z","UpdatedAt":"{}"}}"#,
            samples::BUILT
        )));
        let outcome = sandbox.run("scan --input web.tar --offline").exits(4);
        assert!(outcome.stderr.contains("schema"), "{word}: {outcome}");
    }
}

#[test]
fn an_old_database_is_used_and_its_age_is_told() {
    let sandbox = without_database();
    sandbox.install_database(&samples::database_of("2024-06-02T00:00:00Z"));
    let call = "scan --input web.tar --skip-db-update";
    let table = sandbox
        .run(call)
        .exits(0)
        .prints(&["CVE-2099-0001", "stale-database", "h old"]);
    assert!(table.stdout.contains("2024-06-01"), "{table}");
    let report = sandbox.run(&format!("{call} -f json")).exits(0).json();
    assert_eq!(report["images"][0]["problems"][0]["kind"], "stale-database");
    assert_eq!(report["images"][0]["status"], "complete", "it is a notice");
    assert!(report["database"]["age_hours"].as_u64().unwrap() > 1000);
    let report = sandbox
        .run(&format!("{call} -f trivy-json"))
        .exits(0)
        .json();
    assert!(
        report["Cleanbill"].to_string().contains("stale-database"),
        "{report:#}"
    );
}

#[test]
fn a_maximum_age_fails_but_still_reports() {
    let sandbox = without_database();
    sandbox.install_database(&samples::database());
    sandbox
        .run("scan --input web.tar --max-db-age 48h")
        .exits(4)
        .prints(&["CVE-2099-0001"])
        .warns(&["--max-db-age", "h old", "cleanbill db update"]);
    sandbox
        .run("scan --input web.tar --max-db-age 9000000h")
        .exits(0)
        .warns_nothing();
}

#[test]
fn both_layouts_of_a_directory_are_taken() {
    let sandbox = without_database();
    write_database(&sandbox, "plain", &samples::database());
    write_database(&sandbox, "trivy-cache/db", &samples::database());
    for directory in ["plain", "trivy-cache"] {
        sandbox
            .run(&format!(
                "scan --input web.tar --offline --db-path {directory}"
            ))
            .exits(0)
            .prints(&["CVE-2099-0001"]);
        sandbox
            .run(&format!("db status --db-path {directory}"))
            .exits(0)
            .prints(&[directory]);
    }
    sandbox
        .run("scan --input web.tar --offline --db-path plain/trivy.db")
        .exits(2)
        .warns(&["--db-path", "directory", "cleanbill db import"]);
    assert_eq!(
        sandbox.files("plain"),
        ["metadata.json", "trivy.db"],
        "nothing was written there"
    );
}

#[test]
fn the_status_is_printed_for_people_and_programs() {
    let sandbox = Sandbox::new();
    sandbox.run("db status").exits(0).warns_nothing().prints(&[
        "cache/db",
        "2024-06-01",
        "3 distribution releases",
    ]);
    let status = sandbox.run("db status --json").exits(0).json();
    assert_eq!(status["schema_version"], 2);
    assert_eq!(status["os_bucket_count"], 3);
    assert!(
        status["updated_at"]
            .as_str()
            .unwrap()
            .starts_with("2024-06-01T00:00:00")
    );
    assert!(status["size_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn a_database_is_carried_to_a_site_without_network() {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    sandbox
        .run("db export carried.tar.gz")
        .exits(0)
        .prints(&["carried.tar.gz"]);
    for call in [
        "db import carried.tar.gz",
        "db import cache/db",
        "db import cache",
    ] {
        sandbox.run(&format!("--cache-dir other {call}")).exits(0);
        sandbox
            .run("--cache-dir other scan --offline --input web.tar")
            .exits(0)
            .prints(&["CVE-2099-0001"]);
        std::fs::remove_dir_all(sandbox.path("other")).unwrap();
    }
    // As registries and Trivy offer it.
    sandbox.write("db.tar.gz", samples::database().archive());
    sandbox
        .run("--cache-dir third db import db.tar.gz --db-path place")
        .exits(0);
    assert!(sandbox.path("place/db/trivy.db").exists() || sandbox.path("place/trivy.db").exists());
}

#[test]
fn a_bad_import_leaves_the_old_database() {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    let whole = samples::database().archive();
    let (half, _) = whole.split_at(whole.len() / 2);
    sandbox
        .write("half.tar.gz", half)
        .write("other.tar.gz", cleanbill_testkit::gzip(b"something else"))
        .write("empty.tar.gz", AdvisoryDatabaseBuilder::new().archive())
        .write("directory/trivy.db", "");
    for source in [
        "half.tar.gz",
        "other.tar.gz",
        "empty.tar.gz",
        "absent.tar.gz",
        "directory",
    ] {
        let outcome = sandbox.run(&format!("db import {source}"));
        assert!(matches!(outcome.code, Some(2 | 4)), "{outcome}");
        assert!(outcome.stderr.contains("error:"), "{outcome}");
        sandbox
            .run("scan --offline --input web.tar")
            .exits(0)
            .prints(&["CVE-2099-0001"]);
        let left = sandbox.files("cache/db");
        assert!(
            left.iter().all(|name| !name.contains("unfinished")),
            "{left:?}"
        );
    }
}
