//! `--compare-engines`: what the two engines do not agree on.

use std::io::{self, Write};

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::ImageReport;
use cleanbill_engine::{Agreement, Difference, DifferenceKind};

use crate::commands::print;
use crate::error::{CommandError, printable};
use crate::exit::Exit;

/// Collects how far the engines agree.
#[derive(Default)]
pub(super) struct Comparison {
    images: Vec<(String, Outcome)>,
}

enum Outcome {
    Compared(Agreement),
    /// There was nothing to compare; says why.
    Failed(String),
}

impl Comparison {
    /// Compares what the native engine found in a target with what Trivy found.
    pub(super) fn add(&mut self, name: &str, ours: &[ImageReport], theirs: &ImageReport) {
        let failure = |engine: &str, report: &ImageReport| {
            let failed = report.status == AssessmentStatus::Failed;
            let reason = report.problems.first().map(|problem| &problem.message);
            failed.then(|| {
                let reason = reason.map(String::as_str).unwrap_or("it gives no reason");
                format!("{engine} failed: {reason}")
            })
        };
        let outcome = match ours {
            [ours] => failure("the native engine", ours)
                .or_else(|| failure("trivy", theirs))
                .map_or_else(
                    || Outcome::Compared(Agreement::of(ours, theirs)),
                    Outcome::Failed,
                ),
            _ => Outcome::Failed(
                failure("trivy", theirs)
                    .unwrap_or_else(|| "it holds several images; name one of them".to_owned()),
            ),
        };
        self.images.push((name.to_owned(), outcome));
    }

    /// Prints the outcome, and says how the run ends.
    pub(super) fn print(&self) -> Result<Exit, CommandError> {
        let mut text = Vec::new();
        let mut exit = Exit::Clean;
        for (name, outcome) in &self.images {
            match outcome {
                Outcome::Compared(agreement) => {
                    print_agreement(&mut text, name, agreement).map_err(CommandError::usage)?;
                    if !agreement.is_complete() {
                        exit = exit.and(Exit::GateFailed(1));
                    }
                }
                Outcome::Failed(reason) => {
                    let line = format!("{}: not compared: {}", printable(name), printable(reason));
                    writeln!(text, "{line}").map_err(CommandError::usage)?;
                    exit = exit.and(Exit::Incomplete);
                }
            }
        }
        print(&text).map(|printed| exit.and(printed))
    }
}

fn print_agreement(out: &mut impl Write, name: &str, agreement: &Agreement) -> io::Result<()> {
    let Agreement {
        findings_equal,
        packages_equal,
        differences,
    } = agreement;
    let name = printable(name);
    write!(
        out,
        "{name}: {findings_equal} findings and {packages_equal} packages are equal, "
    )?;
    match differences.len() {
        0 => writeln!(out, "nothing differs"),
        1 => writeln!(out, "1 difference"),
        count => writeln!(out, "{count} differences"),
    }?;
    differences
        .iter()
        .try_for_each(|difference| print_difference(out, difference))
}

fn print_difference(out: &mut impl Write, difference: &Difference) -> io::Result<()> {
    let what = match &difference.kind {
        DifferenceKind::OnlyNative => "only native".to_owned(),
        DifferenceKind::OnlyTrivy => "only trivy".to_owned(),
        DifferenceKind::Field {
            field,
            native,
            trivy,
        } => format!("{field}: native '{native}', trivy '{trivy}'"),
    };
    let subject = if difference.vulnerability_id.is_empty() {
        "package".to_owned()
    } else {
        difference.vulnerability_id.clone()
    };
    let line = format!(
        "{subject} in {}: {what}: {}",
        difference.package, difference.reason
    );
    writeln!(out, "  {}", printable(&line))
}
