//! Rules about the state of images and of the advisory database.

use std::time::{Duration, SystemTime};

use cleanbill_core::problem::{AssessmentStatus, Problem};
use cleanbill_core::report::ImageReport;

use super::{Judging, listed};
use crate::gate::rules::{RuleKind, Tolerance};
use crate::gate::verdict::{Hit, RuleOutcome, RuleStatus};

impl Judging<'_> {
    pub(super) fn end_of_life(&self) -> Option<RuleOutcome> {
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

    pub(super) fn database_age(&self) -> Option<RuleOutcome> {
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

    pub(super) fn incomplete(&self) -> Option<RuleOutcome> {
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
}

fn hours(duration: Duration) -> String {
    format!("{} h", duration.as_secs() / 3600)
}
