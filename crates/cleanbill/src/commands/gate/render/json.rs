//! The verdict for programs. What is added raises nothing; what is changed or removed raises
//! `schema_version`.

use std::collections::BTreeMap;

use cleanbill_core::Severity;
use cleanbill_core::report::{ScanReport, SeverityCounts};
use cleanbill_policy::gate::{Hit, RuleOutcome};
use cleanbill_policy::upgrade::{BaseUpgrade, Upgrade, UpgradePlan};
use cleanbill_report::listing::terminal_json;
use serde::Serialize;

use super::super::words;
use super::View;

const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    /// `passed` or `failed`.
    verdict: &'static str,
    exit_code: u8,
    /// The file of the rules; absent without one.
    #[serde(skip_serializing_if = "str::is_empty")]
    rules_file: &'a str,
    images: Vec<&'a str>,
    /// The same with what tells images of one name apart.
    judged: Vec<Judged<'a>>,
    /// The findings that counted.
    counted: Counts,
    rules: Vec<Rule<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Plan<'a>>,
    /// The findings that exceptions cover: they did not count.
    excepted: Vec<Excepted<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Judged<'a> {
    image: &'a str,
    /// The digest of its configuration; absent if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_id: Option<String>,
}

type Counts = BTreeMap<&'static str, u64>;

#[derive(Serialize)]
struct Rule<'a> {
    rule: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// `passed`, `failed` or `not_judged`.
    status: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    advice: &'a str,
    /// What it failed on.
    hits: Vec<RuleHit<'a>>,
}

#[derive(Serialize)]
struct Excepted<'a> {
    image: &'a str,
    id: &'a str,
    severity: &'a str,
    package: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    installed_version: &'a str,
    reason: &'a str,
    /// The file and the line.
    source: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    owner: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    ticket: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    expires: &'a str,
}

#[derive(Serialize)]
struct RuleHit<'a> {
    image: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    severity: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    package: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    installed_version: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    fixed_version: &'a str,
}

#[derive(Serialize)]
struct Plan<'a> {
    /// With all upgrades the gate passes.
    is_enough: bool,
    /// No fewer upgrades would do.
    is_smallest: bool,
    upgrades: Vec<Step<'a>>,
    /// Rules that fail even then, and by how many findings.
    left: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Base<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    image: &'a str,
    kind: &'a str,
    name: &'a str,
    packages: Vec<&'a str>,
    installed_version: &'a str,
    fixed_version: &'a str,
    findings: u64,
    severity: &'static str,
}

#[derive(Serialize)]
struct Base<'a> {
    name: &'a str,
    removed: Counts,
    added: Counts,
    upgrades: Vec<Step<'a>>,
}

pub(super) fn render(view: &View<'_>) -> Result<String, serde_json::Error> {
    let View {
        verdict,
        report,
        rules,
        notes,
    } = *view;
    let images = report.images.iter();
    let judged = images.clone().map(|image| Judged {
        image: &image.artifact_name,
        image_id: image.metadata.image_id.map(|id| id.to_string()),
    });
    terminal_json(&Document {
        schema_version: SCHEMA_VERSION,
        verdict: if verdict.failed { "failed" } else { "passed" },
        exit_code: verdict.exit_code,
        rules_file: rules,
        images: images.map(|image| image.artifact_name.as_str()).collect(),
        judged: judged.collect(),
        counted: counts(&verdict.counts),
        rules: verdict.rules.iter().map(|one| rule(one, report)).collect(),
        plan: verdict.plan.as_ref().map(|one| plan(one, report)),
        excepted: excepted(report),
        notes,
    })
}

fn excepted(report: &ScanReport) -> Vec<Excepted<'_>> {
    let list = words::excepted(report).into_iter();
    list.map(|(image, one)| Excepted {
        image: &image.artifact_name,
        id: &one.finding.vulnerability_id,
        severity: one.finding.severity.name(),
        package: &one.finding.package_name,
        path: &one.finding.package_path,
        installed_version: &one.finding.installed_version,
        reason: &one.statement,
        source: &one.source,
        owner: &one.terms.owner,
        ticket: &one.terms.ticket,
        expires: &one.terms.expires,
    })
    .collect()
}

fn counts(counts: &SeverityCounts) -> Counts {
    let severities = Severity::ALL.into_iter();
    severities
        .map(|severity| (severity.name(), counts.get(severity)))
        .collect()
}

fn rule<'a>(outcome: &'a RuleOutcome, report: &'a ScanReport) -> Rule<'a> {
    Rule {
        rule: outcome.kind.name(),
        line: outcome.line,
        status: outcome.status.name(),
        message: &outcome.message,
        advice: &outcome.advice,
        hits: outcome.hits.iter().map(|one| hit(one, report)).collect(),
    }
}

fn hit<'a>(hit: &Hit, report: &'a ScanReport) -> RuleHit<'a> {
    let nothing = RuleHit {
        image: image(report, hit.image()),
        id: "",
        severity: "",
        package: "",
        path: "",
        installed_version: String::new(),
        fixed_version: "",
    };
    match hit {
        Hit::Finding(place) => match place.find(report) {
            Some((_, _, finding)) => RuleHit {
                id: &finding.vulnerability_id,
                severity: finding.severity.name(),
                package: &finding.package_name,
                path: &finding.package_path,
                installed_version: finding.installed_version.clone(),
                fixed_version: &finding.fixed_version,
                ..nothing
            },
            None => nothing,
        },
        Hit::Package(place) => match place.find(report) {
            Some((_, _, package)) => RuleHit {
                package: &package.name,
                path: &package.file_path,
                installed_version: package.installed_version(),
                ..nothing
            },
            None => nothing,
        },
        Hit::Image(_) => nothing,
    }
}

fn image(report: &ScanReport, number: usize) -> &str {
    let image = report.images.get(number);
    image.map_or("", |image| image.artifact_name.as_str())
}

fn plan<'a>(plan: &'a UpgradePlan, report: &'a ScanReport) -> Plan<'a> {
    let left = plan.left.iter();
    Plan {
        is_enough: plan.left.is_empty(),
        is_smallest: plan.is_smallest,
        upgrades: steps(&plan.upgrades, report),
        left: left.map(|left| (left.rule.name(), left.too_many)).collect(),
        base: plan.base.as_ref().map(|one| base(one, report)),
    }
}

fn steps<'a>(upgrades: &'a [Upgrade], report: &'a ScanReport) -> Vec<Step<'a>> {
    let step = |upgrade: &'a Upgrade| Step {
        image: image(report, upgrade.image),
        kind: &upgrade.kind,
        name: &upgrade.name,
        packages: upgrade.packages.iter().map(String::as_str).collect(),
        installed_version: &upgrade.installed,
        fixed_version: &upgrade.fixed,
        findings: upgrade.findings,
        severity: upgrade.severity.name(),
    };
    upgrades.iter().map(step).collect()
}

fn base<'a>(base: &'a BaseUpgrade, report: &'a ScanReport) -> Base<'a> {
    Base {
        name: &base.name,
        removed: counts(&base.removed),
        added: counts(&base.added),
        upgrades: steps(&base.upgrades, report),
    }
}
