//! What it costs to know 500 images while nothing happens.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::super::report::{Check, Fact, Report, megabytes};
use super::super::series::load;
use super::Bench;
use super::daemon::Daemon;

/// Resident memory without mapped files.
const MEGABYTES_MAX: f64 = 30.0 * 1.048_576;

/// Share of one processor, in per cent.
const PROCESSOR_PERCENT_MAX: f64 = 0.1;

/// What the first pass leaves to do is done after this.
const SETTLING: Duration = Duration::from_secs(10);

pub(super) fn run(
    bench: &Bench<'_>,
    daemon: &mut Daemon,
    report: &mut Report,
) -> anyhow::Result<()> {
    std::thread::sleep(SETTLING);
    let process = daemon.id();
    let begin = (Instant::now(), processor_seconds(process)?);
    println!(
        "idle for {} s, load {}",
        bench.extent.idle.as_secs(),
        load()
    );
    std::thread::sleep(bench.extent.idle);
    let seconds = processor_seconds(process)? - begin.1;
    let percent = 100.0 * seconds / begin.0.elapsed().as_secs_f64();
    let memory = Memory::of(process)?;
    let count = bench.images.fleet_count + 1;
    report.checks.push(Check::at_most(
        format!("idle, {count} images known: resident memory without mapped files"),
        megabytes(memory.anonymous_bytes),
        MEGABYTES_MAX,
        "MB",
    ));
    report.checks.push(Check::at_most(
        format!("idle, {count} images known: processor"),
        percent,
        PROCESSOR_PERCENT_MAX,
        "%",
    ));
    report.facts.extend([
        Fact::new("idle: RssAnon", megabytes(memory.anonymous_bytes), "MB"),
        Fact::new("idle: RssFile", megabytes(memory.file_bytes), "MB"),
        Fact::new("idle: RSS", megabytes(memory.resident_bytes), "MB"),
        Fact::new("idle: watched for", bench.extent.idle.as_secs_f64(), "s"),
    ]);
    Ok(())
}

/// What of a process is in memory.
struct Memory {
    anonymous_bytes: u64,
    file_bytes: u64,
    resident_bytes: u64,
}

impl Memory {
    fn of(process: u32) -> anyhow::Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let field = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"))
                .and_then(|number| number.parse::<u64>().ok())
                .map(|kilobytes| kilobytes * 1024)
                .with_context(|| format!("the kernel does not tell {name}"))
        };
        Ok(Self {
            anonymous_bytes: field("RssAnon:")?,
            file_bytes: field("RssFile:")?,
            resident_bytes: field("VmRSS:")?,
        })
    }
}

/// Returns how long a process has been on a processor, user and system, all threads together.
fn processor_seconds(process: u32) -> anyhow::Result<f64> {
    /// The kernel shows times in hundredths of a second on every architecture (`USER_HZ`).
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold blanks.
    let (_, rest) = stat.rsplit_once(") ").context("a strange /proc file")?;
    // proc_pid_stat(5): utime and stime are fields 14 and 15, the first behind the name is 3.
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).context("a strange /proc file")?;
    Ok((user + system) / TICKS_A_SECOND)
}
