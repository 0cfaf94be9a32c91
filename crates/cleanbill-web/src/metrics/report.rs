//! What saved reports say, as metrics. Pure: everything is an argument.

mod facts;
mod families;
#[cfg(test)]
mod tests;

use cleanbill_core::Severity;
use cleanbill_core::report::ScanReport;

use self::facts::{Facts, State};
use self::families as family;
use super::exposition::{Exposition, Number};
use super::families::Family;

pub use self::facts::image_label;
pub(crate) use self::families::FAMILIES;

/// The value of the label `image` where several are summed up; no image can have this name.
pub const OTHERS: &str = "(others)";

/// Pairs a report with what a gate says of it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The report.
    pub report: &'a ScanReport,
    /// The report lists its suppressed findings; otherwise nobody knows whether there were any.
    pub lists_suppressed: bool,
    /// How many rules of the gate it fails: 0 if it passes, `None` if no gate judged it.
    pub failed_rules: Option<u64>,
}

/// Forms of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextFormat {
    /// The text-based format 0.0.4 of Prometheus.
    #[default]
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// Holds the metrics of reports, by image.
#[derive(Clone, Debug)]
pub struct ReportMetrics {
    images: Vec<Facts>,
}

/// Is the metrics of one image, or of all the others together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageMetrics<'a> {
    /// The value of the label `image`.
    pub image: &'a str,
    /// The text in the format of Prometheus.
    pub text: String,
}

impl ReportMetrics {
    /// Collects them. At most `images_max` images have series of their own, the first by name; the
    /// others are summed up.
    pub fn of(reports: &[Judged<'_>], images_max: usize) -> Self {
        Self {
            images: facts::bounded(facts::collect(reports), images_max),
        }
    }

    /// Names the series of the only image otherwise: what a pipeline builds has another name with
    /// each commit, and is one series all the same.
    ///
    /// # Errors
    ///
    /// There are several images, as many as the error says.
    pub fn named(mut self, name: &str) -> Result<Self, u64> {
        let images = self.images.iter().map(|facts| facts.images).sum();
        if images > 1 {
            return Err(images);
        }
        for facts in &mut self.images {
            facts.label = image_label(name);
        }
        Ok(self)
    }

    /// Returns how many images have no series of their own.
    pub fn summed_up(&self) -> u64 {
        let others = self.images.iter().find(|facts| facts.label == OTHERS);
        others.map_or(0, |facts| facts.images)
    }

    /// Lists the metrics image by image, for those who keep a group for each.
    pub fn by_image(&self) -> impl Iterator<Item = ImageMetrics<'_>> {
        self.images.iter().map(|facts| ImageMetrics {
            image: &facts.label,
            text: write(std::slice::from_ref(facts)),
        })
    }

    /// Writes the metrics of all images as one text.
    pub fn text(&self, format: TextFormat) -> String {
        let mut text = write(&self.images);
        if format == TextFormat::OpenMetrics {
            // All of them are gauges, whose lines are the same in both formats; only the end is
            // marked. Source: OpenMetrics 1.0.0, "ABNF".
            text.push_str("# EOF\n");
        }
        text
    }
}

/// Writes every metric of some images: the series of a metric stand together.
fn write(images: &[Facts]) -> String {
    let mut page = Page {
        text: Exposition::default(),
        images,
    };
    page.counts(&family::IMAGES, |image| Some(image.images));
    page.findings();
    page.counts(&family::VULNERABILITIES, |image| {
        image.if_opened(image.vulnerabilities)
    });
    page.counts(&family::EXPLOITED, Facts::exploited);
    page.counts(&family::ASSESSED, |image| {
        Some(u64::from(image.is_assessed))
    });
    page.counts(&family::END_OF_LIFE, |image| {
        image.if_opened(u64::from(image.is_end_of_life))
    });
    page.counts(&family::GATE_PASSED, |image| {
        Some(u64::from(image.failed_rules? == 0))
    });
    page.counts(&family::GATE_RULES, |image| image.failed_rules);
    page.counts(&family::EXPIRING, |image| image.expiring);
    page.times(&family::NEXT_EXPIRY, |image| image.next_expiry);
    page.times(&family::SCANNED, |image| image.scanned_at);
    page.times(&family::DURATION, |image| image.duration_ms);
    page.times(&family::DATABASE_UPDATED, |image| image.database_updated_at);
    page.text.finish()
}

/// Is the text while it is written, with what it is about.
struct Page<'a> {
    text: Exposition,
    images: &'a [Facts],
}

impl Page<'_> {
    fn findings(&mut self) {
        let rows = self.images.iter().flat_map(|image| {
            let pairs = Severity::ALL
                .into_iter()
                .flat_map(|severity| State::ALL.map(|state| (severity, state)));
            pairs.filter_map(move |(severity, state)| {
                let count = image.findings(state)?.get(severity);
                let labels = [image.label.as_str(), severity.lower_name(), state.name()];
                Some((labels, Number::Count(count)))
            })
        });
        self.text.rows(&family::FINDINGS, rows);
    }

    fn counts(&mut self, family: &Family, count: impl Fn(&Facts) -> Option<u64>) {
        self.rows(family, |image| count(image).map(Number::Count));
    }

    fn times(&mut self, family: &Family, time_ms: impl Fn(&Facts) -> Option<i64>) {
        self.rows(family, |image| time_ms(image).map(Number::Milliseconds));
    }

    fn rows(&mut self, family: &Family, number: impl Fn(&Facts) -> Option<Number>) {
        let rows = self.images.iter().filter_map(|image| {
            let number = number(image)?;
            Some(([image.label.as_str()], number))
        });
        self.text.rows(family, rows);
    }
}
