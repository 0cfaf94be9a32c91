use super::*;

#[track_caller]
fn check(pattern: &str, matching: &[&str], other: &[&str]) {
    let parsed = Pattern::parse(pattern).unwrap();
    for path in matching {
        assert!(parsed.matches(path), "'{pattern}' must match '{path}'");
    }
    for path in other {
        assert!(!parsed.matches(path), "'{pattern}' must not match '{path}'");
    }
}

#[test]
fn matches_like_the_reference() {
    check("usr/lib", &["usr/lib"], &["usr/lib/x", "usr", "/usr/lib"]);
    check("*.jar", &["a.jar", ".jar"], &["lib/a.jar", "a.jar.sha"]);
    check(
        "**/.git",
        &[".git", "a/.git", "a/b/.git"],
        &["a.git", "a/.git/x"],
    );
    check(
        "usr/**",
        &["usr", "usr/", "usr/lib/x"],
        &["usrx", "var/usr"],
    );
    check(
        "**/node_modules/**",
        &["node_modules", "a/node_modules/b/c"],
        &["a/node_module"],
    );
    check("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/xb", "ab"]);
    check("a**/b", &["a/b", "ax/b"], &["a/x/b"]);
    check("a?c", &["abc", "aéc"], &["a/c", "ac"]);
    check("[a-c]x", &["ax", "cx"], &["dx", "x"]);
    check("[^a-c]x", &["dx", "/x"], &["ax"]);
    check("[!a]x", &["bx"], &["ax"]);
    check(r"[\]\-a]", &["]", "-", "a"], &["\\", "b"]);
    check("[a-]", &["a", "-"], &["b"]);
    check(r"\*\{\\", &[r"*{\"], &["a"]);
    check(
        "{usr,opt/*}/lib",
        &["usr/lib", "opt/a/lib"],
        &["opt/lib", "usr"],
    );
    check("{a{b,c},}d", &["abd", "acd", "d"], &["ad", "bd"]);
    check("*a*b*c", &["xaxbxc", "abc"], &["ab/c", "acb"]);
    check("**/a*/**/c", &["a/c", "x/ab/y/z/c"], &["x/c"]);
    check("", &[""], &["a"]);
    check("**", &["", "a", "a/b"], &[]);
}

#[test]
fn follows_the_corner_cases_of_the_reference() {
    check("a{**/b}", &["ax/b", "ab", "a/x/b"], &["a"]);
    check("a*{b,}", &["ab", "ax"], &["a"]);
    check("a{b,}*", &["a", "ab"], &["ba"]);
    check("*{*,x}*", &["a/b", "a"], &[]);
    check("a***", &["ab"], &["a"]);
    check("a/**/**", &["a/b"], &["a"]);
}

#[test]
fn refuses_malformed_patterns() {
    for text in [
        "[", "[]", "[^]", "[a", "{a", "a}", "\\", "{a,[}", r"[a\]", "{[}],a}",
    ] {
        assert_eq!(
            Pattern::parse(text).err(),
            Some(PatternError::Malformed(text.to_owned())),
            "{text}"
        );
    }
}

#[test]
fn bounds_length_and_alternatives() {
    assert!(Pattern::parse(&"{a,b}".repeat(10)).is_ok());
    let many = "{a,b}".repeat(11);
    assert_eq!(
        Pattern::parse(&many).err(),
        Some(PatternError::TooManyAlternatives(many))
    );
    assert_eq!(
        Pattern::parse(&"é".repeat(4_097)).err(),
        Some(PatternError::TooLong { size: 4_097 })
    );
    assert!(Pattern::parse(&"{".repeat(2_048)).is_err());
    let nested = format!("{}a{}", "{".repeat(500), "}".repeat(500));
    assert!(Pattern::parse(&nested).unwrap().matches("a"));
}

#[test]
fn a_hostile_path_does_not_explode() {
    let path = format!("{}b", "a/".repeat(2_000));
    check("**/a/**/a/**/a/**/a/**/c", &[], &[&path]);
    check("{*,**}/*a*a*a*a*a*a*c", &[], &[&"a".repeat(4_000)]);
}

#[test]
fn cleans_skip_paths() {
    for (text, expected) in [
        ("/usr/lib/", "usr/lib"),
        ("./a//b/../c", "a/c"),
        ("/../etc", "etc"),
        ("../etc", "../etc"),
        ("a/../../b", "../b"),
        ("**/x/", "**/x"),
        ("/", ""),
    ] {
        assert_eq!(
            Pattern::parse_skip_path(text).unwrap().as_str(),
            expected,
            "{text}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

    #[test]
    fn never_panics(pattern in r"[ab/*?\[\]{},\\^!é-]{0,16}", path in "[ab/é]{0,12}") {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            pattern.matches(&path);
        }
    }

    #[test]
    fn plain_text_matches_itself_only(path in "[a-z./_-]{0,20}", other in "[a-z./_-]{0,20}") {
        let pattern = Pattern::parse(&path).unwrap();
        proptest::prop_assert!(pattern.matches(&path));
        proptest::prop_assert_eq!(pattern.matches(&other), path == other);
    }
}
