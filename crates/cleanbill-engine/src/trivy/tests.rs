use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tempfile::TempDir;

use super::*;

/// A script in Trivy's place. It prints a version when asked for one.
fn fake(body: &str) -> (TempDir, PathBuf) {
    script(&format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{{\"Version\":\"0.74.0\"}}'; exit 0; fi\n\
         if [ \"$1\" = ready ]; then exit 0; fi\n{body}\n"
    ))
}

/// A program that can be run at once: a process that another test is just starting may hold the
/// file open for writing for a moment, and then it cannot.
#[expect(
    clippy::disallowed_methods,
    reason = "asks the system whether it can be started"
)]
fn script(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trivy");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let is_busy = || {
        let started = std::process::Command::new(&path).arg("ready").output();
        started.is_err_and(|error| error.kind() == std::io::ErrorKind::ExecutableFileBusy)
    };
    while is_busy() {
        std::thread::sleep(Duration::from_millis(1));
    }
    (directory, path)
}

fn limits(timeout: Option<Duration>) -> TrivyLimits {
    TrivyLimits {
        timeout,
        cancelled: Arc::default(),
        report_size_bytes_max: 100_000,
    }
}

fn scan(body: &str, limits: &TrivyLimits) -> (Result<Vec<u8>, TrivyError>, Vec<String>) {
    let (_directory, path) = fake(body);
    let trivy = Trivy::find(Some(&path), None, &Arc::default()).unwrap();
    let mut log = Vec::new();
    let target = TrivyTarget::Image("app:1".to_owned());
    let outcome = trivy.scan(&target, &TrivyArguments::default(), limits, &mut |line| {
        log.push(line.to_owned());
    });
    (outcome, log)
}

#[test]
fn the_report_and_the_log_are_passed_on() {
    let (outcome, log) = scan("echo one >&2; echo two >&2; echo '{}'", &limits(None));
    assert_eq!(outcome.unwrap(), b"{}\n");
    assert_eq!(log, ["one", "two"]);
}

#[test]
fn its_own_error_is_named() {
    let body = "echo '2026-01-01T00:00:00Z\tINFO\tstarting' >&2\n\
        printf '2026-01-01T00:00:00Z\\tFATAL\\tFatal error\\trun error: no such image\\n' >&2\nexit 1";
    let error = scan(body, &limits(None)).0.unwrap_err().to_string();
    assert_eq!(
        error,
        "trivy failed with exit status: 1: run error: no such image"
    );
    let error = scan("exit 9", &limits(None)).0.unwrap_err().to_string();
    assert_eq!(
        error,
        "trivy failed with exit status: 9: it printed no error"
    );
    let error = scan("kill -9 $$", &limits(None)).0.unwrap_err().to_string();
    assert!(error.contains("signal: 9"), "{error}");
}

#[test]
fn one_that_hangs_is_killed_with_its_children() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("alive");
    // The child ignores SIGTERM, and would go on writing for ever.
    let body = format!(
        "(trap '' TERM; while :; do echo x >> '{}'; sleep 0.05; done) &\ntrap '' TERM\nsleep 600",
        file.display()
    );
    let begun = Instant::now();
    let error = scan(&body, &limits(Some(Duration::from_millis(300)))).0;
    assert!(
        matches!(error, Err(TrivyError::TimedOut { .. })),
        "{error:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(60));
    // A write that had begun may still arrive; after that there must be none.
    std::thread::sleep(Duration::from_millis(500));
    let size = || std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
    let before = size();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(size(), before);
}

#[test]
fn it_can_be_cancelled() {
    let limits = limits(None);
    limits.cancelled.store(true, Ordering::Relaxed);
    let (_directory, path) = fake("sleep 600");
    let trivy = Trivy::find(Some(&path), None, &Arc::default()).unwrap();
    let target = TrivyTarget::Image("app:1".to_owned());
    let outcome = trivy.scan(&target, &TrivyArguments::default(), &limits, &mut |_| {});
    assert!(matches!(outcome, Err(TrivyError::Cancelled)), "{outcome:?}");
}

#[test]
fn floods_are_bounded() {
    let (outcome, _) = scan("yes | head -c 3000000 >&2; echo done", &limits(None));
    assert_eq!(outcome.unwrap(), b"done\n");
    let (outcome, _) = scan("yes", &limits(None));
    assert!(
        matches!(outcome, Err(TrivyError::TooMuchOutput { max: 100_000 })),
        "{outcome:?}"
    );
    let body = "head -c 3000000 /dev/zero >&2; exit 1";
    let (outcome, log) = scan(body, &limits(None));
    assert!(outcome.is_err());
    assert!(log.iter().all(|line| line.len() <= 4_096 * 3));
}

#[test]
fn a_child_that_keeps_the_pipes_open_is_not_waited_for() {
    let begun = Instant::now();
    let (outcome, _) = scan("sleep 600 & echo '{}'", &limits(None));
    assert!(begun.elapsed() < Duration::from_secs(60));
    // The output has no end that could be trusted.
    let error = outcome.unwrap_err();
    assert!(matches!(error, TrivyError::OutputHeld), "{error}");
    // Who holds only the log does no harm, and a failure is told as such.
    let (outcome, _) = scan("sleep 600 > /dev/null & echo '{}'", &limits(None));
    assert_eq!(outcome.unwrap(), b"{}\n");
    let body = "sleep 600 & echo 'FATAL no such image' >&2; exit 1";
    let error = scan(body, &limits(None)).0.unwrap_err().to_string();
    assert!(error.contains("no such image"), "{error}");
}

#[test]
fn only_a_usable_trivy_is_taken() {
    let find = |text: &str| {
        let (directory, path) = script(text);
        let found = Trivy::find(Some(&path), None, &Arc::default());
        drop(directory);
        found
            .map(|trivy| trivy.version().to_string())
            .map_err(|error| error.to_string())
    };
    let check = |script: &str, expected: &str| {
        let error = find(script).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    check(
        "#!/bin/sh\necho '{\"Version\":\"0.56.9\"}'",
        "too old, 0.57.0 or newer",
    );
    check(
        "#!/bin/sh\necho hello",
        "is no trivy: --version printed 'hello",
    );
    check("#!/no/such/shell\n", "cannot start");
    assert_eq!(
        find("#!/bin/sh\necho '{\"Version\":\"dev\"}'").unwrap(),
        "dev"
    );
    assert_eq!(
        find("#!/bin/sh\necho '{\"Version\":\"v1.0.0-rc1\"}'").unwrap(),
        "v1.0.0-rc1"
    );

    let (directory, _) = fake("");
    let search = format!("/no/such:relative:{}", directory.path().display());
    assert!(Trivy::find(None, Some(&search), &Arc::default()).is_ok());
    let none = Trivy::find(None, Some("/no/such"), &Arc::default());
    assert!(matches!(none, Err(TrivyError::NotFound)));
}

#[test]
fn flags_that_would_take_the_report_away_are_refused() {
    for text in [
        "-o x",
        "-ox",
        "--format=table",
        "--exit-code 1",
        "--cache-dir /x",
        "-- x",
    ] {
        assert!(TrivyArguments::parse_extra(text).is_err(), "{text}");
    }
    assert!(TrivyArguments::parse_extra("--ignore-policy 'a b").is_err());
    let words = TrivyArguments::parse_extra("--scanners vuln,secret --skip-dirs 'a b'").unwrap();
    assert_eq!(words, ["--scanners", "vuln,secret", "--skip-dirs", "a b"]);
}

#[test]
fn names_cannot_become_flags() {
    let arguments = TrivyArguments {
        cache_directory: "/c".into(),
        extra: vec!["--scanners=secret".to_owned()],
        ..TrivyArguments::default()
    };
    let text = |target| {
        let words = arguments.for_target(&target);
        words.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
    };
    let image = text(TrivyTarget::Image("--server".to_owned()));
    assert!(image.ends_with("--scanners=secret -- --server"), "{image}");
    assert!(!image.contains("--scanners vuln"), "{image}");
    let rootfs = text(TrivyTarget::Rootfs("/r".into()));
    assert!(rootfs.starts_with("rootfs --cache-dir /c") && rootfs.ends_with("-- /r"));
}
