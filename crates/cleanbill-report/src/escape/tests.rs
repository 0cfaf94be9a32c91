use proptest::prelude::*;

use super::csv::Cell;
use super::link::{RelativeUri, web_address};
use super::markdown::{Code, Words};
use super::markup::{Line, Lines};
use crate::text::is_harmless;

#[track_caller]
fn check(printed: impl std::fmt::Display, expected: &str) {
    assert_eq!(printed.to_string(), expected);
}

#[test]
fn markup_is_escaped() {
    check(Line("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
    check(
        Line("a\nb\u{1b}[2J\u{202e}\u{ffff}"),
        "a b\u{fffd}[2J\u{fffd}\u{fffd}",
    );
    check(Lines("a\r\nb\u{0}"), "a\nb\u{fffd}");
    check(Line("ä 漢 é"), "ä 漢 é");
}

#[test]
fn only_web_addresses_become_links() {
    for address in ["https://example.com/a?b=c&d#e", "HTTP://[::1]/", "http://a"] {
        assert_eq!(web_address(address), Some(address));
    }
    for text in [
        "",
        "javascript:alert(1)",
        "https://",
        "https:///a",
        "https://a b",
        "https://a\"b",
        "https://a)'<",
        "https://é",
        " https://a",
        "data:text/html,x",
        "//a",
    ] {
        assert_eq!(web_address(text), None, "{text}");
    }
}

#[test]
fn paths_are_relative_references() {
    check(
        RelativeUri("/srv/a b/é?#[x]"),
        "srv/a%20b/%C3%A9%3F%23%5Bx%5D",
    );
    check(RelativeUri("//evil.example/x"), "evil.example/x");
    check(RelativeUri("javascript:x"), "javascript%3Ax");
}

#[test]
fn formulas_are_text() {
    for (text, expected) in [
        ("openssl", r#""openssl""#),
        ("a \"b\", c", r#""a ""b"", c""#),
        ("=cmd|' /C calc'!A0", r#""'=cmd|' /C calc'!A0""#),
        ("  +1", r#""'  +1""#),
        ("-1", r#""'-1""#),
        ("@SUM(1)", r#""'@SUM(1)""#),
        ("＝1", r#""'＝1""#),
        ("a;=1; -2;b", r#""a;'=1;' -2;b""#),
        ("\t=1\n=2", r#""' =1 =2""#),
        ("\"=1", r#""'""=1""#),
    ] {
        check(Cell(text), expected);
    }
}

#[test]
fn words_are_no_markdown() {
    for (text, expected) in [
        ("heap-based overflow", "heap-based overflow"),
        ("[a](javascript:x)", r"\[a\](javascript:x)"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("a | b", r"a \| b"),
        ("`x` *y* _z_", r"\`x\` \*y\* \_z\_"),
        ("# title\n- item", r"\# title \- item"),
        ("ask @team", "ask @&#8288;team"),
        ("http://evil.example", "http:&#8288;//evil.example"),
        ("www.evil.example", "www&#8288;.evil.example"),
    ] {
        check(Words(text), expected);
    }
}

#[test]
fn code_stays_code() {
    check(Code("a"), "`a`");
    check(Code("a`b"), "`` a`b ``");
    check(Code("a|b"), r"`a\|b`");
    check(Code("a\n\n<x>"), "`a  <x>`");
    check(Code(""), "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn markup_has_no_way_out(text in "\\PC{0,20}|.{0,20}|[<>&\"'\u{0}-\u{20}]{0,9}") {
        let printed = Line(&text).to_string();
        prop_assert!(printed.chars().all(is_harmless));
        prop_assert!(!printed.contains(['<', '>', '"', '\'']));
    }

    #[test]
    fn cells_are_quoted_and_no_formulas(text in "[-=+@;,\"' \ta\r\n|]{0,12}") {
        let printed = Cell(&text).to_string();
        let inner = printed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
        prop_assert!(!inner.replace("\"\"", "").contains('"'));
        for part in inner.split(';') {
            prop_assert!(!part.trim_start_matches([' ', '"']).starts_with(['=', '+', '-', '@']), "{printed}");
        }
        prop_assert!(printed.chars().all(is_harmless));
    }

    #[test]
    fn words_hold_no_markup(text in "[-`*_#@<>&\\[\\]()|!~:/. a\n]{0,16}") {
        let printed = Words(&text).to_string();
        prop_assert!(!printed.contains(['<', '>', '\n']));
        let mut chars = printed.chars();
        while let Some(char) = chars.next() {
            match char {
                '\\' => { chars.next(); }
                '[' | ']' | '`' | '*' | '|' => prop_assert!(false, "{printed}"),
                _ => {}
            }
        }
    }

    #[test]
    fn code_has_no_way_out(text in "[`|a\\\\ \n]{0,12}") {
        let printed = Code(&text).to_string();
        prop_assert!(!printed.contains('\n'));
        let fence = printed.chars().take_while(|char| *char == '`').count();
        let inner = printed.get(fence..printed.len() - fence).unwrap();
        prop_assert!(fence == 0 || !inner.split(|char| char != '`').any(|run| run.len() == fence), "{printed}");
    }
}
