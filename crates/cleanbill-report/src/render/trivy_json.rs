//! Trivy's JSON schema, version 2, byte for byte.
//!
//! The field order and the rules for leaving fields out are those of the Go types
//! (`pkg/types/report.go`, `pkg/fanal/types`, go-containerregistry `pkg/v1/config.go`), the text
//! form that of Go's encoder. Source: spec 03 section 7.
//!
//! One key is ours: `Cleanbill` at the end, present only where something was not assessed or
//! limits the assessment.

pub(super) mod go;
mod image;
mod others;
mod result;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use cleanbill_core::problem::{AssessmentStatus, Problem};
use cleanbill_core::report::{ImageReport, ScanReport};
use serde::Serialize;

use super::{RenderOptions, lists_packages, words};
use crate::format::Format;
pub(crate) use go::ZERO_TIME;
pub(super) use image::Config;
pub(super) use others::{Others, value};

/// The release of Trivy whose behaviour is followed.
const TRIVY_VERSION: &str = "0.74.0";

pub(super) fn render(
    report: &ScanReport,
    image: &ImageReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let parts = result::Parts {
        packages: lists_packages(Format::TrivyJson, options),
        suppressed: words::listed(options),
    };
    let document = Document {
        schema_version: 2,
        trivy: Tool {
            version: TRIVY_VERSION,
        },
        report_id: &options.report_id,
        created_at: go::time(&report.created_at),
        artifact_id: image.artifact_id(),
        artifact_name: &image.artifact_name,
        artifact_type: image.artifact_type.name(),
        metadata: image::Metadata::of(image),
        results: image
            .results
            .iter()
            .filter_map(|set| result::ResultView::of(set, parts))
            .map(|view| result::AnyResult::Packages(Box::new(view)))
            .chain(
                image
                    .other_results
                    .iter()
                    .map(|text| result::AnyResult::of_text(text)),
            )
            .collect(),
        cleanbill: Assessment::of(image),
        others: Others(&image.others),
    };
    go::write(&document, out)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    schema_version: u8,
    trivy: Tool,
    #[serde(rename = "ReportID", skip_serializing_if = "str::is_empty")]
    report_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(rename = "ArtifactID", skip_serializing_if = "String::is_empty")]
    artifact_id: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    artifact_name: &'a str,
    artifact_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<image::Metadata<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<result::AnyResult<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cleanbill: Option<Assessment<'a>>,
    #[serde(flatten)]
    others: Others<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tool {
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Assessment<'a> {
    status: &'static str,
    problems: Vec<ProblemView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProblemView<'a> {
    kind: &'static str,
    path: &'a str,
    message: &'a str,
}

impl<'a> Assessment<'a> {
    fn of(image: &'a ImageReport) -> Option<Self> {
        if image.status == AssessmentStatus::Complete && image.problems.is_empty() {
            return None;
        }
        let problem = |problem: &'a Problem| ProblemView {
            kind: problem.kind.name(),
            path: &problem.path,
            message: &problem.message,
        };
        Some(Self {
            status: image.status.name(),
            problems: image.problems.iter().map(problem).collect(),
        })
    }
}
