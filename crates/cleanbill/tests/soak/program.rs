//! The program under test as a process: started, killed, started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal};

use crate::clock;
use crate::place::Place;

pub(crate) struct Program {
    binary: PathBuf,
    directory: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, PathBuf)>,
    /// What it says.
    pub(crate) log: PathBuf,
    child: Mutex<Option<Child>>,
    pub(crate) starts: AtomicU64,
    pub(crate) kills: AtomicU64,
}

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Running,
    /// The test killed it, or has not started it.
    Dead,
    /// It ended by itself.
    Ended(ExitStatus),
}

impl Program {
    /// Prepares a call. The program is copied: what is tested stays the same even if somebody
    /// builds another meanwhile.
    pub(crate) fn new(place: &Place, arguments: Vec<String>, more: &[(&str, PathBuf)]) -> Self {
        let binary = place.path("cleanbill");
        std::fs::copy(env!("CARGO_BIN_EXE_cleanbill"), &binary).unwrap();
        let own = [
            ("HOME", place.path("home")),
            ("TMPDIR", place.path("tmp")),
            ("CLEANBILL_CACHE_DIR", place.path("cache")),
        ];
        let environment = own.iter().chain(more);
        Self {
            binary,
            directory: place.path(""),
            arguments,
            environment: environment
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            log: place.path("watch.log"),
            child: Mutex::default(),
            starts: AtomicU64::new(0),
            kills: AtomicU64::new(0),
        }
    }

    pub(crate) fn start(&self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .unwrap();
        let child = Command::new(&self.binary)
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let before = self.child().replace(child);
        assert!(before.is_none(), "it runs already");
        self.starts.fetch_add(1, Ordering::Relaxed);
    }

    /// Kills it with SIGKILL; does nothing if it does not run.
    pub(crate) fn kill(&self) {
        let mut child = self.child();
        let Some(process) = child.as_mut() else {
            return;
        };
        // One that has ended by itself is left for `life` to see.
        if process.try_wait().unwrap().is_some() {
            return;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        clock::forget(process.id());
        *child = None;
        self.kills.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn life(&self) -> Life {
        let mut child = self.child();
        let Some(process) = child.as_mut() else {
            return Life::Dead;
        };
        match process.try_wait().unwrap() {
            None => Life::Running,
            Some(status) => {
                *child = None;
                Life::Ended(status)
            }
        }
    }

    /// Sends it a signal, if it is far enough to catch that one: as a service manager does, which
    /// waits until it is ready. Says whether it did.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        let child = self.child();
        let Some(process) = child.as_ref() else {
            return false;
        };
        let caught = status_of(process.id(), "SigCgt:")
            .and_then(|mask| u64::from_str_radix(&mask, 16).ok())
            .is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0);
        if caught {
            rustix::process::kill_process(Pid::from_child(process), signal).unwrap();
        }
        caught
    }

    /// Returns the bytes of memory that are its own.
    pub(crate) fn rss_anon_bytes(&self) -> Option<u64> {
        let pid = self.child().as_ref()?.id();
        let kib: u64 = status_of(pid, "RssAnon:")?
            .strip_suffix(" kB")?
            .parse()
            .ok()?;
        Some(kib * 1024)
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what the kernel says of a process in one field.
fn status_of(pid: u32, field: &str) -> Option<String> {
    let path = Path::new("/proc").join(pid.to_string()).join("status");
    let status = std::fs::read_to_string(path).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(value.trim().to_owned())
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
