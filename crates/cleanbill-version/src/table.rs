//! The tables in `testdata/` as tests.

use std::cmp::Ordering;

use crate::{VersionScheme, range};

/// Checks every line of a table, comparisons in both directions. Returns the number of lines.
#[track_caller]
pub(crate) fn check_table(scheme: VersionScheme, table: &str) -> usize {
    let lines = table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| check_line(scheme, line)).count()
}

#[track_caller]
fn check_line(scheme: VersionScheme, line: &str) {
    let is_version = |text: &str| scheme.compare(unquoted(text), unquoted(text)).is_some();
    let words: Vec<&str> = line.splitn(3, ' ').collect();
    match words.as_slice() {
        ["valid", ..] => assert!(is_version(&line["valid ".len()..]), "{line}"),
        ["invalid", ..] => assert!(!is_version(&line["invalid ".len()..]), "{line}"),
        [left, operator @ ("<" | "="), right] => {
            let (left, right) = (unquoted(left), unquoted(right));
            let expected = match *operator {
                "<" => Ordering::Less,
                _ => Ordering::Equal,
            };
            assert_eq!(scheme.compare(left, right), Some(expected), "{line}");
            let reverse = scheme.compare(right, left);
            assert_eq!(reverse, Some(expected.reverse()), "{line}, reversed");
        }
        [version, word @ ("in" | "outside" | "malformed"), bounds] => {
            let found = match range::satisfies(scheme, version, unquoted(bounds)) {
                Ok(true) => "in",
                Ok(false) => "outside",
                Err(_) => "malformed",
            };
            assert_eq!(found, *word, "{line}");
        }
        _ => panic!("not a line of a table: {line}"),
    }
}

fn unquoted(text: &str) -> &str {
    text.trim_matches('"')
}
