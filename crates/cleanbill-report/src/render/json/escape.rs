//! JSON that is fit for a terminal.

use std::io::{self, Write};

use crate::text::is_harmless;

/// Writes JSON on, with `\\u` escapes for what steers a terminal or turns text around. JSON itself
/// escapes only the first 32 control characters; the others stand in strings as they are.
pub(in crate::render) struct Escaping<W>(pub(in crate::render) W);

impl<W: Write> Write for Escaping<W> {
    /// Expects whole characters, as the serializer hands them over; what is none is passed on.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Most of a report is plain ASCII: megabytes of it.
        if bytes.iter().all(|byte| *byte < 0x7f) {
            self.0.write_all(bytes)?;
            return Ok(bytes.len());
        }
        // The first control characters are the serializer's own: line feeds between members.
        let is_escaped = |char: char| char > '\u{1f}' && !is_harmless(char);
        let Ok(mut rest) = std::str::from_utf8(bytes) else {
            self.0.write_all(bytes)?;
            return Ok(bytes.len());
        };
        while let Some((at, char)) = rest.char_indices().find(|(_, char)| is_escaped(*char)) {
            let (before, from) = rest.split_at(at);
            self.0.write_all(before.as_bytes())?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(self.0, "\\u{unit:04x}")?;
            }
            rest = from.get(char.len_utf8()..).unwrap_or_default();
        }
        self.0.write_all(rest.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut bytes = Vec::new();
        serde_json::to_writer(Escaping(&mut bytes), text).unwrap();
        assert_eq!(std::str::from_utf8(&bytes).unwrap(), expected);
        assert_eq!(serde_json::from_slice::<String>(&bytes).unwrap(), text);
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        check("openssl é 語", "\"openssl é 語\"");
        check("a\u{1b}[2J\n\"", r#""a\u001b[2J\n\"""#);
        check("\u{9b}31m\u{202e}x\u{feff}", r#""\u009b31m\u202ex\ufeff""#);
        check("\u{e0041}", r#""\udb40\udc41""#);
        check("\u{7f}", r#""\u007f""#);
    }
}
