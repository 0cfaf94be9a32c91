//! Comma-separated values, one row per finding.
//!
//! The first column says what a row is: `image` (every image has one, so that a clean image is
//! told from one that was not scanned), `not-assessed` and `notice` (problems), `vulnerability`,
//! and `suppressed`: what is excepted, where asked for the others too. New columns are added at the end.
//!
//! Source: RFC 4180: quotes everywhere, lines end in CR LF.

use std::io::{self, Write};

use cleanbill_core::base_image::Origin;
use cleanbill_core::problem::Problem;
use cleanbill_core::report::{ImageReport, ResultSet, ScanReport};
use cleanbill_core::vulnerability::Finding;

use super::exploitation::Exploitation;
use super::words::{self, Outcome};
use super::{RenderOptions, json::fingerprint};
use crate::escape::csv::Cell;
use crate::layers::Layers;

pub(super) fn render(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    write_row(COLUMNS.map(|(name, _)| name), out)?;
    for image in &report.images {
        let blank = Row {
            image: &image.artifact_name,
            status: image.status.name(),
            ..Row::default()
        };
        write_image(image, &blank, options, out)?;
    }
    Ok(())
}

/// One row; what does not apply is empty.
#[derive(Clone, Default)]
struct Row<'a> {
    record: &'static str,
    image: &'a str,
    status: &'static str,
    target: &'a str,
    kind: &'a str,
    package: &'a str,
    path: &'a str,
    installed_version: &'a str,
    fixed_version: &'a str,
    vulnerability: &'a str,
    severity: &'static str,
    severity_source: &'a str,
    fix_status: &'static str,
    cvss: String,
    title: &'a str,
    reason: String,
    url: &'a str,
    layer: String,
    created_by: &'a str,
    fingerprint: String,
    epss_score: String,
    epss_percentile: String,
    epss_date: &'a str,
    known_exploited: &'static str,
    kev_date_added: &'a str,
    kev_due_date: &'a str,
    kev_ransomware: &'static str,
    origin: &'static str,
}

type Column = (&'static str, for<'r> fn(&'r Row<'_>) -> &'r str);

const COLUMNS: [Column; 28] = [
    ("record", |row| row.record),
    ("image", |row| row.image),
    ("status", |row| row.status),
    ("target", |row| row.target),
    ("type", |row| row.kind),
    ("package", |row| row.package),
    ("path", |row| row.path),
    ("installed_version", |row| row.installed_version),
    ("fixed_version", |row| row.fixed_version),
    ("vulnerability", |row| row.vulnerability),
    ("severity", |row| row.severity),
    ("severity_source", |row| row.severity_source),
    ("fix_status", |row| row.fix_status),
    ("cvss", |row| &row.cvss),
    ("title", |row| row.title),
    ("reason", |row| &row.reason),
    ("url", |row| row.url),
    ("layer", |row| &row.layer),
    ("created_by", |row| row.created_by),
    ("fingerprint", |row| &row.fingerprint),
    ("epss_score", |row| &row.epss_score),
    ("epss_percentile", |row| &row.epss_percentile),
    ("epss_date", |row| row.epss_date),
    ("known_exploited", |row| row.known_exploited),
    ("kev_date_added", |row| row.kev_date_added),
    ("kev_due_date", |row| row.kev_due_date),
    ("kev_ransomware", |row| row.kev_ransomware),
    ("origin", |row| row.origin),
];

fn write_image<'a>(
    image: &'a ImageReport,
    blank: &Row<'a>,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let counts = image.severity_counts();
    let row = Row {
        record: "image",
        title: Outcome::of(image).sentence(),
        reason: words::severities(&counts),
        ..blank.clone()
    };
    write(&row, out)?;
    for problem in words::problems(image) {
        write(&problem_row(problem, blank), out)?;
    }
    let layers = Layers::of(image);
    let is_listed = words::listed(options);
    for result in &image.results {
        for finding in &result.findings {
            write(&finding_row(result, finding, &layers, blank), out)?;
        }
        let suppressed = result.suppressed.iter();
        for suppressed in suppressed.filter(|one| is_listed(one)) {
            let row = finding_row(result, &suppressed.finding, &layers, blank);
            let row = Row {
                record: "suppressed",
                reason: words::suppression(suppressed),
                ..row
            };
            write(&row, out)?;
        }
    }
    Ok(())
}

fn problem_row<'a>(problem: &'a Problem, blank: &Row<'a>) -> Row<'a> {
    Row {
        record: if problem.kind.is_gap() {
            "not-assessed"
        } else {
            "notice"
        },
        kind: problem.kind.name(),
        path: &problem.path,
        reason: problem.message.clone(),
        ..blank.clone()
    }
}

fn finding_row<'a>(
    result: &'a ResultSet,
    finding: &'a Finding,
    layers: &Layers<'a>,
    blank: &Row<'a>,
) -> Row<'a> {
    let layer = finding.layer.and_then(|layer| layers.find(&layer));
    let score = words::cvss(finding).and_then(|(_, cvss)| words::score(cvss));
    let blank = exploitation_row(Exploitation::of(finding), blank);
    Row {
        record: "vulnerability",
        target: &result.target,
        kind: &result.kind,
        package: &finding.package_name,
        path: &finding.package_path,
        installed_version: &finding.installed_version,
        fixed_version: &finding.fixed_version,
        vulnerability: &finding.vulnerability_id,
        severity: finding.severity.name(),
        severity_source: &finding.severity_source,
        fix_status: finding.status.name(),
        cvss: score.map(|score| format!("{score:.1}")).unwrap_or_default(),
        title: words::title(finding),
        url: &finding.primary_url,
        layer: layer
            .map(|(index, _)| index.to_string())
            .unwrap_or_default(),
        created_by: layer.map(|(_, line)| line).unwrap_or_default(),
        fingerprint: fingerprint::of(&result.kind, finding),
        origin: finding.origin.map(Origin::name).unwrap_or_default(),
        ..blank
    }
}

/// What is not known is an empty cell, not a nought and not a no.
fn exploitation_row<'a>(exploitation: Exploitation<'a>, blank: &Row<'a>) -> Row<'a> {
    let mut row = blank.clone();
    if let Some(epss) = exploitation.epss {
        row.epss_score = epss.score.to_string();
        row.epss_percentile = epss.percentile.to_string();
        row.epss_date = &epss.date;
    }
    if let Some(known) = exploitation.known {
        row.known_exploited = "yes";
        row.kev_date_added = &known.date_added;
        row.kev_due_date = &known.due_date;
        row.kev_ransomware = if known.is_used_by_ransomware {
            "yes"
        } else {
            ""
        };
    }
    row
}

fn write(row: &Row<'_>, out: &mut impl Write) -> io::Result<()> {
    write_row(COLUMNS.map(|(_, cell)| cell(row)), out)
}

fn write_row(cells: [&str; COLUMNS.len()], out: &mut impl Write) -> io::Result<()> {
    for (index, cell) in cells.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(out, "{comma}{}", Cell(cell))?;
    }
    out.write_all(b"\r\n")
}
