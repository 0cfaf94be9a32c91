//! The smallest change that would make a gate pass: packages to upgrade, or another base image.
//!
//! Findings are put into groups that one upgrade mends together: those of one package, in one
//! version, of one image, and for packages that are built from the same source, of that source.
//! Each rule that failed demands that so many of its findings go. Where a rule allows none, every
//! group that it hits is needed; where it allows some, the fewest groups are searched for
//! ([`cover`]).

mod cover;
mod groups;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

use cleanbill_core::Severity;
use cleanbill_core::base_image::{BaseAdvice, Origin};
use cleanbill_core::report::{ScanReport, SeverityCounts};

use crate::delta::SeverityFilter;
use crate::gate::{FindingPlace, Hit, PackagePlace, RuleKind};
use crate::threshold::{Counted, Thresholds};
use cover::Cover;
use groups::Groups;

/// Says what would make a gate pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpgradePlan {
    /// The packages to upgrade; together with what is removed because it is denied they are all
    /// that is needed, unless something is left.
    pub upgrades: Vec<Upgrade>,
    /// No fewer upgrades would do. Otherwise a smaller set may exist that was not found.
    pub is_smallest: bool,
    /// What would still fail after every upgrade there is.
    pub left: Vec<Shortfall>,
    /// Another base image that does it too, alone or with fewer upgrades.
    pub base: Option<BaseUpgrade>,
}

/// Is a package to upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upgrade {
    /// The number of the image in the report.
    pub image: usize,
    /// The family or the language type.
    pub kind: String,
    /// The source package or the package.
    pub name: String,
    /// The packages that are upgraded together.
    pub packages: BTreeSet<String>,
    /// The version that is installed.
    pub installed: String,
    /// The lowest version that mends what counts.
    pub fixed: String,
    /// The findings that it mends, of those that count.
    pub findings: u64,
    /// The worst of them.
    pub severity: Severity,
}

/// Says of a rule how far upgrades cannot mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// The rule.
    pub rule: RuleKind,
    /// Findings that are left beyond what is allowed: they have no fix.
    pub too_many: u64,
}

/// Is another base image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseUpgrade {
    /// The number of the image in the report.
    pub image: usize,
    /// The base to build on.
    pub name: String,
    /// Findings that go with the old one.
    pub removed: SeverityCounts,
    /// Findings that come with the new one.
    pub added: SeverityCounts,
    /// The packages of the image's own layers that have to be upgraded besides.
    pub upgrades: Vec<Upgrade>,
}

/// Is a rule that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand<'a> {
    pub(crate) rule: RuleKind,
    pub(crate) allowed: u64,
    pub(crate) hits: &'a [Hit],
}

/// Is what a plan is made from.
pub(crate) struct PlanInput<'a> {
    pub(crate) report: &'a ScanReport,
    /// The rules that failed.
    pub(crate) demands: &'a [Demand<'a>],
    /// Packages that go anyway.
    pub(crate) removed: &'a HashSet<PackagePlace>,
    /// Every threshold: another base must keep those too that did not fail.
    pub(crate) thresholds: &'a Thresholds,
    pub(crate) severities: SeverityFilter,
    /// What reports say of better bases was counted as the rules count.
    pub(crate) trusts_base_advice: bool,
}

/// Finds what would make the rules pass that failed.
pub(crate) fn plan(input: &PlanInput<'_>) -> UpgradePlan {
    let removed = groups::removed_findings(input.report, input.removed);
    let places = |demand: &Demand<'_>| -> Vec<FindingPlace> {
        let findings = demand.hits.iter().filter_map(|hit| match hit {
            Hit::Finding(place) if !removed.contains(place) => Some(*place),
            _ => None,
        });
        findings.collect()
    };
    let demands: Vec<(Demand<'_>, Vec<FindingPlace>)> = input
        .demands
        .iter()
        .map(|demand| (*demand, places(demand)))
        .collect();
    let groups = Groups::of(input.report, demands.iter().flat_map(|(_, places)| places));
    let needs: Vec<u64> = demands
        .iter()
        .map(|(demand, places)| (places.len() as u64).saturating_sub(demand.allowed))
        .collect();
    let all = (0..groups.len()).collect();
    let (cover, left) = solve(&groups, &demands, &needs, all);
    let left = left.into_iter().zip(&demands).filter(|(more, _)| *more > 0);
    let mut plan = UpgradePlan {
        upgrades: groups.upgrades(input.report, &cover.chosen),
        is_smallest: cover.is_smallest,
        left: left
            .map(|(too_many, (demand, _))| Shortfall {
                rule: demand.rule,
                too_many,
            })
            .collect(),
        base: None,
    };
    let is_simple = input.trusts_base_advice && input.removed.is_empty();
    if is_simple && let [image] = input.report.images.as_slice() {
        let advice = image.base.iter().flat_map(|base| &base.advice);
        let bases = advice.filter_map(|advice| base(input, &groups, &demands, advice));
        plan.base = bases
            .min_by_key(|base| base.upgrades.len())
            .filter(|base| !plan.left.is_empty() || base.upgrades.len() < plan.upgrades.len());
    }
    plan
}

/// Chooses among some groups, and says by how much each need cannot be met.
fn solve(
    groups: &Groups<'_>,
    demands: &[(Demand<'_>, Vec<FindingPlace>)],
    needs: &[u64],
    candidates: Vec<usize>,
) -> (Cover, Vec<u64>) {
    let places: Vec<&[FindingPlace]> = demands
        .iter()
        .map(|(_, places)| places.as_slice())
        .collect();
    let weights = groups.weights(&places);
    let reachable: Vec<u64> = (0..needs.len())
        .map(|demand| {
            let weights = candidates
                .iter()
                .filter_map(|group| weights.get(*group)?.get(demand));
            weights.sum()
        })
        .collect();
    let capped: Vec<u64> = needs
        .iter()
        .zip(&reachable)
        .map(|(a, b)| *a.min(b))
        .collect();
    let left = needs.iter().zip(&capped).map(|(a, b)| a - b).collect();
    (cover::cover(&weights, &capped, candidates), left)
}

/// Says what another base would do: the counts that its advice names, and upgrades of packages of
/// the own layers for what is left. `None` if that is not enough, or not known.
fn base(
    input: &PlanInput<'_>,
    groups: &Groups<'_>,
    demands: &[(Demand<'_>, Vec<FindingPlace>)],
    advice: &BaseAdvice,
) -> Option<BaseUpgrade> {
    let image = input.report.images.first()?;
    let before = image.severity_counts();
    let after = |severity: Severity| {
        let kept = before
            .get(severity)
            .checked_sub(advice.removed.get(severity));
        kept.map(|kept| kept.saturating_add(advice.added.get(severity)))
    };
    let count = |counted: Counted| match counted {
        Counted::Severity(severity) => after(severity),
        Counted::Total => {
            let counting = Severity::ALL.into_iter();
            let counting = counting.filter(|severity| input.severities.passes(*severity));
            counting.map(after).sum()
        }
        Counted::KnownExploited => None,
    };
    // Rules that passed must still do.
    for counted in Thresholds::COUNTED {
        let failed = |(demand, _): &(Demand<'_>, _)| demand.rule == RuleKind::Threshold(counted);
        if demands.iter().any(failed) {
            continue;
        }
        let passes =
            counted == Counted::KnownExploited && input.thresholds.allowed(counted).is_none();
        let allowed = input.thresholds.allowed(counted);
        if !passes && allowed.is_some_and(|allowed| count(counted).is_none_or(|now| now > allowed))
        {
            return None;
        }
    }
    let needs: Option<Vec<u64>> = demands
        .iter()
        .map(|(demand, _)| match demand.rule {
            RuleKind::Threshold(counted) => Some(count(counted)?.saturating_sub(demand.allowed)),
            _ => None,
        })
        .collect();
    let own: Vec<usize> = (0..groups.len())
        .filter(|group| groups.origin(*group) == Some(Origin::Own))
        .collect();
    let (cover, left) = solve(groups, demands, &needs?, own);
    left.iter().all(|more| *more == 0).then(|| BaseUpgrade {
        image: 0,
        name: advice.name.clone(),
        removed: advice.removed,
        added: advice.added,
        upgrades: groups.upgrades(input.report, &cover.chosen),
    })
}
