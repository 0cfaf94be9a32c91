//! GitLab's container scanning report.
//!
//! What was not assessed stands in `scan.messages` and, since nobody sees those, as an entry of
//! unknown severity among the vulnerabilities. Suppressed findings (what is excepted, where asked for
//! all) are messages: GitLab would count them.
//!
//! Source: `container-scanning-report-format.json` of GitLab's security report schemas, 15.0.7.

mod cvss;
#[cfg(test)]
mod tests;
mod vulnerability;

use std::io::{self, Write};

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport, SuppressedFinding};
use serde::Serialize;

use super::RenderOptions;
use super::excepted;
use super::json::escape::Escaping;
use super::lazy::Lazy;
use super::words;
use crate::text::clean;
use vulnerability::Vulnerability;

/// The version of the schema.
const SCHEMA_VERSION: &str = "15.0.7";

pub(super) fn render(
    report: &ScanReport,
    image: &ImageReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let findings = || {
        image
            .results
            .iter()
            .flat_map(|result| result.findings.iter().map(move |finding| (result, finding)))
            .map(|(result, finding)| Vulnerability::of(image, result, finding))
    };
    let gaps = || {
        let gaps = words::problems(image).filter(|problem| problem.kind.is_gap());
        gaps.map(|problem| Vulnerability::not_assessed(image, problem))
    };
    let document = Document {
        version: SCHEMA_VERSION,
        scan: Scan::of(report, image, options),
        vulnerabilities: Lazy(|| gaps().chain(findings())),
    };
    serde_json::to_writer_pretty(Escaping(&mut *out), &document)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a, V> {
    version: &'static str,
    scan: Scan<'a>,
    vulnerabilities: V,
}

#[derive(Serialize)]
struct Scan<'a> {
    analyzer: Tool<'a>,
    scanner: Tool<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    start_time: String,
    end_time: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Tool<'a> {
    id: &'static str,
    name: &'static str,
    vendor: Vendor,
    version: &'a str,
}

#[derive(Serialize)]
struct Vendor {
    name: &'static str,
}

#[derive(Serialize)]
struct Message {
    level: &'static str,
    value: String,
}

impl<'a> Scan<'a> {
    fn of(report: &'a ScanReport, image: &ImageReport, options: &'a RenderOptions) -> Self {
        let tool = || Tool {
            id: "cleanbill",
            name: "Cleanbill",
            vendor: Vendor { name: "Cleanbill" },
            version: &options.tool_version,
        };
        let time = words::seconds(&report.created_at).unwrap_or_else(|| words::NO_TIME.to_owned());
        Self {
            analyzer: tool(),
            scanner: tool(),
            kind: "container_scanning",
            start_time: time.clone(),
            end_time: time,
            status: match image.status {
                AssessmentStatus::Failed => "failure",
                _ => "success",
            },
            messages: messages(image, options),
        }
    }
}

fn messages(image: &ImageReport, options: &RenderOptions) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut add = |level, value: String| {
        messages.push(Message {
            level,
            value: clean(&value).into_owned(),
        });
    };
    match image.status {
        AssessmentStatus::Failed => add("fatal", "not assessed (failed)".to_owned()),
        AssessmentStatus::Partial => add("warn", "not assessed completely (partial)".to_owned()),
        AssessmentStatus::Complete => {}
    }
    for problem in words::problems(image) {
        let level = if problem.kind.is_gap() {
            "warn"
        } else {
            "info"
        };
        add(level, words::problem(problem));
    }
    if !options.selection.is_empty() {
        add("info", format!("shown are {}", options.selection));
    }
    match options.show_suppressed {
        true => {
            let suppressed = image.results.iter().flat_map(|result| &result.suppressed);
            suppressed.for_each(|suppressed| add("info", suppressed_text(suppressed)));
        }
        false => excepted::notes(image).for_each(|text| add("info", text)),
    }
    messages
}

fn suppressed_text(suppressed: &SuppressedFinding) -> String {
    format!(
        "suppressed: {} in {}: {}",
        suppressed.finding.vulnerability_id,
        suppressed.finding.package_name,
        words::suppression(suppressed)
    )
}
