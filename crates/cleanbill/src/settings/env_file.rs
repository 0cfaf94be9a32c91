//! `.env` files.
//!
//! Two readers decide what such a file means to the people who have one: Docker Compose and
//! python-dotenv. Where both agree, we do as they do. Where they do not:
//!
//! | Line | Compose | python-dotenv | here |
//! |---|---|---|---|
//! | `A=x$Y`, `A="x$Y"`, `A=${Y}` | replaced | `${Y}` replaced | as it stands: a `$` in a password is a `$` |
//! | `A="x\$y"` | `x$y` | `x\$y` | `x$y` |
//! | `A="a\tb"` | `a\tb` or a tab, by version | a tab | a tab |
//! | `A='it\'s'` | `it\'s` or `it's`, by version | `it's` | `it's` |
//! | `A='a\\b'` | `a\\b` | `a\b` | `a\\b`: single quotes take everything as it is |
//! | `A: x` | `x` | not understood | `x` |
//! | `A=x#y` | `x` or `x#y`, by version | `x#y` | `x#y`: a comment needs a blank in front |
//! | `A="x" y` | as two, or wrong | not understood | wrong |
//! | `A` | what the environment has | nothing | nothing |
//!
//! A line that is wrong is an error with its number; what it holds is never quoted.

use std::path::{Path, PathBuf};

use super::problem::Problem;

/// Holds what a `.env` file says, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EnvFile {
    pub(crate) path: PathBuf,
    pub(crate) lines: Vec<Line>,
}

/// One assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Where it begins, from 1.
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) value: String,
}

impl EnvFile {
    /// Returns the last assignment of a name that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&Line> {
        let last = self.lines.iter().rev().find(|line| line.name == name)?;
        Some(last).filter(|line| !line.value.is_empty())
    }

    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// Every line that is not understood.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, Vec<Problem>> {
        let mut cursor = Cursor {
            rest: text.strip_prefix('\u{feff}').unwrap_or(text),
            line: 1,
        };
        let mut lines = Vec::new();
        let mut problems = Vec::new();
        while !cursor.rest.is_empty() {
            let number = cursor.line;
            match cursor.statement() {
                Ok(Some((name, value))) => lines.push(Line {
                    number,
                    name,
                    value,
                }),
                Ok(None) => {}
                Err(reason) => {
                    cursor.skip_line();
                    problems.push(Problem::new(format!("{}:{number}", path.display()), reason));
                }
            }
        }
        if problems.is_empty() {
            Ok(Self {
                path: path.to_owned(),
                lines,
            })
        } else {
            Err(problems)
        }
    }
}

struct Cursor<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Cursor<'a> {
    /// Reads a line, or several if a quoted value has several.
    fn statement(&mut self) -> Result<Option<(String, String)>, &'static str> {
        self.skip_blanks();
        if self.rest.starts_with(['#', '\n', '\r']) || self.rest.is_empty() {
            self.skip_line();
            return Ok(None);
        }
        if let Some(after) = self.rest.strip_prefix("export")
            && after.starts_with(is_blank)
        {
            self.rest = after;
            self.skip_blanks();
        }
        let name = self.name()?;
        self.skip_blanks();
        match self.rest.chars().next() {
            None | Some('\n' | '\r' | '#') => {
                self.skip_line();
                return Ok(None);
            }
            Some('=' | ':') => self.advance(1),
            Some(_) => return Err("expected NAME=value"),
        }
        let before = self
            .rest
            .chars()
            .next()
            .filter(|c| is_blank(*c))
            .unwrap_or('=');
        self.skip_blanks();
        let value = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            _ => self.unquoted(before),
        };
        Ok(Some((name, value)))
    }

    fn name(&mut self) -> Result<String, &'static str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, _) = self.rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err("expected NAME=value");
        }
        self.advance(end);
        Ok(name.to_owned())
    }

    /// Reads up to the end of the line, or a comment with a blank in front; `before` is what stands
    /// in front of the value.
    fn unquoted(&mut self, before: char) -> String {
        let end = self.rest.find(['\n', '\r']).unwrap_or(self.rest.len());
        let (line, _) = self.rest.split_at(end);
        let comment = line
            .char_indices()
            .zip(std::iter::once(before).chain(line.chars()))
            .find(|((_, c), before)| *c == '#' && is_blank(*before))
            .map_or(line.len(), |((at, _), _)| at);
        let value = line.split_at(comment).0.trim().to_owned();
        self.skip_line();
        value
    }

    fn quoted(&mut self, quote: char) -> Result<String, &'static str> {
        let mut value = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        let end = loop {
            let Some((at, c)) = characters.next() else {
                return Err("the quote is not closed");
            };
            if c == quote {
                break at + 1;
            }
            if c != '\\' {
                value.push(c);
                continue;
            }
            let Some((_, escaped)) = characters.next() else {
                return Err("the quote is not closed");
            };
            match unescaped(quote, escaped) {
                Some(c) => value.push(c),
                None => value.extend(['\\', escaped]),
            }
        };
        self.advance(end);
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with(['\n', '\r', '#']) {
            self.skip_line();
            Ok(value)
        } else {
            Err("something stands behind the closing quote")
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    /// Goes to the beginning of the next line.
    fn skip_line(&mut self) {
        let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        self.advance(end);
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{b}' | '\u{c}' | '\u{a0}')
}

/// Returns what a backslash and a character stand for, if not for themselves.
fn unescaped(quote: char, escaped: char) -> Option<char> {
    match (quote, escaped) {
        ('\'', '\'') => Some('\''),
        ('\'', _) => None,
        (_, 'n') => Some('\n'),
        (_, 'r') => Some('\r'),
        (_, 't') => Some('\t'),
        (_, '\\' | '"' | '\'' | '$') => Some(escaped),
        _ => None,
    }
}
