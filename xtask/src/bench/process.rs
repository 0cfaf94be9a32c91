//! Runs one process and measures it.
//!
//! Each process is started by a fresh, small helper process (`xtask measure`): the kernel counts
//! the memory of the process that forks into the peak of its child.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

/// How often the anonymous memory is looked at.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(2);

/// What one run cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Seconds from start to exit.
    pub(crate) wall_seconds: f64,
    /// Seconds of processor time, user and system.
    pub(crate) cpu_seconds: f64,
    /// Peak of resident memory, mapped files included.
    pub(crate) peak_rss_bytes: u64,
    /// Peak of anonymous memory, as sampled: without mapped files.
    pub(crate) peak_anonymous_bytes: u64,
    /// The exit status; -1 after a signal.
    pub(crate) status: i32,
}

/// A program with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Program {
    pub(crate) fn new<A: AsRef<OsStr>>(
        path: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let arguments = arguments
            .into_iter()
            .map(|a| a.as_ref().to_string_lossy().into_owned())
            .collect();
        Self {
            path: path.into(),
            arguments,
            environment: Vec::new(),
        }
    }

    /// Runs the program, its errors into `log`. A run that exits otherwise than with one of
    /// `statuses` is an error.
    pub(crate) fn measure(&self, log: &Path, statuses: &[i32]) -> anyhow::Result<Cost> {
        let errors = File::create(log)?;
        let output = command(&std::env::current_exe()?)
            .arg("measure")
            .arg(&self.path)
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stderr(errors)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let cost: Cost = serde_json::from_str(text.trim())
            .with_context(|| format!("cannot measure {}, see {}", self.line(), log.display()))?;
        ensure!(
            statuses.contains(&cost.status),
            "{} exited with {}, see {}",
            self.line(),
            cost.status,
            log.display()
        );
        Ok(cost)
    }

    /// Returns the command line.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.path.display(), self.arguments.join(" "))
    }
}

/// Builds a command: everything that the benchmark starts goes through here.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark starts what it measures"
)]
pub(crate) fn command(path: &Path) -> Command {
    Command::new(path)
}

/// `xtask measure PROGRAM ARGUMENT…`: prints the cost as JSON.
pub(crate) fn run_measured(arguments: &[String]) -> anyhow::Result<()> {
    let (program, arguments) = arguments.split_first().context("measure what?")?;
    let begin = Instant::now();
    let child = command(Path::new(program))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let is_over = AtomicBool::new(false);
    let (usage, peak) = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| sample(child.id(), &is_over));
        let usage = wait(&child);
        is_over.store(true, Ordering::Relaxed);
        (usage, sampler.join())
    });
    let (status, usage, end) = usage?;
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let cost = Cost {
        wall_seconds: (end - begin).as_secs_f64(),
        cpu_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        peak_rss_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
        peak_anonymous_bytes: peak.unwrap_or(0),
        status,
    };
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

/// Watches the anonymous memory of a process.
fn sample(process: u32, is_over: &AtomicBool) -> u64 {
    let path = format!("/proc/{process}/status");
    let mut peak = 0;
    while !is_over.load(Ordering::Relaxed) {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let anonymous = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(anonymous.unwrap_or(0) * 1024);
        std::thread::sleep(SAMPLE_INTERVAL);
    }
    peak
}

/// Waits for a child and asks the kernel what it used.
#[expect(unsafe_code, reason = "no crate of ours wraps wait4")]
fn wait(child: &Child) -> anyhow::Result<(i32, libc::rusage, Instant)> {
    let process = libc::pid_t::try_from(child.id())?;
    let mut status = 0;
    // SAFETY: `rusage` is a plain C structure of numbers, for which zeros are valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live variables of the right types; the child is ours and has
    // not been waited for, and `Child` is not used to wait for it afterwards.
    let waited = unsafe { libc::wait4(process, &raw mut status, 0, &raw mut usage) };
    let end = Instant::now();
    ensure!(
        waited == process,
        "wait4: {}",
        std::io::Error::last_os_error()
    );
    let status = if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        -1
    };
    Ok((status, usage, end))
}
