//! `packages`: one for each component.

use std::borrow::Cow;
use std::collections::HashMap;

use cleanbill_core::Digest;
use cleanbill_core::report::ArtifactType;
use serde::Serialize;

use super::license;
use crate::render::sbom::component::{Property, checksum};
use crate::render::sbom::{Component, Part};

/// What the entries of all packages are made of.
pub(super) struct Packages<'a> {
    /// The ids by component.
    pub(super) ids: Vec<String>,
    /// Addresses of advisories by component.
    pub(super) advisories: HashMap<usize, Vec<&'a str>>,
    /// Who says what annotations say.
    pub(super) annotator: &'a str,
    /// When it was said.
    pub(super) created: &'a str,
}

/// Makes the id of a component: the prefix tells readers what it is.
pub(super) fn id(component: &Component<'_>) -> String {
    let prefix = match &component.part {
        Part::Image(image) if image.artifact_type == ArtifactType::ContainerImage => {
            "ContainerImage"
        }
        Part::Image(_) => "Filesystem",
        Part::OperatingSystem(..) => "OperatingSystem",
        Part::Application(_) => "Application",
        Part::Package(..) | Part::Unlisted(..) => "Package",
    };
    let hex = Digest::of(component.reference.as_bytes()).to_hex();
    format!("SPDXRef-{prefix}-{}", hex.get(..24).unwrap_or_default())
}

impl Packages<'_> {
    pub(super) fn view<'a>(&'a self, index: usize, component: &'a Component<'_>) -> View<'a> {
        let part = &component.part;
        let identity = part.identity();
        let package = part.package();
        let purl = match part {
            Part::Image(image) => image.package_url(),
            _ => package.and_then(|(_, package)| package.identifier.purl.clone()),
        };
        let name = match (&purl, identity.group) {
            (_, "") => Cow::Borrowed(identity.name),
            (Some(purl), group) if purl.kind == "maven" => {
                Cow::Owned(format!("{group}:{}", identity.name))
            }
            (_, group) => Cow::Owned(format!("{group}/{}", identity.name)),
        };
        let stated = license::expression(part);
        let advisories = self.advisories.get(&index).into_iter().flatten();
        let references = purl.map(|purl| Reference::purl(purl.to_string()));
        View {
            id: self.ids.get(index).map_or("", String::as_str),
            name: if name.is_empty() {
                Cow::Borrowed("unnamed")
            } else {
                name
            },
            version: identity.version,
            purpose: purpose(part),
            download_location: "NONE",
            files_analyzed: false,
            supplier: package.map(|(_, package)| match package.maintainer.as_str() {
                "" => Cow::Borrowed("NOASSERTION"),
                name => Cow::Owned(format!("Organization: {name}")),
            }),
            source_info: source_info(part),
            checksums: package
                .and_then(|(_, package)| checksum(&package.digest))
                .map(|(algorithm, value)| Checksum { algorithm, value })
                .into_iter()
                .collect(),
            license_concluded: stated.clone(),
            license_declared: stated,
            copyright_text: "NOASSERTION",
            references: references
                .into_iter()
                .chain(advisories.map(|url| Reference::advisory(url)))
                .collect(),
            annotations: part
                .properties()
                .into_iter()
                .map(|property| self.annotation(property))
                .collect(),
        }
    }

    fn annotation(&self, (name, value): Property<'_>) -> Annotation<'_> {
        Annotation {
            annotator: self.annotator,
            date: self.created,
            kind: "OTHER",
            comment: format!("{name}: {value}"),
        }
    }
}

fn purpose(part: &Part<'_>) -> &'static str {
    match part {
        Part::Image(image) if image.artifact_type == ArtifactType::ContainerImage => "CONTAINER",
        Part::Image(_) => "SOURCE",
        Part::OperatingSystem(..) => "OPERATING_SYSTEM",
        Part::Application(_) => "APPLICATION",
        Part::Package(..) | Part::Unlisted(..) => "LIBRARY",
    }
}

/// Names the source package, or the file that lists the package.
fn source_info(part: &Part<'_>) -> String {
    match part.package() {
        Some((_, package)) if !package.src_name.is_empty() => format!(
            "built package from: {} {}",
            package.src_name,
            package.source_version()
        ),
        Some((set, _)) if set.class.name() == "lang-pkgs" && !set.is_aggregated() => {
            format!("package found in: {}", set.target)
        }
        _ => String::new(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    #[serde(rename = "SPDXID")]
    id: &'a str,
    name: Cow<'a, str>,
    #[serde(rename = "versionInfo", skip_serializing_if = "str::is_empty")]
    version: Cow<'a, str>,
    #[serde(rename = "primaryPackagePurpose")]
    purpose: &'static str,
    download_location: &'static str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    source_info: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum<'a>>,
    license_concluded: String,
    license_declared: String,
    copyright_text: &'static str,
    #[serde(rename = "externalRefs", skip_serializing_if = "Vec::is_empty")]
    references: Vec<Reference<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'a>>,
}

#[derive(Serialize)]
struct Checksum<'a> {
    algorithm: &'static str,
    #[serde(rename = "checksumValue")]
    value: &'a str,
}

#[derive(Serialize)]
struct Reference<'a> {
    #[serde(rename = "referenceCategory")]
    category: &'static str,
    #[serde(rename = "referenceType")]
    kind: &'static str,
    #[serde(rename = "referenceLocator")]
    locator: Cow<'a, str>,
}

impl<'a> Reference<'a> {
    fn purl(purl: String) -> Self {
        Self {
            category: "PACKAGE-MANAGER",
            kind: "purl",
            locator: Cow::Owned(purl),
        }
    }

    fn advisory(url: &'a str) -> Self {
        Self {
            category: "SECURITY",
            kind: "advisory",
            locator: Cow::Borrowed(url),
        }
    }
}

#[derive(Serialize)]
struct Annotation<'a> {
    annotator: &'a str,
    #[serde(rename = "annotationDate")]
    date: &'a str,
    #[serde(rename = "annotationType")]
    kind: &'static str,
    comment: String,
}
