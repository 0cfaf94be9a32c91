//! All images at a glance.

use std::io;

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport, SeverityCounts};
use cleanbill_core::severity::Severity;

use super::canvas::{Canvas, Span, Style};
use super::layout::{self, Cell, Column, Row};
use super::packages::{number, severity_words};
use super::{count, short_name};
use crate::render::words::Outcome;
use crate::text;

/// Columns of a name; longer ones are cut.
const NAME_MAX: usize = 200;

/// Writes one row per image and their sum.
pub(super) fn render(report: &ScanReport, canvas: &mut Canvas<'_>) -> io::Result<()> {
    canvas.empty_line()?;
    canvas.rule()?;
    let title = count(report.images.len() as u64, "image");
    canvas.line(&[Span::new(&title, Style::Bold)])?;
    let mut columns = vec![Column::text("IMAGE", 12, 80), Column::text("STATUS", 8, 12)];
    columns.extend(Severity::ALL.map(|severity| Column::number(short_name(severity))));
    if layout::width_min(&columns) > canvas.width {
        return report
            .images
            .iter()
            .try_for_each(|image| block(image, canvas));
    }
    let mut rows: Vec<Row> = report.images.iter().map(row).collect();
    let mut sum = vec![
        Cell::of(Span::new("all", Style::Bold)),
        Cell::of(Span::plain("")),
    ];
    sum.extend(numbers(&report.severity_counts()));
    rows.push(Row {
        cells: sum,
        below: None,
    });
    layout::table(canvas, &columns, &rows)
}

fn row(image: &ImageReport) -> Row {
    let mut cells = vec![Cell::of(name(image)), Cell::of(status(image))];
    match image.status {
        AssessmentStatus::Failed => {
            cells.extend(Severity::ALL.map(|_| Cell::of(Span::new("?", Style::Notice))));
        }
        _ => cells.extend(numbers(&image.severity_counts())),
    }
    Row { cells, below: None }
}

/// Writes an image where columns do not fit.
fn block(image: &ImageReport, canvas: &mut Canvas<'_>) -> io::Result<()> {
    canvas.paragraph("  ", &[name(image), status(image)])?;
    canvas.paragraph("    ", &severity_words(&image.severity_counts()))
}

fn name(image: &ImageReport) -> Span {
    let name = Span::plain(&image.artifact_name);
    name.with_text(&text::truncate(&name.text, NAME_MAX))
}

fn status(image: &ImageReport) -> Span {
    match image.status {
        AssessmentStatus::Complete if Outcome::of(image) == Outcome::Clean => {
            Span::new("assessed", Style::Good)
        }
        AssessmentStatus::Complete => Span::plain("assessed"),
        AssessmentStatus::Partial => Span::new("PARTIAL", Style::Alarm),
        AssessmentStatus::Failed => Span::new("NOT ASSESSED", Style::Alarm),
    }
}

fn numbers(counts: &SeverityCounts) -> [Cell; 5] {
    Severity::ALL.map(|severity| number(counts, severity))
}
