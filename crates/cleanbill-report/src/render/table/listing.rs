//! Lists for a terminal that are no reports of scans: in the same columns and colours, and as safe
//! from hostile names.
//!
//! ```text
//! let mut listing = Listing::new(None, false);
//! listing.table(
//!     &[Heading::text("IMAGE", 12, 80), Heading::number("HIGH")],
//!     &[vec![Text::plain("shop/web:1"), Text::new("3", Tone::Severity(Severity::High))]],
//! );
//! print!("{}", listing.finish());
//! ```

use std::io;

use cleanbill_core::severity::Severity;
use serde::Serialize;

use super::canvas::{Canvas, Span, Style};
use super::layout::{self, Cell, Column, Row};
use super::{RenderOptions, WIDTH_MIN};
use crate::render::json::escape::Escaping;

/// Columns of a cell; what is longer wraps.
const CELL_MAX: usize = 400;

/// Is a text that is being laid out for a terminal, a pipe or a file.
#[derive(Debug)]
pub struct Listing {
    text: Vec<u8>,
    width: usize,
    options: RenderOptions,
}

/// Holds the words of one cell or line, each with its tone. They are cleaned when they come in:
/// nothing in them steers a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Span>);

/// Says how a text looks, where there are colours. Its words say the same without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// What the eye shall find first.
    Bold,
    /// What matters less.
    Dim,
    /// Nothing to be done.
    Good,
    /// To be looked at.
    Notice,
    /// Somebody has to do something.
    Alarm,
    /// As findings of a severity are shown.
    Severity(Severity),
}

/// Describes a column.
#[derive(Clone, Copy)]
pub struct Heading(Column);

impl std::fmt::Debug for Heading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.title)
    }
}

impl Heading {
    /// Names a column of texts that is between `min` and `max` columns wide; cells wrap.
    pub const fn text(title: &'static str, min: usize, max: usize) -> Self {
        Self(Column::text(title, min, max))
    }

    /// Names a column of texts that takes what is left.
    pub const fn rest(title: &'static str) -> Self {
        Self::text(title, 16, CELL_MAX)
    }

    /// Names a column of numbers, which stand at the right.
    pub const fn number(title: &'static str) -> Self {
        Self(Column::number(title))
    }

    /// Names the column of a severity's counts.
    pub fn severity(severity: Severity) -> Self {
        Self::number(super::short_name(severity))
    }
}

impl Text {
    /// Makes a text in one tone.
    pub fn new(text: &str, tone: Tone) -> Self {
        Self(Span::words(text, tone.style()))
    }

    /// Makes a text without a tone.
    pub fn plain(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }

    /// Shows a severity by its name, in its colour.
    pub fn severity(severity: Severity) -> Self {
        Self::new(severity.name(), Tone::Severity(severity))
    }

    /// Shows a count, dimmed if it is nothing.
    pub fn count(count: u64, tone: Tone) -> Self {
        let tone = if count == 0 { Tone::Dim } else { tone };
        Self::new(&count.to_string(), tone)
    }

    /// Adds words behind these.
    #[must_use]
    pub fn and(mut self, text: Text) -> Self {
        self.0.extend(text.0);
        self
    }
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Tone::Plain => Style::Plain,
            Tone::Bold => Style::Bold,
            Tone::Dim => Style::Dim,
            Tone::Good => Style::Good,
            Tone::Notice => Style::Notice,
            Tone::Alarm => Style::Alarm,
            Tone::Severity(severity) => Style::Severity(severity),
        }
    }
}

impl Listing {
    /// Begins a list. `width` is that of the terminal; `None` is a pipe or a file.
    pub fn new(width: Option<usize>, color: bool) -> Self {
        Self {
            text: Vec::new(),
            width: width.unwrap_or(RenderOptions::DEFAULT_WIDTH).max(WIDTH_MIN),
            options: RenderOptions {
                color,
                ..RenderOptions::default()
            },
        }
    }

    /// Writes an empty line.
    pub fn gap(&mut self) {
        self.write(|canvas| canvas.empty_line());
    }

    /// Writes a line that what follows belongs to.
    pub fn title(&mut self, text: &str) {
        self.write(|canvas| canvas.paragraph("", &Span::words(text, Style::Bold)));
    }

    /// Writes a paragraph. It wraps, and its further lines are indented by two more columns.
    pub fn paragraph(&mut self, indent: &str, text: &Text) {
        self.write(|canvas| canvas.paragraph(indent, &text.0));
    }

    /// Writes a name and what there is to say under it; names of up to `name_width` columns are
    /// aligned.
    pub fn fact(&mut self, name: &str, name_width: usize, text: &Text) {
        let label = Span::new(&format!("{name:<name_width$}"), Style::Dim);
        let words: Vec<Span> = std::iter::once(label).chain(text.0.clone()).collect();
        self.write(|canvas| canvas.paragraph("", &words));
    }

    /// Writes rows in columns; where they do not fit, each row as a paragraph.
    pub fn table(&mut self, headings: &[Heading], rows: &[Vec<Text>]) {
        let columns: Vec<Column> = headings.iter().map(|heading| heading.0).collect();
        if layout::width_min(&columns) > self.width {
            for row in rows {
                let words: Vec<Span> = row.iter().flat_map(|text| text.0.clone()).collect();
                self.write(|canvas| canvas.paragraph("  ", &words));
            }
            return;
        }
        let rows: Vec<Row> = rows
            .iter()
            .map(|row| Row {
                cells: row.iter().map(|text| Cell::words(text.0.clone())).collect(),
                below: None,
            })
            .collect();
        self.write(|canvas| layout::table(canvas, &columns, &rows));
    }

    /// Returns the whole text.
    pub fn finish(self) -> String {
        String::from_utf8(self.text).expect("what was written was text")
    }

    fn write(&mut self, work: impl FnOnce(&mut Canvas<'_>) -> io::Result<()>) {
        let mut canvas = Canvas::new(&mut self.text, self.width, &self.options);
        work(&mut canvas).expect("writing to a vector does not fail");
    }
}

/// Writes a document as JSON that is fit for a terminal: indented, with an escape for every
/// character that steers one or turns text around.
///
/// # Errors
///
/// The value cannot be written as JSON.
pub fn terminal_json(document: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    serde_json::to_writer_pretty(Escaping(&mut bytes), document)?;
    bytes.push(b'\n');
    Ok(String::from_utf8(bytes).expect("JSON is text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: [Heading; 3] = [
        Heading::text("IMAGE", 8, 20),
        Heading::number("HIGH"),
        Heading::rest("WHY"),
    ];

    fn rows() -> Vec<Vec<Text>> {
        vec![
            vec![
                Text::plain("shop/web:1"),
                Text::count(3, Tone::Severity(Severity::High)),
                Text::plain("because it is so"),
            ],
            vec![
                Text::plain("a\u{1b}[31m:\u{202e}1"),
                Text::count(0, Tone::Plain),
                Text::new("never", Tone::Alarm).and(Text::plain("looked at")),
            ],
        ]
    }

    #[test]
    fn a_table_is_laid_out_and_cleaned() {
        let mut listing = Listing::new(None, false);
        listing.title("Images");
        listing.fact("state", 8, &Text::plain("/var/lib"));
        listing.gap();
        listing.table(&HEADINGS, &rows());
        assert_eq!(
            listing.finish(),
            "Images\n\
             state    /var/lib\n\
             \n  IMAGE       HIGH  WHY\
             \n  shop/web:1     3  because it is so\
             \n  a\u{fffd}[31m:\u{fffd}1      0  never looked at\n"
        );
    }

    #[test]
    fn what_does_not_fit_into_columns_is_written_below_each_other() {
        let wide = [
            Heading::text("A", 30, 40),
            Heading::number("B"),
            Heading::rest("C"),
        ];
        let mut listing = Listing::new(Some(40), false);
        listing.table(&wide, &rows()[..1]);
        assert_eq!(listing.finish(), "  shop/web:1 3 because it is so\n");
    }

    #[test]
    fn colours_are_only_there_when_asked_for() {
        let mut listing = Listing::new(None, true);
        listing.paragraph("  ", &Text::severity(Severity::High));
        let text = listing.finish();
        assert!(text.starts_with("  \u{1b}["), "{text:?}");
        assert!(text.contains("HIGH"), "{text:?}");
    }

    #[test]
    fn json_cannot_steer_a_terminal() {
        let text = terminal_json(&["a\u{9b}31m", "\u{202e}b"]).unwrap();
        assert_eq!(text, "[\n  \"a\\u009b31m\",\n  \"\\u202eb\"\n]\n");
    }
}
