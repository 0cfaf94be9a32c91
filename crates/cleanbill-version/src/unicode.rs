//! Character classes as Go's `unicode` package has them, as far as the standard library differs.
//!
//! The reference asks for general categories, the standard library offers derived properties. No
//! package manager lets such characters into a version; what is pinned here is that a hostile
//! version is read as Trivy reads it. Go 1.26 has Unicode 15.0; letters that came later count here.

/// The zeros of the decimal digits of every script; nine more digits follow each.
/// Source: Unicode 15.0, general category Nd.
const ZEROS: [u32; 68] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0,
    0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60,
    0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0,
    0x1E950, 0x1FBF0,
];

/// Characters with the property Lowercase that are no lower-case letters (general category Ll).
/// Source: Unicode 15.0, `PropList.txt`, Other_Lowercase.
const OTHER_LOWERCASE: [(char, char); 28] = [
    ('\u{AA}', '\u{AA}'),
    ('\u{BA}', '\u{BA}'),
    ('\u{2B0}', '\u{2B8}'),
    ('\u{2C0}', '\u{2C1}'),
    ('\u{2E0}', '\u{2E4}'),
    ('\u{345}', '\u{345}'),
    ('\u{37A}', '\u{37A}'),
    ('\u{10FC}', '\u{10FC}'),
    ('\u{1D2C}', '\u{1D6A}'),
    ('\u{1D78}', '\u{1D78}'),
    ('\u{1D9B}', '\u{1DBF}'),
    ('\u{2071}', '\u{2071}'),
    ('\u{207F}', '\u{207F}'),
    ('\u{2090}', '\u{209C}'),
    ('\u{2170}', '\u{217F}'),
    ('\u{24D0}', '\u{24E9}'),
    ('\u{2C7C}', '\u{2C7D}'),
    ('\u{A69C}', '\u{A69D}'),
    ('\u{A770}', '\u{A770}'),
    ('\u{A7F1}', '\u{A7F4}'),
    ('\u{A7F8}', '\u{A7F9}'),
    ('\u{AB5C}', '\u{AB5F}'),
    ('\u{AB69}', '\u{AB69}'),
    ('\u{10780}', '\u{10780}'),
    ('\u{10783}', '\u{10785}'),
    ('\u{10787}', '\u{107B0}'),
    ('\u{107B2}', '\u{107BA}'),
    ('\u{1E030}', '\u{1E06D}'),
];

/// Says whether a character is a decimal digit of any script (Go: `unicode.IsDigit`).
pub(crate) fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    let code = u32::from(c);
    let following = ZEROS.partition_point(|zero| *zero <= code);
    following
        .checked_sub(1)
        .and_then(|index| ZEROS.get(index))
        .is_some_and(|zero| code - zero < 10)
}

/// Says whether a character is a lower-case letter of any script (Go: `unicode.IsLower`).
pub(crate) fn is_lower(c: char) -> bool {
    let is_other = |range: &(char, char)| (range.0..=range.1).contains(&c);
    c.is_lowercase() && (c.is_ascii() || !OTHER_LOWERCASE.iter().any(is_other))
}

/// Says whether a character is a letter of any script (Go: `unicode.IsLetter`). Unlike Go, vowel
/// signs and the like that belong to letters count too: a package whose version holds one is kept,
/// where Trivy drops it.
pub(crate) fn is_letter(c: char) -> bool {
    c.is_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_general_categories() {
        for digit in ['0', '9', '٣', '९', '９', '𝟎', '𝟿'] {
            assert!(is_digit(digit), "{digit}");
        }
        for other in ['a', '²', '½', 'Ⅷ', '\u{3A}', '\u{66A}'] {
            assert!(!is_digit(other), "{other}");
        }
        for lower in ['a', 'z', 'é', 'ß', 'ω', '𝒶'] {
            assert!(is_lower(lower), "{lower}");
        }
        for other in ['A', '0', 'ª', 'ⅷ', 'ʰ', 'Ж'] {
            assert!(!is_lower(other), "{other}");
        }
        assert!(is_letter('é') && !is_letter('×') && !is_letter('1'));
    }

    #[test]
    fn the_table_of_zeros_is_sorted() {
        assert!(ZEROS.is_sorted_by(|left, right| right - left >= 10));
    }
}
