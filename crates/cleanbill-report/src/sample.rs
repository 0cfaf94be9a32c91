//! Reports that the tests of all renderers print.

use std::sync::Arc;

use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::image::{HistoryEntry, LayerMetadata};
use cleanbill_core::package::{LayerId, Package, PackageIdentifier};
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::{
    DatabaseInfo, ExceptionTerms, ImageReport, ResultClass, ResultSet, ScanReport,
    SuppressedFinding,
};
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::{
    Cvss, DataSource, Epss, Evidence, Finding, KnownExploited, VulnerabilityDetails,
};
use cleanbill_core::{DiffId, Digest};

use crate::{Format, RenderOptions, assign_fingerprints, render};

/// Renders and returns the text.
pub(crate) fn rendered(format: Format, report: &ScanReport, options: &RenderOptions) -> String {
    let mut bytes = Vec::new();
    render(format, report, options, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Returns options that do not change from run to run.
pub(crate) fn options() -> RenderOptions {
    RenderOptions {
        tool_version: "1.2.3".to_owned(),
        report_id: "019b0000-0000-7000-8000-000000000001".to_owned(),
        ..RenderOptions::default()
    }
}

/// Puts images into a report.
pub(crate) fn report(images: Vec<ImageReport>) -> ScanReport {
    ScanReport {
        created_at: "2026-11-22T06:00:00.5+00:00".to_owned(),
        duration_ms: None,
        database: Some(DatabaseInfo {
            schema_version: 2,
            updated_at: "2026-11-20T00:00:00Z".to_owned(),
            next_update: "2026-11-20T06:00:00Z".to_owned(),
            downloaded_at: "2026-11-20T01:00:00Z".to_owned(),
            age_hours: 54,
            ..DatabaseInfo::default()
        }),
        images,
        ..ScanReport::default()
    }
}

fn layer(name: &str) -> LayerId {
    LayerId {
        digest: Some(Digest::of(format!("{name} blob").as_bytes())),
        diff_id: DiffId(Digest::of(name.as_bytes())),
    }
}

fn package(name: &str, version: &str, brought_by: &str) -> Package {
    let purl = format!("pkg:apk/alpine/{name}@{version}?arch=x86_64&distro=3.20.3");
    Package {
        id: format!("{name}@{version}"),
        name: name.to_owned(),
        identifier: PackageIdentifier {
            uid: format!("uid-{name}"),
            purl: Some(purl.parse().unwrap()),
            bom_ref: String::new(),
        },
        version: version.to_owned(),
        arch: "x86_64".to_owned(),
        licenses: vec!["MIT".to_owned()],
        layer: Some(layer(brought_by)),
        analyzed_by: "apk".to_owned(),
        ..Package::default()
    }
}

fn finding(package: &Package, id: &str, severity: Severity, fixed: &str) -> Finding {
    Finding {
        vulnerability_id: id.to_owned(),
        package_id: package.id.clone(),
        package_name: package.name.clone(),
        package_identifier: package.identifier.clone(),
        installed_version: package.installed_version(),
        fixed_version: fixed.to_owned(),
        status: if fixed.is_empty() {
            FixStatus::Affected
        } else {
            FixStatus::Fixed
        },
        layer: package.layer,
        severity_source: "nvd".to_owned(),
        primary_url: format!("https://avd.aquasec.com/nvd/{}", id.to_lowercase()),
        data_source: Some(DataSource {
            id: "alpine".to_owned(),
            name: "Alpine Secdb".to_owned(),
            url: "https://secdb.alpinelinux.org/".to_owned(),
            base_id: String::new(),
        }),
        severity,
        details: Some(Arc::new(VulnerabilityDetails {
            title: "a <title> & more".to_owned(),
            description: "One line.\nAnother line.".to_owned(),
            cwe_ids: vec!["CWE-787".to_owned()],
            cvss: [(
                "nvd".to_owned(),
                Cvss {
                    v3_vector: "CVSS:3.1/AV:N".to_owned(),
                    v3_score: 7.0,
                    ..Cvss::default()
                },
            )]
            .into(),
            references: vec!["https://example.com/1".to_owned()],
            published: "2026-01-02T03:04:05.120Z".to_owned(),
            last_modified: "2026-01-03T00:00:00+00:00".to_owned(),
            ..VulnerabilityDetails::default()
        })),
        vendor_severity: [("nvd".to_owned(), i64::from(severity.number()))].into(),
        evidence: Evidence {
            bucket: "alpine 3.20".to_owned(),
            looked_up_name: package.name.clone(),
            compared_version: package.installed_version(),
            scheme: "apk",
            constraint: format!("< {fixed}"),
        },
        ..Finding::default()
    }
}

/// Returns an image without findings.
pub(crate) fn clean() -> ImageReport {
    let mut image = ImageReport {
        artifact_name: "example.com/team/clean:1.0".to_owned(),
        source: "docker".to_owned(),
        distro: Some(Distro {
            family: Family::new("alpine"),
            name: "3.20.3".to_owned(),
            ..Distro::default()
        }),
        results: vec![ResultSet {
            target: "example.com/team/clean:1.0 (alpine 3.20.3)".to_owned(),
            class: ResultClass::OsPackages,
            kind: "alpine".to_owned(),
            packages: vec![package("musl", "1.2.5-r0", "base")],
            ..ResultSet::default()
        }],
        ..ImageReport::default()
    };
    image.metadata.image_id = Some(Digest::of(b"config"));
    image.metadata.repo_tags = vec!["example.com/team/clean:1.0".to_owned()];
    let history = [
        "ADD rootfs.tar.gz / # base",
        "RUN apk add --no-cache openssl curl zlib",
    ];
    image.metadata.layers = ["base", "tools"]
        .iter()
        .zip(history)
        .map(|(name, created_by)| LayerMetadata {
            id: layer(name),
            size_bytes: Some(1_024),
            created_by: created_by.to_owned(),
        })
        .collect();
    let config = &mut image.metadata.config;
    config.architecture = "amd64".to_owned();
    config.os = "linux".to_owned();
    config.rootfs.kind = "layers".to_owned();
    config.rootfs.diff_ids = image
        .metadata
        .layers
        .iter()
        .map(|layer| layer.id.diff_id.to_string())
        .collect();
    config.history = history
        .into_iter()
        .map(|created_by| HistoryEntry {
            created: "2026-11-01T00:00:00.000Z".to_owned(),
            created_by: created_by.to_owned(),
            ..HistoryEntry::default()
        })
        .collect();
    config.config.env = vec!["PATH=/usr/bin".to_owned()];
    image
}

/// Returns an image with findings of every severity, with and without fixes, in OS and language
/// packages.
pub(crate) fn findings() -> ImageReport {
    use Severity::{Critical, High, Low, Medium, Unknown};
    let mut image = clean();
    image.artifact_name = "example.com/team/shop:2.1".to_owned();
    image.metadata.repo_tags = vec![image.artifact_name.clone()];
    let openssl = package("openssl", "3.3.1-r0", "tools");
    let curl = package("curl", "8.9.0-r0", "tools");
    let zlib = package("zlib", "1.3.1-r1", "base");
    let mut express = package("express", "4.17.1", "tools");
    express.file_path = "srv/node_modules/express/package.json".to_owned();
    express.identifier.purl = Some("pkg:npm/express@4.17.1".parse().unwrap());
    let mut qs = finding(&express, "CVE-2026-4001", High, "3.9.9, 4.17.3");
    qs.package_path = express.file_path.clone();
    qs.evidence = Evidence::default();
    image.results = vec![
        ResultSet {
            target: "example.com/team/shop:2.1 (alpine 3.20.3)".to_owned(),
            class: ResultClass::OsPackages,
            kind: "alpine".to_owned(),
            findings: vec![
                finding(&curl, "CVE-2026-2001", High, "8.10.0-r0"),
                finding(&curl, "CVE-2026-2002", Unknown, ""),
                finding(&openssl, "CVE-2026-1001", Critical, "3.3.2-r0"),
                finding(&openssl, "CVE-2026-1002", High, "3.3.10-r1"),
                finding(&openssl, "CVE-2026-1003", Medium, "3.3.2-r1"),
                finding(&zlib, "CVE-2026-3001", Low, ""),
            ],
            packages: vec![curl, openssl, zlib],
            ..ResultSet::default()
        },
        ResultSet {
            target: "Node.js".to_owned(),
            class: ResultClass::LanguagePackages,
            kind: "node-pkg".to_owned(),
            findings: vec![qs],
            packages: vec![express],
            ..ResultSet::default()
        },
    ];
    assign_fingerprints(&mut image);
    image
}

/// Returns the same image with what is known about exploitation: one finding is known to be
/// exploited, two have scores, of the others nothing is known.
pub(crate) fn exploited() -> ImageReport {
    let mut image = findings();
    let findings = &mut image.results[0].findings;
    findings[2].known_exploited = Some(Box::new(KnownExploited {
        date_added: "2026-04-01".to_owned(),
        due_date: "2026-04-22".to_owned(),
        is_used_by_ransomware: true,
    }));
    for (index, score, percentile) in [(2, 0.94213, 0.99912), (5, 0.00043, 0.1)] {
        findings[index].epss = Some(Epss {
            score,
            percentile,
            date: "2026-11-21".to_owned(),
        });
    }
    image
}

/// Puts an image into a report that was made with the lists about exploitation.
pub(crate) fn report_with_lists(image: ImageReport) -> ScanReport {
    let mut report = report(vec![image]);
    if let Some(database) = &mut report.database {
        database.epss_date = "2026-11-21".to_owned();
        database.kev_release = "2026.11.20".to_owned();
    }
    report
}

/// Returns the same image with two findings suppressed.
pub(crate) fn suppressed() -> ImageReport {
    let mut image = findings();
    let result = &mut image.results[0];
    let mut take = |index: usize, status: &str, statement: &str, source: &str| {
        let finding = result.findings.remove(index);
        result.suppressed.push(SuppressedFinding {
            status: status.to_owned(),
            statement: statement.to_owned(),
            source: source.to_owned(),
            terms: ExceptionTerms::default(),
            finding,
        });
    };
    take(
        2,
        "ignored",
        "accepted until the next release",
        ".trivyignore.yaml",
    );
    take(0, "not_affected", "vulnerable_code_not_present", "vex.json");
    image
}

/// Returns the same image with one finding excepted, and one that a VEX statement takes out.
pub(crate) fn excepted() -> ImageReport {
    let mut image = suppressed();
    let one = &mut image.results[0].suppressed[0];
    one.source = "exceptions.yaml:3".to_owned();
    one.terms = ExceptionTerms {
        owner: "payments".to_owned(),
        ticket: "SEC-1".to_owned(),
        expires: "2026-12-31".to_owned(),
    };
    image
}

/// Returns an image of which a part was not assessed.
pub(crate) fn partial() -> ImageReport {
    let mut image = clean();
    image.artifact_name = "example.com/team/half:3".to_owned();
    image.status = AssessmentStatus::Partial;
    image.is_end_of_life = true;
    image.problems = vec![
        Problem::new(
            ProblemKind::EndOfLife,
            "alpine 3.20 no longer gets security updates",
        ),
        Problem::at(
            ProblemKind::UnreadableFile,
            "var/lib/rpm/rpmdb.sqlite",
            "the database is truncated: page 7 of 12 is missing",
        ),
    ];
    image
}

/// Returns an image that could not be opened.
pub(crate) fn failed() -> ImageReport {
    ImageReport {
        artifact_name: "example.com/team/gone:latest".to_owned(),
        status: AssessmentStatus::Failed,
        problems: vec![Problem::new(
            ProblemKind::ImageFailed,
            "docker: no such image; podman: no socket answers",
        )],
        ..ImageReport::default()
    }
}

/// Returns one image of every kind.
pub(crate) fn all() -> Vec<ImageReport> {
    vec![
        clean(),
        findings(),
        exploited(),
        suppressed(),
        excepted(),
        partial(),
        failed(),
        hostile(),
        ImageReport::default(),
    ]
}

/// Returns an image whose texts try to forge output.
pub(crate) fn hostile() -> ImageReport {
    let mut image = findings();
    let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}gnp.exe\r\nclean";
    image.artifact_name = format!("img{evil}");
    image.metadata.layers[1].created_by = evil.to_owned();
    image.problems = vec![Problem::at(ProblemKind::LimitExceeded, evil, evil)];
    image.status = AssessmentStatus::Partial;
    let finding = &mut image.results[0].findings[2];
    finding.package_name = format!("{evil}{}", "x".repeat(5_000));
    finding.fixed_version = evil.to_owned();
    finding.vulnerability_id = format!("CVE-1{evil}");
    finding.primary_url = format!("https://example.com/{evil}");
    image
}

/// Returns an image with many findings: one for each package and each of `per_package` ids.
pub(crate) fn many(packages: usize, per_package: usize) -> ImageReport {
    let mut image = clean();
    let result = &mut image.results[0];
    for number in 0..packages {
        let package = package(&format!("package-{number:05}"), "1.0-r0", "base");
        for id in 0..per_package {
            let severity = Severity::ALL[(number + id) % 5];
            let fixed = if id % 3 == 0 { "" } else { "1.1-r0" };
            let id = format!("CVE-2026-{:05}", number + id);
            result
                .findings
                .push(finding(&package, &id, severity, fixed));
        }
        result.packages.push(package);
    }
    image
}
