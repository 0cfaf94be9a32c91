//! Reads Trivy's reports back, for tests that render them again.

use std::sync::Arc;

use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::image::{ImageMetadata, LayerMetadata};
use cleanbill_core::package::{
    BuildInfo, LayerId, Location, Package, PackageIdentifier, Relationship, RepositoryClass,
};
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::report::{
    ArtifactType, ImageReport, ResultClass, ResultSet, ScanReport, SuppressedFinding,
};
use cleanbill_core::vulnerability::{Finding, VulnerabilityDetails};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Converts a report; panics where it is none.
pub(crate) fn read(report: &Value) -> ScanReport {
    let metadata = &report["Metadata"];
    let os = &metadata["OS"];
    let image = ImageReport {
        artifact_name: text(&report["ArtifactName"]),
        artifact_type: match report["ArtifactType"].as_str().unwrap() {
            "container_image" => ArtifactType::ContainerImage,
            "filesystem" => ArtifactType::Filesystem,
            other => panic!("artifact type {other}"),
        },
        source: "docker-archive".to_owned(),
        metadata: ImageMetadata {
            image_id: parsed(&metadata["ImageID"]),
            repo_tags: texts(&metadata["RepoTags"]),
            repo_digests: texts(&metadata["RepoDigests"]),
            config: decoded(&metadata["ImageConfig"]),
            layers: layers(metadata),
        },
        distro: os.is_object().then(|| Distro {
            family: Family(text(&os["Family"])),
            name: text(&os["Name"]),
            extended: os["extended"].as_bool().unwrap_or_default(),
            supplier: text(&os["Supplier"]),
        }),
        is_end_of_life: os["EOSL"].as_bool().unwrap_or_default(),
        results: list(&report["Results"]).iter().map(result).collect(),
        ..ImageReport::default()
    };
    ScanReport {
        created_at: text(&report["CreatedAt"]),
        database: None,
        images: vec![image],
    }
}

fn layers(metadata: &Value) -> Vec<LayerMetadata> {
    let layers = list(&metadata["Layers"]);
    let config: cleanbill_core::image::ImageConfig = decoded(&metadata["ImageConfig"]);
    let history = config.layer_history(layers.len());
    layers
        .iter()
        .enumerate()
        .map(|(index, layer)| LayerMetadata {
            id: layer_id(layer).unwrap(),
            size_bytes: layer["Size"].as_u64(),
            created_by: history
                .as_ref()
                .map(|history| history[index].created_by.clone())
                .unwrap_or_default(),
        })
        .collect()
}

fn result(value: &Value) -> ResultSet {
    ResultSet {
        target: text(&value["Target"]),
        class: match value["Class"].as_str().unwrap() {
            "os-pkgs" => ResultClass::OsPackages,
            "lang-pkgs" => ResultClass::LanguagePackages,
            other => panic!("class {other}"),
        },
        kind: text(&value["Type"]),
        packages: list(&value["Packages"]).iter().map(package).collect(),
        findings: list(&value["Vulnerabilities"])
            .iter()
            .map(finding)
            .collect(),
        suppressed: list(&value["ExperimentalModifiedFindings"])
            .iter()
            .map(|value| SuppressedFinding {
                status: text(&value["Status"]),
                statement: text(&value["Statement"]),
                source: text(&value["Source"]),
                finding: finding(&value["Finding"]),
            })
            .collect(),
    }
}

fn package(value: &Value) -> Package {
    let build_info = &value["BuildInfo"];
    Package {
        id: text(&value["ID"]),
        name: text(&value["Name"]),
        identifier: identifier(&value["Identifier"]),
        version: text(&value["Version"]),
        release: text(&value["Release"]),
        epoch: value["Epoch"].as_i64().unwrap_or_default(),
        arch: text(&value["Arch"]),
        dev: value["Dev"].as_bool().unwrap_or_default(),
        src_name: text(&value["SrcName"]),
        src_version: text(&value["SrcVersion"]),
        src_release: text(&value["SrcRelease"]),
        src_epoch: value["SrcEpoch"].as_i64().unwrap_or_default(),
        licenses: texts(&value["Licenses"]),
        maintainer: text(&value["Maintainer"]),
        modularity_label: text(&value["Modularitylabel"]),
        build_info: build_info.is_object().then(|| BuildInfo {
            content_sets: texts(&build_info["ContentSets"]),
            nvr: text(&build_info["Nvr"]),
            arch: text(&build_info["Arch"]),
        }),
        repository_class: match value["Repository"]["Class"].as_str() {
            Some("official") => RepositoryClass::Official,
            Some("third-party") => RepositoryClass::ThirdParty,
            _ => RepositoryClass::Unknown,
        },
        indirect: value["Indirect"].as_bool().unwrap_or_default(),
        relationship: match value["Relationship"].as_str() {
            Some("root") => Relationship::Root,
            Some("workspace") => Relationship::Workspace,
            Some("direct") => Relationship::Direct,
            Some("indirect") => Relationship::Indirect,
            _ => Relationship::Unknown,
        },
        depends_on: texts(&value["DependsOn"]),
        layer: layer_id(&value["Layer"]),
        file_path: text(&value["FilePath"]),
        digest: text(&value["Digest"]),
        locations: list(&value["Locations"])
            .iter()
            .map(|location| Location {
                start_line: location["StartLine"].as_u64().unwrap_or_default(),
                end_line: location["EndLine"].as_u64().unwrap_or_default(),
            })
            .collect(),
        installed_files: texts(&value["InstalledFiles"]),
        analyzed_by: text(&value["AnalyzedBy"]),
    }
}

fn finding(value: &Value) -> Finding {
    Finding {
        vulnerability_id: text(&value["VulnerabilityID"]),
        vendor_ids: texts(&value["VendorIDs"]),
        package_id: text(&value["PkgID"]),
        package_name: text(&value["PkgName"]),
        package_path: text(&value["PkgPath"]),
        package_identifier: identifier(&value["PkgIdentifier"]),
        installed_version: text(&value["InstalledVersion"]),
        fixed_version: text(&value["FixedVersion"]),
        status: parsed(&value["Status"]).unwrap_or_default(),
        layer: layer_id(&value["Layer"]),
        severity_source: text(&value["SeveritySource"]),
        primary_url: text(&value["PrimaryURL"]),
        data_source: value.get("DataSource").map(decoded),
        fingerprint: text(&value["Fingerprint"]),
        severity: parsed(&value["Severity"]).unwrap(),
        details: Some(Arc::new(VulnerabilityDetails {
            title: text(&value["Title"]),
            description: text(&value["Description"]),
            cwe_ids: texts(&value["CweIDs"]),
            cvss: decoded(&value["CVSS"]),
            references: texts(&value["References"]),
            published: text(&value["PublishedDate"]),
            last_modified: text(&value["LastModifiedDate"]),
            ..VulnerabilityDetails::default()
        })),
        vendor_severity: decoded(&value["VendorSeverity"]),
        ..Finding::default()
    }
}

fn identifier(value: &Value) -> PackageIdentifier {
    PackageIdentifier {
        uid: text(&value["UID"]),
        purl: value["PURL"].as_str().map(purl),
        bom_ref: text(&value["BOMRef"]),
    }
}

/// Parsing puts some names into lower case, but reports print what the package is called.
fn purl(text: &str) -> PackageUrl {
    let mut purl: PackageUrl = text.parse().unwrap();
    if purl.to_string() != text {
        let path = text.split(['?', '#']).next().unwrap();
        let name = path.rsplit('/').next().unwrap();
        purl.name = name.split('@').next().unwrap().to_owned();
    }
    purl
}

fn layer_id(value: &Value) -> Option<LayerId> {
    Some(LayerId {
        digest: parsed(&value["Digest"]),
        diff_id: parsed(&value["DiffID"])?,
    })
}

fn parsed<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value
        .as_str()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{text}")))
}

fn decoded<T: DeserializeOwned + Default>(value: &Value) -> T {
    serde_json::from_value::<Option<T>>(value.clone())
        .unwrap()
        .unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(text).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
