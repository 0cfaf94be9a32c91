//! What values mean once they are loaded.

use std::time::Duration;

use cleanbill_core::Severity;

use super::super::channels::{ChannelTarget, SmtpEncryption};
use super::super::origin::Origin;
use super::super::value::Schedule;
use super::Bench;

#[test]
fn older_names_have_the_older_meaning_of_true() {
    let check = |text: &str, expected: bool| {
        let mut bench = Bench::new();
        bench.variable("SCAN_ONCE", text).variable("SMTP_TLS", text);
        let loaded = bench.loaded();
        assert_eq!(loaded.settings.schedule.once, expected, "{text}");
        let tls = &loaded.resolved["notify.smtp.tls"];
        assert_eq!(tls.value.to_string(), expected.to_string(), "{text}");
    };
    for text in ["1", "true", "TRUE", "yes", "On", " on "] {
        check(text, true);
    }
    for text in ["0", "false", "no", "off", "y", "t", "enabled", "2"] {
        check(text, false);
    }
}

#[test]
fn our_names_take_nothing_but_true_and_false() {
    for text in ["y", "enabled", "2"] {
        let mut bench = Bench::new();
        bench.variable("CLEANBILL_ONCE", text);
        assert!(bench.refused().contains("expected true or false"), "{text}");
    }
}

#[test]
fn flags_are_read_as_the_older_launcher_had_them() {
    let mut bench = Bench::new();
    for word in [
        "-1",
        "--image",
        "a:1",
        "--image",
        "b:2,c:3",
        "--smtp-tls",
        "false",
        "--interval",
        "1.5",
        "--save-snapshot",
        "--extra-trivy-args",
        "--scanners vuln",
    ] {
        bench.flag(word);
    }
    let loaded = bench.loaded();
    let settings = &loaded.settings;
    assert!(settings.schedule.once && settings.baseline.write);
    assert_eq!(settings.images.names, ["a:1", "b:2", "c:3"]);
    assert_eq!(
        settings.schedule.interval,
        Schedule::Every(Duration::from_millis(1_500))
    );
    let trivy = settings.scan.trivy.as_ref().unwrap();
    assert_eq!(trivy.arguments, ["--scanners", "vuln"]);
}

#[test]
fn flags_for_trivy_mean_trivy_unless_an_engine_is_named() {
    let mut bench = Bench::new();
    bench.variable("TRIVY_EXTRA_ARGS", "--scanners 'vuln,secret'");
    let loaded = bench.loaded();
    assert_eq!(
        loaded.resolved["scan.engine"].origin,
        Origin::Implied {
            by: "scan.trivy_args"
        }
    );
    let trivy = loaded.settings.scan.trivy.unwrap();
    assert_eq!(trivy.arguments, ["--scanners", "vuln,secret"]);

    bench.flag("--engine=native");
    let loaded = bench.loaded();
    assert!(loaded.settings.scan.trivy.is_none());
    assert_eq!(
        loaded.warnings,
        ["scan.trivy_args has no effect: the engine is native (--engine)"]
    );
}

#[test]
fn mail_is_sent_if_host_and_recipient_are_set() {
    let mut bench = Bench::new();
    bench.variable("SMTP_HOST", "mail.example");
    let loaded = bench.loaded();
    assert!(loaded.settings.notify.channels.is_empty());
    assert_eq!(
        loaded.warnings,
        [
            "notify.smtp.host is set (environment variable SMTP_HOST), and nothing is sent: \
             notify.smtp needs to too"
        ]
    );
    bench
        .variable("SMTP_TO", "a@b.example, c@d.example")
        .variable("SMTP_USER", "me")
        .write("secrets/SMTP_PASS", "pa$$ # word\n");
    let loaded = bench.loaded();
    let [channel] = loaded.settings.notify.channels.as_slice() else {
        panic!("{:?}", loaded.settings.notify.channels);
    };
    assert_eq!(channel.name, "smtp");
    let ChannelTarget::Smtp(smtp) = &channel.target else {
        panic!("{channel:?}");
    };
    assert_eq!(
        (smtp.host.as_str(), smtp.port, smtp.user.as_deref()),
        ("mail.example", 587, Some("me"))
    );
    assert_eq!(smtp.password.as_ref().unwrap().expose(), "pa$$ # word");
    assert_eq!(smtp.to, ["a@b.example", "c@d.example"]);
    assert_eq!(smtp.from, "scanner@localhost");
    assert_eq!(smtp.subject_prefix, "[Image Scanner]");
    assert_eq!(smtp.encryption, SmtpEncryption::StartTls);
    assert_eq!(loaded.warnings, [""; 0]);
}

#[test]
fn mail_is_encrypted_as_it_was() {
    for (tls, starttls, expected) in [
        ("true", "true", SmtpEncryption::StartTls),
        ("true", "false", SmtpEncryption::Implicit),
        ("false", "true", SmtpEncryption::None),
        ("0", "0", SmtpEncryption::None),
    ] {
        let mut bench = Bench::new();
        bench
            .variable("SMTP_HOST", "h")
            .variable("SMTP_TO", "a@b")
            .variable("SMTP_TLS", tls)
            .variable("SMTP_STARTTLS", starttls);
        let loaded = bench.loaded();
        let ChannelTarget::Smtp(smtp) = &loaded.settings.notify.channels[0].target else {
            panic!("no mail");
        };
        assert_eq!(smtp.encryption, expected);
    }
}

#[test]
fn channels_have_names_and_routes_lead_to_them() {
    let mut bench = Bench::new();
    bench
        .variable("SLACK_WEBHOOK_URL", "https://hooks.example/general")
        .write("web.url", "https://hooks.example/web\n")
        .config(
            "version: 1
notify:
  channels:
    web-team: {kind: slack, webhook_url_file: ../web.url}
    push:
      kind: ntfy
      topic: alerts
  routes:
    - {images: ['web/*', shop], to: web-team}
    - severity: CRITICAL, HIGH
      labels: {team: ops}
      to: [slack, push]
",
        );
    let loaded = bench.loaded();
    let notify = &loaded.settings.notify;
    let names: Vec<&str> = notify.channels.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["slack", "web-team", "push"]);
    let ChannelTarget::Slack { webhook_url } = &notify.channels[1].target else {
        panic!("{:?}", notify.channels);
    };
    assert_eq!(webhook_url.expose(), "https://hooks.example/web");
    let ChannelTarget::Ntfy { url, token, .. } = &notify.channels[2].target else {
        panic!("{:?}", notify.channels);
    };
    assert_eq!((url.as_str(), token.is_none()), ("https://ntfy.sh", true));
    assert_eq!(notify.routes[0].images, ["web/*", "shop"]);
    assert_eq!(
        notify.routes[1].severities,
        [Severity::Critical, Severity::High]
    );
    assert_eq!(notify.routes[1].labels["team"], "ops");
    assert_eq!(notify.routes[1].channels, ["slack", "push"]);
}

#[test]
fn paths_of_the_configuration_are_relative_to_it() {
    let mut bench = Bench::new();
    bench.config(
        "version: 1\nwatch: {ignore_list: ignore.txt}\nscan: {ignore_files: [a, /b], trivy_path: trivy}\n",
    );
    let settings = bench.loaded().settings;
    assert_eq!(
        settings.images.ignore_list,
        bench.path("cleanbill/ignore.txt")
    );
    assert_eq!(
        settings.scan.ignore_files,
        [bench.path("cleanbill/a"), "/b".into()]
    );
    let mut bench = Bench::new();
    bench.config("version: 1\nscan: {engine: trivy, trivy_path: trivy}\n");
    let trivy = bench.loaded().settings.scan.trivy.unwrap();
    assert_eq!(trivy.path, Some("trivy".into()), "on the search path");
}

#[test]
fn a_pass_begins_a_little_late_by_chance() {
    let jitter = |interval: &str| {
        let mut bench = Bench::new();
        bench.flag(format!("--interval={interval}"));
        bench.loaded().settings.schedule.jitter.as_secs_f64()
    };
    assert_eq!(jitter("24h"), 300.0);
    assert_eq!(jitter("10"), 0.5);
    assert_eq!(jitter("0 6 * * *"), 30.0);
}

#[test]
fn a_pushgateway_needs_no_scheme() {
    let mut bench = Bench::new();
    bench.variable("PROMETHEUS_PUSHGATEWAY", "pushgateway:9091");
    assert_eq!(
        bench.loaded().settings.pushgateway.as_deref(),
        Some("http://pushgateway:9091")
    );
}

#[test]
fn what_is_switched_off_is_off() {
    let mut bench = Bench::new();
    bench.config(
        "version: 1\nmetrics: {listen: off}\nnotify: {heartbeat: off, quiet_hours: off, digest: off}\n",
    );
    let settings = bench.loaded().settings;
    assert_eq!(settings.metrics_listen, None);
    assert_eq!(settings.notify.heartbeat, None);
    assert_eq!(settings.notify.quiet_hours, None);
    assert_eq!(settings.notify.digest_at, None);
}
