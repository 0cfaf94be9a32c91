//! Files of rules for the gate: our own YAML with `version: 1`, and the `trivy-config.yaml` of older
//! pipelines, which has none.
//!
//! A file is never honoured in part: a rule that was misspelled would let everything pass. All that
//! is wrong is said at once, each with its line and column, and with the key that was probably
//! meant.

mod fields;
mod older;
mod schema;
mod version_one;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::document::{self, Content, Node, Place};
use crate::gate::{RuleKind, Rules};
use crate::threshold::{Counted, Thresholds};

pub use schema::json_schema;

/// Bytes of a file of rules.
pub const SIZE_BYTES_MAX: u64 = 1 << 20;

/// Problems that are listed.
const PROBLEMS_MAX: usize = 20;

/// Holds a file of rules.
#[derive(Clone, Debug, PartialEq)]
pub struct GateFile {
    /// The rules.
    pub rules: Rules,
    /// What the file says and the gate does not mind: sentences without a final stop.
    pub notes: Vec<String>,
    /// It is in the form of older pipelines.
    pub is_older: bool,
}

/// Says what is wrong with a file of rules: at least one thing, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateFileError {
    /// The name of the file.
    pub source: String,
    /// What is wrong.
    pub problems: Vec<GateFileProblem>,
}

/// Is one thing that is wrong with a file of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateFileProblem {
    /// Where; `None` if it is wrong as a whole.
    pub place: Option<Place>,
    /// A sentence without a final stop.
    pub text: String,
}

impl fmt::Display for GateFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.source)?;
            if let Some(place) = problem.place {
                write!(f, ":{place}")?;
            }
            write!(f, ": {}", problem.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for GateFileError {}

/// Reads a file of rules. `source` is its name, for messages.
///
/// # Errors
///
/// It is no YAML, or something in it is not known or makes no sense.
pub fn parse(text: &str, source: &str) -> Result<GateFile, GateFileError> {
    let failed = |problems| GateFileError {
        source: source.to_owned(),
        problems,
    };
    if text.len() as u64 > SIZE_BYTES_MAX {
        let text = format!("the file has more than {} KiB", SIZE_BYTES_MAX >> 10);
        return Err(failed(vec![GateFileProblem { place: None, text }]));
    }
    let root = document::parse(text).map_err(|error| {
        failed(vec![GateFileProblem {
            place: error.place,
            text: error.reason,
        }])
    })?;
    let mut reader = Reader::default();
    let file = reader.read(&root);
    match file {
        Some(mut file) if reader.problems.is_empty() => {
            source.clone_into(&mut file.rules.source);
            file.notes.extend(overruled(&file.rules));
            Ok(file)
        }
        _ => {
            let mut problems = reader.problems;
            problems.sort_by_key(|problem| problem.place);
            let more = problems.len().saturating_sub(PROBLEMS_MAX);
            problems.truncate(PROBLEMS_MAX);
            if more > 0 {
                problems.push(GateFileProblem {
                    place: None,
                    text: match more {
                        1 => "1 more thing is wrong".to_owned(),
                        more => format!("{more} more things are wrong"),
                    },
                });
            }
            Err(failed(problems))
        }
    }
}

/// Names the thresholds that never decide, since fewer findings pass in all.
fn overruled(rules: &Rules) -> Vec<String> {
    let thresholds = &rules.thresholds;
    let Some(total) = thresholds.allowed(Counted::Total) else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    for counted in Thresholds::COUNTED {
        let allowed = thresholds.allowed(counted);
        if let Some(allowed) = allowed.filter(|allowed| *allowed > total) {
            let name = counted.name();
            let text = format!(
                "the threshold for {name} ({allowed}) never decides, since no more than {total} \
                 pass in total"
            );
            notes.push(match rules.lines.get(&RuleKind::Threshold(counted)) {
                Some(line) => format!("line {line}: {text}"),
                None => text,
            });
        }
    }
    notes
}

/// Collects what is wrong.
#[derive(Default)]
struct Reader {
    problems: Vec<GateFileProblem>,
}

/// The keys and values of a mapping, where each key stands.
type Pairs = [(String, Place, Node)];

impl Reader {
    fn wrong(&mut self, place: Place, text: impl Into<String>) {
        self.problems.push(GateFileProblem {
            place: Some(place),
            text: text.into(),
        });
    }

    fn read(&mut self, root: &Node) -> Option<GateFile> {
        let pairs = match &root.content {
            Content::Mapping(pairs) => pairs,
            Content::Null => {
                self.wrong(
                    root.place,
                    "the file has no rules: expected for instance 'version: 1' \
                                        and 'thresholds: {critical: 0}'",
                );
                return None;
            }
            other => {
                let kind = other.kind();
                self.wrong(
                    root.place,
                    format!("expected a mapping of rules, found {kind}"),
                );
                return None;
            }
        };
        let version = pairs.iter().find(|(key, _, _)| key == "version");
        match version {
            Some((_, _, value)) => {
                self.check_version(value)?;
                Some(self.version_one(pairs))
            }
            None => self.older(root.place, pairs),
        }
    }

    fn check_version(&mut self, value: &Node) -> Option<()> {
        match &value.content {
            Content::Scalar(text) if text == "1" => Some(()),
            Content::Scalar(text) => {
                let text = cut(text);
                self.wrong(
                    value.place,
                    format!("version: '{text}' is not known, expected 1"),
                );
                None
            }
            other => {
                let kind = other.kind();
                self.wrong(value.place, format!("version: expected 1, found {kind}"));
                None
            }
        }
    }
}

/// Reads the exit code of a failed gate. A code that means something else would hide it, and 0 would
/// let everything pass.
///
/// # Errors
///
/// It is no such code; the text says what is one.
pub fn parse_exit_code(text: &str) -> Result<u8, String> {
    match text.parse::<u8>() {
        Ok(0) => Err("with 0 nothing would ever fail".to_owned()),
        Ok(code @ (2..=4 | 130)) => Err(format!(
            "{code} means something else; expected 1, or 5 to 255"
        )),
        Ok(code) => Ok(code),
        Err(_) => Err(format!(
            "'{}' is no exit code: expected 1, or 5 to 255",
            cut(text)
        )),
    }
}

/// Cuts a text of the file for a message.
fn cut(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
    .chars()
    .map(one_line)
    .collect()
}
