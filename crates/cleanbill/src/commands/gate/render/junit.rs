//! The verdict as JUnit XML: a test case per rule, and a skipped one per excepted finding.

use std::fmt::Write as _;

use cleanbill_core::report::{ImageReport, SuppressedFinding};
use cleanbill_policy::gate::{RuleOutcome, RuleStatus};
use cleanbill_report::escape::markup::Line;

use super::super::words;
use super::View;

/// What a rule failed on that is listed: CI servers keep the text of every run.
const HITS_MAX: usize = 1_000;

pub(super) fn render(view: &View<'_>) -> String {
    let rules = &view.verdict.rules;
    let count = |status| rules.iter().filter(|rule| rule.status == status).count();
    let (failures, errors) = (count(RuleStatus::Failed), count(RuleStatus::NotJudged));
    let names: Vec<&str> = view
        .report
        .images
        .iter()
        .map(|one| one.artifact_name.as_str())
        .collect();
    let excepted = words::excepted(view.report);
    let skipped = excepted.len().min(HITS_MAX);
    let totals = format!(
        r#"tests="{}" failures="{failures}" errors="{errors}""#,
        rules.len() + skipped
    );
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cleanbill gate\" {totals} time=\"0\">\n  \
         <testsuite name=\"cleanbill gate\" {totals} skipped=\"{skipped}\" time=\"0\">\n    <properties>\n      \
         <property name=\"images\" value=\"{}\"/>\n    </properties>\n",
        Line(&names.join(", "))
    );
    for rule in rules {
        write_case(view, rule, &mut out);
    }
    for (image, suppressed) in excepted.iter().take(HITS_MAX) {
        write_exception(image, suppressed, &mut out);
    }
    let more = excepted.len() - skipped;
    let more = (more > 0).then(|| format!("and {more} more findings are excepted"));
    let steps = words::plan(view.verdict, view.report);
    let notes = view.notes.iter().map(|note| format!("note: {note}"));
    let lines = steps.into_iter().chain(more).chain(notes);
    let lines: Vec<String> = lines.map(|line| Line(&line).to_string()).collect();
    if !lines.is_empty() {
        let text = lines.join("\n");
        push(
            &mut out,
            format_args!("    <system-out>{text}</system-out>\n"),
        );
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn write_case(view: &View<'_>, rule: &RuleOutcome, out: &mut String) {
    let name = rule.kind.name();
    let message = Line(&rule.message);
    let element = match rule.status {
        RuleStatus::Passed => {
            let case = format_args!(
                "    <testcase classname=\"gate\" name=\"{name}\" time=\"0\">\n      \
                 <system-out>{message}</system-out>\n    </testcase>\n"
            );
            return push(out, case);
        }
        RuleStatus::Failed => "failure",
        RuleStatus::NotJudged => "error",
    };
    push(
        out,
        format_args!(
            "    <testcase classname=\"gate\" name=\"{name}\" time=\"0\">\n      \
             <{element} type=\"{name}\" message=\"{message}\">"
        ),
    );
    for hit in rule.hits.iter().take(HITS_MAX) {
        let text = words::hit(hit, view.report);
        push(out, format_args!("{}\n", Line(&text)));
    }
    let more = rule.hits.len().saturating_sub(HITS_MAX);
    if more > 0 {
        push(out, format_args!("and {more} more\n"));
    }
    push(out, format_args!("</{element}>\n    </testcase>\n"));
}

fn write_exception(image: &ImageReport, suppressed: &SuppressedFinding, out: &mut String) {
    let finding = &suppressed.finding;
    let place = match finding.package_path.as_str() {
        "" => String::new(),
        path => format!(" ({path})"),
    };
    let name = format!(
        "[{}] {} {}{place}",
        finding.severity, finding.vulnerability_id, finding.package_name
    );
    let reason = format!(
        "excepted: {}, {}",
        words::short_reason(suppressed),
        suppressed.source
    );
    push(
        out,
        format_args!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"0\">\n      \
             <skipped>{}</skipped>\n    </testcase>\n",
            Line(&image.artifact_name),
            Line(&name),
            Line(&reason)
        ),
    );
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a text does not fail");
}
