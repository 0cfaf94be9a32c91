//! Rules: one per vulnerability, one per kind of problem.

use std::collections::HashMap;
use std::rc::Rc;

use cleanbill_core::problem::{Problem, ProblemKind};
use cleanbill_core::report::ImageReport;
use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::Finding;
use serde::Serialize;

use super::super::exploitation::{EpssView, Exploitation, KnownView};
use super::super::words;
use super::help;
use super::text::{Help, Text};
use crate::escape::link::web_address;
use crate::text::{clean, truncate};

/// Columns of a short description: code hosts print it as the title of an alert.
const TITLE_MAX: usize = 200;
/// Columns of a full description.
const DESCRIPTION_MAX: usize = 1_000;

/// The rules of a run, in the order of their first result.
pub(super) struct Rules<'a> {
    problems: Vec<ProblemKind>,
    vulnerabilities: Vec<Entry<'a>>,
    indices: Rc<HashMap<&'a str, usize>>,
}

/// A vulnerability with the worst that one of its findings says of it.
struct Entry<'a> {
    finding: &'a Finding,
    severity: Severity,
    exploitation: Exploitation<'a>,
}

impl<'a> Rules<'a> {
    pub(super) fn of(image: &'a ImageReport, includes_suppressed: bool) -> Self {
        let mut problems: Vec<_> = words::problems(image).map(|problem| problem.kind).collect();
        problems.sort();
        problems.dedup();
        let mut vulnerabilities: Vec<Entry<'a>> = Vec::new();
        let mut indices = HashMap::new();
        for result in &image.results {
            let suppressed = result.suppressed.iter().filter(|_| includes_suppressed);
            let findings = result.findings.iter();
            for finding in findings.chain(suppressed.map(|one| &one.finding)) {
                let index = *indices
                    .entry(finding.vulnerability_id.as_str())
                    .or_insert(vulnerabilities.len());
                match vulnerabilities.get_mut(index) {
                    Some(entry) => entry.add(finding),
                    None => vulnerabilities.push(Entry::of(finding)),
                }
            }
        }
        for index in indices.values_mut() {
            *index += problems.len();
        }
        Self {
            problems,
            vulnerabilities,
            indices: Rc::new(indices),
        }
    }

    /// Returns where the rule of each vulnerability stands.
    pub(super) fn indices(&self) -> Rc<HashMap<&'a str, usize>> {
        Rc::clone(&self.indices)
    }

    /// Returns where the rule of a problem stands.
    pub(super) fn index_of_problem(&self, problem: &Problem) -> Option<usize> {
        self.problems.iter().position(|kind| *kind == problem.kind)
    }

    /// Describes every rule, one at a time.
    pub(super) fn views(rules: &Rc<Self>) -> impl Iterator<Item = RuleView<'a>> + use<'a> {
        let rules = Rc::clone(rules);
        (0..rules.problems.len() + rules.vulnerabilities.len()).filter_map(move |index| match rules
            .problems
            .get(index)
        {
            Some(kind) => Some(RuleView::of_problem(*kind)),
            None => {
                let entry = rules.vulnerabilities.get(index - rules.problems.len())?;
                Some(RuleView::of(entry))
            }
        })
    }
}

impl<'a> Entry<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            finding,
            severity: finding.severity,
            exploitation: Exploitation::of(finding),
        }
    }

    fn add(&mut self, finding: &'a Finding) {
        if finding.severity > self.severity {
            self.finding = finding;
            self.severity = finding.severity;
        }
        self.exploitation = self.exploitation.or_worse(Exploitation::of(finding));
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleView<'a> {
    id: &'a str,
    name: &'static str,
    short_description: Text,
    full_description: Text,
    default_configuration: Configuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'a str>,
    help: Help,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties<'a> {
    precision: &'static str,
    #[serde(rename = "problem.severity", skip_serializing_if = "Option::is_none")]
    problem_severity: Option<&'static str>,
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epss: Option<EpssView<'a>>,
    #[serde(rename = "knownExploited", skip_serializing_if = "Option::is_none")]
    known_exploited: Option<KnownView<'a>>,
    tags: Vec<String>,
}

impl<'a> RuleView<'a> {
    fn of(entry: &Entry<'a>) -> Self {
        let finding = entry.finding;
        let id = finding.vulnerability_id.as_str();
        let title = match words::title(finding) {
            "" => id.to_owned(),
            title => format!("{id}: {title}"),
        };
        Self {
            id,
            name: "VulnerablePackage",
            short_description: Text::new(shortened(&title, TITLE_MAX)),
            full_description: Text::new(match words::description(finding) {
                "" => id.to_owned(),
                description => shortened(description, DESCRIPTION_MAX),
            }),
            default_configuration: Configuration {
                level: level(entry.severity),
            },
            help_uri: web_address(&finding.primary_url),
            help: help::of(finding, entry.severity, entry.exploitation),
            properties: Properties {
                precision: "very-high",
                problem_severity: None,
                security_severity: security_severity(finding, entry.severity),
                epss: entry.exploitation.epss.map(EpssView::from),
                known_exploited: entry.exploitation.known.map(KnownView::from),
                tags: tags(entry),
            },
        }
    }

    fn of_problem(kind: ProblemKind) -> Self {
        let (level, words) = match kind.is_gap() {
            true => ("warning", "Part of the image was not assessed"),
            false => ("note", "Something limits what the result is worth"),
        };
        let text = format!("{words}: {kind}");
        Self {
            id: kind.name(),
            name: "NotAssessed",
            short_description: Text::new(text.clone()),
            full_description: Text::new(format!(
                "{text}. No result does not mean that there is no vulnerability."
            )),
            default_configuration: Configuration { level },
            help_uri: None,
            help: Help {
                markdown: format!("{words}: `{kind}`. No result does not mean *clean*."),
                text: format!("{text}. No result does not mean clean."),
            },
            properties: Properties {
                precision: "very-high",
                problem_severity: Some(if kind.is_gap() {
                    "warning"
                } else {
                    "recommendation"
                }),
                security_severity: None,
                epss: None,
                known_exploited: None,
                tags: vec!["not-assessed".to_owned(), kind.name().to_owned()],
            },
        }
    }
}

fn shortened(text: &str, columns: usize) -> String {
    truncate(clean(text).trim(), columns).into_owned()
}

/// Returns the level of a result.
pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Unknown => "note",
    }
}

/// Returns the number that a code host makes its own severity of: the CVSS score where it falls
/// into the band of our severity, else one in the middle of the band, so that both agree. Nothing
/// for what nobody has rated.
fn security_severity(finding: &Finding, severity: Severity) -> Option<String> {
    let (from, to, middle) = match severity {
        Severity::Critical => (9.0, 10.0, 9.5),
        Severity::High => (7.0, 8.9, 8.0),
        Severity::Medium => (4.0, 6.9, 5.5),
        Severity::Low => (0.1, 3.9, 2.0),
        Severity::Unknown => return None,
    };
    let score = words::cvss(finding)
        .and_then(|(_, cvss)| words::score(cvss))
        .filter(|score| (from..=to).contains(score))
        .unwrap_or(middle);
    Some(format!("{score:.1}"))
}

fn tags(entry: &Entry<'_>) -> Vec<String> {
    let weaknesses = entry
        .finding
        .details
        .iter()
        .flat_map(|details| &details.cwe_ids);
    let weaknesses = weaknesses
        .filter_map(|id| id.strip_prefix("CWE-"))
        .filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|number| format!("external/cwe/cwe-{number}"));
    let is_known = entry.exploitation.known.is_some();
    ["vulnerability", "security", entry.severity.name()]
        .into_iter()
        .chain(is_known.then_some("known-exploited"))
        .map(str::to_owned)
        .chain(weaknesses)
        // A code host takes no more than 20.
        .take(20)
        .collect()
}
