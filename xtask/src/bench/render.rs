//! Measures how long a report of 100,000 findings takes in every format, and how much memory.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use cleanbill_core::image::LayerMetadata;
use cleanbill_core::package::{LayerId, Package, PackageIdentifier};
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::report::{ImageReport, ResultSet, ScanReport};
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::{Cvss, DataSource, Evidence, Finding, VulnerabilityDetails};
use cleanbill_core::{DiffId, Digest};
use cleanbill_report::{FORMATS, Format, RenderOptions, render};

use super::places::Tools;
use super::process::Program;
use super::report::{Check, Report, megabytes};
use super::series::{Series, median};

/// What is required for each format.
const SECONDS_MAX: f64 = 2.0;
const PEAK_MEGABYTES_MAX: f64 = 256.0;

/// Findings, vulnerabilities and packages: a vulnerability hits twenty packages.
const FINDINGS: usize = 100_000;
const VULNERABILITIES: usize = 5_000;
const PACKAGES: usize = 10_000;

/// Measures every format in processes of their own.
pub(crate) fn run(tools: &Tools, is_quick: bool, report: &mut Report) -> anyhow::Result<()> {
    let log = tools.directory.join("last-run.log");
    let findings = if is_quick { FINDINGS / 20 } else { FINDINGS };
    for info in FORMATS {
        let count = findings.to_string();
        let program = Program::new(std::env::current_exe()?, ["render", info.name, &count]);
        let runs = (0..report.runs).map(|_| program.measure(&log, &[0]));
        let runs = runs.collect::<anyhow::Result<Vec<_>>>()?;
        let name = format!("{findings} findings as {}", info.name);
        let seconds = median(runs.iter().map(|run| run.wall_seconds));
        let peak = runs.iter().map(|run| run.peak_rss_bytes).max().unwrap_or(0);
        report.checks.push(Check::at_most(
            format!("{name}, with building the report"),
            seconds,
            SECONDS_MAX,
            "s",
        ));
        report.checks.push(Check::at_most(
            format!("{name}: peak of memory"),
            megabytes(peak),
            PEAK_MEGABYTES_MAX,
            "MB",
        ));
        report.add(Series {
            place: name,
            contender: "render".to_owned(),
            command: program.line(),
            median: *runs.first().context("at least one run")?,
            runs,
        });
    }
    Ok(())
}

/// `xtask render FORMAT FINDINGS`: builds a report and renders it into nothing.
pub(crate) fn run_once(format: &str, findings: usize) -> anyhow::Result<()> {
    let format: Format = format.parse()?;
    let report = report(findings);
    let mut out = Counting(0);
    let begin = Instant::now();
    render(format, &report, &RenderOptions::default(), &mut out)?;
    let seconds = begin.elapsed().as_secs_f64();
    if out.0 == 0 {
        bail!("nothing was written");
    }
    println!("{format}: {} bytes in {seconds:.3} s", out.0);
    Ok(())
}

/// Counts what is written.
struct Counting(u64);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Builds one image with so many findings. Texts are as long as those of real advisories, and
/// findings share the details of their vulnerability as after a scan.
pub(super) fn report(findings: usize) -> ScanReport {
    let layer = LayerId {
        digest: None,
        diff_id: DiffId(Digest::of(b"layer")),
    };
    let packages: Vec<Package> = (0..PACKAGES).map(|number| package(number, layer)).collect();
    let details: Vec<_> = (0..VULNERABILITIES)
        .map(|number| Arc::new(details(number)))
        .collect();
    let findings = (0..findings)
        .map(|number| {
            finding(
                number,
                &packages[number % PACKAGES],
                &details[number % VULNERABILITIES],
            )
        })
        .collect();
    let mut image = ImageReport {
        artifact_name: "registry.example.com/bench/many:1".to_owned(),
        results: vec![ResultSet {
            target: "registry.example.com/bench/many:1 (debian 12.5)".to_owned(),
            kind: "debian".to_owned(),
            packages,
            findings,
            ..ResultSet::default()
        }],
        ..ImageReport::default()
    };
    image.metadata.layers = vec![LayerMetadata {
        id: layer,
        size_bytes: None,
        created_by: "RUN apt-get install -y everything".to_owned(),
    }];
    ScanReport {
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        images: vec![image],
        ..ScanReport::default()
    }
}

fn package(number: usize, layer: LayerId) -> Package {
    let name = format!("libpackage-{number:05}");
    let version = format!("2.{}.{}-1+deb12u1", number % 40, number % 7);
    Package {
        id: format!("{name}@{version}"),
        identifier: PackageIdentifier {
            uid: format!("{number:016x}"),
            purl: Some(PackageUrl {
                kind: "deb".to_owned(),
                namespace: "debian".to_owned(),
                name: name.clone(),
                version: version.clone(),
                qualifiers: vec![("arch".to_owned(), "amd64".to_owned())],
                subpath: String::new(),
            }),
            bom_ref: String::new(),
        },
        name,
        version,
        layer: Some(layer),
        ..Package::default()
    }
}

fn details(number: usize) -> VulnerabilityDetails {
    VulnerabilityDetails {
        title: format!("library: out-of-bounds write while parsing input of kind {number}"),
        description: "A flaw was found in a library. A remote attacker can send crafted input \
                      and make the program read or write outside of a buffer. "
            .repeat(5),
        cwe_ids: vec!["CWE-787".to_owned()],
        cvss: [(
            "nvd".to_owned(),
            Cvss {
                v3_vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
                v3_score: 9.8,
                ..Cvss::default()
            },
        )]
        .into(),
        references: (0..8)
            .map(|link| format!("https://example.com/advisories/{number}/{link}"))
            .collect(),
        published: "2025-02-03T04:05:06Z".to_owned(),
        last_modified: "2025-03-04T05:06:07Z".to_owned(),
        ..VulnerabilityDetails::default()
    }
}

fn finding(number: usize, package: &Package, details: &Arc<VulnerabilityDetails>) -> Finding {
    let severity = Severity::from_number((number % 5) as i64);
    let id = format!("CVE-2099-{:05}", number % VULNERABILITIES);
    Finding {
        primary_url: format!("https://avd.aquasec.com/nvd/{}", id.to_lowercase()),
        vulnerability_id: id,
        package_id: package.id.clone(),
        package_name: package.name.clone(),
        package_identifier: package.identifier.clone(),
        installed_version: package.version.clone(),
        fixed_version: if number.is_multiple_of(3) {
            String::new()
        } else {
            "2.99-1".to_owned()
        },
        status: if number.is_multiple_of(3) {
            FixStatus::Affected
        } else {
            FixStatus::Fixed
        },
        layer: package.layer,
        severity_source: "debian".to_owned(),
        data_source: Some(DataSource {
            id: "debian".to_owned(),
            name: "Debian Security Tracker".to_owned(),
            url: "https://salsa.debian.org/security-tracker-team/security-tracker".to_owned(),
            base_id: String::new(),
        }),
        severity,
        details: Some(Arc::clone(details)),
        vendor_severity: [("debian".to_owned(), (number % 5) as i64)].into(),
        evidence: Evidence {
            bucket: "debian 12".to_owned(),
            looked_up_name: package.name.clone(),
            compared_version: package.version.clone(),
            scheme: "deb",
            constraint: "< 2.99-1".to_owned(),
        },
        ..Finding::default()
    }
}
