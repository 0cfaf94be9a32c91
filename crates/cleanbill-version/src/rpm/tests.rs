use proptest::prelude::*;

use super::*;
use crate::VersionScheme;
use crate::table::check_table;

#[test]
fn agrees_with_the_table() {
    let table = include_str!("../../testdata/rpm.txt");
    assert!(check_table(VersionScheme::Rpm, table) > 50);
}

#[track_caller]
fn check_parts(text: &str, expected: (i64, &str, &str), printed: &str) {
    let version = Version::parse(text);
    let parts = (version.epoch(), version.version(), version.release());
    assert_eq!(parts, expected, "{text}");
    assert_eq!(version.to_string(), printed, "{text}");
}

#[test]
fn takes_versions_apart_and_prints_them() {
    check_parts("1.2-3", (0, "1.2", "3"), "1.2-3");
    check_parts("0:1.2-3", (0, "1.2", "3"), "1.2-3");
    check_parts(" 2:1.2-3-4", (2, "1.2", "3-4"), "2:1.2-3-4");
    check_parts("-2:1.2", (-2, "1.2", ""), "1.2");
    check_parts("2 :1.2-", (0, "1.2", ""), "1.2");
    check_parts("1:2:3", (1, "2:3", ""), "1:2:3");
    check_parts("", (0, "", ""), "");
}

fn version() -> impl Strategy<Value = String> {
    "([01]:)?[0-2a.~^]{0,6}(-[0-2a.~^]{0,4})?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_panics(left in ".{0,24}", right in "[0-9a-z._~^:+ -]{0,24}") {
        let _ = Version::parse(&left).cmp(&Version::parse(&right));
    }

    #[test]
    fn printing_keeps_the_version(text in version()) {
        let version = Version::parse(&text);
        let printed = version.to_string();
        prop_assert_eq!(Version::parse(&printed).to_string(), printed);
    }

    #[test]
    fn the_order_is_total(a in version(), b in version(), c in version()) {
        let [a, b, c] = [a, b, c].map(|text| Version::parse(&text));
        prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }
}
