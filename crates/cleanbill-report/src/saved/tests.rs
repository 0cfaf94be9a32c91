use cleanbill_core::Severity;
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::{SbomIdentity, ScanReport};
use proptest::prelude::*;

use super::{SavedReport, read_report, read_report_outline};
use crate::findings_max::FINDINGS_MAX;
use crate::render::json::SCHEMA_VERSION;
use crate::sample::{self, options, rendered};
use crate::{FORMATS, Format, RenderOptions};

fn everything() -> RenderOptions {
    RenderOptions {
        show_suppressed: true,
        list_all_packages: Some(true),
        selection: "HIGH, CRITICAL".to_owned(),
        ..options()
    }
}

#[track_caller]
fn read(report: &ScanReport, options: &RenderOptions) -> SavedReport {
    read_report(rendered(Format::Json, report, options).as_bytes()).unwrap()
}

/// Puts times and fingerprints into the form that they are printed in.
fn normalised(mut report: ScanReport) -> ScanReport {
    for image in &mut report.images {
        crate::assign_fingerprints(image);
        for step in &mut image.metadata.config.history {
            step.created = step.created.replace(".000Z", "Z");
        }
    }
    report
}

#[test]
fn a_report_is_read_as_it_was() {
    let report = normalised(sample::report(sample::all()));
    let saved = read(&report, &everything());
    assert!(saved.report == report);
    assert!(saved.lists_packages && saved.lists_suppressed);
    assert_eq!(saved.selection, "HIGH, CRITICAL");
    assert_eq!(saved.tool_version, "1.2.3");
}

#[test]
fn every_format_is_the_same_after_saving() {
    let report = normalised(sample::report(sample::all()));
    let options = everything();
    let saved = read(&report, &options);
    for info in FORMATS {
        let images = saved.report.images.iter().zip(&report.images);
        for (read, written) in images {
            let one = |image: &cleanbill_core::report::ImageReport| {
                rendered(info.format, &sample::report(vec![image.clone()]), &options)
            };
            assert!(
                one(read) == one(written),
                "{}: {}",
                info.name,
                written.artifact_name
            );
        }
    }
}

#[test]
fn what_was_not_saved_is_not_made_up() {
    let report = sample::report(vec![sample::suppressed()]);
    let saved = read(&report, &options());
    assert!(!saved.lists_packages && !saved.lists_suppressed);
    let result = &saved.report.images[0].results[0];
    assert_eq!((result.packages.len(), result.package_count()), (0, 3));
    let clean = read(&sample::report(vec![sample::clean()]), &options()).report;
    let table = rendered(Format::Table, &clean, &options());
    assert!(table.contains("no known vulnerabilities"), "{table}");
}

#[test]
fn a_report_lacks_packages_unless_it_says_that_there_are_none() {
    let lacks = |report: serde_json::Value| {
        read_report(report.to_string().as_bytes())
            .unwrap()
            .lacks_packages
    };
    let ours = |result: &str| {
        let mut members: serde_json::Value = serde_json::from_str(result).unwrap();
        let named = serde_json::json!({
            "target": "t", "class": "os-pkgs", "type": "debian", "findings": [],
        });
        members
            .as_object_mut()
            .unwrap()
            .extend(named.as_object().unwrap().clone());
        lacks(serde_json::json!({
            "schema_version": "1.0", "tool": {"version": "1"},
            "images": [{"name": "i", "type": "container_image", "status": "complete",
                        "results": [members]}],
        }))
    };
    assert!(ours("{}"), "nobody says how many there are");
    assert!(ours(r#"{"package_count": 3}"#));
    assert!(!ours(r#"{"package_count": 0}"#));
    assert!(!ours(r#"{"packages": []}"#));
    let of_trivy = |results: serde_json::Value| {
        lacks(serde_json::json!({
            "SchemaVersion": 2, "ArtifactType": "container_image", "Results": results,
        }))
    };
    assert!(!of_trivy(serde_json::json!([])));
    let bare = serde_json::json!({"Target": "t", "Class": "os-pkgs", "Type": "debian"});
    assert!(of_trivy(serde_json::json!([bare])));
    let full = serde_json::json!({
        "Target": "t", "Class": "lang-pkgs", "Type": "npm",
        "Packages": [{"Name": "a", "Version": "1"}],
    });
    assert!(!of_trivy(serde_json::json!([bare, full])));
}

#[test]
fn severities_that_were_left_out_are_known_after_saving() {
    let mut report = sample::report(vec![sample::clean()]);
    report.left_out_severities = vec![Severity::Low, Severity::Unknown];
    let saved = read(&report, &options());
    assert_eq!(saved.report.left_out_severities, report.left_out_severities);
}

#[test]
fn reports_of_the_oracle_survive_saving() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/oracle/expected"
    );
    for name in [
        "everything",
        "real-python",
        "swap-rhel-8-buildinfo",
        "eco-java",
    ] {
        let Ok(bytes) = std::fs::read(format!("{folder}/{name}.json")) else {
            eprintln!("skipped: cannot read {folder}/{name}.json");
            return;
        };
        let of_trivy = read_report(&bytes).unwrap();
        assert!(of_trivy.lists_packages);
        let saved = read(&of_trivy.report, &everything());
        for format in [Format::TrivyJson, Format::Json, Format::Sarif, Format::Html] {
            let first = rendered(format, &of_trivy.report, &everything());
            assert!(
                first == rendered(format, &saved.report, &everything()),
                "{name} {format}"
            );
        }
    }
}

#[test]
fn equal_details_are_held_once() {
    let saved = read(&sample::report(vec![sample::many(50, 2)]), &options());
    let findings = &saved.report.images[0].results[0].findings;
    let [first, second] = [1, 2].map(|index| findings[index].details.as_ref().unwrap());
    assert_eq!(findings[1].vulnerability_id, findings[2].vulnerability_id);
    assert!(std::sync::Arc::ptr_eq(first, second));
}

#[test]
fn the_name_of_a_scanned_document_is_kept() {
    let mut image = sample::clean();
    image.sbom = Some(SbomIdentity {
        serial_number: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79".to_owned(),
        version: 3,
    });
    let report = normalised(sample::report(vec![image]));
    assert!(read(&report, &everything()).report == report);
}

/// The report of another program, or an edited one.
#[test]
fn a_gap_that_nothing_explains_shows_in_every_format() {
    for status in [AssessmentStatus::Failed, AssessmentStatus::Partial] {
        let mut image = sample::clean();
        image.status = status;
        image.problems = vec![Problem::new(ProblemKind::EndOfLife, "a notice")];
        let saved = read(&sample::report(vec![image]), &everything());
        let all = FORMATS.iter().map(|info| info.format);
        // These state the status, and have no more to say.
        let bare = [Format::OpenVex, Format::Json, Format::TrivyJson];
        for format in all.filter(|format| !bare.contains(format)) {
            let text = rendered(format, &saved.report, &options());
            assert!(text.contains("image-failed"), "{format}: {text}");
            assert!(text.contains("does not say why"), "{format}: {text}");
        }
    }
}

#[test]
fn every_kind_of_problem_is_read() {
    let mut image = sample::partial();
    let kinds = ProblemKind::ALL.iter();
    image.problems = kinds.map(|kind| Problem::new(*kind, "why")).collect();
    let report = normalised(sample::report(vec![image]));
    assert!(read(&report, &everything()).report == report);
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = anyhow_chain(&read_report(text.as_bytes()).unwrap_err());
    assert!(error.contains(expected), "{error}");
}

fn anyhow_chain(error: &dyn std::error::Error) -> String {
    cleanbill_core::error_chain(error)
}

#[test]
fn what_is_no_report_is_refused_with_its_reason() {
    refused("", "no JSON document: EOF");
    refused("{\"schema_version\": \"1.0\"", "line 1 column 24");
    refused("[]", "no report");
    refused("3", "no report");
    refused(
        "{}",
        "neither schema_version (cleanbill) nor SchemaVersion (trivy)",
    );
    refused(
        r#"{"schema_version": "2.0"}"#,
        "schema_version 2.0 is not supported, expected 1.x",
    );
    refused(
        r#"{"schema_version": 1}"#,
        "schema_version 1 is not supported",
    );
    refused(
        r#"{"schema_version": "1.0"}"#,
        "missing field `tool` at line 1",
    );
    refused(
        r#"{"SchemaVersion": 3, "ArtifactType": "container_image"}"#,
        "SchemaVersion 3 is not supported",
    );
    let broken = rendered(
        Format::Json,
        &sample::report(vec![sample::findings()]),
        &options(),
    );
    refused(
        &broken.replace("\"HIGH\",\n", "\"BAD\",\n"),
        "severity 'BAD'",
    );
    refused(
        &broken.replace("\"complete\"", "\"done\""),
        "status 'done': it is not known",
    );
    refused(&broken.replace("pkg:apk", "apk"), "purl 'apk/alpine/curl");
}

#[test]
fn older_and_newer_reports_are_read() {
    let report = sample::report(vec![sample::findings()]);
    let text = rendered(Format::Json, &report, &options());
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    old["schema_version"] = "1.0".into();
    old["images"][0].as_object_mut().unwrap().remove("layers");
    let saved = read_report(old.to_string().as_bytes()).unwrap();
    let table = |report: &ScanReport| rendered(Format::Csv, report, &options());
    assert_eq!(
        table(&saved.report),
        table(&report),
        "layers are known from the findings"
    );
    let newer = text.replace(
        &format!("\"schema_version\": \"{SCHEMA_VERSION}\""),
        "\"schema_version\": \"1.9\", \"new\": [1]",
    );
    assert_eq!(
        read_report(newer.as_bytes()).unwrap().report,
        read(&report, &options()).report
    );
    let marked = format!("\u{feff}{text}");
    assert!(read_report(marked.as_bytes()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_texts_survive_saving(
        texts in prop::collection::vec("\\PC{0,8}|.{0,8}|[\u{0}-\u{ff}]{0,8}", 12),
        epoch in -2_i64..3,
        number in 0_u64..9,
    ) {
        let mut image = sample::suppressed();
        image.artifact_name = texts[0].clone();
        let result = &mut image.results[0];
        result.target = texts[1].clone();
        let package = &mut result.packages[0];
        package.version = texts[2].clone();
        package.release = texts[3].clone();
        package.epoch = epoch;
        package.src_version = texts[4].clone();
        package.src_release = texts[5].clone();
        package.src_epoch = -epoch;
        package.dev = epoch > 0;
        package.installed_files = vec![texts[6].clone()].into();
        let finding = &mut result.findings[0];
        finding.vulnerability_id = texts[7].clone();
        finding.package_name = texts[8].clone();
        finding.fixed_version = texts[9].clone();
        let mut details = finding.details.as_deref().cloned().unwrap_or_default();
        details.description = texts[10].clone();
        finding.details = Some(details.into());
        finding.evidence.constraint = texts[11].clone();
        image.metadata.layers[0].size_bytes = Some(number);
        image.metadata.config.created = texts[3].clone();
        let report = normalised(sample::report(vec![image]));
        let saved = read(&report, &everything());
        for format in [Format::Json, Format::Html, Format::Csv, Format::TrivyJson] {
            let written = rendered(format, &report, &everything());
            prop_assert!(rendered(format, &saved.report, &everything()) == written, "{}", format);
        }
    }
}

#[test]
fn an_outline_lacks_only_what_people_read() {
    let report = normalised(sample::report(sample::all()));
    let json = rendered(Format::Json, &report, &everything());
    let outline = super::read_report_outline(json.as_bytes()).unwrap().report;
    let mut expected = report;
    for image in &mut expected.images {
        for result in &mut image.results {
            let suppressed = result.suppressed.iter_mut().map(|one| &mut one.finding);
            for finding in result.findings.iter_mut().chain(suppressed) {
                finding.details = None;
                finding.others.clear();
                finding.fingerprint.clear();
                finding.severity_source.clear();
                finding.vendor_severity.clear();
                finding.primary_url.clear();
                finding.data_source = None;
                finding.layer = None;
                finding.evidence.bucket.clear();
                finding.evidence.constraint.clear();
            }
        }
    }
    assert!(outline == expected);
}

#[test]
fn a_report_that_is_cut_off_is_no_json_whatever_its_mark() {
    let json = rendered(Format::Json, &sample::report(sample::all()), &everything());
    for end in [20, 100, json.len() / 2, json.len() - 3] {
        for read in [read_report, super::read_report_outline] {
            let error = read(&json.as_bytes()[..end]).unwrap_err();
            assert_eq!(error.to_string(), "it is no JSON document", "{end}");
        }
    }
}

#[test]
fn a_report_that_contradicts_itself_is_refused() {
    let report = sample::report(sample::all());
    let text = rendered(Format::Json, &report, &everything());
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut changed = whole.clone();
        change(&mut changed);
        read_report(changed.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    };
    let images = whole["images"].as_array().unwrap();
    let place = images
        .iter()
        .position(|image| image["total_vulnerabilities"] != 0);
    let place = place.unwrap();
    let name = images[place]["name"].as_str().unwrap();
    let cut = refused(&|report| report["images"][place]["results"] = serde_json::json!([]));
    assert!(
        cut.contains(&format!(" findings of {name}: ")) && cut.ends_with(" stated, 0 listed"),
        "{cut}"
    );
    let total = report.severity_counts().total();
    let more = refused(&|report| report["total_vulnerabilities"] = (total + 1).into());
    assert_eq!(
        more,
        format!(
            "it contradicts itself: findings of the report: {} stated, {total} listed",
            total + 1
        )
    );
    let severities = refused(&|report| report["severity_summary"]["LOW"] = 1_000_000.into());
    assert!(
        severities.contains("LOW findings of the report: 1000000 stated"),
        "{severities}"
    );
    // Those who write no numbers contradict nothing.
    let mut silent = whole.clone();
    for member in ["total_vulnerabilities", "severity_summary"] {
        silent.as_object_mut().unwrap().remove(member);
    }
    read_report(silent.to_string().as_bytes()).unwrap();
}

#[test]
fn a_report_has_a_bounded_number_of_findings() {
    let report = sample::report(sample::all());
    let text = rendered(Format::Json, &report, &everything());
    let mut whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    let finding = serde_json::json!({"id": "A", "package": {"name": "a"}, "severity": "LOW"});
    let many = vec![finding; usize::try_from(FINDINGS_MAX).unwrap() + 1];
    whole["images"] = serde_json::json!([{
        "name": "a", "type": "container_image", "status": "complete",
        "results": [{"target": "a", "class": "lang-pkgs", "type": "npm", "findings": many}],
    }]);
    for read in [read_report, read_report_outline] {
        assert_eq!(
            read(whole.to_string().as_bytes()).unwrap_err().to_string(),
            "it has more than the 500000 findings that are read"
        );
    }
}
