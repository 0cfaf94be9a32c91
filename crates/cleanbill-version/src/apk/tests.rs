use proptest::prelude::*;

use super::*;
use crate::VersionScheme;
use crate::table::check_table;

#[test]
fn agrees_with_the_table() {
    let table = include_str!("../../testdata/apk.txt");
    assert!(check_table(VersionScheme::Apk, table) > 60);
}

#[test]
fn invalid_versions_do_not_compare() {
    assert_eq!(compare("23_foo", "4_beta"), None);
    assert_eq!(compare("4_beta", "23_foo"), None);
    assert_eq!(compare("1.0bc", "1.0bc"), None);
}

/// Mostly versions, but not only.
fn version() -> impl Strategy<Value = String> {
    "[0-2]{1,2}(\\.0{0,2}[0-2]?){0,2}[a-c]?(_(alpha|beta|rc|cvs|p)[0-2]?){0,2}(-r[0-2]?)?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_panics(left in ".{0,24}", right in "[0-9a-z._~^:+ -]{0,24}") {
        let _ = compare(&left, &right);
        prop_assert_eq!(compare(&left, &left).is_some(), is_valid(&left));
    }

    #[test]
    fn the_grammar_is_valid(version in version()) {
        prop_assert!(is_valid(&version));
    }

    #[test]
    fn the_order_is_total(a in version(), b in version(), c in version()) {
        let order = |left: &String, right: &String| compare(left, right).unwrap();
        prop_assert_eq!(order(&a, &a), Ordering::Equal);
        prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
        if order(&a, &b).is_le() && order(&b, &c).is_le() {
            prop_assert!(order(&a, &c).is_le());
        }
    }
}
