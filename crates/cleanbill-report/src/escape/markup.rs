//! HTML and XML.

use std::fmt;

use crate::text::{REPLACEMENT, is_harmless};

/// Prints a text as one line of HTML or XML content, fit for a quoted attribute too.
#[derive(Clone, Copy)]
pub struct Line<'a>(pub &'a str);

/// Prints a text as HTML or XML content and keeps its line feeds.
#[derive(Clone, Copy)]
pub struct Lines<'a>(pub &'a str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0, false, f)
    }
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0, true, f)
    }
}

/// Writes what needs no escape in one piece: reports have megabytes of it.
fn write(text: &str, keeps_lines: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = text;
    let mut buffer = [0; 4];
    while let Some((at, char)) = rest.char_indices().find(|(_, char)| is_special(*char)) {
        let (before, from) = rest.split_at(at);
        f.write_str(before)?;
        f.write_str(match char {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '\n' if keeps_lines => "\n",
            '\r' if keeps_lines => "",
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => " ",
            _ => REPLACEMENT.encode_utf8(&mut buffer),
        })?;
        rest = from.get(char.len_utf8()..).unwrap_or_default();
    }
    f.write_str(rest)
}

fn is_special(char: char) -> bool {
    match char {
        '&' | '<' | '>' | '"' | '\'' => true,
        ' '..='~' => false,
        // XML forbids these two; the others that it forbids are control characters.
        '\u{fffe}' | '\u{ffff}' => true,
        char => !is_harmless(char),
    }
}
