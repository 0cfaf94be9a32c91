//! Running a program that may misbehave: it may hang, flood its outputs or leave children behind.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{TrivyError, TrivyLimits};

/// How often the clock, the flag and the process are looked at.
const TICK: Duration = Duration::from_millis(25);
/// How long a process may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// Bytes of a line on standard error that are kept.
const LINE_SIZE_BYTES_MAX: usize = 4_096;
/// Lines on standard error that are kept.
const LINES_MAX: usize = 40;
/// Lines that wait to be logged. A program that prints faster is slowed down by the pipe.
const LINES_WAITING_MAX: usize = 64;

/// Variables that Trivy needs besides those of the system: credentials only.
const PASSED_VARIABLES: &[&str] = &[
    "TRIVY_USERNAME",
    "TRIVY_PASSWORD",
    "TRIVY_REGISTRY_TOKEN",
    "TRIVY_AUTH_URL",
];

/// What a program that ended left.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) is_success: bool,
    /// How it ended, in words.
    pub(super) status: String,
    /// Everything on its standard output.
    pub(super) output: Vec<u8>,
    /// The last lines on its standard error.
    pub(super) last_lines: Vec<String>,
}

/// Runs a program to its end. It is in a process group of its own, all of which is killed when it
/// takes too long, is cancelled, or prints too much.
pub(super) fn run(
    path: &Path,
    arguments: &[OsString],
    environment: &[(&'static str, String)],
    limits: &TrivyLimits,
    log: &mut dyn FnMut(&str),
) -> Result<Ended, TrivyError> {
    #[expect(clippy::disallowed_methods, reason = "this engine is a process")]
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("TRIVY_") && !PASSED_VARIABLES.contains(&&*text) {
            command.env_remove(&name);
        }
    }
    let child = command
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|source| TrivyError::Start {
            path: path.to_owned(),
            source,
        })?;
    Group { child }.wait(limits, log)
}

/// A process that leads a group. The group is killed when this is dropped.
struct Group {
    child: Child,
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Group {
    fn wait(
        mut self,
        limits: &TrivyLimits,
        log: &mut dyn FnMut(&str),
    ) -> Result<Ended, TrivyError> {
        let stdout = self.child.stdout.take();
        let stderr = self.child.stderr.take();
        let max = limits.report_size_bytes_max;
        let (output_sender, output) = sync_channel(1);
        let (line_sender, lines) = sync_channel(LINES_WAITING_MAX);
        spawn("trivy output", move || {
            let _ = output_sender.send(read_output(stdout, max));
        })?;
        spawn("trivy log", move || send_lines(stderr, &line_sender))?;

        let mut last_lines = LastLines::default();
        let status = self.watch(limits, &output, &lines, &mut |line| {
            log(line);
            last_lines.push(line);
        })?;
        let Watched { status, output } = status;
        Ok(Ended {
            is_success: status.success(),
            status: status.to_string(),
            output,
            last_lines: last_lines.0.into(),
        })
    }

    /// Waits for the end of the process and of its outputs.
    fn watch(
        &mut self,
        limits: &TrivyLimits,
        output: &Receiver<Result<Vec<u8>, TrivyError>>,
        lines: &Receiver<String>,
        log: &mut dyn FnMut(&str),
    ) -> Result<Watched, TrivyError> {
        let begun = Instant::now();
        let mut ended: Option<(ExitStatus, Instant)> = None;
        let mut read: Option<Vec<u8>> = None;
        let mut has_lines = true;
        loop {
            if limits.cancelled.load(Ordering::Relaxed) {
                self.stop();
                return Err(TrivyError::Cancelled);
            }
            if let Some(after) = limits.timeout
                && begun.elapsed() >= after
            {
                self.stop();
                return Err(TrivyError::TimedOut { after });
            }
            if let Ok(outcome) = output.try_recv() {
                read = Some(outcome?);
            }
            if ended.is_none()
                && let Some(status) = self.child.try_wait().map_err(TrivyError::Pipe)?
            {
                ended = Some((status, Instant::now()));
            }
            if let Some((status, at)) = ended {
                let is_done = read.is_some() && !has_lines;
                // A child of the program's may hold the pipes open for ever.
                if is_done || at.elapsed() >= GRACE {
                    return match read {
                        None if status.success() => Err(TrivyError::OutputHeld),
                        output => Ok(Watched {
                            status,
                            output: output.unwrap_or_default(),
                        }),
                    };
                }
            }
            match lines.recv_timeout(TICK) {
                Ok(line) => log(&line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    has_lines = false;
                    std::thread::sleep(TICK);
                }
            }
        }
    }

    /// Asks the group to end, and makes it.
    fn stop(&mut self) {
        self.signal(Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                break;
            }
            std::thread::sleep(TICK);
        }
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        // A group that is gone needs no signal.
        let _ = kill_process_group(pid, signal);
    }
}

/// How a process ended, and all of its output.
struct Watched {
    status: ExitStatus,
    output: Vec<u8>,
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), TrivyError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(TrivyError::Pipe)
}

fn read_output(stdout: Option<impl Read>, max: u64) -> Result<Vec<u8>, TrivyError> {
    let mut output = Vec::new();
    if let Some(stdout) = stdout {
        stdout
            .take(max.saturating_add(1))
            .read_to_end(&mut output)
            .map_err(TrivyError::Pipe)?;
    }
    if output.len() as u64 > max {
        return Err(TrivyError::TooMuchOutput { max });
    }
    Ok(output)
}

/// Sends the lines of standard error, long ones cut, until its end or until nobody listens.
fn send_lines(stderr: Option<impl Read>, lines: &SyncSender<String>) {
    let Some(mut stderr) = stderr else { return };
    let mut line = Vec::new();
    let mut buffer = [0; 8_192];
    loop {
        let count = match stderr.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        for byte in buffer.get(..count).unwrap_or_default() {
            if *byte == b'\n' {
                if lines.send(text(&line)).is_err() {
                    return;
                }
                line.clear();
            } else if line.len() < LINE_SIZE_BYTES_MAX {
                line.push(*byte);
            }
        }
    }
    if !line.is_empty() {
        let _ = lines.send(text(&line));
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end().to_owned()
}

/// Keeps the last lines.
#[derive(Default)]
struct LastLines(VecDeque<String>);

impl LastLines {
    fn push(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        if self.0.len() == LINES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }
}
