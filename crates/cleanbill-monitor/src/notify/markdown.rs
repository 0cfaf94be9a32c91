//! A message as one Markdown text, for services without blocks of their own.

use super::message::Notification;
use super::outline::{Detail, Line, Markdown, Outline, join_lines, mark, utf16_units, write_line};

/// Characters of one entry.
const ENTRY_CHARS_MAX: usize = 3_500;

/// Writes a message with its first `shown` entries.
pub(super) fn write(
    message: &Notification,
    shown: usize,
    detail: Detail,
    markdown: Markdown,
    with_title: bool,
) -> String {
    let outline = Outline::new(message, shown, detail);
    let mut paragraphs = Vec::new();
    if with_title {
        paragraphs.push(markdown.heading(&outline.title));
    }
    // A line feed alone is a blank in Markdown; two blanks before it keep the line.
    let join = |lines: &[Line], sign: &str| {
        let mut lines: Vec<String> = lines
            .iter()
            .map(|line| write_line(line, &markdown))
            .collect();
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, sign);
        }
        join_lines(&lines, ENTRY_CHARS_MAX, utf16_units).replace('\n', "  \n")
    };
    paragraphs.push(join(&outline.summary, ""));
    let mut loose: Vec<Line> = Vec::new();
    for entry in outline.entries {
        match entry.severity {
            Some(severity) => {
                paragraphs.extend(loose.drain(..).map(|line| join(&[line], "")));
                paragraphs.push(join(&entry.lines, &format!("{} ", mark(severity))));
            }
            None => loose.extend(entry.lines),
        }
    }
    let list: Vec<String> = loose
        .iter()
        .map(|line| join(std::slice::from_ref(line), ""))
        .collect();
    paragraphs.push(list.join("\n"));
    paragraphs.push(join(&outline.footer, ""));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}
