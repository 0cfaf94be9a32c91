use cleanbill_core::change::{Cause, Change, ChangeKind, KnownFinding};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::{Digest, Severity};

use super::group::command;
use super::{ComposeSettings, Counts, Cycle, ImageFacts, compose};
use crate::notify::message::{Happening, Notification, NotificationKind};
use crate::notify::samples::{
    self, advisory_changed, change, composed, facts, finding, image_changed, settings, time,
};

fn cycle<'a>(
    changes: &'a [Change],
    images: &'a [ImageFacts],
    settings: &'a ComposeSettings,
) -> Cycle<'a> {
    Cycle {
        id: "c",
        time: time("2026-11-22T06:30:00Z"),
        since: None,
        changes,
        images,
        database_updated_at: None,
        references: &[],
        settings,
    }
}

fn new(image: &str, id: &str, severity: Severity) -> Change {
    change(
        image,
        ChangeKind::New,
        image_changed(),
        finding(id, severity, "openssl"),
    )
}

#[test]
fn nothing_is_said_when_nothing_happened() {
    let images = [facts("a:1", Counts::default())];
    assert_eq!(compose(&cycle(&[], &images, &settings())), None);
    assert_eq!(compose(&cycle(&[], &[], &settings())), None);
}

#[test]
fn an_image_that_cannot_be_assessed_is_an_error_and_not_quiet() {
    let message = samples::errors();
    assert_eq!(message.kind, NotificationKind::Errors);
    assert_eq!((message.totals.errors, message.failures_known), (3, 1));
    let names: Vec<&str> = message
        .failures
        .iter()
        .map(|failure| failure.image.as_str())
        .collect();
    assert_eq!(names, ["billing/core:9", "old/thing:latest"]);
}

#[test]
fn an_image_that_could_not_be_assessed_before_either_is_only_counted() {
    let broken = |name: &str| ImageFacts {
        status: AssessmentStatus::Failed,
        ..facts(name, Counts::default())
    };
    let images = [
        broken("x:1"),
        broken("y:1"),
        facts("a:1", Counts::default()),
    ];
    assert_eq!(compose(&cycle(&[], &images, &settings())), None);
    let changes = [new("a:1", "CVE-1", Severity::High)];
    let message = compose(&cycle(&changes, &images, &settings())).unwrap();
    assert_eq!(message.kind, NotificationKind::Changes);
    assert_eq!(message.failures, []);
    assert_eq!(
        crate::notify::words::known_failures(&message),
        "Still not assessed completely: 2 images; cleanbill status names them."
    );
}

#[test]
fn the_most_urgent_comes_first() {
    let exploited = KnownFinding {
        is_known_exploited: true,
        ..finding("CVE-1-low", Severity::Low, "a")
    };
    let likely = KnownFinding {
        epss_score: Some(0.5),
        ..finding("CVE-2-high", Severity::High, "a")
    };
    let resolved = change(
        "a:1",
        ChangeKind::Resolved,
        image_changed(),
        finding("CVE-0-critical", Severity::Critical, "a"),
    );
    let changes = [
        resolved,
        new("a:1", "CVE-5-high", Severity::High),
        new("a:1", "CVE-4-high", Severity::High),
        new("b:1", "CVE-5-high", Severity::High),
        new("a:1", "CVE-3-critical", Severity::Critical),
        change("a:1", ChangeKind::New, image_changed(), likely),
        change("a:1", ChangeKind::New, image_changed(), exploited),
    ];
    let message = composed(&changes, &[]);
    let ids: Vec<&str> = message
        .vulnerabilities
        .iter()
        .map(|group| group.id.as_str())
        .collect();
    let expected = [
        "CVE-1-low",
        "CVE-3-critical",
        "CVE-2-high",
        "CVE-5-high",
        "CVE-4-high",
        "CVE-0-critical",
    ];
    assert_eq!(ids, expected);
    assert_eq!(message.worst(), Some(Severity::Critical));
    assert!(message.is_exploited());
}

#[test]
fn what_is_left_out_is_counted() {
    let changes: Vec<Change> = (0..10)
        .flat_map(|number| {
            let id = format!("CVE-{number}");
            ["a:1", "b:1", "c:1"].map(|image| new(image, &id, Severity::High))
        })
        .collect();
    let settings = ComposeSettings {
        vulnerabilities_max: 4,
        hits_max: 2,
        images_max: 1,
        ..settings()
    };
    let message = compose(&cycle(&changes, &[], &settings)).unwrap();
    assert_eq!(message.totals.new, 30);
    assert_eq!(
        (
            message.vulnerabilities.len(),
            message.vulnerabilities_left_out
        ),
        (4, 6)
    );
    assert_eq!((message.images.len(), message.images_left_out), (1, 2));
    let group = &message.vulnerabilities[0];
    assert_eq!(
        (group.images, group.hits.len(), group.hits_left_out),
        (3, 2, 1)
    );
}

#[test]
fn what_came_and_went_while_it_was_held_back_is_both_told() {
    let found = finding("CVE-1", Severity::High, "openssl");
    let changes = [
        change("a:1", ChangeKind::New, advisory_changed(), found.clone()),
        change("a:1", ChangeKind::Resolved, image_changed(), found),
    ];
    let message = composed(&changes, &[]);
    let group = &message.vulnerabilities[0];
    assert_eq!(group.happenings, [Happening::New, Happening::Resolved]);
    let happenings: Vec<Happening> = group.hits.iter().map(|hit| hit.happening).collect();
    assert_eq!(happenings, [Happening::New, Happening::Resolved]);
    assert!(!group.is_settled());
    assert_eq!((message.totals.new, message.totals.resolved), (1, 1));
}

#[test]
fn a_vulnerability_counts_once_an_image_however_many_packages_have_it() {
    let found = |id, package| finding(id, Severity::High, package);
    let made = |image, kind, id, package| change(image, kind, image_changed(), found(id, package));
    let changes = [
        made("a:1", ChangeKind::New, "CVE-1", "openssl"),
        made("a:1", ChangeKind::New, "CVE-1", "libssl3"),
        made("b:1", ChangeKind::New, "CVE-1", "libssl3"),
        made("a:1", ChangeKind::Resolved, "CVE-2", "openssl"),
        made("a:1", ChangeKind::Resolved, "CVE-2", "libssl3"),
    ];
    let message = composed(&changes, &[]);
    assert_eq!((message.totals.new, message.totals.resolved), (2, 1));
    assert_eq!((message.images[0].new, message.images[0].resolved), (1, 1));
    let mut line = message.images[0].clone();
    line.counts = Counts {
        distinct: 7,
        high: 8,
        ..Counts::default()
    };
    assert_eq!(
        crate::notify::words::counts(&line, NotificationKind::Changes),
        "counts: 7 | CRITICAL: 0, HIGH: 8, MEDIUM: 0, LOW: 0, UNKNOWN: 0 \
         (7 vulnerabilities, 8 findings)"
    );
}

#[test]
fn what_an_exception_covers_is_accepted_and_not_resolved() {
    let exception = Cause::ExceptionChanged {
        exception: "accepted.yaml:3".to_owned(),
    };
    let accepted = finding("CVE-1", Severity::Critical, "openssl");
    let changes = [change("a:1", ChangeKind::Accepted, exception, accepted)];
    let message = composed(&changes, &[]);
    assert_eq!((message.totals.accepted, message.totals.resolved), (1, 0));
    assert_eq!(message.worst(), None, "nobody has to act");
    let mail = crate::notify::mail::mail(&message);
    let subject = "[Image Scanner] Scan report: 0 images; new=0, resolved=0, errors=0, accepted=1";
    assert_eq!(mail.subject, subject);
    for part in ["1 accepted", ": accepted", "new 0; resolved 0; accepted 1"] {
        assert!(mail.text.contains(part), "{part}: {}", mail.text);
    }
    assert!(mail.html.contains(" – accepted"), "{}", mail.html);
}

#[test]
fn a_baseline_that_could_not_be_read_is_said_with_the_image() {
    let lost = Change {
        image: "a:1".to_owned(),
        kind: ChangeKind::BaselineLost {
            reason: format!("the baseline <a>.json makes no sense {}", "x".repeat(1_000)),
            is_beginning: true,
        },
        cause: Cause::Assessment,
        finding: None,
    };
    let message = composed(&[lost], &[facts("a:1", Counts::default())]);
    assert_eq!(message.kind, NotificationKind::Changes);
    let mail = crate::notify::mail::mail(&message);
    assert!(
        mail.subject.ends_with("; 1 baseline not readable"),
        "{}",
        mail.subject
    );
    let said = "its baseline could not be read: what is found now is the beginning";
    let to_do = "accept what is found with cleanbill baseline save (the baseline <a>.json";
    for part in [said, to_do] {
        assert!(mail.text.contains(part), "{}", mail.text);
    }
    assert!(
        mail.html.contains("the baseline &lt;a&gt;.json"),
        "{}",
        mail.html
    );
}

#[track_caller]
fn check_cause(kind: ChangeKind, cause: Cause, expected: &str) {
    let changes = [change(
        "a:1",
        kind,
        cause,
        finding("CVE-1", Severity::High, "openssl"),
    )];
    let message = composed(&changes, &[]);
    assert_eq!(message.vulnerabilities[0].hits[0].because, expected);
}

#[test]
fn causes_are_put_into_words() {
    let exception = || Cause::ExceptionChanged {
        exception: "accepted.yaml:3".to_owned(),
    };
    check_cause(
        ChangeKind::New,
        advisory_changed(),
        "the advisory database changed (built 2026-11-22 00:00 UTC, before 2026-11-21 18:00 UTC): \
         advisory of debian, published 2026-11-20",
    );
    check_cause(
        ChangeKind::New,
        Cause::ExceptionExpired {
            exception: "accepted.yaml:3 has expired on 2026-11-30".to_owned(),
        },
        "the exception that covered it is over: accepted.yaml:3 has expired on 2026-11-30",
    );
    check_cause(
        ChangeKind::New,
        Cause::ImageChanged {
            from: None,
            to: Some(Digest::of(b"after")),
        },
        "the image is sha256:f39592393ef0 now",
    );
    check_cause(
        ChangeKind::New,
        exception(),
        "no exception covers it any more: accepted.yaml:3",
    );
    check_cause(
        ChangeKind::Accepted,
        exception(),
        "an exception covers it now: accepted.yaml:3",
    );
    check_cause(
        ChangeKind::New,
        Cause::FirstSeen,
        "the image is looked at for the first time",
    );
    check_cause(
        ChangeKind::Resolved,
        Cause::FirstSeen,
        "the baseline accepts it, and it is not found",
    );
    check_cause(ChangeKind::New, Cause::RulesChanged, "the settings changed");
    for (since, expected) in [
        (
            "2026-11-20",
            "the KEV catalogue of CISA lists it as exploited, since 2026-11-20",
        ),
        ("", "the KEV catalogue of CISA lists it as exploited"),
    ] {
        let since = since.to_owned();
        let cause = Cause::CatalogueChanged { since };
        check_cause(ChangeKind::KnownExploited, cause, expected);
    }
}

#[test]
fn commands_can_be_pasted_into_a_shell() {
    for (image, expected) in [
        ("shop/web:1.4", "cleanbill explain CVE-1 shop/web:1.4"),
        ("a b", "cleanbill explain CVE-1 'a b'"),
        (
            "a'; reboot '",
            r"cleanbill explain CVE-1 'a'\''; reboot '\'''",
        ),
        ("$(reboot)", "cleanbill explain CVE-1 '$(reboot)'"),
        ("", "cleanbill explain CVE-1 ''"),
    ] {
        assert_eq!(command("CVE-1", image), expected);
    }
}

#[test]
fn commands_name_a_database_that_lies_elsewhere() {
    let changes = [new("a:1", "CVE-1", Severity::High)];
    let settings = ComposeSettings {
        database: "/srv/db of a".to_owned(),
        ..settings()
    };
    let message = compose(&cycle(&changes, &[], &settings)).unwrap();
    assert_eq!(
        message.vulnerabilities[0].hits[0].command,
        "cleanbill explain CVE-1 a:1 --db-path '/srv/db of a'"
    );
}

#[test]
fn a_follow_up_names_what_it_follows() {
    let references: Vec<String> = (0..14).map(|number| format!("m-{number:02}")).collect();
    let changes = [new("a:1", "CVE-1", Severity::High)];
    let settings = settings();
    let message = compose(&Cycle {
        references: &references,
        ..cycle(&changes, &[], &settings)
    })
    .unwrap();
    assert_eq!(message.thread, "m-00");
    assert_eq!(message.references.len(), 10);
    assert_eq!(message.references.last().unwrap(), "m-13");
    let first = compose(&cycle(&changes, &[], &settings)).unwrap();
    assert_eq!(first.thread, "c");
}

#[test]
fn a_heartbeat_says_what_was_looked_at() {
    let title = |message: &Notification| crate::notify::words::title(message);
    let mut message = samples::quiet();
    assert_eq!(
        title(&message),
        "All quiet: 42 images assessed, database 5 h old"
    );
    message.totals.errors = 2;
    assert_eq!(
        title(&message),
        "No change, but 2 images not assessed completely: 40 of 42 assessed, database 5 h old"
    );
    message.totals.errors = 0;
    message.database_updated_at = None;
    assert_eq!(
        title(&message),
        "No change, but look at this: 42 images assessed, no advisory database"
    );
    message.database_updated_at = Some(time("2026-11-10T00:00:00Z"));
    assert_eq!(
        title(&message),
        "No change, but look at this: 42 images assessed, database 12 days old"
    );
}

#[test]
fn an_image_that_is_lost_is_among_the_failures_only() {
    let message = samples::changes();
    assert_eq!(message.kind, NotificationKind::Changes);
    let is_lost = |image: &str| image == "old/thing:latest";
    assert!(
        message
            .failures
            .iter()
            .any(|failure| is_lost(&failure.image))
    );
    assert!(!message.images.iter().any(|line| is_lost(&line.image)));
    assert_eq!(message.totals.images_changed, 4);
    assert_eq!(AssessmentStatus::Failed.name(), message.failures[0].status);
}
