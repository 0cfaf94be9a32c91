//! Runs everything in turn, and takes medians.

use std::path::Path;

use serde::Serialize;

use super::places::{Place, Tools};
use super::process::{Cost, Program};

/// The runs of one program at one place.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Series {
    /// Where the image lies.
    pub(crate) place: String,
    /// What was run.
    pub(crate) contender: String,
    /// The command line.
    pub(crate) command: String,
    /// The median of every figure, each for itself; of peaks the largest.
    pub(crate) median: Cost,
    /// Every run.
    pub(crate) runs: Vec<Cost>,
}

impl Series {
    /// Sums up runs of one program.
    pub(crate) fn of_runs(
        place: String,
        contender: &str,
        program: &Program,
        runs: Vec<Cost>,
    ) -> Self {
        Self {
            place,
            contender: contender.to_owned(),
            command: program.line(),
            median: summary(&runs),
            runs,
        }
    }
}

/// Runs every program of every place in turn, `runs` times.
pub(crate) fn run(places: &[Place], runs: usize, tools: &Tools) -> anyhow::Result<Vec<Series>> {
    let log = tools.directory.join("last-run.log");
    let mut all: Vec<Series> = places
        .iter()
        .flat_map(|place| {
            place.contenders.iter().map(|contender| Series {
                place: place.name.clone(),
                contender: contender.name.to_owned(),
                command: contender.program.line(),
                median: Cost::default(),
                runs: Vec::new(),
            })
        })
        .collect();
    for number in 0..=runs {
        // The first round fills caches, the page cache among them, and does not count.
        println!("round {number} of {runs}, load {}", load());
        let contenders = places.iter().flat_map(|place| &place.contenders);
        for (contender, series) in contenders.zip(&mut all) {
            for path in &contender.fresh {
                remove(path)?;
            }
            let cost = contender.program.measure(&log, contender.statuses)?;
            if number > 0 {
                series.runs.push(cost);
            }
        }
    }
    for series in &mut all {
        series.median = summary(&series.runs);
    }
    Ok(all)
}

/// Runs one program so often; a run before the first fills the caches and does not count.
pub(crate) fn runs_of(
    program: &Program,
    runs: usize,
    statuses: &[i32],
    tools: &Tools,
) -> anyhow::Result<Vec<Cost>> {
    let log = tools.directory.join("last-run.log");
    println!("{} runs, load {}", runs, load());
    program.measure(&log, statuses)?;
    (0..runs).map(|_| program.measure(&log, statuses)).collect()
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn summary(runs: &[Cost]) -> Cost {
    let largest = |figure: fn(&Cost) -> u64| runs.iter().map(figure).max().unwrap_or(0);
    Cost {
        wall_seconds: median(runs.iter().map(|run| run.wall_seconds)),
        cpu_seconds: median(runs.iter().map(|run| run.cpu_seconds)),
        peak_rss_bytes: largest(|run| run.peak_rss_bytes),
        peak_anonymous_bytes: largest(|run| run.peak_anonymous_bytes),
        status: runs.first().map_or(0, |run| run.status),
    }
}

/// Returns the middle of some figures.
pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// Returns the figure that so many of a hundred do not exceed, by the nearest rank.
pub(crate) fn percentile(figures: &mut [f64], percent: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    let rank = (figures.len() * percent).div_ceil(100);
    figures
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

/// Returns the load averages of the machine.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[track_caller]
    fn check(count: u32, percent: usize, expected: f64) {
        let mut figures: Vec<f64> = (1..=count).rev().map(f64::from).collect();
        assert!((percentile(&mut figures, percent) - expected).abs() < 1e-9);
    }

    #[test]
    fn percentiles_are_figures_that_were_measured() {
        check(40, 95, 38.0);
        check(40, 100, 40.0);
        check(20, 95, 19.0);
        check(1, 95, 1.0);
        check(0, 95, 0.0);
    }
}
