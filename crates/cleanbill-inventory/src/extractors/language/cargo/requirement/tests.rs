use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(requirement: &str, allowed: &[&str], refused: &[&str]) {
    let parsed = Requirement::parse(requirement).unwrap();
    for (versions, expected) in [(allowed, true), (refused, false)] {
        for text in versions {
            let version = Version::parse(text).unwrap();
            assert_eq!(parsed.allows(&version), expected, "{requirement}: {text}");
        }
    }
}

// The answers are those of the reference's library.

#[test]
fn a_plain_version_is_a_caret() {
    check("1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0", "1.3.0-a"]);
    check("1.2", &["1.2.0", "1.9.0"], &["1.1.9", "2.0.0"]);
    check("1", &["1.0.0"], &["0.9.0", "2.0.0"]);
    check("0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]);
    check("0.0.3", &["0.0.3"], &["0.0.4"]);
    check("0.0", &["0.0.9"], &["0.1.0"]);
    check("0", &["0.9.9"], &["1.0.0"]);
    check("v1.2.3", &["1.2.3"], &["2.0.0"]);
    check(
        "1.0.0-rc.1",
        &["1.0.0-rc.1", "1.0.0", "1.1.0-a"],
        &["1.0.0-rc.0", "2.0.0"],
    );
}

#[test]
fn operators_compare() {
    check("=1.2.3", &["1.2.3", "1.2.3+b"], &["1.2.4"]);
    check("== 1.2", &["1.2.0", "1.2.9"], &["1.3.0"]);
    check("!=1.2.3", &["1.2.4"], &["1.2.3"]);
    check(">1.2.3", &["1.2.4"], &["1.2.3"]);
    check(">=1.2.3", &["1.2.3"], &["1.2.2"]);
    check("=>1.2.3", &["1.2.3"], &["1.2.2"]);
    check("<1.2.3", &["1.2.2"], &["1.2.3"]);
    check("<=1.2.3", &["1.2.3"], &["1.2.4"]);
    check("=<1.2.3", &["1.2.3"], &["1.2.4"]);
    check("<1.2", &["1.1.9"], &["1.2.0"]);
    check("<=1.2", &["1.2.9"], &["1.3.0"]);
    check(">1.2", &["1.3.0"], &["1.2.9"]);
    check("~1.2.3", &["1.2.9"], &["1.3.0"]);
    check("~1.2", &["1.2.9"], &["1.3.0"]);
    check("~1", &["1.9.0"], &["2.0.0"]);
}

#[test]
fn wild_cards_match_everything_from_there_on() {
    check("*", &["0.0.0", "9.9.9"], &["1.0.0-a"]);
    check("1.*", &["1.0.0", "1.9.0"], &["2.0.0"]);
    check("1.2.x", &["1.2.9"], &["1.3.0"]);
    check("^1.x", &["1.9.0"], &["2.0.0"]);
    check("^*", &["1.9.0"], &[]);
    check("~X", &["1.9.0"], &[]);
    check("1.x.3-a", &[], &["1.0.3-a", "1.0.3"]);
    check("", &["1.2.3"], &["1.2.3-a"]);
}

#[test]
fn comparators_stand_side_by_side_and_as_alternatives() {
    check(">=1.2, <1.5", &["1.4.9"], &["1.5.0", "1.1.0"]);
    check(">=1.2 <1.5", &["1.4.9"], &["1.5.0"]);
    check("^1 || ^3,", &["1.0.0", "3.0.0"], &["2.0.0"]);
    check("1x", &[], &["1.0.0"]);
    check("^1x", &[], &["1.0.0"]);
    check("<1x", &["9.0.0"], &[]);
    check("~1.2x", &[], &["1.2.0"]);
}

#[test]
fn nonsense_is_refused() {
    for text in [
        "a", "1.", "1..2", "~>1", ">=", "1.2.3.4", ",1", "1.2.3-", "1.2.3+", "1,,2", "1.2.3-*",
    ] {
        assert_eq!(Requirement::parse(text), None, "{text}");
    }
    for text in [
        "1",
        "1.2",
        "01.2.3",
        "1.2.3.4",
        "v1.2.3",
        "1.2.3-01",
        "1.2.3-",
        "1.2.3+",
        "99999999999999999999.0.0",
    ] {
        assert_eq!(Version::parse(text), None, "{text}");
    }
    assert!(Version::parse("1.2.3-0a.1+001").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_accepted_or_refused(text in "[v0-9xX*|.~^=<>!, a+-]{0,24}", version in "[0-9.a+-]{0,12}") {
        let version = Version::parse(&version).unwrap_or(Version { numbers: [1, 2, 3], pre_release: Vec::new() });
        if let Some(requirement) = Requirement::parse(&text) {
            let _ = requirement.allows(&version);
        }
    }
}
