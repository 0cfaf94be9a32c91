//! Changes by vulnerability, most urgent first.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::Severity;
use cleanbill_core::change::{Change, ChangeKind, KnownFinding};
use cleanbill_core::severity::FixStatus;

use super::super::message::{Happening, Hit, VulnerabilityGroup};
use super::cause::because;
use super::{Cycle, ImageFacts, by_name, cap};

/// Groups the changes of findings. The order: what needs somebody before what is gone, then known
/// exploitation, severity, likelihood of exploitation, number of images, id.
pub(super) fn groups(cycle: &Cycle<'_>) -> Vec<VulnerabilityGroup> {
    let facts = by_name(cycle.images);
    let mut by_id: BTreeMap<&str, Vec<(&Change, &KnownFinding)>> = BTreeMap::new();
    for change in cycle.changes {
        if let Some(finding) = &change.finding {
            let id = finding.key.vulnerability_id.as_str();
            by_id.entry(id).or_default().push((change, finding));
        }
    }
    let mut groups: Vec<VulnerabilityGroup> = by_id
        .into_iter()
        .map(|(id, changes)| group(id, &changes, &facts, cycle.settings.hits_max))
        .collect();
    groups.sort_by(by_urgency);
    groups
}

/// Orders groups as messages do.
pub(in crate::notify) fn by_urgency(a: &VulnerabilityGroup, b: &VulnerabilityGroup) -> Ordering {
    let key = |group: &VulnerabilityGroup| {
        (
            group.is_settled(),
            Reverse(group.is_known_exploited),
            Reverse(group.severity),
        )
    };
    key(a)
        .cmp(&key(b))
        .then_with(|| epss(b).total_cmp(&epss(a)))
        .then_with(|| b.images.cmp(&a.images))
        .then_with(|| a.id.cmp(&b.id))
}

fn epss(group: &VulnerabilityGroup) -> f64 {
    group.epss_score.unwrap_or(-1.0)
}

fn group(
    id: &str,
    changes: &[(&Change, &KnownFinding)],
    facts: &BTreeMap<&str, &ImageFacts>,
    hits_max: usize,
) -> VulnerabilityGroup {
    let findings = || changes.iter().map(|(_, finding)| *finding);
    let first_text = |text: fn(&KnownFinding) -> &String| {
        findings()
            .map(text)
            .find(|text| !text.is_empty())
            .cloned()
            .unwrap_or_default()
    };
    let images: BTreeSet<&str> = changes
        .iter()
        .map(|(change, _)| change.image.as_str())
        .collect();
    let mut hits: Vec<Hit> = changes
        .iter()
        .filter_map(|(change, finding)| hit(change, finding, facts))
        .collect();
    let happenings: BTreeSet<Happening> = hits.iter().map(|hit| hit.happening).collect();
    // Stable: several changes of one finding stay in the order in which they happened.
    hits.sort_by(|a, b| (&a.image, &a.package, &a.path).cmp(&(&b.image, &b.package, &b.path)));
    let (hits, hits_left_out) = cap(hits, hits_max);
    VulnerabilityGroup {
        id: id.to_owned(),
        severity: worst(changes),
        title: first_text(|finding| &finding.title),
        url: first_text(|finding| &finding.primary_url),
        is_known_exploited: findings().any(|finding| finding.is_known_exploited),
        epss_score: findings()
            .filter_map(|finding| finding.epss_score)
            .max_by(f64::total_cmp),
        happenings: happenings.into_iter().collect(),
        images: images.len() as u64,
        hits,
        hits_left_out,
    }
}

/// Returns how bad the worst is that still counts; where nothing does, how bad it was. What was
/// worse and is gone must not make the others look so.
fn worst(changes: &[(&Change, &KnownFinding)]) -> Severity {
    let severity = |(_, finding): &(&Change, &KnownFinding)| finding.severity;
    let is_settled =
        |kind: &ChangeKind| matches!(kind, ChangeKind::Resolved | ChangeKind::Accepted);
    let open = changes
        .iter()
        .filter(|(change, _)| !is_settled(&change.kind));
    open.map(severity)
        .max()
        .or_else(|| changes.iter().map(severity).max())
        .unwrap_or(Severity::Unknown)
}

fn hit(
    change: &Change,
    finding: &KnownFinding,
    facts: &BTreeMap<&str, &ImageFacts>,
) -> Option<Hit> {
    let mut severity_before = String::new();
    let happening = match change.kind {
        ChangeKind::New => Happening::New,
        ChangeKind::Resolved => Happening::Resolved,
        ChangeKind::Accepted => Happening::Accepted,
        ChangeKind::SeverityChanged { from } => {
            severity_before = from.name().to_owned();
            Happening::SeverityChanged
        }
        ChangeKind::FixAvailable => Happening::FixAvailable,
        ChangeKind::KnownExploited => Happening::KnownExploited,
        ChangeKind::AssessmentLost { .. }
        | ChangeKind::AssessmentRegained
        | ChangeKind::BaselineLost { .. } => return None,
    };
    let containers = facts.get(change.image.as_str());
    Some(Hit {
        image: change.image.clone(),
        containers: containers.map_or_else(Vec::new, |facts| facts.containers.clone()),
        happening,
        severity: finding.severity,
        severity_before,
        package: finding.key.package_name.clone(),
        path: finding.key.package_path.clone(),
        installed_version: finding.installed_version.clone(),
        fixed_version: finding.fixed_version.clone(),
        fix_status: fix_status(finding),
        cause: change.cause.name().to_owned(),
        because: because(change, finding),
        layer: finding
            .layer
            .map(|layer| layer.diff_id.to_string())
            .unwrap_or_default(),
        created_by: finding.created_by.clone(),
        // Of what only a baseline names there is nothing to explain.
        command: match finding.key.package_name.is_empty() {
            true => String::new(),
            false => command(&finding.key.vulnerability_id, &change.image),
        },
    })
}

/// Says what the supplier means to do, where there is no fix.
fn fix_status(finding: &KnownFinding) -> String {
    if !finding.fixed_version.is_empty() {
        return String::new();
    }
    fix_words(finding.fix_status).to_owned()
}

pub(in crate::notify) fn fix_words(status: FixStatus) -> &'static str {
    match status {
        FixStatus::Unknown | FixStatus::Fixed => "",
        FixStatus::NotAffected => "not affected",
        FixStatus::Affected => "no fix yet",
        FixStatus::UnderInvestigation => "under investigation",
        FixStatus::WillNotFix => "will not be fixed",
        FixStatus::FixDeferred => "fix deferred",
        FixStatus::EndOfLife => "end of life",
    }
}

/// Returns the command that explains a finding. It is made to be pasted into a shell, and both
/// words may come from an attacker.
pub(in crate::notify) fn command(id: &str, image: &str) -> String {
    format!("cleanbill explain {} {}", quoted(id), quoted(image))
}

/// Adds to the commands of hits where the advisory database lies.
pub(super) fn name_database(groups: &mut [VulnerabilityGroup], database: &str) {
    if database.is_empty() {
        return;
    }
    let database = quoted(database);
    let hits = groups.iter_mut().flat_map(|group| &mut group.hits);
    for hit in hits.filter(|hit| !hit.command.is_empty()) {
        hit.command.push_str(&format!(" --db-path {database}"));
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "._/:@-+".contains(char);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::samples::{change, finding, image_changed};

    #[test]
    fn what_is_gone_does_not_make_the_rest_look_worse() {
        let made = |kind, severity| {
            let finding = finding("CVE-2026-1", severity, "openssl");
            change("a:1", kind, image_changed(), finding)
        };
        let gone = made(ChangeKind::Resolved, Severity::Critical);
        let from = Severity::Critical;
        let rated = made(ChangeKind::SeverityChanged { from }, Severity::Medium);
        let [gone, rated] =
            [&gone, &rated].map(|change| (change, change.finding.as_ref().unwrap()));
        assert_eq!(worst(&[gone]), Severity::Critical);
        assert_eq!(worst(&[gone, rated]), Severity::Medium);
    }
}
