//! Verdicts that `gate -f json` wrote.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

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
    rules: Vec<Rule>,
    plan: Option<Plan>,
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
    status: Word,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Plan {
    #[serde(default)]
    upgrades: Vec<Upgrade>,
}

#[derive(Deserialize)]
struct Upgrade {
    name: String,
    installed_version: String,
    fixed_version: String,
}

/// Reads a verdict.
///
/// # Errors
///
/// The file cannot be read, or holds something else.
pub(super) fn read(file: &Path) -> Result<Judgement, CommandError> {
    let bytes = bounded_file::bytes_or_stdin(file, SIZE_BYTES_MAX);
    let judgement = bytes.and_then(|bytes| parse(&bytes));
    judgement
        .with_context(|| format!("cannot read a verdict from {}", file.display()))
        .map_err(|error| {
            CommandError::usage(error).hint("cleanbill gate … -f json -o FILE writes one")
        })
}

fn parse(bytes: &[u8]) -> anyhow::Result<Judgement> {
    let document: Document =
        serde_json::from_slice(bytes).context("it is no verdict of cleanbill gate -f json")?;
    if document.schema_version != SCHEMA_VERSION {
        bail!(
            "schema_version {} is not supported, expected {SCHEMA_VERSION}",
            document.schema_version
        );
    }
    let failed = document
        .rules
        .into_iter()
        .filter(|rule| rule.status != Word::Passed);
    let mut reasons: Vec<String> = failed.map(|rule| rule.message).collect();
    match document.verdict {
        Word::Passed if !reasons.is_empty() => bail!("it passes, but some of its rules fail"),
        // A failure without a reason stays a failure.
        Word::Failed | Word::NotJudged if reasons.is_empty() => {
            reasons.push("the gate gives no reason".to_owned());
        }
        _ => {}
    }
    let upgrades = document.plan.into_iter().flat_map(|plan| plan.upgrades);
    let plan = upgrades.map(|step| {
        let Upgrade {
            name,
            installed_version,
            fixed_version,
        } = step;
        format!("upgrade {name} from {installed_version} to {fixed_version}")
    });
    Ok(Judgement {
        reasons,
        plan: plan.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, reasons: &[&str], plan: &[&str]) {
        let judgement = parse(text.as_bytes()).unwrap();
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
    fn what_is_no_verdict_is_refused() {
        let refused = |text: &str| format!("{:#}", parse(text.as_bytes()).unwrap_err());
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
