use proptest::prelude::*;

use super::*;
use crate::VersionScheme;
use crate::table::check_table;

#[test]
fn agrees_with_the_tables() {
    let table = include_str!("../../testdata/pep440.txt");
    assert!(check_table(VersionScheme::Pep440, table) > 150);
    let table = include_str!("../../testdata/pep440-local.txt");
    assert!(check_table(VersionScheme::Pep440Local, table) > 15);
}

fn version() -> impl Strategy<Value = String> {
    "([01]!)?[0-2](\\.[0-2]){0,2}((a|b|rc)[0-2])?(\\.post[0-2])?(\\.dev[0-2])?(\\+[0-2a-c](\\.[0-2a-c])?)?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_panics(left in ".{0,24}", right in "v?[0-9]{0,22}[0-9a-z!._+-]{0,24}") {
        if let (Some(left), Some(right)) = (Version::parse(&left), Version::parse(&right)) {
            let _ = left.cmp(&right);
        }
    }

    #[test]
    fn printing_keeps_the_version(text in version()) {
        let version = Version::parse(&text).unwrap();
        let printed = version.to_string();
        prop_assert_eq!(&Version::parse(&printed).unwrap(), &version);
        prop_assert_eq!(Version::parse(&printed).unwrap().to_string(), printed);
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
