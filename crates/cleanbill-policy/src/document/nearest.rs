//! The nearest of the names that exist, for a name that does not.

/// Returns the name that was probably meant: the one with the fewest edits, if they are few for
/// its length.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = folded(name);
    known
        .into_iter()
        .map(|candidate| (distance(&name, &folded(candidate)), candidate))
        .filter(|(edits, candidate)| *edits <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Drops what people mix up: case, and which of the marks joins words.
fn folded(name: &str) -> Vec<char> {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | '.'))
        .flat_map(char::to_lowercase)
        .take(64)
        .collect()
}

/// Counts the characters to insert, remove, replace, or swap with their neighbour.
///
/// Source: optimal string alignment, a form of the Damerau–Levenshtein distance.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(a != b);
            let mut edits = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                edits = edits.min(rows[i - 1][j - 1] + 1);
            }
            row.push(edits);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_if_it_is_near() {
        let known = ["interval", "images", "jitter", "once", "running_only"];
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(nearest(name, known), expected, "{name}");
        };
        check("intervall", Some("interval"));
        check("Interval", Some("interval"));
        check("runningOnly", Some("running_only"));
        check("running-only", Some("running_only"));
        check("image", Some("images"));
        check("jiter", Some("jitter"));
        check("ocne", Some("once"));
        check("password", None);
        check("", None);
    }
}
