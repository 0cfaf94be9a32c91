//! The metrics: what there are, how they are written, where their values come from.

mod exposition;
mod families;
mod gather;
mod page;
mod report;

pub(crate) use exposition::CONTENT_TYPE;
pub(crate) use gather::{DURATION_BOUNDS_MS, Moment, Totals, text};
pub use page::page;
pub use report::{ImageMetrics, Judged, OTHERS, ReportMetrics, TextFormat, image_label};

/// Lists the names of all metrics, in their order.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    families::FAMILIES.iter().map(|family| family.name)
}
