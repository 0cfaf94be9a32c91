//! SPDX in JSON.

use serde::Deserialize;

use super::{
    Checksum, Head, RawFile, RawPackage, Relationship, Source, Visit, element_id, is_trivy,
};
use crate::extractors::sbom::error::SbomError;
use crate::json::Parts;

/// A document, part by part.
pub(super) struct Document<'a>(pub(super) &'a Parts<'a>);

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

/// What a package says about the files that it holds.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Holder {
    #[serde(rename = "SPDXID")]
    id: String,
    has_files: Vec<String>,
}

impl Source for Document<'_> {
    fn head(&self) -> Result<Head, SbomError> {
        let info: CreationInfo = self.0.whole("creationInfo")?;
        Ok(Head {
            version: self.0.whole("spdxVersion")?,
            is_trivy: info.creators.iter().any(|creator| is_trivy(creator)),
            is_cut: false,
        })
    }

    fn packages(&self, visit: Visit<'_, RawPackage>) -> Result<(), SbomError> {
        self.0.each(&["packages"], &mut |part| {
            let package: Package = part.decode()?;
            visit(package.raw()?)
        })
    }

    fn files(&self, visit: Visit<'_, RawFile>) -> Result<(), SbomError> {
        self.0.each(&["files"], &mut |part| {
            let file: File = part.decode()?;
            visit(file.raw()?)
        })
    }

    fn relationships(&self, visit: Visit<'_, Relationship>) -> Result<(), SbomError> {
        self.0.each(
            &["relationships"],
            &mut |part| match part.decode::<Option<Related>>()? {
                Some(related) => visit(related.raw()?),
                None => Ok(()),
            },
        )
    }

    fn implied(&self, visit: Visit<'_, Relationship>) -> Result<(), SbomError> {
        self.0.each(&["documentDescribes"], &mut |part| {
            visit(Relationship {
                parent: "DOCUMENT".to_owned(),
                kind: "DESCRIBES".to_owned(),
                child: element_id(&part.decode::<String>()?)?,
            })
        })?;
        self.0.each(&["packages"], &mut |part| {
            let holder: Holder = part.decode()?;
            let id = stated_id(&holder.id)?;
            for file in &holder.has_files {
                visit(Relationship {
                    parent: id.clone(),
                    kind: "CONTAINS".to_owned(),
                    child: element_id(file)?,
                })?;
            }
            Ok(())
        })
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
    fn raw(self) -> Result<RawPackage, SbomError> {
        let id = stated_id(&self.id)?;
        let mut file = None;
        for inside in self.files {
            let inside = inside.raw()?;
            file.get_or_insert(inside);
        }
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
            file,
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
