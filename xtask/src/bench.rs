//! `cargo xtask bench`: measures scans beside a floor program and, where installed, Trivy and Syft.
//!
//! Everything runs interleaved in one run, and medians are compared: ratios hold on any machine,
//! seconds do not. `docs/benchmark.md` says how to use it.

mod content;
mod debian;
mod engine;
mod files;
pub(crate) mod floor;
mod gate;
mod image;
mod java;
pub(crate) mod judging;
mod layer;
mod memory;
mod places;
pub(crate) mod process;
mod registry;
pub(crate) mod render;
mod report;
mod series;
mod watch;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;

use image::{BenchImage, Shape};
use places::{Place, Tools};
use report::{Check, Report};

/// What `cargo xtask bench` accepts.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Directory of the built images and of everything else that is written [default: target/bench]
    #[arg(long, value_name = "DIR")]
    image_dir: Option<PathBuf>,
    /// Runs of each program; medians count
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: usize,
    /// Write all figures here
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A twentieth of the image: shows that the benchmark works, its figures mean nothing
    #[arg(long)]
    quick: bool,
    /// The image without packages of languages: what is found is the distribution's alone
    #[arg(long, conflicts_with_all = ["memory", "render", "judge", "watch", "gate"])]
    os_only: bool,
    /// Advisory database: a directory with trivy.db and metadata.json [default: a made-up one]
    #[arg(long, value_name = "DIR")]
    db_path: Option<PathBuf>,
    /// Measure only places whose name contains this, with --memory only such layers
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Measure the peak memory of oversized layers instead
    #[arg(long, conflicts_with = "files")]
    memory: bool,
    /// Measure how long a report of 100,000 findings takes in every format instead
    #[arg(long, conflicts_with_all = ["files", "memory"])]
    render: bool,
    /// Measure how long 10,000 stored inventories take against another database instead
    #[arg(long, conflicts_with_all = ["files", "memory", "render"])]
    judge: bool,
    /// Measure `watch` on the local engine instead: alerts, idling, first pass, judging again
    #[arg(long, conflicts_with_all = ["files", "memory", "render", "judge"])]
    watch: bool,
    /// With --watch: alerts of each kind
    #[arg(long, value_name = "N", default_value_t = 40)]
    alerts: usize,
    /// With --watch: seconds of watching while nothing happens
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    idle: u64,
    /// Measure how long the gate takes on a large report, and on a known image in one step, instead
    #[arg(long, conflicts_with_all = ["files", "memory", "render", "judge"])]
    gate: bool,
    /// Check with strace that nothing is written beside the cache and the outputs instead
    #[arg(long)]
    files: bool,
}

/// Runs the benchmark.
pub(crate) fn run(arguments: &BenchArgs) -> anyhow::Result<()> {
    let root = root()?;
    if cfg!(debug_assertions) {
        return run_optimised(&root);
    }
    let directory = arguments
        .image_dir
        .clone()
        .unwrap_or_else(|| root.join("target/bench"));
    std::fs::create_dir_all(&directory)?;
    let tools = Tools::find(&root, &directory, arguments.db_path.as_deref())?;
    let mut report = Report::begin(arguments.runs.max(1))?;
    if arguments.render {
        render::run(&tools, arguments.quick, &mut report)?;
    } else if arguments.gate {
        gate::run(&tools, arguments.quick, &mut report)?;
    } else if arguments.judge {
        judging::run(&tools, arguments.quick, &mut report)?;
    } else if arguments.watch {
        let extent = watch::Extent {
            alerts: arguments.alerts.max(1),
            idle: std::time::Duration::from_secs(arguments.idle.max(1)),
            scale: if arguments.quick { 20 } else { 1 },
        };
        watch::run(&tools, extent, arguments.only.as_deref(), &mut report)?;
    } else if arguments.memory {
        memory::run(
            &tools,
            arguments.quick,
            arguments.only.as_deref(),
            &mut report,
        )?;
    } else {
        tools.add_java_index()?;
        let shape = Shape {
            scale: if arguments.quick { 20 } else { 1 },
            languages: !arguments.os_only,
        };
        let image = BenchImage::obtain(&directory, shape)?;
        if arguments.files {
            files::run(&tools, &image, &mut report)?;
        } else {
            compare(arguments, &tools, &image, &mut report)?;
        }
    }
    report.end()?;
    report.print();
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn compare(
    arguments: &BenchArgs,
    tools: &Tools,
    image: &BenchImage,
    report: &mut Report,
) -> anyhow::Result<()> {
    let is_wanted = |place: &Place| {
        arguments
            .only
            .as_ref()
            .is_none_or(|text| place.name.contains(text.as_str()))
    };
    let mut all = places::local(tools, image);
    all.extend(engine::places(tools, image)?);
    let registry = registry::start(tools, image)?;
    all.extend(
        registry
            .as_ref()
            .map(|registry| registry.places(tools, image))
            .unwrap_or_default(),
    );
    all.retain(is_wanted);
    for measured in series::run(&all, report.runs, tools)? {
        report.add(measured);
    }
    report
        .checks
        .extend(places::checks(&report.series, !arguments.os_only));
    report.checks.push(database_check(tools)?);
    Ok(())
}

/// Measures how long opening the database takes, in this process.
fn database_check(tools: &Tools) -> anyhow::Result<Check> {
    let mut seconds = Vec::new();
    for _ in 0..51 {
        let begin = std::time::Instant::now();
        let database = cleanbill_advisories::Database::open(&tools.database)?;
        seconds.push(begin.elapsed().as_secs_f64());
        drop(database);
    }
    let median = series::median(seconds.into_iter());
    Ok(Check::at_most(
        "opening the database",
        median * 1000.0,
        1.0,
        "ms",
    ))
}

/// Returns the directory of the workspace.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    parent.map(Path::to_owned).context("no parent directory")
}

/// Builds everything with optimisation and goes on there.
pub(crate) fn run_optimised(root: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for package in ["cleanbill", "xtask"] {
        let status = process::command(Path::new(&cargo))
            .args([
                "build",
                "--release",
                "--quiet",
                "--locked",
                "--package",
                package,
            ])
            .current_dir(root)
            .status()
            .context("cannot run cargo")?;
        ensure!(status.success(), "cannot build {package}");
    }
    let status = process::command(&root.join("target/release/xtask"))
        .args(std::env::args_os().skip(1))
        .status()
        .context("cannot run the optimised program")?;
    ensure!(status.success(), "it failed");
    Ok(())
}
