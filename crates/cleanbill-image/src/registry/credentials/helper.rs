//! Credential helpers: programs `docker-credential-<name>`.
//!
//! Source: docker/docker-credential-helpers, README ("Development") and `credentials/error.go`.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Credential, CredentialError, CredentialOptions, FoundCredential};
use crate::ReadContext;
use crate::http::Secret;

/// Bytes that a helper may say.
const OUTPUT_SIZE_BYTES_MAX: u64 = 1 << 20;

/// How often a running helper is looked at.
const POLL: Duration = Duration::from_millis(50);

/// How often one that has said everything is looked at.
const POLL_AT_END: Duration = Duration::from_millis(2);

/// What helpers say, with a failing status, when they know nothing of a server.
const NOT_FOUND_TEXT: &str = "credentials not found";

/// The user name that marks an identity token.
const TOKEN_USER: &str = "<token>";

/// A helper that a configuration file names.
pub(super) struct Helper<'a> {
    program: String,
    config_file: &'a Path,
    options: &'a CredentialOptions,
    context: &'a ReadContext,
}

type Output = Zeroizing<Vec<u8>>;

/// What a finished helper left.
struct Outcome {
    is_success: bool,
    output: Output,
}

impl<'a> Helper<'a> {
    /// Takes the name that stands in `config_file`.
    ///
    /// # Errors
    ///
    /// It is no plain word: one with a path in it would run something else.
    pub(super) fn new(
        name: &str,
        config_file: &'a Path,
        options: &'a CredentialOptions,
        context: &'a ReadContext,
    ) -> Result<Self, CredentialError> {
        let program = format!("docker-credential-{name}");
        let helper = Self {
            program,
            config_file,
            options,
            context,
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(helper.failure("its name is no plain word"));
        }
        Ok(helper)
    }

    /// Asks for the credentials of a server.
    ///
    /// # Errors
    ///
    /// The helper cannot be run, takes too long, says too much, or fails for another reason than
    /// that it knows nothing.
    pub(super) fn get(&self, server: &str) -> Result<Option<FoundCredential>, CredentialError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            #[serde(default)]
            username: String,
            #[serde(default)]
            secret: String,
        }
        let outcome = self.run("get", server.as_bytes())?;
        if !outcome.is_success {
            let text = first_line(&outcome.output);
            if text.contains(NOT_FOUND_TEXT) {
                return Ok(None);
            }
            return Err(self.failure(text));
        }
        // The text of serde's error may quote a secret.
        let answer: Answer = serde_json::from_slice(&outcome.output)
            .map_err(|_| self.failure("its answer is no credentials in JSON"))?;
        let secret = Secret::new(answer.secret);
        if answer.username.is_empty() && secret.is_empty() {
            return Ok(None);
        }
        let credential = if answer.username == TOKEN_USER {
            Credential::IdentityToken(secret)
        } else {
            Credential::Basic {
                username: answer.username,
                password: secret,
            }
        };
        Ok(Some(FoundCredential {
            credential,
            origin: self.program.clone(),
        }))
    }

    /// Gives credentials away to be kept. Returns the program.
    ///
    /// # Errors
    ///
    /// The helper cannot be run, takes too long or fails.
    pub(super) fn store(
        &self,
        server: &str,
        username: &str,
        password: &Secret,
    ) -> Result<String, CredentialError> {
        let text = Zeroizing::new(
            serde_json::json!({
                "ServerURL": server,
                "Username": username,
                "Secret": password.expose(),
            })
            .to_string(),
        );
        let outcome = self.run("store", text.as_bytes())?;
        if !outcome.is_success {
            return Err(self.failure(first_line(&outcome.output)));
        }
        Ok(self.program.clone())
    }

    fn run(&self, action: &str, input: &[u8]) -> Result<Outcome, CredentialError> {
        let mut child = self
            .spawn(action)
            .map_err(|error| self.failure(error.to_string()))?;
        let outcome = self.converse(&mut child, input);
        if outcome.is_err() {
            kill_group(&mut child);
        }
        outcome
    }

    fn spawn(&self, action: &str) -> io::Result<Child> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a credential helper is a program"
        )]
        let mut command = Command::new(&self.program);
        if let Some(path) = &self.options.helper_search_path {
            command.env("PATH", path);
        }
        command
            .arg(action)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own, so that children of a helper can be ended with it.
            .process_group(0)
            .spawn()
    }

    /// Says the input, listens to the output and waits for the end, all within the timeout.
    fn converse(&self, child: &mut Child, input: &[u8]) -> Result<Outcome, CredentialError> {
        let deadline = Instant::now() + self.options.helper_timeout;
        say(child, input);
        let output = self.wait_for_output(&listen(child), deadline)?;
        if output.len() as u64 > OUTPUT_SIZE_BYTES_MAX {
            return Err(self.failure(format!("it says more than {OUTPUT_SIZE_BYTES_MAX} bytes")));
        }
        loop {
            match child
                .try_wait()
                .map_err(|error| self.failure(error.to_string()))?
            {
                Some(status) => {
                    return Ok(Outcome {
                        is_success: status.success(),
                        output,
                    });
                }
                None => self.check_time(deadline)?,
            }
            thread::sleep(POLL_AT_END);
        }
    }

    fn wait_for_output(
        &self,
        receiver: &Receiver<io::Result<Output>>,
        deadline: Instant,
    ) -> Result<Output, CredentialError> {
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(output) => return output.map_err(|error| self.failure(error.to_string())),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.failure("its output cannot be read"));
                }
                Err(RecvTimeoutError::Timeout) => self.check_time(deadline)?,
            }
        }
    }

    fn check_time(&self, deadline: Instant) -> Result<(), CredentialError> {
        self.context.check().map_err(CredentialError::Stopped)?;
        if Instant::now() < deadline {
            return Ok(());
        }
        let seconds = self.options.helper_timeout.as_secs_f64();
        Err(self.failure(format!("no answer within {seconds} s")))
    }

    fn failure(&self, reason: impl Into<String>) -> CredentialError {
        CredentialError::Helper {
            program: self.program.clone(),
            config_file: self.config_file.to_owned(),
            reason: reason.into(),
        }
    }
}

/// Writes to a helper on a thread, since it may not listen. The thread ends with the helper.
fn say(child: &mut Child, input: &[u8]) {
    let Some(mut stdin) = child.stdin.take() else {
        return;
    };
    let input = Zeroizing::new(input.to_vec());
    // A helper may answer without having listened to the end.
    thread::spawn(move || stdin.write_all(&input).ok());
}

/// Reads what a helper says on a thread, since it may be silent. The thread ends when nobody
/// holds the other end any more, at the latest when the helper's group is killed.
fn listen(child: &mut Child) -> Receiver<io::Result<Output>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut output = Zeroizing::new(Vec::new());
            let result = stdout
                .take(OUTPUT_SIZE_BYTES_MAX + 1)
                .read_to_end(&mut output);
            // The receiver is gone when it gave up.
            let _ = sender.send(result.map(|_| output));
        });
    }
    receiver
}

/// Helpers print their errors on standard output, in one line.
fn first_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or("no reason given")
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect()
}

fn kill_group(child: &mut Child) {
    let group = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // It may have ended already.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    // Collects the status, so that no dead process stays behind.
    let _ = child.wait();
}
