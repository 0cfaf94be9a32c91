//! `system-release` of Amazon Linux.

use super::Statement;
use crate::extractor::{ExtractError, FileInput};
use crate::lines::{Lines, text};

/// Finds the first line that names the product and takes what follows it, words joined by one
/// blank. From release 2 on the word "release" is part of the product's name.
pub(super) fn system_release(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    let mut lines = Lines::new(file);
    while let Some(line) = lines.next()? {
        let line = text(line);
        let words_before = if line.starts_with("Amazon Linux release 2") {
            if line.split_whitespace().count() < 5 {
                continue;
            }
            3
        } else if line.starts_with("Amazon Linux") {
            2
        } else {
            continue;
        };
        let words: Vec<&str> = line.split_whitespace().skip(words_before).collect();
        return Ok(Some(Statement::new("amazon", words.join(" "))));
    }
    Ok(None)
}
