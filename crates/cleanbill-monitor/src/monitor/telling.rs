//! Telling: from changes that nobody was told of to messages in the outbox.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::Severity;
use cleanbill_core::change::{Change, ChangeKind};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::SeverityCounts;
use cleanbill_policy::net;
use cleanbill_store::StoreError;
use cleanbill_store::state::{ChangeId, ImageRow, OutboxMessage, UntoldChange};
use jiff::{SignedDuration, Timestamp};

use super::{Monitor, MonitorError};
use crate::notify::{
    ComposeSettings, Counts, Cycle, Decision, HeartbeatFacts, ImageFacts, Notification, Waiting,
    compose, heartbeat, is_follow_up, route,
};
use crate::watchlist::WatchedImage;

/// Changes that one message may be about. There may be more; they are told right after.
const CHANGES_MAX: usize = 50_000;

/// When people were last told anything.
const LAST_TOLD: &str = "last_told_at";

/// When messages were made in the last hour, in Unix milliseconds separated by blanks.
const TOLD_LATELY: &str = "told_lately";

const HOUR: SignedDuration = SignedDuration::from_hours(1);

impl Monitor<'_> {
    /// Puts messages about what nobody was told of into the outbox, if the time for it has come.
    pub(super) fn tell(&mut self) -> Result<(), MonitorError> {
        self.plan.tell = None;
        let untold = self.parts.store.read().changes_untold(CHANGES_MAX)?;
        let Some(mut waiting) = waiting(&untold) else {
            return self.tell_that_all_is_quiet();
        };
        let now = self.parts.clock.now();
        waiting.since = waiting.since.min(now);
        let last_told = self.last_told()?;
        match self.settings.timing.decide(now, last_told, &waiting) {
            Decision::HoldUntil(time) => {
                self.plan.tell = Some(time);
                return Ok(());
            }
            Decision::Tell => {}
        }
        if let Some(time) = self.hourly_limit(now)? {
            self.plan.tell = Some(time);
            return Ok(());
        }
        let is_digest = self.settings.timing.digest.is_some();
        let since = is_digest.then_some(waiting.since);
        let messages = self.messages(&untold, since)?;
        let told: Vec<ChangeId> = untold.iter().map(|untold| untold.id).collect();
        self.commit_messages(&told, &messages)?;
        if untold.len() == CHANGES_MAX {
            self.plan.tell = Some(now);
        }
        Ok(())
    }

    /// Makes one message for each channel that hears of something.
    fn messages(
        &self,
        untold: &[UntoldChange],
        since: Option<Timestamp>,
    ) -> Result<Vec<OutboxMessage>, StoreError> {
        let changes: Vec<Change> = untold.iter().map(|untold| untold.change.clone()).collect();
        let passes = |image: &str, severity| match self.watched.get(image) {
            Some(image) => self.filter_of(image).passes(severity),
            None => self.settings.severities.passes(severity),
        };
        let changes = net(&changes, &passes);
        let facts = self.facts()?;
        let database_updated_at = self.parts.host.grounds().database_updated_at.parse().ok();
        let id = self.message_id(untold)?;
        let mut messages = Vec::new();
        for (channel, routed) in route(&changes, &facts, &self.settings.routes) {
            let heard = pick(&changes, &routed.changes);
            if heard.is_empty() {
                continue;
            }
            let references = self.references(&channel, &heard)?;
            let cycle = Cycle {
                id: &id,
                time: self.parts.clock.now(),
                since,
                changes: &heard,
                images: &pick(&facts, &routed.images),
                database_updated_at,
                references: &references,
                settings: &self.composing_for(&channel),
            };
            let told = told_by(untold, &heard);
            if let Some(mut message) = compose(&cycle) {
                message.exceptions_expiring = self.parts.host.expiring();
                messages.extend(self.outbox_messages(&channel, message, &told));
            }
        }
        Ok(messages)
    }

    /// Returns how messages of a channel are composed.
    fn composing_for(&self, channel: &str) -> ComposeSettings {
        let mut settings = self.settings.compose.clone();
        if let Some(prefix) = self.settings.subject_prefixes.get(channel) {
            settings.subject_prefix.clone_from(prefix);
        }
        settings
    }

    /// Returns the ids of the messages that announced what is followed up, oldest first.
    fn references(&self, channel: &str, changes: &[Change]) -> Result<Vec<String>, StoreError> {
        let mut references = BTreeSet::new();
        for change in changes.iter().filter(|change| is_follow_up(&change.kind)) {
            let finding = change.finding.as_ref();
            let id = finding.map_or("", |finding| &finding.key.vulnerability_id);
            let announced = self
                .parts
                .store
                .read()
                .message_about(channel, &change.image, id)?;
            references.extend(announced);
        }
        Ok(references.into_iter().collect())
    }

    /// Identifies a message by what it is about, so that the same message is never made twice.
    /// Later ones sort behind earlier ones.
    fn message_id(&self, untold: &[UntoldChange]) -> Result<String, StoreError> {
        let last = untold.last().map_or(0, |untold| untold.id.0);
        Ok(format!("{}-{last:012}", self.install()?))
    }

    fn install(&self) -> Result<String, StoreError> {
        let mut install = self.parts.store.read().install_id()?;
        install.truncate(12);
        Ok(install)
    }

    /// Tells that all is quiet, if it has been quiet for long.
    fn tell_that_all_is_quiet(&mut self) -> Result<(), MonitorError> {
        let Some(every) = self.settings.heartbeat_every else {
            return Ok(());
        };
        let now = self.parts.clock.now();
        let Some(last_told) = self.last_told()? else {
            // The first one proves that messages arrive; it is due after the first quiet while. Nobody
            // is told now, so it does not count as a message of this hour.
            let time = now.to_string();
            return Ok(self.parts.store.meta_set_all(&[(LAST_TOLD, &time)])?);
        };
        let due = self.settings.timing.next_heartbeat(every, last_told);
        if due > now {
            self.plan.tell = Some(due);
            return Ok(());
        }
        let facts = self.facts()?;
        let id = format!("{}-quiet-{}", self.install()?, now.as_second());
        let database_updated_at = self.parts.host.grounds().database_updated_at.parse().ok();
        let mut messages = Vec::new();
        for channel in &self.settings.routes.channels {
            let mut message = heartbeat(&HeartbeatFacts {
                id: &id,
                time: now,
                images: &facts,
                database_updated_at,
                settings: &self.composing_for(channel),
            });
            message.exceptions_expiring = self.parts.host.expiring();
            messages.extend(self.outbox_messages(channel, message, &[]));
        }
        self.commit_messages(&[], &messages)?;
        self.plan.tell = now.checked_add(every).ok();
        Ok(())
    }

    fn commit_messages(
        &mut self,
        told: &[ChangeId],
        messages: &[OutboxMessage],
    ) -> Result<(), MonitorError> {
        let now = self.now_ms();
        self.parts.store.messages_commit(told, messages, now)?;
        if !messages.is_empty() {
            self.note_told(self.parts.clock.now())?;
            (self.parts.messages_ready)();
        }
        Ok(())
    }

    /// Makes what is put into the outbox: each part of a message is delivered on its own.
    fn outbox_messages(
        &self,
        channel: &str,
        message: Notification,
        changes: &[ChangeId],
    ) -> Vec<OutboxMessage> {
        let parts = match self.parts.channels.get(channel) {
            Some(open) => open.split(message),
            None => vec![message],
        };
        let outbox_message = |part: Notification| OutboxMessage {
            channel: channel.to_owned(),
            message_id: part.key(),
            payload: serde_json::to_vec(&part).expect("a message holds nothing but plain values"),
            thread_key: part.thread,
            changes: changes.to_vec(),
            send_at: self.now_ms(),
        };
        parts.into_iter().map(outbox_message).collect()
    }

    fn last_told(&self) -> Result<Option<Timestamp>, StoreError> {
        let value = self.parts.store.read().meta_get(LAST_TOLD)?;
        let now = self.parts.clock.now();
        let told: Option<Timestamp> = value.and_then(|value| value.parse().ok());
        // A time ahead comes from a clock that was wrong.
        Ok(told.filter(|told| *told <= now))
    }

    fn note_told(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut lately = self.told_lately(now)?;
        lately.push(now);
        let lately: Vec<String> = lately
            .iter()
            .map(|time| time.as_millisecond().to_string())
            .collect();
        self.parts.store.meta_set_all(&[
            (LAST_TOLD, &now.to_string()),
            (TOLD_LATELY, &lately.join(" ")),
        ])
    }

    /// Returns until when nothing more is told, if there were enough messages in the last hour.
    fn hourly_limit(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let lately = self.told_lately(now)?;
        let Some(over) = lately
            .len()
            .checked_sub(self.settings.messages_per_hour.max(1))
        else {
            return Ok(None);
        };
        Ok(lately
            .get(over)
            .and_then(|time| time.checked_add(HOUR).ok()))
    }

    /// Lists the times of messages in the last hour, oldest first.
    fn told_lately(&self, now: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let text = self.parts.store.read().meta_get(TOLD_LATELY)?;
        let times = text.iter().flat_map(|text| text.split(' '));
        Ok(times
            .filter_map(|time| Timestamp::from_millisecond(time.parse().ok()?).ok())
            // A time ahead comes from a clock that was wrong.
            .filter(|time| *time <= now && now.duration_since(*time) < HOUR)
            .collect())
    }

    /// Collects what is known of every image that is watched.
    fn facts(&self) -> Result<Vec<ImageFacts>, StoreError> {
        let rows = self.parts.store.read().image_list()?;
        let rows: BTreeMap<&str, &ImageRow> =
            rows.iter().map(|row| (row.name.as_str(), row)).collect();
        let mut facts = Vec::new();
        for image in self.watched.values() {
            let assessment = rows
                .get(image.name.as_str())
                .and_then(|row| row.assessment.as_ref());
            let counts = match assessment {
                Some(assessment) => self.counts_within(image, &assessment.counts)?,
                None => Counts::default(),
            };
            facts.push(ImageFacts {
                name: image.name.clone(),
                status: assessment.map_or(AssessmentStatus::Failed, |assessment| assessment.status),
                reason: assessment.map_or_else(
                    || "nobody has looked at it yet".to_owned(),
                    |assessment| assessment.reason.clone(),
                ),
                counts,
                containers: image.containers.clone(),
                labels: image.labels.clone(),
                log_path: String::new(),
            });
        }
        Ok(facts)
    }

    /// Reduces the counts of an image to what is told of. Its findings are not read: there are
    /// hundreds in each of many images, and people wait for the message.
    fn counts_within(
        &self,
        image: &WatchedImage,
        all: &SeverityCounts,
    ) -> Result<Counts, StoreError> {
        let filter = self.filter_of(image);
        let count = |severity| match filter.passes(severity) {
            true => all.get(severity),
            false => 0,
        };
        let severities = Severity::ALL.into_iter().filter(|one| filter.passes(*one));
        let store = self.parts.store.read();
        Ok(Counts {
            distinct: store.vulnerability_count(&image.name, severities)?,
            critical: count(Severity::Critical),
            high: count(Severity::High),
            medium: count(Severity::Medium),
            low: count(Severity::Low),
            unknown: count(Severity::Unknown),
        })
    }
}

/// Returns the numbers of the changes that a message speaks of, directly or as part of what came
/// of them.
fn told_by(untold: &[UntoldChange], heard: &[Change]) -> Vec<ChangeId> {
    let subject = |change: &Change| {
        let finding = change.finding.as_ref();
        (
            change.image.clone(),
            finding.map(|finding| finding.key.clone()),
        )
    };
    let heard: BTreeSet<_> = heard.iter().map(subject).collect();
    untold
        .iter()
        .filter(|untold| heard.contains(&subject(&untold.change)))
        .map(|untold| untold.id)
        .collect()
}

/// Describes what waits; `None` if nothing does.
fn waiting(untold: &[UntoldChange]) -> Option<Waiting> {
    let first = untold.iter().map(|untold| untold.at).min()?;
    let urgent = untold
        .iter()
        .filter(|untold| !is_settled(&untold.change.kind))
        .filter_map(|untold| untold.change.finding.as_ref());
    let mut worst = Severity::Unknown;
    let mut is_exploited = false;
    for finding in urgent {
        worst = worst.max(finding.severity);
        is_exploited |= finding.is_known_exploited;
    }
    Some(Waiting {
        since: Timestamp::UNIX_EPOCH
            .saturating_add(SignedDuration::from_millis(first))
            .unwrap_or(Timestamp::UNIX_EPOCH),
        worst,
        is_exploited,
    })
}

/// Says whether nobody has to act any more: it is gone, or somebody accepted it.
fn is_settled(kind: &ChangeKind) -> bool {
    matches!(kind, ChangeKind::Resolved | ChangeKind::Accepted)
}

fn pick<T: Clone>(entries: &[T], positions: &[usize]) -> Vec<T> {
    positions
        .iter()
        .filter_map(|position| entries.get(*position).cloned())
        .collect()
}
