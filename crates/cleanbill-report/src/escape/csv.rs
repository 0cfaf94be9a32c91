//! Cells of tables that spreadsheets open.

use std::fmt;

use crate::text::clean;

/// Prints a cell, always in quotes. An apostrophe goes in front of what a spreadsheet would take
/// for a formula, also where it splits at semicolons as those of many countries do.
///
/// Source: RFC 4180; OWASP "CSV Injection".
pub(crate) struct Cell<'a>(pub(crate) &'a str);

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = clean(self.0);
        f.write_str("\"")?;
        for (index, part) in text.split(';').enumerate() {
            if index > 0 {
                f.write_str(";")?;
            }
            if is_formula(part) {
                f.write_str("'")?;
            }
            f.write_str(&part.replace('"', "\"\""))?;
        }
        f.write_str("\"")
    }
}

/// Says whether a cell with this text would be computed; full-width signs count too.
fn is_formula(text: &str) -> bool {
    let visible =
        text.trim_start_matches(|char: char| char.is_whitespace() || "\"'".contains(char));
    visible.starts_with(['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠'])
}
