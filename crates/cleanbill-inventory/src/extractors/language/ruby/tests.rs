use proptest::prelude::*;
use regex::Regex;

use super::*;

#[track_caller]
fn check(text: &str, expected: (&str, &str, &[&str])) {
    let package = parse(text.as_bytes()).unwrap().unwrap();
    let licenses: Vec<&str> = package.licenses.iter().map(String::as_str).collect();
    let found = (&*package.name, &*package.version, &*licenses);
    assert_eq!(found, expected, "{text}");
}

#[test]
fn specifications_are_wanted() {
    let wants = |path| Gemspec.wants(path, 1);
    for path in [
        "usr/lib/ruby/gems/3.1.0/specifications/rake-13.0.6.gemspec",
        "usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec",
        "a/specifications/x.gemspec.bak",
        "a/specifications/.gemspec/b.gemspec",
    ] {
        assert!(wants(path), "{path}");
    }
    for path in [
        "specifications/rake-13.0.6.gemspec",
        "a/specifications/.gemspec",
        "a/specifications/rakegemspec",
        "usr/lib/ruby/gems/3.1.0/gems/rake-13.0.6/rake.gemspec",
    ] {
        assert!(!wants(path), "{path}");
    }
}

#[test]
fn assignments_make_the_gem() {
    check(
        "# -*- encoding: utf-8 -*-\n\
         Gem::Specification.new do |s|\n\
         \x20 s.name = \"test-unit\".freeze\n\
         \x20 s.version = \"3.3.7\"\r\n\n\
         \x20 s.licenses = [\"Ruby\".freeze, \"BSDL\".freeze, 'PSFL']\n\
         \x20 s.name = \"never reached\"\n",
        ("test-unit", "3.3.7", &["Ruby", "BSDL", "PSFL"]),
    );
    check(
        "Gem::Specification.new { |spec| \nspec.name='a'\nspec.version  =  '1'\nspec.license=\"MIT\"",
        ("a", "1", &["MIT"]),
    );
}

#[test]
fn odd_lines_count_as_in_the_reference() {
    let text = |lines: &str| format!("Gem::Specification.new do |s|\n{lines}\n");
    for (lines, expected) in [
        (
            "s.name = \"a\"\ns.version = Gem::Version.new(\"1.0\")",
            ("a", "Gem::Version.new(\"1.0\")"),
        ),
        ("s.name = \"a\"\ns.version = \"1\" # one", ("a", "1")),
        (
            "s.name = \"a\"\ns.version = \"1\"\ns.version = \"2\"",
            ("a", "2"),
        ),
        (
            "s.name = x.name = \"a\"\ns.version = \"1\"",
            ("x.name", "1"),
        ),
        (
            "s.name.freeze; s.name = \"a\"\ns.version = \"1\"",
            ("a", "1"),
        ),
        ("s.name = a b\ns.version = '\"1\"'", ("a", "1")),
    ] {
        check(&text(lines), (expected.0, expected.1, &[]));
    }
    for lines in [
        "s.name = \"a\"",
        "s.name = \"a\"\ns.version = \"1\"\ns.names = []",
        "t.name = \"a\"\nt.version = \"1\"",
        "s.name = \"\"\ns.version = \"1\"",
        "s.name =\ns.version = \"1\"",
    ] {
        assert!(parse(text(lines).as_bytes()).is_err(), "{lines}");
    }
    let no_variable = "Gem::Specification.new\ns.name = 'a'\ns.version = '1'";
    assert!(parse(no_variable.as_bytes()).is_err());
}

#[test]
fn a_long_line_ends_the_reading() {
    let long = |count: usize| {
        let head = "Gem::Specification.new do |s|\ns.name = 'a'\ns.version = '1'\n";
        parse(format!("{head}{}", "x".repeat(count)).as_bytes())
    };
    assert!(long(65_535).is_ok());
    assert!(long(65_536).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_a_gem_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    /// Agrees with the reference implementation's patterns.
    #[test]
    fn lines_match_the_patterns(parts in prop::collection::vec(
        prop::sample::select(vec![
            ".name", ".licenses", "=", " ", "\t", "'a'", ".freeze", "[", "]", ",", "|", "é", "\u{a0}",
        ]),
        0..12,
    )) {
        let line = parts.concat();
        let capture = |pattern: &str| {
            let captures = Regex::new(pattern).unwrap().captures(&line).map(|found| found[1].to_owned());
            captures.unwrap_or_default()
        };
        prop_assert_eq!(between_bars(&line), capture(r"\|(.*)\|"));
        let word = capture(r"\.name[\t\n\x0c\r ]*=[\t\n\x0c\r ]*([^\t\n\x0c\r ]+)");
        prop_assert_eq!(assigned_word(&line, ".name"), bare(&word));
        let list = capture(r"\.licenses[\t\n\x0c\r ]*=[\t\n\x0c\r ]*\[(.+)\]");
        let items: Vec<&str> = list.split(',').map(bare).collect();
        prop_assert_eq!(assigned_list(&line, ".licenses"), items.join(", "));
    }
}
