//! Conda packages of environments, from their `conda-meta` directories.
//!
//! There are no advisories for them: they are listed, not matched.
//!
//! Source: spec 04 section 1.3; Trivy 0.74.0 `pkg/dependency/parser/conda/meta`.

use std::borrow::Cow;

use cleanbill_core::Package;
use serde::Deserialize;

use super::{extract_manifest, package};
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::json::decode_classic;
use crate::licenses;

const KIND: &str = "conda-pkg";

/// Finds the package that `conda-meta/<name>-<version>-<build>.json` of an environment describes.
pub(crate) struct CondaPackage;

impl Extractor for CondaPackage {
    fn name(&self) -> &'static str {
        KIND
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path.contains(".json") && is_metadata(path)
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

/// Says whether a path holds `/envs/`, `/conda-meta/`, two hyphens and `.json`, in this order,
/// with something between each two.
///
/// The first of each but the last is the right one to take: it leaves the most for the rest.
fn is_metadata(path: &str) -> bool {
    const PARTS: [&str; 4] = ["/envs/", "/conda-meta/", "-", "-"];
    let mut rest = path;
    for (index, part) in PARTS.into_iter().enumerate() {
        // The first may stand at the beginning.
        let skipped = rest.chars().next().map_or(0, char::len_utf8);
        let from = if index == 0 { 0 } else { skipped };
        let Some((_, after)) = rest.get(from..).and_then(|rest| rest.split_once(part)) else {
            return false;
        };
        rest = after;
    }
    let first = rest.chars().next().map_or(0, char::len_utf8);
    rest.get(first..).is_some_and(|rest| rest.contains(".json"))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    license: Cow<'a, str>,
}

fn parse(bytes: &[u8]) -> Result<Option<Package>, String> {
    let metadata: Metadata<'_> = decode_classic(bytes).map_err(|error| error.to_string())?;
    if metadata.name.is_empty() || metadata.version.is_empty() {
        return Err("it names no package or no version".to_owned());
    }
    Ok(Some(Package {
        licenses: licenses::split(&metadata.license),
        ..package(metadata.name, metadata.version)
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    #[test]
    fn metadata_of_environments_is_wanted() {
        let wants = |path| CondaPackage.wants(path, 1);
        for path in [
            "opt/conda/envs/a/conda-meta/numpy-1.2-py_0.json",
            "/envs/a/conda-meta/a-b-c.json",
            "x/envs/a/b/conda-meta/a-b-c-d.json",
            "x/envs/a/conda-meta/a/-b-c.json.bak",
        ] {
            assert!(wants(path), "{path}");
        }
        for path in [
            "opt/conda/conda-meta/numpy-1.2-py_0.json",
            "envs/a/conda-meta/a-b-c.json",
            "x/envs/conda-meta/a-b-c.json",
            "x/envs/a/conda-meta/a-b.json",
            "x/envs/a/conda-meta/-b-c.json",
            "x/envs/a/conda-meta/a--c.json",
            "x/envs/a/conda-meta/a-b-.json",
            "x/envs/a/conda-meta/history",
        ] {
            assert!(!wants(path), "{path}");
        }
    }

    #[test]
    fn metadata_names_a_package() {
        let text =
            br#"{"name": "libgomp", "version": "11.2.0", "license": "GPL-3.0-only and MIT"}"#;
        let package = parse(text).unwrap().unwrap();
        assert_eq!((&*package.name, &*package.version), ("libgomp", "11.2.0"));
        assert_eq!(package.licenses, ["GPL-3.0-only", "MIT"]);
        assert_eq!(package.id, "");
        for text in [
            "",
            "{}",
            r#"{"name": "a"}"#,
            r#"{"name": "a", "version": 1}"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Agrees with the reference implementation's pattern.
        #[test]
        fn paths_match_the_pattern(parts in prop::collection::vec(
            prop::sample::select(vec!["/envs/", "envs", "/conda-meta/", "-", ".json", "a", "/", "é"]),
            0..12,
        )) {
            let path = parts.concat();
            let pattern = Regex::new("/envs/.+/conda-meta/.+-.+-.+\\.json").unwrap();
            prop_assert_eq!(CondaPackage.wants(&path, 1), pattern.is_match(&path));
        }

        #[test]
        fn any_bytes_are_a_package_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
