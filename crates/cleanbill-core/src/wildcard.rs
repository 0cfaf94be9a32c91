//! Texts with `*` and `?`, as people write them in lists of names.

/// Says whether a whole text fits a pattern: `*` stands for any run of characters, none included,
/// `?` for one, and everything else for itself.
///
/// From left to right, going back to the last `*` only: the time is bounded by the product of both
/// lengths.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (mut wanted, mut left) = (pattern.chars(), text.chars());
    let mut last_star = None;
    while !left.as_str().is_empty() {
        let (mut after_wanted, mut after_left) = (wanted.clone(), left.clone());
        match (after_wanted.next(), after_left.next()) {
            (Some('*'), _) => {
                last_star = Some((after_wanted.clone(), left.clone()));
                wanted = after_wanted;
            }
            (Some(one), char) if one == '?' || Some(one) == char => {
                (wanted, left) = (after_wanted, after_left);
            }
            _ => {
                let Some((after_star, from)) = &mut last_star else {
                    return false;
                };
                from.next();
                (wanted, left) = (after_star.clone(), from.clone());
            }
        }
    }
    wanted.all(|char| char == '*')
}

/// Says whether a text stands for more than itself.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_not_bytes() {
        for (pattern, text, expected) in [
            ("lib?", "libé", true),
            ("lib??", "libé", false),
            ("*??", "éa", true),
            ("*é", "ééé", true),
            ("a*", "a", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        assert!(is_pattern("a?") && is_pattern("*") && !is_pattern("a.b[c]"));
    }

    #[test]
    fn many_stars_take_few_steps() {
        let pattern = "*a".repeat(200);
        let text = "a".repeat(100_000);
        assert!(fits(&pattern, &text));
        assert!(!fits(&format!("{pattern}b"), &text));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

        #[test]
        fn patterns_agree_with_a_simple_matcher(pattern in "[aé*?]{0,8}", text in "[aé]{0,8}") {
            fn matches(pattern: &[char], text: &[char]) -> bool {
                match (pattern, text) {
                    ([], text) => text.is_empty(),
                    (['*', rest @ ..], text) => {
                        (0..=text.len()).any(|at| matches(rest, &text[at..]))
                    }
                    (['?', rest @ ..], [_, after @ ..]) => matches(rest, after),
                    ([char, rest @ ..], [first, after @ ..]) => {
                        char == first && matches(rest, after)
                    }
                    (_, []) => false,
                }
            }
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            let expected = matches(&chars(&pattern), &chars(&text));
            proptest::prop_assert_eq!(fits(&pattern, &text), expected);
        }
    }
}
