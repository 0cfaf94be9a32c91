//! The members of Trivy's report. Go writes `null` for what is empty, and leaves most of it out.

use std::collections::BTreeMap;

use cleanbill_core::image::ImageConfig;
use cleanbill_core::vulnerability::{Cvss, DataSource};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::findings_max::Counted;

/// Members without a place of their own.
pub(super) type Others = BTreeMap<String, Value>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Document {
    pub(super) schema_version: u64,
    #[serde(rename = "ReportID", default)]
    pub(super) _report_id: Value,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) created_at: String,
    #[serde(rename = "Trivy", default)]
    pub(super) _trivy: Value,
    #[serde(rename = "ArtifactID", default)]
    pub(super) _artifact_id: Value,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) artifact_name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) artifact_type: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) results: Vec<Value>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) cleanbill: Option<Assessment>,
    #[serde(flatten)]
    pub(super) others: Others,
}

/// What `cleanbill` adds to reports in this form.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Assessment {
    pub(super) status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) problems: Vec<AssessmentProblem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AssessmentProblem {
    pub(super) kind: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) path: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) message: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Metadata {
    #[serde(rename = "OS", deserialize_with = "or_default")]
    pub(super) os: Option<Os>,
    #[serde(rename = "ImageID", deserialize_with = "or_default")]
    pub(super) image_id: String,
    #[serde(rename = "DiffIDs", deserialize_with = "or_default")]
    pub(super) diff_ids: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) repo_tags: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) repo_digests: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) image_config: ImageConfig,
    #[serde(deserialize_with = "or_default")]
    pub(super) layers: Vec<Layer>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Os {
    #[serde(deserialize_with = "or_default")]
    pub(super) family: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(rename = "EOSL", deserialize_with = "or_default")]
    pub(super) eosl: bool,
    #[serde(deserialize_with = "or_default")]
    pub(super) supplier: String,
    #[serde(rename = "extended", deserialize_with = "or_default")]
    pub(super) extended: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Layer {
    #[serde(deserialize_with = "or_default")]
    pub(super) size: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    pub(super) digest: String,
    #[serde(rename = "DiffID", deserialize_with = "or_default")]
    pub(super) diff_id: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ResultMembers {
    #[serde(deserialize_with = "or_default")]
    pub(super) target: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) class: String,
    #[serde(rename = "Type", deserialize_with = "or_default")]
    pub(super) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) packages: Vec<PackageMembers>,
    #[serde(deserialize_with = "or_default")]
    pub(super) vulnerabilities: Counted<FindingMembers>,
    #[serde(
        rename = "ExperimentalModifiedFindings",
        deserialize_with = "or_default"
    )]
    pub(super) suppressed: Counted<SuppressedMembers>,
    #[serde(flatten)]
    pub(super) others: Others,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PackageMembers {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    pub(super) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) identifier: Identifier,
    #[serde(deserialize_with = "or_default")]
    pub(super) version: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) release: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) epoch: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) arch: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) dev: bool,
    #[serde(deserialize_with = "or_default")]
    pub(super) src_name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) src_version: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) src_release: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) src_epoch: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) licenses: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) maintainer: String,
    #[serde(rename = "Modularitylabel", deserialize_with = "or_default")]
    pub(super) modularity_label: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) build_info: Option<BuildInfoMembers>,
    #[serde(deserialize_with = "or_default")]
    pub(super) repository: Repository,
    #[serde(deserialize_with = "or_default")]
    pub(super) indirect: bool,
    #[serde(deserialize_with = "or_default")]
    pub(super) relationship: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) depends_on: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) layer: Layer,
    #[serde(deserialize_with = "or_default")]
    pub(super) file_path: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) digest: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) locations: Vec<LocationMembers>,
    #[serde(deserialize_with = "or_default")]
    pub(super) installed_files: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) analyzed_by: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BuildInfoMembers {
    #[serde(deserialize_with = "or_default")]
    pub(super) content_sets: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) nvr: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) arch: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Repository {
    #[serde(deserialize_with = "or_default")]
    pub(super) class: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct LocationMembers {
    #[serde(deserialize_with = "or_default")]
    pub(super) start_line: u64,
    #[serde(deserialize_with = "or_default")]
    pub(super) end_line: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Identifier {
    #[serde(rename = "PURL", deserialize_with = "or_default")]
    pub(super) purl: String,
    #[serde(rename = "UID", deserialize_with = "or_default")]
    pub(super) uid: String,
    #[serde(rename = "BOMRef", deserialize_with = "or_default")]
    pub(super) bom_ref: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct FindingMembers {
    #[serde(rename = "VulnerabilityID", deserialize_with = "or_default")]
    pub(super) vulnerability_id: String,
    #[serde(rename = "VendorIDs", deserialize_with = "or_default")]
    pub(super) vendor_ids: Vec<String>,
    #[serde(rename = "PkgID", deserialize_with = "or_default")]
    pub(super) pkg_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) pkg_name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) pkg_path: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) pkg_identifier: Identifier,
    #[serde(deserialize_with = "or_default")]
    pub(super) installed_version: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) fixed_version: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) status: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) layer: Layer,
    #[serde(deserialize_with = "or_default")]
    pub(super) severity_source: String,
    #[serde(rename = "PrimaryURL", deserialize_with = "or_default")]
    pub(super) primary_url: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) data_source: Option<DataSource>,
    #[serde(deserialize_with = "or_default")]
    pub(super) fingerprint: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) title: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) description: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) severity: String,
    #[serde(rename = "CweIDs", deserialize_with = "or_default")]
    pub(super) cwe_ids: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) vendor_severity: BTreeMap<String, i64>,
    #[serde(rename = "CVSS", deserialize_with = "or_default")]
    pub(super) cvss: BTreeMap<String, Cvss>,
    #[serde(deserialize_with = "or_default")]
    pub(super) references: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) published_date: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) last_modified_date: String,
    #[serde(flatten)]
    pub(super) others: Others,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SuppressedMembers {
    #[serde(deserialize_with = "or_default")]
    pub(super) status: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) statement: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) source: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) finding: FindingMembers,
}

/// Takes `null` for an empty value, as Go does.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
