//! What would have to be upgraded for the failed rules to pass.

use std::collections::HashSet;

use super::Judging;
use crate::gate::rules::RuleKind;
use crate::gate::verdict::{Hit, PackagePlace, RuleOutcome, RuleStatus};
use crate::upgrade::{self, Demand, PlanInput};

impl Judging<'_> {
    pub(super) fn plan(&self, outcomes: &[RuleOutcome]) -> Option<upgrade::UpgradePlan> {
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
}
