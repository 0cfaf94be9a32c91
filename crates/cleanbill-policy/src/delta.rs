//! Deltas: what changed between two looks at an image, and why.
//!
//! A pure function of two states. The rules:
//!
//! - A look that could not assess the image completely resolves nothing: what is not found there
//!   may not have been looked for. What it does find counts.
//! - A package that is still there in the same version did not change; so its finding came or
//!   went with the advisories, an exception or the rules. Everything else came with the image.
//! - Only the catalogue of exploited vulnerabilities says that one is exploited, whatever else is
//!   different.
//! - A finding that an exception covers is not gone: it is accepted, and never told as resolved.
//! - What another filter lets through is new, because of the rules; what it holds back is not
//!   resolved, and nothing is told of it.
//! - Only what passes the filter is told. A finding that falls below it is not resolved: its
//!   severity changed.

mod net;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use cleanbill_core::Severity;
use cleanbill_core::change::{
    Cause, Change, ChangeKind, FindingKey, ImageState, KnownFinding, KnownPackage,
};
use cleanbill_core::problem::AssessmentStatus;

pub use net::net;

/// Says which findings are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeverityFilter([bool; 5]);

impl SeverityFilter {
    /// Lets every severity through.
    pub const ALL: Self = Self([true; 5]);

    /// Says whether findings of the severity pass.
    pub fn passes(self, severity: Severity) -> bool {
        self.0
            .get(usize::from(severity.number()))
            .copied()
            .unwrap_or(false)
    }
}

impl FromIterator<Severity> for SeverityFilter {
    fn from_iter<I: IntoIterator<Item = Severity>>(severities: I) -> Self {
        let mut passes = [false; 5];
        for severity in severities {
            if let Some(entry) = passes.get_mut(usize::from(severity.number())) {
                *entry = true;
            }
        }
        Self(passes)
    }
}

/// Compares two looks at an image. Without an earlier one everything that passes the filter is
/// new. The changes are in the order of their findings.
pub fn delta(
    before: Option<&ImageState>,
    after: &ImageState,
    filter: SeverityFilter,
) -> Vec<Change> {
    delta_between_filters(before, filter, after, filter)
}

/// Compares as [`delta`] does, where the filter of the earlier look may have been another one.
pub fn delta_between_filters(
    before: Option<&ImageState>,
    filter_before: SeverityFilter,
    after: &ImageState,
    filter: SeverityFilter,
) -> Vec<Change> {
    let empty = ImageState::default();
    let comparison = Comparison {
        before: before.unwrap_or(&empty),
        after,
        is_first: before.is_none(),
        filter_before,
        filter,
    };
    comparison.changes()
}

/// Compares a look with a baseline: the ids that were accepted, seen through the filter of their
/// time. Whatever passes the filter and is not among them is new; an id that is nowhere among the
/// findings is resolved, if all could be read. One that is still found below the filter is not.
///
/// A baseline knows ids only: what it says is resolved has no package.
pub fn delta_to_baseline(
    accepted: &BTreeSet<String>,
    after: &ImageState,
    filter: SeverityFilter,
) -> Vec<Change> {
    let is_accepted = |finding: &KnownFinding| accepted.contains(&finding.key.vulnerability_id);
    let mut changes: Vec<Change> = delta(None, after, filter)
        .into_iter()
        .filter(|change| !change.finding.as_ref().is_some_and(is_accepted))
        .collect();
    if after.status == AssessmentStatus::Complete {
        let found: BTreeSet<&str> = after
            .findings
            .iter()
            .map(|finding| finding.key.vulnerability_id.as_str())
            .collect();
        let gone = accepted.iter().filter(|id| !found.contains(id.as_str()));
        changes.extend(gone.map(|id| Change {
            image: after.name.clone(),
            kind: ChangeKind::Resolved,
            cause: Cause::FirstSeen,
            finding: Some(KnownFinding {
                key: FindingKey {
                    vulnerability_id: id.clone(),
                    ..FindingKey::default()
                },
                ..KnownFinding::default()
            }),
        }));
    }
    changes
}

/// Returns what to remember after a look: what it found, and where it could not look, what was
/// known before. The next look is compared with that, so a finding that was out of sight for a
/// while is neither resolved nor new again.
pub fn remember(before: Option<ImageState>, after: ImageState) -> ImageState {
    match (before, after.status) {
        (None, _) | (_, AssessmentStatus::Complete) => after,
        (Some(before), AssessmentStatus::Failed) => ImageState {
            status: after.status,
            reason: after.reason,
            ..before
        },
        (Some(before), AssessmentStatus::Partial) => ImageState {
            findings: pairs(&before.findings, &after.findings)
                .into_iter()
                .filter_map(|(before, after)| after.or(before).cloned())
                .collect(),
            ..after
        },
    }
}

struct Comparison<'a> {
    before: &'a ImageState,
    after: &'a ImageState,
    is_first: bool,
    filter_before: SeverityFilter,
    filter: SeverityFilter,
}

impl Comparison<'_> {
    fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = self.assessment().into_iter().collect();
        // A look that failed found nothing because it saw nothing.
        if self.after.status == AssessmentStatus::Failed {
            return changes;
        }
        let kept = self.kept_packages();
        for (before, after) in pairs(&self.before.findings, &self.after.findings) {
            let kinds = self.kinds(before, after);
            let Some(finding) = after.or(before) else {
                continue;
            };
            changes.extend(kinds.into_iter().map(|kind| Change {
                image: self.after.name.clone(),
                cause: self.cause(&kind, before, after, &kept),
                kind,
                finding: Some(finding.clone()),
            }));
        }
        changes
    }

    /// Tells whether the image could be assessed before and now.
    fn assessment(&self) -> Option<Change> {
        let was_complete = self.before.status == AssessmentStatus::Complete;
        let is_complete = self.after.status == AssessmentStatus::Complete;
        let kind = match (was_complete || self.is_first, is_complete) {
            (true, false) => ChangeKind::AssessmentLost {
                status: self.after.status,
                reason: self.after.reason.clone(),
            },
            (false, true) => ChangeKind::AssessmentRegained,
            _ => return None,
        };
        Some(Change {
            image: self.after.name.clone(),
            kind,
            cause: if self.is_first {
                Cause::FirstSeen
            } else {
                Cause::Assessment
            },
            finding: None,
        })
    }

    /// Says what happened to one finding; nothing in most cases.
    fn kinds(
        &self,
        before: Option<&KnownFinding>,
        after: Option<&KnownFinding>,
    ) -> Vec<ChangeKind> {
        let before = before.filter(|finding| finding.counts());
        let counted = after.filter(|finding| finding.counts());
        match (before, counted) {
            (None, Some(after)) => self
                .filter
                .passes(after.severity)
                .then_some(ChangeKind::New)
                .into_iter()
                .collect(),
            (Some(before), None) if self.is_settled(before, after) => vec![match after {
                Some(_) => ChangeKind::Accepted,
                None => ChangeKind::Resolved,
            }],
            // What is out of sight is remembered, and the next look knows the new filter only.
            (Some(before), None) if after.is_none() && self.is_let_through(before) => {
                vec![ChangeKind::New]
            }
            (Some(_), None) => Vec::new(),
            (Some(before), Some(after)) => self.differences(before, after),
            (None, None) => Vec::new(),
        }
    }

    /// Says whether a finding that counted and does not any more is settled. One that an exception
    /// covers now is: somebody decided so. One that is not found is, if all was read.
    fn is_settled(&self, before: &KnownFinding, after: Option<&KnownFinding>) -> bool {
        let is_certain = after.is_some() || self.after.status == AssessmentStatus::Complete;
        is_certain
            && self.filter_before.passes(before.severity)
            && self.filter.passes(before.severity)
    }

    /// Says whether only another filter makes a finding one to tell of that may still be there.
    fn is_let_through(&self, finding: &KnownFinding) -> bool {
        self.after.status != AssessmentStatus::Complete
            && !self.filter_before.passes(finding.severity)
            && self.filter.passes(finding.severity)
    }

    fn differences(&self, before: &KnownFinding, after: &KnownFinding) -> Vec<ChangeKind> {
        let passed = self.filter_before.passes(before.severity);
        let passes = self.filter.passes(after.severity);
        if !passed && !passes {
            return Vec::new();
        }
        if !passed && before.severity == after.severity {
            return vec![ChangeKind::New];
        }
        let mut kinds = Vec::new();
        if before.severity != after.severity {
            kinds.push(ChangeKind::SeverityChanged {
                from: before.severity,
            });
        }
        if passes && before.fixed_version.is_empty() && !after.fixed_version.is_empty() {
            kinds.push(ChangeKind::FixAvailable);
        }
        if passes && !before.is_known_exploited && after.is_known_exploited {
            kinds.push(ChangeKind::KnownExploited);
        }
        kinds
    }

    fn cause(
        &self,
        kind: &ChangeKind,
        before: Option<&KnownFinding>,
        after: Option<&KnownFinding>,
        kept: &BTreeSet<&KnownPackage>,
    ) -> Cause {
        // An image that never could be judged has not been seen.
        if self.is_first || self.before.database_updated_at.is_empty() {
            return Cause::FirstSeen;
        }
        if let (ChangeKind::KnownExploited, Some(after)) = (kind, after) {
            return Cause::CatalogueChanged {
                since: after.known_exploited_since.clone(),
            };
        }
        if let Some(cause) = exception_that_changed(before, after) {
            return cause;
        }
        if *kind == ChangeKind::New && before.is_some() {
            return Cause::RulesChanged;
        }
        let is_about_the_package = matches!(kind, ChangeKind::New | ChangeKind::Resolved);
        let same_package = [before, after]
            .into_iter()
            .flatten()
            .all(|finding| kept.contains(&package_of(finding)));
        if is_about_the_package && !same_package && self.before.image_id != self.after.image_id {
            return Cause::ImageChanged {
                from: self.before.image_id,
                to: self.after.image_id,
            };
        }
        if self.before.database_updated_at != self.after.database_updated_at {
            return Cause::AdvisoryChanged {
                from: self.before.database_updated_at.clone(),
                to: self.after.database_updated_at.clone(),
            };
        }
        if self.before.image_id != self.after.image_id {
            return Cause::ImageChanged {
                from: self.before.image_id,
                to: self.after.image_id,
            };
        }
        if self.before.status != self.after.status {
            return Cause::Assessment;
        }
        Cause::RulesChanged
    }

    /// Returns the packages that are in both images in the same version.
    fn kept_packages(&self) -> BTreeSet<&KnownPackage> {
        let before: BTreeSet<&KnownPackage> = self.before.packages.iter().collect();
        self.after
            .packages
            .iter()
            .filter(|package| before.contains(package))
            .collect()
    }
}

fn package_of(finding: &KnownFinding) -> KnownPackage {
    KnownPackage {
        kind: finding.key.kind.clone(),
        name: finding.key.package_name.clone(),
        path: finding.key.package_path.clone(),
        version: finding.installed_version.clone(),
    }
}

fn exception_that_changed(
    before: Option<&KnownFinding>,
    after: Option<&KnownFinding>,
) -> Option<Cause> {
    match (before, after) {
        (Some(before), Some(after)) if before.counts() != after.counts() => {
            let (covered, lapsed) = match before.counts() {
                true => (&after.covered_by, ""),
                false => (&before.covered_by, after.lapsed_exception.as_str()),
            };
            Some(match lapsed {
                "" => Cause::ExceptionChanged {
                    exception: covered.clone(),
                },
                lapsed => Cause::ExceptionExpired {
                    exception: lapsed.to_owned(),
                },
            })
        }
        _ => None,
    }
}

/// Pairs the findings of two sorted lists by key.
fn pairs<'a>(
    before: &'a [KnownFinding],
    after: &'a [KnownFinding],
) -> Vec<(Option<&'a KnownFinding>, Option<&'a KnownFinding>)> {
    let mut before = before.iter().peekable();
    let mut after = after.iter().peekable();
    let mut pairs = Vec::new();
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return pairs,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => key(before).cmp(key(after)),
        };
        pairs.push(match order {
            Ordering::Less => (before.next(), None),
            Ordering::Greater => (None, after.next()),
            Ordering::Equal => (before.next(), after.next()),
        });
    }
}

fn key(finding: &KnownFinding) -> &FindingKey {
    &finding.key
}

#[cfg(test)]
mod tests;
