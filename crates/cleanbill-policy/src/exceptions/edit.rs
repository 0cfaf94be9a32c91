//! Changes to the text of a file: exceptions are added and removed, everything else (comments,
//! order, spacing) stays as it is.
//!
//! YAML can be written in many ways. What comes out is read again and must be what was meant;
//! otherwise nothing is changed.

use std::ops::Range;

use super::parse::canonical;
use super::{Exception, Exceptions, ExceptionsError};
use crate::document::{self, Content, Node};

/// Says why a file cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is wrong already, or would be.
    #[error(transparent)]
    Exceptions(#[from] ExceptionsError),
    /// The list is not written with a dash in front of each exception.
    #[error("the list is written in brackets: write it with '- ' in front of each exception")]
    Brackets,
    /// The changed text would not say what is meant.
    #[error("the file is written in a way that cannot be changed by a program: edit it by hand")]
    Unsafe,
}

/// Adds an exception at the end of the list.
///
/// # Errors
///
/// See [`EditError`]; among them that the exception itself makes no sense.
pub fn append(text: &str, exception: &Exception) -> Result<String, EditError> {
    let exception = &Exception {
        ids: exception.ids.iter().map(|id| canonical(id)).collect(),
        ..exception.clone()
    };
    let before = Exceptions::parse(text, "")?;
    let layout = Layout::of(text)?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (head, tail) = lines.split_at(layout.end.min(lines.len()));
    let mut changed = head.concat();
    if !changed.is_empty() && !changed.ends_with('\n') {
        changed.push_str(layout.line_end);
    }
    for (index, (key, value)) in members(exception).into_iter().enumerate() {
        let mark = if index == 0 { "- " } else { "  " };
        let indent = " ".repeat(layout.indent);
        changed.push_str(&format!("{indent}{mark}{key}: {value}{}", layout.line_end));
    }
    changed.push_str(&tail.concat());
    let after = Exceptions::parse(&changed, "")?;
    let (added, kept) = after.list().split_last().ok_or(EditError::Unsafe)?;
    let is_meant = same(kept, before.list()) && *added == normal(exception, added);
    is_meant.then_some(changed).ok_or(EditError::Unsafe)
}

/// Removes exceptions, by their lines, together with the comments right above them.
///
/// # Errors
///
/// See [`EditError`].
pub fn remove(text: &str, lines: &[u64]) -> Result<String, EditError> {
    let before = Exceptions::parse(text, "")?;
    if lines.is_empty() {
        return Ok(text.to_owned());
    }
    let layout = Layout::of(text)?;
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let is_gone = |one: &Exception| lines.contains(&one.line);
    let mut gone = vec![false; all.len()];
    for (exception, range) in before.list().iter().zip(&layout.items) {
        if is_gone(exception) {
            gone.get_mut(range.clone())
                .ok_or(EditError::Unsafe)?
                .fill(true);
        }
    }
    let kept = all.iter().zip(&gone).filter(|(_, gone)| !**gone);
    let changed: String = kept.map(|(line, _)| *line).collect();
    let after = Exceptions::parse(&changed, "")?;
    let expected: Vec<Exception> = before
        .list()
        .iter()
        .filter(|one| !is_gone(one))
        .cloned()
        .collect();
    let is_meant = same(after.list(), &expected);
    is_meant.then_some(changed).ok_or(EditError::Unsafe)
}

/// Where the list stands in the text.
struct Layout {
    /// Blanks in front of the dashes.
    indent: usize,
    /// The lines of each exception, counted from 0, with the comments right above.
    items: Vec<Range<usize>>,
    /// The line before which another exception goes.
    end: usize,
    line_end: &'static str,
}

impl Layout {
    fn of(text: &str) -> Result<Self, EditError> {
        let document = document::parse(text).map_err(|_| EditError::Unsafe)?;
        let lines: Vec<&str> = text.lines().collect();
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let (nodes, below) = list(&document);
        let mut layout = Self {
            indent: if below.is_some() { 2 } else { 0 },
            items: Vec::new(),
            end: below.unwrap_or(lines.len()).min(lines.len()),
            line_end,
        };
        if nodes.is_empty() {
            layout.check_empty(&document, &lines)?;
            return Ok(layout);
        }
        let starts = dashes(nodes, &lines)?;
        layout.indent = indent_of(lines.get(starts.first().copied().unwrap_or(0)));
        layout.end = content_end(&lines, layout.end);
        let mut tops: Vec<usize> = starts.iter().map(|start| top(&lines, *start)).collect();
        // What stands above the first one is about the file.
        if let (Some(first), Some(start)) = (tops.first_mut(), starts.first()) {
            *first = *start;
        }
        let ends = tops.iter().skip(1).copied().chain([layout.end]);
        layout.items = starts
            .iter()
            .zip(&tops)
            .zip(ends)
            .map(|((start, top), end)| *top..content_end(&lines, end).max(start + 1))
            .collect();
        Ok(layout)
    }

    /// An empty list has no dash to go by: only its key may stand there, or nothing.
    fn check_empty(&self, document: &Node, lines: &[&str]) -> Result<(), EditError> {
        let has_brackets = lines.iter().any(|line| {
            let line = line.split('#').next().unwrap_or_default();
            line.contains(['[', '{'])
        });
        match &document.content {
            _ if has_brackets => Err(EditError::Brackets),
            Content::Mapping(pairs) if !pairs.iter().any(|(key, ..)| key == "exceptions") => {
                Err(EditError::Unsafe)
            }
            _ => Ok(()),
        }
    }
}

/// Returns the exceptions and, if they stand below a key, the line of the key that follows it (or
/// one behind the text), counted from 0.
fn list(document: &Node) -> (&[Node], Option<usize>) {
    match &document.content {
        Content::Sequence(nodes) => (nodes, None),
        Content::Mapping(pairs) => {
            let mut pairs = pairs.iter().skip_while(|(key, ..)| key != "exceptions");
            let nodes = match pairs.next() {
                Some((_, _, node)) => match &node.content {
                    Content::Sequence(nodes) => nodes.as_slice(),
                    _ => &[],
                },
                None => &[],
            };
            let next = pairs.next().map(|(_, place, _)| index(place.line));
            (nodes, Some(next.unwrap_or(usize::MAX)))
        }
        _ => (&[], None),
    }
}

fn index(line: u64) -> usize {
    usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX)
}

/// Returns the lines of the dashes. An exception may begin behind its dash or in a line below.
fn dashes(nodes: &[Node], lines: &[&str]) -> Result<Vec<usize>, EditError> {
    let mut found: Vec<usize> = Vec::new();
    for node in nodes {
        let from = found.last().map_or(0, |last| last + 1);
        let at = index(node.place.line);
        let range = lines.get(from..=at).ok_or(EditError::Brackets)?;
        let dash = range
            .iter()
            .rposition(|line| line.trim_start().starts_with('-'))
            .ok_or(EditError::Brackets)?;
        found.push(from + dash);
    }
    Ok(found)
}

fn indent_of(line: Option<&&str>) -> usize {
    line.map_or(0, |line| line.len() - line.trim_start().len())
}

/// Returns the first of the comments right above a line.
fn top(lines: &[&str], start: usize) -> usize {
    let above = lines.get(..start).unwrap_or_default();
    let comments = above
        .iter()
        .rev()
        .take_while(|line| line.trim_start().starts_with('#'))
        .count();
    start - comments
}

/// Returns the end without the blank lines and comments before it.
fn content_end(lines: &[&str], end: usize) -> usize {
    let before = lines.get(..end).unwrap_or_default();
    let last = before.iter().rposition(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    last.map_or(end, |last| last + 1)
}

/// Says whether both lists say the same, wherever they stand.
fn same(a: &[Exception], b: &[Exception]) -> bool {
    let without_place = |one: &Exception| Exception {
        line: 0,
        ..one.clone()
    };
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| without_place(a) == without_place(b))
}

/// Returns an exception as it is after being read: where it stands, and what its dates mean.
fn normal(exception: &Exception, read: &Exception) -> Exception {
    let one_line = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Exception {
        line: read.line,
        ids: read.ids.clone(),
        unless: read.unless.clone(),
        reason: one_line(exception.reason.trim()),
        expires_at: read.expires_at,
        ..exception.clone()
    }
}

/// Returns keys and values as they are written.
fn members(exception: &Exception) -> Vec<(&'static str, String)> {
    let terms = &exception.terms;
    let mut members = Vec::new();
    let mut list = |key: &'static str, values: &[String]| match values {
        [] => {}
        [one] => members.push((key, scalar(one))),
        several => {
            let several: Vec<String> = several.iter().map(|one| scalar(one)).collect();
            members.push((key, format!("[{}]", several.join(", "))));
        }
    };
    list("id", &exception.ids);
    list("image", &exception.images);
    list("package", &exception.packages);
    list("version", std::slice::from_ref(&exception.version));
    list("path", &exception.paths);
    list("ecosystem", std::slice::from_ref(&exception.ecosystem));
    list("reason", std::slice::from_ref(&exception.reason));
    list("owner", std::slice::from_ref(&terms.owner));
    list("ticket", std::slice::from_ref(&terms.ticket));
    list("created", std::slice::from_ref(&exception.created));
    list("expires", std::slice::from_ref(&terms.expires));
    if exception.until_fixed {
        list("until", &["fixed".to_owned()]);
    }
    list("unless", &exception.unless);
    members.retain(|(key, value)| value != "\"\"" || *key == "reason");
    members
}

/// Writes a value: plain where nothing can be misread, else in quotes as JSON has them, which YAML
/// reads too.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 8] = ["null", "true", "false", "yes", "no", "on", "off", "y"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.ends_with(' ')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " ._/-".contains(c))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    match is_plain {
        true => text.to_owned(),
        false => serde_json::Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn new(id: &str) -> Exception {
        let mut exception = Exception {
            ids: vec![id.to_owned()],
            reason: "why: because".to_owned(),
            ..Exception::default()
        };
        exception.terms.expires = "2027-01-31".to_owned();
        exception
    }

    #[track_caller]
    fn check_append(before: &str, after: &str) {
        assert_eq!(append(before, &new("CVE-2024-0009")).as_deref(), Ok(after));
    }

    #[test]
    fn an_exception_is_added_at_the_end_of_the_list() {
        let added = "- id: CVE-2024-0009\n  reason: \"why: because\"\n  expires: 2027-01-31\n";
        check_append("", added);
        check_append("# ours\n", &format!("# ours\n{added}"));
        let one = "# ours\n- id: CVE-2024-0001 # first\n  reason: r\n";
        check_append(one, &format!("{one}{added}"));
        check_append(
            &format!("{one}\n# end\n"),
            &format!("{one}{added}\n# end\n"),
        );
        check_append(one.trim_end(), &format!("{one}{added}"));
        let indented = added.replace("- ", "  - ").replace("\n  ", "\n    ");
        let indented = indented.trim_end().to_owned() + "\n";
        check_append("exceptions:\n", &format!("exceptions:\n{indented}"));
        check_append(
            "exceptions:\n  - id: CVE-2024-0001\n    reason: r\nversion: 1\n",
            &format!("exceptions:\n  - id: CVE-2024-0001\n    reason: r\n{indented}version: 1\n"),
        );
        check_append(
            "- id: CVE-2024-0001\r\n  reason: r\r\n",
            &format!("- id: CVE-2024-0001\n  reason: r\n{added}").replace('\n', "\r\n"),
        );
    }

    #[test]
    fn what_cannot_be_changed_is_left_alone() {
        let exception = new("CVE-2024-0009");
        assert_eq!(append("[]", &exception), Err(EditError::Brackets));
        assert_eq!(
            append("[{id: CVE-2024-0001, reason: r}]", &exception),
            Err(EditError::Brackets)
        );
        assert_eq!(append("version: 1\n", &exception), Err(EditError::Unsafe));
        assert!(matches!(
            append("- {id: CVE-2024-0001}", &exception),
            Err(EditError::Exceptions(_))
        ));
        let nameless = Exception {
            reason: String::new(),
            ..exception
        };
        assert!(matches!(
            append("", &nameless),
            Err(EditError::Exceptions(_))
        ));
    }

    #[test]
    fn exceptions_are_removed_with_their_comments() {
        let text = "# ours\n- id: CVE-2024-0001\n  reason: r\n\n# second\n-\n  id: CVE-2024-0002\n  \
                    reason: r\n# third\n- id: CVE-2024-0003\n  reason: r\n\n# end\n";
        let check = |lines: &[u64], expected: &str| {
            assert_eq!(remove(text, lines).as_deref(), Ok(expected), "{lines:?}");
        };
        check(&[], text);
        check(
            &[7],
            "# ours\n- id: CVE-2024-0001\n  reason: r\n\n# third\n- id: CVE-2024-0003\n  reason: r\n\n# end\n",
        );
        check(
            &[2, 10],
            "# ours\n\n# second\n-\n  id: CVE-2024-0002\n  reason: r\n\n# end\n",
        );
        check(&[2, 7, 10], "# ours\n\n\n# end\n");
        let below = "exceptions:\n- {id: CVE-2024-0001, reason: r}\nversion: 1\n";
        assert_eq!(
            remove(below, &[2]).as_deref(),
            Ok("exceptions:\nversion: 1\n")
        );
        let inline = "[{id: CVE-2024-0001, reason: r}]";
        assert_eq!(remove(inline, &[1]), Err(EditError::Brackets));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_is_added_is_read_as_it_was_meant(
            reason in "[ -~äß\n]{1,40}",
            owner in "[ -~]{0,20}",
            package in "[a-z0-9@/.*-]{1,20}",
            count in 0_usize..4,
        ) {
            let mut text = "# head\n".to_owned();
            for number in 0..count {
                text = append(&text, &new(&format!("CVE-2024-{number:04}"))).unwrap();
            }
            let mut exception = new("CVE-2025-0001");
            exception.reason = reason;
            exception.terms.owner = owner.trim().to_owned();
            exception.packages = vec![package];
            match append(&text, &exception) {
                Ok(changed) => {
                    let list = Exceptions::parse(&changed, "f").unwrap();
                    prop_assert_eq!(list.list().len(), count + 1);
                    let line = list.list().last().unwrap().line;
                    prop_assert_eq!(remove(&changed, &[line]), Ok(text));
                }
                Err(error) => {
                    prop_assert!(exception.reason.trim().is_empty(), "{}", error);
                }
            }
        }
    }
}
