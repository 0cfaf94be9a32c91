//! Keeping the books: which images are there, and what a look at one of them changes.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::Digest;
use cleanbill_core::change::ChangeKind;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_store::StoreError;
use cleanbill_store::state::{
    Assessment, Container, ImageRow, NewInventory, PackedInventory, PassId, ScanCommit, SeenImage,
};

use super::clerk::{filter_noted, is_judged_by};
use super::journal::Entry;
use super::{Monitor, MonitorError, RECONCILE_EVERY};
use crate::host::{Grounds, HostError, Look, StoredImage};
use crate::notes::{self, EngineAway};
use crate::notify::channels_missing;
use crate::watchlist::{LABEL_NOTIFY, ListedContainer, Listing, WatchedImage, watchlist};

impl Monitor<'_> {
    /// Lists the images and notes what came and went. Returns the names that nobody has looked at
    /// yet, or that mean another image now.
    pub(super) fn update_books(&mut self, triggered_by: &str) -> Result<Vec<String>, MonitorError> {
        let now = self.parts.clock.now();
        let listing = self.list()?;
        self.plan.reconcile = now.checked_add(RECONCILE_EVERY).ok();
        let list = watchlist(&listing, &self.settings.rules);
        let mut odd_labels: BTreeSet<String> = list.odd_labels.iter().cloned().collect();
        odd_labels.extend(unknown_channels(
            &list.watched,
            &self.settings.routes.channels,
        ));
        for odd in odd_labels.difference(&self.odd_labels) {
            tracing::warn!("{odd}");
        }
        self.odd_labels = odd_labels;
        let rows = self.parts.store.read().image_list()?;
        self.lost_baselines = notes::lost_baselines(self.parts.store.read())?;
        self.note_returned(&rows, &list.watched);
        let seen: Vec<SeenImage> = list.watched.iter().map(seen).collect();
        let gone = self
            .parts
            .store
            .image_reconcile(&seen, now.as_millisecond())?;
        for name in &gone {
            tracing::info!(triggered_by, "image {name} is gone");
        }
        self.parts.store.container_replace(&containers(&listing))?;
        let new = self.not_looked_at(&rows, &list.watched);
        self.ignored = list.ignored;
        self.watched = list
            .watched
            .into_iter()
            .map(|image| (image.name.clone(), image))
            .collect();
        self.patience.keep(&self.watched);
        Ok(new)
    }

    /// Notes which images are back: what they are judged by may be another since they went.
    fn note_returned(&mut self, rows: &[ImageRow], watched: &[WatchedImage]) {
        let gone = rows.iter().filter(|row| row.gone_at.is_some());
        self.returned.extend(gone.map(|row| row.name.clone()));
        let watched: BTreeSet<&str> = watched.iter().map(|image| image.name.as_str()).collect();
        self.returned.retain(|name| watched.contains(name.as_str()));
    }

    /// Returns the names of the images that were not looked at as what they are now or through the
    /// filter of the settings of now, or could not be read and have been left alone for long enough,
    /// or are back and were judged by something else.
    fn not_looked_at(&self, rows: &[ImageRow], watched: &[WatchedImage]) -> Vec<String> {
        let now = self.parts.clock.now();
        let grounds = self.parts.host.grounds();
        let known: BTreeMap<&str, &Assessment> = rows
            .iter()
            .filter_map(|row| Some((row.name.as_str(), row.assessment.as_ref()?)))
            .collect();
        let is_known = |image: &WatchedImage| {
            known.get(image.name.as_str()).is_some_and(|assessment| {
                let noted = filter_noted(&assessment.rules);
                let is_back = self.returned.contains(&image.name);
                assessment.image_id == image.id
                    && noted.is_none_or(|noted| noted == self.settings.severities)
                    && (!is_back || is_judged_by(assessment, &grounds))
            })
        };
        watched
            .iter()
            .filter(|image| {
                let is_wanted = !is_known(image) || self.patience.is_due(image, now);
                image.id.is_some() && is_wanted && !self.patience.is_put_off(image, now)
            })
            .map(|image| image.name.clone())
            .collect()
    }

    /// Looks at one image and notes what was found, in one transaction. Returns whether it could
    /// be assessed completely.
    pub(super) fn look_at(
        &mut self,
        image: &WatchedImage,
        triggered_by: &str,
        pass: Option<PassId>,
    ) -> Result<bool, MonitorError> {
        let started = self.parts.clock.now();
        self.parts.observer.tick(started);
        let Look {
            report,
            image: stored,
        } = self.parts.host.look(image);
        self.absorb_events();
        // What was cut short by the end of the program says nothing about the image.
        self.plan.is_stopped |= self.parts.host.is_over();
        if self.plan.is_stopped {
            return Ok(false);
        }
        if report.status == AssessmentStatus::Failed && !self.is_still_there(image)? {
            tracing::debug!("image {} went away while it was looked at", image.name);
            return Ok(true);
        }
        let grounds = self.parts.host.grounds();
        let inventory = stored
            .zip(report.metadata.image_id)
            .map(|(stored, image_id)| new_inventory(&stored, image_id, &grounds))
            .transpose()?;
        let mut commit = self.clerk().commit(image, &report, &grounds)?;
        commit.inventory = inventory;
        commit.scan.pass = pass;
        triggered_by.clone_into(&mut commit.scan.triggered_by);
        commit.scan.started_at = started.as_millisecond();
        let duration = self.parts.clock.now().duration_since(started).as_millis();
        commit.scan.duration_ms = u64::try_from(duration).unwrap_or(0);
        log_look(&commit);
        self.parts.store.scan_commit(&commit)?;
        self.note_baseline(&commit)?;
        self.returned.remove(&image.name);
        self.plan.looks = self.plan.looks.saturating_add(1);
        self.be_patient(image, &commit.state);
        self.write_journal(&Entry {
            report: &report,
            state: &commit.state,
            changes: &commit.changes,
            filter: self.filter_of(image),
            started,
        });
        Ok(report.status == AssessmentStatus::Complete)
    }

    /// Notes that the baseline of an image could not be read, or that there is one again.
    pub(super) fn note_baseline(&mut self, commit: &ScanCommit) -> Result<(), StoreError> {
        let image = &commit.scan.image;
        let lost = commit.changes.iter().find_map(|change| match &change.kind {
            ChangeKind::BaselineLost { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        if let Some(reason) = lost {
            self.lost_baselines.insert(image.clone(), reason);
        } else if self.lost_baselines.contains_key(image) && self.has_baseline(image) {
            self.lost_baselines.remove(image);
        } else {
            return Ok(());
        }
        notes::set_lost_baselines(self.parts.store, &self.lost_baselines)
    }

    fn has_baseline(&self, image: &str) -> bool {
        let baselines = self.settings.journal.baselines.as_ref();
        baselines.is_some_and(|baselines| {
            let read = baselines.read(image, self.parts.clock.now());
            matches!(read, Ok(Some(_)))
        })
    }

    /// Says whether the host still has an image by the name that it was looked at by. An engine
    /// that does not answer says nothing about an image: the look is made again.
    fn is_still_there(&self, image: &WatchedImage) -> Result<bool, MonitorError> {
        let listing = self.list()?;
        let is_listed = listing
            .images
            .iter()
            .any(|listed| listed.name == image.name && Some(listed.id) == image.id);
        Ok(is_listed || image.id.is_none())
    }

    fn list(&self) -> Result<Listing, MonitorError> {
        let host = self.parts.host;
        let outcome = host.list();
        self.note_engine(outcome.as_ref().err())?;
        outcome.map_err(|source| MonitorError::Host {
            place: host.place(),
            source,
        })
    }

    /// Notes that the engine answered, or why it did not. The note in the state counts: it outlives
    /// a monitor that ends for other settings.
    fn note_engine(&self, error: Option<&HostError>) -> Result<(), StoreError> {
        // What was cut short by the end of the program says nothing about the engine.
        if error.is_some() && self.parts.host.is_over() {
            return Ok(());
        }
        let now = self.parts.clock.now();
        match error {
            None => self.parts.observer.engine_answered(),
            Some(_) => self.parts.observer.engine_lost(now),
        }
        let noted = notes::engine_away(self.parts.store.read())?;
        let away = error.map(|error| EngineAway {
            since: noted
                .as_ref()
                .map_or(now.as_millisecond(), |noted| noted.since),
            reason: error.to_string(),
        });
        if away == noted {
            return Ok(());
        }
        notes::set_engine_away(self.parts.store, away.as_ref())
    }
}

/// Says which labels name channels that there are not.
fn unknown_channels(watched: &[WatchedImage], channels: &[String]) -> Vec<String> {
    let mut odd = Vec::new();
    for image in watched {
        for name in channels_missing(&image.labels, channels) {
            odd.push(format!(
                "label {LABEL_NOTIFY} of a container of image {}: there is no channel '{name}'",
                image.name
            ));
        }
    }
    odd
}

fn seen(image: &WatchedImage) -> SeenImage {
    SeenImage {
        name: image.name.clone(),
        image_id: image.id,
        labels: image.labels.iter().cloned().collect(),
    }
}

fn containers(listing: &Listing) -> Vec<Container> {
    listing
        .containers
        .iter()
        .filter(|container| container.is_running)
        .map(|container: &ListedContainer| Container {
            id: container.id.clone(),
            name: container.name.clone(),
            image_name: container.image.clone(),
            image_id: container.image_id,
            running_since: None,
        })
        .collect()
}

fn new_inventory(
    stored: &StoredImage,
    image_id: Digest,
    grounds: &Grounds,
) -> Result<NewInventory, StoreError> {
    Ok(NewInventory {
        image_id,
        rules: grounds.reading.clone(),
        packed: PackedInventory::new(stored)?,
    })
}

fn log_look(commit: &ScanCommit) {
    let scan = &commit.scan;
    if scan.status == AssessmentStatus::Complete {
        tracing::info!(
            findings = scan.counts.total(),
            changes = commit.changes.len(),
            duration_ms = scan.duration_ms,
            "looked at {}",
            scan.image
        );
    } else {
        tracing::warn!(
            findings = scan.counts.total(),
            changes = commit.changes.len(),
            duration_ms = scan.duration_ms,
            "{} was not assessed completely: {}",
            scan.image,
            scan.reason
        );
    }
}
