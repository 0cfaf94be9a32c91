//! Rules about numbers of findings: thresholds, and EPSS scores.

use cleanbill_core::Severity;
use cleanbill_core::report::DatabaseInfo;
use cleanbill_core::vulnerability::Finding;

use super::Judging;
use crate::gate::rules::RuleKind;
use crate::gate::verdict::{Hit, RuleOutcome, RuleStatus};
use crate::threshold::Counted;

impl Judging<'_> {
    pub(super) fn threshold(&self, counted: Counted) -> Option<RuleOutcome> {
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

    pub(super) fn epss(&self) -> Option<RuleOutcome> {
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
        cleanbill_core::count(count, &format!("{adjectives}finding"))
    }

    fn hits(&self, is_hit: impl Fn(&Finding) -> bool) -> Vec<Hit> {
        let hits = self.counted.iter().filter(|one| is_hit(one.finding));
        hits.map(|one| Hit::Finding(one.place)).collect()
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
    fn has_list(&self, name: impl Fn(&DatabaseInfo) -> &String) -> bool {
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
}
