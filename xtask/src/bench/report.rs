//! What the benchmark prints.

use serde::Serialize;

use super::process::Cost;
use super::series::{Series, load};

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// Processor and memory.
    machine: String,
    /// Load averages when the benchmark began and ended.
    load: [String; 2],
    /// Runs of each program.
    pub(crate) runs: usize,
    /// What was run.
    pub(crate) series: Vec<Series>,
    /// What is required.
    pub(crate) checks: Vec<Check>,
    /// What else was found out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) facts: Vec<Fact>,
}

/// A figure that nothing is required of.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fact {
    name: String,
    value: f64,
    unit: &'static str,
}

impl Fact {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
        }
    }
}

/// A figure and what it must not exceed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) limit: f64,
    pub(crate) unit: &'static str,
    pub(crate) is_met: bool,
}

impl Check {
    /// States that a figure must not exceed a limit.
    pub(crate) fn at_most(
        name: impl Into<String>,
        value: f64,
        limit: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            name: name.into(),
            value,
            limit,
            unit,
            is_met: value <= limit,
        }
    }
}

impl Report {
    pub(crate) fn begin(runs: usize) -> anyhow::Result<Self> {
        Ok(Self {
            machine: machine()?,
            load: [load(), String::new()],
            runs,
            series: Vec::new(),
            checks: Vec::new(),
            facts: Vec::new(),
        })
    }

    pub(crate) fn add(&mut self, series: Series) {
        self.series.push(series);
    }

    #[expect(clippy::unnecessary_wraps, reason = "the counterpart of begin")]
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        let [_, end] = &mut self.load;
        *end = load();
        Ok(())
    }

    /// Prints the tables as Markdown.
    pub(crate) fn print(&self) {
        let [begin, end] = &self.load;
        println!(
            "\n{}; load {begin} at the beginning, {end} at the end; {} runs\n",
            self.machine, self.runs
        );
        if !self.series.is_empty() {
            println!("| Place | Program | Wall s | CPU s | Peak MB | Anonymous MB |");
            println!("|---|---|---:|---:|---:|---:|");
        }
        for series in &self.series {
            let Cost {
                wall_seconds,
                cpu_seconds,
                peak_rss_bytes,
                peak_anonymous_bytes,
                ..
            } = series.median;
            println!(
                "| {} | {} | {wall_seconds:.3} | {cpu_seconds:.2} | {:.0} | {:.0} |",
                series.place,
                series.contender,
                megabytes(peak_rss_bytes),
                megabytes(peak_anonymous_bytes),
            );
        }
        if !self.facts.is_empty() {
            println!("\n| Figure | Measured |\n|---|---:|");
        }
        for Fact { name, value, unit } in &self.facts {
            println!("| {name} | {} {unit} |", rounded(*value));
        }
        println!("\n| Required | Measured | At most | |\n|---|---:|---:|---|");
        for check in &self.checks {
            let verdict = if check.is_met { "met" } else { "**missed**" };
            println!(
                "| {} | {:.2} {unit} | {} {unit} | {verdict} |",
                check.name,
                check.value,
                rounded(check.limit),
                unit = check.unit,
            );
        }
    }
}

/// Rounds to two decimals for people.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Converts to units of 1,000,000 bytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn machine() -> anyhow::Result<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    Ok(format!(
        "{} × {}, {} of memory, Linux {}",
        std::thread::available_parallelism()?,
        field(&read("/proc/cpuinfo"), "model name"),
        field(&read("/proc/meminfo"), "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim()
    ))
}
