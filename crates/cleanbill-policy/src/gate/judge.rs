//! How rules are judged: which findings count, then one rule after the other.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use cleanbill_core::Severity;
use cleanbill_core::problem::{AssessmentStatus, Problem};
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_core::severity::FixStatus;
use cleanbill_core::vulnerability::Finding;

use super::known::Known;
use super::rules::{RuleKind, Rules, Tolerance};
use super::verdict::{FindingPlace, Hit, PackagePlace, RuleOutcome, RuleStatus, Verdict};
use super::{FAILED_EXIT_CODE, Gate, Subject};
use crate::exceptions::Doubt;
use crate::threshold::{Counted, Thresholds};
use crate::upgrade::{self, Demand, PlanInput};

pub(super) fn judge(gate: &Gate, subject: &Subject<'_>) -> Verdict {
    let rules = gate.effective();
    let judging = Judging {
        counted: counted(subject.report, &rules, gate.known.as_ref()),
        rules: &rules,
        is_strict: gate.rules.is_some(),
        has_severities: gate.thresholds.is_some() || !rules.source.is_empty(),
        subject,
    };
    let outcomes = judging.outcomes();
    let failure = outcomes.iter().filter_map(RuleOutcome::failure).min();
    let code = rules.exit_code.unwrap_or(FAILED_EXIT_CODE);
    Verdict {
        failed: failure.is_some(),
        reasons: outcomes
            .iter()
            .filter(|outcome| outcome.fails())
            .map(|outcome| outcome.message.clone())
            .collect(),
        exit_code: failure.map_or(0, |failure| failure.exit_code(code)),
        failure,
        plan: judging.plan(&outcomes),
        counts: judging
            .counted
            .iter()
            .map(|one| one.finding.severity)
            .collect(),
        notes: judging.notes(gate.known.as_ref()),
        rules: outcomes,
    }
}

/// A finding that counts.
struct CountedFinding<'a> {
    place: FindingPlace,
    finding: &'a Finding,
}

/// Collects the findings that the rules look at, in the order of the report.
fn counted<'a>(
    report: &'a ScanReport,
    rules: &Rules,
    known: Option<&Known>,
) -> Vec<CountedFinding<'a>> {
    let mut counted = Vec::new();
    for (image_number, image) in report.images.iter().enumerate() {
        let new = match (rules.only_new, known) {
            (true, Some(known)) => Some(known.new_findings(image)),
            _ => None,
        };
        for (result_number, result) in image.results.iter().enumerate() {
            for (number, finding) in result.findings.iter().enumerate() {
                let counts = rules.severities.passes(finding.severity)
                    && (!rules.only_fixable || is_fixable(finding))
                    && new
                        .as_ref()
                        .is_none_or(|new| new.contains(&(result_number, number)));
                if counts {
                    let place = FindingPlace {
                        image: image_number,
                        result: result_number,
                        finding: number,
                    };
                    counted.push(CountedFinding { place, finding });
                }
            }
        }
    }
    counted
}

fn is_fixable(finding: &Finding) -> bool {
    !finding.fixed_version.is_empty() || finding.status == FixStatus::Fixed
}

struct Judging<'a> {
    rules: &'a Rules,
    /// There is a file of rules: what cannot be judged fails.
    is_strict: bool,
    /// Something was asked for, beyond "any finding".
    has_severities: bool,
    subject: &'a Subject<'a>,
    counted: Vec<CountedFinding<'a>>,
}

impl Judging<'_> {
    fn outcomes(&self) -> Vec<RuleOutcome> {
        let mut outcomes: Vec<RuleOutcome> = Thresholds::COUNTED
            .into_iter()
            .filter_map(|counted| self.threshold(counted))
            .collect();
        outcomes.extend(self.epss());
        outcomes.extend(self.denied_packages());
        outcomes.extend(self.end_of_life());
        outcomes.extend(self.database_age());
        outcomes.extend(self.incomplete());
        outcomes.extend(self.exceptions());
        outcomes
    }

    fn outcome(&self, kind: RuleKind, status: RuleStatus, message: String) -> RuleOutcome {
        RuleOutcome {
            kind,
            line: self.rules.lines.get(&kind).copied(),
            status,
            message,
            advice: String::new(),
            hits: Vec::new(),
        }
    }

    /// Judges a number of findings.
    fn number(&self, kind: RuleKind, hits: Vec<Hit>, allowed: u64, what: &str) -> RuleOutcome {
        let count = hits.len() as u64;
        let found = self.adjectives(count);
        let message = match allowed {
            0 => format!("{found}{what}, none allowed"),
            allowed => format!("{found}{what}, {allowed} allowed"),
        };
        let failed = count > allowed;
        let status = if failed {
            RuleStatus::Failed
        } else {
            RuleStatus::Passed
        };
        RuleOutcome {
            hits: if failed { hits } else { Vec::new() },
            ..self.outcome(kind, status, message)
        }
    }

    /// Says which findings count, if not all do: `3 new fixable findings`.
    fn adjectives(&self, count: u64) -> String {
        let adjectives = [
            (self.rules.only_new, "new "),
            (self.rules.only_fixable, "fixable "),
        ];
        let adjectives = adjectives.into_iter().filter(|(is_set, _)| *is_set);
        let adjectives: String = adjectives.map(|(_, word)| word).collect();
        let noun = if count == 1 { "finding" } else { "findings" };
        format!("{count} {adjectives}{noun}")
    }

    fn hits(&self, is_hit: impl Fn(&Finding) -> bool) -> Vec<Hit> {
        let hits = self.counted.iter().filter(|one| is_hit(one.finding));
        hits.map(|one| Hit::Finding(one.place)).collect()
    }

    fn threshold(&self, counted: Counted) -> Option<RuleOutcome> {
        let allowed = self.rules.thresholds.allowed(counted)?;
        let kind = RuleKind::Threshold(counted);
        let (hits, what) = match counted {
            Counted::Severity(severity) => {
                let hits = self.hits(|finding| finding.severity == severity);
                if hits.len() as u64 <= allowed && self.is_left_out(severity) {
                    return Some(self.lacks_severity(kind, severity));
                }
                (hits, format!(" of severity {severity}"))
            }
            Counted::Total if self.has_severities => (self.hits(|_| true), " in total".to_owned()),
            Counted::Total => (self.hits(|_| true), " found".to_owned()),
            Counted::KnownExploited => {
                let hits = self.hits(|finding| finding.known_exploited.is_some());
                if hits.is_empty() && !self.has_list(|database| &database.kev_release) {
                    return Some(self.lacks_list(kind, "the KEV catalogue", "kev"));
                }
                (hits, " of what is known to be exploited".to_owned())
            }
        };
        Some(self.number(kind, hits, allowed, &what))
    }

    fn epss(&self) -> Option<RuleOutcome> {
        let rule = self.rules.epss?;
        let is_likely = |finding: &Finding| {
            let epss = finding.epss.as_ref();
            epss.is_some_and(|epss| epss.score > rule.above)
        };
        let hits = self.hits(is_likely);
        if hits.is_empty() && !self.has_list(|database| &database.epss_date) {
            return Some(self.lacks_list(RuleKind::Epss, "EPSS scores", "epss"));
        }
        let what = format!(" with EPSS above {}", rule.above);
        Some(self.number(RuleKind::Epss, hits, rule.allowed, &what))
    }

    /// Says whether findings of a severity should count, and were left out before they were judged.
    fn is_left_out(&self, severity: Severity) -> bool {
        self.is_strict
            && self.rules.severities.passes(severity)
            && self.subject.report.left_out_severities.contains(&severity)
    }

    fn lacks_severity(&self, kind: RuleKind, severity: Severity) -> RuleOutcome {
        let message = format!(
            "{} cannot be judged: the report leaves out findings of severity {severity}",
            kind.name()
        );
        RuleOutcome {
            advice: "scan again without --severity, or leave the rule out".to_owned(),
            ..self.outcome(kind, RuleStatus::NotJudged, message)
        }
    }

    /// Says whether the report was made with a list. Without a file of rules the caller has seen to
    /// that.
    fn has_list(&self, name: impl Fn(&cleanbill_core::report::DatabaseInfo) -> &String) -> bool {
        let database = self.subject.report.database.as_ref();
        !self.is_strict || database.is_some_and(|database| !name(database).is_empty())
    }

    fn lacks_list(&self, kind: RuleKind, list: &str, word: &str) -> RuleOutcome {
        let message = format!(
            "{} cannot be judged: the report was made without {list}",
            kind.name()
        );
        RuleOutcome {
            advice: format!("run cleanbill db update --with {word}, and scan again"),
            ..self.outcome(kind, RuleStatus::NotJudged, message)
        }
    }

    fn denied_packages(&self) -> Option<RuleOutcome> {
        if self.rules.denied_packages.is_empty() {
            return None;
        }
        let kind = RuleKind::DeniedPackages;
        let images = &self.subject.report.images;
        let mut results = images.iter().flat_map(|image| &image.results);
        if self.subject.lacks_packages || results.any(|result| result.unlisted_packages > 0) {
            let message =
                "deny_packages cannot be judged: the report was saved without its packages";
            return Some(RuleOutcome {
                advice: "scan again with --list-all-pkgs".to_owned(),
                ..self.outcome(kind, RuleStatus::NotJudged, message.to_owned())
            });
        }
        let mut hits = Vec::new();
        let (mut named, mut is_named) = (Vec::new(), HashSet::new());
        for (image_number, image) in images.iter().enumerate() {
            for (result_number, result) in image.results.iter().enumerate() {
                for (number, package) in result.packages.iter().enumerate() {
                    let mut denied = self.rules.denied_packages.iter();
                    let Some(denied) = denied.find(|denied| denied.pattern.matches(package)) else {
                        continue;
                    };
                    hits.push(Hit::Package(PackagePlace {
                        image: image_number,
                        result: result_number,
                        package: number,
                    }));
                    let reason = match denied.reason.as_str() {
                        "" => String::new(),
                        reason => format!(" ({reason})"),
                    };
                    let name = format!("{} {}{reason}", package.name, package.version);
                    if is_named.insert(name.clone()) {
                        named.push(name);
                    }
                }
            }
        }
        if hits.is_empty() {
            let message = "no denied package".to_owned();
            return Some(self.outcome(kind, RuleStatus::Passed, message));
        }
        let message = format!(
            "{}: {}",
            plural(hits.len(), "denied package"),
            listed(&named)
        );
        Some(RuleOutcome {
            hits,
            advice: "remove them from the image".to_owned(),
            ..self.outcome(kind, RuleStatus::Failed, message)
        })
    }

    fn end_of_life(&self) -> Option<RuleOutcome> {
        if self.rules.end_of_life == Tolerance::Allow {
            return None;
        }
        let is_over = |image: &ImageReport| image.is_end_of_life;
        let over = self.images(is_over, |image| {
            let distro = image.distro.as_ref();
            let distro = distro.map(|distro| format!(" ({} {})", distro.family, distro.name));
            distro.unwrap_or_default()
        });
        Some(match over {
            None => {
                let message = "no distribution is past its end of life".to_owned();
                self.outcome(RuleKind::EndOfLife, RuleStatus::Passed, message)
            }
            Some((hits, names)) => RuleOutcome {
                hits,
                advice: "build on a release that gets security updates".to_owned(),
                ..self.outcome(
                    RuleKind::EndOfLife,
                    RuleStatus::Failed,
                    format!("the distribution is past its end of life: {names}"),
                )
            },
        })
    }

    fn database_age(&self) -> Option<RuleOutcome> {
        let max = self.rules.database_age_max?;
        let kind = RuleKind::DatabaseAge;
        let updated_at = self
            .subject
            .report
            .database
            .as_ref()
            .and_then(|database| database.updated_at.parse::<jiff::Timestamp>().ok());
        let Some(updated_at) = updated_at else {
            let message = "max_db_age cannot be judged: the report does not say when its advisory \
                           database was built";
            return Some(RuleOutcome {
                advice: "scan with cleanbill scan -f json".to_owned(),
                ..self.outcome(kind, RuleStatus::NotJudged, message.to_owned())
            });
        };
        let age = self
            .subject
            .now
            .duration_since(SystemTime::from(updated_at));
        // A database of the future is none that is old.
        let age = age.unwrap_or_default();
        let is_old = age > max;
        let status = if is_old {
            RuleStatus::Failed
        } else {
            RuleStatus::Passed
        };
        let message = format!(
            "the advisory database is {} old, {} allowed",
            hours(age),
            hours(max)
        );
        let advice = "run cleanbill db update, and scan again";
        Some(RuleOutcome {
            advice: if is_old {
                advice.to_owned()
            } else {
                String::new()
            },
            ..self.outcome(kind, status, message)
        })
    }

    fn incomplete(&self) -> Option<RuleOutcome> {
        if !self.is_strict {
            return None;
        }
        let allows = self.rules.incomplete == Tolerance::Allow;
        let fails = |image: &ImageReport| match image.status {
            AssessmentStatus::Complete => false,
            AssessmentStatus::Partial => !allows,
            AssessmentStatus::Failed => true,
        };
        let first = |image: &ImageReport| {
            let problem = image.problems.iter().find(|problem| problem.kind.is_gap());
            let problem = problem.or(image.problems.first());
            problem.map_or_else(String::new, |problem: &Problem| {
                format!(" ({})", problem.message)
            })
        };
        let kind = RuleKind::Incomplete;
        if self.subject.report.images.is_empty() {
            let message = "the report has no image".to_owned();
            return Some(self.outcome(kind, RuleStatus::Failed, message));
        }
        Some(match self.images(fails, first) {
            None if allows => {
                let message = "what could not be assessed is allowed".to_owned();
                self.outcome(kind, RuleStatus::Passed, message)
            }
            None => {
                let message = "every image was assessed completely".to_owned();
                self.outcome(kind, RuleStatus::Passed, message)
            }
            Some((hits, names)) => RuleOutcome {
                hits,
                advice: "see the problems in the report".to_owned(),
                ..self.outcome(
                    kind,
                    RuleStatus::Failed,
                    format!("not assessed completely: {names}"),
                )
            },
        })
    }

    /// Names the exceptions that hold only because nobody can tell that they do not: an outcome for
    /// each reason.
    fn exceptions(&self) -> Vec<RuleOutcome> {
        if !self.is_strict {
            return Vec::new();
        }
        let doubtful = self.subject.doubtful_exceptions;
        let outcome = |doubt: Doubt| {
            let names = doubtful.iter().filter(|one| one.doubt == doubt);
            let names: Vec<String> = names.map(|one| one.name.clone()).collect();
            let (why, advice) = match doubt {
                Doubt::KnownExploited => (
                    "the report was made without the KEV catalogue, which 'unless' asks for",
                    "run cleanbill db update --with kev, and scan again",
                ),
                Doubt::Epss => (
                    "the report was made without EPSS scores, which 'unless' asks for",
                    "run cleanbill db update --with epss, and scan again",
                ),
                Doubt::Hidden => (
                    "the report was saved without the findings of what has expired since",
                    "scan again, with --show-suppressed if the report is judged later",
                ),
            };
            let message = format!("exceptions cannot be judged: {why}: {}", listed(&names));
            (!names.is_empty()).then(|| RuleOutcome {
                advice: advice.to_owned(),
                ..self.outcome(RuleKind::Exceptions, RuleStatus::NotJudged, message)
            })
        };
        Doubt::ALL.into_iter().filter_map(outcome).collect()
    }

    /// Returns the images that fulfil a condition, with their names and what `more` says.
    fn images(
        &self,
        is_hit: impl Fn(&ImageReport) -> bool,
        more: impl Fn(&ImageReport) -> String,
    ) -> Option<(Vec<Hit>, String)> {
        let images = self.subject.report.images.iter().enumerate();
        let hits: Vec<(usize, &ImageReport)> = images.filter(|(_, image)| is_hit(image)).collect();
        let names = hits
            .iter()
            .map(|(_, image)| format!("{}{}", image.artifact_name, more(image)));
        let names: Vec<String> = names.collect();
        let hits: Vec<Hit> = hits.iter().map(|(number, _)| Hit::Image(*number)).collect();
        (!hits.is_empty()).then(|| (hits, listed(&names)))
    }

    fn plan(&self, outcomes: &[RuleOutcome]) -> Option<upgrade::UpgradePlan> {
        let demands: Vec<Demand<'_>> = outcomes
            .iter()
            .filter(|outcome| outcome.status == RuleStatus::Failed)
            .filter_map(|outcome| {
                let allowed = match outcome.kind {
                    RuleKind::Threshold(counted) => self.rules.thresholds.allowed(counted)?,
                    RuleKind::Epss => self.rules.epss?.allowed,
                    _ => return None,
                };
                Some(Demand {
                    rule: outcome.kind,
                    allowed,
                    hits: &outcome.hits,
                })
            })
            .collect();
        if demands.is_empty() {
            return None;
        }
        let denied = outcomes
            .iter()
            .filter(|outcome| outcome.kind == RuleKind::DeniedPackages)
            .flat_map(|outcome| &outcome.hits);
        let removed: HashSet<PackagePlace> = denied
            .filter_map(|hit| match hit {
                Hit::Package(place) => Some(*place),
                _ => None,
            })
            .collect();
        let narrows = self.rules.only_fixable || self.rules.only_new;
        Some(upgrade::plan(&PlanInput {
            report: self.subject.report,
            demands: &demands,
            removed: &removed,
            thresholds: &self.rules.thresholds,
            severities: self.rules.severities,
            trusts_base_advice: !narrows && !self.subject.has_later_exceptions,
        }))
    }

    fn notes(&self, known: Option<&Known>) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.subject.selection.is_empty() && self.is_strict {
            notes.push(format!(
                "the report was made with a filter ({}): what it left out was not judged",
                self.subject.selection
            ));
        }
        if let (true, Some(known)) = (self.rules.only_new, known) {
            let unknown = known.unknown_images(self.subject.report);
            if !unknown.is_empty() {
                let names: Vec<String> = unknown.into_iter().map(str::to_owned).collect();
                notes.push(format!(
                    "nothing is known of {} from before: all findings count as new",
                    listed(&names)
                ));
            }
            for (name, other) in known.stand_ins(self.subject.report) {
                notes.push(format!(
                    "{name} was compared with {other}, the only image that is known from before"
                ));
            }
        }
        notes
    }
}

/// Names at most five.
fn listed(names: &[String]) -> String {
    const NAMES_MAX: usize = 5;
    let shown = names.get(..NAMES_MAX.min(names.len())).unwrap_or_default();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn plural(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

fn hours(duration: Duration) -> String {
    format!("{} h", duration.as_secs() / 3600)
}
