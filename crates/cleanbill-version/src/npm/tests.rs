use proptest::prelude::*;

use super::*;
use crate::VersionScheme;
use crate::table::check_table;

#[test]
fn agrees_with_the_table() {
    let table = include_str!("../../testdata/npm.txt");
    assert!(check_table(VersionScheme::Npm, table) > 110);
}

/// Without an identifier `x`, with which the order is none.
fn version() -> impl Strategy<Value = String> {
    "[0-2]\\.[0-2]\\.[0-2](-[0-2a-c-](\\.[0-2a-c]){0,2})?(\\+[a-c])?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_panics(left in ".{0,24}", right in "[0-9]{1,22}\\.[0-9]\\.[0-9]-[0-9a-zX.+-]{0,24}") {
        if let (Some(left), Some(right)) = (Version::parse(&left), Version::parse(&right)) {
            let _ = left.compare(&right);
        }
    }

    #[test]
    fn the_order_is_total(a in version(), b in version(), c in version()) {
        let [a, b, c] = [a, b, c].map(|text| Version::parse(&text).unwrap());
        prop_assert_eq!(a.compare(&a), Ordering::Equal);
        prop_assert_eq!(a.compare(&b), b.compare(&a).reverse());
        if a.compare(&b).is_le() && b.compare(&c).is_le() {
            prop_assert!(a.compare(&c).is_le());
        }
    }
}
