//! Columns: how wide they are, and how cells wrap.

use std::io;

use super::canvas::{Canvas, Span, Style};
use crate::text;

/// Columns between two cells.
const GAP: usize = 2;

/// Describes a column.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) title: &'static str,
    /// Numbers stand at the right.
    pub(super) at_right: bool,
    /// The narrowest it may get; cells wrap below their natural width.
    pub(super) min: usize,
    /// The widest it may get.
    pub(super) max: usize,
}

impl Column {
    pub(super) const fn text(title: &'static str, min: usize, max: usize) -> Self {
        Self {
            title,
            at_right: false,
            min,
            max,
        }
    }

    pub(super) const fn number(title: &'static str) -> Self {
        Self {
            title,
            at_right: true,
            min: 4,
            max: 9,
        }
    }
}

/// Columns that a path may ask for; it is shortened to what it gets.
const PATH_WIDTH_MAX: usize = 30;

/// Holds one line of a table, with what stands below it across all columns.
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) below: Option<Cell>,
}

/// Holds the words of one cell, wrapped when printed.
pub(super) struct Cell {
    words: Vec<Span>,
    /// Stands on a line of its own, shortened at its beginning.
    path: Option<Span>,
    /// Lines after which the rest is folded to its number.
    lines_max: Option<usize>,
}

impl Cell {
    pub(super) fn of(span: Span) -> Self {
        Self::words(vec![span])
    }

    pub(super) fn words(words: Vec<Span>) -> Self {
        Self {
            words,
            path: None,
            lines_max: None,
        }
    }

    pub(super) fn with_path(self, path: Option<Span>) -> Self {
        Self { path, ..self }
    }

    /// Folds what does not fit on the lines to `+5`.
    pub(super) fn folded(words: Vec<Span>, lines_max: usize) -> Self {
        Self {
            words,
            path: None,
            lines_max: Some(lines_max),
        }
    }

    /// Returns the columns it would take, but no more than `max`.
    fn width(&self, max: usize) -> usize {
        let mut width = 0;
        if let Some(path) = &self.path {
            width = path.width().min(PATH_WIDTH_MAX).min(max);
        }
        let mut words_width = 0;
        for word in &self.words {
            words_width += usize::from(words_width > 0) + word.width();
            if words_width >= max {
                return max;
            }
        }
        width.max(words_width)
    }

    fn lines(&self, columns: usize) -> Vec<Vec<Span>> {
        let mut lines = match self.lines_max {
            Some(lines_max) => fold(&self.words, columns, lines_max),
            None => wrap(&self.words, columns),
        };
        if let Some(path) = &self.path {
            lines.push(vec![path.with_text(&tail(&path.text, columns))]);
        }
        lines
    }
}

/// Writes a table with its heading, indented by two columns.
pub(super) fn table(canvas: &mut Canvas<'_>, columns: &[Column], rows: &[Row]) -> io::Result<()> {
    let widths = widths(columns, rows, canvas.width.saturating_sub(GAP));
    let heading: Vec<Cell> = columns
        .iter()
        .map(|column| Cell::of(Span::new(column.title, Style::Dim)))
        .collect();
    write_row(canvas, columns, &widths, &heading)?;
    for row in rows {
        write_row(canvas, columns, &widths, &row.cells)?;
        if let Some(below) = &row.below {
            write_below(canvas, below)?;
        }
    }
    Ok(())
}

/// Writes cells as lines of their own, indented by four columns.
pub(super) fn write_below(canvas: &mut Canvas<'_>, cell: &Cell) -> io::Result<()> {
    for line in cell.lines(canvas.width.saturating_sub(2 * GAP)) {
        canvas.spaces(2 * GAP)?;
        canvas.words(&line)?;
        canvas.empty_line()?;
    }
    Ok(())
}

fn write_row(
    canvas: &mut Canvas<'_>,
    columns: &[Column],
    widths: &[usize],
    row: &[Cell],
) -> io::Result<()> {
    let cells: Vec<Vec<Vec<Span>>> = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| cell.lines(*width))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    for line in 0..height {
        let mut pending_spaces = GAP;
        for ((cell, width), column) in cells.iter().zip(widths).zip(columns) {
            let words = cell.get(line).map(Vec::as_slice).unwrap_or_default();
            let used = line_width(words);
            let padding = width.saturating_sub(used);
            if column.at_right {
                pending_spaces += padding;
            }
            if !words.is_empty() {
                canvas.spaces(pending_spaces)?;
                canvas.words(words)?;
                pending_spaces = 0;
            } else if column.at_right {
                pending_spaces += used;
            }
            if !column.at_right {
                pending_spaces += padding;
            }
            pending_spaces += GAP;
        }
        canvas.empty_line()?;
    }
    Ok(())
}

/// Gives each column its natural width within its bounds, then takes from the widest until the
/// table fits.
fn widths(columns: &[Column], rows: &[Row], available: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells = rows.iter().filter_map(|row| row.cells.get(index));
            let natural = cells
                .map(|cell| cell.width(column.max))
                .max()
                .unwrap_or_default();
            natural
                .max(text::width(column.title))
                .clamp(column.min, column.max)
        })
        .collect();
    let gaps = GAP * columns.len().saturating_sub(1);
    let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(available);
    while excess > 0 {
        let widest = widths
            .iter_mut()
            .zip(columns)
            .filter(|(width, column)| **width > column.min)
            .max_by_key(|(width, _)| **width);
        let Some((width, _)) = widest else {
            break;
        };
        *width -= 1;
        excess -= 1;
    }
    widths
}

/// Says how wide a table is at least.
pub(super) fn width_min(columns: &[Column]) -> usize {
    let cells: usize = columns.iter().map(|column| column.min).sum();
    cells + GAP * columns.len()
}

/// Breaks words into lines; a word that is too long for a line is broken where versions and paths
/// have their joints.
pub(super) fn wrap(words: &[Span], columns: usize) -> Vec<Vec<Span>> {
    let mut lines = vec![Vec::new()];
    let mut used = 0;
    for word in words {
        for piece in pieces(word, columns) {
            let width = piece.width();
            let gap = usize::from(used > 0);
            if used > 0 && used + gap + width > columns {
                lines.push(Vec::new());
                used = 0;
            }
            used += usize::from(used > 0) + width;
            if let Some(line) = lines.last_mut() {
                line.push(piece);
            }
        }
    }
    lines
}

/// Puts as many words on the lines as fit, then the number of the rest.
fn fold(words: &[Span], columns: usize, lines_max: usize) -> Vec<Vec<Span>> {
    let mut lines = vec![Vec::new()];
    let mut used = 0;
    for (index, word) in words.iter().enumerate() {
        let rest = words.len() - index - 1;
        let is_last_line = lines.len() >= lines_max;
        let note = if rest > 0 && is_last_line {
            text::width(&folded(rest)) + 1
        } else {
            0
        };
        let needed = usize::from(used > 0) + word.width();
        if used + needed + note > columns && used > 0 {
            if is_last_line {
                if let Some(line) = lines.last_mut() {
                    line.push(Span::new(&folded(rest + 1), Style::Dim));
                }
                return lines;
            }
            lines.push(Vec::new());
            used = 0;
        }
        let shown = text::truncate(&word.text, columns.saturating_sub(note)).into_owned();
        used += usize::from(used > 0) + text::width(&shown);
        if let Some(line) = lines.last_mut() {
            line.push(word.with_text(&shown));
        }
    }
    lines
}

/// Shortens a path at its beginning, where paths are alike.
fn tail(path: &str, columns: usize) -> String {
    if text::width(path) <= columns {
        return path.to_owned();
    }
    let mut room = columns.saturating_sub(1);
    let mut start = path.len();
    for (at, char) in path.char_indices().rev() {
        let Some(left) = room.checked_sub(char_width(char)) else {
            break;
        };
        (room, start) = (left, at);
    }
    format!("…{}", path.get(start..).unwrap_or_default())
}

fn folded(count: usize) -> String {
    format!("+{count}")
}

fn line_width(words: &[Span]) -> usize {
    words.iter().map(Span::width).sum::<usize>() + words.len().saturating_sub(1)
}

fn pieces(word: &Span, columns: usize) -> Vec<Span> {
    let columns = columns.max(1);
    if word.width() <= columns {
        return vec![word.clone()];
    }
    // A word may be as long as an attacker likes: no step looks at more than its own piece.
    let mut pieces = Vec::new();
    let mut rest = word.text.as_str();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(break_place(rest, columns));
        pieces.push(word.with_text(piece));
        rest = after;
    }
    pieces
}

/// Finds the byte after which to break: behind the last joint in the second half of the line, or
/// where the line is full.
fn break_place(text: &str, columns: usize) -> usize {
    let mut used = 0;
    let mut joint = None;
    for (at, char) in text.char_indices() {
        let width = char_width(char);
        if used + width > columns && at > 0 {
            return joint.unwrap_or(at);
        }
        used += width;
        if used * 2 > columns && matches!(char, '-' | '.' | '+' | '~' | ':' | '/' | '@' | '_') {
            joint = Some(at + char.len_utf8());
        }
    }
    text.len()
}

fn char_width(char: char) -> usize {
    unicode_width::UnicodeWidthChar::width(char).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(texts: &[&str]) -> Vec<Span> {
        texts.iter().map(|text| Span::plain(text)).collect()
    }

    fn print(lines: &[Vec<Span>]) -> Vec<String> {
        let line = |line: &Vec<Span>| {
            line.iter()
                .map(|span| span.text.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn words_wrap_and_break_at_joints() {
        assert_eq!(print(&wrap(&words(&["a", "bc", "d"]), 4)), ["a bc", "d"]);
        assert_eq!(
            print(&wrap(&words(&["1.2.3-4ubuntu1"]), 8)),
            ["1.2.3-", "4ubuntu1"]
        );
        assert_eq!(
            print(&wrap(&words(&["abcdefghij"]), 4)),
            ["abcd", "efgh", "ij"]
        );
        assert_eq!(print(&wrap(&words(&["漢字漢"]), 3)), ["漢", "字", "漢"]);
        assert_eq!(print(&wrap(&[], 4)), [""]);
    }

    #[test]
    fn long_lists_fold_to_a_number() {
        let list = words(&["CVE-1", "CVE-2", "CVE-3", "CVE-4"]);
        assert_eq!(print(&fold(&list, 30, 1)), ["CVE-1 CVE-2 CVE-3 CVE-4"]);
        assert_eq!(print(&fold(&list, 15, 1)), ["CVE-1 CVE-2 +2"]);
        assert_eq!(print(&fold(&list, 11, 1)), ["CVE-1 +3"]);
        assert_eq!(print(&fold(&list, 11, 2)), ["CVE-1 CVE-2", "CVE-3 CVE-4"]);
        assert_eq!(print(&fold(&list, 6, 1)), ["CV… +3"]);
        assert_eq!(tail("usr/lib/x", 9), "usr/lib/x");
        assert_eq!(tail("usr/lib/x", 6), "…lib/x");
    }

    /// Found by fuzzing: each piece looked at, and copied, all that followed, so that a name of
    /// one megabyte would have taken hours.
    #[test]
    fn a_long_word_is_not_read_again_for_each_piece() {
        let long = "漢-".repeat(200_000);
        let lines = wrap(&words(&[&long]), 6);
        assert_eq!(lines.len(), 100_000);
        assert_eq!(print(&lines).concat(), long);
        assert_eq!(tail(&long, 6), "…-漢-");
    }
}
