//! The verdict as Markdown, for the summary of a job.

use std::fmt::Write as _;

use cleanbill_policy::gate::{Hit, RuleOutcome, RuleStatus};
use cleanbill_report::escape::markdown::{Code, Words};

use super::super::words;
use super::View;

/// What a rule failed on that is listed: a summary has at most a megabyte.
const HITS_MAX: usize = 50;

/// Steps that are listed.
const STEPS_MAX: usize = 100;

pub(super) fn render(view: &View<'_>) -> String {
    let verdict = view.verdict;
    let mark = if verdict.failed { "❌" } else { "✅" };
    let mut out = format!("## {mark} Gate {}\n\n", words::headline(verdict));
    for image in &view.report.images {
        push(&mut out, format_args!("- {}\n", Code(&image.artifact_name)));
    }
    out.push_str("\n| Rule | Result | |\n|---|---|---|\n");
    for rule in &verdict.rules {
        let status = match rule.status {
            RuleStatus::Passed => "passed",
            RuleStatus::Failed => "**failed**",
            RuleStatus::NotJudged => "**not judged**",
        };
        let (name, message) = (Code(rule.kind.name()), Words(&rule.message));
        push(
            &mut out,
            format_args!("| {name} | {status} | {message} |\n"),
        );
    }
    write_steps(view, &mut out);
    for rule in verdict.rules.iter().filter(|rule| !rule.hits.is_empty()) {
        write_hits(view, rule, &mut out);
    }
    write_exceptions(view, &mut out);
    if !view.notes.is_empty() {
        out.push('\n');
    }
    for note in view.notes {
        push(&mut out, format_args!("> {}\n", Words(note)));
    }
    out
}

fn write_steps(view: &View<'_>, out: &mut String) {
    let steps = words::plan(view.verdict, view.report);
    if steps.is_empty() {
        return;
    }
    let title = words::title(view.verdict.plan.as_ref());
    push(out, format_args!("\n### {title}\n\n"));
    let more = steps.len().saturating_sub(STEPS_MAX);
    for step in steps.into_iter().take(STEPS_MAX) {
        push(out, format_args!("- {}\n", Words(&step)));
    }
    if more > 0 {
        push(out, format_args!("- and {more} more\n"));
    }
}

fn write_hits(view: &View<'_>, rule: &RuleOutcome, out: &mut String) {
    let count = rule.hits.len();
    let name = rule.kind.name();
    push(
        out,
        format_args!("\n<details><summary>{name}: {count}</summary>\n\n"),
    );
    out.push_str("| Severity | Vulnerability | Package | Installed | Fixed in | Image |\n|---|---|---|---|---|---|\n");
    for hit in rule.hits.iter().take(HITS_MAX) {
        write_row(view, hit, out);
    }
    out.push('\n');
    if count > HITS_MAX {
        push(out, format_args!("and {} more\n\n", count - HITS_MAX));
    }
    out.push_str("</details>\n");
}

fn write_row(view: &View<'_>, hit: &Hit, out: &mut String) {
    let image = view.report.images.get(hit.image());
    let image = image.map_or("", |image| image.artifact_name.as_str());
    let row = match hit {
        Hit::Finding(place) => place.find(view.report).map(|(_, _, finding)| {
            [
                finding.severity.name().to_owned(),
                finding.vulnerability_id.clone(),
                finding.package_name.clone(),
                finding.installed_version.clone(),
                finding.fixed_version.clone(),
            ]
        }),
        Hit::Package(place) => place.find(view.report).map(|(_, _, package)| {
            let version = package.installed_version();
            [
                String::new(),
                String::new(),
                package.name.clone(),
                version,
                String::new(),
            ]
        }),
        Hit::Image(_) => Some(Default::default()),
    };
    for cell in row.unwrap_or_default() {
        push(out, format_args!("| {} ", Words(&cell)));
    }
    push(out, format_args!("| {} |\n", Words(image)));
}

/// Lists what does not count, since somebody accepted it.
fn write_exceptions(view: &View<'_>, out: &mut String) {
    let Some(title) = words::exceptions_title(view.report) else {
        return;
    };
    push(
        out,
        format_args!("\n<details><summary>{title}</summary>\n\n"),
    );
    out.push_str("| Severity | Vulnerability | Package | Reason | Said by | Image |\n|---|---|---|---|---|---|\n");
    let excepted = words::excepted(view.report);
    for (image, suppressed) in excepted.iter().take(HITS_MAX) {
        let finding = &suppressed.finding;
        let cells = [
            finding.severity.name(),
            &finding.vulnerability_id,
            &finding.package_name,
            &words::short_reason(suppressed),
            &suppressed.source,
            &image.artifact_name,
        ];
        for cell in cells {
            push(out, format_args!("| {} ", Words(cell)));
        }
        out.push_str("|\n");
    }
    out.push('\n');
    let more = excepted.len().saturating_sub(HITS_MAX);
    if more > 0 {
        push(out, format_args!("and {more} more\n\n"));
    }
    out.push_str("</details>\n");
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a text does not fail");
}
