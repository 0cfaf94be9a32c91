//! The older tool's directory and the file that is made of it.

use std::path::Path;

use tempfile::TempDir;

use super::calls::CALLS;
use super::{older, write};
use crate::cli::{Command, ConfigCommand};
use crate::environment::Environment;
use crate::settings::{Loaded, Loader};

struct Sample(TempDir);

impl Sample {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns the file and what is said, without the directory.
    fn migrate(&self) -> (String, String) {
        let older = older::read(self.path()).unwrap();
        let plain = |text: String| text.replace(&self.path().display().to_string(), "DIR");
        (plain(write::configuration(&older)), plain(older.report()))
    }

    fn load(&self) -> Loaded {
        let text = write::configuration(&older::read(self.path()).unwrap());
        let path = self.path().join("new.yaml");
        std::fs::write(&path, &text).unwrap();
        Loader::of_file(path)
            .load()
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

fn security() -> Sample {
    Sample::new(&[
        (
            ".env",
            "# scanner
TRIVY_VERSION=v0.57.1
SCAN_INTERVAL_SECONDS=43200
TRIVY_SEVERITY=HIGH,CRITICAL
TRIVY_EXTRA_ARGS=\"--scanners vuln --timeout '10m'\"
SCAN_IMAGES=
SNAPSHOT_DIR=/snapshots
export SMTP_HOST='mail.example.com'
SMTP_PORT=465
SMTP_STARTTLS=nope
SMTP_PASS=hunter2
SMTP_TO=ops@example.com, dev@example.com
SLACK_WEBHOOK_URL=https://hooks.example/hunter2
COMPOSE_PROJECT_NAME=security
SMTP_SUBJECT_PREFIX=[Scan \"x\"] # subject
",
        ),
        ("secrets/SMTP_USER", "scanner\n"),
        ("secrets/SMTP_PASS", "hunter2\n"),
        ("secrets/SCAN_ONCE", "no\n"),
        ("secrets/other", "hunter2\n"),
        (
            "snapshots/a__b__1.json",
            "{\"image\": \"a/b:1\", \"timestamp\": \"2026-11-22T06-30-00Z\", \"vulnerabilities\": []}",
        ),
        ("snapshots/c__1.json", "{"),
        ("ignore-images.txt", "# none\nscratch:1\n\n a/b # why\n"),
        ("logs/scan-summary.log", ""),
        ("cache/db/trivy.db", ""),
        (
            "docker-compose.yaml",
            "services:
  image-scanner:
    build: {context: ., args: {TRIVY_VERSION: \"${TRIVY_VERSION:-0.57.1}\"}}
    environment:
      SCAN_INTERVAL_SECONDS: ${SCAN_INTERVAL_SECONDS:-86400}
      LOG_DIR: /var/log/security-scans
      SMTP_FROM: ${SMTP_FROM:-scanner@example.com}
      SMTP_HOST: ${SMTP_HOST:-}
      IGNORE_IMAGES: ${A}${B:?no}
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
      - ./logs:/var/log/security-scans
      - ./cache:/trivy-cache
      - /srv/snapshots:/old-snapshots
      - named:/data
",
        ),
    ])
}

#[test]
fn an_older_directory_becomes_a_configuration_file() {
    let sample = security();
    let (text, report) = sample.migrate();
    assert!(!text.contains("hunter2") && !report.contains("hunter2"));
    insta::assert_snapshot!(format!("{text}\n{report}"));
}

#[test]
fn the_new_file_is_right_and_means_the_same() {
    let loaded = security().load();
    let settings = &loaded.settings;
    let shown = |key: &str| loaded.resolved[key].value.to_string();
    assert_eq!(shown("watch.interval"), "12h");
    assert_eq!(shown("notify.smtp.starttls"), "false");
    assert_eq!(shown("notify.smtp.subject_prefix"), "[Scan \"x\"]");
    assert_eq!(shown("notify.smtp.to"), "ops@example.com,dev@example.com");
    assert!(!settings.schedule.once);
    let trivy = settings.scan.trivy.as_ref().unwrap();
    assert_eq!(trivy.arguments, ["--scanners", "vuln", "--timeout", "10m"]);
    let user = &loaded.channels[0].values["notify.smtp.user"];
    assert_eq!(user.value.to_string(), "scanner");
}

#[test]
fn a_directory_with_little_in_it_is_enough() {
    let sample = Sample::new(&[("snapshots/a.json", "{}")]);
    let (text, _) = sample.migrate();
    assert!(text.contains("directory: \"DIR/snapshots\""), "{text}");
    sample.load();
    let error = older::read(Sample::new(&[("notes.txt", "")]).path()).unwrap_err();
    assert!(error.one_line().contains("neither .env"), "{error:?}");
}

#[test]
fn what_is_broken_is_named_and_the_rest_is_taken() {
    let sample = Sample::new(&[
        (".env", "SMTP_PASS='hunter2\n"),
        ("docker-compose.yaml", "services: [\n"),
        ("ignore-images.txt", "a\n"),
    ]);
    let (text, report) = sample.migrate();
    assert!(
        report.contains(".env:1: the quote is not closed"),
        "{report}"
    );
    assert!(report.contains("docker-compose.yaml:"), "{report}");
    assert!(!report.contains("variables of its own"), "{report}");
    assert!(text.contains("ignore_list"), "{text}");
    for text in [
        "services: {other: {}}\n",
        "services: {image-scanner: []}\n",
        "services: {image-scanner: {environment: [A, 'SMTP_PORT=x'], volumes: [{type: bind}, a]}}\n",
        "[]\n",
    ] {
        Sample::new(&[("docker-compose.yaml", text)]).load();
    }
}

#[test]
fn what_counted_before_counts_and_nothing_disappears_without_a_word() {
    let sample = Sample::new(&[
        (".env", "SMTP_PASS=one\nTRIVY_CACHE_DIR=/trivy-cache\n"),
        ("secrets/SMTP_PASS", "other\n"),
        ("cache/empty", ""),
    ]);
    let (text, report) = sample.migrate();
    assert!(
        text.contains("# password_file: \"DIR/secrets/SMTP_PASS\""),
        "{text}"
    );
    for part in [
        "SMTP_PASS in .env:1 is another one than in secrets/SMTP_PASS, and had precedence",
        "start with --env-file DIR/.env",
        "DIR/cache: no advisory database lies there, so the place named in .env:2 is left out",
    ] {
        assert!(report.contains(part), "{report}");
    }
    assert!(!report.contains("referred to, not copied"), "{report}");
    assert!(!text.contains("database"), "{text}");
}

/// Parses a call as the program does and loads its settings.
fn load_call(flags: &str) -> Loaded {
    let mut words: Vec<String> = ["cleanbill", "config", "show"].map(str::to_owned).into();
    words.extend(shlex::split(flags).unwrap());
    let Ok(cli) = crate::cli::parse(words.into_iter().map(Into::into)) else {
        panic!("{flags} is refused");
    };
    let Command::Config(ConfigCommand::Show { settings, .. }) = cli.command else {
        panic!("no settings");
    };
    let loader = Loader::new(settings.call, Environment::default());
    loader
        .load()
        .unwrap_or_else(|error| panic!("{flags}: {error}"))
}

#[test]
fn every_older_call_has_its_equivalent() {
    let directory = tempfile::tempdir().unwrap();
    let env_file = directory.path().join(".env");
    std::fs::write(&env_file, "").unwrap();
    let env_file = env_file.display().to_string();
    for call in CALLS.iter().filter(|call| !call.ours.is_empty()) {
        let loaded = load_call(&call.ours.replace("./.env", &env_file));
        let given: Vec<&str> = loaded
            .resolved
            .values()
            .filter(|one| one.origin.kind() == "flag")
            .map(|one| one.setting.key)
            .collect();
        let expected = usize::from(!call.ours.contains("--env-file"));
        assert_eq!(given.len(), expected, "{}: {given:?}", call.ours);
    }
}

#[test]
fn the_page_on_migration_lists_every_call() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/migration.md");
    let page = std::fs::read_to_string(page).unwrap();
    for call in CALLS {
        let ours = if call.ours.is_empty() {
            String::new()
        } else {
            format!("`{}`", call.ours)
        };
        let row = format!("| `{}` | {ours} | {} |", call.older, call.note);
        assert!(page.contains(&row), "docs/migration.md lacks: {row}");
    }
}

#[test]
fn a_file_that_is_there_is_not_replaced() {
    let sample = Sample::new(&[("ignore-images.txt", "a\n"), ("cleanbill.yaml", "mine\n")]);
    let put = |name: &str, replaces| {
        super::write_file(&sample.path().join(name), "version: 1\n", replaces)
    };
    let read = |name: &str| std::fs::read_to_string(sample.path().join(name)).unwrap();
    let error = put("cleanbill.yaml", false).unwrap_err();
    assert!(error.one_line().contains("is there already"), "{error:?}");
    assert_eq!(read("cleanbill.yaml"), "mine\n");
    put("other.yaml", false).unwrap();
    assert_eq!(read("other.yaml"), "version: 1\n");
    put("cleanbill.yaml", true).unwrap();
    assert_eq!(read("cleanbill.yaml"), "version: 1\n");
}
