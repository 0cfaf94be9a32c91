//! What is said about a component: name, version, properties.

use std::borrow::Cow;

use cleanbill_core::Package;
use cleanbill_core::report::{ImageReport, ResultSet};

use super::Part;

/// The schema of Trivy's reports whose property names are used.
const SCHEMA_VERSION: &str = "2";

/// A name and a value.
pub(in crate::render) type Property<'a> = (Cow<'static, str>, Cow<'a, str>);

/// How a component is called.
pub(in crate::render) struct Identity<'a> {
    /// The scope or group (npm, Maven); else empty.
    pub(in crate::render) group: &'a str,
    /// The name.
    pub(in crate::render) name: &'a str,
    /// The version; may be empty.
    pub(in crate::render) version: Cow<'a, str>,
}

impl Part<'_> {
    /// Returns how the component is called.
    pub(in crate::render) fn identity(&self) -> Identity<'_> {
        match self {
            Part::Image(image) => Identity::plain(&image.artifact_name, ""),
            Part::OperatingSystem(image, set) => match &image.distro {
                Some(distro) => Identity::plain(distro.family.as_str(), &distro.name),
                None => Identity::plain(&set.target, ""),
            },
            Part::Application(set) => Identity::plain(&set.target, ""),
            Part::Package(_, package) => of_package(package),
            Part::Unlisted(_, package) => of_package(package),
        }
    }

    /// Returns what is known about the component besides, sorted by name and value.
    pub(in crate::render) fn properties(&self) -> Vec<Property<'_>> {
        let mut properties = match self {
            Part::Image(image) => of_image(image),
            Part::OperatingSystem(_, set) | Part::Application(set) => of_result(set),
            Part::Package(set, package) => of_listed(set, package),
            Part::Unlisted(set, package) => of_listed(set, package),
        };
        properties.retain(|(_, value)| !value.is_empty());
        properties.sort();
        properties
    }
}

impl<'a> Identity<'a> {
    fn plain(name: &'a str, version: &'a str) -> Self {
        Self {
            group: "",
            name,
            version: Cow::Borrowed(version),
        }
    }
}

/// Takes the version from the package URL, with the epoch in front; npm scopes and Maven groups
/// stand apart from the name.
fn of_package(package: &Package) -> Identity<'_> {
    let Some(purl) = &package.identifier.purl else {
        return Identity {
            group: "",
            name: &package.name,
            version: Cow::Owned(package.installed_version()),
        };
    };
    let version = match purl.qualifier("epoch") {
        Some(epoch) if epoch != "0" => Cow::Owned(format!("{epoch}:{}", purl.version)),
        _ => Cow::Borrowed(purl.version.as_str()),
    };
    let (group, name) = match purl.kind.as_str() {
        "maven" => (purl.namespace.as_str(), purl.name.as_str()),
        // A package URL has no capitals here, the name may.
        "npm" => package.name.split_once('/').unwrap_or(("", &package.name)),
        _ => ("", package.name.as_str()),
    };
    Identity {
        group,
        name,
        version,
    }
}

fn text<'a>(name: &'static str, value: &'a str) -> Property<'a> {
    (Cow::Borrowed(name), Cow::Borrowed(value))
}

fn made<'a>(name: &'static str, value: &impl ToString) -> Property<'a> {
    (Cow::Borrowed(name), Cow::Owned(value.to_string()))
}

fn of_image(image: &ImageReport) -> Vec<Property<'_>> {
    let metadata = &image.metadata;
    let mut properties = vec![text("SchemaVersion", SCHEMA_VERSION)];
    properties.extend(metadata.image_id.as_ref().map(|id| made("ImageID", id)));
    let labels = metadata.config.config.labels.iter();
    properties.extend(labels.map(|(name, value)| {
        (
            Cow::Owned(format!("Labels:{name}")),
            Cow::Borrowed(value.as_str()),
        )
    }));
    let size_bytes = metadata.layers.iter().filter_map(|layer| layer.size_bytes);
    let size_bytes = size_bytes.fold(0, u64::saturating_add);
    if size_bytes > 0 {
        properties.push(made("Size", &size_bytes));
    }
    let layers = metadata.layers.iter();
    properties.extend(layers.map(|layer| made("DiffID", &layer.id.diff_id)));
    properties.extend(metadata.repo_digests.iter().map(|t| text("RepoDigest", t)));
    properties.extend(metadata.repo_tags.iter().map(|t| text("RepoTag", t)));
    properties.extend(image.reference().map(|t| text("Reference", t)));
    properties
}

fn of_result(set: &ResultSet) -> Vec<Property<'_>> {
    vec![text("Type", &set.kind), text("Class", set.class.name())]
}

fn of_listed<'a>(set: &'a ResultSet, package: &'a Package) -> Vec<Property<'a>> {
    let id = match package.id.as_str() {
        "" => Cow::Owned(format!("{}@{}", package.name, package.version)),
        id => Cow::Borrowed(id),
    };
    let mut properties = vec![
        (Cow::Borrowed("PkgID"), id),
        text("PkgType", &set.kind),
        text("FilePath", &package.file_path),
        text("SrcName", &package.src_name),
        text("SrcVersion", &package.src_version),
        text("SrcRelease", &package.src_release),
        text("Modularitylabel", &package.modularity_label),
    ];
    if package.src_epoch != 0 {
        properties.push(made("SrcEpoch", &package.src_epoch));
    }
    if let Some(layer) = &package.layer {
        properties.extend(layer.digest.as_ref().map(|d| made("LayerDigest", d)));
        properties.push(made("LayerDiffID", &layer.diff_id));
    }
    if let Some(build) = &package.build_info {
        properties.extend(build.content_sets.iter().map(|t| text("ContentSet", t)));
        properties.push(text("NVR", &build.nvr));
        properties.push(text("Arch", &build.arch));
    }
    properties
}

/// Splits a digest of a package database into the algorithm's name and its hex digits; `None` for
/// what neither format can say.
pub(in crate::render) fn checksum(digest: &str) -> Option<(&'static str, &str)> {
    let (algorithm, digits) = digest.split_once(':')?;
    let (name, length) = match algorithm {
        "md5" => ("MD5", 32),
        "sha1" => ("SHA1", 40),
        "sha256" => ("SHA256", 64),
        "sha512" => ("SHA512", 128),
        _ => return None,
    };
    let is_hex = digits.len() == length && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then_some((name, digits))
}
