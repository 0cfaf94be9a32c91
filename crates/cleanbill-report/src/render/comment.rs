//! The comment on a pull request: what the change does to its images, in one text that is written
//! again with every push.
//!
//! What matters comes first: the verdict with its reasons, the numbers against those of the target
//! branch, what to upgrade. The rest is folded where the code host folds. A comment has a size, so
//! every row is weighed before it is written; what does not fit is counted, never cut through.
//!
//! Everything in it may come from an attacker: names of images, packages and files, titles of
//! advisories, reasons of exceptions.

mod lists;
mod page;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_core::vulnerability::Finding;

use self::page::Page;
use crate::escape::link::web_address;
use crate::escape::markdown::Words;
use crate::render::words;

/// Characters of an address that is linked.
const ADDRESS_CHARS_MAX: usize = 2_000;

/// Tells code hosts apart by what their comments can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommentStyle {
    /// GitHub: HTML folds, 65,536 characters.
    GitHub,
    /// GitLab: HTML folds, 1,000,000 characters.
    GitLab,
    /// Bitbucket: no HTML, 32,768 characters.
    Bitbucket,
}

impl CommentStyle {
    /// Returns how many bytes a comment has at most. No character has less than one, so the limits
    /// of the hosts, which are characters, hold too. A comment of a megabyte would be shown by
    /// GitLab and read by nobody.
    pub const fn size_bytes_max(self) -> usize {
        match self {
            CommentStyle::GitHub => 60_000,
            CommentStyle::GitLab => 200_000,
            CommentStyle::Bitbucket => 32_000,
        }
    }

    /// Returns the line that nobody sees and the next run finds the comment by.
    pub fn marker(self, key: &str) -> String {
        match self {
            CommentStyle::GitHub | CommentStyle::GitLab => {
                format!("<!-- cleanbill-comment: {key} -->")
            }
            // A definition of a link that nothing uses.
            CommentStyle::Bitbucket => format!("[//]: # (cleanbill-comment: {key})"),
        }
    }

    const fn folds(self) -> bool {
        matches!(self, CommentStyle::GitHub | CommentStyle::GitLab)
    }
}

/// Says whether a text can be the key of a comment: it stands in a marker as it is.
pub fn is_comment_key(key: &str) -> bool {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "._/-".contains(char);
    (1..=100).contains(&key.len()) && key.chars().all(is_plain) && !key.contains("--")
}

/// Is what a comment says.
#[derive(Clone, Copy, Debug)]
pub struct Comment<'a> {
    /// The report.
    pub report: &'a ScanReport,
    /// How it differs from the target branch, if that is known.
    pub comparison: Option<&'a Comparison<'a>>,
    /// Why the gate fails, a sentence without full stop for each reason; empty if it passes,
    /// `None` if no gate judged it.
    pub reasons: Option<&'a [String]>,
    /// What would make the gate pass, a line for each step.
    pub plan: &'a [String],
    /// Says above the steps how far they lead: `To pass, upgrade 2 packages`.
    pub plan_title: &'a str,
    /// What the filters had let through, in words; empty if everything.
    pub selection: &'a str,
    /// The run that wrote it: what people call its system, and its address.
    pub run: Option<(&'a str, &'a str)>,
    /// The address of the full report; empty if there is none.
    pub report_url: &'a str,
    /// The version of the tool.
    pub tool_version: &'a str,
}

/// Says how a report differs from another one.
#[derive(Clone, Debug, Default)]
pub struct Comparison<'a> {
    /// For each image of the report the places (result, finding) of findings that are new.
    pub new: Vec<HashSet<(usize, usize)>>,
    /// The findings of the other report that are gone, with their images there.
    pub fixed: Vec<(&'a ImageReport, &'a Finding)>,
}

impl Comparison<'_> {
    fn is_new(&self, image: usize, place: (usize, usize)) -> bool {
        let new = self.new.get(image);
        new.is_some_and(|new| new.contains(&place))
    }
}

/// Writes a comment, marker included.
pub fn comment(comment: &Comment<'_>, style: CommentStyle, key: &str) -> String {
    let footer = footer(comment);
    let mut page = Page::new(style, footer.len());
    page.write(&format!("{}\n", style.marker(key)));
    summary::write(&mut page, comment);
    lists::write(&mut page, comment);
    page.finish(&footer)
}

/// Writes what stands below everything. It is short whatever the report says.
fn footer(comment: &Comment<'_>) -> String {
    let mut parts = Vec::new();
    if let Some((system, url)) = comment.run {
        parts.extend(link(&format!("Run in {system}"), url));
    }
    parts.extend(link("Full report", comment.report_url));
    let version = words::cut(comment.tool_version, 40);
    parts.push(format!("Cleanbill {}", Words(&version)));
    let report = comment.report;
    if !report.created_at.is_empty() {
        let time = words::minute(&report.created_at);
        parts.push(format!("scanned {}", Words(&words::cut(&time, 40))));
    }
    if let Some(database) = &report.database {
        let built = words::minute(&database.updated_at);
        parts.push(format!(
            "advisory database of {} ({} old)",
            Words(&words::cut(&built, 40)),
            words::age(database.age_hours)
        ));
    }
    format!("---\n\n{}\n", parts.join(" · "))
}

fn link(text: &str, url: &str) -> Option<String> {
    let url = web_address(url)?;
    let is_plain = url.len() <= ADDRESS_CHARS_MAX && !url.contains(['(', ')']);
    is_plain.then(|| format!("[{}]({url})", Words(text)))
}
