//! Where Red Hat built a layer: the repositories of its packages, and the build's name.
//!
//! Source: spec 02 section 2.7.

mod dockerfile;
mod substitution;
mod words;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput};
use crate::json::decode_classic;

/// Reads the content sets of a content manifest.
pub(crate) struct ContentManifest;

/// Reads name, version and release of a build from the labels of its Dockerfile.
pub(crate) struct BuildDockerfile;

const CONTENT_MANIFESTS: &[&str] = &["root/buildinfo/content_manifests/", "usr/share/buildinfo/"];
const DOCKERFILES: &[&str] = &["root/buildinfo/"];

impl Extractor for ContentManifest {
    fn name(&self) -> &'static str {
        "redhat-content-manifest"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        let name = |directory: &&str| path.strip_prefix(directory);
        let names = CONTENT_MANIFESTS.iter().filter_map(name);
        names
            .into_iter()
            .any(|name| !name.contains('/') && name.ends_with(".json"))
    }

    fn places(&self) -> &'static [&'static str] {
        CONTENT_MANIFESTS
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let content_sets = parse_content_sets(&file.read_small()?)?;
        if !content_sets.is_empty() {
            draft.add_content_sets(file.path, content_sets);
        }
        Ok(())
    }
}

impl Extractor for BuildDockerfile {
    fn name(&self) -> &'static str {
        "redhat-dockerfile"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        let names = DOCKERFILES
            .iter()
            .filter_map(|directory| path.strip_prefix(directory));
        names
            .into_iter()
            .any(|name| !name.contains('/') && name.starts_with("Dockerfile"))
    }

    fn places(&self) -> &'static [&'static str] {
        DOCKERFILES
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let bytes = file.read_all(file.limits.line_size_bytes_max, "line_size_bytes_max")?;
        let labels = dockerfile::build_labels(&String::from_utf8_lossy(&bytes))
            .map_err(|error| ExtractError::Malformed(error.to_string()))?;
        if labels.component.is_empty() || labels.arch.is_empty() {
            // Not a build of the kind whose repositories are known; the content manifest or the
            // defaults of the release count.
            return Err(ExtractError::Ignored);
        }
        let nvr = format!("{}-{}", labels.component, version_of(file.path));
        draft.add_build_label(file.path, nvr, labels.arch);
        Ok(())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    content_sets: Vec<String>,
}

fn parse_content_sets(bytes: &[u8]) -> Result<Vec<String>, ExtractError> {
    match decode_classic::<Manifest>(bytes) {
        Ok(manifest) => Ok(manifest.content_sets),
        // Build information of another kind, which may lie in the same directory.
        Err(_) if is_no_object(bytes) => Err(ExtractError::Ignored),
        Err(error) => Err(error.into()),
    }
}

/// Says whether a text is JSON, but no object.
fn is_no_object(bytes: &[u8]) -> bool {
    !bytes.trim_ascii_start().starts_with(b"{") && decode_classic::<IgnoredAny>(bytes).is_ok()
}

/// Returns the last two parts of a file name: `8.3-227` of `Dockerfile-ubi8-8.3-227`.
fn version_of(path: &str) -> &str {
    let Some((rest, _)) = path.rsplit_once('-') else {
        return "";
    };
    let start = rest.rfind('-').map_or(0, |at| at + 1);
    path.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_directly_in_the_directories_are_wanted() {
        for (path, expected) in [
            ("root/buildinfo/content_manifests/nodejs-12-1-66.json", true),
            ("usr/share/buildinfo/content-sets.json", true),
            ("usr/share/buildinfo/a/b.json", false),
            ("root/buildinfo/content_manifests/a.xml", false),
            ("a/usr/share/buildinfo/b.json", false),
        ] {
            assert_eq!(ContentManifest.wants(path, 1), expected, "{path}");
        }
        assert!(BuildDockerfile.wants("root/buildinfo/Dockerfile-ubi8-8.3-227", 1));
        assert!(!BuildDockerfile.wants("app/Dockerfile-ubi8-8.3-227", 1));
        assert!(!BuildDockerfile.wants("root/buildinfo/a/Dockerfile", 1));
    }

    #[test]
    fn content_sets_are_read() {
        let sets = |text: &str| parse_content_sets(text.as_bytes());
        assert_eq!(
            sets(r#"{"metadata": {}, "content_sets": ["a", "b"]}"#).unwrap(),
            ["a", "b"]
        );
        assert_eq!(sets(r#"{"content_sets": null}"#).unwrap(), [""; 0]);
        assert_eq!(sets("{}").unwrap(), [""; 0]);
        assert_eq!(sets(r#"{"Content_Sets": ["a"]}"#).unwrap(), ["a"]);
        assert!(matches!(sets("[1]"), Err(ExtractError::Ignored)));
        for malformed in [
            "{\"content_sets\": [\"a\"",
            "{\"content_sets\": \"a\"}",
            "{\"content_sets\": [1]}",
        ] {
            assert!(
                matches!(sets(malformed), Err(ExtractError::Malformed(_))),
                "{malformed}"
            );
        }
    }

    #[test]
    fn the_version_is_the_end_of_the_file_name() {
        for (path, expected) in [
            ("root/buildinfo/Dockerfile-ubi8-8.3-227", "8.3-227"),
            ("root/buildinfo/Dockerfile-1", "root/buildinfo/Dockerfile-1"),
            ("root/buildinfo/Dockerfile", ""),
        ] {
            assert_eq!(version_of(path), expected, "{path}");
        }
    }
}
