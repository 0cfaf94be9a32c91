//! Images and cases of the shared oracle, as far as policy needs them.

use std::path::PathBuf;

use cleanbill_core::package::{Package, PackageIdentifier, Relationship};
use cleanbill_core::report::{ImageReport, ResultClass, ResultSet};
use cleanbill_core::vulnerability::Finding;
use serde_json::Value;

/// Reads a file of the oracle, or says why the test is skipped.
pub(crate) fn read(path: &str) -> Option<Vec<u8>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/oracle");
    let path = PathBuf::from(root).join(path);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            eprintln!("skipped: cannot read {}: {error}", path.display());
            None
        }
    }
}

/// Reads a report that the reference wrote; it must be readable where the oracle is present.
pub(crate) fn image(path: &str) -> Option<ImageReport> {
    let report: Value = serde_json::from_slice(&read(path)?).unwrap();
    let results = list(&report["Results"]).iter().map(result).collect();
    Some(ImageReport {
        results,
        ..ImageReport::default()
    })
}

/// Lists findings so that two images can be compared: id, package, status of suppression,
/// statement, source; sorted.
pub(crate) fn summary(image: &ImageReport) -> Vec<[String; 5]> {
    let line = |finding: &Finding, rest: [&str; 3]| {
        let [status, statement, source] = rest.map(str::to_owned);
        let id = finding.vulnerability_id.clone();
        [
            id,
            finding.package_identifier.uid.clone(),
            status,
            statement,
            source,
        ]
    };
    let mut lines: Vec<_> = image
        .results
        .iter()
        .flat_map(|result| {
            let kept = result
                .findings
                .iter()
                .map(|finding| line(finding, ["", "", ""]));
            let suppressed = result.suppressed.iter().map(|suppressed| {
                let about = [
                    &suppressed.status,
                    &suppressed.statement,
                    &suppressed.source,
                ];
                line(&suppressed.finding, about.map(String::as_str))
            });
            kept.chain(suppressed).collect::<Vec<_>>()
        })
        .collect();
    lines.sort();
    lines
}

fn result(value: &Value) -> ResultSet {
    ResultSet {
        target: text(&value["Target"]),
        class: match value["Class"].as_str() {
            Some("os-pkgs") => ResultClass::OsPackages,
            _ => ResultClass::LanguagePackages,
        },
        kind: text(&value["Type"]),
        packages: list(&value["Packages"]).iter().map(package).collect(),
        findings: list(&value["Vulnerabilities"])
            .iter()
            .map(finding)
            .collect(),
        suppressed: list(&value["ExperimentalModifiedFindings"])
            .iter()
            .map(|value| cleanbill_core::report::SuppressedFinding {
                status: text(&value["Status"]),
                statement: text(&value["Statement"]),
                source: text(&value["Source"]),
                terms: Default::default(),
                finding: finding(&value["Finding"]),
            })
            .collect(),
        ..ResultSet::default()
    }
}

fn package(value: &Value) -> Package {
    Package {
        id: text(&value["ID"]),
        name: text(&value["Name"]),
        version: text(&value["Version"]),
        identifier: identifier(&value["Identifier"]),
        depends_on: list(&value["DependsOn"]).iter().map(text).collect(),
        relationship: match value["Relationship"].as_str() {
            Some("root") => Relationship::Root,
            Some("direct") => Relationship::Direct,
            _ => Relationship::Unknown,
        },
        ..Package::default()
    }
}

fn finding(value: &Value) -> Finding {
    Finding {
        vulnerability_id: text(&value["VulnerabilityID"]),
        package_path: text(&value["PkgPath"]),
        package_identifier: identifier(&value["PkgIdentifier"]),
        status: value["Status"]
            .as_str()
            .unwrap_or("unknown")
            .parse()
            .unwrap(),
        severity: value["Severity"].as_str().unwrap().parse().unwrap(),
        ..Finding::default()
    }
}

fn identifier(value: &Value) -> PackageIdentifier {
    PackageIdentifier {
        uid: text(&value["UID"]),
        purl: value["PURL"].as_str().map(|purl| purl.parse().unwrap()),
        bom_ref: text(&value["BOMRef"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
