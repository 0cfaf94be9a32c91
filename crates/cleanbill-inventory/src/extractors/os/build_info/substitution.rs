//! Evaluation of a word: variables, quotes and escapes.
//!
//! Source: buildkit 0.32 `frontend/dockerfile/shell/lex.go`. Cutting and replacing by patterns
//! (`${name#pattern}`, `${name/pattern/text}`) is refused: no label of a build needs it, and it
//! would let a small file cost much time.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

use super::dockerfile::DockerfileError;

/// Characters that a word may grow to: variables may name each other's text many times.
const WORD_LENGTH_MAX: usize = 1 << 12;
/// Substitutions inside substitutions.
const DEPTH_MAX: u32 = 20;

/// Evaluates words.
pub(super) struct Evaluator<'a> {
    escape: char,
    variables: &'a HashMap<String, String>,
}

type Input<'a> = Peekable<Chars<'a>>;

impl<'a> Evaluator<'a> {
    /// Builds an evaluator over variables.
    pub(super) fn new(escape: char, variables: &'a HashMap<String, String>) -> Self {
        Self { escape, variables }
    }

    /// Evaluates a word.
    ///
    /// # Errors
    ///
    /// A quote or a brace is not closed, or a substitution is malformed or not understood.
    pub(super) fn evaluate(&self, word: &str) -> Result<String, DockerfileError> {
        self.until(&mut word.chars().peekable(), None, 0)
    }

    /// Evaluates up to an unquoted `stop`, or up to the end.
    fn until(
        &self,
        input: &mut Input<'_>,
        stop: Option<char>,
        depth: u32,
    ) -> Result<String, DockerfileError> {
        let mut result = String::new();
        while let Some(character) = input.next() {
            match character {
                _ if Some(character) == stop => return Ok(result),
                '\'' => self.single_quoted(input, &mut result)?,
                '"' => self.double_quoted(input, &mut result, depth)?,
                '$' => result.push_str(&self.variable(input, depth)?),
                _ if character == self.escape => result.extend(input.next()),
                _ => result.push(character),
            }
            if result.len() > WORD_LENGTH_MAX {
                return Err(DockerfileError("a value is too long"));
            }
        }
        match stop {
            None => Ok(result),
            Some(_) => Err(DockerfileError("a substitution is not closed")),
        }
    }

    fn single_quoted(
        &self,
        input: &mut Input<'_>,
        result: &mut String,
    ) -> Result<(), DockerfileError> {
        loop {
            match input.next() {
                Some('\'') => return Ok(()),
                Some(character) => result.push(character),
                None => return Err(DockerfileError("a quote is not closed")),
            }
        }
    }

    fn double_quoted(
        &self,
        input: &mut Input<'_>,
        result: &mut String,
        depth: u32,
    ) -> Result<(), DockerfileError> {
        loop {
            match input.next() {
                Some('"') => return Ok(()),
                Some('$') => result.push_str(&self.variable(input, depth)?),
                Some(character) if character == self.escape => {
                    // Before other characters than these an escape stands for itself.
                    let is_special = |c: &char| matches!(c, '"' | '$') || *c == self.escape;
                    match input.next_if(is_special) {
                        Some(escaped) => result.push(escaped),
                        None if input.peek().is_some() => result.push(character),
                        None => {}
                    }
                }
                Some(character) => result.push(character),
                None => return Err(DockerfileError("a quote is not closed")),
            }
            if result.len() > WORD_LENGTH_MAX {
                return Err(DockerfileError("a value is too long"));
            }
        }
    }

    /// Evaluates what follows a `$`.
    fn variable(&self, input: &mut Input<'_>, depth: u32) -> Result<String, DockerfileError> {
        if depth > DEPTH_MAX {
            return Err(DockerfileError("substitutions are nested too deeply"));
        }
        if input.next_if_eq(&'{').is_some() {
            return self.braced(input, depth);
        }
        let name = read_name(input);
        if name.is_empty() {
            return Ok("$".to_owned());
        }
        Ok(self.variables.get(&name).cloned().unwrap_or_default())
    }

    /// Evaluates what follows a `${`.
    fn braced(&self, input: &mut Input<'_>, depth: u32) -> Result<String, DockerfileError> {
        let name = read_name(input);
        if name.is_empty() {
            return Err(DockerfileError("a substitution names no variable"));
        }
        let value = self.variables.get(&name).map(String::as_str);
        let (counts_empty, modifier) = match input.next() {
            Some('}') => return Ok(value.unwrap_or_default().to_owned()),
            Some(':') => (false, input.next()),
            modifier => (true, modifier),
        };
        let set = value.filter(|value| counts_empty || !value.is_empty());
        match modifier {
            Some('-') => {
                let word = self.until(input, Some('}'), depth + 1)?;
                Ok(set.map_or(word, str::to_owned))
            }
            Some('+') => {
                let word = self.until(input, Some('}'), depth + 1)?;
                Ok(set.map(|_| word).unwrap_or_default())
            }
            Some('?') => {
                self.until(input, Some('}'), depth + 1)?;
                set.map(str::to_owned)
                    .ok_or(DockerfileError("a variable that must be set is not"))
            }
            _ => Err(DockerfileError("a substitution is of an unknown form")),
        }
    }
}

/// Reads the name of a variable: letters, digits and underscores, or digits alone.
fn read_name(input: &mut Input<'_>) -> String {
    let mut name = String::new();
    let starts_with_digit = input.peek().is_some_and(|c| c.is_numeric());
    let is_part = |c: &char| {
        if starts_with_digit {
            c.is_numeric()
        } else {
            c.is_alphanumeric() || *c == '_'
        }
    };
    while let Some(character) = input.next_if(is_part) {
        name.push(character);
    }
    name
}
