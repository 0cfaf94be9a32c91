//! Keeps what a report quotes from being taken for a command by the runner of a pipeline, which
//! reads what is printed: `::name::` at the beginning of a line (GitHub), `##[name]` (GitHub, Azure)
//! and `##vso[name]` or `##teamcity[name]` anywhere (Azure, TeamCity).
//!
//! Source: actions/runner `src/Runner.Common/ActionCommand.cs`, azure-pipelines-agent
//! `src/Agent.Sdk/Util/Command.cs`, TeamCity "Service messages".

use std::borrow::Cow;
use std::io::{self, Write};

use cleanbill_report::Format;
use cleanbill_report::text::clean;

/// Says how a sign may be written in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// For people, a table or Markdown (which has no heading without a space): a space comes
    /// between the signs.
    Text,
    /// A reader finds the same in it.
    Xml,
    /// A reader finds the same in it.
    Json,
}

impl Document {
    /// Returns what a format is.
    pub(crate) const fn of(format: Format) -> Self {
        match format {
            Format::Table | Format::Csv | Format::Markdown => Self::Text,
            Format::Junit | Format::Html => Self::Xml,
            Format::Json
            | Format::TrivyJson
            | Format::CycloneDx
            | Format::Spdx
            | Format::OpenVex
            | Format::Sarif
            | Format::Gitlab => Self::Json,
        }
    }

    /// Guesses what is printed: a document in JSON, or a text.
    pub(crate) fn guess(bytes: &[u8]) -> Self {
        match bytes {
            [b'{', b'\n' | b'"', ..] | [b'[', b'\n' | b'{', ..] => Self::Json,
            _ => Self::Text,
        }
    }

    /// Returns the second sign of `##[` and the first one of `::`, written in another way.
    const fn signs(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("# ", ": "),
            Self::Xml => ("&#35;", "&#58;"),
            Self::Json => ("\\u0023", "\\u003a"),
        }
    }

    /// Makes a line harmless.
    fn line(self, line: &str) -> Cow<'_, str> {
        let (hash, colon) = self.signs();
        let line = with_second_sign(line, hash);
        let indented = line.trim_start();
        match indented.strip_prefix(':') {
            Some(rest) if rest.starts_with(':') => {
                let (indent, _) = line.split_at(line.len() - indented.len());
                Cow::Owned(format!("{indent}{colon}{rest}"))
            }
            _ => line,
        }
    }
}

/// Makes a quoted text harmless wherever a line of it may begin, also where it is wrapped.
pub(crate) fn quoted(text: &str) -> String {
    let text = clean(text);
    let words = text.split(' ').map(|word| Document::Text.line(word));
    words.collect::<Vec<_>>().join(" ")
}

/// Makes a whole document harmless.
pub(crate) fn harmless(text: &str, document: Document) -> String {
    let lines = text.split_inclusive('\n').map(|line| document.line(line));
    lines.collect()
}

/// Writes the second sign of what begins a command in another way.
fn with_second_sign<'a>(text: &'a str, sign: &str) -> Cow<'a, str> {
    let mut out = String::new();
    let mut rest = text;
    let mut written = 0;
    while let Some(at) = rest.find("##") {
        let second = text.len() - rest.len() + at + 1;
        let (until, from) = text.split_at(second);
        let behind = from.get(1..).unwrap_or_default();
        if behind
            .trim_start_matches(|char: char| char.is_ascii_alphabetic())
            .starts_with('[')
        {
            out.push_str(until.get(written..).unwrap_or_default());
            out.push_str(sign);
            written = second + 1;
        }
        // The second sign may be the first one of another pair.
        rest = from;
    }
    if written == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(written..).unwrap_or_default());
    Cow::Owned(out)
}

/// Makes a document harmless while it is written, line by line.
pub(crate) struct Guarded<W: Write> {
    out: W,
    document: Document,
    /// The line that has begun.
    line: Vec<u8>,
}

impl<W: Write> Guarded<W> {
    pub(crate) const fn new(out: W, document: Document) -> Self {
        Self {
            out,
            document,
            line: Vec::new(),
        }
    }

    /// Writes what is left, the last line without its end.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.write_line()?;
        self.out.flush()
    }

    fn write_line(&mut self) -> io::Result<()> {
        let line = String::from_utf8_lossy(&self.line);
        self.out.write_all(self.document.line(&line).as_bytes())?;
        self.line.clear();
        Ok(())
    }
}

impl<W: Write> Write for Guarded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.write_line()?;
            }
        }
        Ok(bytes.len())
    }

    /// Leaves the line that has begun: what follows decides whether it is harmless.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_command_is_written_in_another_way() {
        let check = |text: &str, expected: &str| assert_eq!(quoted(text), expected);
        check("a ##[b]c", "a ## [b]c");
        check("###[b]", "### [b]");
        check("##vso[x] ##VSO[x]", "## vso[x] ## VSO[x]");
        check("##a##[b]", "##a## [b]");
        check("::a:: b ::c", ": :a:: b : :c");
        check(
            "# a ## b ##1 #[c] ##Title a[b] ##",
            "# a ## b ##1 #[c] ##Title a[b] ##",
        );
    }

    #[test]
    fn a_reader_finds_the_same() {
        let text = "##[a] ##vso[b]c ###[d] ## e";
        let json = serde_json::to_string(text).unwrap();
        let written = harmless(&json, Document::Json);
        assert!(
            !written.contains("##[") && !written.contains("##v"),
            "{written}"
        );
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        assert_eq!(
            harmless("<a>##[b]\n::c::d\n</a>", Document::Xml),
            "<a>#&#35;[b]\n&#58;:c::d\n</a>"
        );
    }

    #[test]
    fn a_document_is_harmless_however_it_is_cut() {
        let text = "a ##vso[b]\n \u{3000}::c::d\n##Title\ne::f ä\n::g";
        let expected = "a ## vso[b]\n \u{3000}: :c::d\n##Title\ne::f ä\n: :g";
        for size in 1..text.len() {
            let mut out = Vec::new();
            let mut guarded = Guarded::new(&mut out, Document::Text);
            for part in text.as_bytes().chunks(size) {
                guarded.write_all(part).unwrap();
                guarded.flush().unwrap();
            }
            guarded.finish().unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn json_is_told_from_text() {
        let check = |text: &str, expected| assert_eq!(Document::guess(text.as_bytes()), expected);
        check("{\n  \"a\": 1\n}\n", Document::Json);
        check("{\"a\":1}", Document::Json);
        check("[\n", Document::Json);
        check("[HIGH] a", Document::Text);
        check("", Document::Text);
    }
}
