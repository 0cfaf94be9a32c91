//! Loading again.

use super::super::reload::{Changed, Reloader};
use super::super::table::SETTINGS;
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
    assert_eq!(reloader.reload(|_| Ok(())).unwrap(), []);

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
    assert_eq!(reloader.reload(|_| Ok(())).unwrap(), expected);
    assert!(!reloader.has_changed_files());
}

#[test]
fn after_an_error_the_old_settings_stay() {
    let mut bench = Bench::new();
    bench.config("version: 1\nwatch: {interval: 6h}\n");
    let mut reloader = Reloader::new(bench.loader()).unwrap();
    bench.config("version: 1\nwatch: {interval: soon}\n");
    let error = reloader.reload(|_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("'soon'"), "{error}");
    let interval = &reloader.current().resolved["watch.interval"];
    assert_eq!(interval.value.to_string(), "6h");
    assert!(!reloader.has_changed_files(), "it was said once");
    bench.config("version: 1\nwatch: {interval: 7h}\n");
    assert_eq!(
        reloader.reload(|_| Ok(())).unwrap(),
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
        reloader.reload(|_| Ok(())).unwrap(),
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
        reloader.reload(|_| Ok(())).unwrap(),
        [changed("notify.smtp.port", "587", "25", false)]
    );
    bench.config("version: 1\nnotify: {channels: {n: {kind: ntfy, topic: t}}}\n");
    assert!(reloader.has_changed_files());
    assert_eq!(
        reloader.reload(|_| Ok(())).unwrap(),
        [changed("notify.channels", "", "", false)]
    );
    bench.config("version: 1\nnotify: {channels: {n: {kind: ntfy, topic: u}}}\n");
    assert_eq!(
        reloader.reload(|_| Ok(())).unwrap(),
        [changed("notify.channels", "", "", false)]
    );
}

#[test]
fn an_ignore_list_that_says_something_else_is_noticed() {
    let mut bench = Bench::new();
    bench.write("list", "a:1\n");
    let list = bench.directory.path().join("list");
    bench.config(&format!(
        "version: 1\nwatch: {{ignore_list: '{}', ignore_images: ['b:1']}}\n",
        list.display()
    ));
    let mut reloader = Reloader::new(bench.loader()).unwrap();
    let ignored = |reloader: &Reloader| reloader.current().settings.images.ignored.join(" ");
    assert_eq!(ignored(&reloader), "a:1");
    assert!(!reloader.has_changed_files());
    bench.write("list", "a:1 # a remark\n");
    assert!(reloader.has_changed_files());
    assert_eq!(reloader.reload(|_| Ok(())).unwrap(), []);
    bench.write("list", "a:1\na:2\n");
    assert!(reloader.has_changed_files());
    let expected = [changed("watch.ignore_list", "", "", false)];
    assert_eq!(reloader.reload(|_| Ok(())).unwrap(), expected);
    assert_eq!(ignored(&reloader), "a:1 a:2");
    // What cannot be read is no empty list.
    std::fs::write(&list, [0xff]).unwrap();
    reloader.reload(|_| Ok(())).unwrap_err();
    assert_eq!(ignored(&reloader), "a:1 a:2");
    std::fs::remove_file(&list).unwrap();
    assert!(reloader.has_changed_files());
    assert_eq!(reloader.reload(|_| Ok(())).unwrap(), expected);
    assert_eq!(ignored(&reloader), "b:1");
}

#[test]
fn settings_that_cannot_be_used_are_not_taken() {
    let mut bench = Bench::new();
    bench.config("version: 1\nwatch: {interval: 6h}\n");
    let mut reloader = Reloader::new(bench.loader()).unwrap();
    let interval = |reloader: &Reloader| {
        reloader.current().resolved["watch.interval"]
            .value
            .to_string()
    };
    bench.config("version: 1\nwatch: {interval: 12h}\n");
    let error = reloader.reload(|_| Err("no Trivy".to_owned())).unwrap_err();
    assert_eq!(error.to_string(), "no Trivy");
    assert_eq!(interval(&reloader), "6h");
    assert!(!reloader.go_back(), "nothing was in force before");
    reloader.reload(|_| Ok(())).unwrap();
    assert_eq!(interval(&reloader), "12h");
    assert!(reloader.go_back());
    assert_eq!(interval(&reloader), "6h");
    assert!(!reloader.go_back());
}

#[test]
fn what_needs_a_restart_stays_as_it_was() {
    let keys: Vec<&str> = SETTINGS
        .iter()
        .filter(|setting| setting.needs_restart)
        .map(|setting| setting.key)
        .collect();
    // WatchSettings::keep_what_needs_a_restart is to know all of them.
    let expected = [
        "watch.once",
        "docker.host",
        "cache.directory",
        "state.directory",
        "metrics.listen",
        "metrics.token",
        "metrics.images_max",
        "metrics.pushgateway",
    ];
    assert_eq!(keys, expected);
    let mut bench = Bench::new();
    bench.config("version: 1\nmetrics: {listen: 9871, images_max: 1}\nstate: {directory: /a}\n");
    let mut reloader = Reloader::new(bench.loader()).unwrap();
    bench.config(
        "version: 1\nwatch: {once: true}\nmetrics: {listen: 9872, images_max: 2, token: t, pushgateway: 'http://g'}\n\
         docker: {host: 'unix:///d'}\nstate: {directory: /b}\ncache: {directory: /c}\n",
    );
    let changes = reloader.reload(|_| Ok(())).unwrap();
    let restarts = changes.iter().filter(|change| change.needs_restart).count();
    assert_eq!(restarts, expected.len());
    let settings = &reloader.current().settings;
    assert!(!settings.schedule.once && settings.metrics_token.is_none());
    assert_eq!(settings.docker_host, None);
    assert_eq!(settings.metrics_listen.unwrap().port(), 9871);
    assert_eq!(
        (settings.metrics_images_max, &settings.pushgateway),
        (1, &None)
    );
    assert_eq!(settings.state_directory, std::path::Path::new("/a"));
    assert_ne!(settings.cache_directory, std::path::Path::new("/c"));
}
