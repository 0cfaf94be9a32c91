//! Words that several formats share.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::LazyLock;

use cleanbill_core::count;
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::{
    DatabaseInfo, ImageReport, ResultClass, ResultSet, SeverityCounts, SuppressedFinding,
};
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::{Cvss, Finding};

use super::RenderOptions;

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
        .map(|severity| format!("{} {}", counts.get(severity), severity.lower_name()))
        .collect();
    parts.join(", ")
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

/// Returns the key that puts the worst findings first, of equal ones those that are known to be
/// exploited.
pub(super) fn worst_first(finding: &Finding) -> impl Ord + use<> {
    Reverse((finding.severity, finding.known_exploited.is_some()))
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

/// Returns the vector of the newest version of CVSS that has one; empty if none has.
pub(super) fn vector(cvss: &Cvss) -> &str {
    [&cvss.v40_vector, &cvss.v3_vector, &cvss.v2_vector]
        .into_iter()
        .find(|vector| !vector.is_empty())
        .map_or("", String::as_str)
}

/// Returns the problems of an image. One that was not assessed completely has a gap, even where
/// its report, saved or made by others, does not say why.
pub(super) fn problems(image: &ImageReport) -> impl Iterator<Item = &Problem> {
    static UNEXPLAINED: LazyLock<[Problem; 2]> = LazyLock::new(|| {
        [Outcome::NotAssessed, Outcome::NotAssessedCompletely].map(|outcome| {
            let message = format!("{}, and the report does not say why", outcome.sentence());
            Problem::new(ProblemKind::ImageFailed, message)
        })
    });
    let has_gap = image.problems.iter().any(|problem| problem.kind.is_gap());
    let [failed, partial] = &*UNEXPLAINED;
    let unexplained = match image.status {
        _ if has_gap => None,
        AssessmentStatus::Complete => None,
        AssessmentStatus::Failed => Some(failed),
        AssessmentStatus::Partial => Some(partial),
    };
    unexplained.into_iter().chain(&image.problems)
}

/// Says in one line what could not be assessed.
pub(super) fn problem(problem: &Problem) -> String {
    let Problem {
        kind,
        path,
        message,
    } = problem;
    match path.as_str() {
        "" => format!("{kind}: {message}"),
        path => format!("{kind}: {path}: {message}"),
    }
}

/// Says which suppressed findings are listed: all where that is asked for, and always those that an
/// exception covers.
pub(super) fn listed(options: &RenderOptions) -> fn(&SuppressedFinding) -> bool {
    match options.show_suppressed {
        true => |_| true,
        false => SuppressedFinding::is_excepted,
    }
}

/// Says what takes a finding out: `excepted`, `ignored`, `not affected` or `fixed`.
pub(super) fn status(suppressed: &SuppressedFinding) -> Cow<'_, str> {
    match suppressed.is_excepted() {
        true => Cow::Borrowed("excepted"),
        false => Cow::Owned(suppressed.status.replace('_', " ")),
    }
}

/// Says in one line what takes a finding out: `not affected: reason (file)`.
pub(super) fn suppression(suppressed: &SuppressedFinding) -> String {
    let SuppressedFinding {
        statement,
        source,
        terms,
        ..
    } = suppressed;
    let mut words = status(suppressed).into_owned();
    if !statement.is_empty() {
        words.push_str(&format!(": {}", spoken(statement)));
    }
    if !source.is_empty() {
        words.push_str(&format!(" ({source})"));
    }
    let terms = terms.words();
    if !terms.is_empty() {
        words.push_str(&format!(", {terms}"));
    }
    words
}

/// Writes the code words of VEX (`vulnerable_code_not_present`) as people read them; every other
/// statement is as it was given.
fn spoken(statement: &str) -> Cow<'_, str> {
    let is_code = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if statement.bytes().all(is_code) {
        Cow::Owned(statement.replace('_', " "))
    } else {
        Cow::Borrowed(statement)
    }
}

/// Shortens a text to so many characters, the last of them `…` if any are missing.
pub(super) fn cut(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let kept = text.chars().take(chars_max.saturating_sub(1));
            Cow::Owned(kept.chain(['…']).collect())
        }
    }
}

/// Returns an RFC 3339 time in whole seconds of UTC, without its zone; `None` if it is no such
/// time.
pub(super) fn seconds(time: &str) -> Option<String> {
    let timestamp: jiff::Timestamp = time.parse().ok()?;
    Some(timestamp.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// Returns the same with its zone, for formats that demand a time: the beginning of 1970 stands
/// for one that is not known.
pub(super) fn timestamp(time: &str) -> String {
    let seconds = seconds(time).unwrap_or_else(|| NO_TIME.to_owned());
    format!("{seconds}Z")
}

/// What stands for a time that is not known where a format demands one.
pub(super) const NO_TIME: &str = "1970-01-01T00:00:00";

/// Prints a time as a person reads it, where it is one.
pub(super) fn minute(time: &str) -> Cow<'_, str> {
    match time.parse::<jiff::Timestamp>() {
        Ok(timestamp) => Cow::Owned(timestamp.strftime("%Y-%m-%d %H:%M UTC").to_string()),
        Err(_) => Cow::Borrowed(time),
    }
}

/// Names the lists about exploitation that were used; `None` if there was neither. Who has neither
/// did not ask for them.
pub(super) fn lists(database: &DatabaseInfo) -> Option<String> {
    let DatabaseInfo {
        epss_date,
        kev_release,
        ..
    } = database;
    let or_none = |date: &str| if date.is_empty() { "none" } else { date }.to_owned();
    let has_any = !(epss_date.is_empty() && kev_release.is_empty());
    has_any.then(|| {
        format!(
            "EPSS scores of {}, KEV catalogue {}",
            or_none(epss_date),
            or_none(kev_release)
        )
    })
}

/// Says how old something is.
pub(super) fn age(hours: i64) -> String {
    match hours.max(0).unsigned_abs() {
        hours @ ..48 => count(hours, "hour"),
        hours => count(hours / 24, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_converted_to_utc() {
        for (time, expected) in [
            ("2026-11-22T06:00:00.5+01:00", "2026-11-22T05:00:00"),
            ("2026-11-22T00:30:00-05:00", "2026-11-22T05:30:00"),
            ("2026-11-22T06:00:00Z", "2026-11-22T06:00:00"),
        ] {
            assert_eq!(seconds(time).as_deref(), Some(expected));
            assert_eq!(timestamp(time), format!("{expected}Z"));
        }
        assert_eq!(minute("2026-11-22T06:00:59+01:00"), "2026-11-22 05:00 UTC");
        for text in ["", "yesterday", "2026-11-22", "2026-13-22T06:00:00Z"] {
            assert_eq!(seconds(text), None);
            assert_eq!(timestamp(text), "1970-01-01T00:00:00Z");
            assert_eq!(minute(text), text);
        }
    }

    #[test]
    fn a_gap_without_a_reason_is_a_problem() {
        let mut image = ImageReport::default();
        assert_eq!(problems(&image).count(), 0);
        for (status, expected) in [
            (
                AssessmentStatus::Failed,
                "NOT ASSESSED, and the report does not say why",
            ),
            (
                AssessmentStatus::Partial,
                "NOT ASSESSED COMPLETELY, and the report does not say why",
            ),
        ] {
            image.status = status;
            image.problems = vec![Problem::new(ProblemKind::EndOfLife, "a notice")];
            let messages: Vec<_> = problems(&image).map(|p| p.message.as_str()).collect();
            assert_eq!(messages, [expected, "a notice"]);
            image.problems = vec![Problem::new(ProblemKind::DanglingLink, "a reason")];
            assert_eq!(problems(&image).count(), 1);
        }
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüx", 3), "äö…");
        assert_eq!(cut("a", 0), "…");
    }

    #[test]
    fn what_takes_a_finding_out_is_said_as_far_as_it_is_known() {
        let mut suppressed = SuppressedFinding {
            status: "not_affected".to_owned(),
            ..SuppressedFinding::default()
        };
        assert_eq!(suppression(&suppressed), "not affected");
        suppressed.statement = "why".to_owned();
        suppressed.source = "vex.json".to_owned();
        assert_eq!(suppression(&suppressed), "not affected: why (vex.json)");
        suppressed.source = "exceptions.yaml:3".to_owned();
        assert_eq!(
            suppression(&suppressed),
            "excepted: why (exceptions.yaml:3)"
        );
    }
}
