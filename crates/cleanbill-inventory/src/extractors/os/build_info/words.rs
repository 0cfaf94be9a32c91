//! Words of a Dockerfile instruction.
//!
//! Source: buildkit 0.32 `frontend/dockerfile/parser/line_parsers.go` (`parseWords`,
//! `parseNameVal`).

use super::dockerfile::DockerfileError;

/// Splits text at blanks that are neither quoted nor escaped. Quotes and escapes stay part of the
/// words: they are removed when a word is evaluated.
pub(super) fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if quote.is_none() && character.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        if character == escape && quote != Some('\'') {
            // An escape at the end of the text is dropped.
            if let Some(escaped) = characters.next() {
                word.extend([character, escaped]);
            }
            continue;
        }
        match quote {
            Some(open) if open == character => quote = None,
            None if matches!(character, '\'' | '"') => quote = Some(character),
            _ => {}
        }
        word.push(character);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Reads `name=value …`, or `name value` where the value is the rest of the line.
///
/// # Errors
///
/// The text is neither.
pub(super) fn name_values(
    text: &str,
    escape: char,
) -> Result<Vec<(String, String)>, DockerfileError> {
    let words = split(text, escape);
    let Some(first) = words.first() else {
        return Err(DockerfileError("an instruction has no argument"));
    };
    if !first.contains('=') {
        let (name, value) = text
            .split_once(is_blank)
            .ok_or(DockerfileError("a name has no value"))?;
        return Ok(vec![(
            name.to_owned(),
            value.trim_start_matches(is_blank).to_owned(),
        )]);
    }
    let pair = |word: &String| match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(DockerfileError("an argument is not of the form name=value")),
    };
    words.iter().map(pair).collect()
}

/// Says whether a character separates a keyword from its arguments.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_hold_words_together() {
        for (text, expected) in [
            ("a  b", vec!["a", "b"]),
            (r#"a="b c" d='e f'"#, vec![r#"a="b c""#, "d='e f'"]),
            (r"a=b\ c", vec![r"a=b\ c"]),
            (r#"a="b\" c""#, vec![r#"a="b\" c""#]),
            (r"a='b\' c", vec![r"a='b\'", "c"]),
            ("a\\", vec!["a"]),
            ("", vec![]),
        ] {
            assert_eq!(split(text, '\\'), expected, "{text}");
        }
    }

    #[test]
    fn both_forms_of_pairs_are_read() {
        let pairs = |text: &str| name_values(text, '\\').unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("a=b c=d=e"), [pair("a", "b"), pair("c", "d=e")]);
        assert_eq!(pairs("a b c"), [pair("a", "b c")]);
        for text in ["", "a", "a=b c", "=b"] {
            assert!(name_values(text, '\\').is_err(), "{text}");
        }
    }
}
