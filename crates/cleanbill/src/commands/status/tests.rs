//! A prepared state, and what `status` says of it.

use std::path::Path;

use cleanbill_core::change::{Cause, Change, ChangeKind, FindingKey, ImageState, KnownFinding};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::{Digest, Severity};
use cleanbill_monitor::notes::{self, EngineAway, PlanNote, PutOff, RefusedSettings};
use cleanbill_report::listing::Listing;
use cleanbill_store::state::*;
use jiff::Timestamp;

use super::{facts, json, text};
use crate::settings::{Loader, WatchSettings};

/// 2026-11-22T12:00:00Z
pub(in crate::commands) const NOW_MS: i64 = 1_795_348_800_000;
const HOUR_MS: i64 = 3_600_000;
const DATABASE: &str = "2026-11-22T06:30:00Z";

/// A name that would turn a terminal red and its text around.
pub(in crate::commands) const HOSTILE: &str = "evil\u{1b}[31m:\u{202e}1";

pub(in crate::commands) fn now() -> Timestamp {
    Timestamp::from_millisecond(NOW_MS).unwrap()
}

/// Makes a state in which everything happened that is to be shown.
pub(in crate::commands) fn prepared(directory: &Path) -> StateStore {
    let store = empty(directory);
    let names = [
        "shop/web:1",
        "shop/api:2",
        HOSTILE,
        "shop/new:1",
        "shop/old:1",
    ];
    see(&store, &names, NOW_MS - 72 * HOUR_MS);
    see(&store, &names[..4], NOW_MS - HOUR_MS);
    store
        .container_replace(&[container("web-1"), container("web-2")])
        .unwrap();
    let pass = store.pass_begin("schedule", NOW_MS - 25 * HOUR_MS).unwrap();
    let first = vec![finding("CVE-2026-1", "openssl", Severity::High)];
    store.scan_commit(&look("shop/web:1", first, pass)).unwrap();
    store.scan_commit(&second_look(pass)).unwrap();
    let mut api = look("shop/api:2", vec![], pass);
    api.state.status = AssessmentStatus::Partial;
    api.state.reason = "usr/lib/x.jar: the archive is damaged".to_owned();
    store.scan_commit(&with_status(api)).unwrap();
    let mut evil = look(HOSTILE, vec![], pass);
    evil.state.status = AssessmentStatus::Failed;
    evil.state.reason = "layer \u{1b}[2J is missing".to_owned();
    store.scan_commit(&with_status(evil)).unwrap();
    store
        .pass_finish(pass, NOW_MS - 25 * HOUR_MS + 12_000, 3, 2)
        .unwrap();
    send(&store);
    plan(&store, NOW_MS - HOUR_MS, NOW_MS + 23 * HOUR_MS);
    let again = PutOff {
        image: HOSTILE.to_owned(),
        failures: 3,
        until: NOW_MS + 240_000,
    };
    notes::set_put_off(&store, &[again]).unwrap();
    store
}

/// Notes what a running `watch` plans.
fn plan(store: &StateStore, next_pass_at: i64, overdue_at: i64) {
    let note = PlanNote {
        next_pass_at,
        overdue_at,
        schedule: "every 24 h".to_owned(),
    };
    notes::set_plan(store, Some(&note)).unwrap();
}

/// Makes a state in which nothing happened.
pub(in crate::commands) fn empty(directory: &Path) -> StateStore {
    StateStore::open(directory, NOW_MS).unwrap().0
}

fn see(store: &StateStore, names: &[&str], at: i64) {
    let seen: Vec<SeenImage> = names
        .iter()
        .map(|name| SeenImage {
            name: (*name).to_owned(),
            image_id: Some(Digest::of(name.as_bytes())),
            ..SeenImage::default()
        })
        .collect();
    store.image_reconcile(&seen, at).unwrap();
}

fn container(name: &str) -> Container {
    Container {
        id: name.to_owned(),
        name: name.to_owned(),
        image_name: "shop/web:1".to_owned(),
        image_id: Some(Digest::of(b"shop/web:1")),
        ..Container::default()
    }
}

fn finding(id: &str, package: &str, severity: Severity) -> KnownFinding {
    KnownFinding {
        key: FindingKey {
            vulnerability_id: id.to_owned(),
            kind: "debian".to_owned(),
            package_name: package.to_owned(),
            package_path: String::new(),
        },
        installed_version: "1.0-1".to_owned(),
        severity,
        advisory_source: "debian".to_owned(),
        published: "2026-11-21T00:00:00Z".to_owned(),
        ..KnownFinding::default()
    }
}

/// Makes a look that finds all of it for the first time, a day ago.
fn look(image: &str, findings: Vec<KnownFinding>, pass: PassId) -> ScanCommit {
    let image_id = Some(Digest::of(image.as_bytes()));
    let changes = findings.iter().map(|finding| Change {
        image: image.to_owned(),
        kind: ChangeKind::New,
        cause: Cause::FirstSeen,
        finding: Some(finding.clone()),
    });
    ScanCommit {
        changes: changes.collect(),
        scan: Scan {
            pass: Some(pass),
            image: image.to_owned(),
            image_id,
            triggered_by: "schedule".to_owned(),
            started_at: NOW_MS - 25 * HOUR_MS,
            duration_ms: 1_200,
            database_updated_at: DATABASE.to_owned(),
            counts: findings.iter().map(|finding| finding.severity).collect(),
            ..Scan::default()
        },
        state: ImageState {
            name: image.to_owned(),
            image_id,
            database_updated_at: DATABASE.to_owned(),
            findings,
            ..ImageState::default()
        },
        inventory: None,
    }
}

fn with_status(mut commit: ScanCommit) -> ScanCommit {
    commit.scan.status = commit.state.status;
    commit.scan.reason.clone_from(&commit.state.reason);
    commit
}

/// Makes the look at another image of the same name, which a new database followed: one finding
/// is rated anew, one came, one is covered by an exception.
fn second_look(pass: PassId) -> ScanCommit {
    let mut rated = finding("CVE-2026-1", "openssl", Severity::Critical);
    rated.fixed_version = "1.0-2".to_owned();
    let mut covered = finding("CVE-2026-2", "zlib", Severity::Low);
    covered.covered_by = "exceptions.yaml: not reachable".to_owned();
    let mut library = finding("GHSA-abcd-1234-efgh", "lodash", Severity::Medium);
    library.key.kind = "npm".to_owned();
    library.key.package_path = "srv/package.json".to_owned();
    let findings = vec![rated.clone(), covered, library.clone()];
    let mut commit = look("shop/web:1", findings, pass);
    commit.scan.started_at = NOW_MS - 2 * HOUR_MS;
    commit.scan.triggered_by = "database".to_owned();
    commit.scan.pass = None;
    let change = |kind, cause, finding| Change {
        image: "shop/web:1".to_owned(),
        kind,
        cause,
        finding: Some(finding),
    };
    commit.changes = vec![
        change(
            ChangeKind::SeverityChanged {
                from: Severity::High,
            },
            Cause::AdvisoryChanged {
                from: "2026-11-21T06:30:00Z".to_owned(),
                to: DATABASE.to_owned(),
            },
            rated,
        ),
        change(
            ChangeKind::New,
            Cause::ImageChanged {
                from: Some(Digest::of(b"before")),
                to: Some(Digest::of(b"after")),
            },
            library,
        ),
        Change {
            image: "shop/web:1".to_owned(),
            kind: ChangeKind::AssessmentRegained,
            cause: Cause::Assessment,
            finding: None,
        },
    ];
    commit
}

/// Leaves one message delivered, one given up, one to be tried again, and one change untold.
fn send(store: &StateStore) {
    let untold = store.read().changes_untold(10).unwrap();
    let told: Vec<ChangeId> = untold.iter().skip(1).map(|change| change.id).collect();
    let payload = br#"{"version":1,"kind":"changes"}"#;
    let messages = ["slack", "mail", "hook"].map(|channel| OutboxMessage {
        changes: told.clone(),
        ..OutboxMessage::new(channel, &format!("{channel}-1"), payload.to_vec())
    });
    let at = NOW_MS - 2 * HOUR_MS;
    let numbers = store.messages_commit(&told, &messages, at).unwrap();
    store.outbox_claim(None, at, 1_000, 9).unwrap();
    store
        .outbox_delivered(numbers[0], at + 1_000, "ok")
        .unwrap();
    store
        .outbox_dead(numbers[1], at + 2_000, "535 wrong \u{1b}[5mpassword")
        .unwrap();
    store
        .outbox_retry(numbers[2], at + 3_000, "HTTP 503", NOW_MS + HOUR_MS)
        .unwrap();
}

/// Makes settings without the machine's environment.
pub(in crate::commands) fn settings() -> WatchSettings {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    let content = "version: 1\nstate: {directory: /var/lib/cleanbill}\n";
    std::fs::write(&file, content).unwrap();
    Loader::of_file(file).load().unwrap().settings
}

fn gather(store: &StateStore) -> facts::Status {
    let mut status = facts::gather(store.read(), Path::new("/var/lib/cleanbill"), now()).unwrap();
    // The size depends on the version of SQLite.
    status.state.size_bytes = 1 << 20;
    status
}

fn as_text(status: &facts::Status, width: Option<usize>) -> String {
    let mut listing = Listing::new(width, false);
    text::write(status, &mut listing);
    listing.finish()
}

fn kinds(status: &facts::Status) -> Vec<&'static str> {
    status.problems.iter().map(|problem| problem.kind).collect()
}

#[test]
fn everything_that_is_known_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let status = gather(&prepared(directory.path()));
    insta::assert_snapshot!("prepared", as_text(&status, None));
    insta::assert_snapshot!("prepared_narrow", as_text(&status, Some(60)));
    insta::assert_snapshot!("prepared_json", json(&status).unwrap());
}

#[test]
fn an_empty_state_is_no_problem_and_claims_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let status = gather(&empty(directory.path()));
    assert_eq!(kinds(&status), [""; 0]);
    insta::assert_snapshot!("empty", as_text(&status, None));
    insta::assert_snapshot!("empty_json", json(&status).unwrap());
}

#[test]
fn a_pass_is_overdue_when_the_plan_of_watch_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let store = prepared(directory.path());
    let is_overdue = || kinds(&gather(&store)).contains(&"overdue_pass");
    assert!(!is_overdue());
    plan(&store, NOW_MS - 24 * HOUR_MS, NOW_MS - 1);
    assert!(is_overdue());
    // Passes that somebody makes on demand are nobody's plan.
    notes::set_plan(&store, None).unwrap();
    assert!(!is_overdue());
    let text = as_text(&gather(&store), None);
    assert!(text.contains("when cleanbill watch starts"), "{text}");
}

#[test]
fn a_state_without_any_finished_pass_is_overdue_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = empty(directory.path());
    plan(&store, NOW_MS - 24 * HOUR_MS, NOW_MS - 1);
    assert_eq!(kinds(&gather(&store)), ["overdue_pass"]);
    store.pass_begin("schedule", NOW_MS - HOUR_MS).unwrap();
    let text = as_text(&gather(&store), None);
    assert!(
        text.contains("and not finished; none was finished yet"),
        "{text}"
    );
    assert!(text.contains("! no pass was finished yet:"), "{text}");
}

#[test]
fn a_baseline_that_could_not_be_read_is_a_problem_while_its_image_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = empty(directory.path());
    let reason = "the baseline a.json makes no sense (no JSON) and is kept as a.json.corrupt-1";
    let lost = [("shop/web:1", reason), ("gone:1", reason)]
        .map(|(image, reason)| (image.to_owned(), reason.to_owned()));
    notes::set_lost_baselines(&store, &lost.into()).unwrap();
    see(&store, &["shop/web:1"], NOW_MS);
    let status = gather(&store);
    assert_eq!(kinds(&status), ["lost_baseline"]);
    assert_eq!(
        status.problems[0].text,
        format!("the baseline of shop/web:1 could not be read: {reason}")
    );
}

#[test]
fn settings_that_were_refused_are_a_problem() {
    let directory = tempfile::tempdir().unwrap();
    let store = empty(directory.path());
    let refused = RefusedSettings {
        at: NOW_MS - HOUR_MS,
        reason: "channel ops: smtp: host is missing".to_owned(),
    };
    notes::set_refused_settings(&store, Some(&refused)).unwrap();
    let status = gather(&store);
    assert_eq!(kinds(&status), ["refused_settings"]);
    assert_eq!(
        status.problems[0].text,
        "new settings were not taken at 2026-11-22 11:00 UTC, the old ones are in force: \
         channel ops: smtp: host is missing"
    );
}

#[test]
fn an_engine_that_does_not_answer_is_a_problem() {
    let directory = tempfile::tempdir().unwrap();
    let store = empty(directory.path());
    let away = EngineAway {
        since: NOW_MS - HOUR_MS,
        reason: "cannot reach unix:///nowhere.sock: no such file".to_owned(),
    };
    notes::set_engine_away(&store, Some(&away)).unwrap();
    let status = gather(&store);
    assert_eq!(kinds(&status), ["engine_away"]);
    let text = as_text(&status, None);
    let expected = "! the engine has not answered since 2026-11-22 11:00 UTC: cannot reach unix:///nowhere.sock: \
                    no such file:";
    assert!(text.contains(expected), "{text}");
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["engine_away"]["since"], "2026-11-22T11:00:00Z");
    assert_eq!(json["engine_away"]["reason"], away.reason);
    notes::set_engine_away(&store, None).unwrap();
    let json = serde_json::to_value(gather(&store)).unwrap();
    assert!(json.get("engine_away").is_none());
}
