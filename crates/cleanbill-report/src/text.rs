//! Hostile text made fit for a terminal.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Stands for a character that is not shown.
pub(crate) const REPLACEMENT: char = '\u{fffd}';

/// Makes a text from an image, an advisory or a user fit for one cell or line: whitespace of any
/// kind becomes a space, control characters (escape sequences begin with one), bidirectional
/// overrides and other invisible characters become U+FFFD.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let chars = text.chars().map(|char| match char {
        char if is_harmless(char) => char,
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        _ => REPLACEMENT,
    });
    Cow::Owned(chars.collect())
}

/// Says whether a character shows itself and does nothing else.
pub(crate) fn is_harmless(char: char) -> bool {
    !char.is_control()
        && !matches!(
            char,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Returns the columns that a cleaned text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Shortens a cleaned text to at most `columns`, with `…` for what is missing at the end.
pub fn truncate(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut shortened = String::new();
    let mut used = 0;
    for char in text.chars() {
        let columns_of_char = char.width().unwrap_or_default();
        if used + columns_of_char >= columns {
            break;
        }
        used += columns_of_char;
        shortened.push(char);
    }
    if columns > 0 {
        shortened.push('…');
    }
    Cow::Owned(shortened)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_forge_output_is_replaced() {
        for (text, expected) in [
            ("openssl", "openssl"),
            ("ä 漢", "ä 漢"),
            ("a\u{1b}[31mb", "a\u{fffd}[31mb"),
            ("a\r\nb\tc", "a  b c"),
            ("a\u{202e}b\u{200b}c\u{9b}d", "a\u{fffd}b\u{fffd}c\u{fffd}d"),
            ("a\u{7}\0", "a\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(clean(text), expected);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(truncate("openssl", 7), "openssl");
        assert_eq!(truncate("openssl", 6), "opens…");
        assert_eq!(truncate("漢字漢字", 5), "漢字…");
        assert_eq!(truncate("漢字漢字", 4), "漢…");
        assert_eq!(truncate("ab", 1), "…");
        assert_eq!(truncate("ab", 0), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn cleaned_text_has_no_controls_and_fits(text in "\\PC{0,20}|.{0,20}", columns in 0..12_usize) {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(char::is_control));
            prop_assert!(width(&truncate(&cleaned, columns)) <= columns);
        }
    }
}
