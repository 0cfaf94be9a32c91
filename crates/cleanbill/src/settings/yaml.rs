//! The configuration file as a tree in which every value knows its line and column.

use super::problem::Problem;

pub(crate) use cleanbill_policy::document::{Content, Node, Place};

/// Reads a document. An empty one is [`Content::Null`].
///
/// # Errors
///
/// It is no YAML, has a key twice, or is unreasonably large. Nothing of the file is quoted, for
/// it may hold secrets.
pub(crate) fn parse(text: &str, file: &str) -> Result<Node, Problem> {
    cleanbill_policy::document::parse(text).map_err(|error| {
        let place = match error.place {
            Some(place) => format!("{file}:{place}"),
            None => file.to_owned(),
        };
        Problem::new(place, error.reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_without_the_text_of_the_file() {
        let deep = "[".repeat(100);
        let bomb = format!("a: &a [x]\nb: {}", "[*a, ".repeat(40));
        for (text, place) in [
            ("a: 1\npassword: hunter2\na: 2\n", "f.yaml:3:1"),
            ("a: [hunter2\nb: 1\n", "f.yaml:"),
            ("a: hunter2\n b: 1\n", "f.yaml:2"),
            ("a: \"hunter2\n", "f.yaml:"),
            ("a: *hunter2\n", "f.yaml:1"),
            ("a: 1\n\thunter2: 1\n", "f.yaml:"),
            (deep.as_str(), "f.yaml"),
            (bomb.as_str(), "f.yaml"),
        ] {
            let problem = parse(text, "f.yaml").unwrap_err();
            assert!(problem.place.starts_with(place), "{text}: {problem}");
            assert!(!problem.text.contains('\n'), "{problem}");
            assert!(!problem.text.contains(" line "), "{problem}");
        }
    }
}
