//! CycloneDX documents.
//!
//! Source: CycloneDX 1.2 to 1.7 JSON schema; which members count follows spec 04 section 1.11.
//! Components inside components are not listed, as in the reference.

mod xml;

use std::collections::HashMap;

use cleanbill_core::purl::PackageUrl;
use serde::Deserialize;

use super::bom::{Bom, Component, ComponentKind, digest};
use super::error::SbomError;

/// The prefix of properties that Trivy writes.
const TRIVY_PREFIX: &str = "aquasecurity:trivy:";
const VERSIONS: [&str; 8] = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document {
    spec_version: Option<String>,
    metadata: Metadata,
    components: Vec<RawComponent>,
    dependencies: Vec<Dependency>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    component: Option<RawComponent>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawComponent {
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    group: String,
    version: String,
    purl: String,
    licenses: Vec<LicenseChoice>,
    hashes: Vec<Hash>,
    properties: Vec<Property>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LicenseChoice {
    license: License,
    expression: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct License {
    name: String,
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Hash {
    #[serde(rename = "alg")]
    algorithm: String,
    content: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Property {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Dependency {
    #[serde(rename = "ref")]
    parent: String,
    #[serde(rename = "dependsOn")]
    children: Vec<String>,
}

/// Decodes a document in XML.
///
/// # Errors
///
/// It is malformed; and as [`convert`].
pub(super) fn decode_xml(bytes: &[u8]) -> Result<Bom, SbomError> {
    convert(xml::parse(bytes)?)
}

/// Converts a document.
///
/// # Errors
///
/// The version is unknown, or the component that the document describes is malformed.
pub(super) fn convert(document: Document) -> Result<Bom, SbomError> {
    if let Some(version) = document
        .spec_version
        .filter(|v| !VERSIONS.contains(&v.as_str()))
    {
        return Err(SbomError::UnsupportedFormat {
            format: format!("CycloneDX {version}"),
        });
    }
    let mut bom = Bom::default();
    let mut numbers = HashMap::new();
    for raw in document.components {
        let bom_ref = raw.bom_ref.clone();
        match raw.convert() {
            Ok(component) => {
                numbers.insert(bom_ref, bom.add(component));
            }
            Err(Refusal::Url(_)) => bom.malformed_urls += 1,
            Err(Refusal::Kind) => {}
        }
    }
    if let Some(raw) = document.metadata.component {
        let (bom_ref, name) = (raw.bom_ref.clone(), raw.name.clone());
        let mut root = raw.convert().map_err(|refusal| refusal.into_error(name))?;
        root.is_root = true;
        numbers.insert(bom_ref, bom.add(root));
    }
    for dependency in document.dependencies {
        let Some(&parent) = numbers.get(&dependency.parent) else {
            continue;
        };
        for child in dependency.children {
            if let Some(&child) = numbers.get(&child) {
                bom.relate(parent, child);
            }
        }
    }
    name_by_urls(&mut bom);
    Ok(bom)
}

/// Says why a component is left out.
enum Refusal {
    /// It is of a type that holds no packages.
    Kind,
    /// Its package URL is malformed.
    Url(cleanbill_core::purl::PackageUrlError),
}

impl Refusal {
    fn into_error(self, name: String) -> SbomError {
        match self {
            Refusal::Kind => SbomError::Malformed {
                what: "metadata.component".to_owned(),
                reason: "it is of an unknown type".to_owned(),
            },
            Refusal::Url(source) => SbomError::PackageUrl { name, source },
        }
    }
}

impl RawComponent {
    fn convert(self) -> Result<Component, Refusal> {
        let kind = match self.kind.as_str() {
            "operating-system" => ComponentKind::OperatingSystem,
            "application" => ComponentKind::Application,
            "library" | "framework" => ComponentKind::Library,
            "container" | "platform" | "file" => ComponentKind::Other,
            _ => return Err(Refusal::Kind),
        };
        let purl = match self.purl.as_str() {
            "" => None,
            text => Some(text.parse().map_err(Refusal::Url)?),
        };
        let digest = self
            .hashes
            .iter()
            .find_map(|hash| digest(&hash.algorithm, &hash.content));
        Ok(Component {
            kind,
            name: self.name,
            group: self.group,
            version: self.version,
            licenses: self
                .licenses
                .into_iter()
                .filter_map(LicenseChoice::name)
                .collect(),
            purl,
            bom_ref: self.bom_ref,
            digest: digest.unwrap_or_default(),
            properties: self.properties.into_iter().map(Property::pair).collect(),
            ..Component::default()
        })
    }
}

impl LicenseChoice {
    fn name(self) -> Option<String> {
        let names = [self.license.name, self.license.id, self.expression];
        names.into_iter().find(|name| !name.is_empty())
    }
}

impl Property {
    fn pair(self) -> (String, String) {
        let name = self.name.strip_prefix(TRIVY_PREFIX).unwrap_or(&self.name);
        (name.to_owned(), self.value)
    }
}

/// Gives components without a reference their package URL, if no other component has the same.
/// (The reference makes up a random one for the others; here they get none.)
fn name_by_urls(bom: &mut Bom) {
    let mut counts: HashMap<PackageUrl, u32> = HashMap::new();
    for purl in bom
        .components
        .iter()
        .filter_map(|component| component.purl.as_ref())
    {
        match counts.get_mut(purl) {
            Some(count) => *count += 1,
            None => {
                counts.insert(purl.clone(), 1);
            }
        }
    }
    for component in bom.components.iter_mut().filter(|c| c.bom_ref.is_empty()) {
        if let Some(purl) = component
            .purl
            .as_ref()
            .filter(|&purl| counts.get(purl) == Some(&1))
        {
            component.bom_ref = purl.to_string();
        }
    }
}
