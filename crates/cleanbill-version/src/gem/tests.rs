use proptest::prelude::*;

use super::*;
use crate::VersionScheme;
use crate::table::check_table;

#[test]
fn agrees_with_the_table() {
    let table = include_str!("../../testdata/gem.txt");
    assert!(check_table(VersionScheme::Gem, table) > 80);
}

fn version() -> impl Strategy<Value = String> {
    "[0-2](\\.[0-2a-cA]{1,2}){0,3}(-[0-2a-c]{1,3})?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_panics(left in ".{0,24}", right in "[0-9]{0,22}[0-9a-z. -]{0,24}") {
        if let (Some(left), Some(right)) = (Version::parse(&left), Version::parse(&right)) {
            let _ = (left.cmp(&right), right.bumped());
        }
    }

    #[test]
    fn the_order_is_total(a in version(), b in version(), c in version()) {
        let [a, b, c] = [a, b, c].map(|text| Version::parse(&text).unwrap());
        prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }
}
