//! Errors at the edge: what failed, why, and what to do next.

use std::fmt;
use std::io::Write as _;

use cleanbill_report::text::clean;

use crate::exit::Exit;
use crate::runner::{self, Document};

/// Ends a command. Prints the whole chain of causes once, the hints last.
#[derive(Debug)]
pub(crate) struct CommandError {
    exit: Exit,
    error: anyhow::Error,
    hints: Vec<String>,
}

impl CommandError {
    /// Wraps a usage or configuration error: exit code 2.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::with_exit(Exit::Usage, error)
    }

    /// Says in words what is wrong with the call: exit code 2.
    pub(crate) fn usage_text(text: impl fmt::Display) -> Self {
        Self::usage(anyhow::Error::msg(text.to_string()))
    }

    /// Wraps an error of the advisory database: exit code 4.
    pub(crate) fn database(error: impl Into<anyhow::Error>) -> Self {
        Self::with_exit(Exit::Database, error)
    }

    /// Wraps an error with its exit code.
    pub(crate) fn with_exit(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            error: error.into(),
            hints: Vec::new(),
        }
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Says whether trying again may help: the network failed.
    pub(crate) fn is_temporary(&self) -> bool {
        self.error.chain().any(|cause| {
            let update = cause.downcast_ref::<cleanbill_engine::UpdateError>();
            update.is_some_and(cleanbill_engine::UpdateError::is_temporary)
                || cleanbill_engine::is_transient(cause)
        })
    }

    /// Returns error and causes in one line, for a log.
    pub(crate) fn one_line(&self) -> String {
        printable(&format!("{:#}", self.error))
    }

    /// Prints to standard error. A closed standard error leaves nothing to be done.
    pub(crate) fn print(&self) {
        let mut stderr = anstream::stderr().lock();
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let _ = writeln!(
            stderr,
            "{red}error:{red:#} {}",
            printable(&self.error.to_string())
        );
        for cause in self.error.chain().skip(1) {
            let _ = writeln!(stderr, "  caused by: {}", printable(&cause.to_string()));
        }
        let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
        for hint in &self.hints {
            let _ = writeln!(stderr, "{cyan}hint:{cyan:#} {}", printable(hint));
        }
    }
}

/// Replaces what could steer a terminal or the runner of a pipeline: causes may quote names from
/// images and servers.
pub(crate) fn printable(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| runner::harmless(&clean(line), Document::Text))
        .collect();
    lines.join("\n    ")
}
