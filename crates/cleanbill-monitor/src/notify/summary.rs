//! Makes a message of a saved report.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::Severity;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_core::vulnerability::Finding;
use jiff::Timestamp;

use super::compose::{ComposeSettings, by_urgency, cap, command, fix_words, frame};
use super::message::{
    Counts, Failure, GateVerdict, Happening, Hit, ImageLine, Notification, NotificationKind,
    Totals, VulnerabilityGroup,
};

/// Says what a summary is for.
#[derive(Clone, Copy, Debug)]
pub struct SummaryOptions<'a> {
    /// Identifies the message.
    pub id: &'a str,
    /// When it is composed.
    pub time: Timestamp,
    /// How to say it; `report` may be the address of the run.
    pub settings: &'a ComposeSettings,
    /// What a gate says of the report, if one judged it.
    pub gate: Option<&'a GateVerdict>,
    /// The severities that the report was cut down to; empty if it is whole.
    pub severities: &'a [Severity],
}

/// Makes a message of what a report says.
pub fn summary(report: &ScanReport, options: &SummaryOptions<'_>) -> Notification {
    let settings = options.settings;
    let mut message = frame(options.id, options.time, settings);
    message.kind = NotificationKind::Summary;
    message.gate = options.gate.cloned();
    message.severities = options
        .severities
        .iter()
        .map(|one| one.name().to_owned())
        .collect();
    message.database_updated_at = report
        .database
        .as_ref()
        .and_then(|database| database.updated_at.parse().ok());
    let failures: Vec<Failure> = report.images.iter().filter_map(failure).collect();
    // Counts of what nobody could look at would read as clean.
    let looked_at = |image: &&ImageReport| image.status != AssessmentStatus::Failed;
    let images = report.images.iter().filter(looked_at);
    let images: Vec<ImageLine> = images.map(image_line).collect();
    message.totals = Totals {
        images: report.images.len() as u64,
        errors: failures.len() as u64,
        findings: sum(report),
        ..Totals::default()
    };
    (message.failures, message.failures_left_out) = cap(failures, settings.images_max);
    (message.images, message.images_left_out) = cap(images, settings.images_max);
    (message.vulnerabilities, message.vulnerabilities_left_out) = cap(
        groups(report, settings.hits_max),
        settings.vulnerabilities_max,
    );
    message
}

fn failure(image: &ImageReport) -> Option<Failure> {
    if image.status == AssessmentStatus::Complete {
        return None;
    }
    let reason = image.problems.first();
    Some(Failure {
        image: image.artifact_name.clone(),
        status: image.status.name().to_owned(),
        reason: reason.map_or_else(String::new, |problem| problem.message.clone()),
        ..Failure::default()
    })
}

fn image_line(image: &ImageReport) -> ImageLine {
    ImageLine {
        image: image.artifact_name.clone(),
        counts: counts(image.findings()),
        ..ImageLine::default()
    }
}

fn sum(report: &ScanReport) -> Counts {
    counts(report.images.iter().flat_map(ImageReport::findings))
}

fn counts<'a>(findings: impl Iterator<Item = &'a Finding>) -> Counts {
    let mut counts = Counts::default();
    let mut ids = BTreeSet::new();
    for finding in findings {
        counts.add(finding.severity);
        ids.insert(finding.vulnerability_id.as_str());
    }
    counts.distinct = ids.len() as u64;
    counts
}

fn groups(report: &ScanReport, hits_max: usize) -> Vec<VulnerabilityGroup> {
    let mut by_id: BTreeMap<&str, Vec<(&ImageReport, &Finding)>> = BTreeMap::new();
    for image in &report.images {
        for finding in image.findings() {
            let id = finding.vulnerability_id.as_str();
            by_id.entry(id).or_default().push((image, finding));
        }
    }
    let mut groups: Vec<VulnerabilityGroup> = by_id
        .into_iter()
        .map(|(id, found)| group(id, &found, hits_max))
        .collect();
    groups.sort_by(by_urgency);
    groups
}

fn group(id: &str, found: &[(&ImageReport, &Finding)], hits_max: usize) -> VulnerabilityGroup {
    let findings = || found.iter().map(|(_, finding)| *finding);
    let images: BTreeSet<&str> = found
        .iter()
        .map(|(image, _)| image.artifact_name.as_str())
        .collect();
    let hits = found.iter().map(|(image, finding)| hit(image, finding));
    let (hits, hits_left_out) = cap(hits.collect(), hits_max);
    VulnerabilityGroup {
        id: id.to_owned(),
        severity: findings()
            .map(|finding| finding.severity)
            .max()
            .unwrap_or_default(),
        title: findings()
            .filter_map(|finding| finding.details.as_ref())
            .map(|details| details.title.clone())
            .find(|title| !title.is_empty())
            .unwrap_or_default(),
        url: findings()
            .map(|finding| finding.primary_url.clone())
            .find(|url| !url.is_empty())
            .unwrap_or_default(),
        is_known_exploited: findings().any(|finding| finding.known_exploited.is_some()),
        epss_score: findings()
            .filter_map(|finding| finding.epss.as_ref())
            .map(|epss| epss.score)
            .max_by(f64::total_cmp),
        happenings: vec![Happening::Present],
        images: images.len() as u64,
        hits,
        hits_left_out,
    }
}

fn hit(image: &ImageReport, finding: &Finding) -> Hit {
    let fix_status = match finding.fixed_version.as_str() {
        "" => fix_words(finding.status),
        _ => "",
    };
    Hit {
        image: image.artifact_name.clone(),
        happening: Happening::Present,
        severity: finding.severity,
        package: finding.package_name.clone(),
        path: finding.package_path.clone(),
        installed_version: finding.installed_version.clone(),
        fixed_version: finding.fixed_version.clone(),
        fix_status: fix_status.to_owned(),
        layer: finding
            .layer
            .map(|layer| layer.diff_id.to_string())
            .unwrap_or_default(),
        command: command(&finding.vulnerability_id, &image.artifact_name),
        ..Hit::default()
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::problem::{Problem, ProblemKind};
    use cleanbill_core::severity::FixStatus;

    use super::*;
    use crate::notify::samples::{settings, time};
    use crate::notify::urgency::{Urgency, urgency};
    use crate::notify::words::{gate_reasons, title};

    fn image(name: &str, findings: &[(&str, Severity, &str)]) -> ImageReport {
        let findings = findings
            .iter()
            .map(|(id, severity, fixed_version)| Finding {
                vulnerability_id: (*id).to_owned(),
                severity: *severity,
                package_name: "openssl".to_owned(),
                installed_version: "1.0".to_owned(),
                fixed_version: (*fixed_version).to_owned(),
                status: FixStatus::WillNotFix,
                ..Finding::default()
            })
            .collect();
        ImageReport::of_findings(name, findings)
    }

    #[test]
    fn a_report_is_summed_up() {
        let mut broken = image("c:1", &[]);
        broken.status = AssessmentStatus::Failed;
        broken.problems = vec![Problem::new(ProblemKind::UnreadableFile, "no such image")];
        let report = ScanReport {
            images: vec![
                image(
                    "a:1",
                    &[
                        ("CVE-1", Severity::High, ""),
                        ("CVE-2", Severity::Critical, "2"),
                    ],
                ),
                image("b:1", &[("CVE-1", Severity::High, "1.1")]),
                broken,
            ],
            ..ScanReport::default()
        };
        let message = summed_up(&report, None);
        assert_eq!(
            title(&message),
            "1 of 3 images could not be assessed completely; 2 vulnerabilities (3 findings) found"
        );
        assert_eq!(message.totals.findings.distinct, 2);
        assert_eq!(message.failures[0].reason, "no such image");
        let lines = message.images.iter().map(|line| line.image.as_str());
        assert_eq!(lines.collect::<Vec<_>>(), ["a:1", "b:1"]);
        let ids: Vec<&str> = message
            .vulnerabilities
            .iter()
            .map(|group| group.id.as_str())
            .collect();
        assert_eq!(ids, ["CVE-2", "CVE-1"]);
        let hits = &message.vulnerabilities[1].hits;
        assert_eq!(
            (hits[0].fix_status.as_str(), hits[1].fix_status.as_str()),
            ("will not be fixed", "")
        );
        assert_eq!(hits[1].command, "cleanbill explain CVE-1 b:1");
    }

    #[track_caller]
    fn check_title(images: Vec<ImageReport>, expected: &str) {
        let report = ScanReport {
            images,
            ..ScanReport::default()
        };
        assert_eq!(title(&summed_up(&report, None)), expected);
    }

    fn summed_up(report: &ScanReport, gate: Option<&GateVerdict>) -> Notification {
        let options = SummaryOptions {
            id: "s",
            time: time("2026-11-22T06:30:00Z"),
            settings: &settings(),
            gate,
            severities: &[],
        };
        summary(report, &options)
    }

    #[test]
    fn a_title_begins_with_what_the_gate_decided() {
        let report = ScanReport {
            images: vec![image("a:1", &[("CVE-1", Severity::Low, "")])],
            ..ScanReport::default()
        };
        let check = |reasons: &[String], expected: &str, expected_urgency: Urgency| {
            let message = summed_up(&report, Some(&GateVerdict::of(reasons)));
            assert_eq!(title(&message), expected);
            assert_eq!(urgency(&message), expected_urgency);
        };
        check(
            &[],
            "The gate passes: 1 vulnerability in 1 image",
            Urgency::Normal,
        );
        check(
            &["low: 1 finding, 0 allowed".to_owned()],
            "The gate fails: 1 vulnerability in 1 image",
            Urgency::High,
        );
        let many: Vec<String> = (0..60).map(|number| format!("rule {number}")).collect();
        let verdict = GateVerdict::of(&many);
        assert_eq!((verdict.reasons.len(), verdict.reasons_left_out), (50, 10));
        let lines = gate_reasons(&summed_up(&report, Some(&verdict)));
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[5], "and 55 more rules");
    }

    #[test]
    fn a_title_never_hides_what_nobody_could_look_at() {
        let with = |status, findings: &[(&str, Severity, &str)]| {
            let mut image = image("a:1", findings);
            image.status = status;
            image
        };
        let found = [("CVE-1", Severity::High, "")];
        let clean = with(AssessmentStatus::Complete, &[]);
        check_title(vec![clean.clone()], "0 vulnerabilities in 1 image");
        check_title(
            vec![with(AssessmentStatus::Complete, &found)],
            "1 vulnerability in 1 image",
        );
        let failed = with(AssessmentStatus::Failed, &[]);
        check_title(
            vec![failed.clone()],
            "1 image could not be assessed completely",
        );
        check_title(
            vec![with(AssessmentStatus::Partial, &found)],
            "1 image could not be assessed completely; 1 vulnerability found",
        );
        check_title(
            vec![clean, failed],
            "1 of 2 images could not be assessed completely; 0 vulnerabilities found",
        );
    }
}
