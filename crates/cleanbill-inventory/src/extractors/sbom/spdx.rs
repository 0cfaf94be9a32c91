//! SPDX documents, JSON and tag-value.
//!
//! Source: SPDX 2.1 to 2.3; which members count follows spec 04 section 1.11.

mod json;
mod tag_value;

use std::collections::{HashMap, HashSet};

use cleanbill_core::purl::PackageUrl;

use super::bom::{Bom, Component, ComponentKind, digest};
use super::error::SbomError;
pub(super) use json::Document;

const VERSIONS: [&str; 3] = ["SPDX-2.1", "SPDX-2.2", "SPDX-2.3"];
/// What Trivy writes before the name and version of the source package.
const SOURCE_PACKAGE: &str = "built package from";

/// What both forms of a document say. Identifiers come without `SPDXRef-`.
#[derive(Debug, Default)]
struct RawDocument {
    version: String,
    creators: Vec<String>,
    packages: Vec<RawPackage>,
    /// Files that stand beside the packages.
    files: Vec<RawFile>,
    relationships: Vec<Relationship>,
}

#[derive(Debug, Default)]
struct RawPackage {
    id: String,
    name: String,
    version: String,
    license_declared: String,
    source_info: String,
    /// Category, type and locator.
    references: Vec<[String; 3]>,
    checksums: Vec<Checksum>,
    /// Files that stand inside the package.
    files: Vec<RawFile>,
    annotations: Vec<String>,
    attribution_texts: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct RawFile {
    id: String,
    name: String,
    checksums: Vec<Checksum>,
}

#[derive(Clone, Debug, Default)]
struct Checksum {
    algorithm: String,
    value: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Relationship {
    parent: String,
    kind: String,
    child: String,
}

/// Decodes a document in tag-value form.
///
/// # Errors
///
/// See [`SbomError`].
pub(super) fn decode_tag_value(bytes: &[u8]) -> Result<Bom, SbomError> {
    tag_value::parse(&String::from_utf8_lossy(bytes))?.convert()
}

/// Converts a document in JSON.
///
/// # Errors
///
/// See [`SbomError`].
pub(super) fn convert_json(document: Document) -> Result<Bom, SbomError> {
    document.raw()?.convert()
}

/// Cuts the prefix of an identifier; one of another document may stand before it.
///
/// # Errors
///
/// There is no `SPDXRef-`.
fn element_id(text: &str) -> Result<String, SbomError> {
    let id = match text.strip_prefix("DocumentRef-") {
        Some(rest) => rest.split_once(':').map_or("", |(_, id)| id),
        None if matches!(text, "NONE" | "NOASSERTION") => return Ok(String::new()),
        None => text,
    };
    match id.strip_prefix("SPDXRef-") {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ if text.starts_with("DocumentRef-") && id.is_empty() => Ok(String::new()),
        _ => Err(SbomError::Malformed {
            what: "an identifier".to_owned(),
            reason: format!(
                "'{}' does not begin with SPDXRef-",
                text.chars().take(100).collect::<String>()
            ),
        }),
    }
}

impl RawDocument {
    fn convert(self) -> Result<Bom, SbomError> {
        if !VERSIONS.contains(&self.version.as_str()) {
            return Err(SbomError::UnsupportedFormat {
                format: format!("SPDX version '{}'", self.version),
            });
        }
        let is_trivy = self.creators.iter().any(|creator| is_trivy(creator));
        let mut files = files_of_packages(&self.files, &self.relationships);
        let root = self
            .relationships
            .iter()
            .find(|related| related.parent == "DOCUMENT" && related.kind == "DESCRIBES")
            .map(|related| related.child.clone());
        let mut bom = Bom::default();
        let mut numbers = HashMap::new();
        for package in self.packages {
            let id = package.id.clone();
            let file = files.remove(&id);
            let mut component = package.convert(file, is_trivy)?;
            component.is_root = root.as_ref() == Some(&id);
            numbers.insert(id, bom.add(component));
        }
        let related = self.relationships.iter();
        for related in related.filter(|related| !is_describes(&related.kind)) {
            if let (Some(&parent), Some(&child)) =
                (numbers.get(&related.parent), numbers.get(&related.child))
            {
                bom.relate(parent, child);
            }
        }
        Ok(bom)
    }

    /// Adds relationships that are stated elsewhere, unless they are there already.
    fn relate_also(&mut self, also: Vec<Relationship>) {
        let mut known: HashSet<Relationship> = self.relationships.iter().map(forward).collect();
        for relationship in also {
            if known.insert(relationship.clone()) {
                self.relationships.push(relationship);
            }
        }
    }
}

fn is_describes(kind: &str) -> bool {
    matches!(kind, "DESCRIBES" | "DESCRIBE")
}

fn is_contains(kind: &str) -> bool {
    matches!(kind, "CONTAINS" | "CONTAIN")
}

/// Turns a relationship that is stated from its child's side round.
fn forward(relationship: &Relationship) -> Relationship {
    let kind = match relationship.kind.as_str() {
        "CONTAINED_BY" => "CONTAINS",
        "DESCRIBED_BY" => "DESCRIBES",
        _ => return relationship.clone(),
    };
    Relationship {
        parent: relationship.child.clone(),
        kind: kind.to_owned(),
        child: relationship.parent.clone(),
    }
}

fn is_trivy(creator: &str) -> bool {
    let (kind, name) = creator.split_once(':').unwrap_or_default();
    kind.trim() == "Tool" && name.trim().starts_with("trivy")
}

/// Finds the file of each package among the files beside them. Of several the last counts.
fn files_of_packages(
    files: &[RawFile],
    relationships: &[Relationship],
) -> HashMap<String, RawFile> {
    let by_id: HashMap<&str, &RawFile> =
        files.iter().map(|file| (file.id.as_str(), file)).collect();
    let mut of_packages: HashMap<&str, &RawFile> = HashMap::new();
    for related in relationships
        .iter()
        .filter(|related| is_contains(&related.kind))
    {
        if let Some(&file) = by_id.get(related.child.as_str())
            && related.child.starts_with("File")
        {
            of_packages.insert(&related.parent, file);
        }
    }
    of_packages
        .into_iter()
        .map(|(id, file)| (id.to_owned(), file.clone()))
        .collect()
}

impl RawPackage {
    fn convert(self, file: Option<RawFile>, is_trivy: bool) -> Result<Component, SbomError> {
        let kind = if self.id.starts_with("OperatingSystem") {
            ComponentKind::OperatingSystem
        } else if self.id.starts_with("Application") {
            ComponentKind::Application
        } else {
            ComponentKind::Library
        };
        let purl = self.purl()?;
        let (src_name, src_version) = source_package(&self.source_info);
        let mut component = Component {
            kind,
            purl,
            version: self.version,
            src_name: src_name.to_owned(),
            src_version: src_version.to_owned(),
            licenses: match self.license_declared.as_str() {
                "NONE" => Vec::new(),
                names => names.split(',').map(str::to_owned).collect(),
            },
            properties: properties(self.annotations, self.attribution_texts),
            ..Component::default()
        };
        let file = file.or_else(|| self.files.into_iter().next());
        let (path, checksums) = match file {
            Some(file) => (file.name, file.checksums),
            None => (String::new(), self.checksums),
        };
        component.file_path = path;
        component.digest = checksums
            .iter()
            .find_map(|checksum| digest(&checksum.algorithm, &checksum.value))
            .unwrap_or_default();
        component.name =
            if is_trivy && kind == ComponentKind::Application && !self.source_info.is_empty() {
                // Older releases put the type into the name and the path here.
                component.properties.push(("Type".to_owned(), self.name));
                self.source_info
            } else {
                self.name
            };
        Ok(component)
    }

    fn purl(&self) -> Result<Option<PackageUrl>, SbomError> {
        let is_purl = |[category, kind, _]: &&[String; 3]| {
            kind == "purl" && category.replace('_', "-") == "PACKAGE-MANAGER"
        };
        let Some([_, _, locator]) = self.references.iter().find(is_purl) else {
            return Ok(None);
        };
        locator
            .parse()
            .map(Some)
            .map_err(|source| SbomError::PackageUrl {
                name: self.name.chars().take(100).collect(),
                source,
            })
    }
}

/// Returns name and version of the source package, if Trivy wrote them.
fn source_package(source_info: &str) -> (&str, &str) {
    let Some(rest) = source_info.strip_prefix(SOURCE_PACKAGE) else {
        return ("", "");
    };
    // Without the colon the prefix counts as part of the name.
    let text = rest.strip_prefix(": ").unwrap_or(source_info);
    text.split_once(' ').unwrap_or((text, ""))
}

/// Reads Trivy's properties: from annotations, in older documents from attribution texts.
fn properties(annotations: Vec<String>, attribution_texts: Vec<String>) -> Vec<(String, String)> {
    let texts = if annotations.is_empty() {
        attribution_texts
    } else {
        annotations
    };
    let pair = |text: &String| {
        let (name, value) = text.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    };
    texts.iter().filter_map(pair).collect()
}
