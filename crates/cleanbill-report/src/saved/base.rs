//! The base image of a saved report.

use cleanbill_core::base_image::{BaseAdvice, BaseBasis, BaseImage, Origin};
use cleanbill_core::report::SeverityCounts;
use cleanbill_core::severity::Severity;
use serde::Deserialize;

use super::SavedReportError;
use super::convert::{one_of, optional};

#[derive(Deserialize)]
pub(super) struct Base {
    names: Vec<String>,
    #[serde(default)]
    image_id: String,
    layer_count: Option<u64>,
    basis: String,
    #[serde(default)]
    advice: Vec<Advice>,
}

#[derive(Deserialize)]
struct Advice {
    name: String,
    removed_by_severity: Counts,
    added_by_severity: Counts,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "UPPERCASE")]
struct Counts {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    unknown: u64,
}

pub(super) fn base(members: Base) -> Result<BaseImage, SavedReportError> {
    let advice = members.advice.into_iter().map(|advice| BaseAdvice {
        name: advice.name,
        removed: counts(&advice.removed_by_severity),
        added: counts(&advice.added_by_severity),
    });
    Ok(BaseImage {
        names: members.names,
        image_id: optional("image_id", &members.image_id)?,
        layer_count: members.layer_count,
        basis: one_of("basis", &members.basis, BaseBasis::ALL, BaseBasis::name)?,
        advice: advice.collect(),
    })
}

fn counts(members: &Counts) -> SeverityCounts {
    let mut counts = SeverityCounts::default();
    for (severity, count) in [
        (Severity::Critical, members.critical),
        (Severity::High, members.high),
        (Severity::Medium, members.medium),
        (Severity::Low, members.low),
        (Severity::Unknown, members.unknown),
    ] {
        counts.set(severity, count);
    }
    counts
}

/// Reads the origin of a finding, which may be absent.
pub(super) fn origin(text: &str) -> Result<Option<Origin>, SavedReportError> {
    match text {
        "" => Ok(None),
        text => one_of("origin", text, Origin::ALL, Origin::name).map(Some),
    }
}
