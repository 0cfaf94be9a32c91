//! Words about exceptions, and what becomes of findings that they covered before.

use cleanbill_core::report::{ResultSet, SuppressedFinding};
use cleanbill_core::vulnerability::Finding;

use super::{Exception, ExceptionsProblem};

/// Ids that a title names.
const IDS_SHOWN: usize = 3;

/// Problems that an error names.
const PROBLEMS_SHOWN: usize = 20;

/// Says whether YAML of any name begins as a file of exceptions does: with a list, or with the key
/// `exceptions`. Ignore files of other tools are mappings with other keys.
pub(crate) fn is_form_of(text: &str) -> bool {
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines();
    let first = lines.find(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with(['#', '%']) && line != "---"
    });
    first.is_some_and(|line| {
        line.starts_with("- ") || line.trim() == "-" || line.starts_with("exceptions:")
    })
}

pub(super) fn of_problems(problems: &[ExceptionsProblem]) -> String {
    match problems {
        [one] => one.to_string(),
        many => {
            let mut text = format!("{} errors", many.len());
            for problem in many.iter().take(PROBLEMS_SHOWN) {
                text.push_str(&format!("\n  {problem}"));
            }
            if let Some(more @ 1..) = many.len().checked_sub(PROBLEMS_SHOWN) {
                text.push_str(&format!("\n  and {more} more"));
            }
            text
        }
    }
}

impl std::fmt::Display for ExceptionsProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.text),
            line => write!(f, "line {line}, column {}: {}", self.column, self.text),
        }
    }
}

pub(super) fn title(ids: &[String]) -> String {
    let shown: Vec<&str> = ids.iter().take(IDS_SHOWN).map(String::as_str).collect();
    let mut title = shown.join(", ");
    if let Some(more @ 1..) = ids.len().checked_sub(IDS_SHOWN) {
        title.push_str(&format!(" and {more} more"));
    }
    title
}

pub(super) fn scope(exception: &Exception) -> String {
    let parts = [
        ("image", exception.images.join(" or ")),
        ("package", exception.packages.join(" or ")),
        ("version", exception.version.clone()),
        ("path", exception.paths.join(" or ")),
        ("ecosystem", exception.ecosystem.clone()),
    ];
    let stated = parts.into_iter().filter(|(_, text)| !text.is_empty());
    let stated: Vec<String> = stated
        .map(|(name, text)| format!("{name} {text}"))
        .collect();
    stated.join(", ")
}

/// Takes back what a file of this name had covered, and what it had said of findings that count, and
/// puts the findings in the order of reports again. What shall stay covered is for `is_kept` to say.
pub(super) fn restore(
    result: &mut ResultSet,
    source: &str,
    mut is_kept: impl FnMut(&mut SuppressedFinding) -> bool,
) {
    for finding in &mut result.findings {
        let lapsed = finding.lapsed_exception.strip_prefix(source);
        if lapsed.is_some_and(|rest| rest.starts_with(':')) {
            finding.lapsed_exception = Box::default();
        }
    }
    take_back(result, |one| {
        let is_of_file = one.exception_place();
        is_of_file.is_some_and(|(file, _)| file == source) && !is_kept(one)
    });
}

/// Lets suppressed findings count again, in the order of reports.
pub(super) fn take_back(
    result: &mut ResultSet,
    mut is_wanted: impl FnMut(&mut SuppressedFinding) -> bool,
) {
    let taken = result.suppressed.extract_if(.., |one| is_wanted(one));
    let taken: Vec<Finding> = taken.map(|one| one.finding).collect();
    if !taken.is_empty() {
        result.findings.extend(taken);
        result.findings.sort_by(Finding::cmp_as_reported);
    }
}
