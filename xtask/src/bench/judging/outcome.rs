//! The process that is measured: it opens both files and judges every image.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use cleanbill_advisories::{DATABASE_FILE, Database};
use cleanbill_core::Digest;
use cleanbill_core::image::{ImageConfig, ImageMetadata, LayerMetadata};
use cleanbill_core::package::LayerId;
use cleanbill_core::report::ImageReport;
use cleanbill_engine::{Inventoried, Judge, JudgeObserver, JudgeOptions, KnownImage, KnownImages};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};

/// When images are judged; ends of life depend on it.
const NOW: &str = "2026-11-22T12:00:00Z";

/// What was judged.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) images: u64,
    pub(super) packages: u64,
    pub(super) findings: u64,
    /// The sum of all fingerprints: equal for equal findings.
    pub(super) fingerprints: u64,
    pub(super) database_size_bytes: u64,
    pub(super) inventory_size_bytes: u64,
}

impl Outcome {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        serde_json::from_slice(&std::fs::read(path)?).context("the outcome is damaged")
    }
}

/// `xtask judge IMAGES DATABASE OUTCOME THREADS`: judges every image and writes what came out.
pub(crate) fn run_once(
    images: &Path,
    directory: &Path,
    outcome: &Path,
    threads: usize,
) -> anyhow::Result<()> {
    let database = Database::open(directory)?;
    let options = JudgeOptions::default();
    let judge = Judge {
        database: &database,
        options: &options,
        now: NOW.parse::<Timestamp>()?,
    };
    let stored = Stored::open(images)?;
    let sums = Sums::default();
    judge.judge_all(&stored, threads, &sums);
    let failures = sums
        .failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    ensure!(failures.is_empty(), "{}", failures.join("; "));
    let told = Outcome {
        images: stored.count as u64,
        packages: sums.packages.into_inner(),
        findings: sums.findings.into_inner(),
        fingerprints: sums.fingerprints.into_inner(),
        database_size_bytes: std::fs::metadata(directory.join(DATABASE_FILE))?.len(),
        inventory_size_bytes: std::fs::metadata(images)?.len(),
    };
    std::fs::write(outcome, serde_json::to_vec_pretty(&told)?)?;
    Ok(())
}

/// The stored images: rows of a SQLite file, decoded by the thread that judges them.
struct Stored {
    connection: Mutex<Connection>,
    count: usize,
}

impl Stored {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let count: i64 =
            connection.query_row("SELECT count(*) FROM images", [], |row| row.get(0))?;
        Ok(Self {
            connection: Mutex::new(connection),
            count: usize::try_from(count)?,
        })
    }

    fn row(&self, index: usize) -> rusqlite::Result<Row> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection
            .prepare_cached("SELECT name, config, size, inventory FROM images WHERE id = ?1")?;
        statement.query_row([index as i64], |row| {
            Ok(Row {
                name: row.get(0)?,
                config: row.get(1)?,
                size_bytes: row.get::<_, i64>(2)?.unsigned_abs(),
                inventory: row.get(3)?,
            })
        })
    }
}

struct Row {
    name: String,
    config: String,
    size_bytes: u64,
    inventory: Vec<u8>,
}

impl KnownImages for Stored {
    type Error = anyhow::Error;

    fn count(&self) -> usize {
        self.count
    }

    fn load(&self, index: usize) -> anyhow::Result<KnownImage> {
        let row = self.row(index)?;
        let inventory = cleanbill_store::unpack(&row.inventory, row.size_bytes)
            .context("the inventory is damaged")?;
        Ok(KnownImage {
            metadata: metadata(&row)?,
            name: row.name,
            source: "docker".to_owned(),
            inventoried: Inventoried {
                inventory,
                layer_sizes_bytes: Vec::new(),
            },
        })
    }
}

fn metadata(row: &Row) -> anyhow::Result<ImageMetadata> {
    let config: ImageConfig = serde_json::from_str(&row.config)?;
    let layers = config.diff_ids()?.into_iter().map(|diff_id| LayerMetadata {
        id: LayerId {
            digest: None,
            diff_id,
        },
        size_bytes: Some(1_000_000),
        created_by: String::new(),
    });
    Ok(ImageMetadata {
        image_id: Some(Digest::of(row.config.as_bytes())),
        repo_tags: vec![row.name.clone()],
        repo_digests: Vec::new(),
        layers: layers.collect(),
        config,
    })
}

/// Counts what comes out.
#[derive(Default)]
struct Sums {
    packages: AtomicU64,
    findings: AtomicU64,
    fingerprints: AtomicU64,
    failures: Mutex<Vec<String>>,
}

impl JudgeObserver<anyhow::Error> for Sums {
    fn image_judged(&self, index: usize, outcome: anyhow::Result<ImageReport>) {
        let add = |sum: &AtomicU64, value: u64| sum.fetch_add(value, Ordering::Relaxed);
        match outcome {
            Ok(report) => {
                for result in &report.results {
                    add(&self.packages, result.packages.len() as u64);
                    add(&self.findings, result.findings.len() as u64);
                    for finding in &result.findings {
                        add(&self.fingerprints, number(&finding.fingerprint));
                    }
                }
            }
            Err(error) => {
                let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(format!("image {index}: {error:#}"));
            }
        }
    }

    fn is_cancelled(&self) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        !failures.is_empty()
    }
}

/// Returns the first digits of a fingerprint (`sha256:…`) as a number.
fn number(fingerprint: &str) -> u64 {
    let digits = fingerprint.get(7..23).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or(0)
}
