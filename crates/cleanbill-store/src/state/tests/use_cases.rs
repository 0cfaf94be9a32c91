//! Each use case on its own.

use cleanbill_core::change::{ImageState, KnownFinding};
use cleanbill_core::{Digest, Severity};

use super::kit::*;
use crate::StoreError;
use crate::state::*;

fn store() -> StateStore {
    StateStore::in_memory().unwrap()
}

fn names(affected: &[AffectedImage]) -> Vec<&str> {
    affected.iter().map(|one| one.image.as_str()).collect()
}

#[test]
fn what_is_remembered_comes_back() {
    let store = store();
    assert_eq!(store.read().image_state("a:1").unwrap(), None);
    let first = look(
        "a:1",
        vec![finding("CVE-1", "x"), finding("CVE-2", "x")],
        10,
    );
    store.scan_commit(&first).unwrap();
    store.forget_pages().unwrap();
    assert_eq!(store.read().image_state("a:1").unwrap(), Some(first.state));
    let second = look("a:1", vec![finding("CVE-2", "x")], 20);
    store.scan_commit(&second).unwrap();
    assert_eq!(store.read().image_state("a:1").unwrap(), Some(second.state));
    store.scan_commit(&look("b:1", vec![], 30)).unwrap();
    let other: ImageState = store.read().image_state("b:1").unwrap().unwrap();
    assert!(other.findings.is_empty());
}

#[test]
fn a_finding_is_there_since_it_came_last() {
    let store = store();
    let since = |id: &str| -> Vec<i64> {
        let affected = store.read().affected(&[id]).unwrap();
        affected.iter().map(|one| one.first_seen_at).collect()
    };
    store
        .scan_commit(&look("a:1", vec![finding("CVE-1", "x")], 10))
        .unwrap();
    let mut fixed = finding("CVE-1", "x");
    fixed.fixed_version = "2".to_owned();
    store.scan_commit(&look("a:1", vec![fixed], 20)).unwrap();
    assert_eq!(since("CVE-1"), [10]);
    assert_eq!(
        store.read().affected(&["CVE-1"]).unwrap()[0].fixed_version,
        "2"
    );
    store.scan_commit(&look("a:1", vec![], 30)).unwrap();
    assert!(since("CVE-1").is_empty());
    store
        .scan_commit(&look("a:1", vec![finding("CVE-1", "x")], 40))
        .unwrap();
    assert_eq!(since("CVE-1"), [40]);
}

#[test]
fn affected_names_images_and_their_containers() {
    let store = store();
    for image in ["b:1", "a:1", "c:1"] {
        let findings = vec![finding("CVE-1", "x"), finding("GHSA-1", "y")];
        store.scan_commit(&look(image, findings, 10)).unwrap();
    }
    let container = |name: &str, image: &str, image_id| Container {
        id: format!("id-{name}"),
        name: name.to_owned(),
        image_name: image.to_owned(),
        image_id,
        running_since: Some(5),
    };
    store
        .container_replace(&[
            container("web", "a:1", Some(Digest::of(b"a:1"))),
            // The tag has moved on; the container has not.
            container("old", "a:1", Some(Digest::of(b"before"))),
            container("db", "b:1", None),
            // The engine lists images by another id than that of what was looked at.
            container("job", "sha256:0", Some(Digest::of(b"listed"))),
        ])
        .unwrap();
    let listed = SeenImage {
        name: "b:1".to_owned(),
        image_id: Some(Digest::of(b"listed")),
        ..SeenImage::default()
    };
    store.image_seen(&[listed], 15).unwrap();
    store.image_gone("c:1", 20).unwrap();
    let affected = store.read().affected(&["CVE-1", "CVE-9"]).unwrap();
    assert_eq!(names(&affected), ["a:1", "b:1"]);
    assert_eq!(affected[0].containers, ["web"]);
    assert_eq!(affected[1].containers, ["db", "job"]);
    assert_eq!(affected[0].severity, Severity::High);
    let by_alias = store.read().affected(&["GHSA-1", "CVE-1"]).unwrap();
    assert_eq!(names(&by_alias), ["a:1", "a:1", "b:1", "b:1"]);
    let by_package = store.read().affected_by_package("y").unwrap();
    assert_eq!(by_package[0].key.vulnerability_id, "GHSA-1");
    assert_eq!(names(&by_package), ["a:1", "b:1"]);
    assert!(store.read().affected(&[]).unwrap().is_empty());
}

#[test]
fn images_come_and_go() {
    let store = store();
    let seen = |name: &str, id: &[u8]| SeenImage {
        name: name.to_owned(),
        image_id: Some(Digest::of(id)),
        labels: [("cleanbill.enable".to_owned(), "true".to_owned())].into(),
    };
    store
        .image_seen(&[seen("a:1", b"1"), seen("b:1", b"2")], 10)
        .unwrap();
    assert!(store.image_gone("b:1", 20).unwrap());
    assert!(!store.image_gone("b:1", 30).unwrap());
    assert!(!store.image_gone("z:1", 30).unwrap());
    let listed = store.read().image_list().unwrap();
    assert_eq!(listed[1].gone_at, Some(20));
    assert_eq!(listed[0].labels["cleanbill.enable"], "true");
    assert_eq!(listed[0].assessment, None);

    let gone = store
        .image_reconcile(&[seen("b:1", b"3"), seen("c:1", b"4")], 40)
        .unwrap();
    assert_eq!(gone, ["a:1"]);
    let back = store.read().image_get("b:1").unwrap().unwrap();
    assert_eq!((back.gone_at, back.first_seen_at), (None, 10));
    assert_eq!(back.image_id, Some(Digest::of(b"3")));
    assert!(store.image_forget("b:1").unwrap());
    assert_eq!(store.read().image_get("b:1").unwrap(), None);
}

#[test]
fn history_is_told_latest_first() {
    let store = store();
    let pass = store.pass_begin("start", 5).unwrap();
    let mut first = look("a:1", vec![finding("CVE-1", "x")], 10);
    first.scan.pass = Some(pass);
    store.scan_commit(&first).unwrap();
    store.pass_finish(pass, 15, 1, 0).unwrap();
    let mut second = look("a:1", vec![], 20);
    second.scan.reason = "the engine was restarted".to_owned();
    let encoded = store.read().scan_encode_judged(second.clone()).unwrap();
    store.scan_commit_all(&[encoded]).unwrap();
    let history = store.read().history("a:1", 10).unwrap();
    let scans: Vec<&Scan> = history.iter().map(|row| &row.scan).collect();
    assert_eq!(scans, [&second.scan, &first.scan]);
    assert_eq!(history[1].changes, first.changes);
    assert_eq!(store.read().history("a:1", 1).unwrap().len(), 1);
    assert!(store.read().history("b:1", 10).unwrap().is_empty());
    let passes = store.read().pass_list(10).unwrap();
    assert_eq!(passes[0].finished_at, Some(15));
    assert_eq!((passes[0].images, passes[0].failed), (1, 0));
}

#[test]
fn what_was_encoded_beside_another_look_is_stored_as_it_is() {
    let store = store();
    let first = look("a:1", vec![finding("CVE-1", "x")], 10);
    let second = look("a:1", vec![finding("CVE-2", "x")], 20);
    store.scan_commit(&first).unwrap();
    // Nothing was to be compressed when it was encoded; it is when it is stored.
    let again = store.read().scan_encode_judged(first.clone()).unwrap();
    let encoded = store.read().scan_encode_judged(second.clone()).unwrap();
    store.scan_commit_all(&[encoded]).unwrap();
    let state = || store.read().image_state("a:1").unwrap().unwrap();
    assert_eq!(state(), second.state);
    store.scan_commit_all(&[again]).unwrap();
    assert_eq!(state(), first.state);
}

#[test]
fn judging_again_leaves_the_packages() {
    let store = store();
    let look = look("a:1", vec![finding("CVE-1", "x")], 10);
    store.scan_commit(&look).unwrap();
    let before = store.read().image_state_without_packages("a:1").unwrap();
    let mut judged = look.clone();
    judged.state.packages.clear();
    assert_eq!(before.as_ref(), Some(&judged.state));
    judged.state.findings.push(finding("CVE-2", "x"));
    let state = judged.state.clone();
    let encode = |commit: ScanCommit| store.read().scan_encode_judged(commit).unwrap();
    store.scan_commit_all(&[encode(judged.clone())]).unwrap();
    let after = store.read().image_state("a:1").unwrap().unwrap();
    assert!(!after.packages.is_empty());
    assert_eq!(after.packages, look.state.packages);
    assert_eq!(after.findings, state.findings);
    // Of an image that was forgotten meanwhile there are none.
    let encoded = encode(judged);
    store.image_forget("a:1").unwrap();
    store.scan_commit_all(&[encoded]).unwrap();
    assert_eq!(store.read().image_state("a:1").unwrap(), Some(state));
}

#[test]
fn vulnerabilities_are_counted_once_within_severities() {
    let store = store();
    let rated = |id, package, severity| KnownFinding {
        severity,
        ..finding(id, package)
    };
    let mut findings = vec![
        rated("CVE-1", "x", Severity::High),
        rated("CVE-1", "y", Severity::Low),
        rated("CVE-2", "x", Severity::High),
        rated("CVE-3", "x", Severity::Low),
        rated("CVE-4", "x", Severity::High),
    ];
    findings[4].covered_by = "exceptions.yaml:1".to_owned();
    store.scan_commit(&look("a:1", findings, 10)).unwrap();
    let count = |severities: &[Severity]| {
        let severities = severities.iter().copied();
        store.read().vulnerability_count("a:1", severities).unwrap()
    };
    assert_eq!(count(&[Severity::High]), 2);
    assert_eq!(count(&[Severity::Low]), 2);
    assert_eq!(count(&Severity::ALL), 3);
    assert_eq!(count(&[]), 0);
}

#[test]
fn a_change_is_told_once() {
    let store = store();
    let findings = vec![finding("CVE-1", "x"), finding("CVE-2", "x")];
    let committed = store.scan_commit(&look("a:1", findings, 10)).unwrap();
    let untold = store.read().changes_untold(10).unwrap();
    let ids: Vec<ChangeId> = untold.iter().map(|one| one.id).collect();
    assert_eq!(ids, committed.changes);
    assert_eq!(untold[0].scan, Some(committed.scan));
    assert_eq!(store.read().changes_untold(1).unwrap().len(), 1);

    let messages = CHANNELS.map(|channel| message(channel, "m1", &ids[..1]));
    let numbers = store.messages_commit(&ids, &messages, 20).unwrap();
    assert_eq!(numbers.len(), 2);
    assert!(store.read().changes_untold(10).unwrap().is_empty());
    let again = store.messages_commit(&ids, &[message("mail", "m2", &ids)], 30);
    assert!(matches!(again, Err(StoreError::AlreadyTold { change }) if change == ids[0].0));
    assert_eq!(store.read().outbox_list(None, 10).unwrap().len(), 2);
    // The second change was of no interest to anybody.
    let about = |id: &str| store.read().message_about("mail", "a:1", id).unwrap();
    assert_eq!(about("CVE-1").as_deref(), Some("m1"));
    assert_eq!(about("CVE-2"), None);
}

#[test]
fn a_message_of_the_same_key_is_sent_once() {
    let store = store();
    let heartbeat = message("mail", "heartbeat-2026-11-22", &[]);
    let first = store
        .messages_commit(&[], std::slice::from_ref(&heartbeat), 10)
        .unwrap();
    let second = store.messages_commit(&[], &[heartbeat], 20).unwrap();
    assert_eq!(first, second);
    assert_eq!(store.outbox_claim(None, 20, 100, 10).unwrap().len(), 1);
}

#[test]
fn a_message_goes_its_way() {
    let store = store();
    let claim = |now| -> Vec<MessageNumber> {
        let claimed = store.outbox_claim(None, now, 100, 10).unwrap();
        claimed.iter().map(|row| row.number).collect()
    };
    let state = |number| store.read().outbox_get(number).unwrap().unwrap();
    let mut later = message("chat", "m1", &[]);
    later.send_at = 500;
    let numbers = store
        .messages_commit(&[], &[message("mail", "m1", &[]), later], 10)
        .unwrap();
    assert_eq!(store.read().outbox_next_at(None).unwrap(), Some(0));
    assert_eq!(claim(20), [numbers[0]]);
    assert_eq!(store.read().outbox_next_at(None).unwrap(), Some(120));
    assert!(claim(119).is_empty());
    // Its sender died.
    assert_eq!(claim(120), [numbers[0]]);
    assert_eq!(state(numbers[0]).attempts, 2);
    assert_eq!(store.outbox_release().unwrap(), 1);
    assert_eq!(claim(121), [numbers[0]]);

    store
        .outbox_retry(numbers[0], 130, "451 busy", 1000)
        .unwrap();
    assert_eq!(state(numbers[0]).last_error, "451 busy");
    assert_eq!(claim(1000), [numbers[1], numbers[0]]);
    store.outbox_delivered(numbers[1], 1001, "250 ok").unwrap();
    store.outbox_delivered(numbers[1], 1002, "250 ok").unwrap();
    store
        .outbox_dead(numbers[0], 1003, "550 no such user")
        .unwrap();
    assert!(claim(i64::MAX).is_empty());
    let dead = store
        .read()
        .outbox_list(Some(MessageState::Dead), 10)
        .unwrap();
    assert_eq!(dead[0].last_error, "550 no such user");
    let outcomes: Vec<String> = store
        .read()
        .delivery_list(10)
        .unwrap()
        .into_iter()
        .map(|row| format!("{} {} {}", row.channel, row.outcome, row.text))
        .collect();
    assert_eq!(
        outcomes,
        [
            "mail dead 550 no such user",
            "chat delivered 250 ok",
            "mail retry 451 busy"
        ]
    );

    store.outbox_requeue(numbers[0], 2000).unwrap();
    assert_eq!(claim(2000), [numbers[0]]);
    assert_eq!(state(numbers[0]).attempts, 1);
    for refused in [
        store.outbox_requeue(numbers[1], 2000),
        store.outbox_retry(numbers[1], 2000, "", 0),
        store.outbox_dead(numbers[1], 2000, ""),
        store.outbox_delivered(MessageNumber(99), 2000, ""),
    ] {
        assert!(matches!(refused, Err(StoreError::NoSuchMessage { .. })));
    }
}

#[test]
fn a_clock_that_was_wrong_holds_nothing_back() {
    let store = store();
    let year = 365 * 24 * 60 * 60 * 1000;
    let numbers = store
        .messages_commit(
            &[],
            &[message("mail", "m1", &[]), message("chat", "m1", &[])],
            0,
        )
        .unwrap();
    store.outbox_claim(None, year, 1000, 10).unwrap();
    store
        .outbox_retry(numbers[0], year, "busy", year + 1000)
        .unwrap();
    // The clock is set back: neither the plan nor the lease of then counts.
    assert_eq!(store.outbox_claim(None, 0, 1000, 10).unwrap().len(), 2);
}

#[test]
fn a_clock_that_was_an_hour_ahead_holds_nothing_back_either() {
    let store = store();
    let hour = 60 * 60 * 1000;
    let planned = |channel| OutboxMessage {
        send_at: hour,
        ..message(channel, "m1", &[])
    };
    let numbers = store
        .messages_commit(&[], &[planned("mail"), planned("chat")], hour)
        .unwrap();
    store.outbox_claim(None, hour, 1000, 10).unwrap();
    store
        .outbox_retry(numbers[0], hour, "busy", hour + 1000)
        .unwrap();
    // Who sent the other one was killed; then the clock is set back.
    store.outbox_release().unwrap();
    assert_eq!(store.outbox_claim(None, 0, 1000, 10).unwrap().len(), 2);
    // What is planned by the right clock counts.
    store.outbox_retry(numbers[0], 0, "busy", 10_000).unwrap();
    assert!(
        store
            .outbox_claim(None, 5_000, 1000, 1)
            .unwrap()
            .iter()
            .all(|row| row.number != numbers[0])
    );
    let claimed = store.outbox_claim(None, 10_000, 1000, 10).unwrap();
    assert!(claimed.iter().any(|row| row.number == numbers[0]));
}

#[test]
fn inventories_are_kept_by_image_and_rules() {
    let store = store();
    let packed = PackedInventory::new(&vec!["openssl".to_owned()]).unwrap();
    let with_inventory = |image: &str, rules: &str| {
        let mut commit = look(image, vec![], 10);
        let image_id = Digest::of(b"shared");
        commit.state.image_id = Some(image_id);
        commit.inventory = Some(NewInventory {
            image_id,
            rules: rules.to_owned(),
            packed: packed.clone(),
        });
        commit
    };
    store.scan_commit(&with_inventory("b:1", "3")).unwrap();
    store.scan_commit(&with_inventory("a:1", "3")).unwrap();
    store.scan_commit(&look("c:1", vec![], 10)).unwrap();
    let listed = store.read().inventory_list("3").unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].names, ["a:1", "b:1"]);
    assert!(store.read().inventory_list("4").unwrap().is_empty());
    let back = store
        .read()
        .inventory_get(&listed[0].image_id, "3")
        .unwrap()
        .unwrap();
    assert_eq!(
        back.unpack::<Vec<String>>(),
        Some(vec!["openssl".to_owned()])
    );
    assert_eq!(back.unpack::<(u64, u64, u64, String)>(), None);
    store.scan_commit(&with_inventory("a:1", "4")).unwrap();
    assert!(store.read().inventory_list("3").unwrap().is_empty());
}

#[test]
fn the_summary_counts_what_is_watched() {
    let store = store();
    assert_eq!(store.read().status_summary().unwrap().images, 0);
    let mut partial = look("b:1", vec![finding("CVE-1", "x")], 10);
    partial.state.status = cleanbill_core::problem::AssessmentStatus::Partial;
    store
        .scan_commit(&look("a:1", vec![finding("CVE-1", "x")], 10))
        .unwrap();
    store.scan_commit(&partial).unwrap();
    store
        .scan_commit(&look("gone:1", vec![finding("CVE-1", "x")], 10))
        .unwrap();
    store.image_gone("gone:1", 20).unwrap();
    let new = SeenImage {
        name: "new:1".to_owned(),
        ..SeenImage::default()
    };
    store.image_seen(&[new], 20).unwrap();
    store
        .messages_commit(&[], &[message("mail", "m1", &[])], 30)
        .unwrap();
    let pass = store.pass_begin("schedule", 40).unwrap();
    let summary = store.read().status_summary().unwrap();
    assert_eq!(summary.images, 3);
    assert_eq!(summary.images_not_assessed, 1);
    assert_eq!(summary.images_complete, 1);
    assert_eq!(summary.images_partial, 1);
    assert_eq!(summary.images_gone, 1);
    assert_eq!(summary.findings.get(Severity::High), 2);
    assert_eq!(summary.findings.total(), 2);
    assert_eq!(summary.changes_untold, 2);
    assert_eq!(summary.messages_pending, 1);
    assert_eq!(summary.oldest_pending_at, Some(30));
    assert_eq!(summary.last_pass.unwrap().id, pass);
    assert_eq!(summary.last_finished_pass, None);
    assert!(summary.size_bytes > 0);
}

#[test]
fn single_values_are_kept() {
    let store = store();
    assert_eq!(store.read().install_id().unwrap().len(), 32);
    assert_eq!(store.read().meta_get("cursor").unwrap(), None);
    store.meta_set("cursor", "1").unwrap();
    store
        .meta_set_all(&[("cursor", "2"), ("digest", "d")])
        .unwrap();
    assert_eq!(
        store.read().meta_get("cursor").unwrap().as_deref(),
        Some("2")
    );
}
