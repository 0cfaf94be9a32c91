//! Entry points for fuzz targets and their replay: arbitrary bytes in, broken promises out as a
//! panic. Not part of the crate's interface.

mod markup;

use std::sync::Arc;

use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::image::{HistoryEntry, LayerMetadata};
use cleanbill_core::package::{LayerId, PackageIdentifier};
use cleanbill_core::problem::{Problem, ProblemKind};
use cleanbill_core::report::{
    ExceptionOutcome, ExceptionReport, ExceptionTerms, ImageReport, ResultSet, ScanReport,
    SuppressedFinding,
};
use cleanbill_core::vulnerability::{Epss, Finding, KnownExploited, VulnerabilityDetails};
use cleanbill_core::{DiffId, Digest, Package, Severity};

use crate::{Format, RenderOptions, read_report, read_trivy_report, render, text};

/// An entry point with the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point of the crate, by the name of its folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("report_json", json),
    ("report_markup", markup),
    ("report_saved", saved),
    ("report_table", table),
    ("report_text", text),
    ("report_trivy", trivy),
];

/// Reads a report of Trivy's; what is understood can be shown and saved.
pub fn trivy(data: &[u8]) {
    let Ok(report) = read_trivy_report(data) else {
        return;
    };
    let options = RenderOptions::default();
    let table = rendered(Format::Table, &report, &options);
    assert!(!table.contains(&b'\x1b'), "no escapes but our own");
    let saved = rendered(Format::Json, &report, &options);
    let again = read_report(&saved).expect("what is saved can be read");
    assert_eq!(again.report.images.len(), report.images.len());
}

/// Renders a report of hostile texts. Every kind of JSON must be JSON, whatever the texts are.
pub fn json(data: &[u8]) {
    let report = report(data);
    let options = RenderOptions {
        list_all_packages: Some(true),
        show_suppressed: true,
        ..RenderOptions::default()
    };
    for format in [
        Format::Json,
        Format::TrivyJson,
        Format::CycloneDx,
        Format::Spdx,
        Format::OpenVex,
        Format::Sarif,
        Format::Gitlab,
    ] {
        let bytes = rendered(format, &report, &options);
        let parsed = serde_json::from_slice::<serde_json::Value>(&bytes);
        assert!(
            parsed.is_ok_and(|value| value.is_object()),
            "{format} is JSON"
        );
    }
}

/// Renders HTML and XML of hostile texts: both are well formed, and nothing gets out of its place.
pub fn markup(data: &[u8]) {
    let report = report(data);
    let options = RenderOptions {
        list_all_packages: Some(true),
        show_suppressed: true,
        selection: String::from_utf8_lossy(data).into_owned(),
        ..RenderOptions::default()
    };
    markup::check_html(&printed(Format::Html, &report, &options));
    markup::check_xml(&printed(Format::Junit, &report, &options));
}

/// Renders Markdown and CSV of hostile texts: the one has no HTML but ours, the other as many cells
/// in each row as in the first and no formula.
pub fn text(data: &[u8]) {
    let report = report(data);
    let options = RenderOptions {
        show_suppressed: true,
        ..RenderOptions::default()
    };
    let page = printed(Format::Markdown, &report, &options);
    for line in page.split('\n') {
        assert_eq!(text::clean(line), line, "a line of Markdown is harmless");
        let code_free: String = line.split('`').step_by(2).collect();
        let known = ["<details><summary>", "</summary>", "</details>"];
        let rest = known
            .iter()
            .fold(code_free, |line, tag| line.replace(tag, ""));
        assert!(
            !rest.contains('<') || line.contains('`'),
            "HTML in '{line}'"
        );
    }
    let table = printed(Format::Csv, &report, &options);
    let mut rows = table.strip_suffix("\r\n").unwrap_or(&table).split("\r\n");
    let columns = cells(rows.next().unwrap_or_default()).len();
    for row in rows {
        let cells = cells(row);
        assert_eq!(cells.len(), columns, "a row is as long as the first: {row}");
        for cell in cells {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "a formula: {cell}");
        }
    }
}

/// Splits a row of quoted cells.
fn cells(row: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut chars = row.chars().peekable();
    while chars.next() == Some('"') {
        let mut cell = String::new();
        loop {
            match chars.next().expect("a cell ends") {
                '"' if chars.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => break,
                char => cell.push(char),
            }
        }
        cells.push(cell);
        match chars.next() {
            None => break,
            other => assert_eq!(other, Some(','), "commas separate cells: {row}"),
        }
    }
    cells
}

/// Reads a saved report: whatever is in it, there is a report or an error, and a report that is
/// read can be written and read again.
pub fn saved(data: &[u8]) {
    if let Ok(saved) = read_report(data) {
        let options = saved.options();
        let bytes = rendered(Format::Json, &saved.report, &options);
        let again = crate::read_report(&bytes);
        assert!(again.is_ok(), "what was written is read");
    }
}

/// Renders a table of hostile texts: nothing in it may reach the terminal as a command.
pub fn table(data: &[u8]) {
    let report = report(data);
    let width = data.first().map(|byte| usize::from(*byte));
    for full in [false, true] {
        let options = RenderOptions {
            width,
            full,
            show_suppressed: full,
            list_all_packages: Some(full),
            ..RenderOptions::default()
        };
        let bytes = rendered(Format::Table, &report, &options);
        let printed = String::from_utf8(bytes).expect("a table is UTF-8");
        for line in printed.split('\n') {
            assert_eq!(text::clean(line), line, "a line of the table is harmless");
        }
    }
}

fn printed(format: Format, report: &ScanReport, options: &RenderOptions) -> String {
    String::from_utf8(rendered(format, report, options)).expect("reports are UTF-8")
}

fn rendered(format: Format, report: &ScanReport, options: &RenderOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = render(format, report, options, &mut bytes);
    assert!(written.is_ok(), "{format} is written");
    bytes
}

/// Deals the lines of a text out to every field of a report that others can write.
fn report(data: &[u8]) -> ScanReport {
    let all = String::from_utf8_lossy(data);
    let mut lines = all.split('\n').cycle();
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let layer = LayerId {
        digest: Some(Digest::of(b"layer")),
        diff_id: DiffId(Digest::of(b"content")),
    };
    let package = Package {
        id: next(),
        name: next(),
        version: next(),
        arch: next(),
        src_name: next(),
        licenses: vec![next(), next()],
        identifier: PackageIdentifier {
            uid: next(),
            purl: next().parse().ok(),
            bom_ref: next(),
        },
        layer: Some(layer),
        file_path: next(),
        depends_on: vec![next()],
        installed_files: vec![next()].into(),
        ..Package::default()
    };
    let details = VulnerabilityDetails {
        title: next(),
        description: next(),
        severity: Severity::High,
        cwe_ids: vec![next()],
        references: vec![next(), next()],
        published: next(),
        ..VulnerabilityDetails::default()
    };
    let finding = Finding {
        vulnerability_id: next(),
        vendor_ids: vec![next()],
        package_id: package.id.clone(),
        package_name: package.name.clone(),
        package_path: next(),
        package_identifier: package.identifier.clone(),
        installed_version: next(),
        fixed_version: next(),
        layer: Some(layer),
        severity_source: next(),
        primary_url: next(),
        details: Some(Arc::new(details)),
        ..Finding::default()
    };
    let finding = Finding {
        epss: Some(Epss {
            score: f64::from(data.first().copied().unwrap_or_default()) / 255.0,
            percentile: 0.5,
            date: next(),
        }),
        known_exploited: Some(Box::new(KnownExploited {
            date_added: next(),
            due_date: next(),
            is_used_by_ransomware: true,
        })),
        ..finding
    };
    let suppressed = SuppressedFinding {
        status: next(),
        statement: next(),
        source: next(),
        terms: ExceptionTerms {
            owner: next(),
            ticket: next(),
            expires: next(),
        },
        finding: finding.clone(),
    };
    let mut image = ImageReport {
        artifact_name: next(),
        source: next(),
        distro: Some(Distro {
            family: Family::new(&next()),
            name: next(),
            ..Distro::default()
        }),
        results: vec![ResultSet {
            target: next(),
            kind: next(),
            packages: vec![package],
            findings: vec![finding],
            suppressed: vec![suppressed],
            ..ResultSet::default()
        }],
        problems: vec![Problem::at(ProblemKind::UnreadableFile, next(), next())],
        ..ImageReport::default()
    };
    image.metadata.repo_tags = vec![next()];
    image.metadata.layers = vec![LayerMetadata {
        id: layer,
        size_bytes: Some(data.len() as u64),
        created_by: next(),
    }];
    image.metadata.config.author = next();
    image.metadata.config.history = vec![HistoryEntry {
        created_by: next(),
        ..HistoryEntry::default()
    }];
    image.metadata.config.config.env = vec![next()];
    image.metadata.config.config.labels = [(next(), next())].into();
    ScanReport {
        created_at: next(),
        duration_ms: None,
        database: None,
        left_out_severities: Vec::new(),
        images: vec![image],
        exceptions: vec![ExceptionReport {
            source: next(),
            line: 1,
            rule: next(),
            statement: next(),
            terms: ExceptionTerms {
                owner: next(),
                ticket: next(),
                expires: next(),
            },
            lapsed_findings: 1,
            outcome: ExceptionOutcome::NotUnderstood(next()),
        }],
    }
}
