//! A message as a mail: subject, plain text, HTML.

mod html;
#[cfg(test)]
mod tests;

use cleanbill_core::count;

use super::message::{Notification, NotificationKind};
use super::outline::{Detail, Entry, Outline, PlainText, render_fitting, write_line};
use super::split::lengths;
use super::words::{self, clip};

/// Bytes of the HTML part; a large provider cuts what is above 102 kB.
const HTML_SIZE_BYTES_MAX: usize = 96_000;

/// Characters of the subject.
const SUBJECT_CHARS_MAX: usize = 200;

/// Holds the parts of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    /// One line.
    pub(super) subject: String,
    /// The part for programs and people that want nothing but text.
    pub(super) text: String,
    /// The part that most programs show.
    pub(super) html: String,
}

/// Writes a mail. Both parts show the same entries.
pub(super) fn mail(message: &Notification) -> Mail {
    let html = render_fitting(
        message,
        |shown| html::write(message, shown),
        |html| html.len() <= HTML_SIZE_BYTES_MAX,
    );
    Mail {
        subject: subject(message),
        text: text(message, html.shown),
        html: html.body,
    }
}

/// Writes the subject in the form of the older script, so that filters of mail programs go on
/// working.
fn subject(message: &Notification) -> String {
    let totals = &message.totals;
    let text = match message.kind {
        NotificationKind::Changes | NotificationKind::Errors | NotificationKind::Digest => {
            let mut text = format!(
                "{}Scan report: {}; new={}, resolved={}, errors={}",
                words::decided(message),
                count(totals.images, "image"),
                totals.new,
                totals.resolved,
                totals.errors
            );
            if totals.accepted > 0 {
                text.push_str(&format!(", accepted={}", totals.accepted));
            }
            if let Some(lost) = words::baselines_lost(totals) {
                text.push_str(&format!("; {lost}"));
            }
            if message.is_exploited() {
                text.push_str("; KNOWN EXPLOITED");
            }
            text
        }
        NotificationKind::Heartbeat | NotificationKind::Test | NotificationKind::Summary => {
            words::title(message)
        }
    };
    clip(
        &format!("{} {text}", message.subject_prefix),
        SUBJECT_CHARS_MAX,
    )
}

fn text(message: &Notification, shown: usize) -> String {
    let outline = Outline::new(message, shown, Detail::MAIL);
    let line = |line| write_line(line, &PlainText);
    let mut text = outline.title + "\n";
    for summary in &outline.summary {
        text.push_str(&line(summary));
        text.push('\n');
    }
    let mut entries = outline.entries.iter();
    for (heading, count) in headings(message).into_iter().zip(lengths(message)) {
        let section: Vec<&Entry> = entries.by_ref().take(count).collect();
        if section.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{heading}\n{}\n", "-".repeat(heading.len())));
        for entry in section {
            // A vulnerability takes a paragraph, the others a line.
            if entry.severity.is_some() {
                text.push('\n');
            }
            for entry_line in &entry.lines {
                text.push_str(&line(entry_line));
                text.push('\n');
            }
        }
    }
    text.push('\n');
    for footer in &outline.footer {
        text.push_str(&line(footer));
        text.push('\n');
    }
    text
}

/// Returns the headings of failures, vulnerabilities and images.
fn headings(message: &Notification) -> [&'static str; 3] {
    match message.kind {
        NotificationKind::Summary => ["Not assessed", "Vulnerabilities", "Images"],
        _ => ["Not assessed", "What changed", "Images with changes"],
    }
}
