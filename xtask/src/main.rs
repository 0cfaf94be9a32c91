//! Tasks of the repository: generated files and the benchmark.
//!
//! `cargo xtask gen` writes what is generated and committed; with `--check` it fails if anything
//! differs. `cargo xtask bench` measures (see `docs/performance.md`).
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

mod agree;
mod bench;
mod generate;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Tasks of the repository
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write the files that are generated and committed
    Gen {
        /// Fail if any would change, and write nothing
        #[arg(long)]
        check: bool,
    },
    /// Measure scans beside a floor program and, where installed, Trivy and Syft
    Bench(bench::BenchArgs),
    /// Compare with Trivy over a folder of images, and print how far both agree
    Agree(agree::AgreeArgs),
    /// Read, inflate and hash layers: the benchmark's floor (PATH, PATH@OFFSET+LENGTH or http://HOST:PORT/PATH@0+LENGTH)
    Floor {
        #[arg(value_name = "LAYER", required = true)]
        layers: Vec<String>,
    },
    /// Build a report and render it into nothing, for the benchmark
    #[command(hide = true)]
    Render {
        /// The format
        format: String,
        /// The number of findings
        findings: usize,
    },
    /// Judge stored images against a database, for the benchmark
    #[command(hide = true)]
    Judge {
        /// The stored images
        images: PathBuf,
        /// The directory of the advisory database
        database: PathBuf,
        /// Where to write what came out
        outcome: PathBuf,
        /// Images at a time
        threads: usize,
    },
    /// Run a program and print what it cost, for the benchmark
    #[command(hide = true)]
    Measure {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        program: Vec<String>,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Gen { check } => generate::run(check),
        Task::Agree(arguments) => agree::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Floor { layers } => bench::floor::run(&layers),
        Task::Render { format, findings } => bench::render::run_once(&format, findings),
        Task::Judge {
            images,
            database,
            outcome,
            threads,
        } => bench::judging::run_once(&images, &database, &outcome, threads),
        Task::Measure { program } => bench::process::run_measured(&program),
    }
}
