//! `baseline`, as it is called.

use cleanbill_core::problem::AssessmentStatus;

use crate::samples;
use crate::sandbox::Sandbox;
use crate::status::{look_at, state};

#[test]
fn what_was_saved_is_shown_compared_and_removed() {
    let sandbox = Sandbox::without_database();
    let store = state(&sandbox);
    look_at(
        &store,
        "shop/web:1",
        &["CVE-2026-1", "CVE-2026-2"],
        AssessmentStatus::Complete,
    );
    let variables = [("SNAPSHOT_DIR", "snapshots")];
    let run = |call: &str| sandbox.run_with(variables, call);
    run("baseline diff")
        .exits(0)
        .prints(&["No image that is known has a baseline."]);
    run("baseline save")
        .exits(0)
        .prints(&["shop/web:1: 2 vulnerabilities in snapshots/shop__web__1.json"])
        .warns_nothing();
    let written = sandbox.read_json("snapshots/shop__web__1.json");
    assert_eq!(written["image"], "shop/web:1");
    assert_eq!(written["vulnerabilities"][1], "CVE-2026-2");
    run("baseline diff")
        .exits(0)
        .prints(&["no difference: 2 in both"]);
    look_at(
        &store,
        "shop/web:1",
        &["CVE-2026-2", "CVE-2026-3"],
        AssessmentStatus::Complete,
    );
    run("baseline diff shop/web:1").exits(0).prints(&[
        "+ CVE-2026-3 new",
        "- CVE-2026-1 resolved",
        "1 in both",
    ]);
    let below = run("baseline diff --severity CRITICAL -f json")
        .exits(0)
        .json();
    assert_eq!(below["images"][0]["below_filter"][0], "CVE-2026-2");
    assert_eq!(below["images"][0]["new"].as_array().unwrap().len(), 0);
    run("baseline show")
        .exits(0)
        .prints(&["shop/web:1", "shop__web__1.json"]);
    run("baseline show shop/web:1")
        .exits(0)
        .prints(&["  CVE-2026-1\n"]);
    run("baseline rm shop/web:1").exits(0).prints(&["Removed"]);
    assert_eq!(sandbox.files("snapshots"), [""; 0]);
    run("baseline rm shop/web:1")
        .exits(2)
        .warns(&["no baseline of shop/web:1"]);
    run("baseline show shop/web:1")
        .exits(2)
        .warns(&["no baseline of shop/web:1"]);
    run("baseline show")
        .exits(0)
        .prints(&["There is no baseline yet."]);
}

#[test]
fn what_could_not_be_assessed_is_neither_accepted_nor_resolved() {
    let sandbox = Sandbox::without_database();
    let store = state(&sandbox);
    look_at(&store, "a:1", &["CVE-2026-1"], AssessmentStatus::Complete);
    look_at(&store, "b:1", &["CVE-2026-1"], AssessmentStatus::Complete);
    sandbox.run("baseline save --snapshot-dir s").exits(0);
    let before = sandbox.read("s/b__1.json");
    look_at(&store, "b:1", &[], AssessmentStatus::Failed);
    sandbox
        .run("baseline save --snapshot-dir s")
        .exits(3)
        .prints(&["a:1: 1 vulnerability"])
        .warns(&["b:1 was not assessed completely"]);
    assert_eq!(sandbox.read("s/b__1.json"), before);
    sandbox
        .run("baseline diff b:1 --snapshot-dir s")
        .exits(3)
        .prints(&["NOT ASSESSED COMPLETELY"])
        .lacks(&["- CVE-2026-1"]);
}

#[test]
fn a_damaged_file_is_named_and_hides_nothing() {
    let sandbox = Sandbox::without_database();
    let store = state(&sandbox);
    look_at(&store, "a:1", &["CVE-2026-1"], AssessmentStatus::Complete);
    look_at(&store, "b:1", &["CVE-2026-1"], AssessmentStatus::Complete);
    sandbox.run("baseline save --snapshot-dir s").exits(0);
    sandbox.write("s/a__1.json", "{\"image\": \"a:1\"");
    sandbox
        .run("baseline show --snapshot-dir s")
        .exits(3)
        .prints(&["NO BASELINE", "b:1"]);
    sandbox
        .run("baseline diff --snapshot-dir s")
        .exits(2)
        .prints(&["b:1", "no difference"])
        .warns(&["makes no sense", "a__1.json.corrupt-"]);
}

#[test]
fn saved_reports_serve_as_well() {
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    sandbox.run("scan --input web.tar -o json=r.json").exits(0);
    sandbox
        .run("baseline save --scan-results r.json --snapshot-dir s -s CRITICAL")
        .exits(0)
        .prints(&["1 vulnerability in s/"]);
    let diff = sandbox
        .run("baseline diff --scan-results r.json --snapshot-dir s -f json")
        .exits(0)
        .json();
    assert_eq!(diff["images"][0]["new"][0], "CVE-2099-0002");
    sandbox
        .run("baseline diff nothing:1 --scan-results r.json --snapshot-dir s")
        .exits(2)
        .warns(&["the reports have no image 'nothing:1'"]);
}
