//! What was there before: baselines, another report, or another image, which is scanned.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::ScanReport;
use cleanbill_monitor::baseline_file::BaselineFile;
use cleanbill_policy::Gate;
use cleanbill_policy::gate::Known;
use cleanbill_report::read_report_outline;
use jiff::Timestamp;

use super::super::Setting;
use super::super::scan::{self, Policy};
use super::REPORT_SIZE_BYTES_MAX;
use crate::bounded_file;
use crate::cli::{self, Command, GateComparisonArgs, ScanArgs, SourceArgs};
use crate::error::CommandError;
use crate::exit::Exit;

/// Gives the gate what the flags name to compare with. Naming something means that only what is
/// new counts.
///
/// # Errors
///
/// Something cannot be read or scanned, or only what is new shall count and nothing is named.
pub(super) fn add(
    setting: &Setting,
    arguments: &GateComparisonArgs,
    gate: &mut Gate,
    now: Timestamp,
) -> Result<(), CommandError> {
    let scan = |image: &str| {
        let words = ["cleanbill", "scan", "--", image].map(OsString::from);
        let parsed = cli::parse(words).map(|cli| cli.command);
        match parsed {
            Ok(Command::Scan(arguments)) => scan_for_comparison(setting, image, &arguments, now),
            _ => Err(CommandError::usage_text(format!(
                "--compare-to {image}: it names no image"
            ))),
        }
    };
    compare_with(arguments, gate, &scan)
}

/// The same for a command that knows how to scan an image.
pub(in crate::commands) fn compare_with(
    arguments: &GateComparisonArgs,
    gate: &mut Gate,
    scan: &dyn Fn(&str) -> Result<ScanReport, CommandError>,
) -> Result<(), CommandError> {
    let mut known = Known::default();
    for file in &arguments.baseline {
        add_file(&mut known, file, "--baseline")?;
    }
    if let Some(name) = &arguments.compare_to {
        match Path::new(name).is_file() || names_a_file(name) {
            true => add_file(&mut known, Path::new(name), "--compare-to")?,
            false => known.add_report(&scan(name)?),
        }
    }
    let is_named = !arguments.baseline.is_empty() || arguments.compare_to.is_some();
    if gate.rules.is_none() && !is_named {
        return Ok(());
    }
    let rules = gate
        .rules
        .get_or_insert_with(cleanbill_policy::gate::Rules::none);
    if rules.only_new && !is_named {
        return Err(
            CommandError::usage_text("only_new: nothing is named to compare with").hint(
                "name a baseline or a report (--baseline FILE), or an image (--compare-to IMAGE)",
            ),
        );
    }
    rules.only_new |= is_named;
    gate.known = Some(known).filter(|_| is_named);
    Ok(())
}

/// Says whether somebody means a file, whether it is there or not: a report that is missing must not
/// be looked for as an image.
fn names_a_file(name: &str) -> bool {
    name == "-" || name.starts_with(['/', '.', '~']) || name.to_ascii_lowercase().ends_with(".json")
}

/// Scans an image to compare with, by the flags of another scan but for what they scan.
///
/// # Errors
///
/// It cannot be scanned, or not completely: then everything that it hides would look new.
pub(in crate::commands) fn scan_for_comparison(
    setting: &Setting,
    image: &str,
    arguments: &ScanArgs,
    now: Timestamp,
) -> Result<ScanReport, CommandError> {
    let source = SourceArgs {
        all: false,
        include_dangling: false,
        container: Vec::new(),
        input: Vec::new(),
        rootfs: Vec::new(),
        sbom: Vec::new(),
        ..arguments.source.clone()
    };
    let mut arguments = ScanArgs {
        images: vec![image.to_owned()],
        source,
        filter: Default::default(),
        verdict: Default::default(),
        ..arguments.clone()
    };
    arguments.detection.base = None;
    let policy = Policy::new(&arguments.filter, &arguments.verdict, now)?;
    let assessed = scan::assess(setting, &arguments, policy, now, false, &|_| Ok(()))?;
    let report = assessed.report;
    let mut failed = report.images.iter();
    if let Some(failed) = failed.find(|image| image.status == AssessmentStatus::Failed) {
        let reason = failed
            .problems
            .first()
            .map(|problem| problem.message.clone());
        let error = anyhow::Error::msg(reason.unwrap_or_default())
            .context(format!("--compare-to {image}: it cannot be scanned"));
        return Err(CommandError::with_exit(Exit::Incomplete, error)
            .hint("name a saved report of it, or what is new cannot be told"));
    }
    if report
        .images
        .iter()
        .any(|image| image.status != AssessmentStatus::Complete)
    {
        tracing::warn!("{image} was not assessed completely: what it hides counts as new");
    }
    Ok(report)
}

/// Adds a baseline of the older scanner, or a saved report.
fn add_file(known: &mut Known, file: &Path, flag: &str) -> Result<(), CommandError> {
    let bytes = bounded_file::bytes_or_stdin(file, REPORT_SIZE_BYTES_MAX)
        .with_context(|| format!("{flag} {}: it cannot be read", file.display()))
        .map_err(CommandError::usage)?;
    let mut added = || -> anyhow::Result<()> {
        match read_report_outline(&bytes) {
            Ok(saved) => {
                if !saved.selection.is_empty() {
                    tracing::warn!(
                        "{} was saved with a filter ({}): what it left out counts as new",
                        file.display(),
                        saved.selection
                    );
                }
                known.add_report(&saved.report);
            }
            Err(error) => match BaselineFile::parse(&bytes) {
                Ok(baseline) => known.add_ids(&baseline.image, baseline.vulnerabilities),
                Err(_) => return Err(error.into()),
            },
        }
        Ok(())
    };
    added()
        .with_context(|| {
            let file = file.display();
            format!("{flag} {file}: it is neither a saved report nor a baseline")
        })
        .map_err(CommandError::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_is_not_taken_for_an_image() {
        for file in [
            "-",
            "./base",
            "/a/b",
            "../base",
            "base.json",
            "out/Base.JSON",
        ] {
            assert!(names_a_file(file), "{file}");
        }
        for image in ["shop/web:1", "alpine", "ghcr.io/a/json:1", "a@sha256:00"] {
            assert!(!names_a_file(image), "{image}");
        }
    }
}
