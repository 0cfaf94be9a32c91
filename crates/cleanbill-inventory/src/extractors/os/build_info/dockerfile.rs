//! The labels of a Dockerfile.
//!
//! Source: buildkit 0.32 `frontend/dockerfile/parser/parser.go` for lines, continuations and
//! here-documents, and spec 02 section 2.7 for what the labels mean. As in the reference, ARG
//! counts before the first FROM only, and ENV and ARG keep their values unevaluated.

use std::collections::HashMap;

use super::substitution::Evaluator;
use super::words;

/// Instructions that say nothing about labels.
const OTHER_INSTRUCTIONS: [&str; 12] = [
    "arg",
    "cmd",
    "entrypoint",
    "expose",
    "healthcheck",
    "maintainer",
    "onbuild",
    "shell",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

/// Says why a Dockerfile cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Dockerfile is malformed: {0}")]
pub(super) struct DockerfileError(pub(super) &'static str);

/// What the labels of a build say; empty if they do not say it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct BuildLabels {
    pub(super) component: String,
    pub(super) arch: String,
}

/// Reads the labels of a Dockerfile.
///
/// # Errors
///
/// An instruction that matters is malformed.
pub(super) fn build_labels(text: &str) -> Result<BuildLabels, DockerfileError> {
    let mut lines = Lines::new(text);
    let mut variables = HashMap::new();
    let mut labels = BuildLabels::default();
    let mut is_in_stage = false;
    while let Some(line) = lines.next_instruction() {
        let line = line.trim();
        let (keyword, arguments) = line.split_once(words::is_blank).unwrap_or((line, ""));
        let arguments = arguments.trim();
        match keyword.to_ascii_lowercase().as_str() {
            "from" => {
                let words = arguments
                    .split_whitespace()
                    .filter(|word| !word.starts_with("--"));
                if !matches!(words.count(), 1 | 3) {
                    return Err(DockerfileError("FROM has neither one argument nor three"));
                }
                is_in_stage = true;
            }
            "arg" if !is_in_stage => {
                for word in words::split(arguments, lines.escape) {
                    let (name, value) = word.split_once('=').unwrap_or((word.as_str(), ""));
                    variables.insert(name.to_owned(), value.to_owned());
                }
            }
            _ if !is_in_stage => return Err(DockerfileError("there is no FROM")),
            "env" => variables.extend(words::name_values(arguments, lines.escape)?),
            "label" => {
                let evaluator = Evaluator::new(lines.escape, &variables);
                for (name, value) in words::name_values(arguments, lines.escape)? {
                    labels.set(&evaluator, &name, &value)?;
                }
            }
            "run" | "copy" | "add" => lines.skip_here_documents(arguments)?,
            other if OTHER_INSTRUCTIONS.contains(&other) => {}
            _ => return Err(DockerfileError("an instruction is unknown")),
        }
    }
    Ok(labels)
}

impl BuildLabels {
    fn set(
        &mut self,
        evaluator: &Evaluator<'_>,
        name: &str,
        value: &str,
    ) -> Result<(), DockerfileError> {
        match evaluator.evaluate(name)?.to_lowercase().as_str() {
            "com.redhat.component" | "bzcomponent" => self.component = evaluator.evaluate(value)?,
            "architecture" => self.arch = evaluator.evaluate(value)?,
            _ => {}
        }
        Ok(())
    }
}

/// Joins continued lines into instructions.
struct Lines<'a> {
    lines: std::str::Lines<'a>,
    escape: char,
    /// Only comments were read so far: parser directives still count.
    is_at_start: bool,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            lines: text.strip_prefix('\u{feff}').unwrap_or(text).lines(),
            escape: '\\',
            is_at_start: true,
        }
    }

    /// Returns the next instruction with its continuation lines, without comments.
    fn next_instruction(&mut self) -> Option<String> {
        let mut instruction = String::new();
        let mut is_continued = false;
        loop {
            let Some(line) = self.lines.next() else {
                return (!instruction.is_empty()).then_some(instruction);
            };
            let trimmed = line.trim_start();
            if self.is_at_start {
                self.is_at_start = self.read_directive(trimmed);
            }
            if trimmed.starts_with('#') || trimmed.is_empty() {
                continue;
            }
            let line = if is_continued { line } else { trimmed };
            match self.strip_continuation(line) {
                Some(line) => instruction.push_str(line),
                None => {
                    instruction.push_str(line);
                    return Some(instruction);
                }
            }
            is_continued = true;
        }
    }

    /// Reads `# escape=` and says whether the line was a directive at all.
    fn read_directive(&mut self, line: &str) -> bool {
        let directive = line.strip_prefix('#').and_then(|line| line.split_once('='));
        let Some((name, value)) = directive else {
            return false;
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "escape" => {
                if let "`" | "\\" = value.trim() {
                    self.escape = if value.trim() == "`" { '`' } else { '\\' };
                }
                true
            }
            "syntax" | "check" => true,
            _ => false,
        }
    }

    /// Returns the line without the escape character that ends it, `None` if the next line does
    /// not continue it.
    fn strip_continuation<'b>(&self, line: &'b str) -> Option<&'b str> {
        let rest = line
            .trim_end_matches([' ', '\t'])
            .strip_suffix(self.escape)?;
        (!rest.ends_with(self.escape)).then_some(rest)
    }

    /// Skips the here-documents that an instruction opens.
    fn skip_here_documents(&mut self, arguments: &str) -> Result<(), DockerfileError> {
        let words = words::split(arguments, '\\');
        for (terminator, may_be_indented) in words.iter().filter_map(|word| here_document(word)) {
            let is_terminator = |line: &str| {
                let line = line.trim_end_matches('\r');
                line == terminator || may_be_indented && line.trim_start_matches('\t') == terminator
            };
            if !self.lines.any(is_terminator) {
                return Err(DockerfileError("a here-document does not end"));
            }
        }
        Ok(())
    }
}

/// Returns the terminator of a word like `<<EOF` or `3<<-"EOF"`, and whether tabs before it are
/// skipped.
fn here_document(word: &str) -> Option<(&str, bool)> {
    let rest = word
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .strip_prefix("<<")?;
    let (rest, may_be_indented) = match rest.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let terminator = rest.trim_matches(['"', '\'']);
    (!terminator.is_empty() && !terminator.contains('<')).then_some((terminator, may_be_indented))
}

#[cfg(test)]
mod tests;
