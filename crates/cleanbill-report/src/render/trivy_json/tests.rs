use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Format, RenderOptions, assign_fingerprints, render, trivy_reader};

/// Keys in the order of the Go types, each list for the objects that hold its first key.
const ORDER: &[&[&str]] = &[
    &[
        "SchemaVersion",
        "Trivy",
        "ReportID",
        "CreatedAt",
        "ArtifactID",
        "ArtifactName",
        "ArtifactType",
        "Metadata",
        "Results",
        "Cleanbill",
    ],
    &[
        "Size",
        "OS",
        "ImageID",
        "DiffIDs",
        "RepoTags",
        "RepoDigests",
        "Reference",
        "ImageConfig",
        "Layers",
    ],
    &["Family", "Name", "EOSL", "Supplier", "extended"],
    &[
        "architecture",
        "author",
        "container",
        "created",
        "docker_version",
        "history",
        "os",
        "rootfs",
        "config",
        "os.version",
        "variant",
        "os.features",
    ],
    &["created", "created_by", "comment", "empty_layer"],
    &["type", "diff_ids"],
    &[
        "Cmd",
        "Entrypoint",
        "Env",
        "Hostname",
        "Image",
        "Labels",
        "User",
        "WorkingDir",
    ],
    &["Size", "Digest", "DiffID"],
    &[
        "Target",
        "Class",
        "Type",
        "Packages",
        "Vulnerabilities",
        "ExperimentalModifiedFindings",
    ],
    &["Type", "Status", "Statement", "Source", "Finding"],
    &[
        "ID",
        "Name",
        "Identifier",
        "Version",
        "Release",
        "Epoch",
        "Arch",
        "Dev",
        "SrcName",
        "SrcVersion",
        "SrcRelease",
        "SrcEpoch",
        "Licenses",
        "Maintainer",
        "Modularitylabel",
        "BuildInfo",
        "Repository",
        "Indirect",
        "Relationship",
        "DependsOn",
        "Layer",
        "FilePath",
        "Digest",
        "Locations",
        "InstalledFiles",
        "AnalyzedBy",
    ],
    &["ContentSets", "Nvr", "Arch"],
    &["StartLine", "EndLine"],
    &["PURL", "UID", "BOMRef"],
    &[
        "VulnerabilityID",
        "VendorIDs",
        "PkgID",
        "PkgName",
        "PkgPath",
        "PkgIdentifier",
        "InstalledVersion",
        "FixedVersion",
        "Status",
        "Layer",
        "SeveritySource",
        "PrimaryURL",
        "DataSource",
        "Fingerprint",
        "Title",
        "Description",
        "Severity",
        "CweIDs",
        "VendorSeverity",
        "CVSS",
        "References",
        "PublishedDate",
        "LastModifiedDate",
    ],
    &["ID", "Name", "URL", "BaseID"],
    &[
        "V2Vector",
        "V3Vector",
        "V40Vector",
        "V2Score",
        "V3Score",
        "V40Score",
    ],
];

fn reports(folder: &str) -> Vec<PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/oracle");
    let folder = Path::new(root).join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: cannot read {}", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn render_again(report: &Value, options: &RenderOptions) -> String {
    let report = trivy_reader::read(report);
    let mut bytes = Vec::new();
    render(Format::TrivyJson, &report, options, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn reports_of_the_oracle_are_printed_with_every_field() {
    for path in reports("expected") {
        check(&path, &RenderOptions::default());
    }
    let options = RenderOptions {
        show_suppressed: true,
        ..RenderOptions::default()
    };
    for folder in reports("cases") {
        let path = folder.join("expected.json");
        if path.exists() {
            check(&path, &options);
        }
    }
}

#[track_caller]
fn check(path: &Path, options: &RenderOptions) {
    let mut expected: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    expected["Trivy"]["Version"] = super::TRIVY_VERSION.into();
    let printed = render_again(&expected, options);
    let actual: Value = serde_json::from_str(&printed).unwrap();
    assert!(actual == expected, "{} differs", path.display());
    check_order(&printed);
}

/// Checks each run of keys of equal indentation against the orders that could be meant.
#[track_caller]
fn check_order(printed: &str) {
    let mut open: Vec<Vec<&str>> = vec![Vec::new()];
    for line in printed.lines().map(str::trim_start) {
        if let Some((key, _)) = line
            .strip_prefix('"')
            .and_then(|rest| rest.split_once("\": "))
        {
            open.last_mut().unwrap().push(key);
        }
        if line.ends_with('{') || line.ends_with('[') {
            open.push(Vec::new());
        } else if line.starts_with('}') || line.starts_with(']') {
            let keys = open.pop().unwrap();
            let is_known = keys.first().is_none_or(|first| first.contains('.'))
                || ORDER.iter().any(|order| is_subsequence(&keys, order))
                || keys.is_sorted();
            assert!(is_known, "{keys:?}");
        }
    }
}

fn is_subsequence(part: &[&str], whole: &[&str]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|key| whole.any(|other| other == key))
}

#[test]
fn fingerprints_are_those_of_the_oracle() {
    for path in reports("expected") {
        let expected: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let expected = trivy_reader::read(&expected);
        let mut actual = expected.images[0].clone();
        actual
            .results
            .iter_mut()
            .flat_map(|result| &mut result.findings)
            .for_each(|finding| {
                finding.fingerprint.clear();
            });
        assign_fingerprints(&mut actual);
        assert!(actual == expected.images[0], "{} differs", path.display());
    }
}
