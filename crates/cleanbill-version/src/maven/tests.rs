use proptest::prelude::*;

use super::*;
use crate::table::check_table;
use crate::{Range, VersionScheme};

#[test]
fn agrees_with_the_table() {
    let table = include_str!("../../testdata/maven.txt");
    assert!(check_table(VersionScheme::Maven, table) > 100);
}

fn version() -> impl Strategy<Value = String> {
    "[0-2]([.-]([0-2]|a|sp|rc|x|ga)){0,4}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_panics(left in ".{0,24}", right in "[0-9]{0,22}[0-9a-zé.İ-]{0,24}") {
        let _ = Version::parse(&left).compare(&Version::parse(&right));
        let _ = Version::parse(&right).compare(&Version::parse(&left));
    }

    #[test]
    fn ranges_never_panic(text in "[0-9a-z \\[\\](),.|é-]{0,24}") {
        if let Ok(range) = Range::parse(VersionScheme::Maven, &text) {
            let version = crate::Version::parse(VersionScheme::Maven, "1.0").unwrap();
            prop_assert!(range.contains(&version).is_ok());
        }
    }

    #[test]
    fn the_order_is_antisymmetric(a in version(), b in version()) {
        let [a, b] = [a, b].map(|text| Version::parse(&text));
        prop_assert_eq!(a.compare(&a), Ordering::Equal);
        prop_assert_eq!(a.compare(&b), b.compare(&a).reverse());
    }
}
