//! Judging everything again when the advisory database is another one, without reading an image.
//!
//! People are told before the logs of what changed are written: those wait for the disk, for each
//! image anew. What is logged is judged once more then, so that not all reports are in memory.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::available_parallelism;

use cleanbill_core::Digest;
use cleanbill_core::change::{Change, ImageState};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_store::StoreError;
use cleanbill_store::state::{Assessment, EncodedCommit, StoredInventory};
use jiff::Timestamp;

use super::clerk::Clerk;
use super::journal::Entry;
use super::{Monitor, MonitorError};
use crate::watchlist::WatchedImage;

/// Images whose new state is written at once: it is waited for the disk once.
const COMMITS_AT_ONCE: usize = 64;

/// How much was judged.
#[derive(Clone, Copy, Debug, Default)]
struct Judged {
    images: usize,
    /// The names of these images.
    names: usize,
}

/// Says what a log is still to be written of.
#[derive(Debug)]
pub(super) struct Unlogged {
    image: String,
    image_id: Option<Digest>,
    changes: Vec<Change>,
    started: Timestamp,
}

fn or_warn(commits: Option<Vec<EncodedCommit>>, stored: &StoredInventory) -> Vec<EncodedCommit> {
    commits.unwrap_or_else(|| {
        tracing::warn!(
            "what is known of image {} is damaged; the next pass reads it again",
            stored.image_id
        );
        Vec::new()
    })
}

impl Monitor<'_> {
    /// Judges every image again whose inventory is known: on as many threads as there are
    /// processors, while this one writes what came out.
    pub(super) fn judge_again(&mut self) -> Result<(), MonitorError> {
        let started = self.parts.clock.now();
        let grounds = self.parts.host.grounds();
        let list = self.parts.store.read().inventory_list(&grounds.reading)?;
        // This thread minds events meanwhile, which may change what is watched.
        let (settings, watched) = (self.settings.clone(), self.watched.clone());
        let lost_baselines = self.lost_baselines.clone();
        let clerk = Clerk {
            host: self.parts.host,
            store: self.parts.store,
            clock: self.parts.clock,
            settings: &settings,
            watched: &watched,
            lost_baselines: &lost_baselines,
        };
        let threads = available_parallelism().map_or(1, usize::from);
        let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let judged = std::thread::scope(|scope| {
            // What waits to be written is encoded: as much as is written at once is in memory anyway.
            let (sender, judged) = sync_channel(threads);
            for _ in 0..threads {
                let sender = sender.clone();
                let (list, grounds, next, is_over) = (&list, &grounds, &next, &is_over);
                scope.spawn(move || {
                    while let Some(stored) = list.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let outcome = clerk.judge_again(stored, grounds, started);
                        let outcome = outcome.map(|commits| or_warn(commits, stored));
                        if is_over.load(Ordering::Relaxed) || sender.send(outcome).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let outcome = self.write_judged(judged, started);
            // Who still judges need not go on: there was an error, or it is over.
            is_over.store(true, Ordering::Relaxed);
            outcome
        })?;
        self.plan.tell = Some(self.parts.clock.now());
        tracing::info!(
            images = judged.images,
            names = judged.names,
            duration_ms = self.parts.clock.now().duration_since(started).as_millis() as u64,
            "judged again: the advisory database, a list beside it or an exception changed"
        );
        Ok(())
    }

    /// Judges an image again that went and is back, by what is known of it. Returns whether that was
    /// possible: else somebody has to look at it.
    pub(super) fn judge_returned(&mut self, image: &WatchedImage) -> Result<bool, MonitorError> {
        let Some(image_id) = image.id.filter(|_| self.returned.contains(&image.name)) else {
            return Ok(false);
        };
        let row = self.parts.store.read().image_get(&image.name)?;
        let assessment = row.and_then(|row| row.assessment);
        let is_known = |known: &Assessment| {
            known.image_id == Some(image_id) && known.status != AssessmentStatus::Failed
        };
        let grounds = self.parts.host.grounds();
        if !assessment.as_ref().is_some_and(is_known) {
            return Ok(false);
        }
        let started = self.parts.clock.now();
        let stored = StoredInventory {
            image_id,
            names: vec![image.name.clone()],
        };
        let commits = self.clerk().judge_again(&stored, &grounds, started)?;
        let Some(commits) = commits.filter(|commits| !commits.is_empty()) else {
            return Ok(false);
        };
        self.write_commits(&commits, started)?;
        self.returned.remove(&image.name);
        tracing::info!("{} is back, judged again", image.name);
        Ok(true)
    }

    /// Writes what came out as it comes. Returns how much that was.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "who sends learns from its end that nobody listens any more"
    )]
    fn write_judged(
        &mut self,
        judged: Receiver<Result<Vec<EncodedCommit>, StoreError>>,
        started: Timestamp,
    ) -> Result<Judged, StoreError> {
        let (mut commits, mut count) = (Vec::new(), Judged::default());
        for outcome in &judged {
            self.parts.observer.tick(self.parts.clock.now());
            self.absorb_events();
            if self.plan.is_stopped {
                break;
            }
            let of_image = outcome?;
            count.images += usize::from(!of_image.is_empty());
            count.names += of_image.len();
            commits.extend(of_image);
            if commits.len() >= COMMITS_AT_ONCE {
                self.write_commits(&commits, started)?;
                commits.clear();
            }
        }
        self.write_commits(&commits, started)?;
        Ok(count)
    }

    fn write_commits(
        &mut self,
        commits: &[EncodedCommit],
        started: Timestamp,
    ) -> Result<(), StoreError> {
        self.parts.store.scan_commit_all(commits)?;
        for commit in commits {
            self.note_baseline(commit.commit())?;
        }
        if !self.settings.journal.is_kept() {
            return Ok(());
        }
        let changed = commits.iter().map(EncodedCommit::commit);
        let changed = changed.filter(|commit| !commit.changes.is_empty());
        self.unlogged.extend(changed.map(|commit| Unlogged {
            image: commit.scan.image.clone(),
            image_id: commit.scan.image_id,
            changes: commit.changes.clone(),
            started,
        }));
        Ok(())
    }

    /// Writes the logs of the images in which another database changed something. What happens
    /// meanwhile comes first; then the rest waits until that is done.
    pub(super) fn log_judged(&mut self) -> Result<(), MonitorError> {
        while let Some(unlogged) = self.unlogged.last() {
            self.log_one(unlogged)?;
            self.unlogged.pop();
            self.parts.observer.tick(self.parts.clock.now());
            self.absorb_events();
            let plan = &self.plan;
            let others = [
                plan.reconcile,
                plan.tell,
                Some(plan.pass),
                Some(plan.refresh),
            ];
            if plan.is_stopped || others.into_iter().any(|time| self.is_due(time)) {
                break;
            }
        }
        Ok(())
    }

    fn log_one(&self, unlogged: &Unlogged) -> Result<(), StoreError> {
        let name = &unlogged.image;
        // It may be gone by now, or another.
        let Some(watched) = self.watched.get(name) else {
            return Ok(());
        };
        let state = self.parts.store.read().image_state_without_packages(name)?;
        let is_same = |state: &ImageState| {
            state.image_id == unlogged.image_id && state.status != AssessmentStatus::Failed
        };
        let (Some(state), Some(image_id)) = (state.filter(is_same), unlogged.image_id) else {
            return Ok(());
        };
        let grounds = self.parts.host.grounds();
        let Some(image) = self.clerk().stored_image(&image_id, &grounds)? else {
            return Ok(());
        };
        self.write_journal(&Entry {
            report: &self.parts.host.judge(name, image),
            state: &state,
            changes: &unlogged.changes,
            filter: self.filter_of(watched),
            started: unlogged.started,
        });
        Ok(())
    }
}
