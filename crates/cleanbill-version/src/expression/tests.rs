use proptest::prelude::*;

use super::*;
use crate::range::Bound;
use crate::{bitnami, gem, generic, maven, npm, pep440};

const GRAMMARS: [Grammar; 6] = [
    generic::Constraint::GRAMMAR,
    npm::Constraint::GRAMMAR,
    bitnami::Constraint::GRAMMAR,
    pep440::Specifier::GRAMMAR,
    gem::Requirement::GRAMMAR,
    maven::Constraint::GRAMMAR,
];

#[track_caller]
fn check(grammar: &Grammar, text: &str, expected: &[&str]) {
    let items = split(text, grammar);
    let found = items.map(|items| items.iter().map(|item| item.version).collect::<Vec<_>>());
    assert_eq!(found.as_deref(), Some(expected), "{text}");
}

#[test]
fn text_that_falls_into_versions_in_another_way_only_is_passed_over() {
    check(
        &npm::Constraint::GRAMMAR,
        ">=1.2.34.5 <2",
        &["1.2.34", "5", "2"],
    );
    check(&pep440::Specifier::GRAMMAR, ">=1.0alpha1", &["1.0a", "1"]);
    check(&pep440::Specifier::GRAMMAR, "==1.0a.*", &["1.0a."]);
    check(&generic::Constraint::GRAMMAR, "1+av2+3", &["1+av2", "3"]);
}

#[test]
fn only_short_texts_are_tried_in_every_way() {
    let text = |blanks: usize| format!(">=1.2.34.5{}", " ".repeat(blanks));
    assert!(split(&text(0), &npm::Constraint::GRAMMAR).is_some());
    assert_eq!(
        split(&text(SPLIT_SIZE_BYTES_MAX), &npm::Constraint::GRAMMAR),
        None
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// What can be taken apart from left to right is found to be splittable by trying every way,
    /// and then falls into the same pieces.
    #[test]
    fn both_ways_to_split_agree(text in "([<>=!~^]{0,2} ?v?[0-2](\\.[0-2x]){0,3}(-?[a-c][0-2])?,? ?){0,3}") {
        for grammar in &GRAMMARS {
            if let Some(items) = split_in_order(&text, grammar) {
                prop_assert!(can_be_split(&text, grammar), "{text}");
                prop_assert_eq!(find_items(&text, grammar), items);
            }
        }
    }

    #[test]
    fn never_panics(text in "[<>=!~^ ,0-9a-z.|+*é-]{0,32}") {
        for grammar in &GRAMMARS {
            let _ = split(&text, grammar);
        }
    }
}
