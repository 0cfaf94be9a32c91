//! What exceptions would cover each by itself: where several cover a finding, only the first of them
//! takes it out, and the others are not superfluous for that.

use std::collections::BTreeMap;
use std::time::SystemTime;

use cleanbill_core::report::ScanReport;

use super::{Exception, Exceptions, Overlap};
use crate::ignore::{self, IgnoreRules};

/// Exceptions that cover one finding and are compared with each other.
const COMPARED_MAX: usize = 8;

/// The number of a file, and that of an exception in its list.
type Place = (usize, usize);

/// Says how many findings of a report exceptions cover, each by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    counts: BTreeMap<Place, u64>,
    /// Findings that two of them cover, by their places in order.
    pairs: BTreeMap<(Place, Place), u64>,
}

impl Matching {
    /// Holds a report against files, before or after they were applied to it.
    pub fn of(files: &[Exceptions], report: &ScanReport, now: SystemTime) -> Self {
        let rules: Vec<IgnoreRules> = files.iter().map(|file| file.rules().clone()).collect();
        let mut matching = Self::default();
        for image in &report.images {
            ignore::each_cover(image, &rules, now, |places| matching.add(places));
        }
        matching
    }

    fn add(&mut self, places: &[Place]) {
        for place in places {
            *self.counts.entry(*place).or_default() += 1;
        }
        let compared = places.get(..COMPARED_MAX).unwrap_or(places);
        for (number, later) in compared.iter().enumerate() {
            for earlier in compared.iter().take(number) {
                let pair = (*earlier.min(later), *earlier.max(later));
                *self.pairs.entry(pair).or_default() += 1;
            }
        }
    }

    /// Returns how many findings an exception covers, whether another one does so too or not.
    pub fn count(&self, file: usize, index: usize) -> u64 {
        self.counts.get(&(file, index)).copied().unwrap_or(0)
    }

    /// Finds exceptions that name a vulnerability by different ids, of which one says nothing more.
    /// Those that name it alike are for [`super::overlaps`].
    pub fn overlaps(&self, files: &[Exceptions]) -> Vec<Overlap> {
        let get = |(file, index): Place| files.get(file)?.list().get(index);
        let pairs = self.pairs.iter();
        let found = pairs.filter_map(|((earlier, later), both)| {
            let (one, other) = (get(*earlier)?, get(*later)?);
            let is_alias = !one.ids.iter().any(|id| other.ids.contains(id));
            let says_all = |by: &Exception, one: &Exception, place: Place| {
                self.count(place.0, place.1) == *both && by.covers_all_of(one)
            };
            let (redundant, by) = if !is_alias {
                return None;
            } else if says_all(one, other, *later) {
                (*later, *earlier)
            } else if says_all(other, one, *earlier) {
                (*earlier, *later)
            } else {
                return None;
            };
            Some(Overlap {
                redundant,
                by,
                id: get(redundant)?.ids.first()?.clone(),
            })
        });
        found.collect()
    }
}
