use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::json::{Located, decode_classic, decode_strict};

const FIELDS: &[Field] = &[
    Field {
        name: "name",
        kind: FieldKind::Whole,
    },
    Field {
        name: "items",
        kind: FieldKind::Items,
    },
    Field {
        name: "members",
        kind: FieldKind::Members,
    },
    Field {
        name: "groups",
        kind: FieldKind::MembersOfMembers,
    },
];
const NAMES: [&str; 3] = ["items", "members", "groups"];

/// What the whole document is in one type.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Document {
    name: Value,
    items: Vec<Value>,
    members: BTreeMap<String, Value>,
    groups: BTreeMap<String, Option<BTreeMap<String, Value>>>,
}

/// Allows parts of some size, and three times as much to be kept.
fn sizes(part_bytes_max: usize) -> PartSizes {
    PartSizes {
        part_bytes_max,
        whole_bytes_max: 3 * part_bytes_max,
    }
}

/// Reads a document part by part.
fn read(text: &str, dialect: Dialect, part_size_bytes_max: usize) -> Result<Document, JsonError> {
    let kept = Kept::from(text.as_bytes());
    let parts = Parts::check(&kept, FIELDS, sizes(part_size_bytes_max), dialect)?;
    let mut document = Document {
        name: parts.whole("name")?,
        ..Document::default()
    };
    parts.each::<JsonError>(&NAMES, &mut |part| {
        let value = part.decode()?;
        match part.field {
            "items" => document.items.push(value),
            "members" => {
                document.members.insert(part.name.to_owned(), value);
            }
            _ => {
                let group = document.groups.entry(part.outer_name.to_owned());
                let members = group.or_default().get_or_insert_default();
                members.insert(part.name.to_owned(), value);
            }
        }
        Ok(())
    })?;
    Ok(document)
}

fn whole(text: &str, dialect: Dialect) -> Result<Document, JsonError> {
    let mut document: Document = match dialect {
        Dialect::Classic => decode_classic(text.as_bytes())?,
        Dialect::Strict => decode_strict(text.as_bytes())?,
    };
    // A group without members has no parts.
    let groups = &mut document.groups;
    groups.retain(|_, group| group.as_ref().is_some_and(|group| !group.is_empty()));
    Ok(document)
}

/// Both ways give the same, or both an error.
#[track_caller]
fn check(text: &str) {
    for dialect in [Dialect::Classic, Dialect::Strict] {
        match (whole(text, dialect), read(text, dialect, 1_000)) {
            (Ok(expected), Ok(found)) => assert_eq!(found, expected, "{dialect:?} {text}"),
            (Err(_), Err(_)) => {}
            (expected, found) => panic!("{dialect:?} {text}: {expected:?} {found:?}"),
        }
    }
}

#[test]
fn parts_are_what_the_whole_would_give() {
    for text in [
        "",
        " ",
        "null",
        "null\"x\"",
        "null\\",
        "\\",
        "{\"items\": [1\"x\"]}",
        "{\"items\": [\\]}",
        "{}",
        " {} ",
        "{} x",
        "[]",
        "1",
        r#"{"name": "a\"}", "items": [1, "]", {"a": [2]}, null, true], "x": [{}, []]}"#,
        r#"{"items": [ ], "members": { }, "groups": { "a": {} , "b":null } }"#,
        r#"{"members": {"a": 1, "b": {"c": "}"}}, "groups": {"g": {"h": 1, "i": [2]}, "j": {"k": 3}}}"#,
        r#"{"items": null, "members": null, "groups": null, "name": null}"#,
        r#"{"items": {}}"#,
        r#"{"members": []}"#,
        r#"{"groups": {"a": []}}"#,
        r#"{"groups": {"a": 1}}"#,
        r#"{"ITEMS": [1], "Name": "x"}"#,
        r#"{"items": [1], "items": [2, 3]}"#,
        r#"{"items": [1], "items": null}"#,
        r#"{"name": 1, "name": 2}"#,
        r#"{"members": {"a": 1, "a": 2}}"#,
        r#"{"x": {"a": 1, "a": 2}}"#,
        r#"{"x": [1 2]}"#,
        r#"{"items": [1,]}"#,
        r#"{"items": [1, 01]}"#,
        r#"{"items": [1]"#,
        r#"{"items": [{"a": ]}]}"#,
        r#"{"items": [{"a": 1]]}"#,
        r#"{"items" [1]}"#,
        r#"{"items": }"#,
        r#"{"items": [,1]}"#,
        r#"{,}"#,
        "{\"items\": [\"\u{1}\"]}",
        "{\"items\": [\"\n\"]}",
        r#"{"it\u0065ms": [1]}"#,
        r#"{"name": {"a": [1, {"b": 2}]}}"#,
    ] {
        check(text);
    }
}

#[test]
fn large_parts_are_refused_where_they_are_wanted() {
    let large = "x".repeat(2_000);
    let text = format!(r#"{{"y": "{large}", "z": [["{large}"]], "items": [1]}}"#);
    assert_eq!(read(&text, Dialect::Strict, 1_000).unwrap().items.len(), 1);
    for text in [
        format!(r#"{{"items": ["{large}"]}}"#),
        format!("{{\n\"groups\": {{\"a\": {{\"b\": \"{large}\"}}}}}}"),
        format!(r#"{{"{large}": 1}}"#),
    ] {
        let error = read(&text, Dialect::Classic, 1_000).unwrap_err();
        assert!(error.is_limit(), "{error}");
        assert!(error.to_string().contains("document_part_size_bytes_max"));
    }
}

#[test]
fn what_is_kept_of_a_document_is_bounded_together() {
    const FIELDS: &[Field] = &[
        Field {
            name: "a",
            kind: FieldKind::Whole,
        },
        Field {
            name: "b",
            kind: FieldKind::Whole,
        },
    ];
    let (half, large) = ("x".repeat(1_400), "x".repeat(2_000));
    for (text, b_is_kept) in [
        (format!(r#"{{"a": "{half}", "b": "{half}"}}"#), true),
        (format!(r#"{{"a": "{half}", "b": "{large}"}}"#), false),
        // Of two of a name the first is kept no more.
        (
            format!(r#"{{"b": "{half}", "a": "{half}", "b": "{half}"}}"#),
            true,
        ),
        (format!(r#"{{"b": "{large}{large}"}}"#), false),
    ] {
        let kept = Kept::from(text.as_bytes());
        let parts = Parts::classic(&kept, FIELDS, sizes(1_000)).unwrap();
        match parts.whole::<String>("b") {
            Ok(b) => assert!(b_is_kept && b == half, "{text}"),
            Err(error) => {
                assert!(!b_is_kept && error.is_limit(), "{error}");
                assert!(error.to_string().contains("whole_file_size_bytes_max"));
            }
        }
        assert!(parts.whole::<String>("a").is_ok());
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {}

#[test]
fn parts_know_their_lines() {
    let text = "{ \"items\": [\n  {\"name\": \"a\",\n\"x\": []}, {\"name\": \"b\"},\n{}, {}\n],\
        \n\"members\": {\"d\":\n\n{\n\"name\": \"d\"}, \"e\": {}, \"f\": {\n\"x\": 1}}}";
    let kept = Kept::from(text.as_bytes());
    let parts = Parts::strict(&kept, FIELDS, sizes(1_000)).unwrap();
    let mut lines = Vec::new();
    parts
        .each::<JsonError>(&NAMES, &mut |part| {
            let entry: Located<Entry> = part.decode()?;
            lines.push((entry.location.start_line, entry.location.end_line));
            Ok(())
        })
        .unwrap();
    // As with the whole document: of the objects that begin on one line the first has lines.
    assert_eq!(
        lines,
        [(2, 3), (3, 3), (4, 4), (0, 0), (8, 9), (9, 9), (0, 0)]
    );
    let error = parts.each::<JsonError>(&["members"], &mut |part| {
        part.decode::<Vec<u8>>().map(|_| ())
    });
    assert!(error.unwrap_err().to_string().starts_with("line 8: "));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_read_as_the_whole_would_be(
        words in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"items\":", "\"members\":{", "\"groups\":{", "\"name\":",
            "\"a\":", "\"b\":", "1", "null", "\"x\"", "\n", "{\"items\":[", "]}", "}}", "\\", "\"",
        ]), 0..12),
    ) {
        check(&words.concat());
    }

    #[test]
    fn any_objects_are_read_as_the_whole_would_be(
        items in prop::collection::vec("[0-9]|null|\"[a-z\\]}]{0,3}\"|\\{\"a\": ?[0-9]\\}|\\[\\[\\]\\]", 0..4),
        members in prop::collection::vec("\"[a-c]\": ?([0-9]|\\{\\}|\\[\"\\}\"\\])", 0..3),
        blank in "[ \n\t]{0,2}",
    ) {
        let (items, members) = (items.join(","), members.join(&format!("{blank},{blank}")));
        check(&format!(
            "{{{blank}\"items\"{blank}:[{items}]{blank},\"members\":{{{members}}},\"groups\":{{\"g\":{{{members}}}}}}}"
        ));
    }
}
