//! Measures how long it takes to judge all stored inventories against another database: what a
//! monitor does when its advisories were updated.
//!
//! Everything is made up, the same on every run: a database as large as the published one, and a
//! fleet of images that share bases and popular packages.

mod advisories;
mod catalogue;
pub(crate) mod editions;
mod images;
mod outcome;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::places::Tools;
use super::process::{Cost, Program};
use super::report::{Check, Fact, Report, megabytes};
use super::series::{Series, runs_of};
use outcome::Outcome;

pub(crate) use catalogue::npm_packages;
pub(crate) use outcome::run_once;

/// What is required for the whole fleet.
const SECONDS_MAX: f64 = 30.0;

/// Images of the fleet; `--quick` takes a twentieth.
const IMAGES: usize = 10_000;

/// Directories of what was built.
struct Built {
    database: PathBuf,
    images: PathBuf,
}

/// Measures judging the fleet in processes of their own.
pub(crate) fn run(tools: &Tools, is_quick: bool, report: &mut Report) -> anyhow::Result<()> {
    let scale = if is_quick { 20 } else { 1 };
    let built = build(&tools.directory, scale)?;
    let told = tools.directory.join("judge.json");
    let threads = std::thread::available_parallelism()?.to_string();
    let program = Program::new(
        std::env::current_exe()?,
        [
            "judge".as_ref(),
            built.images.as_os_str(),
            built.database.as_os_str(),
            told.as_os_str(),
            threads.as_ref(),
        ],
    );
    let runs = runs_of(&program, report.runs, &[0], tools)?;
    let outcome = Outcome::read(&told)?;
    let name = format!("{} stored images judged again", outcome.images);
    let series = Series::of_runs(name.clone(), "judge", &program, runs);
    let seconds = series.median.wall_seconds;
    report
        .checks
        .push(Check::at_most(name, seconds, SECONDS_MAX, "s"));
    report.facts = facts(&outcome, &series.median);
    report.add(series);
    Ok(())
}

fn facts(outcome: &Outcome, cost: &Cost) -> Vec<Fact> {
    let (images, packages) = (outcome.images as f64, outcome.packages as f64);
    let (seconds, cpu) = (cost.wall_seconds, cost.cpu_seconds);
    vec![
        Fact::new("images", images, ""),
        Fact::new("packages", packages, ""),
        Fact::new("findings", outcome.findings as f64, ""),
        Fact::new("images a second", images / seconds, ""),
        Fact::new("wall a package", seconds * 1e6 / packages, "µs"),
        Fact::new("processor time a package", cpu * 1e6 / packages, "µs"),
        Fact::new(
            "peak without mapped files",
            megabytes(cost.peak_anonymous_bytes),
            "MB",
        ),
        Fact::new("database", megabytes(outcome.database_size_bytes), "MB"),
        Fact::new(
            "stored inventories",
            megabytes(outcome.inventory_size_bytes),
            "MB",
        ),
    ]
}

/// Builds the database and the fleet, if they are not there yet; a change of a recipe changes their
/// names.
fn build(directory: &Path, scale: usize) -> anyhow::Result<Built> {
    let database = database(directory, scale, &editions::PLAIN)?;
    let images = directory.join(format!("judge-images-{}-{scale}.sqlite", images::RECIPE));
    if !images.exists() {
        println!("building inventories in {} (once)", images.display());
        images::build(&images, IMAGES / scale).context("cannot build the inventories")?;
    }
    Ok(Built { database, images })
}

/// Returns an advisory database as large as the published one, building it if it is not there yet.
pub(crate) fn database(
    directory: &Path,
    scale: usize,
    edition: &editions::Edition,
) -> anyhow::Result<PathBuf> {
    let recipe = advisories::RECIPE;
    let database = directory.join(format!("database-{recipe}-{scale}-{}", edition.name));
    if !database.join("metadata.json").exists() {
        println!("building advisories in {} (once)", database.display());
        advisories::build(&database, scale, edition).context("cannot build the advisories")?;
    }
    Ok(database)
}
