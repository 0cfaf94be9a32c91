//! What is printed in the end.

use std::collections::BTreeMap;
use std::fmt::Display;

/// A line of figures.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<(String, String)>);

impl Figures {
    pub(crate) fn add(&mut self, name: &str, value: impl Display) {
        self.0.push((name.to_owned(), format!("{value}")));
    }

    pub(crate) fn add_all(&mut self, counts: &BTreeMap<&str, u64>) {
        for (name, count) in counts {
            self.add(name, count);
        }
    }

    pub(crate) fn append(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    pub(crate) fn print(&self, title: &str) {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        eprintln!("\n{title}");
        for (name, value) in &self.0 {
            eprintln!("  {name:width$}  {value}");
        }
    }
}

/// Memory over time.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<(f64, u64)>);

/// What memory did in one life of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryTrend {
    pub(crate) seconds: f64,
    pub(crate) first_quarter_bytes: u64,
    pub(crate) last_quarter_bytes: u64,
    pub(crate) bytes_per_hour: f64,
}

impl Memory {
    /// Notes a sample, taken so many seconds after the start.
    pub(crate) fn note(&mut self, second: f64, bytes: u64) {
        self.0.push((second, bytes));
    }

    /// Compares the first quarter of the time with the last, and fits a line (least squares). The
    /// first tenth is left out: a program that starts grows. `None` if there is not enough.
    pub(crate) fn trend(&self) -> Option<MemoryTrend> {
        let samples = self.0.get(self.0.len() / 10..)?;
        let quarter = samples.len() / 4;
        if quarter < 3 {
            return None;
        }
        let median = |part: &[(f64, u64)]| {
            let mut bytes: Vec<u64> = part.iter().map(|(_, bytes)| *bytes).collect();
            bytes.sort_unstable();
            bytes[bytes.len() / 2]
        };
        let count = samples.len() as f64;
        let mean_x = samples.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = samples.iter().map(|(_, y)| *y as f64).sum::<f64>() / count;
        let over = |(x, y): &(f64, u64)| (x - mean_x) * (*y as f64 - mean_y);
        let under = |(x, _): &(f64, u64)| (x - mean_x).powi(2);
        let slope = samples.iter().map(over).sum::<f64>() / samples.iter().map(under).sum::<f64>();
        Some(MemoryTrend {
            seconds: self.0.last()?.0,
            first_quarter_bytes: median(&samples[..quarter]),
            last_quarter_bytes: median(&samples[samples.len() - quarter..]),
            bytes_per_hour: slope * 3600.0,
        })
    }
}

/// Writes bytes as people read them.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
