//! SPDX in JSON.

use serde::Deserialize;

use super::{Checksum, RawDocument, RawFile, RawPackage, Relationship, element_id};
use crate::extractors::sbom::error::SbomError;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct Document {
    spdx_version: String,
    creation_info: CreationInfo,
    packages: Vec<Package>,
    files: Vec<File>,
    relationships: Vec<Option<Related>>,
    document_describes: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CreationInfo {
    creators: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Package {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    version_info: String,
    license_declared: String,
    source_info: String,
    external_refs: Vec<ExternalReference>,
    checksums: Vec<RawChecksum>,
    files: Vec<File>,
    has_files: Vec<String>,
    annotations: Vec<Annotation>,
    attribution_texts: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    #[serde(rename = "SPDXID")]
    id: String,
    file_name: String,
    checksums: Vec<RawChecksum>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawChecksum {
    algorithm: String,
    checksum_value: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExternalReference {
    reference_category: String,
    reference_type: String,
    reference_locator: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotation {
    comment: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Related {
    spdx_element_id: String,
    related_spdx_element: String,
    relationship_type: String,
}

impl Document {
    /// Takes the prefixes off and states all relationships in one place.
    ///
    /// # Errors
    ///
    /// An identifier is malformed.
    pub(super) fn raw(self) -> Result<RawDocument, SbomError> {
        let mut also = Vec::new();
        for id in &self.document_describes {
            also.push(Relationship {
                parent: "DOCUMENT".to_owned(),
                kind: "DESCRIBES".to_owned(),
                child: element_id(id)?,
            });
        }
        let mut packages = Vec::with_capacity(self.packages.len());
        for package in self.packages {
            let id = stated_id(&package.id)?;
            for file in &package.has_files {
                also.push(Relationship {
                    parent: id.clone(),
                    kind: "CONTAINS".to_owned(),
                    child: element_id(file)?,
                });
            }
            packages.push(package.raw(id)?);
        }
        let related = self.relationships.into_iter().flatten().map(Related::raw);
        let mut document = RawDocument {
            version: self.spdx_version,
            creators: self.creation_info.creators,
            packages,
            files: self
                .files
                .into_iter()
                .map(File::raw)
                .collect::<Result<_, _>>()?,
            relationships: related.collect::<Result<_, _>>()?,
        };
        document.relate_also(also);
        Ok(document)
    }
}

/// Cuts the prefix of an identifier that may be absent.
fn stated_id(text: &str) -> Result<String, SbomError> {
    if text.is_empty() {
        Ok(String::new())
    } else {
        element_id(text)
    }
}

impl Package {
    fn raw(self, id: String) -> Result<RawPackage, SbomError> {
        let reference = |reference: ExternalReference| {
            let ExternalReference {
                reference_category,
                reference_type,
                reference_locator,
            } = reference;
            [reference_category, reference_type, reference_locator]
        };
        Ok(RawPackage {
            id,
            name: self.name,
            version: self.version_info,
            license_declared: self.license_declared,
            source_info: self.source_info,
            references: self.external_refs.into_iter().map(reference).collect(),
            checksums: self.checksums.into_iter().map(RawChecksum::raw).collect(),
            files: self
                .files
                .into_iter()
                .map(File::raw)
                .collect::<Result<_, _>>()?,
            annotations: self
                .annotations
                .into_iter()
                .map(|note| note.comment)
                .collect(),
            attribution_texts: self.attribution_texts,
        })
    }
}

impl File {
    fn raw(self) -> Result<RawFile, SbomError> {
        Ok(RawFile {
            id: stated_id(&self.id)?,
            name: self.file_name,
            checksums: self.checksums.into_iter().map(RawChecksum::raw).collect(),
        })
    }
}

impl RawChecksum {
    fn raw(self) -> Checksum {
        Checksum {
            algorithm: self.algorithm,
            value: self.checksum_value,
        }
    }
}

impl Related {
    fn raw(self) -> Result<Relationship, SbomError> {
        Ok(Relationship {
            parent: stated_id(&self.spdx_element_id)?,
            kind: self.relationship_type,
            child: stated_id(&self.related_spdx_element)?,
        })
    }
}
