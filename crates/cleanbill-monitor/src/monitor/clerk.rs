//! From a report to what is written: the comparison with what is remembered.
//!
//! It changes nothing, so several threads may do it at a time.
//!
//! Which severities were let through is noted with the rules of a look: whoever lets more through
//! is told of what that brings.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::{Digest, Severity};

use cleanbill_core::change::{Cause, Change, ChangeKind, ImageState};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::ImageReport;
use cleanbill_policy::{SeverityFilter, delta_between_filters, delta_to_baseline, remember};
use cleanbill_store::StoreError;
use cleanbill_store::state::{
    Assessment, EncodedCommit, Scan, ScanCommit, StateStore, StoredInventory,
};
use jiff::Timestamp;

use super::{Clock, Monitor, MonitorSettings};
use crate::host::{Grounds, Host, StoredImage};
use crate::look::{Circumstances, image_state, state_without_packages};
use crate::watchlist::WatchedImage;

/// Prepares what is written.
#[derive(Clone, Copy)]
pub(super) struct Clerk<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) store: &'a StateStore,
    pub(super) clock: &'a dyn Clock,
    pub(super) settings: &'a MonitorSettings,
    pub(super) watched: &'a BTreeMap<String, WatchedImage>,
    /// The images with a baseline that could not be read, each with the reason.
    pub(super) lost_baselines: &'a BTreeMap<String, String>,
}

impl Monitor<'_> {
    pub(super) fn clerk(&self) -> Clerk<'_> {
        Clerk {
            host: self.parts.host,
            store: self.parts.store,
            clock: self.parts.clock,
            settings: &self.settings,
            watched: &self.watched,
            lost_baselines: &self.lost_baselines,
        }
    }

    /// Returns which findings of an image are told of: its labels decide before the settings.
    pub(super) fn filter_of(&self, image: &WatchedImage) -> SeverityFilter {
        self.clerk().filter_of(image)
    }
}

impl Clerk<'_> {
    /// Judges an image again by what is known of it, under each of its names; `None` if that is
    /// nothing, or damaged.
    pub(super) fn judge_again(
        &self,
        stored: &StoredInventory,
        grounds: &Grounds,
        started: Timestamp,
    ) -> Result<Option<Vec<EncodedCommit>>, StoreError> {
        let read = self.store.read();
        let Some(image) = self.stored_image(&stored.image_id, grounds)? else {
            return Ok(None);
        };
        let commit = |name: &String, image: StoredImage| {
            let before = read.image_state_without_packages(name)?;
            // It may have been forgotten since it was listed.
            let Some(before) = before.filter(|before| before.image_id == Some(stored.image_id))
            else {
                return Ok(None);
            };
            let report = self.host.judge(name, image);
            let filters = match self.watched.get(name) {
                Some(watched) => self.filters_of(watched),
                // Before the first list nobody knows the labels: what the settings let through
                // besides is told when they are known.
                None => {
                    Filters::alike(filter_noted(&before.rules).unwrap_or(self.settings.severities))
                }
            };
            let after = state_without_packages(&report, &circumstances(name, grounds));
            let mut commit = self.compare(Some(before), after, filters);
            "database".clone_into(&mut commit.scan.triggered_by);
            commit.scan.started_at = started.as_millisecond();
            read.scan_encode_judged(commit).map(Some)
        };
        let Some((last, others)) = stored.names.split_last() else {
            return Ok(Some(Vec::new()));
        };
        let commits = others.iter().map(|name| commit(name, image.clone()));
        let mut commits = commits.collect::<Result<Vec<_>, _>>()?;
        commits.push(commit(last, image)?);
        Ok(Some(commits.into_iter().flatten().collect()))
    }

    /// Reads what is known of an image; `None` if that is nothing, or damaged.
    pub(super) fn stored_image(
        &self,
        image_id: &Digest,
        grounds: &Grounds,
    ) -> Result<Option<StoredImage>, StoreError> {
        let packed = self
            .store
            .read()
            .inventory_get(image_id, &grounds.reading)?;
        Ok(packed.and_then(|packed| packed.unpack()))
    }

    /// Compares what a look found with what is remembered of the image.
    pub(super) fn commit(
        &self,
        image: &WatchedImage,
        report: &ImageReport,
        grounds: &Grounds,
    ) -> Result<ScanCommit, StoreError> {
        let before = self.store.read().image_state(&image.name)?;
        let mut after = image_state(report, &circumstances(&image.name, grounds));
        after.image_id = after.image_id.or(image.id);
        Ok(self.compare(before, after, self.filters_of(image)))
    }

    fn compare(
        &self,
        before: Option<ImageState>,
        mut after: ImageState,
        filters: Filters,
    ) -> ScanCommit {
        note_filter(&mut after.rules, filters.settings);
        let changes = self.changes(before.as_ref(), &after, filters);
        let counting = after.findings.iter().filter(|finding| finding.counts());
        let counts = counting.map(|finding| finding.severity).collect();
        let scan = Scan {
            image: after.name.clone(),
            image_id: after.image_id,
            status: after.status,
            reason: after.reason.clone(),
            database_updated_at: after.database_updated_at.clone(),
            counts,
            ..Scan::default()
        };
        let mut state = remember(before, after);
        if state.status == AssessmentStatus::Failed {
            narrow_noted_filter(&mut state.rules, filters.settings);
        }
        ScanCommit {
            scan,
            state,
            changes,
            inventory: None,
        }
    }

    /// Compares with what is remembered. What a baseline accepts is no news; and an image that is
    /// looked at for the first time is compared with its baseline alone.
    fn changes(
        &self,
        before: Option<&ImageState>,
        after: &ImageState,
        filters: Filters,
    ) -> Vec<Change> {
        let filter = filters.image;
        let noted = before.and_then(|before| filter_noted(&before.rules));
        let filter_before = noted
            .filter(|_| filter == filters.settings)
            .unwrap_or(filter);
        let accepted = match self.baseline(&after.name) {
            Baseline::Accepts(accepted) => accepted,
            Baseline::None if !self.lost_baselines.contains_key(&after.name) => {
                return delta_between_filters(before, filter_before, after, filter);
            }
            lost => {
                let changes = delta_between_filters(before, filter_before, after, filter);
                return self.without_baseline(before, after, changes, lost);
            }
        };
        if before.is_none() {
            return delta_to_baseline(&accepted, after, filter);
        }
        let is_accepted = |change: &Change| {
            let finding = change.finding.as_ref();
            change.kind == ChangeKind::New
                && finding.is_some_and(|finding| accepted.contains(&finding.key.vulnerability_id))
        };
        let mut changes = delta_between_filters(before, filter_before, after, filter);
        changes.retain(|change| !is_accepted(change));
        changes
    }

    /// Says what is told of an image whose baseline was lost. It is not taken for empty: what is
    /// remembered counts instead, and where nothing is, what was found is the beginning.
    fn without_baseline(
        &self,
        before: Option<&ImageState>,
        after: &ImageState,
        mut changes: Vec<Change>,
        lost: Baseline,
    ) -> Vec<Change> {
        // An image that never could be judged has not been seen.
        let is_beginning = before.is_none_or(|before| before.database_updated_at.is_empty());
        if is_beginning {
            changes.retain(|change| change.kind != ChangeKind::New);
        }
        if let Baseline::Lost(reason) = lost
            && self.lost_baselines.get(&after.name) != Some(&reason)
        {
            changes.push(Change {
                image: after.name.clone(),
                kind: ChangeKind::BaselineLost {
                    reason,
                    is_beginning,
                },
                cause: Cause::Assessment,
                finding: None,
            });
        }
        changes
    }

    /// Reads what is accepted for an image.
    fn baseline(&self, image: &str) -> Baseline {
        let Some(baselines) = &self.settings.journal.baselines else {
            return Baseline::None;
        };
        match baselines.read(image, self.clock.now()) {
            Ok(Some((_, baseline))) => Baseline::Accepts(baseline.vulnerabilities),
            Ok(None) => Baseline::None,
            Err(error) => {
                let reason = cleanbill_core::error_chain(&error);
                tracing::error!("{reason}");
                Baseline::Lost(reason)
            }
        }
    }

    fn filters_of(&self, image: &WatchedImage) -> Filters {
        Filters {
            settings: self.settings.severities,
            image: self.filter_of(image),
        }
    }

    fn filter_of(&self, image: &WatchedImage) -> SeverityFilter {
        if image.severities.is_empty() {
            self.settings.severities
        } else {
            image.severities.iter().copied().collect()
        }
    }
}

/// What there is of a baseline.
enum Baseline {
    None,
    /// The ids that are accepted.
    Accepts(BTreeSet<String>),
    /// It cannot be read, for this reason.
    Lost(String),
}

/// Which severities count. Labels are those of containers that run: they come and go with each
/// restart, so only what the settings say is held against what they said before.
#[derive(Clone, Copy)]
struct Filters {
    settings: SeverityFilter,
    image: SeverityFilter,
}

impl Filters {
    const fn alike(filter: SeverityFilter) -> Self {
        Self {
            settings: filter,
            image: filter,
        }
    }
}

/// What stands before the severities in the rules of a look.
const SEVERITIES: &str = " severities=";

/// Notes with the rules which severities the settings let through.
fn note_filter(rules: &mut String, filter: SeverityFilter) {
    let passing = Severity::ALL.into_iter().filter(|one| filter.passes(*one));
    let names: Vec<&str> = passing.map(Severity::name).collect();
    rules.push_str(SEVERITIES);
    rules.push_str(&names.join(","));
}

/// Notes a filter after a look that saw nothing, where what is remembered is that of an earlier one:
/// what was to be told then and does not pass now is not told any more, so it is told when it passes
/// again.
fn narrow_noted_filter(rules: &mut String, filter: SeverityFilter) {
    let (Some(noted), Some(at)) = (filter_noted(rules), rules.rfind(SEVERITIES)) else {
        return;
    };
    rules.truncate(at);
    let both = |severity: &Severity| noted.passes(*severity) && filter.passes(*severity);
    note_filter(rules, Severity::ALL.into_iter().filter(both).collect());
}

/// Returns which severities the settings let through at the look that left these rules; `None` if it
/// was one of an earlier version, which did not note them.
pub(super) fn filter_noted(rules: &str) -> Option<SeverityFilter> {
    let (_, names) = rules.rsplit_once(SEVERITIES)?;
    let severities = names.split(',').filter_map(|name| name.parse().ok());
    Some(severities.collect::<SeverityFilter>())
}

/// Says whether an image was judged by these grounds.
pub(super) fn is_judged_by(assessment: &Assessment, grounds: &Grounds) -> bool {
    let rules = assessment.rules.rsplit_once(SEVERITIES);
    let rules = rules.map_or(assessment.rules.as_str(), |(rules, _)| rules);
    assessment.database_updated_at == grounds.database_updated_at && rules == grounds.rules
}

fn circumstances(name: &str, grounds: &Grounds) -> Circumstances {
    Circumstances {
        name: name.to_owned(),
        database_updated_at: grounds.database_updated_at.clone(),
        rules: grounds.rules.clone(),
    }
}
