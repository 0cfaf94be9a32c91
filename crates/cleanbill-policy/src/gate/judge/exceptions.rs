//! The rule about exceptions that hold only because nobody can tell that they do not.

use super::{Judging, listed};
use crate::exceptions::Doubt;
use crate::gate::rules::RuleKind;
use crate::gate::verdict::{RuleOutcome, RuleStatus};

impl Judging<'_> {
    /// Names the exceptions that hold only because nobody can tell that they do not: an outcome for
    /// each reason.
    pub(super) fn exceptions(&self) -> Vec<RuleOutcome> {
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
}
