//! npm packages, from the `package.json` of each.
//!
//! Source: spec 04 section 1.4; Trivy 0.74.0 `pkg/dependency/parser/nodejs/packagejson`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cleanbill_core::{Package, path};
use serde::Deserialize;
use serde_json::Value;

use super::{extract_manifest, package, package_id};
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::json::{decode_classic, is_name_of};

const KIND: &str = "node-pkg";

/// Finds the package that a `package.json` describes, wherever it lies.
pub(crate) struct NodePackage;

impl Extractor for NodePackage {
    fn name(&self) -> &'static str {
        KIND
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path::base_name(path) == "package.json"
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        extract_manifest(KIND, file, draft, parse)
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Follow
    }
}

/// Lists the members that are looked at. Those beside the first three only make a file unreadable
/// if they are of another type.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Manifest<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    license: Value,
    dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
    dev_dependencies: BTreeMap<String, String>,
}

/// Reads the package; files without a name or a version describe none.
fn parse(bytes: &[u8]) -> Result<Option<Package>, String> {
    let manifest: Manifest<'_> = decode_classic(bytes).map_err(|error| error.to_string())?;
    let Manifest { name, version, .. } = &manifest;
    if !is_valid_name(name) {
        return Err("its name is none that npm takes".to_owned());
    }
    if name.is_empty() || version.is_empty() {
        return Ok(None);
    }
    Ok(Some(Package {
        id: package_id(KIND, name, version),
        licenses: licenses(&manifest.license),
        ..package(name.as_ref(), version.as_ref())
    }))
}

/// Says whether a name is empty, or one segment of letters, digits, `-`, `.` and `_`, with or
/// without a scope of the same before it.
fn is_valid_name(name: &str) -> bool {
    let is_segment = |text: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        !text.is_empty() && text.bytes().all(is_allowed)
    };
    match name.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| is_segment(scope) && is_segment(name)),
        None => name.is_empty() || is_segment(name),
    }
}

/// Returns the names of licences: a text, the `type` of an object, or those of a list of objects.
/// Anything else names none.
fn licenses(license: &Value) -> Vec<String> {
    let names = match license {
        Value::String(name) => vec![name.as_str()],
        Value::Object(_) => vec![license_type(license).unwrap_or_default()],
        Value::Array(list) => {
            let names: Option<Vec<&str>> = list.iter().map(license_type).collect();
            names.unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let names = names.into_iter().filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// Returns the `type` of an object, empty if it states none; `None` for what is no such object.
fn license_type(license: &Value) -> Option<&str> {
    if license.is_null() {
        return Some("");
    }
    let members = license.as_object()?.iter();
    let mut types = members.filter(|(name, value)| !value.is_null() && is_name_of(name, "type"));
    match types.next_back() {
        Some((_, value)) => value.as_str(),
        None => Some(""),
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::inventory::LayerInventory;
    use cleanbill_core::problem::ProblemKind;
    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    fn extract(text: &str) -> LayerInventory {
        testing::extract(&NodePackage, "srv/a/package.json", text.as_bytes())
    }

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &[&str])>) {
        let package = parse(text.as_bytes()).unwrap();
        let found = package.map(|package| (package.id, package.licenses));
        let expected = expected.map(|(id, licenses)| {
            let licenses = licenses.iter().map(|name| (*name).to_owned()).collect();
            (id.to_owned(), licenses)
        });
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_package_is_named_by_its_manifest() {
        let inventory = extract(
            r#"{"name": "@babel/Core", "version": "7.0.0", "license": "MIT",
                "dependencies": {"a": "^1"}, "bin": {"x": 1}}"#,
        );
        assert_eq!(inventory.problems, []);
        let application = &testing::applications_of(&inventory)[0];
        assert_eq!(application.kind, "node-pkg");
        assert_eq!(application.path, "srv/a/package.json");
        let package = &application.packages[0];
        assert_eq!(package.id, "@babel/Core@7.0.0");
        assert_eq!(package.name, "@babel/Core");
        assert_eq!(package.file_path, "srv/a/package.json");
        assert_eq!(package.licenses, ["MIT"]);
        assert_eq!(package.analyzed_by, "node-pkg");
    }

    #[test]
    fn manifests_without_name_or_version_describe_no_package() {
        for text in [
            "{}",
            "null",
            r#"{"name": "a"}"#,
            r#"{"version": "1"}"#,
            r#"{"name": "a", "version": ""}"#,
            r#"{"name": "a", "version": null}"#,
        ] {
            check(text, None);
        }
    }

    #[test]
    fn manifests_are_read_as_go_reads_them() {
        for text in [
            r#"{"Name": "a", "VERSION": "1"}"#,
            r#"{"name": "b", "version": "1", "name": "a"}"#,
            r#"{"name": "a", "version": "1", "dependencies": null} {"#,
            r#"{"name": "a", "version": "1", "dependencies": {"b": null}}"#,
            r#"{"name": "a", "version": "1", "peerDependencies": []}"#,
        ] {
            check(text, Some(("a@1", &[])));
        }
        for text in [
            r#"{"name": "a", "version": 1}"#,
            r#"{"name": "a", "version": "1", "dependencies": []}"#,
            r#"{"name": "a", "version": "1", "devDependencies": {"b": {}}}"#,
            r#"{"name": "a", "version": "1", "optionalDependencies": "b"}"#,
            r#"{"name": "a", "version": "1""#,
            "\u{feff}{\"name\": \"a\", \"version\": \"1\"}",
            "[]",
            "",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn licenses_have_had_many_shapes() {
        let with = |license: &str| format!(r#"{{"name":"a","version":"1","license":{license}}}"#);
        for (license, expected) in [
            (r#""MIT OR Apache-2.0""#, &["MIT OR Apache-2.0"][..]),
            (r#""""#, &[]),
            (r#"{"type": "ISC", "url": "x"}"#, &["ISC"]),
            (r#"{"Type": "ISC"}"#, &["ISC"]),
            (r#"{"type": 1}"#, &[]),
            (r#"{"url": "x"}"#, &[]),
            (r#"[{"type": "A"}, {"type": "B"}, {}]"#, &["A", "B"]),
            (r#"[{"type": "A"}, "B"]"#, &[]),
            (r#"[]"#, &[]),
            ("7", &[]),
            ("null", &[]),
        ] {
            check(&with(license), Some(("a@1", expected)));
        }
    }

    #[test]
    fn names_are_those_of_npm() {
        for name in ["", "a", "@a/b", "a.b_c-D1", "-", "@._-/._-"] {
            assert!(is_valid_name(name), "{name}");
        }
        for name in [
            "a/b", "@a", "@a/", "@/a", "@a/b/c", "a b", "a@b", "a?", "a/", "é", "a\n",
        ] {
            assert!(!is_valid_name(name), "{name}");
        }
    }

    #[test]
    fn a_malformed_manifest_is_counted() {
        let inventory = extract("{");
        assert_eq!(testing::applications_of(&inventory), []);
        assert_eq!(inventory.problems[0].kind, ProblemKind::IgnoredFile);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_bytes_are_a_package_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
