//! Messages: plain text in which brackets make links and braces make placeholders.

use serde::Serialize;

use crate::text::clean;

/// A message of one form.
#[derive(Serialize)]
pub(super) struct Text {
    text: String,
}

/// A message in plain text and in Markdown.
#[derive(Serialize)]
pub(super) struct Help {
    pub(super) text: String,
    pub(super) markdown: String,
}

impl Text {
    /// Takes a text that is no markup.
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self {
            text: plain(text.as_ref()),
        }
    }

    /// Takes a message that was put together of [`plain`] texts and links.
    pub(super) fn made(text: String) -> Self {
        Self { text }
    }
}

/// Escapes a text for a message, line by line. Source: SARIF 2.1.0 sections 3.11.5 and 3.11.6.
pub(super) fn plain(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let mut escaped = String::with_capacity(line.len());
            for char in clean(line).chars() {
                match char {
                    '\\' | '[' | ']' => escaped.extend(['\\', char]),
                    '{' | '}' => escaped.extend([char, char]),
                    char => escaped.push(char),
                }
            }
            escaped
        })
        .collect();
    lines.join("\n")
}
