//! Our own schema, versioned.
//!
//! Keys are in snake case except the five severities, which are written as everywhere. Lists are
//! always there; what is not known is left out. A change that could break a reader raises the
//! major version, an addition the minor one.

mod base;
pub(super) mod escape;
mod exception;
mod finding;
pub(super) mod fingerprint;
mod image;
mod package;
mod schema;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{DatabaseInfo, ScanReport, SeverityCounts};
use cleanbill_core::severity::Severity;
use schemars::JsonSchema;
use serde::Serialize;

use super::{RenderOptions, lists_packages, words};
use crate::format::Format;
use exception::Exception;
use image::Image;
pub use schema::json_schema;

/// The version of the schema.
pub(crate) const SCHEMA_VERSION: &str = "1.4";

pub(super) fn render(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    serde_json::to_writer_pretty(escape::Escaping(&mut *out), &Report::of(report, options))?;
    out.write_all(b"\n")
}

/// The outcome of one scan over any number of images.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Cleanbill report", deny_unknown_fields)]
struct Report<'a> {
    /// The version of this schema, `major.minor`.
    schema_version: &'static str,
    /// The identity of the report, a UUID of version 7. Differs from run to run.
    #[serde(skip_serializing_if = "str::is_empty")]
    report_id: &'a str,
    /// When the scan ran, RFC 3339. Differs from run to run.
    #[serde(skip_serializing_if = "str::is_empty")]
    created_at: &'a str,
    /// How many milliseconds the scan took until everything was judged; absent if that is not
    /// known. Differs from run to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    /// What wrote the report.
    tool: Tool<'a>,
    /// The advisory database that was used; absent if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<Database<'a>>,
    /// The name of the image; absent unless the report has exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    /// What the filters let through, in words; absent if everything. Fewer findings are not fewer
    /// vulnerabilities.
    #[serde(skip_serializing_if = "str::is_empty")]
    selection: &'a str,
    /// The severities whose findings the filters left out; absent if none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out_severities: Vec<&'static str>,
    /// How far the images could be assessed: the worst status of any of them.
    status: Status,
    /// Findings of all images, without suppressed ones.
    total_vulnerabilities: u64,
    /// The same by severity.
    severity_summary: SeveritySummary,
    /// What became of each rule of the ignore files, in their order; absent without such a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exceptions: Vec<Exception<'a>>,
    /// One entry per image, in the order asked for.
    images: Vec<Image<'a>>,
}

impl<'a> Report<'a> {
    fn of(report: &'a ScanReport, options: &'a RenderOptions) -> Self {
        let counts = report.severity_counts();
        let parts = image::Parts {
            packages: lists_packages(Format::Json, options),
            suppressed: words::listed(options),
        };
        let status = report.images.iter().map(|image| image.status).max();
        Self {
            schema_version: SCHEMA_VERSION,
            report_id: &options.report_id,
            created_at: &report.created_at,
            duration_ms: report.duration_ms,
            tool: Tool {
                name: "cleanbill",
                version: &options.tool_version,
            },
            database: report.database.as_ref().map(Database::of),
            image: match report.images.as_slice() {
                [image] => Some(&image.artifact_name),
                _ => None,
            },
            selection: &options.selection,
            left_out_severities: report
                .left_out_severities
                .iter()
                .map(|severity| severity.name())
                .collect(),
            status: status.unwrap_or_default().into(),
            total_vulnerabilities: counts.total(),
            severity_summary: SeveritySummary::of(&counts),
            exceptions: report.exceptions.iter().map(Exception::of).collect(),
            images: report
                .images
                .iter()
                .map(|image| Image::of(image, parts))
                .collect(),
        }
    }
}

/// A program.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Tool<'a> {
    /// Its name.
    name: &'static str,
    /// Its version.
    version: &'a str,
}

/// An advisory database.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Database<'a> {
    /// The version of its schema.
    schema_version: i64,
    /// When it was built, RFC 3339.
    #[serde(skip_serializing_if = "str::is_empty")]
    updated_at: &'a str,
    /// When the next build is due, RFC 3339.
    #[serde(skip_serializing_if = "str::is_empty")]
    next_update: &'a str,
    /// When it was fetched, RFC 3339.
    #[serde(skip_serializing_if = "str::is_empty")]
    downloaded_at: &'a str,
    /// Hours between its build and the scan. Differs from run to run.
    age_hours: i64,
    /// The day of the EPSS scores; absent if there were none.
    #[serde(skip_serializing_if = "str::is_empty")]
    epss_date: &'a str,
    /// The release of the KEV catalogue; absent if there was none.
    #[serde(skip_serializing_if = "str::is_empty")]
    kev_release: &'a str,
}

impl<'a> Database<'a> {
    fn of(database: &'a DatabaseInfo) -> Self {
        Self {
            schema_version: database.schema_version,
            updated_at: &database.updated_at,
            next_update: &database.next_update,
            downloaded_at: &database.downloaded_at,
            age_hours: database.age_hours,
            epss_date: &database.epss_date,
            kev_release: &database.kev_release,
        }
    }
}

/// How far something could be assessed.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// Everything that is supported was read and judged.
    Complete,
    /// Something was left out; the problems say what. No findings does not mean clean.
    Partial,
    /// The image could not be opened or judged at all.
    Failed,
}

impl From<AssessmentStatus> for Status {
    fn from(status: AssessmentStatus) -> Self {
        match status {
            AssessmentStatus::Complete => Status::Complete,
            AssessmentStatus::Partial => Status::Partial,
            AssessmentStatus::Failed => Status::Failed,
        }
    }
}

/// Numbers of findings.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(deny_unknown_fields)]
struct SeveritySummary {
    /// Critical ones.
    critical: u64,
    /// High ones.
    high: u64,
    /// Medium ones.
    medium: u64,
    /// Low ones.
    low: u64,
    /// Those that nobody has rated.
    unknown: u64,
}

impl SeveritySummary {
    fn of(counts: &SeverityCounts) -> Self {
        Self {
            critical: counts.get(Severity::Critical),
            high: counts.get(Severity::High),
            medium: counts.get(Severity::Medium),
            low: counts.get(Severity::Low),
            unknown: counts.get(Severity::Unknown),
        }
    }
}
