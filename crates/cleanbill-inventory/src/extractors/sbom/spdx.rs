//! SPDX documents, JSON and tag-value.
//!
//! What one part of a document means depends on others, which may stand behind it: a document is
//! passed several times, and what is kept of each pass are hashes of identifiers.
//!
//! Source: SPDX 2.1 to 2.3; which members count follows spec 04 section 1.11.

mod json;
mod passes;
mod tag_value;

use cleanbill_core::Limits;
use cleanbill_core::purl::PackageUrl;

use super::bom::{Bom, Component, ComponentKind, digest};
use super::error::SbomError;
use crate::json::Parts;
use crate::kept::Kept;

const VERSIONS: [&str; 3] = ["SPDX-2.1", "SPDX-2.2", "SPDX-2.3"];
/// What Trivy writes before the name and version of the source package.
const SOURCE_PACKAGE: &str = "built package from";

/// Passes a document. Identifiers come without `SPDXRef-`.
trait Source {
    /// Returns what the document says about itself.
    fn head(&self) -> Result<Head, SbomError>;

    /// Gives the packages.
    fn packages(&self, visit: Visit<'_, RawPackage>) -> Result<(), SbomError>;

    /// Gives the files that stand beside the packages.
    fn files(&self, visit: Visit<'_, RawFile>) -> Result<(), SbomError>;

    /// Gives the relationships.
    fn relationships(&self, visit: Visit<'_, Relationship>) -> Result<(), SbomError>;

    /// Gives relationships that are stated elsewhere: they count unless they are among the others.
    fn implied(&self, visit: Visit<'_, Relationship>) -> Result<(), SbomError>;
}

/// Is called for each of something.
type Visit<'a, T> = &'a mut dyn FnMut(T) -> Result<(), SbomError>;

#[derive(Debug, Default)]
struct Head {
    version: String,
    is_trivy: bool,
    /// The document ends within a package.
    is_cut: bool,
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
    /// The first of the files that stand inside the package.
    file: Option<RawFile>,
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

/// Says where a package was found.
#[derive(Clone, Debug, Default)]
struct Origin {
    path: String,
    digest: String,
}

/// Reads a document in tag-value form.
///
/// # Errors
///
/// See [`SbomError`].
pub(super) fn read_tag_value(
    text: &Kept<'_>,
    part_size_bytes_max: usize,
    limits: &Limits,
) -> Result<Bom, SbomError> {
    let document = tag_value::Document {
        text,
        part_size_bytes_max,
    };
    passes::read(&document, limits)
}

/// Reads a document in JSON.
///
/// # Errors
///
/// See [`SbomError`].
pub(super) fn read_json(document: &Parts<'_>, limits: &Limits) -> Result<Bom, SbomError> {
    passes::read(&json::Document(document), limits)
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

fn is_trivy(creator: &str) -> bool {
    let (kind, name) = creator.split_once(':').unwrap_or_default();
    kind.trim() == "Tool" && name.trim().starts_with("trivy")
}

impl RawFile {
    fn origin(self) -> Origin {
        Origin {
            digest: first_digest(&self.checksums),
            path: self.name,
        }
    }
}

fn first_digest(checksums: &[Checksum]) -> String {
    checksums
        .iter()
        .find_map(|checksum| digest(&checksum.algorithm, &checksum.value))
        .unwrap_or_default()
}

impl RawPackage {
    fn convert(self, origin: Option<Origin>, is_trivy: bool) -> Result<Component, SbomError> {
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
        let origin = origin.or_else(|| self.file.map(RawFile::origin));
        let origin = origin.unwrap_or_else(|| Origin {
            path: String::new(),
            digest: first_digest(&self.checksums),
        });
        component.file_path = origin.path;
        component.digest = origin.digest;
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
