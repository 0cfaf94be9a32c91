//! A directory of the test's own, and servers that end with it.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

/// How long a server is waited for, when it starts and when it ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// A temporary directory, through which the users of servers may go.
pub(crate) struct Place {
    directory: Option<TempDir>,
    path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        fs::set_permissions(&path, Permissions::from_mode(0o711)).unwrap();
        for name in ["home", "tmp", "cache", "logs", "snapshots", "disk"] {
            fs::create_dir(path.join(name)).unwrap();
        }
        Self {
            directory: Some(directory),
            path,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Replaces a file in one step.
    pub(crate) fn replace(&self, name: &str, content: impl AsRef<[u8]>) {
        let new = self.write(&format!("{name}.new"), content);
        fs::rename(new, self.path(name)).unwrap();
    }

    /// Lists every file below a directory, relative to it.
    pub(crate) fn files(&self, name: &str) -> Vec<String> {
        fn collect(directory: &Path, prefix: &str, found: &mut Vec<String>) {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    collect(&entry.path(), &format!("{name}/"), found);
                } else {
                    found.push(name);
                }
            }
        }
        let mut found = Vec::new();
        collect(&self.path(name), "", &mut found);
        found.sort();
        found
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Engines leave mounts behind when they are stopped in the middle of something.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = self.path.display().to_string();
        for target in mounts.lines().filter_map(|line| line.split(' ').nth(1)) {
            if target.starts_with(&own) {
                run("umount", ["-l", target]);
            }
        }
        if std::env::var("CLEANBILL_SOAK_KEEP").is_ok_and(|value| value == "1") {
            let kept = self.directory.take().map(TempDir::keep);
            eprintln!("kept: {}", kept.unwrap_or_default().display());
        }
    }
}

/// Runs a command to its end and says whether it succeeded.
pub(crate) fn run(program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Says whether a program is there.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
        || Path::new(program).is_file()
}

/// A server. It ends with the test, even with one that is killed.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub(crate) fn start(command: &[&str], log: &Path, is_ready: impl Fn() -> bool) -> Self {
        let log_file = File::options().create(true).append(true).open(log).unwrap();
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .args(command)
            .stdin(Stdio::null())
            .stdout(log_file.try_clone().unwrap())
            .stderr(log_file)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !is_ready() {
            let ended = child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{} did not start ({ended:?}): {}",
                command[0],
                tail(log, 20)
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Returns the last lines of a file.
pub(crate) fn tail(path: &Path, count: usize) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
