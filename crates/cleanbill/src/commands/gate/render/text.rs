//! The verdict for people.

use cleanbill_policy::gate::{RuleOutcome, RuleStatus};
use cleanbill_report::listing::{Listing, Text, Tone};

use super::super::words;
use super::View;
use crate::runner::quoted;

/// What a rule failed on that is listed.
const HITS_MAX: usize = 20;

/// Steps that are listed.
const STEPS_MAX: usize = 20;

pub(super) fn render(view: &View<'_>, mut listing: Listing) -> String {
    let verdict = view.verdict;
    let tone = if verdict.failed {
        Tone::Alarm
    } else {
        Tone::Good
    };
    let headline = format!("Gate {}", words::headline(verdict));
    listing.paragraph("", &Text::new(&headline, tone));
    for rule in &verdict.rules {
        write_rule(view, rule, &mut listing);
    }
    write_plan(view, &mut listing);
    write_exceptions(view, &mut listing);
    if !view.notes.is_empty() {
        listing.gap();
    }
    for note in view.notes {
        let note = format!("note: {}", quoted(note));
        listing.paragraph("", &Text::new(&note, Tone::Notice));
    }
    listing.finish()
}

fn write_rule(view: &View<'_>, rule: &RuleOutcome, listing: &mut Listing) {
    let (word, tone) = match rule.status {
        RuleStatus::Passed => ("passed", Tone::Good),
        RuleStatus::Failed => ("FAILED", Tone::Alarm),
        RuleStatus::NotJudged => ("NOT JUDGED", Tone::Alarm),
    };
    if rule.fails() {
        listing.gap();
    }
    let place = rule.line.map(|line| format!("({}:{line})", view.rules));
    let mut text = Text::new(word, tone)
        .and(Text::new(&format!("{}:", rule.kind.name()), Tone::Bold))
        .and(Text::plain(&quoted(&rule.message)));
    if let Some(place) = place {
        text = text.and(Text::new(&place, Tone::Dim));
    }
    listing.paragraph("", &text);
    for hit in rule.hits.iter().take(HITS_MAX) {
        let line = format!("- {}", quoted(&words::hit(hit, view.report)));
        listing.paragraph("  ", &Text::plain(&line));
    }
    let more = rule.hits.len().saturating_sub(HITS_MAX);
    if more > 0 {
        let text = format!("and {more} more: --format json lists all");
        listing.paragraph("  ", &Text::new(&text, Tone::Dim));
    }
}

fn write_plan(view: &View<'_>, listing: &mut Listing) {
    let lines = words::plan(view.verdict, view.report);
    if lines.is_empty() {
        return;
    }
    listing.gap();
    listing.title(&words::title(view.verdict.plan.as_ref()));
    let more = lines.len().saturating_sub(STEPS_MAX);
    for line in lines.into_iter().take(STEPS_MAX) {
        listing.paragraph("  ", &Text::plain(&quoted(&line)));
    }
    if more > 0 {
        let text = format!("and {more} more steps: --format json lists all");
        listing.paragraph("  ", &Text::new(&text, Tone::Dim));
    }
}

/// Names what does not count, since somebody accepted it.
fn write_exceptions(view: &View<'_>, listing: &mut Listing) {
    let Some(title) = words::exceptions_title(view.report) else {
        return;
    };
    listing.gap();
    listing.title(&title);
    for line in words::exceptions(view.report, HITS_MAX) {
        let line = format!("- {}", quoted(&line));
        listing.paragraph("  ", &Text::plain(&line));
    }
}
