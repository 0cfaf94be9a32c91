//! From what is known to what is shown. Pure: everything is an argument.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::Severity;
use cleanbill_core::report::SeverityCounts;
use cleanbill_report::text::clean;
use cleanbill_store::state::{Activity, ImageRow, MessageState, PassRow, StatusSummary};

use super::exposition::{Buckets, Exposition, Number};
use super::families as family;
use crate::live::Facts;
use crate::scrape::Snapshot;

/// Bounds of the buckets of durations: from an image whose layers are all known to one that is
/// read through an engine's export.
pub(crate) const DURATION_BOUNDS_MS: &[u64] = &[
    10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
];

/// The monitor's word for looks that read nothing: they have no duration.
const JUDGED_AGAIN: &str = "database";

/// What can come of an attempt to deliver, in the words of the state.
const OUTCOMES: [&str; 3] = ["delivered", "retry", "dead"];

/// Characters of an image's name that a label has. Longer ones than registries allow are not worth
/// their room in a database.
const LABEL_CHARS_MAX: usize = 256;

/// Is all that is known at a moment.
#[derive(Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) now: i64,
    pub(crate) all_well_at: i64,
    pub(crate) facts: &'a Facts,
    /// `None` if the state cannot be read.
    pub(crate) snapshot: Option<&'a Snapshot>,
    pub(crate) totals: &'a Totals,
    pub(crate) cache_size_bytes: Option<u64>,
    pub(crate) image_series_max: usize,
}

/// What was counted since the start of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    passes_complete: u64,
    passes_incomplete: u64,
    /// By trigger and status.
    scans: BTreeMap<(String, &'static str), u64>,
    durations: Buckets,
    /// By channel and outcome.
    deliveries: BTreeMap<(String, String), u64>,
}

impl Totals {
    /// Adds what was done since the last time.
    pub(crate) fn add(&mut self, activity: Activity) {
        self.passes_complete += activity.passes_complete;
        self.passes_incomplete += activity.passes_incomplete;
        for scans in activity.scans {
            if scans.triggered_by != JUDGED_AGAIN {
                self.durations
                    .add(&scans.within, scans.count, scans.duration_ms);
            }
            let key = (scans.triggered_by, scans.status.name());
            *self.scans.entry(key).or_default() += scans.count;
        }
        for deliveries in activity.deliveries {
            let key = (deliveries.channel, deliveries.outcome);
            *self.deliveries.entry(key).or_default() += deliveries.count;
        }
    }
}

/// Writes every metric.
pub(crate) fn text(moment: &Moment<'_>) -> String {
    let mut text = Exposition::default();
    process(&mut text, moment);
    places(&mut text, moment);
    if let Some(snapshot) = moment.snapshot {
        images(&mut text, &snapshot.summary);
        single_images(&mut text, snapshot, moment.image_series_max);
    }
    database(&mut text, moment);
    passes(&mut text, moment);
    scans(&mut text, moment.totals);
    messages(&mut text, moment);
    text.finish()
}

fn process(text: &mut Exposition, moment: &Moment<'_>) {
    let facts = moment.facts;
    let version = env!("CARGO_PKG_VERSION");
    text.rows(&family::BUILD_INFO, [([version], Number::Count(1))]);
    text.one(&family::STARTED, Number::Milliseconds(facts.started_at));
    text.one(&family::TICKED, Number::Milliseconds(facts.ticked_at));
    text.one(&family::ALL_WELL, Number::Milliseconds(moment.all_well_at));
    text.one(&family::LOOP_ERRORS, Number::Count(facts.loop_errors));
    text.one(
        &family::EVENTS_CONNECTED,
        facts.events_lost_at.is_none().into(),
    );
    text.one(&family::LOG_ERRORS, Number::Count(facts.log_errors));
}

fn places(text: &mut Exposition, moment: &Moment<'_>) {
    let state = moment.snapshot.map(|snapshot| snapshot.summary.size_bytes);
    text.one(&family::STATE_READABLE, moment.snapshot.is_some().into());
    text.maybe(&family::STATE_SIZE, state.map(Number::Count));
    text.maybe(
        &family::CACHE_SIZE,
        moment.cache_size_bytes.map(Number::Count),
    );
}

fn images(text: &mut Exposition, summary: &StatusSummary) {
    let states = [
        ("complete", summary.images_complete),
        ("partial", summary.images_partial),
        ("failed", summary.images_failed),
        ("not_assessed", summary.images_not_assessed),
    ];
    let rows = states.map(|(state, count)| ([state], Number::Count(count)));
    text.rows(&family::IMAGES, rows);
    text.one(&family::CONTAINERS, Number::Count(summary.containers));
    let rows = severities(&summary.findings);
    text.rows(
        &family::FINDINGS,
        rows.map(|(severity, count)| ([severity], count)),
    );
}

/// Writes series of the first images by name: which have some does not change from one scrape to
/// the next while the images are the same. An image that nobody could look at has no number of
/// findings, because it would read like "none".
fn single_images(text: &mut Exposition, snapshot: &Snapshot, series_max: usize) {
    if series_max == 0 {
        return;
    }
    let watched = || snapshot.images.iter().filter(|row| row.gone_at.is_none());
    // Names that are cut or cleaned may become the same; a scrape with one twice is refused.
    let mut labels = BTreeSet::new();
    let shown: Vec<(String, &ImageRow)> = watched()
        .map(|row| (label(&row.name), row))
        .filter(|(label, _)| labels.insert(label.clone()))
        .take(series_max)
        .collect();
    let assessed = shown.iter().map(|(label, row)| {
        let assessment = row.assessment.as_ref();
        let is_complete = assessment.is_some_and(|one| one.status.name() == "complete");
        ([label.as_str()], is_complete.into())
    });
    text.rows(&family::IMAGE_ASSESSED, assessed);
    let findings = shown.iter().filter_map(|(label, row)| {
        let counts = severities(&row.assessment.as_ref()?.counts);
        Some(counts.map(|(severity, count)| ([label.as_str(), severity], count)))
    });
    text.rows(&family::IMAGE_FINDINGS, findings.flatten());
    let omitted = watched().count().saturating_sub(shown.len());
    text.one(&family::IMAGES_OMITTED, Number::Count(omitted as u64));
}

/// Returns the name of an image as the value of a label.
pub(super) fn label(name: &str) -> String {
    clean(name).chars().take(LABEL_CHARS_MAX).collect()
}

fn database(text: &mut Exposition, moment: &Moment<'_>) {
    let updated_at = moment.facts.database_updated_at;
    text.maybe(
        &family::DATABASE_UPDATED,
        updated_at.map(Number::Milliseconds),
    );
    let age = updated_at.map(|at| age(moment.now, at));
    text.maybe(&family::DATABASE_AGE, age);
}

fn passes(text: &mut Exposition, moment: &Moment<'_>) {
    let totals = moment.totals;
    let outcomes = [
        ("complete", totals.passes_complete),
        ("incomplete", totals.passes_incomplete),
    ];
    let rows = outcomes.map(|(outcome, count)| ([outcome], Number::Count(count)));
    text.rows(&family::PASSES, rows);
    let facts = moment.facts;
    text.one(&family::PASS_RUNNING, facts.pass_begun_at.is_some().into());
    text.maybe(
        &family::PASS_NEXT,
        facts.next_pass_at.map(Number::Milliseconds),
    );
    let Some(snapshot) = moment.snapshot else {
        return;
    };
    let last = snapshot.summary.last_finished_pass.as_ref();
    let finished_at = last.and_then(|pass| pass.finished_at);
    text.maybe(
        &family::PASS_FINISHED,
        finished_at.map(Number::Milliseconds),
    );
    let succeeded_at = snapshot.pass_succeeded_at;
    text.maybe(
        &family::PASS_SUCCEEDED,
        succeeded_at.map(Number::Milliseconds),
    );
    text.maybe(&family::PASS_DURATION, last.and_then(duration));
}

fn duration(pass: &PassRow) -> Option<Number> {
    pass.finished_at
        .map(|finished_at| age(finished_at, pass.started_at))
}

fn scans(text: &mut Exposition, totals: &Totals) {
    let rows = totals.scans.iter();
    text.rows(
        &family::SCANS,
        rows.map(|((trigger, status), count)| ([trigger.as_str(), status], Number::Count(*count))),
    );
    text.histogram(
        &family::SCAN_DURATION,
        DURATION_BOUNDS_MS,
        &totals.durations,
    );
}

fn messages(text: &mut Exposition, moment: &Moment<'_>) {
    if let Some(snapshot) = moment.snapshot {
        let summary = &snapshot.summary;
        text.one(
            &family::CHANGES_UNTOLD,
            Number::Count(summary.changes_untold),
        );
        let states = [
            (MessageState::Pending, summary.messages_pending),
            (MessageState::Dead, summary.messages_dead),
        ];
        let rows = states.map(|(state, count)| ([state.name()], Number::Count(count)));
        text.rows(&family::MESSAGES, rows);
        let oldest = summary.oldest_pending_at.unwrap_or(moment.now);
        text.one(&family::OLDEST_PENDING, age(moment.now, oldest));
    }
    deliveries(text, moment);
    let delivered_at = moment
        .snapshot
        .and_then(|snapshot| snapshot.summary.last_delivered_at);
    text.maybe(&family::DELIVERED, delivered_at.map(Number::Milliseconds));
}

/// Writes what was delivered. Channels that there are begin at 0, so that the first failure is a
/// growth that can be seen.
fn deliveries(text: &mut Exposition, moment: &Moment<'_>) {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for channel in &moment.facts.channels {
        for outcome in OUTCOMES {
            counts.insert((channel, outcome), 0);
        }
    }
    for ((channel, outcome), count) in &moment.totals.deliveries {
        counts.insert((channel, outcome), *count);
    }
    let rows = counts.into_iter();
    text.rows(
        &family::DELIVERIES,
        rows.map(|((channel, outcome), count)| ([channel, outcome], Number::Count(count))),
    );
}

fn severities(counts: &SeverityCounts) -> [(&'static str, Number); 5] {
    Severity::ALL.map(|severity| (severity.lower_name(), Number::Count(counts.get(severity))))
}

/// Returns how long ago something was; nothing is in the future, but clocks are set.
fn age(now: i64, at: i64) -> Number {
    Number::Milliseconds(now.saturating_sub(at).max(0))
}
