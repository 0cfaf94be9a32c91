//! Several reports on one image, made at different times: its history.

use std::collections::BTreeMap;

use cleanbill_core::report::ImageReport;
use cleanbill_report::{Format, SavedReport, Trend, TrendPoint};

/// Says whether a format shows how an image fared: those that people read as pages. The others say
/// of each report what it says.
pub(super) fn is_shown_by(format: Format) -> bool {
    matches!(format, Format::Html | Format::Markdown)
}

/// Holds which image stands in which report, and when that was made.
pub(super) struct History {
    /// The images of all reports in their order.
    scans: Vec<Scan>,
}

struct Scan {
    name: String,
    created_at: String,
    /// There is a later report on the image.
    is_older: bool,
}

impl History {
    /// Finds the images that stand in several reports of different times. A report that does not
    /// say when it was made is no history.
    pub(super) fn of(reports: &[SavedReport]) -> Self {
        let scans = reports.iter().flat_map(|saved| {
            let images = saved.report.images.iter();
            images.map(|image| Scan {
                name: image.artifact_name.clone(),
                created_at: saved.report.created_at.clone(),
                is_older: false,
            })
        });
        let mut history = Self {
            scans: scans.collect(),
        };
        let mut latest: BTreeMap<String, jiff::Timestamp> = BTreeMap::new();
        for scan in &history.scans {
            if let Some(at) = scan.at() {
                let known = latest.entry(scan.name.clone()).or_insert(at);
                *known = at.max(*known);
            }
        }
        for scan in &mut history.scans {
            let known = latest.get(&scan.name);
            scan.is_older = scan
                .at()
                .is_some_and(|at| known.is_some_and(|last| at < *last));
        }
        history
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.scans.iter().any(|scan| scan.is_older)
    }

    /// Returns how each image with a history fared, by name. The reports are those that the history
    /// was found in.
    pub(super) fn trends(&self, reports: &[SavedReport]) -> Vec<Trend> {
        let mut trends: BTreeMap<&str, Vec<(Option<jiff::Timestamp>, TrendPoint)>> =
            BTreeMap::new();
        for (scan, image) in self.scans.iter().zip(images(reports)) {
            let point = TrendPoint {
                scanned_at: scan.created_at.clone(),
                status: image.status,
                counts: image.severity_counts(),
            };
            let points = trends.entry(&scan.name).or_default();
            points.push((scan.at(), point));
        }
        let has_history = |name: &str| {
            let mut scans = self.scans.iter();
            scans.any(|scan| scan.is_older && scan.name == name)
        };
        trends.retain(|name, _| has_history(name));
        let trend = |(name, mut points): (&str, Vec<_>)| {
            points.sort_by_key(|(at, _): &(Option<jiff::Timestamp>, TrendPoint)| *at);
            Trend {
                image: name.to_owned(),
                points: points.into_iter().map(|(_, point)| point).collect(),
            }
        };
        trends.into_iter().map(trend).collect()
    }

    /// Leaves the latest report on each image.
    pub(super) fn latest(&self, mut reports: Vec<SavedReport>) -> Vec<SavedReport> {
        let mut scans = self.scans.iter();
        for saved in &mut reports {
            let is_kept = |_: &ImageReport| scans.next().is_none_or(|scan| !scan.is_older);
            saved.report.images.retain(is_kept);
        }
        reports.retain(|saved| !saved.report.images.is_empty());
        reports
    }
}

fn images(reports: &[SavedReport]) -> impl Iterator<Item = &ImageReport> {
    reports.iter().flat_map(|saved| &saved.report.images)
}

impl Scan {
    fn at(&self) -> Option<jiff::Timestamp> {
        self.created_at.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(created_at: &str, names: &[&str]) -> SavedReport {
        let image = |name: &&str| ImageReport {
            artifact_name: (*name).to_owned(),
            ..ImageReport::default()
        };
        let mut saved = SavedReport::default();
        saved.report.created_at = created_at.to_owned();
        saved.report.images = names.iter().map(image).collect();
        saved
    }

    fn names(reports: &[SavedReport]) -> Vec<(&str, &str)> {
        let images = reports.iter().flat_map(|saved| {
            let images = saved.report.images.iter();
            images.map(|image| {
                let at = saved.report.created_at.as_str();
                (at, image.artifact_name.as_str())
            })
        });
        images.collect()
    }

    #[test]
    fn the_latest_report_stays_and_the_others_are_history() {
        // Earlier by the clock, and later as a text.
        let early = "2026-11-20T23:00:00+08:00";
        let reports = vec![
            saved("2026-11-20T20:00:00Z", &["a", "b"]),
            saved(early, &["a", "c"]),
            saved("", &["b"]),
        ];
        let history = History::of(&reports);
        let trends = history.trends(&reports);
        let [trend] = trends.as_slice() else {
            panic!("{trends:?}");
        };
        assert_eq!(trend.image, "a");
        let times: Vec<&str> = trend
            .points
            .iter()
            .map(|one| one.scanned_at.as_str())
            .collect();
        assert_eq!(times, [early, "2026-11-20T20:00:00Z"]);
        assert_eq!(
            names(&history.latest(reports)),
            [
                ("2026-11-20T20:00:00Z", "a"),
                ("2026-11-20T20:00:00Z", "b"),
                (early, "c"),
                ("", "b"),
            ]
        );
    }

    #[test]
    fn one_time_is_no_history() {
        let reports = [
            saved("2026-11-20T20:00:00Z", &["a", "a"]),
            saved("", &["a"]),
        ];
        assert!(History::of(&reports).is_empty());
    }
}
