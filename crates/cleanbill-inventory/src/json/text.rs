//! Strings: checking them, and taking their escapes away.

use std::borrow::Cow;

use super::Dialect;
use crate::lines::lossy;

/// Checks the string that begins at a place (with its quotation mark). Returns the place behind
/// it.
///
/// # Errors
///
/// It does not end, holds a control character or an escape that is none; or, under the strict
/// dialect, something that is no Unicode text.
pub(super) fn check_string(
    bytes: &[u8],
    start: usize,
    dialect: Dialect,
) -> Result<usize, (usize, &'static str)> {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => break,
            Some(b'\\') => at = check_escape(bytes, at, dialect)?,
            Some(0..=0x1f) => return Err((at, "a string holds a control character")),
            Some(_) => at += 1,
            None => return Err((at, "a string does not end")),
        }
    }
    let content = bytes.get(start + 1..at).unwrap_or_default();
    if dialect == Dialect::Strict && std::str::from_utf8(content).is_err() {
        return Err((start, "a string is not UTF-8"));
    }
    Ok(at + 1)
}

fn check_escape(bytes: &[u8], at: usize, dialect: Dialect) -> Result<usize, (usize, &'static str)> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match unicode_escape(bytes, at) {
            Some((Some(_), end)) => Ok(end),
            Some((None, end)) if dialect == Dialect::Classic => Ok(end),
            Some((None, _)) => Err((at, "an escape is half of a character")),
            None => Err((at, "an escape is malformed")),
        },
        _ => Err((at, "an escape is malformed")),
    }
}

/// Returns the place behind the string that begins at a place and was checked.
pub(super) fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

/// Returns the text of the string that begins at a place and was checked. What is no Unicode text
/// is replaced.
pub(super) fn decode_string(bytes: &[u8], start: usize) -> Cow<'_, str> {
    let end = end_of_string(bytes, start).saturating_sub(1);
    let content = bytes.get(start + 1..end).unwrap_or_default();
    if !content.contains(&b'\\') {
        return lossy(content);
    }
    let mut text = String::with_capacity(content.len());
    let mut rest = 0;
    while let Some(plain) = content.get(rest..) {
        let Some(length) = plain.iter().position(|byte| *byte == b'\\') else {
            text.push_str(&lossy(plain));
            break;
        };
        let plain = plain.get(..length).unwrap_or_default();
        text.push_str(&lossy(plain));
        rest = decode_escape(content, rest + length, &mut text);
    }
    Cow::Owned(text)
}

/// Appends what an escape means, and returns the place behind it.
fn decode_escape(content: &[u8], at: usize, text: &mut String) -> usize {
    let meant = match content.get(at + 1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let (character, end) = unicode_escape(content, at).unwrap_or((None, at + 2));
            text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
            return end;
        }
        Some(other) => char::from(*other),
        None => return at + 1,
    };
    text.push(meant);
    at + 2
}

/// Reads `\uXXXX`, or two of them that make one character. Returns the character (`None` for half
/// of one) and the place behind; `None` if there are no four digits.
fn unicode_escape(bytes: &[u8], at: usize) -> Option<(Option<char>, usize)> {
    let unit = code_unit(bytes, at)?;
    let end = at + 6;
    if let Some(character) = char::from_u32(unit) {
        return Some((Some(character), end));
    }
    let low = code_unit(bytes, end).filter(|low| (0xdc00..0xe000).contains(low));
    match low {
        Some(low) if unit < 0xdc00 => {
            let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            Some((char::from_u32(code), end + 6))
        }
        _ => Some((None, end)),
    }
}

fn code_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| {
        Some(unit * 16 + char::from(*digit).to_digit(16)?)
    })
}

/// Says whether the name of a member means a field, whatever the case of its letters.
///
/// Two letters beyond ASCII fold to ASCII ones: the long s and the Kelvin sign.
pub(crate) fn is_name_of(name: &str, field: &str) -> bool {
    let fold = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(fold).eq(field.chars().map(fold))
}
