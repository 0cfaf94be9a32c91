//! One installed package, with everything that is known about it.

use cleanbill_core::TextList;
use cleanbill_core::package::{BuildInfo, Location, Package};
use schemars::JsonSchema;
use serde::Serialize;

use super::finding::Layer;
use crate::layers::Layers;

/// An installed package.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct InstalledPackage<'a> {
    /// Its name.
    name: &'a str,
    /// Its version with epoch and release.
    version: String,
    /// The epoch in the version; absent if it is 0.
    #[serde(skip_serializing_if = "is_zero")]
    epoch: i64,
    /// The release in the version.
    #[serde(skip_serializing_if = "str::is_empty")]
    release: &'a str,
    /// The id that dependencies refer to.
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    /// Its package URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    /// Its identity inside the image.
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: &'a str,
    /// Its reference inside the bill of materials that it was read from.
    #[serde(skip_serializing_if = "str::is_empty")]
    bom_ref: &'a str,
    /// The architecture.
    #[serde(skip_serializing_if = "str::is_empty")]
    arch: &'a str,
    /// The source package that it was built from.
    #[serde(skip_serializing_if = "str::is_empty")]
    source_name: &'a str,
    /// The version of the source package, with epoch and release.
    #[serde(skip_serializing_if = "String::is_empty")]
    source_version: String,
    /// The epoch in the version of the source package; absent if it is 0.
    #[serde(skip_serializing_if = "is_zero")]
    source_epoch: i64,
    /// The release in the version of the source package.
    #[serde(skip_serializing_if = "str::is_empty")]
    source_release: &'a str,
    /// Its licences.
    licenses: &'a [String],
    /// Who maintains or sells it.
    #[serde(skip_serializing_if = "str::is_empty")]
    maintainer: &'a str,
    /// The module that it belongs to (rpm).
    #[serde(skip_serializing_if = "str::is_empty")]
    modularity_label: &'a str,
    /// Where Red Hat built it.
    #[serde(skip_serializing_if = "Option::is_none")]
    build_info: Option<BuildInfoView<'a>>,
    /// Who supplies it: `official` or `third-party`; absent if not stated.
    #[serde(skip_serializing_if = "str::is_empty")]
    repository: &'static str,
    /// It is a development dependency (language packages).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dev: bool,
    /// It is an indirect dependency (language packages).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    indirect: bool,
    /// Its place in the dependency graph: `root`, `workspace`, `direct` or `indirect`; absent if
    /// not stated.
    #[serde(skip_serializing_if = "str::is_empty")]
    relationship: &'static str,
    /// The ids of the packages that it needs.
    depends_on: &'a [String],
    /// The file that it was found in (language packages).
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    /// The digest that the package database states.
    #[serde(skip_serializing_if = "str::is_empty")]
    digest: &'a str,
    /// Its lines in a lock file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Lines>,
    /// The files that it owns.
    #[serde(skip_serializing_if = "TextList::is_empty")]
    #[schemars(with = "Vec<String>")]
    installed_files: &'a TextList,
    /// What found it.
    #[serde(skip_serializing_if = "str::is_empty")]
    analyzed_by: &'a str,
    /// The layer that brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<Layer<'a>>,
}

/// Where Red Hat built a package.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct BuildInfoView<'a> {
    /// The content sets (repositories).
    content_sets: &'a [String],
    /// Name, version and release of the image build.
    nvr: &'a str,
    /// The architecture of the image build.
    arch: &'a str,
}

/// A range of lines, counted from 1, both ends included.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Lines {
    /// The first line.
    start_line: u64,
    /// The last line.
    end_line: u64,
}

impl<'a> InstalledPackage<'a> {
    pub(super) fn of(package: &'a Package, layers: &Layers<'a>) -> Self {
        let identifier = &package.identifier;
        Self {
            name: &package.name,
            version: package.installed_version(),
            epoch: package.epoch,
            release: &package.release,
            id: &package.id,
            purl: identifier.purl.as_ref().map(|purl| purl.to_string()),
            uid: &identifier.uid,
            bom_ref: &identifier.bom_ref,
            arch: &package.arch,
            source_name: &package.src_name,
            source_version: package.source_version(),
            source_epoch: package.src_epoch,
            source_release: &package.src_release,
            licenses: &package.licenses,
            maintainer: &package.maintainer,
            modularity_label: &package.modularity_label,
            build_info: package.build_info.as_ref().map(BuildInfoView::of),
            repository: package.repository_class.name(),
            dev: package.dev,
            indirect: package.indirect,
            relationship: package.relationship.name(),
            depends_on: &package.depends_on,
            path: &package.file_path,
            digest: &package.digest,
            locations: package.locations.iter().map(Lines::of).collect(),
            installed_files: &package.installed_files,
            analyzed_by: &package.analyzed_by,
            layer: package.layer.map(|layer| Layer::of(&layer, layers)),
        }
    }
}

impl<'a> BuildInfoView<'a> {
    fn of(build_info: &'a BuildInfo) -> Self {
        Self {
            content_sets: &build_info.content_sets,
            nvr: &build_info.nvr,
            arch: &build_info.arch,
        }
    }
}

impl Lines {
    fn of(location: &Location) -> Self {
        Self {
            start_line: location.start_line,
            end_line: location.end_line,
        }
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}
