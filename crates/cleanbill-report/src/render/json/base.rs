//! The base image.

use cleanbill_core::base_image as core;
use cleanbill_core::report::ImageReport;
use schemars::JsonSchema;
use serde::Serialize;

use super::SeveritySummary;

/// The image that an image is built on.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Base<'a> {
    /// What it is called, the best name first.
    names: &'a [String],
    /// The digest of its configuration, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_id: Option<String>,
    /// How many layers are the base's, from the lowest; absent where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    layer_count: Option<u64>,
    /// How it is known: `chain` (its layers are the beginning of the image's), `named` (by
    /// `--base`, and the layers agree) or `declared` (by a label of the image, not verified).
    basis: &'static str,
    /// Findings of packages that the base brings.
    findings_in_base: u64,
    /// Findings of packages that layers above it bring.
    findings_own: u64,
    /// Findings of packages of which no layer is known.
    findings_unknown: u64,
    /// Bases that would be better, the best first.
    advice: Vec<Advice<'a>>,
}

impl<'a> Base<'a> {
    pub(super) fn of(image: &'a ImageReport) -> Option<Self> {
        let base = image.base.as_ref()?;
        let counts = image.origin_counts();
        Some(Self {
            names: &base.names,
            image_id: base.image_id.map(|id| id.to_string()),
            layer_count: base.layer_count,
            basis: base.basis.name(),
            findings_in_base: counts.base,
            findings_own: counts.own,
            findings_unknown: counts.unknown,
            advice: base.advice.iter().map(Advice::of).collect(),
        })
    }
}

/// A base that would be better.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Advice<'a> {
    /// What it is called. A name of the base itself has moved to a newer image.
    name: &'a str,
    /// Findings that would go.
    removed: u64,
    /// The same by severity.
    removed_by_severity: SeveritySummary,
    /// Findings that would come.
    added: u64,
    /// The same by severity.
    added_by_severity: SeveritySummary,
}

impl<'a> Advice<'a> {
    fn of(advice: &'a core::BaseAdvice) -> Self {
        Self {
            name: &advice.name,
            removed: advice.removed.total(),
            removed_by_severity: SeveritySummary::of(&advice.removed),
            added: advice.added.total(),
            added_by_severity: SeveritySummary::of(&advice.added),
        }
    }
}
