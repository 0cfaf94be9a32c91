//! Words that several formats share.

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ResultClass, ResultSet, SeverityCounts};
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::{Cvss, Finding};

/// Writes `1 package`, `2 packages`.
pub(super) fn count(number: u64, noun: &str) -> String {
    match (number, noun) {
        (1, noun) => format!("1 {noun}"),
        (number, "vulnerability") => format!("{number} vulnerabilities"),
        (number, noun) => format!("{number} {noun}s"),
    }
}

/// Says what a supplier means to do.
pub(super) fn fix_status(status: FixStatus) -> &'static str {
    match status {
        FixStatus::Unknown => "unknown",
        FixStatus::NotAffected => "not affected",
        FixStatus::Affected => "affected",
        FixStatus::Fixed => "fixed",
        FixStatus::UnderInvestigation => "under investigation",
        FixStatus::WillNotFix => "will not fix",
        FixStatus::FixDeferred => "deferred",
        FixStatus::EndOfLife => "end of life",
    }
}

/// Says how far an image was assessed and what that makes of no findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It could not be opened.
    NotAssessed,
    /// Parts of it were left out.
    NotAssessedCompletely,
    /// There are findings.
    Vulnerable,
    /// There are none, but something limits what that means.
    Reserved,
    /// There are none because there are no packages.
    NothingToAssess,
    /// There are none.
    Clean,
}

impl Outcome {
    pub(super) fn of(image: &ImageReport) -> Self {
        match image.status {
            AssessmentStatus::Failed => Outcome::NotAssessed,
            AssessmentStatus::Partial => Outcome::NotAssessedCompletely,
            AssessmentStatus::Complete if image.findings().next().is_some() => Outcome::Vulnerable,
            AssessmentStatus::Complete if !has_packages(image) => Outcome::NothingToAssess,
            AssessmentStatus::Complete if !image.problems.is_empty() || image.is_end_of_life => {
                Outcome::Reserved
            }
            AssessmentStatus::Complete => Outcome::Clean,
        }
    }

    /// Returns the sentence that reports print where there are no findings, and before them where
    /// something was not assessed.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Outcome::NotAssessed => "NOT ASSESSED",
            Outcome::NotAssessedCompletely => "NOT ASSESSED COMPLETELY",
            Outcome::Vulnerable => "vulnerabilities found",
            Outcome::Reserved => "no known vulnerabilities, with reservations",
            Outcome::NothingToAssess => "nothing to assess: no packages",
            Outcome::Clean => "no known vulnerabilities",
        }
    }

    /// Says whether something was left out.
    pub(super) fn is_gap(self) -> bool {
        matches!(self, Outcome::NotAssessed | Outcome::NotAssessedCompletely)
    }
}

fn has_packages(image: &ImageReport) -> bool {
    image
        .results
        .iter()
        .any(|result| result.package_count() > 0)
}

/// Names the distribution with its release; `None` if none could be named.
pub(super) fn distro(image: &ImageReport) -> Option<String> {
    let distro = image.distro.as_ref()?;
    let is_named = !distro.family.is_unknown() && !distro.family.is_empty();
    is_named.then(|| {
        let name = format!("{} {}", distro.family, distro.release());
        name.trim().to_owned()
    })
}

/// Names a part of an image for people.
pub(super) fn part(image: &ImageReport, result: &ResultSet) -> String {
    match (result.class, distro(image)) {
        (ResultClass::OsPackages, Some(distro)) => distro,
        _ if result.target.is_empty() => result.kind.clone(),
        _ => result.target.clone(),
    }
}

/// Lists the severities that occur, worst first: `2 critical, 7 high`.
pub(super) fn severities(counts: &SeverityCounts) -> String {
    let parts: Vec<_> = Severity::ALL
        .into_iter()
        .filter(|severity| counts.get(*severity) > 0)
        .map(|severity| format!("{} {}", counts.get(severity), lower(severity)))
        .collect();
    parts.join(", ")
}

/// Returns the name in lower case.
pub(super) fn lower(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Unknown => "unknown",
    }
}

/// Returns the name with a capital.
pub(super) fn capital(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Unknown => "Unknown",
    }
}

/// Returns the title, or nothing.
pub(super) fn title(finding: &Finding) -> &str {
    finding
        .details
        .as_deref()
        .map(|details| details.title.as_str())
        .unwrap_or_default()
}

/// Returns the description, else the title.
pub(super) fn description(finding: &Finding) -> &str {
    finding
        .details
        .as_deref()
        .map(|details| details.description.as_str())
        .filter(|description| !description.trim().is_empty())
        .unwrap_or_else(|| title(finding))
}

/// Returns the scores of a finding: of the source that rated its severity, else of the National
/// Vulnerability Database, else of the first.
pub(super) fn cvss(finding: &Finding) -> Option<(&str, &Cvss)> {
    let scores = &finding.details.as_deref()?.cvss;
    [finding.severity_source.as_str(), "nvd"]
        .into_iter()
        .find_map(|source| scores.get_key_value(source))
        .or_else(|| scores.iter().next())
        .map(|(source, cvss)| (source.as_str(), cvss))
}

/// Returns the score by the newest version of CVSS that has one.
pub(super) fn score(cvss: &Cvss) -> Option<f64> {
    [cvss.v40_score, cvss.v3_score, cvss.v2_score]
        .into_iter()
        .find(|score| *score > 0.0)
}

/// Returns an RFC 3339 time in UTC without its fraction and zone; `None` if it is no such time.
/// Reports are written in UTC, so nothing is converted.
pub(super) fn seconds(time: &str) -> Option<&str> {
    let (seconds, _) = time.split_at_checked(19)?;
    let is_time = seconds
        .bytes()
        .zip(*b"0000-00-00T00:00:00")
        .all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            shape => byte == shape,
        });
    is_time.then_some(seconds)
}
