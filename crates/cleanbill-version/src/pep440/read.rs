//! How versions of Python packages are written.

use super::Stage;
use crate::expression::Positions;
use crate::identifiers::parse_number;
use crate::scanner::{Scanner, is_digit};

/// Holds the parts of a version.
pub(super) struct Raw<'a> {
    pub(super) epoch: u64,
    pub(super) release: &'a str,
    pub(super) pre: Option<(Stage, u64)>,
    pub(super) post: Option<u64>,
    pub(super) dev: Option<u64>,
    pub(super) local: Option<&'a str>,
}

/// Stages by their names, in the order in which the reference's expression tries them.
const STAGES: [(&str, Stage); 8] = [
    ("a", Stage::Alpha),
    ("b", Stage::Beta),
    ("c", Stage::Candidate),
    ("rc", Stage::Candidate),
    ("alpha", Stage::Alpha),
    ("beta", Stage::Beta),
    ("pre", Stage::Candidate),
    ("preview", Stage::Candidate),
];
/// Names of post-releases.
const POSTS: [&str; 3] = ["post", "rev", "r"];

/// Says which name of a stage is taken where one begins with another.
#[derive(Clone, Copy, PartialEq)]
enum Prefer {
    Longest,
    First,
}

/// Reads a whole text, in lower case; `None` if it is no version or a number exceeds 64 bits.
pub(super) fn version(text: &str) -> Option<Raw<'_>> {
    let mut scanner = Scanner::new(text);
    scanner.skip_spaces();
    let parts = read(&mut scanner, Prefer::Longest)?;
    scanner.skip_spaces();
    let number = |digits: &str| match digits {
        "" => Some(0),
        digits => parse_number(digits),
    };
    // The outer `Option` says whether all numbers fit.
    let pre = parts
        .pre
        .map(|(stage, digits)| Some((stage, number(digits)?)));
    let raw = Raw {
        epoch: number(parts.epoch)?,
        release: parts.release,
        pre: all_or_nothing(pre)?,
        post: all_or_nothing(parts.post.map(number))?,
        dev: all_or_nothing(parts.dev.map(number))?,
        local: parts.local,
    };
    scanner.is_at_end().then_some(raw)
}

fn all_or_nothing<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(None) => None,
        Some(value) => Some(value),
        None => Some(None),
    }
}

/// Reads the version of a specifier where one begins, with `.*` at its end. As in the reference,
/// whose expression is content with the `a` of `alpha`, and takes the dot of `.*` for a separator
/// after letters.
pub(super) fn specifier(scanner: &mut Scanner<'_>) -> Option<()> {
    read(scanner, Prefer::First)?;
    scanner.take_word(".*");
    Some(())
}

/// Holds the parts of a version as they are written; numbers may be empty.
struct Parts<'a> {
    epoch: &'a str,
    release: &'a str,
    pre: Option<(Stage, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    local: Option<&'a str>,
}

fn read<'a>(scanner: &mut Scanner<'a>, prefer: Prefer) -> Option<Parts<'a>> {
    scanner.take(b'v');
    let epoch = scanner.attempt(|rest| {
        let epoch = rest.take_run(is_digit)?;
        (rest.take(b'!') && rest.sees(is_digit)).then_some(epoch)
    });
    Some(Parts {
        epoch: epoch.unwrap_or_default(),
        release: scanner.take_dotted(is_digit)?,
        pre: scanner.attempt(|rest| read_pre(rest, prefer)),
        post: scanner.attempt(read_post),
        dev: scanner.attempt(|rest| read_labelled(rest, &["dev"])),
        local: scanner.take_after(b'+', |rest| rest.take_runs(is_local, is_separator)),
    })
}

fn read_pre<'a>(scanner: &mut Scanner<'a>, prefer: Prefer) -> Option<(Stage, &'a str)> {
    scanner.take_one(is_separator);
    let begins = |name: &&(&str, Stage)| scanner.rest().starts_with(name.0);
    let (name, stage) = match prefer {
        Prefer::First => STAGES.iter().find(begins)?,
        Prefer::Longest => STAGES
            .iter()
            .filter(begins)
            .max_by_key(|name| name.0.len())?,
    };
    scanner.take_word(name);
    Some((*stage, read_number(scanner)))
}

fn read_post<'a>(scanner: &mut Scanner<'a>) -> Option<&'a str> {
    scanner
        .take_after(b'-', |rest| rest.take_run(is_digit))
        .or_else(|| read_labelled(scanner, &POSTS))
}

/// Reads a label with a number, separators around the label.
fn read_labelled<'a>(scanner: &mut Scanner<'a>, labels: &[&str]) -> Option<&'a str> {
    scanner.take_one(is_separator);
    let is_labelled = labels.iter().any(|label| scanner.take_word(label));
    is_labelled.then(|| read_number(scanner))
}

/// Reads a separator and a number, either of which may be missing.
fn read_number<'a>(scanner: &mut Scanner<'a>) -> &'a str {
    scanner.take_one(is_separator);
    scanner.take_run(is_digit).unwrap_or_default()
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.')
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Lists where the version of a specifier may end.
pub(super) fn ends<'a>(starts: &Positions<'a>) -> Positions<'a> {
    let stages = STAGES.map(|(name, _)| name);
    starts
        .optional(|rest| rest.word("v"))
        .optional(|rest| rest.run(is_digit).word("!"))
        .dotted(is_digit)
        .optional(|rest| label_ends(rest, &stages))
        .optional(|rest| rest.word("-").run(is_digit).or(&label_ends(rest, &POSTS)))
        .optional(|rest| label_ends(rest, &["dev"]))
        .optional(|rest| rest.word("+").runs(is_local, is_separator))
        .optional(|rest| rest.word(".*"))
}

/// Lists where a label with a number may end.
fn label_ends<'a>(starts: &Positions<'a>, labels: &[&str]) -> Positions<'a> {
    starts
        .optional(|rest| rest.one(is_separator))
        .any_word(labels)
        .optional(|rest| rest.one(is_separator))
        .optional(|rest| rest.run(is_digit))
}
