use std::collections::HashSet;

use cleanbill_core::report::ImageReport;
use serde_json::{Value, json};

use crate::Format;
use crate::sample::{self, options, rendered};

fn document(image: ImageReport) -> Value {
    let text = rendered(Format::Spdx, &sample::report(vec![image]), &options());
    serde_json::from_str(&text).unwrap()
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value[member].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn relationships_are_between_packages_of_the_document() {
    let document = document(sample::findings());
    let ids: HashSet<&Value> = list(&document, "packages")
        .iter()
        .map(|package| &package["SPDXID"])
        .collect();
    assert_eq!(ids.len(), list(&document, "packages").len());
    let relationships = list(&document, "relationships");
    assert_eq!(relationships[0]["spdxElementId"], "SPDXRef-DOCUMENT");
    assert_eq!(relationships[0]["relationshipType"], "DESCRIBES");
    for relationship in relationships {
        assert!(ids.contains(&relationship["relatedSpdxElement"]));
    }
    assert_eq!(relationships.len(), ids.len());
}

#[test]
fn findings_are_advisories_of_their_packages() {
    let document = document(sample::findings());
    let packages = list(&document, "packages");
    let curl = packages.iter().find(|p| p["name"] == "curl").unwrap();
    let locators: Vec<&Value> = list(curl, "externalRefs")
        .iter()
        .map(|reference| &reference["referenceLocator"])
        .collect();
    assert_eq!(
        locators,
        [
            "pkg:apk/alpine/curl@8.9.0-r0?arch=x86_64&distro=3.20.3",
            "https://avd.aquasec.com/nvd/cve-2026-2001",
            "https://avd.aquasec.com/nvd/cve-2026-2002",
        ]
    );
}

#[test]
fn licences_are_one_expression() {
    let stated = |licenses: &[&str]| {
        let mut image = sample::clean();
        image.results[0].packages[0].licenses = licenses.iter().map(|s| (*s).to_owned()).collect();
        let document = document(image);
        let packages = list(&document, "packages");
        let musl = packages.iter().find(|p| p["name"] == "musl").unwrap();
        (
            musl["licenseDeclared"].as_str().unwrap().to_owned(),
            document["hasExtractedLicensingInfos"].clone(),
        )
    };
    assert_eq!(stated(&[]), ("NOASSERTION".to_owned(), Value::Null));
    assert_eq!(
        stated(&["MIT", "ISC or bsd-2-clause"]),
        ("MIT AND (ISC OR BSD-2-Clause)".to_owned(), Value::Null)
    );
    let (expression, texts) = stated(&["MIT", "public-domain", "text:// Do it"]);
    let ids: Vec<&str> = expression.split(" AND ").skip(1).collect();
    assert!(
        ids.iter().all(|id| id.starts_with("LicenseRef-")),
        "{ids:?}"
    );
    let mut found: Vec<&Value> = texts
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["extractedText"])
        .collect();
    found.sort_by_key(|text| text.to_string());
    assert_eq!(
        found,
        [
            &json!(" Do it"),
            &json!("This package states the licence \"public-domain\""),
        ]
    );
}
