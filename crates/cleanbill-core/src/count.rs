//! Numbers of things as text.

/// Writes how many things there are: `1 image`, `2 images`, `3 new vulnerabilities`. The noun is in
/// the singular; adjectives before it stay as they are.
pub fn count(number: u64, noun: &str) -> String {
    match (number, noun.strip_suffix("vulnerability")) {
        (1, _) => format!("1 {noun}"),
        (number, Some(before)) => format!("{number} {before}vulnerabilities"),
        (number, None) => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_any_other_number_is_not() {
        assert_eq!(count(0, "finding"), "0 findings");
        assert_eq!(count(1, "finding"), "1 finding");
        assert_eq!(count(2, "new finding"), "2 new findings");
        assert_eq!(count(1, "vulnerability"), "1 vulnerability");
        assert_eq!(count(2, "new vulnerability"), "2 new vulnerabilities");
    }
}
