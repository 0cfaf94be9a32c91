//! What `config show` prints.

use super::super::show::{as_json, as_text};
use super::Bench;

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench
        .flag("--once")
        .flag("--log-dir=/logs")
        .flag("--cache-dir=/cache")
        .flag("--state-dir=/state")
        .flag("--host-name=host-1")
        .variable("CLEANBILL_SMTP_HOST", "mail.example")
        .variable("SMTP_TO", "a@b.example,c@d.example")
        .variable("PROMETHEUS_PUSHGATEWAY", "http://me:hunter2@push:9091/")
        .variable("SLACK_WEBHOOK_URL", "https://hooks.example/hunter2")
        .write("secrets/SMTP_PASS", "hunter2")
        .write(".env", "# older\nTRIVY_SEVERITY=\"CRITICAL\"\n")
        .config(
            "version: 1
watch:
  images: [\"evil\\u001b[31m\"]
notify:
  channels:
    team: {kind: webhook, url: 'https://h.example/hunter2', signing_key: hunter2}
  routes:
    - {severity: critical, images: 'a/*', to: [team, smtp]}
",
        );
    bench
}

#[test]
fn values_and_origins_are_shown_and_secrets_are_not() {
    let bench = bench();
    let text = bench.without_directory(&as_text(&bench.loaded()));
    assert!(
        !text.contains("hunter2") && !text.contains('\u{1b}'),
        "{text}"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn machines_get_the_same() {
    let bench = bench();
    let json = format!("{:#}", as_json(&bench.loaded()));
    let json = bench.without_directory(&json);
    assert!(!json.contains("hunter2"), "{json}");
    insta::assert_snapshot!(json);
}
