//! CycloneDX documents.
//!
//! Source: CycloneDX 1.2 to 1.7 JSON schema; which members count follows spec 04 section 1.11.
//! Components inside components are not listed, as in the reference.

mod xml;

use cleanbill_core::Limits;
use serde::Deserialize;

use super::bom::{Bom, Component, ComponentKind, Index, Node, check_count, digest};
use super::error::SbomError;
use crate::json::Parts;

/// The prefix of properties that Trivy writes.
const TRIVY_PREFIX: &str = "aquasecurity:trivy:";
const VERSIONS: [&str; 8] = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

/// What a document in XML says.
#[derive(Default)]
struct Document {
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

/// Reads a document in XML.
///
/// # Errors
///
/// It is malformed; and as [`read_json`].
pub(super) fn read_xml(bytes: &[u8], limits: &Limits) -> Result<Bom, SbomError> {
    let document = xml::parse(bytes)?;
    check_version(document.spec_version)?;
    let mut reader = Reader::new(limits);
    for component in document.components {
        reader.component(component)?;
    }
    reader.end_components(document.metadata)?;
    for dependency in document.dependencies {
        reader.dependency(&dependency)?;
    }
    Ok(reader.finish())
}

/// Reads a document in JSON.
///
/// # Errors
///
/// It is malformed, its version is unknown, or the component that it describes is malformed.
pub(super) fn read_json(document: &Parts<'_>, limits: &Limits) -> Result<Bom, SbomError> {
    check_version(document.whole("specVersion")?)?;
    let mut reader = Reader::new(limits);
    document.each(&["components"], &mut |part| {
        reader.component(part.decode()?)
    })?;
    reader.end_components(document.whole("metadata")?)?;
    document.each(&["dependencies"], &mut |part| {
        reader.dependency(&part.decode()?)
    })?;
    Ok(reader.finish())
}

fn check_version(version: Option<String>) -> Result<(), SbomError> {
    match version.filter(|version| !VERSIONS.contains(&version.as_str())) {
        None => Ok(()),
        Some(version) => Err(SbomError::UnsupportedFormat {
            format: format!("CycloneDX {version}"),
        }),
    }
}

/// Takes a document, component by component, then what needs what.
struct Reader {
    bom: Bom,
    /// Components by their references.
    nodes: Index<Node>,
    /// The package URLs of all components.
    urls: Index<()>,
    /// Components that were met, and how many may be.
    count: u64,
    count_max: u64,
}

impl Reader {
    fn new(limits: &Limits) -> Self {
        Self {
            bom: Bom::new(limits),
            nodes: Index::new(limits.sbom_elements_max),
            urls: Index::new(limits.sbom_elements_max),
            count: 0,
            count_max: limits.sbom_elements_max,
        }
    }

    fn component(&mut self, raw: RawComponent) -> Result<(), SbomError> {
        check_count(self.count, self.count_max)?;
        self.count += 1;
        match raw.convert() {
            Ok(component) => self.add(component)?,
            Err(Refusal::Url(_)) => self.bom.malformed_urls += 1,
            Err(Refusal::Kind) => {}
        }
        Ok(())
    }

    fn add(&mut self, component: Component) -> Result<(), SbomError> {
        if let Some(purl) = &component.purl {
            self.urls.add(purl, ())?;
        }
        let hash = self.nodes.hash(&component.bom_ref);
        let node = self.bom.add(component)?;
        self.nodes.add_hash(hash, node)
    }

    /// Adds the component that the document describes, after all others.
    fn end_components(&mut self, metadata: Metadata) -> Result<(), SbomError> {
        if let Some(raw) = metadata.component {
            let name = raw.name.clone();
            let mut root = raw.convert().map_err(|refusal| refusal.into_error(name))?;
            root.is_root = true;
            self.add(root)?;
        }
        self.nodes.unique();
        self.urls.seal();
        Ok(())
    }

    fn dependency(&mut self, dependency: &Dependency) -> Result<(), SbomError> {
        let Some(parent) = self.nodes.get(&dependency.parent) else {
            return Ok(());
        };
        for child in &dependency.children {
            if let Some(child) = self.nodes.get(child) {
                self.bom.relate(parent, child)?;
            }
        }
        Ok(())
    }

    /// Gives packages without a reference their package URL, if no other component has the same.
    /// (The reference makes up a random one for the others; here they get none.)
    fn finish(mut self) -> Bom {
        let packages = self.bom.packages.iter_mut();
        let identifiers = packages.map(|package| &mut package.identifier);
        for identifier in identifiers.filter(|identifier| identifier.bom_ref.is_empty()) {
            if let Some(purl) = &identifier.purl
                && self.urls.is_single(purl)
            {
                identifier.bom_ref = purl.to_string();
            }
        }
        self.bom
    }
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
