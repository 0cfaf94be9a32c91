//! Makes a message of what changed: pure functions of values that the store keeps.

mod cause;
mod group;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::change::{Change, ChangeKind};
use cleanbill_core::problem::AssessmentStatus;
use jiff::Timestamp;

pub use cause::because;
pub(super) use group::{by_urgency, command, fix_words};

use super::message::{Counts, Failure, ImageLine, Notification, NotificationKind, Totals};
use super::words;

/// Says how messages are composed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposeSettings {
    /// How this host calls itself.
    pub host: String,
    /// Goes in front of the subject of mails.
    pub subject_prefix: String,
    /// Where the full report is: a path or an address; empty if there is none.
    pub report: String,
    /// Where the advisory database lies, for the commands that a message gives; empty if it lies
    /// where they look.
    pub database: String,
    /// Vulnerabilities that a message names; it counts the rest.
    pub vulnerabilities_max: usize,
    /// Hits that it names for each vulnerability; it counts the rest.
    pub hits_max: usize,
    /// Changed images, and as many images that could not be assessed, that it names.
    pub images_max: usize,
}

impl Default for ComposeSettings {
    /// What a person reads at one sitting; everything is in the report.
    fn default() -> Self {
        Self {
            host: String::new(),
            subject_prefix: "[Image Scanner]".to_owned(),
            report: String::new(),
            database: String::new(),
            vulnerabilities_max: 50,
            hits_max: 20,
            images_max: 100,
        }
    }
}

/// Holds what is known of an image beside its changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// The image's name.
    pub name: String,
    /// How far it could be assessed.
    pub status: AssessmentStatus,
    /// Why not completely; empty if it was.
    pub reason: String,
    /// What is found in it, within the filter in force.
    pub counts: Counts,
    /// The names of the containers that run it.
    pub containers: Vec<String>,
    /// The labels of those containers and of the image; a name may occur several times.
    pub labels: Vec<(String, String)>,
    /// Where its log is; empty if there is none.
    pub log_path: String,
}

/// Holds what one look at some images brought, for one channel.
#[derive(Clone, Copy, Debug)]
pub struct Cycle<'a> {
    /// Identifies the message.
    pub id: &'a str,
    /// When it is composed.
    pub time: Timestamp,
    /// From when on changes were collected, where it is a digest.
    pub since: Option<Timestamp>,
    /// What changed, in the order in which it happened.
    pub changes: &'a [Change],
    /// The images that were looked at.
    pub images: &'a [ImageFacts],
    /// When the advisory database was built.
    pub database_updated_at: Option<Timestamp>,
    /// The ids of the messages that announced what these changes follow up, oldest first.
    pub references: &'a [String],
    /// How to say it.
    pub settings: &'a ComposeSettings,
}

/// Holds what a heartbeat says.
#[derive(Clone, Copy, Debug)]
pub struct HeartbeatFacts<'a> {
    /// Identifies the message.
    pub id: &'a str,
    /// When it is composed.
    pub time: Timestamp,
    /// Every image that is watched.
    pub images: &'a [ImageFacts],
    /// When the advisory database was built; `None` if there is none.
    pub database_updated_at: Option<Timestamp>,
    /// How to say it.
    pub settings: &'a ComposeSettings,
}

/// Messages that one refers to. A mail program needs the last few.
const REFERENCES_MAX: usize = 10;

/// Makes the message of a cycle; `None` if nothing changed. That an image cannot be assessed is
/// told when it is news, and counted from then on.
pub fn compose(cycle: &Cycle<'_>) -> Option<Notification> {
    if cycle.changes.is_empty() {
        return None;
    }
    let all = failures(cycle.images);
    let errors = all.len();
    let lost = lost(cycle.changes);
    let (failures, known): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|failure| lost.contains(failure.image.as_str()));
    let settings = cycle.settings;
    let mut groups = group::groups(cycle);
    group::name_database(&mut groups, &settings.database);
    let images = image_lines(cycle);
    let mut message = frame(cycle.id, cycle.time, settings);
    message.kind = match cycle.since {
        Some(_) => NotificationKind::Digest,
        None if groups.is_empty() && images.is_empty() => NotificationKind::Errors,
        None => NotificationKind::Changes,
    };
    message.since = cycle.since;
    message.totals = totals(cycle, images.len(), errors);
    message.failures_known = known.len() as u64;
    message.database_updated_at = cycle.database_updated_at;
    let skipped = cycle.references.len().saturating_sub(REFERENCES_MAX);
    message.references = cycle.references.iter().skip(skipped).cloned().collect();
    if let Some(first) = cycle.references.first() {
        message.thread.clone_from(first);
    }
    (message.failures, message.failures_left_out) = cap(failures, settings.images_max);
    (message.vulnerabilities, message.vulnerabilities_left_out) =
        cap(groups, settings.vulnerabilities_max);
    (message.images, message.images_left_out) = cap(images, settings.images_max);
    Some(message)
}

/// Says whether a change follows something up that was announced before: what was new then is
/// resolved, accepted, rated anew, fixable or exploited now.
pub fn is_follow_up(kind: &ChangeKind) -> bool {
    match kind {
        ChangeKind::New | ChangeKind::AssessmentLost { .. } | ChangeKind::BaselineLost { .. } => {
            false
        }
        ChangeKind::Resolved
        | ChangeKind::Accepted
        | ChangeKind::SeverityChanged { .. }
        | ChangeKind::FixAvailable
        | ChangeKind::KnownExploited
        | ChangeKind::AssessmentRegained => true,
    }
}

/// Makes the message that proves that silence means quiet.
pub fn heartbeat(facts: &HeartbeatFacts<'_>) -> Notification {
    let failures = failures(facts.images);
    let mut message = frame(facts.id, facts.time, facts.settings);
    message.kind = NotificationKind::Heartbeat;
    message.totals = Totals {
        images: facts.images.len() as u64,
        errors: failures.len() as u64,
        findings: sum(facts.images),
        ..Totals::default()
    };
    message.database_updated_at = facts.database_updated_at;
    (message.failures, message.failures_left_out) = cap(failures, facts.settings.images_max);
    message
}

/// Makes the message that asks whether messages arrive.
pub fn test_message(id: &str, time: Timestamp, settings: &ComposeSettings) -> Notification {
    let mut message = frame(id, time, settings);
    message.kind = NotificationKind::Test;
    message
}

/// Makes a message that says nothing yet.
pub(super) fn frame(id: &str, time: Timestamp, settings: &ComposeSettings) -> Notification {
    Notification {
        id: id.to_owned(),
        thread: id.to_owned(),
        time,
        host: settings.host.clone(),
        subject_prefix: settings.subject_prefix.clone(),
        report: settings.report.clone(),
        ..Notification::default()
    }
}

/// Keeps the first entries and counts the rest.
pub(super) fn cap<T>(mut entries: Vec<T>, count_max: usize) -> (Vec<T>, u64) {
    let left_out = entries.len().saturating_sub(count_max);
    entries.truncate(count_max);
    (entries, left_out as u64)
}

fn failures(images: &[ImageFacts]) -> Vec<Failure> {
    let mut failures: Vec<Failure> = images
        .iter()
        .filter(|facts| facts.status != AssessmentStatus::Complete)
        .map(|facts| Failure {
            image: facts.name.clone(),
            containers: facts.containers.clone(),
            status: facts.status.name().to_owned(),
            reason: facts.reason.clone(),
            log_path: facts.log_path.clone(),
        })
        .collect();
    failures.sort_by(|a, b| a.image.cmp(&b.image));
    failures
}

/// Returns the names of the images of which it is news that they cannot be assessed.
fn lost(changes: &[Change]) -> BTreeSet<&str> {
    changes
        .iter()
        .filter(|change| matches!(change.kind, ChangeKind::AssessmentLost { .. }))
        .map(|change| change.image.as_str())
        .collect()
}

fn sum(images: &[ImageFacts]) -> Counts {
    images.iter().fold(Counts::default(), |sum, facts| Counts {
        distinct: sum.distinct + facts.counts.distinct,
        critical: sum.critical + facts.counts.critical,
        high: sum.high + facts.counts.high,
        medium: sum.medium + facts.counts.medium,
        low: sum.low + facts.counts.low,
        unknown: sum.unknown + facts.counts.unknown,
    })
}

fn totals(cycle: &Cycle<'_>, images_changed: usize, errors: usize) -> Totals {
    let mut totals = Totals {
        images: cycle.images.len() as u64,
        images_changed: images_changed as u64,
        errors: errors as u64,
        findings: sum(cycle.images),
        ..Totals::default()
    };
    for change in counted(cycle.changes) {
        let count = match change.kind {
            ChangeKind::New => &mut totals.new,
            ChangeKind::Resolved => &mut totals.resolved,
            ChangeKind::Accepted => &mut totals.accepted,
            ChangeKind::SeverityChanged { .. } => &mut totals.severity_changed,
            ChangeKind::FixAvailable => &mut totals.fix_available,
            ChangeKind::KnownExploited => &mut totals.known_exploited,
            ChangeKind::AssessmentLost { .. } => &mut totals.assessment_lost,
            ChangeKind::AssessmentRegained => &mut totals.assessment_regained,
            ChangeKind::BaselineLost { .. } => &mut totals.baselines_lost,
        };
        *count += 1;
    }
    totals
}

/// Returns the changes that are counted: what happened to a vulnerability counts once an image,
/// however many packages have it, as in the logs.
fn counted(changes: &[Change]) -> impl Iterator<Item = &Change> {
    let mut seen = BTreeSet::new();
    changes.iter().filter(move |change| {
        let finding = change.finding.as_ref();
        let id = finding.map(|finding| finding.key.vulnerability_id.as_str());
        seen.insert((change.image.as_str(), change.kind.name(), id))
    })
}

/// Sums the changes up by image. An image whose only change is that it cannot be assessed is
/// among the failures.
fn image_lines(cycle: &Cycle<'_>) -> Vec<ImageLine> {
    let facts: BTreeMap<&str, &ImageFacts> = by_name(cycle.images);
    let changed: BTreeSet<&str> = cycle
        .changes
        .iter()
        .filter(|change| !matches!(change.kind, ChangeKind::AssessmentLost { .. }))
        .map(|change| change.image.as_str())
        .collect();
    let mut lines: BTreeMap<&str, ImageLine> = changed
        .into_iter()
        .map(|image| (image, image_line(image, facts.get(image).copied())))
        .collect();
    for change in counted(cycle.changes) {
        let Some(line) = lines.get_mut(change.image.as_str()) else {
            continue;
        };
        match &change.kind {
            ChangeKind::New => line.new += 1,
            ChangeKind::Resolved => line.resolved += 1,
            ChangeKind::Accepted => line.accepted += 1,
            ChangeKind::BaselineLost {
                reason,
                is_beginning,
            } => line.baseline = words::baseline_lost(reason, *is_beginning),
            ChangeKind::AssessmentRegained => line.is_regained = true,
            ChangeKind::AssessmentLost { .. } => {}
            ChangeKind::SeverityChanged { .. }
            | ChangeKind::FixAvailable
            | ChangeKind::KnownExploited => line.other += 1,
        }
    }
    lines.into_values().collect()
}

fn image_line(image: &str, facts: Option<&ImageFacts>) -> ImageLine {
    let mut line = ImageLine {
        image: image.to_owned(),
        ..ImageLine::default()
    };
    if let Some(facts) = facts {
        line.containers.clone_from(&facts.containers);
        line.counts = facts.counts;
        line.log_path.clone_from(&facts.log_path);
    }
    line
}

fn by_name(images: &[ImageFacts]) -> BTreeMap<&str, &ImageFacts> {
    images
        .iter()
        .map(|facts| (facts.name.as_str(), facts))
        .collect()
}
