//! Addresses and paths.

use std::fmt;

/// Returns an address that may become a link: absolute, `http` or `https`, and made of nothing
/// but the printable characters that an address consists of. `javascript:`, `data:` and whatever
/// could end an attribute or a Markdown link is none.
pub fn web_address(text: &str) -> Option<&str> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })?;
    let is_host = rest.starts_with(|char: char| char.is_ascii_alphanumeric() || char == '[');
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte));
    (is_host && is_plain).then_some(text)
}

/// Prints a path inside an image as a relative URI reference: without a leading slash, everything
/// but unreserved characters and slashes escaped.
///
/// Source: RFC 3986 section 2.3.
pub struct RelativeUri<'a>(pub &'a str);

impl fmt::Display for RelativeUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.trim_start_matches('/').bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}
