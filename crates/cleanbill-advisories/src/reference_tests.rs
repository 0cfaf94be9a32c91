//! Compares findings with those of the reference, package lists given.
//!
//! The reports of the reference list the packages that it judged. So matching can be compared
//! without reading an image: same packages, same database, same findings, in the same order.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cleanbill_core::distro::{Distro, Family, RepositoryHint};
use cleanbill_core::package::{BuildInfo, LayerId, Package, PackageIdentifier, RepositoryClass};
use cleanbill_core::vulnerability::{Cvss, DataSource, Finding};
use serde_json::{Map, Value, json};

use crate::*;

/// Releases that the package repositories of an image are of; reports do not tell them.
const HINTS: &[(&str, &str)] = &[
    ("swap-alpine-edge", "edge"),
    ("swap-alpine-repo-differs", "edge"),
];

fn oracle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle")
}

static DATABASE: LazyLock<Option<Database>> = LazyLock::new(|| {
    let archive = std::fs::read(oracle().join("db.tar.gz")).ok()?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()));
    let (mut database, mut metadata) = (Vec::new(), Vec::new());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let bytes = match entry.path().unwrap().to_str().unwrap() {
            "db/trivy.db" => &mut database,
            "db/metadata.json" => &mut metadata,
            _ => continue,
        };
        entry.read_to_end(bytes).unwrap();
    }
    Some(Database::open_bytes(database, &metadata).unwrap())
});

#[test]
fn findings_in_os_packages_equal_those_of_the_reference() {
    let Some(database) = DATABASE.as_ref() else {
        eprintln!("skipped: ../shared/oracle is absent");
        return;
    };
    let mut images = 0;
    let mut findings = 0;
    for file in std::fs::read_dir(oracle().join("expected")).unwrap() {
        let path = file.unwrap().path();
        let image = path.file_stem().unwrap().to_str().unwrap();
        if let Some(found) = check(database, &path, image, "auto") {
            images += 1;
            findings += found;
        }
    }
    assert!(images > 120, "only {images} reports have OS packages");
    assert!(findings > 5_000, "only {findings} findings were compared");
}

#[test]
fn severities_equal_those_of_the_reference_whatever_the_sources() {
    let Some(database) = DATABASE.as_ref() else {
        eprintln!("skipped: ../shared/oracle is absent");
        return;
    };
    for sources in ["auto", "debian,auto", "ghsa,nvd", "nvd", "redhat"] {
        let case = format!("cases/severity-source-{}", sources.replace(',', "-"));
        let report = oracle().join(&case).join("expected.json");
        let found = check(database, &report, &case, sources);
        assert!(found.is_some_and(|count| count > 100), "{case}");
    }
}

/// Compares with a report; returns the number of findings, `None` if it has no OS packages.
#[track_caller]
fn check(database: &Database, report: &Path, image: &str, sources: &str) -> Option<usize> {
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let results = report["Results"].as_array()?;
    let result = results.iter().find(|result| result["Class"] == "os-pkgs")?;
    let found = judge(database, image, &report, result, &sources.parse().unwrap());
    let expected = result["Vulnerabilities"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    compare(image, &found, expected);
    Some(found.len())
}

#[track_caller]
fn compare(image: &str, found: &[Value], expected: &[Value]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, &without_fingerprint(expected), "{image}");
    }
    assert_eq!(found.len(), expected.len(), "number of findings in {image}");
}

fn without_fingerprint(finding: &Value) -> Value {
    let mut finding = finding.clone();
    finding.as_object_mut().unwrap().remove("Fingerprint");
    finding
}

fn judge(
    database: &Database,
    image: &str,
    report: &Value,
    result: &Value,
    sources: &SeveritySources,
) -> Vec<Value> {
    let os = &report["Metadata"]["OS"];
    let distro = Distro {
        family: Family::new(result["Type"].as_str().unwrap()),
        name: text(os, "Name"),
        extended: os["extended"] == true,
        supplier: if image.contains("rapidfort") {
            "rapidfort"
        } else {
            ""
        }
        .to_owned(),
    };
    let hint = HINTS.iter().find(|(name, _)| *name == image);
    let hint = hint.map(|(_, release)| RepositoryHint {
        family: distro.family.clone(),
        release: (*release).to_owned(),
    });
    let packages: Vec<Package> = result["Packages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(package)
        .collect();
    let input = OsPackages {
        distro: &distro,
        repository_hint: hint.as_ref(),
        packages: &packages,
        now: "2026-11-22T00:00:00Z".parse().unwrap(),
    };
    let mut findings = match_os_packages(database, &input).unwrap().findings;
    fill_details(database, &mut findings, sources).unwrap();
    let findings = deduplicate_and_sort(findings);
    findings
        .iter()
        .map(|finding| as_printed(finding, result))
        .collect()
}

fn package(value: &Value) -> Package {
    let build_info = &value["BuildInfo"];
    Package {
        id: text(value, "ID"),
        name: text(value, "Name"),
        identifier: PackageIdentifier {
            uid: text(&value["Identifier"], "UID"),
            ..PackageIdentifier::default()
        },
        version: text(value, "Version"),
        release: text(value, "Release"),
        epoch: value["Epoch"].as_i64().unwrap_or_default(),
        arch: text(value, "Arch"),
        src_name: text(value, "SrcName"),
        src_version: text(value, "SrcVersion"),
        src_release: text(value, "SrcRelease"),
        src_epoch: value["SrcEpoch"].as_i64().unwrap_or_default(),
        modularity_label: text(value, "Modularitylabel"),
        build_info: build_info.is_object().then(|| BuildInfo {
            content_sets: texts(build_info, "ContentSets"),
            nvr: text(build_info, "Nvr"),
            arch: text(build_info, "Arch"),
        }),
        repository_class: match value["Repository"]["Class"].as_str() {
            Some("third-party") => RepositoryClass::ThirdParty,
            Some("official") => RepositoryClass::Official,
            _ => RepositoryClass::Unknown,
        },
        layer: value["Layer"].is_object().then(|| LayerId {
            digest: value["Layer"]["Digest"]
                .as_str()
                .map(|digest| digest.parse().unwrap()),
            diff_id: text(&value["Layer"], "DiffID").parse().unwrap(),
        }),
        ..Package::default()
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value, member: &str) -> Vec<String> {
    let items = value[member].as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

/// Prints a finding as the reference does, except for its fingerprint.
fn as_printed(finding: &Finding, result: &Value) -> Value {
    let mut printed = Map::new();
    let mut put = |member: &str, value: Value| {
        let is_empty = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty() && member != "DataSource",
            _ => false,
        };
        if !is_empty {
            printed.insert(member.to_owned(), value);
        }
    };
    put("VulnerabilityID", json!(finding.vulnerability_id));
    put("VendorIDs", json!(finding.vendor_ids));
    put("PkgID", json!(finding.package_id));
    put("PkgName", json!(finding.package_name));
    put("PkgIdentifier", identifier(finding, result));
    put("InstalledVersion", json!(finding.installed_version));
    put("FixedVersion", json!(finding.fixed_version));
    put("Status", json!(finding.status.name()));
    put(
        "Layer",
        finding
            .layer
            .map_or(Value::Null, |layer| layer_printed(&layer)),
    );
    put("SeveritySource", json!(finding.severity_source));
    put("PrimaryURL", json!(finding.primary_url));
    put(
        "DataSource",
        finding
            .data_source
            .as_ref()
            .map_or(Value::Null, source_printed),
    );
    put("Severity", json!(finding.severity.name()));
    if let Some(details) = &finding.details {
        put("Title", json!(details.title));
        put("Description", json!(details.description));
        put("CweIDs", json!(details.cwe_ids));
        put("VendorSeverity", json!(finding.vendor_severity));
        let cvss = details
            .cvss
            .iter()
            .map(|(source, cvss)| (source.clone(), cvss_printed(cvss)));
        put("CVSS", Value::Object(cvss.collect()));
        put("References", json!(details.references));
        put("PublishedDate", json!(details.published));
        put("LastModifiedDate", json!(details.last_modified));
    }
    Value::Object(printed)
}

/// Finds the printed identifier of the package again by its UID.
fn identifier(finding: &Finding, result: &Value) -> Value {
    let packages = result["Packages"].as_array().unwrap();
    let uid = finding.package_identifier.uid.as_str();
    let package = packages
        .iter()
        .find(|package| package["Identifier"]["UID"] == uid);
    package.unwrap()["Identifier"].clone()
}

fn layer_printed(layer: &LayerId) -> Value {
    let mut printed = Map::new();
    if let Some(digest) = layer.digest {
        printed.insert("Digest".to_owned(), json!(digest.to_string()));
    }
    printed.insert("DiffID".to_owned(), json!(layer.diff_id.to_string()));
    Value::Object(printed)
}

fn source_printed(source: &DataSource) -> Value {
    let members = [
        ("ID", &source.id),
        ("Name", &source.name),
        ("URL", &source.url),
        ("BaseID", &source.base_id),
    ];
    let members = members.into_iter().filter(|(_, text)| !text.is_empty());
    Value::Object(
        members
            .map(|(member, text)| (member.to_owned(), json!(text)))
            .collect(),
    )
}

/// The reference prints whole scores without a fraction.
fn cvss_printed(cvss: &Cvss) -> Value {
    let mut printed = serde_json::to_value(cvss).unwrap();
    for value in printed.as_object_mut().unwrap().values_mut() {
        if let Some(score) = value.as_f64().filter(|score| score.fract() == 0.0) {
            *value = json!(score as i64);
        }
    }
    printed
}
