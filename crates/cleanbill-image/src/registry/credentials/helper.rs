//! Credential helpers: programs `docker-credential-<name>`.
//!
//! Source: docker/docker-credential-helpers, README ("Development") and `credentials/error.go`.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
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

/// What helpers say, with a failing status, when they know nothing of a registry.
const NOT_FOUND_TEXTS: [&str; 3] = [
    "credentials not found",
    "no credentials server URL",
    "no usernames for",
];

/// The user name that marks an identity token.
const TOKEN_USER: &str = "<token>";

/// Runs helpers.
pub(super) struct HelperRunner<'a> {
    pub(super) options: &'a CredentialOptions,
    pub(super) context: &'a ReadContext,
}

/// What a finished helper left.
struct Outcome {
    is_success: bool,
    output: Zeroizing<Vec<u8>>,
}

impl HelperRunner<'_> {
    /// Asks a helper for the credentials of a server.
    ///
    /// # Errors
    ///
    /// It cannot be run, takes too long, says too much, or fails for another reason than that it
    /// knows nothing.
    pub(super) fn get(
        &self,
        name: &str,
        server: &str,
    ) -> Result<Option<FoundCredential>, CredentialError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            #[serde(default)]
            username: String,
            #[serde(default)]
            secret: String,
        }
        let program = program_name(name)?;
        let outcome = self.run(&program, "get", server.as_bytes())?;
        if !outcome.is_success {
            let text = first_line(&outcome.output);
            if NOT_FOUND_TEXTS.iter().any(|known| text.contains(known)) {
                return Ok(None);
            }
            return Err(failure(&program, text));
        }
        // The text of serde's error may quote a secret.
        let answer: Answer = serde_json::from_slice(&outcome.output)
            .map_err(|_| failure(&program, "its answer is no credentials in JSON".to_owned()))?;
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
            origin: program,
        }))
    }

    /// Gives credentials to a helper to keep. Returns the program.
    ///
    /// # Errors
    ///
    /// It cannot be run, takes too long or fails.
    pub(super) fn store(
        &self,
        name: &str,
        server: &str,
        username: &str,
        password: &Secret,
    ) -> Result<String, CredentialError> {
        let program = program_name(name)?;
        let text = Zeroizing::new(
            serde_json::json!({
                "ServerURL": server,
                "Username": username,
                "Secret": password.expose(),
            })
            .to_string(),
        );
        let outcome = self.run(&program, "store", text.as_bytes())?;
        if outcome.is_success {
            Ok(program)
        } else {
            Err(failure(&program, first_line(&outcome.output)))
        }
    }

    fn run(&self, program: &str, action: &str, input: &[u8]) -> Result<Outcome, CredentialError> {
        let fail = |error: io::Error| failure(program, error.to_string());
        let mut child = self.spawn(program, action).map_err(fail)?;
        let outcome = self.converse(&mut child, program, input);
        if outcome.is_err() {
            kill_group(&mut child);
        }
        outcome
    }

    fn spawn(&self, program: &str, action: &str) -> io::Result<Child> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a credential helper is a program"
        )]
        let mut command = Command::new(program);
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

    /// Says the input, listens for the output and waits for the end, all within the timeout.
    fn converse(
        &self,
        child: &mut Child,
        program: &str,
        input: &[u8],
    ) -> Result<Outcome, CredentialError> {
        let deadline = Instant::now() + self.options.helper_timeout;
        let mut stdin = child.stdin.take();
        let input = Zeroizing::new(input.to_vec());
        // A helper that does not listen must not block us, hence both directions have a thread.
        // They end when the helper does, or when its group is killed.
        thread::spawn(move || {
            // A helper may answer without having listened to the end.
            let _ = stdin.as_mut().map(|stdin| stdin.write_all(&input));
        });
        let (sender, receiver) = mpsc::channel();
        let stdout = child.stdout.take();
        thread::spawn(move || {
            let mut output = Zeroizing::new(Vec::new());
            let result = stdout.map_or(Ok(0), |stdout| {
                stdout
                    .take(OUTPUT_SIZE_BYTES_MAX + 1)
                    .read_to_end(&mut output)
            });
            // The receiver is gone when it gave up.
            let _ = sender.send(result.map(|_| output));
        });
        let output = loop {
            match receiver.recv_timeout(POLL) {
                Ok(output) => break output.map_err(|e| failure(program, e.to_string()))?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(failure(program, "its output cannot be read".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) => self.check_time(program, deadline)?,
            }
        };
        if output.len() as u64 > OUTPUT_SIZE_BYTES_MAX {
            return Err(failure(
                program,
                format!("it says more than {OUTPUT_SIZE_BYTES_MAX} bytes"),
            ));
        }
        loop {
            match child
                .try_wait()
                .map_err(|error| failure(program, error.to_string()))?
            {
                Some(status) => {
                    return Ok(Outcome {
                        is_success: status.success(),
                        output,
                    });
                }
                None => self.check_time(program, deadline)?,
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn check_time(&self, program: &str, deadline: Instant) -> Result<(), CredentialError> {
        self.context.check().map_err(CredentialError::Stopped)?;
        if Instant::now() < deadline {
            return Ok(());
        }
        let seconds = self.options.helper_timeout.as_secs_f64();
        Err(failure(program, format!("no answer within {seconds} s")))
    }
}

/// Makes the name of the program; a name with a path in it would run something else.
fn program_name(name: &str) -> Result<String, CredentialError> {
    let program = format!("docker-credential-{name}");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(failure(&program, "its name is no plain word".to_owned()));
    }
    Ok(program)
}

fn failure(program: &str, reason: String) -> CredentialError {
    CredentialError::Helper {
        program: program.to_owned(),
        reason,
    }
}

/// Helpers print their errors on standard output, in one line.
fn first_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("no reason given");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
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
