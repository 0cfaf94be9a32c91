//! The process that is measured: `cleanbill watch`, and what its log says.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::super::process::command;
use super::local_engine::NAMESPACE;
use super::{Bench, MailSink};

/// Nothing that is waited for takes longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// A running `watch`; it is ended with this value.
pub(super) struct Daemon {
    process: Child,
    lines: Receiver<Line>,
    /// The directory of its advisory database.
    database: PathBuf,
    log: PathBuf,
}

/// A line of its log.
pub(super) struct Line {
    pub(super) at: Instant,
    pub(super) text: String,
}

impl Daemon {
    /// Starts it with an empty state, watching the images whose names begin as given.
    pub(super) fn start(bench: &Bench<'_>, mail: &MailSink, name: &str) -> anyhow::Result<Self> {
        let directory = bench.tools.directory.join("watch").join(name);
        make_empty(&directory)?;
        let database = directory.join("db");
        fs::create_dir(&database)?;
        let [first, _] = &bench.databases;
        place_database(first, &database)?;
        let log = directory.join("watch.log");
        let mut process = command(&bench.tools.cleanbill)
            .args(arguments(bench, &directory))
            .args(["--image", &format!("{NAMESPACE}/*")])
            .args(["--image", &format!("127.0.0.1:*/{NAMESPACE}/*")])
            .arg("--db-path")
            .arg(&database)
            .args(["--smtp-host", "127.0.0.1", "--smtp-tls", "false"])
            .args(["--smtp-port", &mail.port.to_string()])
            .args(["--smtp-to", "ops@example.com"])
            .args(["--messages-per-hour", "3600", "--heartbeat", "off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start watch")?;
        let errors = process.stderr.take().context("it has no standard error")?;
        let (sender, lines) = channel();
        let mut copy = File::create(&log)?;
        std::thread::spawn(move || {
            for text in BufReader::new(errors).lines().map_while(Result::ok) {
                let at = Instant::now();
                // The log is for people; the benchmark may be over.
                let _ = writeln!(copy, "{text}");
                let _ = sender.send(Line { at, text });
            }
        });
        Ok(Self {
            process,
            lines,
            database,
            log,
        })
    }

    /// Waits for a line of the log that holds a text.
    pub(super) fn wait_for(&mut self, text: &str) -> anyhow::Result<Line> {
        let until = Instant::now() + PATIENCE;
        while let Ok(line) = self
            .lines
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if line.text.contains(text) {
                return Ok(line);
            }
        }
        bail!("watch did not say '{text}', see {}", self.log.display())
    }

    /// Forgets what the log said until now.
    pub(super) fn forget(&self) {
        while self.lines.try_recv().is_ok() {}
    }

    /// Replaces its advisory database and tells it to look. Returns when it was told.
    pub(super) fn replace_database(&self, database: &Path) -> anyhow::Result<Instant> {
        place_database(database, &self.database)?;
        let at = Instant::now();
        self.signal(libc::SIGHUP)?;
        Ok(at)
    }

    /// Returns the number of the process.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it, and waits for that.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.signal(libc::SIGTERM)?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.process.try_wait()? {
                ensure!(status.success(), "watch ended with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("watch did not end")
    }

    #[expect(unsafe_code, reason = "no crate of ours wraps kill")]
    fn signal(&self, signal: libc::c_int) -> anyhow::Result<()> {
        let process = libc::pid_t::try_from(self.process.id())?;
        // SAFETY: it only sends a signal, to a child that has not been waited for.
        let outcome = unsafe { libc::kill(process, signal) };
        ensure!(outcome == 0, "kill: {}", std::io::Error::last_os_error());
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes the directory of a `watch` that has never run.
pub(super) fn make_empty(directory: &Path) -> anyhow::Result<()> {
    // It may not be there.
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory)?;
    Ok(File::create(directory.join("env")).map(drop)?)
}

/// Returns the arguments of every `watch`: nothing is read or written outside `directory`.
pub(super) fn arguments(bench: &Bench<'_>, directory: &Path) -> Vec<String> {
    let mut all: Vec<String> = ["watch", "--docker-host", &bench.engine.host]
        .map(str::to_owned)
        .to_vec();
    for (flag, name) in [
        ("--cache-dir", "cache"),
        ("--state-dir", "state"),
        ("--log-dir", "logs"),
        ("--snapshot-dir", "snapshots"),
        ("--ignore-list", "ignored"),
        ("--env-file", "env"),
    ] {
        all.push(flag.to_owned());
        all.push(directory.join(name).display().to_string());
    }
    let fixed = "--skip-db-update --skip-java-db-update --metrics-listen off";
    all.extend(fixed.split(' ').map(str::to_owned));
    all
}

/// Puts a database where another one is, as an update does: under its name when it is whole.
fn place_database(from: &Path, to: &Path) -> anyhow::Result<()> {
    for name in ["trivy.db", "metadata.json"] {
        let unfinished = to.join("unfinished");
        let _ = fs::remove_file(&unfinished);
        fs::hard_link(from.join(name), &unfinished)
            .with_context(|| format!("cannot link {name}"))?;
        fs::rename(&unfinished, to.join(name))?;
        // Two links to one file are left as they are.
        let _ = fs::remove_file(&unfinished);
    }
    Ok(())
}
