//! What is left of changes that were collected over a while.

use std::collections::BTreeMap;

use cleanbill_core::Severity;
use cleanbill_core::change::{Change, ChangeKind, FindingKey, KnownFinding};

/// Reduces changes, in the order in which they happened, to what is different in the end: what
/// came and went again in between is no news. The order is by image and finding. `passes` says
/// which severities are told of an image.
pub fn net(changes: &[Change], passes: &dyn Fn(&str, Severity) -> bool) -> Vec<Change> {
    let mut stories: BTreeMap<(&str, Option<&FindingKey>, bool), Vec<&Change>> = BTreeMap::new();
    for change in changes {
        let key = change.finding.as_ref().map(|finding| &finding.key);
        // That a baseline cannot be read is no part of the story of the assessment.
        let is_of_baseline = matches!(change.kind, ChangeKind::BaselineLost { .. });
        stories
            .entry((&change.image, key, is_of_baseline))
            .or_default()
            .push(change);
    }
    stories
        .into_iter()
        .flat_map(|((image, _, is_of_baseline), story)| match is_of_baseline {
            true => story
                .last()
                .map(|last| (*last).clone())
                .into_iter()
                .collect(),
            false => outcome(&story, &|severity| passes(image, severity)),
        })
        .collect()
}

/// Reduces the changes of one finding, or of one image's assessment.
fn outcome(story: &[&Change], passes: &dyn Fn(Severity) -> bool) -> Vec<Change> {
    let (Some(first), Some(last)) = (story.first(), story.last()) else {
        return Vec::new();
    };
    let was_visible = match &first.kind {
        ChangeKind::SeverityChanged { from } => passes(*from),
        _ => true,
    };
    let severity = last.finding.as_ref().map(|finding| finding.severity);
    let is_visible = severity.is_none_or(passes);
    match (was_there(&first.kind), is_there(&last.kind)) {
        (true, true) if last.finding.is_some() && (was_visible || is_visible) => {
            differences(story, last)
        }
        (false, true) if is_visible => last_of(story, |kind| !was_there(kind), last),
        (true, false) if was_visible => last_of(story, |kind| !is_there(kind), last),
        // An assessment that was regained and lost again is still lost, of which people know.
        _ => Vec::new(),
    }
}

/// Says whether there was something before the change: a finding, or an assessment that was lost.
fn was_there(kind: &ChangeKind) -> bool {
    !matches!(kind, ChangeKind::New | ChangeKind::AssessmentLost { .. })
}

/// Says whether there is something after the change that counts.
fn is_there(kind: &ChangeKind) -> bool {
    !matches!(
        kind,
        ChangeKind::Resolved | ChangeKind::Accepted | ChangeKind::AssessmentRegained
    )
}

/// Returns the last change of a sort, with the finding as it is in the end.
fn last_of(story: &[&Change], is_wanted: fn(&ChangeKind) -> bool, last: &Change) -> Vec<Change> {
    let decisive = story.iter().rev().find(|change| is_wanted(&change.kind));
    decisive
        .map(|change| Change {
            finding: last.finding.clone(),
            ..(*change).clone()
        })
        .into_iter()
        .collect()
}

/// Says what is different about a finding that was there before and is there in the end.
fn differences(story: &[&Change], last: &Change) -> Vec<Change> {
    let told = |change: &Change, kind: ChangeKind| Change {
        kind,
        finding: last.finding.clone(),
        ..change.clone()
    };
    let severity = last.finding.as_ref().map(|finding| finding.severity);
    let mut differences = Vec::new();
    let first_severity = story.iter().find_map(|change| severity_before(change));
    if let Some(from) = first_severity.filter(|from| Some(*from) != severity) {
        let change = story
            .iter()
            .rev()
            .find(|change| severity_before(change).is_some());
        let kind = ChangeKind::SeverityChanged { from };
        differences.extend(change.map(|change| told(change, kind)));
    }
    for kind in [ChangeKind::FixAvailable, ChangeKind::KnownExploited] {
        let change = story.iter().rev().find(|change| change.kind == kind);
        let holds = last
            .finding
            .as_ref()
            .is_some_and(|finding| still_holds(&kind, finding));
        differences.extend(change.filter(|_| holds).map(|change| told(change, kind)));
    }
    differences
}

/// Returns the severity before a change that says it: of the finding as it was when it went, or
/// before it was rated anew.
fn severity_before(change: &Change) -> Option<Severity> {
    match (&change.kind, &change.finding) {
        (ChangeKind::SeverityChanged { from }, _) => Some(*from),
        (ChangeKind::Resolved | ChangeKind::Accepted, Some(finding)) => Some(finding.severity),
        _ => None,
    }
}

fn still_holds(kind: &ChangeKind, finding: &KnownFinding) -> bool {
    match kind {
        ChangeKind::FixAvailable => !finding.fixed_version.is_empty(),
        _ => finding.is_known_exploited,
    }
}
