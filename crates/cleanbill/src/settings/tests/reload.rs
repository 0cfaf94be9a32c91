//! Loading again.

use super::super::reload::{Changed, Reloader};
use super::Bench;

fn changed(key: &'static str, from: &str, to: &str, needs_restart: bool) -> Changed {
    Changed {
        key,
        from: from.to_owned(),
        to: to.to_owned(),
        needs_restart,
    }
}

#[test]
fn what_changed_is_said_and_whether_it_needs_a_restart() {
    let mut bench = Bench::new();
    bench.config("version: 1\nwatch: {interval: 6h}\n");
    let mut reloader = Reloader::new(bench.loader()).unwrap();
    assert!(!reloader.has_changed_files());
    assert_eq!(reloader.reload().unwrap(), []);

    bench.config(
        "version: 1\nwatch: {interval: 12h}\nstate: {directory: /s}\n\
         notify: {ntfy: {topic: t}, routes: [{to: ntfy}]}\n",
    );
    assert!(reloader.has_changed_files());
    let log = format!("{}/state/cleanbill/logs", bench.directory.path().display());
    let state = format!("{}/state/cleanbill", bench.directory.path().display());
    let mut expected = vec![
        changed("watch.interval", "6h", "12h", false),
        changed("state.directory", &state, "/s", true),
        changed("log.directory", &log, "/s/logs", false),
        changed("notify.ntfy.topic", "", "(redacted)", false),
        changed("notify.routes", "", "", false),
    ];
    if std::path::Path::new("/var/log/security-scans").is_dir() {
        expected.remove(2);
    }
    assert_eq!(reloader.reload().unwrap(), expected);
    assert!(!reloader.has_changed_files());
}

#[test]
fn after_an_error_the_old_settings_stay() {
    let mut bench = Bench::new();
    bench.config("version: 1\nwatch: {interval: 6h}\n");
    let mut reloader = Reloader::new(bench.loader()).unwrap();
    bench.config("version: 1\nwatch: {interval: soon}\n");
    let error = reloader.reload().unwrap_err();
    assert!(error.to_string().contains("'soon'"), "{error}");
    let interval = &reloader.current().resolved["watch.interval"];
    assert_eq!(interval.value.to_string(), "6h");
    assert!(!reloader.has_changed_files(), "it was said once");
    bench.config("version: 1\nwatch: {interval: 7h}\n");
    assert_eq!(
        reloader.reload().unwrap(),
        [changed("watch.interval", "6h", "7h", false)]
    );
}

#[test]
fn files_that_appear_and_secrets_that_change_are_noticed() {
    let mut bench = Bench::new();
    bench
        .variable("SMTP_HOST", "h")
        .variable("SMTP_TO", "a@b")
        .write("secrets/SMTP_PASS", "one");
    let mut reloader = Reloader::new(bench.loader()).unwrap();
    bench.write("secrets/SMTP_PASS", "other");
    assert!(reloader.has_changed_files());
    assert_eq!(
        reloader.reload().unwrap(),
        [changed(
            "notify.smtp.password",
            "(redacted)",
            "(redacted)",
            false
        )]
    );
    bench.write(".env", "SMTP_PORT=25\n");
    assert!(reloader.has_changed_files());
    assert_eq!(
        reloader.reload().unwrap(),
        [changed("notify.smtp.port", "587", "25", false)]
    );
    bench.config("version: 1\nnotify: {channels: {n: {kind: ntfy, topic: t}}}\n");
    assert!(reloader.has_changed_files());
    assert_eq!(
        reloader.reload().unwrap(),
        [changed("notify.channels", "", "", false)]
    );
    bench.config("version: 1\nnotify: {channels: {n: {kind: ntfy, topic: u}}}\n");
    assert_eq!(
        reloader.reload().unwrap(),
        [changed("notify.channels", "", "", false)]
    );
}
