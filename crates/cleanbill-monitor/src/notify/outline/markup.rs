//! The markup of each family of services. What must not happen: that a text from outside becomes
//! markup, mentions somebody, or leads somewhere.

use super::{Line, Piece};

/// Writes pieces for one family of services.
pub(in crate::notify) trait Markup {
    /// Writes words.
    fn text(&self, text: &str) -> String;
    /// Writes words that stand out.
    fn strong(&self, text: &str) -> String;
    /// Writes a name, a version, a path.
    fn code(&self, text: &str) -> String;
    /// Writes words that lead to an address, which holds no white space, quotes or brackets but
    /// round and square ones.
    fn link(&self, text: &str, url: &str) -> String;
    /// Returns what stands in front of an item of a list.
    fn bullet(&self) -> &'static str;
    /// Returns what keeps the signs behind it from making a heading, a list or a quotation.
    fn line_start(&self) -> &'static str {
        "\u{2060}"
    }
}

/// Writes a line.
pub(in crate::notify) fn write_line(line: &Line, markup: &dyn Markup) -> String {
    let mut text = String::new();
    if line.is_item {
        text.push_str(markup.bullet());
    } else if let Some(Piece::Text(words)) = line.pieces.first()
        && is_block_start(words)
    {
        text.push_str(markup.line_start());
    }
    for piece in &line.pieces {
        text.push_str(&match piece {
            Piece::Text(words) => markup.text(words),
            Piece::Strong(words) if words.is_empty() => String::new(),
            Piece::Strong(words) => markup.strong(words),
            Piece::Code(words) if words.is_empty() => markup.text("?"),
            Piece::Code(words) => markup.code(words),
            Piece::Link { text, url } => markup.link(text, url),
        });
    }
    text
}

/// No markup at all: ntfy, and the text part of mails.
#[derive(Clone, Copy, Debug)]
pub(in crate::notify) struct PlainText;

impl Markup for PlainText {
    fn text(&self, text: &str) -> String {
        text.to_owned()
    }

    fn strong(&self, text: &str) -> String {
        text.to_owned()
    }

    fn code(&self, text: &str) -> String {
        text.to_owned()
    }

    fn link(&self, text: &str, url: &str) -> String {
        if text == url {
            return url.to_owned();
        }
        format!("{text} ({url})")
    }

    fn bullet(&self) -> &'static str {
        "- "
    }

    fn line_start(&self) -> &'static str {
        ""
    }
}

/// Slack's `mrkdwn`. It has no escape for its signs of emphasis, so look-alikes stand for them.
///
/// Source: Slack, "Formatting text for app surfaces".
#[derive(Clone, Copy, Debug)]
pub(in crate::notify) struct SlackText;

/// Stands for a back quote, which would end code.
const BACK_QUOTE: char = '\u{2cb}';

/// Keeps what follows from being read together with what precedes; takes no room.
const JOINER: char = '\u{2060}';

impl SlackText {
    /// Escapes the three signs by which Slack tells links and mentions from text.
    fn escape(char: char, to: &mut String) {
        match char {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            char => to.push(char),
        }
    }
}

impl Markup for SlackText {
    fn text(&self, text: &str) -> String {
        let mut escaped = String::new();
        for (at, char) in text.char_indices() {
            match char {
                '*' => escaped.push('∗'),
                '_' => escaped.push('ˍ'),
                '~' => escaped.push('∼'),
                '`' => escaped.push(BACK_QUOTE),
                // The name of a picture stands between colons; a mention begins with an at sign.
                ':' if is_special_colon(text, at) => escaped.extend([':', JOINER]),
                '@' => escaped.extend(['@', JOINER]),
                char => Self::escape(char, &mut escaped),
            }
        }
        escaped
    }

    fn strong(&self, text: &str) -> String {
        format!("*{}*", self.text(text))
    }

    fn code(&self, text: &str) -> String {
        let mut escaped = String::from("`");
        for char in text.chars() {
            match char {
                '`' => escaped.push(BACK_QUOTE),
                char => Self::escape(char, &mut escaped),
            }
        }
        escaped.push('`');
        escaped
    }

    fn link(&self, text: &str, url: &str) -> String {
        let words = if text == url {
            "open".to_owned()
        } else {
            self.text(text)
        };
        format!("<{}|{words}>", url.replace('&', "&amp;"))
    }

    fn bullet(&self) -> &'static str {
        "• "
    }
}

/// Markdown as chat services read it.
#[derive(Clone, Copy, Debug)]
pub(in crate::notify) struct Markdown {
    /// The signs that a backslash makes harmless.
    pub(in crate::notify) escapable: &'static str,
}

impl Markdown {
    /// What Discord and CommonMark agree on.
    pub(in crate::notify) const COMMON: Self = Self {
        escapable: "\\`*_~|<>[]()#&",
    };

    /// Mattermost shows a backslash before an angle bracket.
    pub(in crate::notify) const MATTERMOST: Self = Self {
        escapable: "\\`*_~|[]()#",
    };

    /// Writes a heading.
    pub(in crate::notify) fn heading(self, text: &str) -> String {
        format!("### {}", self.text(text))
    }
}

impl Markup for Markdown {
    fn text(&self, text: &str) -> String {
        let mut escaped = String::new();
        for (at, char) in text.char_indices() {
            match char {
                char if self.escapable.contains(char) => escaped.extend(['\\', char]),
                '<' => escaped.push('‹'),
                '>' => escaped.push('›'),
                // Mentions, pictures, addresses.
                '@' => escaped.extend(['@', JOINER]),
                ':' if is_special_colon(text, at) => escaped.extend([':', JOINER]),
                '.' if is_bare_address(text, at) => escaped.extend([JOINER, '.']),
                char => escaped.push(char),
            }
        }
        escaped
    }

    fn strong(&self, text: &str) -> String {
        format!("**{}**", self.text(text))
    }

    fn code(&self, text: &str) -> String {
        format!("`{}`", text.replace('`', &BACK_QUOTE.to_string()))
    }

    fn link(&self, text: &str, url: &str) -> String {
        let words = if text == url {
            "open".to_owned()
        } else {
            self.text(text)
        };
        let mut address = String::new();
        for char in url.chars() {
            match char {
                '(' => address.push_str("%28"),
                ')' => address.push_str("%29"),
                '[' => address.push_str("%5B"),
                ']' => address.push_str("%5D"),
                '*' => address.push_str("%2A"),
                char => address.push(char),
            }
        }
        format!("[{words}]({address})")
    }

    fn bullet(&self) -> &'static str {
        "- "
    }
}

/// Says whether a line that begins with this could be a heading, an item of a list, a quotation,
/// or what makes a heading of the line above.
fn is_block_start(text: &str) -> bool {
    let rest = text.trim_start_matches(|char: char| char.is_ascii_digit());
    match text.chars().next() {
        None => false,
        Some('0'..='9') => rest.starts_with(['.', ')']),
        Some(char) => !char.is_alphabetic(),
    }
}

/// Says whether a colon begins an address or the name of a picture, `://` or `:skull:`.
fn is_special_colon(text: &str, at: usize) -> bool {
    let after = text.get(at + 1..).unwrap_or_default();
    let is_name = |char: char| !char.is_whitespace() && char != ':';
    let rest = after.trim_start_matches(is_name);
    after.starts_with("//") || (rest.len() < after.len() && rest.starts_with(':'))
}

/// Says whether a full stop follows `www`, which makes a link of what follows.
fn is_bare_address(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let start = before.len().saturating_sub(3);
    before
        .get(start..)
        .is_some_and(|word| word.eq_ignore_ascii_case("www"))
}
