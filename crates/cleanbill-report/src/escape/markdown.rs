//! Markdown as code hosts read it (GitHub and GitLab flavours).

use std::fmt;

use crate::text::clean;

/// Prints a text as plain words: no part of it is markup, a link, HTML or a mention, and it fits
/// into a table's cell.
#[derive(Clone, Copy)]
pub struct Words<'a>(pub &'a str);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = clean(self.0);
        for (index, word) in text.split_whitespace().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            escape(word, f)?;
        }
        Ok(())
    }
}

fn escape(word: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // Bare addresses become links even without a scheme.
    if let Some((host, rest)) = word.split_at_checked(4)
        && host.eq_ignore_ascii_case("www.")
    {
        write!(f, "{}{JOINER}.", host.trim_end_matches('.'))?;
        return escape(rest, f);
    }
    let mut rest = word;
    let mut is_start = true;
    while let Some(char) = rest.chars().next() {
        let after = rest.get(char.len_utf8()..).unwrap_or_default();
        match char {
            '&' => f.write_str("&amp;")?,
            '<' => f.write_str("&lt;")?,
            '>' => f.write_str("&gt;")?,
            // Keeps the name after it from being notified.
            '@' => write!(f, "@{JOINER}")?,
            ':' if after.starts_with("//") => write!(f, ":{JOINER}")?,
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => write!(f, "\\{char}")?,
            '-' | '+' | '#' if is_start => write!(f, "\\{char}")?,
            char => write!(f, "{char}")?,
        }
        is_start = false;
        rest = after;
    }
    Ok(())
}

/// An invisible character (U+2060) by its number, so that the file itself has none.
const JOINER: &str = "&#8288;";

/// Prints a text as code: names, versions, paths. It fits into a table's cell.
///
/// A backslash before a bar is what tables ask for; only inside code it would be shown, so tables
/// are the place for it. Source: GitHub Flavored Markdown 0.29 sections 4.10 and 6.3.
#[derive(Clone, Copy)]
pub struct Code<'a>(pub &'a str);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = clean(self.0).replace('|', "\\|");
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        let longest_run = text
            .split(|char| char != '`')
            .map(str::len)
            .max()
            .unwrap_or(0);
        let fence = "`".repeat(longest_run + 1);
        if longest_run == 0 {
            write!(f, "{fence}{text}{fence}")
        } else {
            write!(f, "{fence} {text} {fence}")
        }
    }
}
