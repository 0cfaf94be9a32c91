//! Results: one per finding, one per problem.

use cleanbill_core::Digest;
use cleanbill_core::problem::Problem;
use cleanbill_core::report::{ImageReport, ResultSet, SuppressedFinding};
use cleanbill_core::vulnerability::Finding;
use serde::Serialize;

use super::super::{exploitation, words};
use super::location::Location;
use super::rule::{Rules, level};
use super::text::{Text, plain};
use super::{fingerprint, sentence};
use crate::escape::link::web_address;
use crate::layers::Layers;
use crate::text::clean;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultView<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<[Suppression; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties<'a>>,
}

/// What tells a result from others whatever else changes. The first is the one that GitHub looks
/// at; it expects the hash of a line there and takes any text.
#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "primaryLocationLineHash")]
    line_hash: String,
    #[serde(rename = "cleanbillFinding/v1")]
    finding: String,
}

impl Fingerprints {
    fn new(identity: String) -> Self {
        let hash = identity.rsplit(':').next().unwrap_or_default();
        Self {
            line_hash: format!("{}:1", hash.get(..16).unwrap_or(hash)),
            finding: identity,
        }
    }
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    package: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    installed_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    fixed_version: &'a str,
    status: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    severity_source: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer_index: Option<usize>,
    #[serde(skip_serializing_if = "str::is_empty")]
    layer_created_by: &'a str,
}

impl<'a> ResultView<'a> {
    pub(super) fn of(
        image: &ImageReport,
        result: &'a ResultSet,
        finding: &'a Finding,
        suppressed: Option<&SuppressedFinding>,
        layers: &Layers<'a>,
        rule_index: Option<usize>,
    ) -> Self {
        let layer = finding.layer.and_then(|layer| layers.find(&layer));
        let purl = finding.package_identifier.purl.as_ref();
        Self {
            rule_id: &finding.vulnerability_id,
            rule_index,
            level: level(finding.severity),
            message: Text::made(message(finding)),
            locations: [Location::of_package(image, finding)],
            partial_fingerprints: Fingerprints::new(fingerprint::of(&result.kind, finding)),
            suppressions: suppressed.map(|suppressed| [Suppression::of(suppressed)]),
            properties: Some(Properties {
                package: &finding.package_name,
                purl: purl.map(ToString::to_string),
                installed_version: &finding.installed_version,
                fixed_version: &finding.fixed_version,
                status: finding.status.name(),
                severity: finding.severity.name(),
                severity_source: &finding.severity_source,
                target: &result.target,
                layer: finding.layer.map(|layer| layer.diff_id.to_string()),
                layer_index: layer.map(|(index, _)| index),
                layer_created_by: layer.map(|(_, line)| line).unwrap_or_default(),
            }),
        }
    }

    pub(super) fn of_problem(image: &ImageReport, problem: &Problem, rules: &Rules<'_>) -> Self {
        let kind = problem.kind.name();
        let identity = [
            "cleanbill-problem-v1",
            kind,
            &problem.path,
            &problem.message,
        ];
        Self {
            rule_id: kind,
            rule_index: rules.index_of_problem(problem),
            level: if problem.kind.is_gap() {
                "warning"
            } else {
                "note"
            },
            message: Text::new(sentence(problem)),
            locations: [Location::of_path(image, &problem.path)],
            partial_fingerprints: Fingerprints::new(
                Digest::of(identity.join("\0").as_bytes()).to_string(),
            ),
            suppressions: None,
            properties: None,
        }
    }
}

impl Suppression {
    fn of(suppressed: &SuppressedFinding) -> Self {
        Self {
            kind: "external",
            status: "accepted",
            justification: clean(&words::suppression(suppressed)).into_owned(),
        }
    }
}

fn message(finding: &Finding) -> String {
    let fix = match finding.fixed_version.as_str() {
        "" => format!("no fix ({})", words::fix_status(finding.status)),
        fixed => format!("fixed in {fixed}"),
    };
    let mut message = plain(&format!(
        "{} {}: {}, {fix}{}",
        finding.package_name,
        finding.installed_version,
        finding.severity,
        exploitation::mark(finding)
    ));
    let title = words::title(finding);
    if !title.is_empty() {
        message.push_str(&format!("\n{}", plain(&clean(title))));
    }
    let id = plain(&finding.vulnerability_id);
    match web_address(&finding.primary_url) {
        // A closing parenthesis would end the link.
        Some(url) if !url.contains(['(', ')']) => message.push_str(&format!("\n[{id}]({url})")),
        _ => message.push_str(&format!("\n{id}")),
    }
    message
}
