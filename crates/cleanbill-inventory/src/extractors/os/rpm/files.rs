//! The files that a package owns.

use cleanbill_core::TextList;

use super::budget::Budget;
use super::header::{Header, HeaderError, tag, text};

/// Bytes that a path takes beside its text.
const PATH_OVERHEAD: u64 = 40;

/// Returns the paths of a package's files: each base name has the number of its directory.
///
/// # Errors
///
/// The lists do not fit together, or they are too large.
///
/// Source: rpm 4.14 `lib/tagexts.c`; the paths are cleaned as Go's `path.Join` cleans them.
pub(super) fn installed_files(
    header: &Header<'_>,
    budget: &mut Budget,
) -> Result<TextList, HeaderError> {
    let names = header.strings(tag::BASE_NAMES)?;
    let indexes = header.int32s(tag::DIR_INDEXES)?;
    let mut directories = Vec::new();
    for directory in header.strings(tag::DIR_NAMES)? {
        budget.take(0, PATH_OVERHEAD)?;
        directories.push(directory);
    }
    let name_count = names.clone().count();
    if directories.is_empty() || name_count == 0 || indexes.len() == 0 {
        return Ok(TextList::default());
    }
    if indexes.len() != name_count || directories.len() > name_count {
        return Err(HeaderError::Files);
    }
    let mut paths = TextList::default();
    for (name, index) in names.zip(indexes) {
        let index = usize::try_from(index).map_err(|_| HeaderError::Files)?;
        let directory = directories.get(index).ok_or(HeaderError::Files)?;
        budget.take(directory.len() + name.len(), PATH_OVERHEAD)?;
        paths.push(&join(&text(directory), &text(name)));
    }
    paths.shrink();
    Ok(paths)
}

/// Joins and cleans a path: `/usr/bin/` and `ls` become `/usr/bin/ls`.
fn join(directory: &str, name: &str) -> String {
    let joined = match (directory, name) {
        ("", name) => name.to_owned(),
        (directory, "") => directory.to_owned(),
        (directory, name) => format!("{directory}/{name}"),
    };
    let is_absolute = joined.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(&last)) if last != ".." => {
                parts.pop();
            }
            ("..", None) if is_absolute => {}
            (part, _) => parts.push(part),
        }
    }
    match (is_absolute, parts.as_slice()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, []) if joined.is_empty() => String::new(),
        (false, []) => ".".to_owned(),
        (false, _) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_cleaned() {
        for (directory, name, expected) in [
            ("/usr/bin/", "ls", "/usr/bin/ls"),
            ("/", "", "/"),
            ("", "ls", "ls"),
            ("/a//b/./", "../c", "/a/c"),
            ("/", "..", "/"),
            ("..", "a", "../a"),
            ("a", "..", "."),
            ("", "", ""),
        ] {
            assert_eq!(join(directory, name), expected, "{directory} + {name}");
        }
    }
}
