use std::collections::{BTreeMap, HashMap};

use cleanbill_core::package::Location;
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::*;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Manifest {
    name: String,
    size: u64,
    #[serde(rename = "isOpen")]
    is_open: bool,
    tags: Vec<String>,
    needs: BTreeMap<String, String>,
    parent: Option<Box<Manifest>>,
    any: Value,
}

fn named(name: &str) -> Manifest {
    Manifest {
        name: name.to_owned(),
        ..Manifest::default()
    }
}

fn classic(text: &str) -> Result<Manifest, String> {
    decode_classic(text.as_bytes()).map_err(|error| error.to_string())
}

fn strict(text: &str) -> Result<Manifest, String> {
    decode_strict(text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn members_become_fields() {
    let text = r#" {"name": "a\u00e9\n\"", "size": 7, "isOpen": true, "tags": ["x", "y"],
        "needs": {"b": "1", "c": ""}, "parent": {"name": "p"}, "other": [{}, [1.5e3, null]],
        "any": {"k": [1, -2, 0.5, "s", false, null]}} "#;
    let expected = Manifest {
        size: 7,
        is_open: true,
        tags: vec!["x".to_owned(), "y".to_owned()],
        needs: BTreeMap::from([
            ("b".to_owned(), "1".to_owned()),
            ("c".to_owned(), String::new()),
        ]),
        parent: Some(Box::new(named("p"))),
        any: serde_json::json!({"k": [1, -2, 0.5, "s", false, null]}),
        ..named("aé\n\"")
    };
    assert_eq!(classic(text).as_ref(), Ok(&expected));
    assert_eq!(strict(text).as_ref(), Ok(&expected));
}

#[test]
fn the_classic_decoder_forgives_what_the_strict_one_does_not() {
    for (text, expected) in [
        (r#"{"NAME": "a"}"#, "a"),
        (r#"{"name": "b", "name": "a"}"#, "a"),
        (r#"{"name": "b", "Name": "a"}"#, "a"),
        (r#"{"name": "a", "x": {"k": 1, "k": 2}}"#, "a"),
        (r#"{"name": "a"} trailing"#, "a"),
        (r#"{"name": "a"}{"name": "b"}"#, "a"),
        (r#"{"name": "\ud800x"}"#, "\u{fffd}x"),
        (r#"{"name": "\ud800\u0041"}"#, "\u{fffd}A"),
    ] {
        assert_eq!(
            classic(text).map(|m| m.name).as_deref(),
            Ok(expected),
            "{text}"
        );
        assert_ne!(
            strict(text).map(|m| m.name).as_deref(),
            Ok(expected),
            "{text}"
        );
    }
    let long_s = r#"{"ſize": 7}"#;
    assert_eq!(classic(long_s).unwrap().size, 7);
    assert_eq!(strict(long_s), Ok(Manifest::default()));
    let bytes = b"{\"name\": \"a\xff\"}";
    assert_eq!(decode_classic(bytes), Ok(named("a\u{fffd}")));
    assert!(decode_strict::<Manifest>(bytes).is_err());
    assert_eq!(classic(r#"{"name": "\ud83d\ude00"}"#), Ok(named("😀")));
    assert_eq!(strict(r#"{"name": "\ud83d\ude00"}"#), Ok(named("😀")));
}

#[test]
fn null_is_not_stated() {
    for text in [
        "null",
        r#"{"name": null, "size": null, "isOpen": null, "tags": null, "needs": null,
            "parent": null, "any": null}"#,
    ] {
        assert_eq!(classic(text), Ok(Manifest::default()));
        assert_eq!(strict(text), Ok(Manifest::default()));
    }
    let inside = r#"{"tags": ["a", null], "needs": {"b": null}, "parent": {"parent": null}}"#;
    let manifest = strict(inside).unwrap();
    assert_eq!(manifest.tags, ["a", ""]);
    assert_eq!(manifest.needs["b"], "");
    assert_eq!(classic(r#"{"name": "a", "name": null}"#), Ok(named("a")));
}

#[test]
fn other_types_are_errors() {
    for text in [
        r#"{"name": 1}"#,
        r#"{"name": {}}"#,
        r#"{"size": "1"}"#,
        r#"{"size": 1.0}"#,
        r#"{"size": -1}"#,
        r#"{"isOpen": 0}"#,
        r#"{"tags": {}}"#,
        r#"{"tags": [1]}"#,
        r#"{"needs": []}"#,
        r#"{"needs": {"a": 1}}"#,
        r#"{"parent": []}"#,
        r#"["a", 1, true]"#,
        r#""name""#,
        "1",
    ] {
        assert!(classic(text).is_err(), "{text}");
        assert!(strict(text).is_err(), "{text}");
    }
}

#[test]
fn malformed_texts_are_errors() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "{]",
        "[}",
        "{,}",
        "[,]",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1]",
        "{\"a\":1 \"b\":2}",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "tru",
        "nul",
        "nulll",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "-",
        "--1",
        "1.5.5",
        "NaN",
        "'a'",
        "\u{feff}{}",
        "// a\n{}",
        "{\"x\": [[[}]]]}",
    ] {
        assert!(decode_classic::<Value>(text.as_bytes()).is_err(), "{text}");
        assert!(decode_strict::<Value>(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn errors_name_line_and_member() {
    let text = "{\n \"parent\": {\n  \"tags\": [\n   \"a\",\n   {}\n]}}";
    let message = "line 5: invalid type: map, expected a string";
    assert_eq!(classic(text), Err(message.to_owned()));
    let message = "line 2: size: invalid type: string \"x\", expected u64";
    assert_eq!(classic("{\n\"size\": \"x\"}"), Err(message.to_owned()));
    assert_eq!(
        strict("{}\n\nx"),
        Err("line 3: something follows the value".to_owned())
    );
}

#[test]
fn depth_is_bounded_without_recursion() {
    let nested = |depth: usize| format!("{{\"x\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(classic(&nested(9_999)).is_ok());
    assert!(classic(&nested(10_000)).is_err());
    assert!(classic(&"[".repeat(1_000_000)).is_err());
    let typed = |depth: usize| {
        let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        decode_strict::<Value>(text.as_bytes()).is_ok()
    };
    assert!(typed(128));
    assert!(!typed(129));
}

#[test]
fn small_items_cannot_take_all_memory() {
    /// Takes 400 bytes for two characters.
    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Large {
        _numbers: [[u64; 10]; 5],
    }
    let text = format!("[{}{{}}]", "{},".repeat(400_000));
    for error in [
        decode_classic::<Vec<Large>>(text.as_bytes()).unwrap_err(),
        decode_strict::<Vec<Large>>(text.as_bytes()).unwrap_err(),
    ] {
        assert!(error.is_limit(), "{error}");
    }
    assert!(decode_classic::<Vec<Small>>(text.as_bytes()).is_ok());
    let members: Vec<_> = (0..400_000).map(|n| format!("\"{n}\":{{}}")).collect();
    let text = format!("{{{}}}", members.join(","));
    let error = decode_classic::<HashMap<String, Large>>(text.as_bytes()).unwrap_err();
    assert!(error.is_limit(), "{error}");
    assert!(decode_classic::<IgnoredAny>(text.as_bytes()).is_ok());
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Small {}

#[test]
fn large_values_are_found_again() {
    let filler = format!("[{}0]", "{\"k\": \"}]\\\"\"}, ".repeat(500));
    let text = format!("{{\"x\": {filler}, \"parent\": {{\"x\": {filler}, \"name\": \"a\"}}}}");
    assert_eq!(strict(&text).unwrap().parent, Some(Box::new(named("a"))));
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Lock {
    packages: Vec<Located<Manifest>>,
    libraries: BTreeMap<String, Located<Manifest>>,
}

#[test]
fn objects_know_their_lines() {
    let text = "{ \"packages\": [\n  {\"name\": \"a\",\n\"x\": []}, {\"name\": \"b\"},\n{\"name\": \"c\"\n}, {}\n],\
        \n\"libraries\": {\"d\":\n\n{\n\"name\": \"d\"}}}";
    let lock: Lock = decode_strict(text.as_bytes()).unwrap();
    let lines = |located: &Located<Manifest>| {
        let Location {
            start_line,
            end_line,
        } = located.location;
        (located.value.name.clone(), start_line, end_line)
    };
    let packages: Vec<_> = lock.packages.iter().map(lines).collect();
    let expected = [("a", 2, 3), ("b", 3, 3), ("c", 4, 5), ("", 5, 5)];
    assert_eq!(
        packages,
        expected.map(|(name, start, end)| (name.to_owned(), start, end))
    );
    assert_eq!(lines(&lock.libraries["d"]), ("d".to_owned(), 9, 10));
}

#[test]
fn only_the_first_object_of_a_line_has_lines() {
    let text = r#"{"packages": [{"name": "a"}, {"name": "b"}]}"#;
    let lock: Lock = decode_strict(text.as_bytes()).unwrap();
    assert_eq!(lock.packages[0].location.start_line, 1);
    assert_eq!(lock.packages[1].location, Location::default());
    assert_eq!(lock.packages[1].value, named("b"));
}

#[test]
fn only_objects_have_lines() {
    for text in [
        r#"{"packages": [null]}"#,
        r#"{"packages": [[]]}"#,
        r#"{"packages": ["a"]}"#,
    ] {
        assert!(decode_strict::<Lock>(text.as_bytes()).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_classic::<Manifest>(&bytes);
        let _ = decode_strict::<Lock>(&bytes);
    }

    /// Agrees with serde's own decoder on what is JSON, and what it means.
    #[test]
    fn texts_mean_what_they_mean_to_serde(
        text in r#"[\[\]{}:,"\\ua0-9eE.+ \-tfnrle\n]{0,40}|(\{"[a-c]": ?[0-9]{1,3}(, ?"[d-f]": (\[1\]|"x"|null))?\})"#
    ) {
        let expected = serde_json::from_str::<Value>(&text);
        let found = decode_classic::<Value>(text.as_bytes());
        if let Ok(expected) = expected {
            prop_assert_eq!(found, Ok(expected));
        }
        let strict = decode_strict::<Value>(text.as_bytes());
        let is_json = serde_json::from_str::<Value>(&text).is_ok();
        prop_assert!(is_json || strict.is_err());
    }
}
