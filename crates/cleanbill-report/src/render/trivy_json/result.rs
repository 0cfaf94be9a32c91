//! `Results`: packages, vulnerabilities, suppressed findings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cleanbill_core::TextList;
use cleanbill_core::package::{BuildInfo, LayerId, Location, Package, PackageIdentifier};
use cleanbill_core::report::{ResultSet, SuppressedFinding};
use cleanbill_core::severity::FixStatus;
use cleanbill_core::vulnerability::{Cvss, DataSource, Finding};
use serde::Serialize;
use serde_json::Value;

use super::super::lazy::{List, Sublist};
use super::go;
use super::others::{Others, value};

/// Says which parts of a result are printed.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) packages: bool,
    pub(super) suppressed: fn(&SuppressedFinding) -> bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResultView<'a> {
    target: &'a str,
    class: &'static str,
    #[serde(rename = "Type", skip_serializing_if = "str::is_empty")]
    kind: &'a str,
    #[serde(skip_serializing_if = "List::is_empty")]
    packages: List<'a, Package, PackageView<'a>>,
    #[serde(skip_serializing_if = "List::is_empty")]
    vulnerabilities: List<'a, Finding, Vulnerability<'a>>,
    #[serde(
        rename = "ExperimentalModifiedFindings",
        skip_serializing_if = "Sublist::is_empty"
    )]
    suppressed: Sublist<'a, SuppressedFinding, Suppressed<'a>>,
    #[serde(flatten)]
    others: Others<'a>,
}

/// A result with packages, or one of another kind as another engine wrote it.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum AnyResult<'a> {
    Packages(Box<ResultView<'a>>),
    Other(Value),
}

impl AnyResult<'_> {
    /// Takes the JSON text of a result.
    pub(super) fn of_text(text: &str) -> Self {
        Self::Other(value(text))
    }
}

impl<'a> ResultView<'a> {
    /// Returns nothing for a result without target and content.
    pub(super) fn of(set: &'a ResultSet, parts: Parts) -> Option<Self> {
        let packages = if parts.packages {
            set.packages.as_slice()
        } else {
            &[]
        };
        let suppressed = Sublist {
            list: List {
                items: &set.suppressed,
                context: (),
                view: |(), suppressed| Suppressed::of(suppressed),
            },
            is_wanted: parts.suppressed,
        };
        let has_content =
            !packages.is_empty() || !set.findings.is_empty() || !suppressed.is_empty();
        (!set.target.is_empty() || has_content).then(|| Self {
            target: &set.target,
            class: set.class.name(),
            kind: &set.kind,
            packages: List {
                items: packages,
                context: (),
                view: |(), package| PackageView::of(package),
            },
            vulnerabilities: List {
                items: &set.findings,
                context: (),
                view: |(), finding| Vulnerability::of(finding),
            },
            suppressed,
            others: Others(&set.others),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Suppressed<'a> {
    #[serde(rename = "Type")]
    kind: &'static str,
    status: &'a str,
    statement: Cow<'a, str>,
    source: &'a str,
    finding: Vulnerability<'a>,
}

impl<'a> Suppressed<'a> {
    fn of(suppressed: &'a SuppressedFinding) -> Self {
        Self {
            kind: "vulnerability",
            status: &suppressed.status,
            // Trivy has no place for who answers for it, and until when.
            statement: suppressed.reason(),
            source: &suppressed.source,
            finding: Vulnerability::of(&suppressed.finding),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PackageView<'a> {
    #[serde(rename = "ID", skip_serializing_if = "str::is_empty")]
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<Identifier<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    release: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<i64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    arch: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dev: Option<bool>,
    #[serde(skip_serializing_if = "str::is_empty")]
    src_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    src_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    src_release: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_epoch: Option<i64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    licenses: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    maintainer: &'a str,
    #[serde(rename = "Modularitylabel", skip_serializing_if = "str::is_empty")]
    modularity_label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_info: Option<BuildInfoView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<Repository>,
    #[serde(skip_serializing_if = "Option::is_none")]
    indirect: Option<bool>,
    #[serde(skip_serializing_if = "str::is_empty")]
    relationship: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    depends_on: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<Layer>,
    #[serde(skip_serializing_if = "str::is_empty")]
    file_path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    digest: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<LocationView>,
    #[serde(skip_serializing_if = "TextList::is_empty")]
    installed_files: &'a TextList,
    #[serde(skip_serializing_if = "str::is_empty")]
    analyzed_by: &'a str,
}

impl<'a> PackageView<'a> {
    fn of(package: &'a Package) -> Self {
        let class = package.repository_class.name();
        Self {
            id: &package.id,
            name: &package.name,
            identifier: Identifier::of(&package.identifier),
            version: &package.version,
            release: &package.release,
            epoch: non_zero(package.epoch),
            arch: &package.arch,
            dev: package.dev.then_some(true),
            src_name: &package.src_name,
            src_version: &package.src_version,
            src_release: &package.src_release,
            src_epoch: non_zero(package.src_epoch),
            licenses: &package.licenses,
            maintainer: &package.maintainer,
            modularity_label: &package.modularity_label,
            build_info: package.build_info.as_ref().map(BuildInfoView::of),
            repository: (!class.is_empty()).then_some(Repository { class }),
            indirect: package.indirect.then_some(true),
            relationship: package.relationship.name(),
            depends_on: &package.depends_on,
            layer: package.layer.map(Layer::of),
            file_path: &package.file_path,
            digest: &package.digest,
            locations: package.locations.iter().map(LocationView::of).collect(),
            installed_files: &package.installed_files,
            analyzed_by: &package.analyzed_by,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BuildInfoView<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    content_sets: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    nvr: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    arch: &'a str,
}

impl<'a> BuildInfoView<'a> {
    fn of(build_info: &'a BuildInfo) -> Self {
        Self {
            content_sets: &build_info.content_sets,
            nvr: &build_info.nvr,
            arch: &build_info.arch,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Repository {
    class: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LocationView {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u64>,
}

impl LocationView {
    fn of(location: &Location) -> Self {
        Self {
            start_line: Some(location.start_line).filter(|line| *line != 0),
            end_line: Some(location.end_line).filter(|line| *line != 0),
        }
    }
}

#[derive(Serialize)]
struct Identifier<'a> {
    #[serde(rename = "PURL", skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(rename = "UID", skip_serializing_if = "str::is_empty")]
    uid: &'a str,
    #[serde(rename = "BOMRef", skip_serializing_if = "str::is_empty")]
    bom_ref: &'a str,
}

impl<'a> Identifier<'a> {
    fn of(identifier: &'a PackageIdentifier) -> Option<Self> {
        (*identifier != PackageIdentifier::default()).then(|| Self {
            purl: identifier.purl.as_ref().map(|purl| purl.to_string()),
            uid: &identifier.uid,
            bom_ref: &identifier.bom_ref,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Layer {
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(rename = "DiffID")]
    diff_id: String,
}

impl Layer {
    fn of(layer: LayerId) -> Self {
        Self {
            digest: layer.digest.map(|digest| digest.to_string()),
            diff_id: layer.diff_id.to_string(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability<'a> {
    #[serde(rename = "VulnerabilityID", skip_serializing_if = "str::is_empty")]
    vulnerability_id: &'a str,
    #[serde(rename = "VendorIDs", skip_serializing_if = "<[_]>::is_empty")]
    vendor_ids: &'a [String],
    #[serde(rename = "PkgID", skip_serializing_if = "str::is_empty")]
    pkg_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pkg_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pkg_path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pkg_identifier: Option<Identifier<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    installed_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    fixed_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<Layer>,
    #[serde(skip_serializing_if = "str::is_empty")]
    severity_source: &'a str,
    #[serde(rename = "PrimaryURL", skip_serializing_if = "str::is_empty")]
    primary_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_source: Option<DataSourceView<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    severity: &'static str,
    #[serde(rename = "CweIDs", skip_serializing_if = "<[_]>::is_empty")]
    cwe_ids: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    vendor_severity: &'a BTreeMap<String, i64>,
    #[serde(rename = "CVSS", skip_serializing_if = "Option::is_none")]
    cvss: Option<&'a BTreeMap<String, Cvss>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    references: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    published_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_date: Option<String>,
    #[serde(flatten)]
    others: Others<'a>,
}

impl<'a> Vulnerability<'a> {
    fn of(finding: &'a Finding) -> Self {
        let details = finding.details.as_deref();
        Self {
            vulnerability_id: &finding.vulnerability_id,
            vendor_ids: &finding.vendor_ids,
            pkg_id: &finding.package_id,
            pkg_name: &finding.package_name,
            pkg_path: &finding.package_path,
            pkg_identifier: Identifier::of(&finding.package_identifier),
            installed_version: &finding.installed_version,
            fixed_version: &finding.fixed_version,
            status: Some(finding.status)
                .filter(|s| *s != FixStatus::Unknown)
                .map(FixStatus::name),
            layer: finding.layer.map(Layer::of),
            severity_source: &finding.severity_source,
            primary_url: &finding.primary_url,
            data_source: finding.data_source.as_ref().map(DataSourceView::of),
            fingerprint: &finding.fingerprint,
            title: details
                .map(|details| details.title.as_str())
                .unwrap_or_default(),
            description: details
                .map(|details| details.description.as_str())
                .unwrap_or_default(),
            severity: finding.severity.name(),
            cwe_ids: details
                .map(|details| details.cwe_ids.as_slice())
                .unwrap_or_default(),
            vendor_severity: &finding.vendor_severity,
            cvss: details
                .map(|details| &details.cvss)
                .filter(|cvss| !cvss.is_empty()),
            references: details
                .map(|details| details.references.as_slice())
                .unwrap_or_default(),
            published_date: details.and_then(|details| go::time(&details.published)),
            last_modified_date: details.and_then(|details| go::time(&details.last_modified)),
            others: Others(&finding.others),
        }
    }
}

#[derive(Serialize)]
struct DataSourceView<'a> {
    #[serde(rename = "ID", skip_serializing_if = "str::is_empty")]
    id: &'a str,
    #[serde(rename = "Name", skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(rename = "URL", skip_serializing_if = "str::is_empty")]
    url: &'a str,
    #[serde(rename = "BaseID", skip_serializing_if = "str::is_empty")]
    base_id: &'a str,
}

impl<'a> DataSourceView<'a> {
    fn of(source: &'a DataSource) -> Self {
        Self {
            id: &source.id,
            name: &source.name,
            url: &source.url,
            base_id: &source.base_id,
        }
    }
}

fn non_zero(number: i64) -> Option<i64> {
    Some(number).filter(|number| *number != 0)
}
