//! Verdicts that `gate -f json` wrote.

mod subjects;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use cleanbill_core::report::ScanReport;
use serde::Deserialize;

use super::super::gate::{
    better_base_words, plan_title as plan_title_words, plan_title_of, unfixable_words,
};
use super::Judgement;
use crate::bounded_file;
use crate::error::CommandError;

/// Bytes of a verdict: every finding may stand in it several times.
const SIZE_BYTES_MAX: u64 = 512 << 20;

/// The version that is read.
const SCHEMA_VERSION: u64 = 1;

/// The members that are needed here; others are left out. The writing side is
/// `gate/render/json.rs`.
#[derive(Deserialize)]
struct Document {
    schema_version: u64,
    verdict: Word,
    #[serde(default)]
    images: Vec<String>,
    /// Verdicts of older versions have only the names.
    #[serde(default)]
    judged: Vec<Judged>,
    #[serde(default)]
    rules: Vec<Rule>,
    plan: Option<Plan>,
}

/// An image, told from others of its name.
#[derive(Deserialize)]
struct Judged {
    image: String,
    #[serde(default)]
    image_id: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Word {
    Passed,
    Failed,
    NotJudged,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    rule: String,
    status: Word,
    #[serde(default)]
    message: String,
    #[serde(default)]
    advice: String,
}

#[derive(Deserialize)]
struct Plan {
    #[serde(default)]
    is_enough: bool,
    #[serde(default)]
    is_smallest: bool,
    #[serde(default)]
    upgrades: Vec<Upgrade>,
    #[serde(default)]
    left: BTreeMap<String, u64>,
    base: Option<Base>,
}

#[derive(Deserialize)]
struct Upgrade {
    #[serde(default)]
    image: String,
    name: String,
    installed_version: String,
    fixed_version: String,
}

#[derive(Deserialize)]
struct Base {
    name: String,
    #[serde(default)]
    removed: BTreeMap<String, u64>,
    #[serde(default)]
    added: BTreeMap<String, u64>,
}

/// Reads a verdict about the images of a report.
///
/// # Errors
///
/// The file cannot be read, holds something else, or is about other images.
pub(super) fn read(file: &Path, report: &ScanReport) -> Result<Judgement, CommandError> {
    let bytes = bounded_file::bytes_or_stdin(file, SIZE_BYTES_MAX);
    let document = bytes
        .and_then(|bytes| parse(&bytes))
        .with_context(|| format!("cannot read a verdict from {}", file.display()))
        .map_err(|error| {
            CommandError::usage(error).hint("cleanbill gate … -f json -o FILE writes one")
        })?;
    if let Some(difference) = subjects::difference(&document, report) {
        let text = format!("the verdict in {} is {difference}", file.display());
        return Err(CommandError::usage_text(text)
            .hint("judge these reports first: cleanbill gate REPORT… -o json=FILE"));
    }
    Ok(judgement(document))
}

fn parse(bytes: &[u8]) -> anyhow::Result<Document> {
    let document: Document =
        serde_json::from_slice(bytes).context("it is no verdict of cleanbill gate -f json")?;
    if document.schema_version != SCHEMA_VERSION {
        bail!(
            "schema_version {} is not supported, expected {SCHEMA_VERSION}",
            document.schema_version
        );
    }
    let has_failed_rule = document
        .rules
        .iter()
        .any(|rule| rule.status != Word::Passed);
    if document.verdict == Word::Passed && has_failed_rule {
        bail!("it passes, but some of its rules fail");
    }
    Ok(document)
}

fn judgement(document: Document) -> Judgement {
    let is_several = document.images.len() > 1;
    let failed = document.rules.into_iter();
    let failed: Vec<Rule> = failed.filter(|rule| rule.status != Word::Passed).collect();
    let mut reasons: Vec<String> = failed.iter().map(|rule| rule.message.clone()).collect();
    if document.verdict != Word::Passed && reasons.is_empty() {
        // A failure without a reason stays a failure.
        reasons.push("the gate gives no reason".to_owned());
    }
    let plan_title = document.plan.as_ref().map(|plan| {
        let upgrades = plan.upgrades.len() as u64;
        plan_title_of(upgrades, plan.is_enough, plan.is_smallest)
    });
    let mut plan = document
        .plan
        .map_or_else(Vec::new, |plan| steps(plan, is_several));
    let advice = failed.iter().filter(|rule| !rule.advice.is_empty());
    plan.extend(advice.map(|rule| format!("{}: {}", rule.rule, rule.advice)));
    Judgement {
        reasons,
        plan,
        plan_title: plan_title.unwrap_or_else(|| plan_title_words(None)),
    }
}

/// Lists what the gate lists, in its words and its order.
fn steps(plan: Plan, is_several: bool) -> Vec<String> {
    let left = plan.left.iter();
    let left = left.map(|(rule, too_many)| unfixable_words(rule, *too_many));
    let mut lines: Vec<String> = left.collect();
    lines.extend(plan.upgrades.into_iter().map(|step| {
        let Upgrade {
            image,
            name,
            installed_version,
            fixed_version,
        } = step;
        let place = match is_several {
            true => format!(" in {image}"),
            false => String::new(),
        };
        format!("upgrade {name} from {installed_version} to {fixed_version}{place}")
    }));
    lines.extend(plan.base.map(|base| {
        let total =
            |counts: &BTreeMap<String, u64>| counts.values().copied().fold(0, u64::saturating_add);
        better_base_words(&base.name, total(&base.removed), total(&base.added))
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, reasons: &[&str], plan: &[&str]) {
        let judgement = judgement(parse(text.as_bytes()).unwrap());
        assert_eq!(judgement.reasons, reasons);
        assert_eq!(judgement.plan, plan);
    }

    #[test]
    fn a_verdict_says_what_failed_and_what_to_do() {
        check(
            r#"{"schema_version":1,"verdict":"passed","rules":[{"rule":"critical","status":"passed"}]}"#,
            &[],
            &[],
        );
        check(
            r#"{"schema_version":1,"verdict":"failed","rules":[
                {"rule":"critical","status":"failed","message":"too many","hits":[]},
                {"rule":"high","status":"passed","message":"fine"},
                {"rule":"epss","status":"not_judged","message":"no scores"}],
               "plan":{"upgrades":[{"name":"curl","installed_version":"1","fixed_version":"2"}]}}"#,
            &["too many", "no scores"],
            &["upgrade curl from 1 to 2"],
        );
        check(
            r#"{"schema_version":1,"verdict":"failed"}"#,
            &["the gate gives no reason"],
            &[],
        );
    }

    #[test]
    fn a_plan_that_is_not_enough_says_so_first() {
        let text = r#"{"schema_version":1,"verdict":"failed","images":["a"],"rules":[
            {"rule":"thresholds.critical","status":"failed","message":"too many","hits":[]},
            {"rule":"max_db_age","status":"failed","message":"old","advice":"fetch a newer one"}],
           "plan":{"is_enough":false,"is_smallest":false,"left":{"thresholds.critical":1},
            "base":{"name":"debian:13","removed":{"CRITICAL":2},"added":{},"upgrades":[]},
            "upgrades":[{"image":"a","name":"curl","installed_version":"1","fixed_version":"2"}]}}"#;
        let judgement = judgement(parse(text.as_bytes()).unwrap());
        assert_eq!(
            judgement.plan_title,
            "Upgrading 1 package is not enough to pass"
        );
        assert_eq!(
            judgement.plan,
            [
                "thresholds.critical: 1 finding too many without a fix: wait, replace the package, \
                 or write an exception",
                "upgrade curl from 1 to 2",
                "or build on debian:13, which removes 2 findings",
                "max_db_age: fetch a newer one",
            ]
        );
    }

    #[test]
    fn what_is_no_verdict_is_refused() {
        let refused = |text: &str| match parse(text.as_bytes()) {
            Ok(_) => String::new(),
            Err(error) => format!("{error:#}"),
        };
        assert!(refused("{}").starts_with("it is no verdict"));
        assert!(refused("<html>").starts_with("it is no verdict"));
        assert_eq!(
            refused(r#"{"schema_version":2,"verdict":"passed"}"#),
            "schema_version 2 is not supported, expected 1"
        );
        let text = r#"{"schema_version":1,"verdict":"passed","rules":[{"status":"failed"}]}"#;
        assert_eq!(refused(text), "it passes, but some of its rules fail");
    }
}
