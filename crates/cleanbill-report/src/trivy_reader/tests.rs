use serde_json::{Value, json};

use super::*;
use crate::{Format, RenderOptions, render};

/// A report with a member in each place that we do not know, and a result of another kind.
fn foreign() -> Value {
    json!({
        "SchemaVersion": 2,
        "Trivy": {"Version": "9.9.9"},
        "ReportID": "id",
        "CreatedAt": "2026-11-22T00:00:00Z",
        "ArtifactName": "app:1",
        "ArtifactType": "container_image",
        "Metadata": null,
        "Results": [
            {
                "Target": "Python", "Class": "lang-pkgs", "Type": "python-pkg",
                "Vulnerabilities": [{
                    "VulnerabilityID": "CVE-2024-1", "PkgName": "a", "InstalledVersion": "1",
                    "Severity": "HIGH", "Status": "fixed", "Layer": {}, "References": null,
                    "Custom": {"b": [1, null]}
                }],
                "MisconfSummary": {"Successes": 1}
            },
            {"Target": "key.pem", "Class": "secret", "Secrets": [{"RuleID": "private-key"}]}
        ],
        "Future": true
    })
}

fn rewritten(report: &ScanReport) -> Value {
    let mut out = Vec::new();
    render(
        Format::TrivyJson,
        report,
        &RenderOptions::default(),
        &mut out,
    )
    .unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn unknown_members_are_kept() {
    let report = read_trivy_report(foreign().to_string().as_bytes()).unwrap();
    let image = &report.images[0];
    assert_eq!(image.results.len(), 1);
    assert_eq!(image.results[0].findings[0].vulnerability_id, "CVE-2024-1");
    let again = rewritten(&report);
    for pointer in [
        "/Future",
        "/Results/0/MisconfSummary",
        "/Results/0/Vulnerabilities/0/Custom",
        "/Results/1",
    ] {
        assert_eq!(
            again.pointer(pointer),
            foreign().pointer(pointer),
            "{pointer}"
        );
    }
}

#[test]
fn what_is_no_such_report_is_refused() {
    let check = |change: &dyn Fn(&mut Value), expected: &str| {
        let mut report = foreign();
        change(&mut report);
        let error = read_trivy_report(report.to_string().as_bytes()).unwrap_err();
        let text = cleanbill_core::error_chain(&error);
        assert!(text.contains(expected), "{text}");
    };
    check(
        &|report| report["SchemaVersion"] = json!(3),
        "SchemaVersion 3 is not supported",
    );
    check(
        &|report| report["ArtifactType"] = json!("vm"),
        "ArtifactType 'vm'",
    );
    check(
        &|report| report["Results"] = json!({}),
        "this is no report of Trivy's",
    );
    check(
        &|report| report["Results"][0]["Vulnerabilities"][0]["Severity"] = json!("AWFUL"),
        "Severity 'AWFUL'",
    );
    check(
        &|report| report["Results"][0]["Vulnerabilities"][0]["Layer"] = json!({"DiffID": "x"}),
        "DiffID 'x'",
    );
    assert!(read_trivy_report(b"{").is_err());
    assert!(read_trivy_report(b"").is_err());
}

#[test]
fn our_own_notes_are_read_back() {
    let mut report = foreign();
    report["Cleanbill"] = json!({"Status": "partial", "Problems": [
        {"Kind": "unreadable-file", "Path": "a", "Message": "b"}]});
    let read = read_trivy_report(report.to_string().as_bytes()).unwrap();
    assert_eq!(rewritten(&read)["Cleanbill"], report["Cleanbill"]);
}
