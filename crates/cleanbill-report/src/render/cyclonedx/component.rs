//! `components` and `metadata.component`.

use std::borrow::Cow;

use cleanbill_core::Package;
use cleanbill_core::report::ArtifactType;
use serde::Serialize;

use crate::render::sbom::component::checksum;
use crate::render::sbom::license::{self, TEXT_PREFIX};
use crate::render::sbom::{Component, Part};

/// What stands before the names of properties that Trivy's readers know.
const NAMESPACE: &str = "aquasecurity:trivy:";

#[derive(Serialize)]
pub(super) struct View<'a> {
    #[serde(rename = "bom-ref")]
    reference: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Supplier<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

/// A name and a value.
#[derive(Serialize)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Serialize)]
struct Supplier<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Hash<'a> {
    alg: &'static str,
    content: &'a str,
}

/// Either one expression, or any number of licences.
#[derive(Serialize)]
enum LicenseChoice<'a> {
    #[serde(rename = "expression")]
    Expression(String),
    #[serde(rename = "license")]
    License(License<'a>),
}

#[derive(Serialize)]
enum License<'a> {
    #[serde(rename = "id")]
    Id(String),
    #[serde(rename = "name")]
    Name(&'a str),
}

impl<'a> View<'a> {
    pub(super) fn of(component: &'a Component<'a>) -> Self {
        let part = &component.part;
        let identity = part.identity();
        let package = part.package().map(|(_, package)| package);
        let properties = part.properties().into_iter();
        Self {
            reference: &component.reference,
            kind: kind(part),
            supplier: package
                .filter(|package| !package.maintainer.is_empty())
                .map(|package| Supplier {
                    name: &package.maintainer,
                }),
            group: identity.group,
            name: identity.name,
            version: identity.version,
            hashes: package.into_iter().flat_map(hash).collect(),
            licenses: package.map(licenses).unwrap_or_default(),
            purl: purl(part),
            properties: properties
                .map(|(name, value)| Property {
                    name: format!("{NAMESPACE}{name}"),
                    value: value.into_owned(),
                })
                .collect(),
        }
    }
}

fn kind(part: &Part<'_>) -> &'static str {
    match part {
        Part::Image(image) if image.artifact_type == ArtifactType::ContainerImage => "container",
        Part::Image(_) | Part::Application(_) => "application",
        Part::OperatingSystem(..) => "operating-system",
        Part::Package(..) | Part::Unlisted(..) => "library",
    }
}

fn purl(part: &Part<'_>) -> Option<String> {
    match part {
        Part::Image(image) => image.package_url().map(|purl| purl.to_string()),
        _ => {
            let (_, package) = part.package()?;
            package
                .identifier
                .purl
                .as_ref()
                .map(|purl| purl.to_string())
        }
    }
}

fn hash(package: &Package) -> Option<Hash<'_>> {
    let (algorithm, content) = checksum(&package.digest)?;
    let alg = match algorithm {
        "SHA1" => "SHA-1",
        "SHA256" => "SHA-256",
        "SHA512" => "SHA-512",
        _ => "MD5",
    };
    Some(Hash { alg, content })
}

/// An expression may only stand alone; among several it is a name.
fn licenses(package: &Package) -> Vec<LicenseChoice<'_>> {
    let mut stated = package.licenses.iter().filter(|text| !text.is_empty());
    if let (Some(only), None) = (stated.next(), stated.next())
        && let Some(expression) = license::parse(only).filter(|e| e.is_compound)
    {
        return vec![LicenseChoice::Expression(expression.text)];
    }
    let stated = package.licenses.iter().filter(|text| !text.is_empty());
    stated
        .map(|text| {
            LicenseChoice::License(match cleanbill_core::spdx::license_id(text) {
                Some(id) => License::Id(id.to_owned()),
                None => License::Name(text.strip_prefix(TEXT_PREFIX).unwrap_or(text)),
            })
        })
        .collect()
}
