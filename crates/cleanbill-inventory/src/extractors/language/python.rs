//! Python packages, from the metadata of what is installed and of zipped eggs.
//!
//! Source: spec 04 section 1.2; Trivy 0.74.0 `pkg/dependency/parser/python/packaging`,
//! `pkg/fanal/analyzer/language/python/packaging`.

mod egg;
mod header;
mod metadata;

use cleanbill_core::path;

use super::extract_manifest;
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::licenses;
pub(crate) use egg::PythonEgg;

const KIND: &str = "python-pkg";

/// Bytes of a licence's text. The longest known ones have 40 KB.
const LICENSE_SIZE_BYTES_MAX: u64 = 1 << 20;

/// Finds the package that a metadata file describes: `METADATA` of a wheel, `PKG-INFO` of an egg,
/// or a file named `*.egg-info`.
pub(crate) struct PythonPackage;

impl Extractor for PythonPackage {
    fn name(&self) -> &'static str {
        KIND
    }

    fn wants(&self, path: &str, size_bytes: u64) -> bool {
        match role_of(path) {
            Some(Role::Metadata) => true,
            Some(Role::License) => size_bytes <= LICENSE_SIZE_BYTES_MAX,
            None => false,
        }
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        if role_of(file.path) == Some(Role::Metadata) {
            return extract_manifest(KIND, file, draft, metadata::parse);
        }
        let names = licenses::classify(&file.read_small()?);
        draft.license_texts.add(file.path, names);
        Ok(())
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Follow
    }
}

/// Says what a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It describes a package.
    Metadata,
    /// It may be the text of a licence that the metadata beside it names.
    License,
}

fn role_of(file: &str) -> Option<Role> {
    if is_egg_metadata(file) {
        return Some(Role::Metadata);
    }
    if !file.contains(".dist-info") {
        return None;
    }
    let name = path::base_name(file);
    if name == "METADATA" {
        return Some(Role::Metadata);
    }
    // Names of licences are looked up beside the metadata only.
    let directory = path::parent(file).map(path::base_name).unwrap_or_default();
    let is_license = directory.contains(".dist-info") && may_be_license(name);
    is_license.then_some(Role::License)
}

/// Says whether a path is one of an egg's metadata.
fn is_egg_metadata(path: &str) -> bool {
    [
        ".egg-info",
        ".egg-info/PKG-INFO",
        "EGG-INFO/PKG-INFO",
        ".egg-info/METADATA",
    ]
    .iter()
    .any(|ending| path.ends_with(ending))
}

/// Says whether a file may hold the text of a licence, which can have any name: it is none of the
/// files that lie beside all metadata.
fn may_be_license(name: &str) -> bool {
    const OTHERS: [&str; 8] = [
        "RECORD",
        "WHEEL",
        "INSTALLER",
        "REQUESTED",
        "top_level.txt",
        "entry_points.txt",
        "direct_url.json",
        "metadata.json",
    ];
    !OTHERS.contains(&name)
}

#[cfg(test)]
mod tests;
