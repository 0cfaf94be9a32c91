//! Annotations of a GitHub workflow: one for each rule that failed, one that says what to do, and one
//! that says what is excepted.
//!
//! Everything quoted is escaped as the runner unescapes it, so that nothing in a report can end a
//! command or begin another. Source: actions/toolkit `packages/core/src/command.ts` and
//! actions/runner `src/Runner.Common/ActionCommand.cs`.

use cleanbill_report::text;

use super::super::words;
use super::View;

/// What a rule failed on that an annotation names; GitHub shows a few lines.
const HITS_MAX: usize = 10;

/// Steps that are named.
const STEPS_MAX: usize = 20;

pub(super) fn render(view: &View<'_>) -> String {
    let verdict = view.verdict;
    let mut out = String::new();
    for rule in verdict.rules.iter().filter(|rule| rule.fails()) {
        let mut lines = vec![rule.message.clone()];
        let hits = rule.hits.iter().take(HITS_MAX);
        lines.extend(hits.map(|hit| words::hit(hit, view.report)));
        let more = rule.hits.len().saturating_sub(HITS_MAX);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        let place = match rule.line {
            Some(line) => format!("file={},line={line},", property(view.rules)),
            None => String::new(),
        };
        let title = property(&format!("Gate: {}", rule.kind.name()));
        out.push_str(&format!("::error {place}title={title}::{}\n", data(&lines)));
    }
    let steps = words::plan(verdict, view.report);
    if !steps.is_empty() {
        let more = steps.len().saturating_sub(STEPS_MAX);
        let mut steps: Vec<String> = steps.into_iter().take(STEPS_MAX).collect();
        if more > 0 {
            steps.push(format!("and {more} more"));
        }
        let title = property(&words::title(verdict.plan.as_ref()));
        out.push_str(&format!("::notice title={title}::{}\n", data(&steps)));
    }
    if let Some(title) = words::exceptions_title(view.report) {
        let lines = words::exceptions(view.report, HITS_MAX);
        let title = property(&title);
        out.push_str(&format!("::notice title={title}::{}\n", data(&lines)));
    }
    for note in view.notes {
        out.push_str(&format!(
            "::warning title=Gate::{}\n",
            data(std::slice::from_ref(note))
        ));
    }
    if !verdict.failed {
        out.push_str(&format!(
            "::notice title=Gate::{}\n",
            data(&[words::headline(verdict)])
        ));
    }
    out
}

/// Escapes lines as the message of a command.
fn data(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
    lines.join("%0A")
}

/// Escapes a text as the property of a command.
fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

fn escape(text: &str) -> String {
    let text = text::clean(text).replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}
