//! TOML as the reference reads it: names of members are found whatever their case, and a member
//! of another type than wanted spoils the file.
//!
//! A file becomes a tree in memory, so its size has a limit of its own; the parser bounds the
//! depth.
//!
//! Source: BurntSushi/toml 1.6 `decode.go`, which Trivy 0.74.0 uses.

use cleanbill_core::package::Location;
use toml::{Table, Value};

use crate::extractor::{ExtractError, FileInput};

/// Longer lines end the search for blocks, as in the reference.
const LINE_SIZE_BYTES_MAX: usize = 64 * 1024;

/// Says why a TOML file is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum TomlError {
    /// It is not text.
    #[error("it is not UTF-8")]
    NotText,
    /// It is no TOML.
    #[error("it is no TOML: {0}")]
    Syntax(String),
    /// A member has another type than wanted.
    #[error("'{member}' is not {wanted}")]
    Type {
        /// The name of the member.
        member: String,
        /// What it should be.
        wanted: &'static str,
    },
}

/// Reads the text of a file.
///
/// # Errors
///
/// Reading failed, or the file is too large.
pub(super) fn read(file: &mut FileInput<'_>) -> Result<Vec<u8>, ExtractError> {
    file.read_all(file.limits.toml_size_bytes_max, "toml_size_bytes_max")
}

/// Returns the text of a file.
///
/// # Errors
///
/// It is not UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str, TomlError> {
    std::str::from_utf8(bytes).map_err(|_| TomlError::NotText)
}

/// Parses a text.
///
/// # Errors
///
/// It is no TOML, or nested too deeply.
pub(super) fn parse(text: &str) -> Result<Table, TomlError> {
    text.parse()
        .map_err(|error: toml::de::Error| TomlError::Syntax(error.message().to_owned()))
}

/// Returns a member, by its exact name or else in any case.
pub(super) fn member<'a>(table: &'a Table, name: &str) -> Option<&'a Value> {
    table.get(name).or_else(|| {
        let folded = |key: &&String| key.eq_ignore_ascii_case(name);
        table.keys().find(folded).and_then(|key| table.get(key))
    })
}

/// Returns a text, empty if there is none.
///
/// # Errors
///
/// The member is something else.
pub(super) fn text_member<'a>(table: &'a Table, name: &str) -> Result<&'a str, TomlError> {
    match member(table, name) {
        None => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(wrong(name, "a text")),
    }
}

/// Returns a table, if there is one.
///
/// # Errors
///
/// The member is something else.
pub(super) fn table_member<'a>(
    table: &'a Table,
    name: &str,
) -> Result<Option<&'a Table>, TomlError> {
    match member(table, name) {
        None => Ok(None),
        Some(Value::Table(inner)) => Ok(Some(inner)),
        Some(_) => Err(wrong(name, "a table")),
    }
}

/// Returns a list of texts, if there is one.
///
/// # Errors
///
/// The member is something else.
pub(super) fn texts_member<'a>(
    table: &'a Table,
    name: &str,
) -> Result<Option<Vec<&'a str>>, TomlError> {
    member(table, name)
        .map(|value| texts(value).ok_or_else(|| wrong(name, "a list of texts")))
        .transpose()
}

/// Returns a list of tables, empty if there is none.
///
/// # Errors
///
/// The member is something else.
pub(super) fn tables_member<'a>(table: &'a Table, name: &str) -> Result<Vec<&'a Table>, TomlError> {
    member(table, name).map_or(Ok(Vec::new()), |value| {
        tables(value).ok_or_else(|| wrong(name, "a list of tables"))
    })
}

/// Returns a list of texts; `None` if the value is something else.
pub(super) fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// Returns a list of tables; `None` if the value is something else.
pub(super) fn tables(value: &Value) -> Option<Vec<&Table>> {
    value.as_array()?.iter().map(Value::as_table).collect()
}

/// Says that a member is not what it should be.
pub(super) fn wrong(member: &str, wanted: &'static str) -> TomlError {
    TomlError::Type {
        member: member.chars().take(100).collect(),
        wanted,
    }
}

/// Gives the lines between one `[header]` and the next, up to the first blank one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) uuid: &'a str,
    pub(super) location: Location,
}

/// Finds the blocks of a text by its lines alone, as lock files are laid out by their tools.
///
/// Source: Trivy 0.74.0 `pkg/dependency/parser/rust/cargo/naive_pkg_parser.go`.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut block = Block::default();
    let mut number: u64 = 1;
    for line in text.lines() {
        if line.len() >= LINE_SIZE_BYTES_MAX {
            break;
        }
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            block.end_at(number - 1);
            blocks.push(std::mem::take(&mut block));
            block.location.start_line = number;
        } else if trimmed.starts_with("name =") {
            block.name = value_of(line);
        } else if trimmed.starts_with("version =") {
            block.version = value_of(line);
        } else if trimmed.starts_with("uuid =") {
            block.uuid = value_of(line);
        } else if trimmed.is_empty() {
            block.end_at(number - 1);
        }
        number += 1;
    }
    block.end_at(number - 1);
    blocks.push(block);
    blocks
}

impl Block<'_> {
    fn end_at(&mut self, line: u64) {
        if self.location.end_line == 0 {
            self.location.end_line = line;
        }
    }
}

/// Returns what follows the only equals sign of a line, without quotes.
fn value_of(line: &str) -> &str {
    match line.split_once('=') {
        Some((_, value)) if !value.contains('=') => value.trim_matches([' ', '"']),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_any_case() {
        let table = parse("Name = 'a'\nversion = '1'\nVERSION = '2'\nlist = [1]").unwrap();
        assert_eq!(text_member(&table, "name").unwrap(), "a");
        assert_eq!(text_member(&table, "version").unwrap(), "1");
        assert_eq!(text_member(&table, "none").unwrap(), "");
        assert!(text_member(&table, "list").is_err());
        assert!(texts_member(&table, "list").is_err());
        assert!(table_member(&table, "list").is_err());
        assert!(tables_member(&table, "list").is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(parse(&deep), Err(TomlError::Syntax(_))));
        let deep = format!("{}a = 1", "a.".repeat(100_000));
        assert!(matches!(parse(&deep), Err(TomlError::Syntax(_))));
    }

    #[test]
    fn blocks_end_at_a_blank_line_or_the_next_header() {
        let text = "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"1\"\n\nx\n[[package]]\n\
            name = \"b\"\nuuid = \"u=v\"\n";
        let found: Vec<_> = blocks(text)
            .iter()
            .map(|b| {
                (
                    b.name,
                    b.version,
                    b.uuid,
                    b.location.start_line,
                    b.location.end_line,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("", "3", "", 0, 1),
                ("a", "1", "", 3, 5),
                ("b", "", "", 8, 10)
            ]
        );
    }

    #[test]
    fn a_line_that_is_too_long_ends_the_search() {
        let text = format!(
            "[[package]]\nname = \"a\"\n#{}\n[[package]]\nname = \"b\"",
            "x".repeat(70_000)
        );
        assert_eq!(blocks(&text).last().unwrap().name, "a");
    }
}
