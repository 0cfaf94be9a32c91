use proptest::prelude::*;

use super::*;

const DEB: VersionScheme = VersionScheme::Deb;

#[track_caller]
fn check(version: &str, constraint: &str, expected: bool) {
    assert_eq!(
        satisfies(DEB, version, constraint),
        Ok(expected),
        "{version} {constraint}"
    );
}

#[test]
fn every_piece_must_hold() {
    check("1.2.3", ">=1.2.0, <1.2.5", true);
    check("1.2.5", ">=1.2.0, <1.2.5", false);
    check("1.2.3", ">=1.2.0 <1.2.5", true);
    check("1.2.3", ">= 1.2.0,, < 1.2.5,", true);
    check("1.2.3", ">=\t1.2.0,", true);
}

#[test]
fn every_operator_is_known() {
    for (operator, less, equal, greater) in [
        ("", false, true, false),
        ("=", false, true, false),
        ("==", false, true, false),
        ("!=", true, false, true),
        ("<", true, false, false),
        ("<=", true, true, false),
        (">", false, false, true),
        (">=", false, true, true),
    ] {
        let constraint = format!("{operator}2.0");
        check("1.0", &constraint, less);
        check("2.0-0", &constraint, equal);
        check("3.0", &constraint, greater);
    }
}

#[test]
fn says_what_is_wrong() {
    let check = |version: &str, constraint: &str, expected: RangeError| {
        let result = satisfies(DEB, version, constraint);
        assert_eq!(result, Err(expected), "{version} {constraint}");
    };
    let malformed = |piece: &str| RangeError::Malformed(piece.to_owned());
    check("1", "", RangeError::EmptyConstraint);
    check("1", " , ,", RangeError::EmptyConstraint);
    check("", "1", RangeError::EmptyVersion);
    check("1", ">= 1.0", malformed(">="));
    check("1", "=>1.0", malformed("=>1.0"));
    check("1", "~1.0", malformed("~1.0"));
    check("1", ">v1.0", malformed(">v1.0"));
    check("1", ">1.0 || <2", malformed("||"));
    check("9", "<1, x", malformed("x"));
    check(
        "1",
        ">1^2",
        RangeError::Incomparable {
            left: "1".to_owned(),
            right: "1^2".to_owned(),
            scheme: DEB,
        },
    );
}

#[test]
fn what_fails_first_decides() {
    assert_eq!(satisfies(DEB, "9", "<1, >1^2"), Ok(false));
    assert!(satisfies(DEB, "9", ">1, >1^2").is_err());
    assert_eq!(
        satisfies(VersionScheme::Rpm, "1.0", "<1.0^git1, >1.0~rc1"),
        Ok(true)
    );
    assert_eq!(satisfies(VersionScheme::Apk, "1.0-r1", "<1.0-r2"), Ok(true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn never_panics(version in ".{0,12}", constraint in "[<>=! ,0-9a-z.~^é-]{0,24}") {
        for scheme in VersionScheme::ALL {
            let _ = satisfies(scheme, &version, &constraint);
        }
    }
}
