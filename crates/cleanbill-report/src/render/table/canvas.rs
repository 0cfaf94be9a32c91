//! Lines of styled text.

use std::io::{self, Write};

use anstyle::{AnsiColor, Effects};
use cleanbill_core::severity::Severity;

use super::super::RenderOptions;
use crate::text;

/// Says what a piece of text is, and so how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Notice,
    Alarm,
    Gap,
    Severity(Severity),
}

/// A piece of text in one style, cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) text: String,
    pub(super) style: Style,
    /// Where a click on it leads.
    pub(super) link: Option<String>,
}

impl Span {
    /// Cleans the text: it may be hostile.
    pub(super) fn new(text: &str, style: Style) -> Self {
        Self {
            text: text::clean(text).into_owned(),
            style,
            link: None,
        }
    }

    /// Splits a text at its spaces.
    pub(super) fn words(text: &str, style: Style) -> Vec<Self> {
        let cleaned = text::clean(text);
        let words = cleaned.split_whitespace();
        words
            .map(|word| Self {
                text: word.to_owned(),
                style,
                link: None,
            })
            .collect()
    }

    pub(super) fn plain(text: &str) -> Self {
        Self::new(text, Style::Plain)
    }

    /// Adds a link if the address is one of https without characters that a terminal could take
    /// for the end of the link.
    pub(super) fn with_link(mut self, address: &str) -> Self {
        let is_safe = address.starts_with("https://")
            && address.len() < 2_000
            && address.bytes().all(|byte| byte.is_ascii_graphic());
        self.link = is_safe.then(|| address.to_owned());
        self
    }

    pub(super) fn width(&self) -> usize {
        text::width(&self.text)
    }

    pub(super) fn with_text(&self, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            style: self.style,
            link: self.link.clone(),
        }
    }
}

/// Writes lines and knows what the terminal can do.
pub(super) struct Canvas<'a> {
    out: &'a mut dyn Write,
    pub(super) width: usize,
    color: bool,
    hyperlinks: bool,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(out: &'a mut dyn Write, width: usize, options: &RenderOptions) -> Self {
        Self {
            out,
            width,
            color: options.color,
            hyperlinks: options.hyperlinks,
        }
    }

    pub(super) fn empty_line(&mut self) -> io::Result<()> {
        self.line(&[])
    }

    /// Writes the spans one after the other, as they are, and ends the line.
    pub(super) fn line(&mut self, spans: &[Span]) -> io::Result<()> {
        for span in spans {
            self.span(span)?;
        }
        self.out.write_all(b"\n")
    }

    /// Writes words with a space between them, wrapped; further lines begin with the indent and
    /// two more columns. What shall stay together is one word.
    pub(super) fn paragraph(&mut self, indent: &str, words: &[Span]) -> io::Result<()> {
        if words.is_empty() {
            return Ok(());
        }
        let hanging = format!("{indent}  ");
        let columns = self.width.saturating_sub(hanging.len());
        for (index, line) in super::layout::wrap(words, columns).iter().enumerate() {
            let indent = if index == 0 { indent } else { &hanging };
            self.out.write_all(indent.as_bytes())?;
            self.words(line)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Writes a text as a paragraph in one style.
    pub(super) fn note(&mut self, indent: &str, text: &str, style: Style) -> io::Result<()> {
        self.paragraph(indent, &Span::words(text, style))
    }

    /// Writes a line across.
    pub(super) fn rule(&mut self) -> io::Result<()> {
        let text = "─".repeat(self.width);
        self.line(&[Span::new(&text, Style::Dim)])
    }

    /// Writes spans with a space between them, without ending the line.
    pub(super) fn words(&mut self, spans: &[Span]) -> io::Result<()> {
        for (index, span) in spans.iter().enumerate() {
            if index > 0 {
                self.out.write_all(b" ")?;
            }
            self.span(span)?;
        }
        Ok(())
    }

    pub(super) fn spaces(&mut self, count: usize) -> io::Result<()> {
        write!(self.out, "{:count$}", "")
    }

    fn span(&mut self, span: &Span) -> io::Result<()> {
        let link = span.link.as_ref().filter(|_| self.hyperlinks);
        if let Some(address) = link {
            write!(self.out, "\x1b]8;;{address}\x1b\\")?;
        }
        let style = span.style.look();
        if self.color && style != anstyle::Style::new() {
            write!(self.out, "{style}{}{style:#}", span.text)?;
        } else {
            self.out.write_all(span.text.as_bytes())?;
        }
        if link.is_some() {
            self.out.write_all(b"\x1b]8;;\x1b\\")?;
        }
        Ok(())
    }
}

impl Style {
    fn look(self) -> anstyle::Style {
        let plain = anstyle::Style::new();
        let colored = |color: AnsiColor| plain.fg_color(Some(color.into()));
        match self {
            Style::Plain => plain,
            Style::Bold => plain.bold(),
            Style::Dim | Style::Severity(Severity::Unknown) => plain.dimmed(),
            Style::Good => colored(AnsiColor::Green),
            Style::Notice => colored(AnsiColor::Yellow).bold(),
            Style::Gap => colored(AnsiColor::Red).bold(),
            Style::Alarm => colored(AnsiColor::Red).effects(Effects::BOLD | Effects::INVERT),
            Style::Severity(Severity::Critical) => colored(AnsiColor::BrightWhite)
                .bg_color(Some(AnsiColor::Red.into()))
                .bold(),
            Style::Severity(Severity::High) => colored(AnsiColor::Red).bold(),
            Style::Severity(Severity::Medium) => colored(AnsiColor::Yellow),
            Style::Severity(Severity::Low) => colored(AnsiColor::Cyan),
        }
    }
}
