//! A place to run the program in: a temporary directory and nothing of the host's environment.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use cleanbill_testkit::{AdvisoryDatabaseBuilder, ImageBuilder};
use serde_json::Value;
use tempfile::TempDir;

use crate::samples;

/// How long a test waits for something that must happen. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// A working directory with a cache directory (`cache`) and a home (`home`) of its own.
pub(crate) struct Sandbox {
    directory: TempDir,
}

impl Sandbox {
    /// Makes a sandbox whose cache has the database of [`samples::database`].
    pub(crate) fn new() -> Self {
        let sandbox = Self::without_database();
        sandbox.install_database(&samples::database());
        sandbox
    }

    /// Makes a sandbox with the reports of two images, `web.json` with findings and `clean.json`
    /// without.
    pub(crate) fn with_reports() -> Self {
        let sandbox = Self::new();
        sandbox
            .write_image("web.tar", &samples::web())
            .write_image("clean.tar", &samples::clean());
        for name in ["web", "clean"] {
            sandbox
                .run(&format!("scan --input {name}.tar -o json={name}.json"))
                .exits(0);
        }
        sandbox
    }

    /// Makes a sandbox with an empty cache.
    pub(crate) fn without_database() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("home")).unwrap();
        Self { directory }
    }

    /// Puts a database where the program looks for it.
    pub(crate) fn install_database(&self, database: &AdvisoryDatabaseBuilder) {
        let directory = self.path("cache/db");
        std::fs::create_dir_all(&directory).unwrap();
        database.write_to(&directory).unwrap();
    }

    /// Returns the path of a name in the working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file into the working directory.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Writes an image as a Docker archive.
    pub(crate) fn write_image(&self, name: &str, image: &ImageBuilder) -> &Self {
        self.write(name, image.docker_archive())
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[track_caller]
    pub(crate) fn read_json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// Lists every file below a directory, sorted, relative to it.
    pub(crate) fn files(&self, name: &str) -> Vec<String> {
        fn collect(directory: &Path, prefix: &str, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.file_type().unwrap().is_dir() {
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

    /// Prepares a call; the words of `call` are separated by spaces.
    pub(crate) fn command(&self, call: &str) -> Command {
        let mut command = Command::new(program());
        command
            .args(call.split_whitespace())
            .current_dir(self.directory.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("CLEANBILL_CACHE_DIR", self.path("cache"))
            // There is no such directory: whoever wants a temporary file fails.
            .env("TMPDIR", self.path("no-temporary-files"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a call to its end.
    pub(crate) fn run(&self, call: &str) -> Outcome {
        self.finish(self.command(call), call)
    }

    /// Runs a call with variables in its environment.
    pub(crate) fn run_with<'a>(
        &self,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        call: &str,
    ) -> Outcome {
        let mut command = self.command(call);
        command.envs(variables);
        self.finish(command, call)
    }

    /// Runs a prepared command to its end.
    pub(crate) fn finish(&self, mut command: Command, call: &str) -> Outcome {
        Outcome::new(call, command.output().unwrap())
    }

    /// Starts a call and does not wait for it.
    pub(crate) fn start(&self, call: &str) -> Running {
        self.start_with([], call)
    }

    /// Starts a call with variables in its environment and does not wait for it.
    pub(crate) fn start_with<'a>(
        &self,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        call: &str,
    ) -> Running {
        let mut command = self.command(call);
        Running {
            child: Some(command.envs(variables).spawn().unwrap()),
            call: call.to_owned(),
        }
    }
}

/// Returns the path of the program under test.
pub(crate) fn program() -> &'static OsStr {
    OsStr::new(env!("CARGO_BIN_EXE_cleanbill"))
}

/// Returns what lies beside the workspace for tests to compare with, or `None` after saying that
/// the test is skipped.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(name);
    if path.exists() {
        return path.canonicalize().ok();
    }
    eprintln!("skipped: ../shared/{name} is not there");
    None
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A program that is running. It is killed when the test ends.
pub(crate) struct Running {
    child: Option<Child>,
    call: String,
}

impl Running {
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(self.child.as_ref().unwrap());
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(crate) fn wait(mut self) -> Outcome {
        let child = self.child.take().unwrap();
        Outcome::new(&self.call, child.wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a run printed and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    call: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    fn new(call: &str, output: Output) -> Self {
        Self {
            call: call.to_owned(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Asserts that standard error has every text.
    #[track_caller]
    pub(crate) fn warns(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stderr.contains(text),
                "no '{text}' on standard error of {self}"
            );
        }
        self
    }

    /// Asserts that standard output has every text.
    #[track_caller]
    pub(crate) fn prints(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stdout.contains(text),
                "no '{text}' on standard output of {self}"
            );
        }
        self
    }

    /// Asserts that a stream lacks a text; `stream` is that of this outcome.
    #[track_caller]
    pub(crate) fn lacks(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                !self.stdout.contains(text),
                "'{text}' on standard output of {self}"
            );
            assert!(
                !self.stderr.contains(text),
                "'{text}' on standard error of {self}"
            );
        }
        self
    }

    /// Asserts that nothing was said on standard error.
    #[track_caller]
    pub(crate) fn warns_nothing(self) -> Self {
        assert_eq!(self.stderr, "", "{self}");
        self
    }

    /// Parses standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            call,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "`cleanbill {call}`: {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

/// Returns the ids of the findings of a report in our JSON, image by image.
pub(crate) fn finding_ids(report: &Value) -> Vec<Vec<&str>> {
    fn list(value: &Value) -> impl Iterator<Item = &Value> {
        value.as_array().into_iter().flatten()
    }
    list(&report["images"])
        .map(|image| {
            list(&image["results"])
                .flat_map(|result| list(&result["findings"]))
                .filter_map(|finding| finding["id"].as_str())
                .collect()
        })
        .collect()
}
