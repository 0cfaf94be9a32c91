//! `status`, `history` and `affected`, as they are called.

use std::path::Path;

use cleanbill_core::change::{Cause, Change, ChangeKind, FindingKey, ImageState, KnownFinding};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::{Digest, Severity};
use cleanbill_store::state::{OutboxMessage, Scan, ScanCommit, SeenImage, StateStore};

use crate::sandbox::Sandbox;

const HOSTILE: &str = "evil\u{1b}[31m:\u{202e}1";

/// Where the program looks for the state of a [`Sandbox`].
pub(crate) const STATE: &str = "home/.local/state/cleanbill";

/// Opens the state of a sandbox, which is made if there is none.
pub(crate) fn state(sandbox: &Sandbox) -> StateStore {
    open(&sandbox.path(STATE))
}

fn open(directory: &Path) -> StateStore {
    StateStore::open(directory, now()).unwrap().0
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Notes a look of now that found some vulnerabilities, all of them high and new.
pub(crate) fn look_at(store: &StateStore, image: &str, ids: &[&str], status: AssessmentStatus) {
    let findings = ids.iter().map(|id| finding(id)).collect();
    look_at_findings(store, image, findings, status);
}

/// Notes a look of now that found something new.
pub(crate) fn look_at_findings(
    store: &StateStore,
    image: &str,
    findings: Vec<KnownFinding>,
    status: AssessmentStatus,
) {
    let image_id = Some(Digest::of(image.as_bytes()));
    let seen = SeenImage {
        name: image.to_owned(),
        image_id,
        ..SeenImage::default()
    };
    store.image_seen(&[seen], now()).unwrap();
    let changes = findings.iter().map(|finding| Change {
        image: image.to_owned(),
        kind: ChangeKind::New,
        cause: Cause::FirstSeen,
        finding: Some(finding.clone()),
    });
    let commit = ScanCommit {
        changes: changes.collect(),
        scan: Scan {
            image: image.to_owned(),
            image_id,
            triggered_by: "event".to_owned(),
            started_at: now(),
            status,
            counts: findings.iter().map(|finding| finding.severity).collect(),
            ..Scan::default()
        },
        state: ImageState {
            name: image.to_owned(),
            image_id,
            status,
            findings,
            ..ImageState::default()
        },
        inventory: None,
    };
    store.scan_commit(&commit).unwrap();
}

pub(crate) fn finding(id: &str) -> KnownFinding {
    KnownFinding {
        key: FindingKey {
            vulnerability_id: id.to_owned(),
            kind: "debian".to_owned(),
            package_name: "openssl".to_owned(),
            package_path: String::new(),
        },
        installed_version: "1.0".to_owned(),
        severity: Severity::High,
        ..KnownFinding::default()
    }
}

/// Leaves a message that was given up.
pub(crate) fn give_up(store: &StateStore, channel: &str, id: &str) {
    let message = OutboxMessage::new(channel, id, b"{}".to_vec());
    let numbers = store.messages_commit(&[], &[message], now()).unwrap();
    store
        .outbox_dead(numbers[0], now(), "nobody listens")
        .unwrap();
}

fn finish_a_pass(store: &StateStore) {
    let pass = store.pass_begin("schedule", now()).unwrap();
    store.pass_finish(pass, now(), 1, 0).unwrap();
}

const CALLS: [&str; 5] = [
    "status",
    "history shop/web:1",
    "affected CVE-2026-1",
    "notify list",
    "baseline save",
];

#[test]
fn without_a_state_there_is_a_way_out() {
    let sandbox = Sandbox::without_database();
    for call in CALLS.into_iter().chain(["notify retry"]) {
        let outcome =
            sandbox
                .run(call)
                .exits(2)
                .warns(&["there is no state", STATE, "hint:", "--state-dir"]);
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
    assert_eq!(
        sandbox.files("home"),
        [""; 0],
        "nothing is created by looking"
    );
}

#[test]
fn a_damaged_state_is_named_and_left_as_it_is() {
    let sandbox = Sandbox::without_database();
    let garbage = "this is no database, and never was one. ".repeat(200);
    sandbox.write(&format!("{STATE}/state.db"), &garbage);
    for call in CALLS {
        sandbox
            .run(call)
            .exits(2)
            .warns(&["the file is damaged", "state.db.backup"]);
    }
    assert_eq!(sandbox.read(&format!("{STATE}/state.db")), garbage);
}

#[test]
fn an_empty_state_is_shown_as_that() {
    let sandbox = Sandbox::without_database();
    drop(state(&sandbox));
    sandbox
        .run("status")
        .exits(0)
        .prints(&["0 watched", "none known", "none yet"])
        .warns_nothing();
    sandbox
        .run("affected CVE-2026-1 openssl")
        .exits(0)
        .prints(&["no image is watched"]);
    sandbox
        .run("history a:1")
        .exits(2)
        .warns(&["no image is known as 'a:1'", "nothing has been watched yet"]);
    sandbox.run("baseline save").exits(2).warns(&["no image"]);
}

/// Makes the state of a `watch` that has looked at one image.
fn with_one_image(sandbox: &Sandbox) -> StateStore {
    let store = state(sandbox);
    look_at(
        &store,
        "shop/web:1",
        &["CVE-2026-1"],
        AssessmentStatus::Complete,
    );
    store
}

#[test]
fn what_needs_somebody_is_the_exit_code() {
    let sandbox = Sandbox::without_database();
    let store = with_one_image(&sandbox);
    finish_a_pass(&store);
    // The owner runs meanwhile.
    sandbox
        .run("status")
        .exits(0)
        .prints(&["1 watched · 1 assessed", "1 high", "1 change to be told"])
        .warns_nothing();
    give_up(&store, "mail", "m-1");
    sandbox.run("status").exits(3).prints(&[
        "1 message was given up",
        "nobody listens",
        "notify retry",
    ]);
    look_at(&store, HOSTILE, &[], AssessmentStatus::Failed);
    let status = sandbox.run("status -f json").exits(3).json();
    assert_eq!(status["schema_version"], 1);
    assert_eq!(status["problems"][0]["kind"], "dead_messages");
    assert_eq!(status["problems"][1]["kind"], "failed_images");
    assert_eq!(status["incomplete"][0]["image"], HOSTILE);
}

#[test]
fn hostile_names_steer_no_terminal() {
    let sandbox = Sandbox::without_database();
    let store = state(&sandbox);
    look_at(
        &store,
        HOSTILE,
        &["CVE-\u{9b}2J"],
        AssessmentStatus::Complete,
    );
    give_up(&store, "mail\u{7}", "m-1");
    for call in [
        "status",
        "affected openssl",
        "notify list",
        "baseline save --severity HIGH --snapshot-dir b",
        "baseline diff --severity HIGH --snapshot-dir b",
        "baseline show --snapshot-dir b",
        "notify retry",
    ] {
        for format in ["", " --format json"] {
            if !format.is_empty() && (call.contains("save") || call.contains("retry")) {
                continue;
            }
            let outcome = sandbox.run(&format!("{call}{format}"));
            assert!(matches!(outcome.code, Some(0 | 3)), "{outcome}");
            assert_ne!(outcome.stdout, "", "{outcome}");
            outcome.lacks(&["\u{1b}", "\u{202e}", "\u{9b}", "\u{7}"]);
        }
    }
}

#[test]
fn the_state_is_found_by_flag_environment_and_configuration() {
    let sandbox = Sandbox::without_database();
    drop(open(&sandbox.path("elsewhere")));
    sandbox.write(
        "c.yaml",
        "version: 1\nstate: {directory: elsewhere}\nwatch: {interval: 1h}\n",
    );
    sandbox.run("status --state-dir elsewhere").exits(0);
    sandbox
        .run_with([("CLEANBILL_STATE_DIR", "elsewhere")], "status")
        .exits(0);
    sandbox.run("status --config c.yaml").exits(0);
    // What is wrong elsewhere in the file is for `watch` to refuse.
    sandbox.write(
        "broken.yaml",
        "version: 1\nstate: {directory: elsewhere}\nscan: {severty: [HIGH]}\n",
    );
    for call in ["status", "history app:1", "notify list"] {
        sandbox
            .run(&format!("{call} --config broken.yaml"))
            .exits(if call == "history app:1" { 2 } else { 0 })
            .warns(&["the settings are wrong", "broken.yaml:3:8", "severty"]);
    }
    sandbox.write("broken.yaml", "version: 1\nstate: {directory: [a]}\n");
    sandbox
        .run("status --config broken.yaml")
        .exits(2)
        .warns(&["state.directory"]);
    sandbox.write("c.yaml", "version: 1\nstatte: {}\n");
    sandbox
        .run("status --config c.yaml")
        .exits(2)
        .warns(&["c.yaml:2:1", "did you mean 'state'?"]);
}

#[test]
fn history_and_affected_answer_from_the_books() {
    let sandbox = Sandbox::without_database();
    let store = with_one_image(&sandbox);
    look_at(
        &store,
        "shop/web:1",
        &["CVE-2026-1", "CVE-2026-2"],
        AssessmentStatus::Complete,
    );
    finish_a_pass(&store);
    sandbox.run("history shop/web:1").exits(0).prints(&[
        "shop/web:1",
        "by event",
        "+ CVE-2026-2 HIGH openssl 1.0 new: the image is looked at for the first time",
    ]);
    let history = sandbox
        .run("history shop/web:1 -n 1 -f json")
        .exits(0)
        .json();
    assert_eq!(history["looks"].as_array().unwrap().len(), 1);
    assert_eq!(history["looks"][0]["changes"][0]["cause"], "first_seen");
    sandbox
        .run("affected cve-2026-2 CVE-1999-1")
        .exits(0)
        .prints(&[
            "cve-2026-2: 1 of 1 image",
            "CVE-1999-1: not found in 1 image",
        ]);
    let affected = sandbox.run("affected openssl -f json").exits(0).json();
    assert_eq!(affected["queries"][0]["hits"].as_array().unwrap().len(), 2);
}
