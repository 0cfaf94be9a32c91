//! Measures the gate: judging a large saved report with many exceptions, and judging a known image
//! again in one step.

use std::fmt::Write as _;
use std::path::Path;

use cleanbill_report::{Format, RenderOptions};

use super::image::{BenchImage, Shape};
use super::places::Tools;
use super::process::{Cost, Program};
use super::report::{Check, Fact, Report, megabytes};
use super::series::{Series, runs_of};
use super::{judging, render};

/// What is required of the gate on a saved report.
const SAVED_MS_MAX: f64 = 200.0;

/// What is required of a scan of a known image with rules.
const KNOWN_MS_MAX: f64 = 300.0;

const FINDINGS: usize = 20_000;
const EXCEPTIONS: usize = 2_000;

const RULES: &str = "\
version: 1
thresholds: {critical: 0, high: 10, total: 100}
incomplete: allow
";

/// Exit statuses of a verdict.
const JUDGED: &[i32] = &[0, 1];

/// Measures both in processes of their own.
pub(crate) fn run(tools: &Tools, is_quick: bool, report: &mut Report) -> anyhow::Result<()> {
    let scale = if is_quick { 20 } else { 1 };
    let directory = tools.directory.join("gate");
    std::fs::create_dir_all(&directory)?;
    let rules = directory.join("gate.yaml");
    std::fs::write(&rules, RULES)?;
    saved(tools, &directory, &rules, scale, report)?;
    known(tools, &directory, &rules, scale, report)
}

fn saved(
    tools: &Tools,
    directory: &Path,
    rules: &Path,
    scale: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (findings, count) = (FINDINGS / scale, EXCEPTIONS / scale);
    let (saved, exceptions) = (
        directory.join("report.json"),
        directory.join("exceptions.yaml"),
    );
    let mut json = Vec::new();
    let options = RenderOptions::default();
    cleanbill_report::render(Format::Json, &render::report(findings), &options, &mut json)?;
    std::fs::write(&saved, &json)?;
    report.facts.push(Fact::new(
        "saved report",
        megabytes(json.len() as u64),
        "MB",
    ));
    std::fs::write(&exceptions, exceptions_of(count)?)?;
    let program = Program::new(
        &tools.cleanbill,
        [
            "gate".as_ref(),
            saved.as_os_str(),
            "--config".as_ref(),
            rules.as_os_str(),
            "--exceptions".as_ref(),
            exceptions.as_os_str(),
        ],
    );
    let name = format!("gate on {findings} findings with {count} exceptions");
    measure(tools, &program, name, SAVED_MS_MAX, report)
}

fn exceptions_of(count: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    for number in 0..count {
        writeln!(
            text,
            "- id: CVE-2099-{number:05}\n  package: libpackage-*\n  reason: accepted in review \
             {number}\n  owner: team-{}\n  expires: 2999-12-31",
            number % 20
        )?;
    }
    Ok(text)
}

fn known(
    tools: &Tools,
    directory: &Path,
    rules: &Path,
    scale: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let database = judging::database(&tools.directory, scale, &judging::editions::PLAIN)?;
    let shape = Shape {
        scale,
        languages: true,
    };
    let image = BenchImage::obtain(&tools.directory, shape)?.gzip_layout;
    let cache = directory.join("cache");
    let program = Program::new(
        &tools.cleanbill,
        [
            "scan".as_ref(),
            "--skip-db-update".as_ref(),
            "--db-path".as_ref(),
            database.as_os_str(),
            "--cache-dir".as_ref(),
            cache.as_os_str(),
            "--input".as_ref(),
            image.as_os_str(),
            "--policy".as_ref(),
            rules.as_os_str(),
            "--output".as_ref(),
            "json=/dev/null".as_ref(),
        ],
    );
    let name = "known image judged by rules in one step".to_owned();
    measure(tools, &program, name, KNOWN_MS_MAX, report)
}

fn measure(
    tools: &Tools,
    program: &Program,
    name: String,
    ms_max: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let runs = runs_of(program, report.runs, JUDGED, tools)?;
    let series = Series::of_runs(name.clone(), "cleanbill", program, runs);
    let Cost {
        wall_seconds,
        peak_anonymous_bytes,
        ..
    } = series.median;
    report.facts.push(Fact::new(
        format!("{name}: peak without mapped files"),
        megabytes(peak_anonymous_bytes),
        "MB",
    ));
    let ms = wall_seconds * 1_000.0;
    report.checks.push(Check::at_most(name, ms, ms_max, "ms"));
    report.add(series);
    Ok(())
}
