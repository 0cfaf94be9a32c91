use cleanbill_core::report::ScanReport;
use serde_json::Value;

use crate::sample::{self, options, rendered};
use crate::{Format, RenderOptions, json_schema, trivy_reader};

fn everything() -> RenderOptions {
    RenderOptions {
        show_suppressed: true,
        list_all_packages: Some(true),
        ..options()
    }
}

fn parsed(report: &ScanReport) -> Value {
    serde_json::from_str(&rendered(Format::Json, report, &everything())).unwrap()
}

#[test]
fn the_schema_is_as_before() {
    insta::assert_snapshot!("schema", json_schema());
}

#[test]
fn reports_are_valid_by_the_schema() {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let check = |report: &ScanReport| {
        for options in [everything(), RenderOptions::default()] {
            let text = rendered(Format::Json, report, &options);
            let value: Value = serde_json::from_str(&text).unwrap();
            let errors: Vec<_> = validator
                .iter_errors(&value)
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{errors:?}");
        }
    };
    let images = [
        sample::clean(),
        sample::findings(),
        sample::exploited(),
        sample::suppressed(),
        sample::partial(),
        sample::failed(),
        sample::hostile(),
    ];
    for image in &images {
        check(&sample::report(vec![image.clone()]));
    }
    check(&sample::report(images.to_vec()));
    check(&ScanReport::default());
    assert!(!validator.is_valid(&serde_json::json!({"schema_version": "1.0"})));
}

#[test]
fn reports_of_the_oracle_are_valid_by_the_schema() {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/oracle/expected"
    );
    for name in ["everything", "real-python", "swap-rhel-8-buildinfo"] {
        let Ok(bytes) = std::fs::read(format!("{folder}/{name}.json")) else {
            eprintln!("skipped: cannot read {folder}/{name}.json");
            return;
        };
        let report = trivy_reader::read(&serde_json::from_slice(&bytes).unwrap());
        assert!(validator.is_valid(&parsed(&report)), "{name}");
    }
}

#[test]
fn totals_are_sums_and_the_name_is_that_of_the_only_image() {
    let one = parsed(&sample::report(vec![sample::findings()]));
    assert_eq!(one["image"], "example.com/team/shop:2.1");
    assert_eq!(one["total_vulnerabilities"], 7);
    let two = parsed(&sample::report(vec![sample::findings(), sample::failed()]));
    assert_eq!(two.get("image"), None);
    assert_eq!(two["total_vulnerabilities"], 7);
    assert_eq!(two["severity_summary"]["HIGH"], 3);
    assert_eq!(two["status"], "failed");
    assert_eq!(two["images"][0]["status"], "complete");
}

#[test]
fn findings_carry_layer_and_history_line() {
    let report = parsed(&sample::report(vec![sample::findings()]));
    let layer = &report["images"][0]["results"][0]["findings"][0]["layer"];
    assert_eq!(layer["index"], 1);
    assert_eq!(
        layer["created_by"],
        "RUN apk add --no-cache openssl curl zlib"
    );
}

#[test]
fn fingerprints_do_not_depend_on_the_tag() {
    let fingerprints = |tag: &str| {
        let mut image = sample::suppressed();
        image.artifact_name = tag.to_owned();
        image.metadata.repo_tags = vec![tag.to_owned()];
        image.results[0].target = format!("{tag} (alpine 3.20.3)");
        crate::assign_fingerprints(&mut image);
        let report = parsed(&sample::report(vec![image]));
        let results = report["images"][0]["results"].as_array().unwrap().clone();
        let mut found = Vec::new();
        for result in &results {
            let suppressed = result["suppressed"].as_array().unwrap();
            let findings = result["findings"].as_array().unwrap().iter();
            let findings = findings.chain(suppressed.iter().map(|one| &one["finding"]));
            found.extend(findings.map(|finding| finding["fingerprint"].to_string()));
        }
        found
    };
    let first = fingerprints("example.com/team/shop:2.1");
    assert_eq!(first.len(), 7);
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 7);
    assert_eq!(first, fingerprints("localhost/shop:latest"));
}
