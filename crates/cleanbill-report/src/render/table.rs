//! The table: what a person should upgrade, image by image.
//!
//! An image has a header with its counts and with what was not assessed, then for each kind of
//! packages the ones to upgrade and those without a fix, worst first, and the layers that brought
//! them. Several images end in an overview. Columns are laid out here and not by a library,
//! because cells hold several colours and links, and versions must wrap, never be cut.

mod canvas;
mod image;
mod layout;
pub mod listing;
mod overview;
mod packages;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use cleanbill_core::count;
use cleanbill_core::report::{DatabaseInfo, ScanReport};
use cleanbill_core::severity::Severity;

use super::words;
use super::{RenderOptions, lists_packages};
use crate::format::Format;
use canvas::{Canvas, Span, Style};

/// Columns that the layout needs at least; narrower terminals wrap by themselves.
const WIDTH_MIN: usize = 40;

pub(super) fn render(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let width = options
        .width
        .unwrap_or(RenderOptions::DEFAULT_WIDTH)
        .max(WIDTH_MIN);
    let mut canvas = Canvas::new(out, width, options);
    let choices = Choices {
        full: options.full,
        packages: lists_packages(Format::Table, options),
        suppressed: options.show_suppressed,
        selection: &options.selection,
    };
    if report.images.is_empty() {
        canvas.line(&[Span::plain("No image was scanned.")])?;
    }
    for (index, image) in report.images.iter().enumerate() {
        if index > 0 {
            canvas.empty_line()?;
            canvas.rule()?;
        }
        image::render(image, choices, &mut canvas)?;
    }
    if report.images.len() > 1 {
        overview::render(report, &mut canvas)?;
    }
    match &report.database {
        Some(database) => footer(database, &mut canvas),
        None => Ok(()),
    }
}

/// What to show.
#[derive(Clone, Copy)]
struct Choices<'a> {
    full: bool,
    packages: bool,
    suppressed: bool,
    selection: &'a str,
}

impl Choices<'_> {
    /// Returns how many rows are shown where `folded` are enough.
    const fn rows_max(&self, folded: usize) -> usize {
        if self.full { usize::MAX } else { folded }
    }
}

fn footer(database: &DatabaseInfo, canvas: &mut Canvas<'_>) -> io::Result<()> {
    canvas.empty_line()?;
    let mut text = format!(
        "Advisory database built {} ({} old)",
        words::minute(&database.updated_at),
        words::age(database.age_hours)
    );
    if let Some(lists) = words::lists(database) {
        text.push_str(&format!(", {lists}"));
    }
    canvas.note("", &text, Style::Dim)
}

/// Returns the heading of a severity's column.
fn short_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "CRIT",
        Severity::High => "HIGH",
        Severity::Medium => "MED",
        Severity::Low => "LOW",
        Severity::Unknown => "UNKN",
    }
}
