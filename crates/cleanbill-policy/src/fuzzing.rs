//! Entry points for fuzz targets and their replay: arbitrary bytes in, broken promises out as a
//! panic. Not part of the crate's interface.

use std::time::{Duration, SystemTime};

use cleanbill_core::package::PackageIdentifier;
use cleanbill_core::report::{ExceptionOutcome, ImageReport, ResultSet, ScanReport};
use cleanbill_core::vulnerability::Finding;
use cleanbill_core::{Digest, Package};

use crate::exceptions::{Exception, append, overlaps, remove};
use crate::ignore::{IgnoreFileKind, IgnoreUsage, report};
use crate::vex::VexDocument;
use crate::{Exceptions, Filter, Gate, IgnoreRules, Vex};

/// An entry point with the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point of the crate, by the name of its folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("policy_exceptions", exceptions),
    ("policy_gate_file", gate_file),
    ("policy_ignore", ignore_plain),
    ("policy_ignore_grype", ignore_grype),
    ("policy_ignore_osv", ignore_osv),
    ("policy_ignore_yaml", ignore_yaml),
    ("policy_vex", vex),
];

/// Judges a report by a file of rules: what it says is honoured whole or not at all.
pub fn gate_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match crate::gate_file::parse(&text, "gate.yaml") {
        Ok(file) => {
            let gate = Gate {
                rules: Some(file.rules),
                ..Gate::default()
            };
            let report = ScanReport {
                images: vec![image()],
                ..ScanReport::default()
            };
            let verdict = gate.verdict(&report);
            assert_eq!(verdict.failed, verdict.exit_code != 0);
            assert_eq!(verdict.failed, !verdict.reasons.is_empty());
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            // YAML ends lines at carriage returns too.
            let lines = text.split(['\n', '\r']).count() as u64 + 1;
            let places = error.problems.iter().filter_map(|problem| problem.place);
            places.for_each(|place| assert!(place.line <= lines, "{place} of {lines} lines"));
        }
    }
}

/// Applies a file of exceptions, adds to it and removes from it.
pub fn exceptions(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = match Exceptions::parse(&text, "exceptions.yaml") {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(!error.problems.is_empty(), "{error}");
            return;
        }
    };
    filter(parsed.rules().clone());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let mut report = ScanReport {
        images: vec![image()],
        ..ScanReport::default()
    };
    let usage = parsed.apply(&mut report, now);
    report.images.iter().for_each(check_complete);
    assert_eq!(usage.reports.len(), parsed.list().len());
    let once = report.clone();
    parsed.apply(&mut report, now);
    assert!(report == once, "applying twice is applying once");
    overlaps(std::slice::from_ref(&parsed), now);
    change(&text, &parsed);
}

/// Whatever can be changed says afterwards what was meant: the functions look themselves, and
/// refuse.
fn change(text: &str, parsed: &Exceptions) {
    let new = Exception {
        ids: vec!["CVE-2026-0001".to_owned()],
        reason: "why: #1".to_owned(),
        ..Exception::default()
    };
    if let Ok(changed) = append(text, &new) {
        let again = Exceptions::parse(&changed, "").expect("it was read before");
        assert_eq!(again.list().len(), parsed.list().len() + 1);
    }
    let first = parsed.list().iter().map(|one| one.line).take(1);
    let first: Vec<u64> = first.collect();
    if let Ok(changed) = remove(text, &first) {
        Exceptions::parse(&changed, "").expect("it was read before");
    }
}

/// Applies an ignore file of Trivy's plain form.
pub fn ignore_plain(data: &[u8]) {
    ignore(IgnoreFileKind::Plain, data);
}

/// Applies an ignore file of Trivy's YAML form.
pub fn ignore_yaml(data: &[u8]) {
    ignore(IgnoreFileKind::Yaml, data);
}

/// Applies the rules of a configuration of Grype's.
pub fn ignore_grype(data: &[u8]) {
    ignore(IgnoreFileKind::Grype, data);
}

/// Applies the rules of a configuration of OSV-Scanner's.
pub fn ignore_osv(data: &[u8]) {
    ignore(IgnoreFileKind::Osv, data);
}

fn ignore(kind: IgnoreFileKind, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(rules) = IgnoreRules::parse(kind, &text, "ignored") {
        filter(rules);
    }
}

/// Applies a VEX document, OpenVEX or CSAF.
pub fn vex(data: &[u8]) {
    let Ok(document) = VexDocument::parse(data, "vex.json") else {
        return;
    };
    let mut image = image();
    Vex::new(vec![document]).apply(&mut image);
    check_complete(&image);
}

/// Filters and demands that no finding is lost: what is not shown is suppressed.
fn filter(ignore_rules: IgnoreRules) {
    let mut image = image();
    let filter = Filter {
        severities: vec![
            image
                .results
                .first()
                .map_or_else(Default::default, severity),
        ],
        ignored_statuses: Vec::new(),
        ignore_rules: vec![ignore_rules],
        ..Filter::default()
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let mut usage = IgnoreUsage::default();
    filter.apply(&mut image, now, &mut usage);
    check_complete(&image);
    let covered: u64 = report(&filter.ignore_rules, &usage, now)
        .iter()
        .map(|rule| match rule.outcome {
            ExceptionOutcome::Applied(count) => count,
            _ => 0,
        })
        .sum();
    let suppressed: usize = image.results.iter().map(|r| r.suppressed.len()).sum();
    assert_eq!(covered, suppressed as u64, "each cover is counted once");
}

fn severity(result: &ResultSet) -> cleanbill_core::Severity {
    result
        .findings
        .first()
        .map(|finding| finding.severity)
        .unwrap_or_default()
}

fn check_complete(image: &ImageReport) {
    let count = |result: &ResultSet| result.findings.len() + result.suppressed.len();
    assert_eq!(
        image.results.iter().map(count).sum::<usize>(),
        2,
        "no finding is lost"
    );
}

/// An image with two packages, one above the other, and a finding in each.
fn image() -> ImageReport {
    let packages = [package("bash", "5.2.15"), package("libc6", "2.36-9")];
    let findings = ["CVE-2024-0001", "CVE-2024-0002"].iter().zip(&packages);
    let findings = findings.map(|(id, package)| Finding {
        vulnerability_id: (*id).to_owned(),
        package_id: package.id.clone(),
        package_name: package.name.clone(),
        package_identifier: package.identifier.clone(),
        installed_version: package.version.clone(),
        ..Finding::default()
    });
    let mut image = ImageReport {
        artifact_name: "registry.example.org/app:1".to_owned(),
        results: vec![ResultSet {
            target: "app (debian 12)".to_owned(),
            kind: "debian".to_owned(),
            findings: findings.collect(),
            packages: packages.to_vec(),
            ..ResultSet::default()
        }],
        ..ImageReport::default()
    };
    image.metadata.image_id = Some(Digest::of(b"image"));
    image.metadata.repo_digests = vec![format!(
        "registry.example.org/app@{}",
        Digest::of(b"manifest")
    )];
    image.metadata.config.architecture = "amd64".to_owned();
    image
}

fn package(name: &str, version: &str) -> Package {
    let purl = format!("pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-12");
    Package {
        id: format!("{name}@{version}"),
        name: name.to_owned(),
        version: version.to_owned(),
        identifier: PackageIdentifier {
            uid: format!("uid-{name}"),
            purl: purl.parse().ok(),
            bom_ref: String::new(),
        },
        depends_on: (name == "bash")
            .then(|| "libc6@2.36-9".to_owned())
            .into_iter()
            .collect(),
        ..Package::default()
    }
}
