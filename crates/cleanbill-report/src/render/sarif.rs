//! SARIF 2.1.0, as code scanning reads it: a run per image, a rule per vulnerability, a result
//! per finding.
//!
//! What was not assessed is told twice: as notifications of the invocation, which is their place,
//! and as results of rules of their own, since code hosts show results only. What is excepted is a
//! notification only, and where asked for a result with a suppression: code hosts open an alert for
//! each result, suppressed or not.
//!
//! Source: SARIF 2.1.0 (OASIS, 2020); for what a code host takes from it, GitHub's "SARIF support
//! for code scanning".

mod help;
mod location;
mod result;
mod rule;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, Write};

use cleanbill_core::problem::{AssessmentStatus, Problem};
use cleanbill_core::report::{ImageReport, ScanReport};
use serde::Serialize;

use super::excepted;
use super::json::escape::Escaping;
use super::lazy::Lazy;
use super::words::{self, Outcome};
use super::{RenderOptions, json::fingerprint};
use crate::escape::link::RelativeUri;
use crate::layers::Layers;
use result::ResultView;
use rule::Rules;
use text::Text;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The descriptor of notifications on what exceptions cover.
const EXCEPTED: &str = "excepted";

pub(super) fn render(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        version: "2.1.0",
        runs: Lazy(|| {
            let images = report.images.iter();
            images.map(|image| run(report, image, options))
        }),
    };
    serde_json::to_writer_pretty(Escaping(&mut *out), &document)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: R,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a, R, S> {
    tool: Tool<'a, R>,
    invocations: [Invocation<'a>; 1],
    automation_details: AutomationDetails,
    original_uri_base_ids: UriBaseIds,
    results: S,
    column_kind: &'static str,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Tool<'a, R> {
    driver: Driver<'a, R>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a, R> {
    name: &'static str,
    full_name: String,
    version: &'a str,
    rules: R,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time_utc: Option<String>,
    tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
struct Notification<'a> {
    level: &'static str,
    message: Text,
    descriptor: Descriptor<'a>,
}

#[derive(Serialize)]
struct Descriptor<'a> {
    id: &'a str,
}

/// Keeps the alerts of several images apart: a code host takes one run of a tool and category.
#[derive(Serialize)]
struct AutomationDetails {
    id: String,
}

#[derive(Serialize)]
struct UriBaseIds {
    #[serde(rename = "IMAGE_ROOT")]
    root: BaseDescription,
}

#[derive(Serialize)]
struct BaseDescription {
    description: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    image_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_id: Option<String>,
    repo_tags: &'a [String],
    repo_digests: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    distro: Option<String>,
    status: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    selection: &'a str,
}

fn run<'a>(
    report: &'a ScanReport,
    image: &'a ImageReport,
    options: &'a RenderOptions,
) -> impl Serialize + 'a {
    let rules = std::rc::Rc::new(Rules::of(image, options.show_suppressed));
    let listed = std::rc::Rc::clone(&rules);
    Run {
        tool: Tool {
            driver: Driver {
                name: "Cleanbill",
                full_name: "Cleanbill, vulnerabilities of container images".to_owned(),
                version: &options.tool_version,
                rules: Lazy(move || Rules::views(&listed)),
            },
        },
        invocations: [Invocation {
            execution_successful: image.status != AssessmentStatus::Failed,
            end_time_utc: words::seconds(&report.created_at).map(|time| format!("{time}Z")),
            tool_execution_notifications: notifications(image, options),
        }],
        automation_details: AutomationDetails {
            id: format!("cleanbill/{}/", RelativeUri(&image.artifact_name)),
        },
        original_uri_base_ids: UriBaseIds {
            root: BaseDescription {
                description: Text::new(format!("The root of {}", image.artifact_name)),
            },
        },
        results: Lazy(move || results(image, &rules, options)),
        column_kind: "utf16CodeUnits",
        properties: Properties {
            image_name: &image.artifact_name,
            image_id: image.metadata.image_id.map(|id| id.to_string()),
            repo_tags: &image.metadata.repo_tags,
            repo_digests: &image.metadata.repo_digests,
            distro: words::distro(image),
            status: image.status.name(),
            outcome: Outcome::of(image).sentence(),
            selection: &options.selection,
        },
    }
}

fn notifications<'a>(image: &'a ImageReport, options: &RenderOptions) -> Vec<Notification<'a>> {
    let problems = words::problems(image).map(|problem| Notification {
        level: match problem.kind.is_gap() {
            true => "error",
            false => "warning",
        },
        message: Text::new(sentence(problem)),
        descriptor: Descriptor {
            id: problem.kind.name(),
        },
    });
    let mut notifications: Vec<Notification<'a>> = problems.collect();
    // Where they are results they are not said twice.
    if !options.show_suppressed {
        notifications.extend(excepted::notes(image).map(|text| Notification {
            level: "note",
            message: Text::new(text),
            descriptor: Descriptor { id: EXCEPTED },
        }));
    }
    notifications
}

fn sentence(problem: &Problem) -> String {
    let words = if problem.kind.is_gap() {
        "Not assessed"
    } else {
        "Note"
    };
    match problem.path.as_str() {
        "" => format!("{words}: {}", problem.message),
        path => format!("{words}: {path}: {}", problem.message),
    }
}

fn results<'a>(
    image: &'a ImageReport,
    rules: &Rules<'a>,
    options: &'a RenderOptions,
) -> impl Iterator<Item = ResultView<'a>> + use<'a> {
    let layers = std::rc::Rc::new(Layers::of(image));
    let problems = words::problems(image)
        .map(|problem| ResultView::of_problem(image, problem, rules))
        .collect::<Vec<_>>();
    let indices = rules.indices();
    let findings = image.results.iter().flat_map(move |result| {
        let (layers, indices) = (std::rc::Rc::clone(&layers), std::rc::Rc::clone(&indices));
        let suppressed = match options.show_suppressed {
            true => result.suppressed.as_slice(),
            false => &[],
        };
        let findings = result.findings.iter().map(|finding| (finding, None));
        let suppressed = suppressed.iter().map(|one| (&one.finding, Some(one)));
        findings
            .chain(suppressed)
            .map(move |(finding, suppressed)| {
                let index = indices.get(finding.vulnerability_id.as_str()).copied();
                ResultView::of(image, result, finding, suppressed, &layers, index)
            })
    });
    problems.into_iter().chain(findings)
}
