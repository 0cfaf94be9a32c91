use proptest::prelude::*;

use super::*;
use crate::VersionScheme;
use crate::table::check_table;

#[test]
fn agrees_with_the_table() {
    let table = include_str!("../../testdata/deb.txt");
    assert!(check_table(VersionScheme::Deb, table) > 60);
}

#[track_caller]
fn check_parts(text: &str, epoch: i64, upstream: &str, revision: &str) {
    let version = Version::parse(text).unwrap();
    assert_eq!(version.epoch(), epoch, "{text}");
    assert_eq!(version.upstream(), upstream, "{text}");
    assert_eq!(version.revision(), revision, "{text}");
}

#[test]
fn takes_versions_apart() {
    check_parts("1.2.3", 0, "1.2.3", "");
    check_parts("1:2.3-4-5", 1, "2.3-4", "5");
    check_parts("2:1:3-4", 2, "1:3", "4");
    check_parts(
        "5:20.10.7~3-0~debian-buster",
        5,
        "20.10.7~3-0~debian",
        "buster",
    );
    check_parts("\t1.0-\u{2003}", 0, "1.0", "");
}

#[test]
fn says_what_is_wrong() {
    let check = |text: &str, expected: ParseError| {
        assert_eq!(Version::parse(text).unwrap_err(), expected, "{text}");
    };
    check("x:1", ParseError::Epoch("x".to_owned()));
    check("-1:1", ParseError::Epoch("-1".to_owned()));
    check("", ParseError::UpstreamEmpty);
    check("v1", ParseError::UpstreamStart);
    check("1^2", ParseError::UpstreamCharacter('^'));
    check("0:1-2:3", ParseError::RevisionCharacter(':'));
}

fn version() -> impl Strategy<Value = String> {
    "([01]:)?[0-2][0-2a.~+]{0,5}(-[0-2a.~+]{0,3})?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_panics(left in ".{0,24}", right in "[0-9a-z._~^:+ -]{0,24}") {
        if let (Ok(left), Ok(right)) = (Version::parse(&left), Version::parse(&right)) {
            let _ = left.cmp(&right);
        }
    }

    #[test]
    fn printing_keeps_the_version(text in version()) {
        let version = Version::parse(&text).unwrap();
        let printed = version.to_string();
        prop_assert_eq!(Version::parse(&printed).unwrap().to_string(), printed);
    }

    #[test]
    fn the_order_is_total(a in version(), b in version(), c in version()) {
        let [a, b, c] = [a, b, c].map(|text| Version::parse(&text).unwrap());
        prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }
}
