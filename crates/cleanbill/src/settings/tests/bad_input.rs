//! What is said about settings that are wrong: each sentence names the place, what stands there,
//! and what was expected.

use super::Bench;

/// Lists what is said about configuration files, each beside its text.
fn said_about(texts: &[&str]) -> String {
    let mut page = String::new();
    for text in texts {
        let mut bench = Bench::new();
        bench.config(text);
        let refused = bench.refused();
        page.push_str(&format!("{}\n=> {refused}\n\n", text.trim_end()));
    }
    page
}

#[test]
fn sentences_about_the_form_of_a_configuration_file() {
    insta::assert_snapshot!(said_about(&[
        "",
        "watch: {}\n",
        "version: 2\n",
        "- version: 1\n",
        "just text\n",
        "version: 1\nwatch:\n  intervall: 6h\n",
        "version: 1\nwatch:\n  password: x\n",
        "version: 1\nwtach:\n  interval: 6h\n",
        "version: 1\ninterval: 6h\n",
        "version: 1\nSMTP_HOST: mail\n",
        "version: 1\nwatch: 6h\n",
        "version: 1\nwatch:\n  interval: {every: 6h}\n",
        "version: 1\nwatch:\n  interval: [6h, 7h]\n",
        "version: 1\nwatch:\n  interval: 6h\n  once: true\n  interval: 7h\n",
        "version: 1\nwatch:\n  interval: 6h\n once: true\n",
        "version: 1\nwatch: [\n",
        "version: 1\nnotify:\n  smtp:\n    password: a\n    password_file: b\n",
        "version: 1\nnotify:\n  smtp:\n    password_file: [a]\n",
        "version: 1\nnotify:\n  smtp:\n    password_file: nothing-there\n",
        "version: 1\nnotify:\n  smtp:\n    host_file: a\n",
    ]));
}

#[test]
fn sentences_about_values() {
    insta::assert_snapshot!(said_about(&[
        "version: 1\nwatch:\n  interval: soon\n",
        "version: 1\nwatch:\n  interval: 0\n",
        "version: 1\nwatch:\n  interval: 0 0 30 2 *\n",
        "version: 1\nwatch:\n  interval: 0 25 * * *\n",
        "version: 1\nwatch:\n  time_zone: Mars/Olympus\n",
        "version: 1\nwatch:\n  jitter: -5m\n",
        "version: 1\nwatch:\n  once: maybe\n",
        "version: 1\nwatch:\n  fail_on: severe=1\n",
        "version: 1\nwatch:\n  ignore_images: ['a', '']\n",
        "version: 1\nscan:\n  severity: [HIGH, SEVERE]\n",
        "version: 1\nscan:\n  severity: []\n",
        "version: 1\nscan:\n  ignore_status: maybe\n",
        "version: 1\nscan:\n  package_types: [rpm]\n",
        "version: 1\nscan:\n  severity_source: wikipedia\n",
        "version: 1\nscan:\n  engine: trvy\n",
        "version: 1\nscan:\n  parallel: 0\n",
        "version: 1\nscan:\n  trivy_args: '--format json'\n",
        "version: 1\nscan:\n  trivy_args: \"--x 'y\"\n",
        "version: 1\ndocker:\n  host: /var/run/docker.sock\n",
        "version: 1\nretention:\n  logs_size: plenty\n",
        "version: 1\nmetrics:\n  listen: ':9871'\n",
        "version: 1\nmetrics:\n  pushgateway: ftp://pushgateway\n",
        "version: 1\nnotify:\n  digest_at: 25:00\n",
        "version: 1\nnotify:\n  quiet_hours: 22:00\n",
        "version: 1\nnotify:\n  heartbeat: 1s\n",
        "version: 1\nnotify:\n  smtp:\n    port: 70000\n",
        "version: 1\nnotify:\n  smtp:\n    to: [nobody]\n",
        "version: 1\nnotify:\n  smtp:\n    from: \"a@b\\nBcc: c@d\"\n",
        "version: 1\nnotify:\n  slack:\n    webhook_url: hunter2\n",
    ]));
}

#[test]
fn sentences_about_channels_and_routes() {
    insta::assert_snapshot!(said_about(&[
        "version: 1\nnotify:\n  channels: [slack]\n",
        "version: 1\nnotify:\n  channels:\n    a: slack\n",
        "version: 1\nnotify:\n  channels:\n    a: {}\n",
        "version: 1\nnotify:\n  channels:\n    a: {kind: slcak}\n",
        "version: 1\nnotify:\n  channels:\n    a: {kind: slack}\n",
        "version: 1\nnotify:\n  channels:\n    a: {kind: slack, webhook: 'https://h/'}\n",
        "version: 1\nnotify:\n  channels:\n    a: {kind: gotify, url: 'https://h/'}\n",
        "version: 1\nnotify:\n  channels:\n    a b: {kind: ntfy, topic: t}\n",
        "version: 1\nnotify:\n  smtp: {host: h, to: a@b}\n  channels:\n    smtp: {kind: ntfy, topic: t}\n",
        "version: 1\nnotify:\n  routes: {to: a}\n",
        "version: 1\nnotify:\n  routes: [a]\n",
        "version: 1\nnotify:\n  routes:\n    - severity: HIGH\n",
        "version: 1\nnotify:\n  routes:\n    - {to: ops}\n",
        "version: 1\nnotify:\n  ntfy: {topic: t}\n  routes:\n    - {to: ntfi}\n",
        "version: 1\nnotify:\n  ntfy: {topic: t}\n  routes:\n    - {to: ntfy, image: a}\n",
        "version: 1\nnotify:\n  ntfy: {topic: t}\n  routes:\n    - {to: ntfy, images: ['']}\n",
        "version: 1\nnotify:\n  ntfy: {topic: t}\n  routes:\n    - {to: ntfy, severity: [SEVERE]}\n",
        "version: 1\nnotify:\n  ntfy: {topic: t}\n  routes:\n    - {to: ntfy, labels: [a]}\n",
    ]));
}

#[test]
fn sentences_about_other_places() {
    let mut page = String::new();
    let mut check = |title: &str, set: &dyn Fn(&mut Bench)| {
        let mut bench = Bench::new();
        set(&mut bench);
        page.push_str(&format!("{title}\n=> {}\n\n", bench.refused()));
    };
    check("flag", &|b| {
        b.flag("--interval=soon");
    });
    check("variable", &|b| {
        b.variable("CLEANBILL_INTERVAL", "soon");
    });
    check("older variable", &|b| {
        b.variable("SCAN_INTERVAL_SECONDS", "24h");
    });
    check("secret file", &|b| {
        b.write("secrets/SMTP_PORT", "smtp");
    });
    check("secret that is a directory", &|b| {
        std::fs::create_dir(b.path("secrets/SMTP_PASS")).unwrap();
    });
    check("secret that is no text", &|b| {
        b.write("secrets/SMTP_PASS", [0xff, 0xfe]);
    });
    check("secret that is too large", &|b| {
        b.write("secrets/SMTP_PASS", vec![b'a'; 70_000]);
    });
    check("named file that is not there", &|b| {
        b.variable("SMTP_PASS_FILE", "/nonexistent/secret");
    });
    check("named file that is empty", &|b| {
        b.write("empty", " \n");
        let path = b.path("empty").display().to_string();
        b.variable("CLEANBILL_SMTP_PASS_FILE", path);
    });
    check("line of .env", &|b| {
        b.write(".env", "# mail\nSMTP_PORT=mail\n");
    });
    check("form of .env", &|b| {
        b.write(".env", "A=1\nSMTP_PASS=\"hunter2\nsays who\n");
    });
    check("several", &|b| {
        b.variable("SMTP_PORT", "x")
            .flag("--parallel=0")
            .config("version: 1\nwatch: {interval: soon, onse: true}\n");
    });
    check("a file is wrong also where something else counts", &|b| {
        b.flag("--interval=1h")
            .config("version: 1\nwatch: {interval: soon}\n");
    });
    check("--env-file", &|b| {
        b.flag("--env-file=/nonexistent/.env");
    });
    check("--config", &|b| {
        b.flag("--config=/nonexistent/c.yaml");
    });
    check("--config is a directory", &|b| {
        b.flag("--config=/");
    });
    insta::assert_snapshot!(page);
}

#[test]
fn secrets_are_never_quoted() {
    for setting in super::super::table::SETTINGS.iter().filter(|s| s.is_secret) {
        let text = "hunter2\nhunter2";
        let mut bench = Bench::new();
        bench.variable(setting.environment(), text);
        let refused = bench.refused();
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn names_of_ours_that_mean_nothing_are_warned_of() {
    let mut bench = Bench::new();
    bench
        .variable("CLEANBILL_INTERVALL", "6h")
        .variable("CLEANBILL_LOG", "debug")
        .variable("CLEANBILL_FORMAT", "json")
        .variable("CLEANBILL_XYZZY_PLUGH", "1")
        .write(".env", "CLEANBILL_SMTP_PASSWORD=x\nOTHER=1\n");
    assert_eq!(
        bench
            .loaded()
            .warnings
            .iter()
            .map(|text| bench.without_directory(text))
            .collect::<Vec<_>>(),
        [
            "environment variable CLEANBILL_INTERVALL means nothing; did you mean CLEANBILL_INTERVAL?",
            "environment variable CLEANBILL_XYZZY_PLUGH means nothing",
            ".env:1: CLEANBILL_SMTP_PASSWORD means nothing; did you mean CLEANBILL_SMTP_PASS?",
        ]
    );
}

#[test]
fn a_file_with_a_secret_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;

    let mut bench = Bench::new();
    bench.config("version: 1\nnotify: {smtp: {host: h, to: a@b, password: hunter2}}\n");
    let path = bench.path("cleanbill/config.yaml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let [warning] = <[String; 1]>::try_from(bench.loaded().warnings).unwrap();
    assert!(warning.contains("others can read it"), "{warning}");
    assert!(!warning.contains("hunter2"), "{warning}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(bench.loaded().warnings, [""; 0]);
}
