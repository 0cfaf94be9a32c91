//! The HTML part. Mail programs are no browsers: tables, styles on each element, nothing remote.
//! What only some understand (dark colours, small screens) is in one style sheet that the others
//! ignore.

mod group;

use std::fmt::Write as _;

use cleanbill_core::Severity;
use cleanbill_report::escape::link::web_address;
use cleanbill_report::escape::markup::Line as Escaped;

use super::headings;
use crate::notify::message::{Counts, Failure, ImageLine, Notification, NotificationKind};
use crate::notify::outline::{
    BASELINE_CHARS_MAX, Detail, NAME_CHARS_MAX, PATH_CHARS_MAX, WORD_CHARS_MAX,
};
use crate::notify::split::lengths;
use crate::notify::words::{self, clip};

const DETAIL: Detail = Detail::MAIL;

const STYLE: &str = include_str!("style.css");

const TEXT: &str = "color:#1f2933";
const MUTED: &str = "color:#52606d;font-size:13px;line-height:19px";
const CODE: &str =
    "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px";
const CARD: &str = "background:#ffffff;border:1px solid #d9e2ec;border-radius:6px";

/// Writes the part with the first `shown` entries.
pub(super) fn write(message: &Notification, shown: usize) -> String {
    let title = words::title(message) + &words::part(message);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\
         <title>{title}</title><style>{STYLE}</style></head>\n\
         <body class=\"page\" style=\"margin:0;padding:0;background:#f0f4f8;{TEXT};\
         font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;\
         font-size:15px;line-height:22px\">\n\
         <table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\"><tr>\
         <td align=\"center\" class=\"outer\" style=\"padding:20px 12px\">\
         <table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" \
         style=\"max-width:680px;text-align:left\"><tr><td>\n\
         <h1 style=\"margin:0 0 6px;font-size:21px;line-height:28px\">{title}</h1>\n",
        title = Escaped(&title),
    );
    write_summary(message, &mut out);
    write_entries(message, shown, &mut out);
    write_footer(message, shown, &mut out);
    out.push_str("</td></tr></table></td></tr></table></body></html>\n");
    out
}

fn write_summary(message: &Notification, out: &mut String) {
    let totals = &message.totals;
    let purpose = words::purpose(message.kind);
    if !purpose.is_empty() {
        paragraph(purpose, out);
    }
    if let Some(since) = message.since {
        let (from, to) = (words::minute(since), words::minute(message.time));
        paragraph(&format!("From {from} to {to}."), out);
    }
    let reasons = words::gate_reasons(message);
    if !reasons.is_empty() {
        let items = reasons
            .iter()
            .map(|reason| format!("<li>{}</li>", Escaped(reason)));
        let _ = writeln!(
            out,
            "<p style=\"margin:0 0 4px\"><strong>Why the gate fails:</strong></p>\
             <ul class=\"wrap\" style=\"margin:0 0 10px;padding-left:20px\">{}</ul>",
            items.collect::<String>()
        );
    }
    let told = words::told(message);
    if !told.is_empty() {
        paragraph(&told, out);
    }
    if totals.images > 0 {
        let images = words::looked_at(totals);
        let chips = chips(&totals.findings);
        let found = if chips.is_empty() {
            "without findings"
        } else {
            "with these findings:"
        };
        let _ = writeln!(
            out,
            "<p class=\"muted\" style=\"margin:0 0 4px;{MUTED}\">{images}, {found}</p>\
             <p style=\"margin:0 0 14px\">{chips}</p>"
        );
    }
}

fn paragraph(text: &str, out: &mut String) {
    let _ = writeln!(out, "<p style=\"margin:0 0 10px\">{}</p>", Escaped(text));
}

/// Shows how many findings there are. A severity without any may be one that nobody looked for.
fn chips(findings: &Counts) -> String {
    Severity::ALL
        .into_iter()
        .map(|severity| (severity, findings.of(severity)))
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| chip(severity, number))
        .collect()
}

fn chip(severity: Severity, number: u64) -> String {
    let (background, colour) = colours(severity);
    format!(
        "<span style=\"display:inline-block;margin:0 6px 6px 0;padding:1px 8px;border-radius:10px;\
         font-size:13px;line-height:20px;background:{background};color:{colour};font-weight:600\">\
         {} {number}</span>",
        severity.name()
    )
}

/// Returns the background and the text of a badge; their contrast is at least 4.5 to 1.
fn colours(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Critical => ("#a3122b", "#ffffff"),
        Severity::High => ("#b54708", "#ffffff"),
        Severity::Medium => ("#f2c94c", "#3d2f00"),
        Severity::Low => ("#2364aa", "#ffffff"),
        Severity::Unknown => ("#52606d", "#ffffff"),
    }
}

fn write_entries(message: &Notification, shown: usize, out: &mut String) {
    let [failures, groups, images] = lengths(message);
    let [failed, changed, lines] = headings(message);
    let shown_failures = failures.min(shown);
    let shown_groups = groups.min(shown - shown_failures);
    let shown_images = images.min(shown - shown_failures - shown_groups);
    if shown_failures > 0 {
        heading(failed, out);
        let entries = message.failures.iter().take(shown_failures);
        entries.for_each(|failure| write_failure(failure, out));
    }
    if shown_groups > 0 {
        heading(changed, out);
        let entries = message.vulnerabilities.iter().take(shown_groups);
        entries.for_each(|group| group::write(group, out));
    }
    if shown_images > 0 {
        heading(lines, out);
        let _ = write!(
            out,
            "<table role=\"presentation\" class=\"card list\" width=\"100%\" cellpadding=\"0\" \
             cellspacing=\"0\" style=\"{CARD};border-collapse:separate\">"
        );
        for (index, line) in message.images.iter().take(shown_images).enumerate() {
            write_image(line, index, message.kind, out);
        }
        out.push_str("</table>\n");
    }
}

fn heading(text: &str, out: &mut String) {
    let _ = writeln!(
        out,
        "<h2 style=\"margin:20px 0 8px;font-size:16px;line-height:22px\">{text}</h2>"
    );
}

fn write_failure(failure: &Failure, out: &mut String) {
    let word = match failure.status.as_str() {
        "partial" => "NOT ASSESSED COMPLETELY",
        _ => "ERROR",
    };
    let _ = write!(
        out,
        "<div class=\"alert\" style=\"margin:0 0 8px;padding:8px 12px;background:#fdf0f1;\
         border:1px solid #e8b4bc;border-left:4px solid #a3122b;border-radius:6px\">\
         <strong>{word}</strong> {}",
        code(&failure.image, NAME_CHARS_MAX)
    );
    out.push_str(&group::containers(&failure.containers));
    if !failure.reason.is_empty() {
        let reason = clip(&failure.reason, DETAIL.text_chars_max);
        let _ = write!(out, "<div class=\"wrap\">{}</div>", Escaped(&reason));
    }
    if !failure.log_path.is_empty() {
        muted("See ", &place(&failure.log_path), out);
    }
    out.push_str("</div>\n");
}

fn write_image(line: &ImageLine, index: usize, kind: NotificationKind, out: &mut String) {
    let border = if index > 0 {
        "border-top:1px solid #d9e2ec"
    } else {
        ""
    };
    let _ = write!(
        out,
        "<tr><td class=\"row\" style=\"padding:8px 12px;{border}\"><div class=\"wrap\">{}{}</div>",
        code(&line.image, NAME_CHARS_MAX),
        group::containers(&line.containers)
    );
    let counts = words::counts(line, kind);
    let text = match kind {
        NotificationKind::Summary => counts,
        _ => format!("{} | {counts}", words::image_changes(line)),
    };
    muted("", &text, out);
    if !line.baseline.is_empty() {
        let baseline = clip(&line.baseline, BASELINE_CHARS_MAX);
        let strong = format!("<strong>{}</strong>", Escaped(&baseline));
        muted("", &strong, out);
    }
    if !line.log_path.is_empty() {
        muted("Details: ", &place(&line.log_path), out);
    }
    out.push_str("</td></tr>\n");
}

fn write_footer(message: &Notification, shown: usize, out: &mut String) {
    out.push_str("<div style=\"margin:18px 0 0\">\n");
    let left_out = words::left_out(message, shown);
    if !left_out.is_empty() {
        let _ = writeln!(
            out,
            "<p style=\"margin:0 0 8px\"><strong>Not shown: {left_out}.</strong></p>"
        );
    }
    let known = words::known_failures(message);
    if !known.is_empty() {
        let _ = writeln!(out, "<p style=\"margin:0 0 8px\">{known}</p>");
    }
    let expiring = words::expiring(message);
    if !expiring.is_empty() {
        let expiring = Escaped(&expiring);
        let _ = writeln!(out, "<p style=\"margin:0 0 8px\">{expiring}</p>");
    }
    if !message.report.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"wrap\" style=\"margin:0 0 8px\">Full report: {}</p>",
            place(&message.report)
        );
    }
    let mut signature = format!("Cleanbill · {}", words::minute(message.time));
    if message.kind != NotificationKind::Test {
        let _ = write!(signature, " · {}", words::database_age(message));
    }
    if !message.host.is_empty() {
        let _ = write!(signature, " · {}", code(&message.host, WORD_CHARS_MAX));
    }
    muted("", &signature, out);
    out.push_str("</div>\n");
}

/// Writes a line of small print; `html` is escaped already.
fn muted(label: &str, html: &str, out: &mut String) {
    let _ = writeln!(
        out,
        "<div class=\"muted wrap\" style=\"{MUTED}\">{label}{html}</div>"
    );
}

fn code(text: &str, chars_max: usize) -> String {
    let text = clip(text, chars_max);
    let text = if text.is_empty() { "?" } else { &text };
    format!("<code style=\"{CODE}\">{}</code>", Escaped(text))
}

fn link(url: &str, text: &str) -> String {
    match web_address(url) {
        Some(url) if url.len() <= PATH_CHARS_MAX => format!(
            "<a href=\"{}\" rel=\"noreferrer noopener\" class=\"link\" style=\"color:#1d4f91\">{}</a>",
            Escaped(url),
            Escaped(text)
        ),
        _ => Escaped(text).to_string(),
    }
}

/// Shows where something is: as a link if it is a web address.
fn place(text: &str) -> String {
    match web_address(text) {
        Some(url) => link(url, url),
        None => code(text, PATH_CHARS_MAX),
    }
}
