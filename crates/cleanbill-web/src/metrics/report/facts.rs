//! From reports to what is said of each image.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ExceptionTerms, ImageReport, SeverityCounts};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::super::gather::label;
use super::{Judged, OTHERS};

/// How long before its end an exception counts as expiring.
const EXPIRING_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Tells findings apart; each is in exactly one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It counts, and a newer version of the package is without.
    Fixable,
    /// It counts, and there is no such version yet.
    Unfixed,
    /// Something covers it.
    Excepted,
}

impl State {
    pub(super) const ALL: [State; 3] = [State::Fixable, State::Unfixed, State::Excepted];

    pub(super) const fn name(self) -> &'static str {
        match self {
            State::Fixable => "fixable",
            State::Unfixed => "unfixed",
            State::Excepted => "excepted",
        }
    }
}

/// Is what is said of one image, or of several that are summed up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) label: String,
    pub(super) images: u64,
    /// Somebody could look at it: without, no number would be true.
    is_opened: bool,
    pub(super) is_assessed: bool,
    pub(super) is_end_of_life: bool,
    fixable: SeverityCounts,
    unfixed: SeverityCounts,
    /// `None` if nobody knows.
    excepted: Option<SeverityCounts>,
    pub(super) vulnerabilities: u64,
    /// `None` if nobody knows, because nobody had the catalogue.
    exploited: Option<u64>,
    pub(super) failed_rules: Option<u64>,
    /// Excepted findings whose exception ends soon; `None` if nobody knows them.
    pub(super) expiring: Option<u64>,
    pub(super) next_expiry: Option<i64>,
    /// Milliseconds since 1970, as all times.
    pub(super) scanned_at: Option<i64>,
    pub(super) duration_ms: Option<i64>,
    pub(super) database_updated_at: Option<i64>,
}

/// Collects what reports say, by the names of their images. Of several reports on an image the one
/// that was scanned last counts, the later one in doubt.
pub(super) fn collect<'a>(reports: &[Judged<'a>]) -> BTreeMap<&'a str, Facts> {
    let mut images: BTreeMap<&str, Facts> = BTreeMap::new();
    for judged in reports {
        for image in &judged.report.images {
            let facts = Facts::of(image, judged);
            let known = images.get(image.artifact_name.as_str());
            if known.is_none_or(|known| known.scanned_at <= facts.scanned_at) {
                images.insert(&image.artifact_name, facts);
            }
        }
    }
    images
}

/// Keeps the first images by name and sums up the others. Names that are cut or cleaned may become
/// the same; a text with one series twice is refused, so the second one is among the others.
pub(super) fn bounded(images: BTreeMap<&str, Facts>, images_max: usize) -> Vec<Facts> {
    let mut labels = BTreeSet::from([OTHERS.to_owned()]);
    let (mut own, mut others): (Vec<Facts>, Option<Facts>) = (Vec::new(), None);
    for facts in images.into_values() {
        if own.len() < images_max && labels.insert(facts.label.clone()) {
            own.push(facts);
            continue;
        }
        others = Some(match others {
            None => facts,
            Some(others) => others.and(&facts),
        });
    }
    own.extend(others.map(|others| Facts {
        label: OTHERS.to_owned(),
        ..others
    }));
    own
}

impl Facts {
    fn of(image: &ImageReport, judged: &Judged<'_>) -> Self {
        let (mut fixable, mut unfixed) = (SeverityCounts::default(), SeverityCounts::default());
        let mut ids = BTreeSet::new();
        let mut exploited = 0;
        for finding in image.findings() {
            match finding.fixed_version.as_str() {
                "" => unfixed.add(finding.severity),
                _ => fixable.add(finding.severity),
            }
            ids.insert(finding.vulnerability_id.as_str());
            exploited += u64::from(finding.known_exploited.is_some());
        }
        let suppressed = || image.results.iter().flat_map(|result| &result.suppressed);
        let excepted = suppressed().map(|one| one.finding.severity).collect();
        let scanned_at = milliseconds(&judged.report.created_at);
        let ends = || suppressed().filter_map(|one| end(&one.terms));
        let is_soon =
            |end: &i64| scanned_at.is_some_and(|at| end.saturating_sub(at) <= EXPIRING_MS);
        let expiring = ends().filter(is_soon).count() as u64;
        // Where nothing was looked at there is nothing to leave out.
        let knows_excepted = judged.lists_suppressed || image.results.is_empty();
        let database = judged.report.database.as_ref();
        // What another tool found to be exploited is known without the catalogue.
        let knows_exploited =
            exploited > 0 || database.is_some_and(|database| !database.kev_release.is_empty());
        Self {
            label: image_label(&image.artifact_name),
            images: 1,
            is_opened: image.status != AssessmentStatus::Failed,
            is_assessed: image.status == AssessmentStatus::Complete,
            is_end_of_life: image.is_end_of_life,
            fixable,
            unfixed,
            excepted: knows_excepted.then_some(excepted),
            vulnerabilities: ids.len() as u64,
            exploited: knows_exploited.then_some(exploited),
            failed_rules: judged.failed_rules,
            expiring: knows_excepted.then_some(expiring),
            next_expiry: ends().min(),
            scanned_at,
            duration_ms: (judged.report.duration_ms).and_then(|ms| i64::try_from(ms).ok()),
            database_updated_at: database.and_then(|database| milliseconds(&database.updated_at)),
        }
    }

    /// Returns the findings of a state; `None` if nobody knows them.
    pub(super) fn findings(&self, state: State) -> Option<&SeverityCounts> {
        if !self.is_opened {
            return None;
        }
        match state {
            State::Fixable => Some(&self.fixable),
            State::Unfixed => Some(&self.unfixed),
            State::Excepted => self.excepted.as_ref(),
        }
    }

    /// Returns how many findings are known to be exploited; `None` if nobody knows.
    pub(super) fn exploited(&self) -> Option<u64> {
        self.if_opened(self.exploited?)
    }

    /// Returns a number if somebody could look at the image.
    pub(super) fn if_opened(&self, number: u64) -> Option<u64> {
        self.is_opened.then_some(number)
    }

    /// Sums up two: what is worst of either, and the oldest times.
    fn and(self, other: &Self) -> Self {
        Self {
            label: self.label,
            images: self.images + other.images,
            is_opened: self.is_opened || other.is_opened,
            is_assessed: self.is_assessed && other.is_assessed,
            is_end_of_life: self.is_end_of_life || other.is_end_of_life,
            fixable: sum(&self.fixable, &other.fixable),
            unfixed: sum(&self.unfixed, &other.unfixed),
            excepted: match (&self.excepted, &other.excepted) {
                (Some(a), Some(b)) => Some(sum(a, b)),
                _ => None,
            },
            vulnerabilities: self.vulnerabilities.saturating_add(other.vulnerabilities),
            exploited: (self.exploited.zip(other.exploited)).map(|(a, b)| a.saturating_add(b)),
            failed_rules: self.failed_rules.max(other.failed_rules),
            expiring: (self.expiring.zip(other.expiring)).map(|(a, b)| a.saturating_add(b)),
            next_expiry: oldest(self.next_expiry, other.next_expiry),
            scanned_at: oldest(self.scanned_at, other.scanned_at),
            duration_ms: self.duration_ms.max(other.duration_ms),
            database_updated_at: oldest(self.database_updated_at, other.database_updated_at),
        }
    }
}

/// Returns the value of the label `image` for an image of this name.
pub fn image_label(name: &str) -> String {
    match label(name) {
        // A label without a value is none.
        empty if empty.is_empty() => "(unnamed)".to_owned(),
        label => label,
    }
}

fn sum(a: &SeverityCounts, b: &SeverityCounts) -> SeverityCounts {
    let mut sum = *a;
    for severity in cleanbill_core::Severity::ALL {
        sum.set(severity, a.get(severity).saturating_add(b.get(severity)));
    }
    sum
}

fn oldest(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}

/// Returns when an exception ends: a day ends with its last moment in UTC.
fn end(terms: &ExceptionTerms) -> Option<i64> {
    if let Some(time) = milliseconds(&terms.expires) {
        return Some(time);
    }
    let day: Date = terms.expires.parse().ok()?;
    let after = day.checked_add(1.day()).ok()?;
    let end = after.to_zoned(TimeZone::UTC).ok()?;
    Some(end.timestamp().as_millisecond())
}

fn milliseconds(rfc3339: &str) -> Option<i64> {
    let time: Timestamp = rfc3339.parse().ok()?;
    Some(time.as_millisecond())
}
