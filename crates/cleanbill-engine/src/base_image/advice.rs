//! Which other base would be better.
//!
//! Candidates are the images that the names of the base's repository mean now. Only those count
//! whose layers have all been read before: they are judged from the cache, and no layer is opened.

use std::collections::{BTreeMap, HashSet};

use cleanbill_core::base_image::{BaseAdvice, Origin, by_specificity};
use cleanbill_core::problem::{AssessmentStatus, ProblemKind};
use cleanbill_core::report::{ImageReport, ResultSet};
use cleanbill_core::vulnerability::Finding;
use cleanbill_core::{DiffId, ImageReference};

use super::{BaseImages, or_none};
use crate::scan::Scanner;

/// Bases that are recommended.
const ADVICE_MAX: usize = 2;

/// Candidates that are judged, the latest seen first. Each costs a few milliseconds.
const CANDIDATES_MAX: usize = 8;

/// An image that may be a better base.
struct Candidate {
    diff_ids: Vec<DiffId>,
    names: Vec<ImageReference>,
    seen_at: i64,
}

/// What a candidate would change.
struct Change {
    advice: BaseAdvice,
    seen_at: i64,
}

impl BaseImages<'_> {
    /// Recommends other bases of the same repository, if any would be better. `apply_policy` leaves
    /// of a report what counts, as it has left of `image`.
    pub fn advise(
        &self,
        scanner: &Scanner<'_>,
        image: &mut ImageReport,
        apply_policy: &mut dyn FnMut(&mut ImageReport),
    ) {
        // Another distribution than the image's own was asked for: it is not that of other images.
        if scanner.options().merge.distro.is_some() || image.origin_counts().base == 0 {
            return;
        }
        let diff_ids = image.diff_ids();
        let Some(base) = &image.base else { return };
        let count = base
            .layer_count
            .and_then(|count| usize::try_from(count).ok());
        let Some(below) = count.and_then(|count| diff_ids.get(..count)) else {
            return;
        };
        let mut candidates = self.candidates(&base.names, below);
        candidates.truncate(CANDIDATES_MAX);
        if candidates.is_empty() {
            return;
        }
        let Some(present) = scanner.judge_known_layers("base", below) else {
            return;
        };
        let changes = candidates.iter().filter_map(|candidate| {
            let name = candidate.name(&base.names);
            let judged = scanner.judge_known_layers(&name, &candidate.diff_ids)?;
            let advice = compare(image, &present, judged, apply_policy)?;
            Some(Change {
                advice: BaseAdvice { name, ..advice },
                seen_at: candidate.seen_at,
            })
        });
        let advice = best(changes.collect());
        if let Some(base) = &mut image.base {
            base.advice = advice;
        }
    }

    /// Lists what the names of the base's repositories mean now, without the base itself, the
    /// latest seen first.
    fn candidates(&self, names: &[String], base: &[DiffId]) -> Vec<Candidate> {
        let mut repositories: BTreeMap<String, ImageReference> = BTreeMap::new();
        for reference in names.iter().filter_map(|name| name.parse().ok()) {
            let reference: ImageReference = reference;
            repositories.insert(reference.context(), reference);
        }
        let mut candidates: Vec<Candidate> = Vec::new();
        for reference in repositories.values() {
            for known in or_none(self.cache.chains_of_repository(reference)) {
                let chain = known.chain;
                if chain.diff_ids == base {
                    continue;
                }
                match candidates
                    .iter_mut()
                    .find(|candidate| candidate.diff_ids == chain.diff_ids)
                {
                    Some(candidate) => candidate.names.push(chain.reference),
                    None => candidates.push(Candidate {
                        diff_ids: chain.diff_ids,
                        names: vec![chain.reference],
                        seen_at: known.seen_at,
                    }),
                }
            }
        }
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.seen_at));
        candidates
    }
}

impl Candidate {
    /// Returns the name to recommend: one that the base had, so that a build has to be repeated
    /// only, else the most specific.
    fn name(&self, base_names: &[String]) -> String {
        let mut names: Vec<&ImageReference> = self.names.iter().collect();
        names.sort_by(|a, b| {
            let is_new = |name: &&ImageReference| !base_names.contains(&name.familiar());
            let order = is_new(a).cmp(&is_new(b));
            order.then_with(|| by_specificity(a, b))
        });
        names
            .first()
            .map(|name| name.familiar())
            .unwrap_or_default()
    }
}

/// Says what another base would change; `None` if it would not be better, or nobody can tell.
fn compare(
    image: &ImageReport,
    present: &ImageReport,
    mut candidate: ImageReport,
    apply_policy: &mut dyn FnMut(&mut ImageReport),
) -> Option<BaseAdvice> {
    if !is_comparable(&candidate, present) {
        return None;
    }
    let stays: HashSet<_> = candidate.findings().map(identity).map(owned).collect();
    let was_there: HashSet<_> = present.findings().map(identity).collect();
    apply_policy(&mut candidate);
    let advice = BaseAdvice {
        name: String::new(),
        removed: image
            .findings()
            .filter(|finding| finding.origin == Some(Origin::Base))
            .filter(|finding| !stays.contains(&owned(identity(finding))))
            .map(|finding| finding.severity)
            .collect(),
        added: candidate
            .findings()
            .filter(|finding| !was_there.contains(&identity(finding)))
            .map(|finding| finding.severity)
            .collect(),
    };
    (advice.removed.weight() > advice.added.weight()).then_some(advice)
}

/// Says whether fewer findings mean fewer vulnerabilities: everything was assessed, and with no
/// reservation that the present base does not have too.
fn is_comparable(candidate: &ImageReport, present: &ImageReport) -> bool {
    let packages: u64 = candidate.results.iter().map(ResultSet::package_count).sum();
    let kinds: HashSet<ProblemKind> = present
        .problems
        .iter()
        .map(|problem| problem.kind)
        .collect();
    candidate.status == AssessmentStatus::Complete
        && !candidate.is_end_of_life
        && packages > 0
        && candidate
            .problems
            .iter()
            .all(|problem| kinds.contains(&problem.kind))
}

/// Identifies a finding across images: neither its path nor its version says that it is another.
fn identity(finding: &Finding) -> (&str, &str) {
    (&finding.vulnerability_id, &finding.package_name)
}

fn owned((id, package): (&str, &str)) -> (String, String) {
    (id.to_owned(), package.to_owned())
}

/// Chooses the best: those that remove most, what they add taken off; of equal ones those that add
/// least, then the latest seen.
fn best(mut changes: Vec<Change>) -> Vec<BaseAdvice> {
    let rank = |change: &Change| {
        let advice = &change.advice;
        let net = advice.removed.weight() - advice.added.weight();
        (net, std::cmp::Reverse(advice.added.total()), change.seen_at)
    };
    changes.sort_by(|a, b| {
        let order = rank(b).cmp(&rank(a));
        order.then_with(|| a.advice.name.cmp(&b.advice.name))
    });
    let advice = changes.into_iter().map(|change| change.advice);
    advice.take(ADVICE_MAX).collect()
}
